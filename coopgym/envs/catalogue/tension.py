"""The option ``tension="high"``: our own parameters of the synergy, under which selfish play loses a fifth of welfare.

They are no report's. The payoff keeps TR-1's form with its power value a^beta (eq. 5, the report's beta) in place of
the logarithm, and the environment's endowments and shares. Only the synergy gamma leaves its range: the report keeps it
in [0, 1], here it comes close to the number of agents N. A unit from each of N equals costs N and returns gamma beside
what each makes of its own; a unit from one alone returns that one gamma / N^2. With gamma up to 1 no game of the
catalogue can lose a fifth (``within_range``). ``benchmarks/tension.py`` finds the numbers and writes ``tension.json``.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from coopgym.mechanisms import checks
from coopgym.mechanisms.value import PowerValue

TENSIONS = ("report", "high")
FILE = Path(__file__).with_name("tension.json")


@dataclass(frozen=True)
class Preset:
    """What "high" means for one game.

    agents: the number N it was found for; exponent beta; gamma, of a hidden one the middle of its range; shift: what
    is added to a hidden gamma, None where it is not hidden. Of one step from the first state, in private rewards
    unless said otherwise: lost, lost_as_reported: share of the optimum's welfare that selfish play loses here, and
    with the report's parameters; lost_integrated: the same in integrated rewards; greed, fear: the largest of an agent,
    as of ``coopgym.oracles.dilemma``; nash, optimum: mean rates; within_range: the largest lost share that was
    found with gamma up to 1.
    """

    agents: int
    exponent: float
    gamma: float
    shift: float | None
    lost: float
    lost_as_reported: float
    lost_integrated: float
    greed: float
    fear: float
    nash: float
    optimum: float
    within_range: float

    @property
    def value(self) -> PowerValue:
        """f(a) = a^beta."""
        return PowerValue(self.exponent)

    @property
    def sentence(self) -> str:
        """The preset in words."""
        hidden = "" if self.shift is None else f" in the middle of its range, which moves up by {self.shift:g}"
        return (
            f"f(a) = a^{self.exponent:g} and gamma {self.gamma:g}{hidden} (our own; the report has gamma in [0, 1]): "
            f"one step of selfish play loses {self.lost:.1%} of the best welfare instead of {self.lost_as_reported:.2%}"
        )


@functools.cache
def presets() -> dict[str, Preset]:
    """By name of the game, without version."""
    found = json.loads(FILE.read_text())["games"] if FILE.exists() else {}
    return {name: Preset(**numbers) for name, numbers in found.items()}


def preset(name: str, tension: str, agents: int) -> Preset | None:
    """The preset of a game for "high", None for "report"; ValueError for another number of agents."""
    if checks.choice("tension", tension, TENSIONS) == "report":
        return None
    chosen = presets()[name]
    if agents != chosen.agents:
        raise ValueError(
            f"tension='high' of {name} was found for {chosen.agents} agents, not for {agents}: gamma must grow with "
            f"their number; give {chosen.agents} agents, or tension='report'"
        )
    return chosen
