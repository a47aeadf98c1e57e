"""What replay keeps of the states before and after a step, and how critics and actors get their features back."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from coopgym.algorithms.features import CROWD, Encoder
from coopgym.algorithms.rollout import Games, Rollout
from coopgym.envs import observation
from coopgym.mechanisms.base import State

Fields = dict[str, tuple[int, ...]]
MOMENTS = ("", "next_")  # prefixes of the names of what was before a step and of what is after it


class Seen(NamedTuple):
    """Of sampled states: features ``[R, N, B, F]`` of each agent; joint ``[R, B, S]``, where critics want it."""

    features: Tensor
    joint: Tensor | None


class FeatureRecall:
    """Keeps features, ready to use: a sample is one gather, and the features of few agents are small."""

    def __init__(self, games: Games, joint: Encoder | None) -> None:
        self.games, self.joint = games, joint
        self.states_before = joint is not None  # a rollout must keep the states before its steps
        shapes: Fields = {"features": (games.game.n, games.encoder.size)}
        shapes |= {"state": (joint.size,)} if joint is not None else {}
        self.fields = {moment + name: shape for moment in MOMENTS for name, shape in shapes.items()}

    def kept(self, rollout: Rollout) -> dict[str, Tensor]:
        """The fields ``[R, H, E, ...]`` of a rollout that has kept its final states."""
        assert rollout.final is not None
        steps = {
            "features": rollout.features[:, :, :-1].movedim(1, 3),
            "next_features": self.games.features(rollout.final).movedim(1, 3),
        }
        if self.joint is not None:
            assert rollout.states is not None
            steps["state"] = self._joint(rollout.states, self.joint)[:, :-1]
            steps["next_state"] = self._joint(rollout.final, self.joint)
        return steps

    def seen(self, sample: dict[str, Tensor], moment: str) -> Seen:
        """What is seen of fields ``[R, B, ...]``; moment: "" before the steps, "next_" after them."""
        return Seen(sample[f"{moment}features"].movedim(2, 1), sample.get(f"{moment}state"))

    def _joint(self, states: State, encoder: Encoder) -> Tensor:
        """The joint observation ``[R, H, E, S]``, scaled."""
        return encoder(observation.observe(self.games.game, states, "joint")).squeeze(-2)


class StateRecall:
    """Keeps states, and makes the features of a sample anew: N agents that see them whole would keep N copies."""

    states_before = True

    def __init__(self, games: Games) -> None:
        self.games = games
        self.shapes = {name: tuple(x.shape[2:]) for name, x in self._entries(games.state).items()}
        self.fields = {moment + name: shape for moment in MOMENTS for name, shape in self.shapes.items()}

    def _entries(self, state: State) -> dict[str, Tensor]:
        """The entries that somebody sees, by name."""
        game = self.games.game
        public = [name for mechanism in game.mechanisms for name in mechanism.observed]
        return {f"state.{name}": getattr(state, name) for name in State._fields if name != "extra"} | {
            f"public.{name}": state.extra[name] for name in public
        }

    def kept(self, rollout: Rollout) -> dict[str, Tensor]:
        """The fields ``[R, H, E, ...]`` of a rollout that has kept its states, and those before restarts."""
        assert rollout.states is not None and rollout.final is not None
        before = {name: x[:, :-1] for name, x in self._entries(rollout.states).items()}
        return before | {f"next_{name}": x for name, x in self._entries(rollout.final).items()}

    def seen(self, sample: dict[str, Tensor], moment: str) -> Seen:
        """As of FeatureRecall; ``joint`` is None, for in a crowd critics see means."""
        entries = {name: sample[moment + name] for name in self.shapes}
        known, public = (
            {name.removeprefix(kind): x for name, x in entries.items() if name.startswith(kind)}
            for kind in ("state.", "public.")
        )
        return Seen(self.games.features(State(**known, extra=public)), None)


Recall = FeatureRecall | StateRecall


def recall(games: Games, joint: Encoder | None) -> Recall:
    """How to remember these games; joint: the encoder of the joint observation, if critics see that."""
    return StateRecall(games) if games.game.n > CROWD else FeatureRecall(games, joint)
