"""Oracles: solvers of games whose answers carry a certificate."""
