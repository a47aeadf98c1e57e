"""``coopgym.audit`` of policies: what they do, and what they do when somebody else does something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.algorithms.policy import CallablePolicy
from coopgym.audit import (
    conditional,
    cooperation,
    deviations,
    fairness,
    fingerprint,
    free_riding,
    impulse,
    outcome,
    partners,
    trust,
)
from coopgym.audit.bench import Bench
from coopgym.audit.effort import Effort
from coopgym.audit.effort import effort as effort_of
from coopgym.audit.measures import Family, mean
from coopgym.audit.traces import Subject
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms import checks

FAMILIES: dict[str, Callable[[Bench], Any]] = {
    "outcome": lambda bench: outcome.outcome(bench.subject, bench.known),
    "cooperation": lambda bench: cooperation.cooperation(bench.subject, bench.known),
    "fairness": lambda bench: fairness.fairness(bench.subject, bench.known),
    "deviations": lambda bench: bench.once("deviations", deviations.deviations),
    "free_riding": lambda bench: free_riding.free_riding(bench, bench.once("deviations", deviations.deviations)),
    "impulses": impulse.impulses,
    "conditional": conditional.conditional,
    "trust": lambda bench: trust.trust(bench, impulse.disturbed(bench)[1]),
    "partners": partners.partners,
    "fingerprint": fingerprint.fingerprint,
}


@dataclass(frozen=True, eq=False)
class Audit:
    """What R replicas of one policy do. families: the results by family, with all their arrays.

    values: by measure, ``[R]`` or ``[R, N]``; ``coopgym.audit.measures.CATALOGUE`` has units, ranges and definitions.
    undefined: why a measure is NaN somewhere. ``record`` is one flat row.
    """

    game: str
    game_hash: str
    agents: tuple[str, ...]
    policy: str
    reward_modes: tuple[str, ...]
    effort: str
    deterministic: bool
    episodes: int
    seed: int
    families: dict[str, Any]
    values: dict[str, np.ndarray]
    undefined: dict[str, str]
    notes: tuple[str, ...]
    seconds: float

    def __repr__(self) -> str:
        modes = ", ".join(dict.fromkeys(self.reward_modes))
        measured = f"{len(self.values)} measures of {', '.join(self.families)}"
        return f"<coopgym audit: {self.policy} on {self.game}, {self.replicas} runs ({modes}); {measured}; .record()>"

    @property
    def replicas(self) -> int:
        """R."""
        return len(self.reward_modes)

    def __getattr__(self, name: str) -> Any:
        families = self.__dict__.get("families", {})
        if name in families:
            return families[name]
        raise AttributeError(f"this audit has no {name!r}; it has {', '.join(families)}")

    def record(self, replica: int = 0) -> dict[str, Any]:
        """One replica as text and numbers: of what each agent has, the mean over agents.

        A measure that is NaN has its reason in ``undefined``.
        """
        row: dict[str, Any] = {
            "game": self.game, "game_hash": self.game_hash, "policy": self.policy,
            "reward_mode": self.reward_modes[replica], "effort": self.effort, "episodes": self.episodes,
        }  # fmt: skip
        row |= {name: float(x[replica] if x.ndim == 1 else mean(x[replica])) for name, x in self.values.items()}
        missing = (f"{name}: {why}" for name, why in self.undefined.items() if np.isnan(row[name]))
        return row | {"undefined": "; ".join(missing)}

    def by_agent(self, replica: int = 0) -> dict[str, list[float]]:
        """Of one replica, all that each agent has, in the order of the agents."""
        return {name: x[replica].tolist() for name, x in self.values.items() if x.ndim == 2}

    def records(self) -> list[dict[str, Any]]:
        """A row for each replica."""
        return [self.record(r) for r in range(self.replicas)]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the families' larger arrays, for JSON."""
        plain = {name: x for name, x in vars(self).items() if name not in ("families", "values")}
        return {**plain, "values": {name: x.tolist() for name, x in self.values.items()}}


def audit(
    policies: Any,
    game: Game | str,
    reward_mode: str | RewardMode | Sequence[str | RewardMode] = "private",
    measures: Sequence[str] | None = None,
    effort: str | Effort = "quick",
    *,
    deterministic: bool = True,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    **game_options: Any,
) -> Audit:
    """Measure what policies do in a game, alone and against interventions; nothing is trained.

    policies: what ``coopgym.policy`` takes, a TrainResult, or a list of policies that fit in one stack; replicas are
    measured side by side. reward_mode: what they were trained on, one or one for each replica; it is needed for what
    is measured in rewards, everything else is in payoffs. measures: families, by default all. effort: "quick" or
    "full", or an Effort; see ``coopgym.audit.effort``. groups: labels of replicas that may be each other's partners;
    by default their reward modes. Raises ValueError for what cannot play this game and for unknown names.
    """
    began, made, fine = time.perf_counter(), make_game(game, **game_options).to("numpy"), effort_of(effort)
    chosen = [checks.choice("measures", name, tuple(FAMILIES)) for name in measures or FAMILIES]
    subject = Subject.of(
        policies, made, reward_mode, deterministic=deterministic, episodes=fine.episodes, seed=seed
    )  # fmt: skip
    modes = tuple(str(mode) for mode in subject.modes)
    bench = Bench(subject, fine, modes if groups is None else tuple(groups))
    families = {name: FAMILIES[name](bench) for name in chosen}
    values, undefined = _gathered(families)
    return Audit(
        game=made.id, game_hash=made.hash, agents=made.agents, policy=subject.player.name, reward_modes=modes,
        effort=fine.name, deterministic=subject.deterministic, episodes=subject.episodes, seed=seed,
        families=families, values=values, undefined=undefined, notes=_notes(bench, families),
        seconds=time.perf_counter() - began,
    )  # fmt: skip


def _notes(bench: Bench, families: dict[str, Any]) -> tuple[str, ...]:
    notes = [] if bench.left_out is None else [bench.left_out]
    if "impulses" in families and families["impulses"].interrupted_share > 0.0:
        notes.append("answers to a defection lasted when the episode ended, and what became of them is unknown")
    if isinstance(bench.subject.player, CallablePolicy) and not bench.subject.deterministic:
        notes.append("a function that draws has other random numbers in each way to play: its effects are noisy")
    return tuple(notes)


def _gathered(families: dict[str, Family]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    values: dict[str, np.ndarray] = {}
    undefined: dict[str, str] = {}
    for family in families.values():
        values |= {name: np.asarray(x, dtype=np.float64) for name, x in family.measures().items()}
        undefined |= family.undefined
    return values, undefined
