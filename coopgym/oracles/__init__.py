"""Oracles: solvers of games whose answers carry a certificate."""

NAMES = (
    "nash", "coopetitive", "trust_aware", "social_optimum", "loyalty", "reciprocity", "bounded_reciprocity",
)  # fmt: skip
