"""How fine the grids of an audit are."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.mechanisms import checks


@dataclass(frozen=True)
class Effort:
    """What is tried; times are shares of the horizon, negative numbers steps before its end.

    seats: most agents that are audited one by one, spread evenly over the seats where there are more. starts, levels
    (even rates from 0 to 1, beside the selfish reply) and spans [steps; None: to the end]: of deviations. shocks
    [rates], shock_spans [steps] and shock_starts: of impulses. lanes: of randomised rates. bins: of the curve of
    conditional cooperation. probes: on each side of the fingerprint's triangle. panel: names of strangers. shifts: how
    many partners of other seeds each replica meets. exploit: whether best responses are searched. episodes: averaged
    over where something is drawn or hidden.
    """

    name: str
    seats: int
    starts: tuple[float, ...]
    levels: int
    spans: tuple[int | None, ...]
    shocks: tuple[float, ...]
    shock_spans: tuple[int, ...]
    shock_starts: tuple[float, ...]
    lanes: int
    panel: tuple[str, ...]
    shifts: int
    exploit: bool
    episodes: int
    bins: int = 5
    probes: int = 6


QUICK = Effort(
    "quick", seats=4, starts=(0.0, 0.5, -1), levels=1, spans=(1, None), shocks=(0.25,), shock_spans=(1, 5),
    shock_starts=(0.5,), lanes=32, panel=("Constant_0", "Constant_100", "TitForTat", "GrimTrigger"), shifts=1,
    exploit=False, episodes=8,
)  # fmt: skip
FULL = Effort(
    "full", seats=12, starts=(0.0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, -5, -2, -1), levels=21, spans=(1, 5, None),
    shocks=(0.1, 0.25, 0.5), shock_spans=(1, 5), shock_starts=(0.25, 0.5), lanes=256,
    panel=(
        "Random", "Constant_0", "Constant_25", "Constant_50", "Constant_75", "Constant_100", "TitForTat",
        "GenerousTitForTat", "GrimTrigger", "BaselinePlus", "StageSelfish", "BestConstant",
    ),
    shifts=1_000, exploit=True, episodes=64, bins=10, probes=9,
)  # fmt: skip
EFFORTS = {"quick": QUICK, "full": FULL}


def effort(given: str | Effort) -> Effort:
    """By name, or one's own."""
    return given if isinstance(given, Effort) else EFFORTS[checks.choice("effort", given, tuple(EFFORTS))]


def step_of(start: float, horizon: int) -> int:
    """The step of a share of the horizon, or of a number of steps before the end."""
    return int(start * horizon) if start >= 0 else max(0, horizon + int(start))
