"""How much of a dilemma one step of a game is: what selfish play loses, and what tempts and frightens an agent."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.extras import explains
from coopgym.oracles.equilibrium import reward_of, stage_equilibrium
from coopgym.oracles.moves import best_move, landmarks
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.result import Solution
from coopgym.oracles.stage import StageGame

LABELS = ("dilemma", "coordination", "harmony", "trivial")
NOTHING = 1e-4  # relative gain, or share of welfare, that counts as none
MATERIAL = 0.01  # share of the optimum's welfare that must be at stake in a dilemma
STEP = 1e-4  # half width of a finite difference [endowments]


@dataclass(frozen=True, eq=False)
class Dilemma:
    """One step of a game from its first state, under a reward mode.

    nash: a profile from which nobody gains alone, in rewards; optimum: the profile with the largest sum of payoffs.
    welfare_nash, welfare_optimum: sums of payoffs [payoff a step]. greed ``[N]``: what an agent gains by leaving the
    optimum alone; fear ``[N]``: what it loses by playing its part of the optimum while the others play nash; both as
    shares of its reward before. rate: the common share of endowments half way between the two profiles, where own
    ``[N]`` is the slope of an agent's reward in its own action and cross ``[N]`` the mean slope in another's. label:
    what thresholds make of it, see ``label_of``.
    """

    game: str
    game_hash: str
    reward_mode: str
    nash: Solution
    optimum: Solution
    welfare_nash: float
    welfare_optimum: float
    greed: np.ndarray
    fear: np.ndarray
    rate: float
    own: np.ndarray
    cross: np.ndarray
    label: str

    @property
    def lost(self) -> float:
        """Share of the optimum's welfare that selfish play loses; nan where the optimum is worth nothing."""
        return 1.0 - self.welfare_nash / self.welfare_optimum if self.welfare_optimum > 0.0 else float("nan")

    @property
    def price_of_anarchy(self) -> float:
        """Welfare of the optimum over that of selfish play, 1 or more; infinite where selfish play earns nothing."""
        return self.welfare_optimum / self.welfare_nash if self.welfare_nash > 0.0 else float("inf")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain = {name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in plain.items()}
        plain |= {"nash": self.nash.to_dict(), "optimum": self.optimum.to_dict()}
        return {**plain, "lost": self.lost, "price_of_anarchy": self.price_of_anarchy}


@explains("coopgym.dilemma")
def dilemma(game: Game | str, reward_mode: str | RewardMode = "private", **game_options: Any) -> Dilemma:
    """Solve one step of a game and say what kind of problem it is. A game may be worse, or better, over an episode."""
    made = make_game(game, **game_options)
    stage = StageGame.of(made, reward_mode)
    nash, optimum = stage_equilibrium(stage), stage_optimum(stage, objective="payoffs")
    greed, fear = _greed(stage, optimum.actions), _fear(stage, nash.actions, optimum.actions)
    rate = float(0.5 * ((nash.actions + optimum.actions) / stage.endowment).mean())
    own, cross = slopes(stage, rate * stage.endowment)
    lost = 1.0 - nash.welfare / optimum.welfare if optimum.welfare > 0.0 else float("inf")
    label = label_of(lost, float(greed.max()), several=greed.max() <= NOTHING and _several(stage))
    return Dilemma(
        game=made.id, game_hash=made.hash, reward_mode=str(stage.mode), nash=nash, optimum=optimum,
        welfare_nash=nash.welfare, welfare_optimum=optimum.welfare, greed=greed, fear=fear, rate=rate, own=own,
        cross=cross, label=label,
    )  # fmt: skip


def label_of(lost: float, greed: float, several: bool) -> str:
    """What kind of problem: by the share ``lost``, the largest ``greed``, and whether equilibria are ``several``.

    The optimum is an equilibrium if nobody gains more than 1e-4 of its reward by leaving it: then "coordination" where
    it is not the only one, and "harmony" where selfish play loses at most 1e-4 of the welfare. Else "dilemma" if it
    loses at least 1 %, and "trivial" if it loses less.
    """
    if greed <= NOTHING and (several or lost <= NOTHING):
        return "coordination" if several else "harmony"
    return "dilemma" if lost >= MATERIAL else "trivial"


def slopes(stage: StageGame, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(own ``[N]``, mean over others ``[N]``) slopes of rewards in actions [reward per unit], inside the endowments."""
    shift = STEP * np.diag(stage.endowment)
    high, low = np.minimum(actions + shift, stage.endowment), np.maximum(actions - shift, 0.0)
    width = (high - low).sum(-1)[:, None]
    matrix = (stage.rewards(high) - stage.rewards(low)) / width  # [j, i]: of agent i's reward in the action of j
    own = np.diag(matrix).copy()
    return own, (matrix.sum(0) - own) / (stage.n - 1)


def _greed(stage: StageGame, optimum: np.ndarray) -> np.ndarray:
    marks, greed = landmarks(stage), np.empty(stage.n)
    for i in range(stage.n):
        _, top, before = best_move(
            reward_of(stage, i), optimum[None], np.array([i]), float(stage.endowment[i]), marks[i]
        )
        greed[i] = (top[0] - before[0]) / stage.size(before[0])
    return greed


def _fear(stage: StageGame, nash: np.ndarray, optimum: np.ndarray) -> np.ndarray:
    alone = np.where(np.eye(stage.n, dtype=bool), optimum, nash)  # row i: only i plays the optimum
    before = stage.rewards(nash)
    return np.asarray((before - np.diag(stage.rewards(alone))) / stage.size(before))


def _several(stage: StageGame) -> bool:
    """Whether best replies from many starts end in different places."""
    return stage_equilibrium(stage, closed_form=False).certificate.solutions > 1
