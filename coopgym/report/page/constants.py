"""What the records of a game say about it: what constants, oracles and heuristics earn, and what learners chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from coopgym.envs.reward import KINDS
from coopgym.report.page.audited import gathered
from coopgym.report.page.cells import finite, player, several
from coopgym.report.page.material import TRAINED
from coopgym.report.page.strata import numbers, spread
from coopgym.report.page.words import counted
from coopgym.study.records import Row
from coopgym.study.summary import SHARE, Estimate, estimates, mode_label, own_reward


@dataclass(frozen=True)
class Known:
    """A policy without training. rate: mean share of the endowments; rewards: by kind, sums over agents."""

    name: str
    kind: str
    mode: str
    rate: float
    welfare: float
    rewards: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The runs of one learner under one mode ``[runs, 3]``: rates, welfare as a share of the best constant's, rewards
    in the mode trained on. rate, share: means over them, None where nothing is known."""

    player: str
    mode: str
    runs: np.ndarray
    rate: Estimate | None = None
    share: Estimate | None = None


@dataclass(frozen=True, eq=False)
class Pooled:
    """What is averaged together, one design of each learner or a single one, and its means. rate, share: as of one."""

    chosen: Sequence[Chosen]
    rate: Estimate | None
    share: Estimate | None

    @property
    def name(self) -> str:
        """Of the learner, or how many there are."""
        return self.chosen[0].player if len(self.chosen) == 1 else counted(len(self.chosen), "learner")


@dataclass(frozen=True, eq=False)
class Field:
    """One game. name: as rows have it; game: as it is called here; constants by rate; others: oracles and heuristics.

    best: the welfare that shares are of, if known; bound: what no policy exceeds, and planned: the best sequence known
    [welfare], where stored.
    """

    name: str
    game: str
    constants: Sequence[Known]
    others: Sequence[Known]
    chosen: Sequence[Chosen]
    best: float | None
    bound: float | None
    planned: float | None

    @cached_property
    def by_mode(self) -> dict[str, list[Pooled]]:
        """Of each mode what was chosen, means over learners of means over runs.

        A learner of several designs has no mean over them, since they are no repeats: each design stands by itself.
        """
        groups = {c.mode: [x for x in self.chosen if x.mode == c.mode] for c in self.chosen}
        return {
            mode: [Pooled([c], c.rate, c.share) for c in own]
            if several(c.player for c in own)
            else [Pooled(own, *_pooled(own))]
            for mode, own in groups.items()
        }

    def share(self, welfare: Any) -> Any:
        """Welfare as a share of the best constant's."""
        return share(welfare, self.best)

    def best_rate(self, kind: str | None = None) -> float | None:
        """The constant rate of the largest welfare, or of the largest sum of rewards of a kind; of ties the least."""
        worth = [(k.welfare if kind is None else k.rewards.get(kind, np.nan), -k.rate) for k in self.constants]
        known = [(value, rate) for value, rate in worth if np.isfinite(value)]
        return -max(known)[1] if known else None

    def oracle(self, name: str, mode: str = "private") -> Known | None:
        """What an oracle answered; of another mode where this one is not there."""
        own = [k for k in self.others if k.name == name]
        return next((k for k in own if k.mode == mode), own[0] if own else None)


def fields(runs: Sequence[Row]) -> list[Field]:
    """One for each game, of one with several sets of parameters one for each; where somebody's rates are known."""
    groups = gathered([row for row in runs if row.get("status") == "ok" and row.get("game")], _game, _hash)
    names = [name for name, _ in groups]
    called = [name if names.count(name) == 1 else f"{name} {version}" for name, version in groups]
    made = [_field(name, word, rows) for name, word, rows in zip(names, called, groups.values(), strict=True)]
    return [field for field in _estimated(made) if field.chosen or field.constants]


def _estimated(made: Sequence[Field]) -> list[Field]:
    """The same with means and intervals of all that was chosen, which are found together."""
    columns = [c.runs[np.isfinite(c.runs[:, k]), k].tolist() for field in made for c in field.chosen for k in (0, 1)]
    found = iter(estimates(columns))
    return [
        replace(field, chosen=[replace(c, rate=_cut(next(found)), share=next(found)) for c in field.chosen])
        for field in made
    ]


def _cut(rate: Estimate | None) -> Estimate | None:
    """A mean of rates, its interval cut at what it cannot leave."""
    return None if rate is None else rate.within(*SHARE)


def _field(name: str, called: str, rows: Sequence[Row]) -> Field:
    free = {(r["kind"], r["algorithm"], mode_label(r)): known for r in rows if (known := _known(r)) is not None}
    constants = {k.name: k for (kind, *_), k in free.items() if kind == "constant"}
    best = _first(rows, "best_constant_welfare") or max((k.welfare for k in constants.values()), default=None)
    best = best if best is not None and best > 0.0 else None
    return Field(
        name=name, game=called, constants=sorted(constants.values(), key=lambda k: k.rate),
        others=[k for (kind, *_), k in free.items() if kind in ("oracle", "heuristic")], chosen=_chosen(rows, best),
        best=best, bound=_first(rows, "upper_bound_welfare"), planned=_first(rows, "open_loop_welfare"),
    )  # fmt: skip


def _pooled(chosen: Sequence[Chosen]) -> tuple[Estimate | None, Estimate | None]:
    if len(chosen) == 1:
        return chosen[0].rate, chosen[0].share
    found = spread([c.runs[:, :2] for c in chosen])
    return (None, None) if found is None else (_cut(found.at(0)), found.at(1))


def _known(row: Row) -> Known | None:
    rate, welfare = mean_rate(row), numbers([row.get("welfare")])[0]
    if row.get("kind") == TRAINED or not np.isfinite([rate, welfare]).all():
        return None
    rewards = {kind: float(numbers(row.get(f"reward_{kind}") or [None]).sum()) for kind in KINDS}
    return Known(row["algorithm"], row["kind"], mode_label(row), rate, float(welfare), rewards)


def _chosen(rows: Sequence[Row], best: float | None) -> list[Chosen]:
    trained = gathered([row for row in rows if row.get("kind") == TRAINED], player, mode_label)
    found = [Chosen(key[0], key[1], np.array([_outcome(r, best) for r in own])) for key, own in trained.items()]
    return [chosen for chosen in found if np.isfinite(chosen.runs[:, 0]).any()]


def _outcome(row: Row, best: float | None) -> tuple[float, float, float]:
    with np.errstate(all="ignore"):
        try:
            reward = own_reward(row)
        except (KeyError, TypeError, ValueError):
            reward = np.nan
    return mean_rate(row), float(share(numbers([row.get("welfare")])[0], best)), float(numbers([reward])[0])


def share(welfare: Any, best: float | None) -> Any:
    """Of the best constant's welfare; NaN where that is not known."""
    with np.errstate(over="ignore"):
        return np.asarray(welfare) / (best or np.nan)


def mean_rate(row: Row) -> float:
    """Of the agents, NaN where one is not known."""
    rates = numbers(row.get("rate") or [None])
    return float(rates.mean()) if ((rates >= 0.0) & (rates <= 1.0)).all() else float("nan")


def _first(rows: Sequence[Row], column: str) -> float | None:
    return next((float(row[column]) for row in rows if finite(row.get(column))), None)


def _game(row: Row) -> str:
    return str(row["game"])


def _hash(row: Row) -> str:
    return str(row.get("game_hash") or "")
