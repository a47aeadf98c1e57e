"""What a profile earns, and how this compares with what is known about the game."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.measures import ratio
from coopgym.audit.traces import Subject
from coopgym.audit.yardsticks import Yardsticks


@dataclass(frozen=True, eq=False)
class Outcome:
    """Means over episodes. payoffs, own ``[R, N]``: payoffs [payoff], and rewards in the mode trained on.

    returns: by pure mode, sums of rewards over agents ``[R]``; welfare = sum_i P_i ``[R]``; efficiency: W / W of the
    best common constant ``[R]``, at most slightly above 1 where policies vary rates usefully; efficiency_bound: W / a
    proven bound, at most 1; normalised: (W - W_selfish) / (W_best - W_selfish) ``[R]``, below 0 where worse than
    selfish; price_of_anarchy: W_best / W ``[R]``; length [steps], early [share] ``[R]``.
    """

    payoffs: np.ndarray
    own: np.ndarray
    returns: dict[str, np.ndarray]
    efficiency: np.ndarray
    efficiency_bound: np.ndarray
    normalised: np.ndarray
    price_of_anarchy: np.ndarray
    length: np.ndarray
    early: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    @property
    def welfare(self) -> np.ndarray:
        """``[R]`` [payoff]."""
        return np.asarray(self.payoffs.sum(-1))

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        returns = {f"return_{mode}": x for mode, x in self.returns.items()}
        return {
            "welfare": self.welfare, "payoff": self.payoffs, "return_own": self.own.sum(-1), **returns,
            "efficiency": self.efficiency, "efficiency_bound": self.efficiency_bound,
            "normalised_efficiency": self.normalised, "price_of_anarchy": self.price_of_anarchy,
            "length": self.length, "early_end": self.early,
        }  # fmt: skip


def outcome(subject: Subject, known: Yardsticks) -> Outcome:
    """Of undisturbed play."""
    base, undefined = subject.base, {}
    payoffs = base.payoffs.sum(-2).mean(1)
    welfare = payoffs.sum(-1)
    normalised = np.full_like(welfare, np.nan)
    if isinstance(known.ends, str):
        undefined["normalised_efficiency"] = known.ends
    else:
        normalised = np.asarray(known.ends.score(welfare))
    if known.bound is None:
        undefined["efficiency_bound"] = "no argument bounds this game's welfare"
    if (welfare <= 0.0).any():
        undefined["price_of_anarchy"] = "welfare is not positive"
    return Outcome(
        payoffs=payoffs, own=base.rewards.sum(-2).mean(1),
        returns={mode: x.sum(-1).mean(-1) for mode, x in subject.undisturbed.returns.items()},
        efficiency=ratio(welfare, known.best_constant),
        efficiency_bound=ratio(welfare, np.nan if known.bound is None else known.bound), normalised=normalised,
        price_of_anarchy=ratio(known.optimum, welfare), length=base.lengths.mean(1),
        early=(base.lengths < subject.game.horizon).mean(1), undefined=undefined,
    )  # fmt: skip
