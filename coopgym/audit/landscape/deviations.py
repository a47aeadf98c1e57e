"""What agents earn who leave a common play, alone or all together: all cases of a game are one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coopgym.audit.landscape.strategies import Strategy
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms import checks
from coopgym.oracles.sequences import Returns, Sequences

MEASURES = ("rewards", "payoffs")
CHANGES = (
    "gain", "others_change", "together_gain", "gain_payoff", "others_change_payoff", "together_gain_payoff",
)  # fmt: skip
FLAGS = ("exploitative", "level_effect", "exploitative_payoff")


class Effects(NamedTuple):
    """Changes against the common play, over an episode ``[A, M, S]`` [payoff].

    gain: of the agent that leaves; others: mean of the others; together: of that agent when all make the same move;
    exploitative: the agent gains and the others lose, each by more than the tolerance.
    """

    gain: np.ndarray
    others: np.ndarray
    together: np.ndarray
    exploitative: np.ndarray

    @property
    def level_effect(self) -> np.ndarray:
        """``[A, M, S]``: exploitative, although the agent would gain as much or more if all made the move."""
        return np.asarray(self.exploitative & (self.together >= self.gain))


@dataclass(frozen=True, eq=False)
class Deviations:
    """M common plays, A agents that leave them alone, S strategies of leaving; N agents in all.

    levels ``[M]`` of the common play [share of endowments, see own_rates]; agents ``[A]`` that leave, by name, and
    positions ``[A]``, by number; targets ``[M, N]`` what each agent goes to [endowment units]; base ``[M, N]``, alone
    ``[A, M, S, N]``, together ``[M, S, N]``: Returns over an episode; tolerance: the share of a return up to which a
    change counts as none.
    """

    game: str
    game_hash: str
    reward_mode: str
    own_rates: bool
    agents: tuple[str, ...]
    positions: tuple[int, ...]
    levels: np.ndarray
    strategies: tuple[Strategy, ...]
    targets: np.ndarray
    base: Returns
    alone: Returns
    together: Returns
    tolerance: float = 0.0

    def effects(self, measure: str = "rewards") -> Effects:
        """Changes of ``"rewards"`` (of the audit's reward mode) or of ``"payoffs"``."""
        checks.choice("measure", measure, MEASURES)
        base, alone, together = (getattr(x, measure) for x in (self.base, self.alone, self.together))
        change, all_move = alone - base[:, None], together - base[:, None]
        own = np.eye(base.shape[-1])[list(self.positions)][:, None, None]  # [A, 1, 1, N]
        gain, joint = (change * own).sum(-1), (all_move * own).sum(-1)
        before = (base[:, None] * own).sum(-1)
        others = (change * (1.0 - own)).sum(-1) / (base.shape[-1] - 1)
        least = self.tolerance * np.abs(before)
        return Effects(gain, others, joint, (gain > least) & (others < -least))

    def common_rows(self, name: str = "baseline") -> list[dict[str, Any]]:
        """One record for every common play."""
        rows, nothing = [], dict.fromkeys(CHANGES, 0.0) | dict.fromkeys(FLAGS, False)
        for m, level in enumerate(self.levels):
            outcome = self._outcome(self.base, m, self.positions[0])
            what = {"strategy": name, "parameter": float(level), "target": None}
            rows.append(self._about(m, self.agents[0]) | what | outcome | nothing)
        return rows

    def rows(self) -> list[dict[str, Any]]:
        """One record for every agent, common play and strategy of leaving it."""
        reward, payoff, rows = self.effects("rewards"), self.effects("payoffs"), []
        values = (*reward[:3], *payoff[:3], reward.exploitative, reward.level_effect, payoff.exploitative)
        for index in np.ndindex(reward.gain.shape):
            a, m, s = index
            strategy, position = self.strategies[s], self.positions[a]
            target = float(self.targets[m, position])
            what = {"strategy": strategy.name, "parameter": float(strategy.parameter), "target": target}
            changes = {name: value[index].item() for name, value in zip((*CHANGES, *FLAGS), values, strict=True)}
            rows.append(self._about(m, self.agents[a]) | what | self._outcome(self.alone, index, position) | changes)
        return rows

    def _about(self, m: int, agent: str) -> dict[str, Any]:
        return {
            "game": self.game, "game_hash": self.game_hash, "reward_mode": self.reward_mode,
            "own_rates": self.own_rates, "agent": agent, "level": float(self.levels[m]),
            "episode_length": int(self.base.lengths[m]),
        }  # fmt: skip

    def _outcome(self, played: Returns, index: Any, agent: int) -> dict[str, Any]:
        rewards = played.rewards[index]
        return {
            "steps": int(played.lengths[index]), "mean_return": float(rewards.mean()),
            "spread": float(rewards.std()), "return_agent": float(rewards[agent]),
            "return_others": float(np.delete(rewards, agent).mean()),
            "welfare": float(played.payoffs[index].sum()),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be played: common actions ``base [M, N]``, and every way of leaving them for ``targets [M, N]``.

    The other entries are those of Deviations; without strategies it is common play alone.
    """

    game: Game
    mode: RewardMode
    levels: np.ndarray
    base: np.ndarray
    targets: np.ndarray
    strategies: tuple[Strategy, ...]
    agents: tuple[int, ...]
    own_rates: bool
    tolerance: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Agents that leave alone, and all together; common plays; strategies."""
        return len(self.agents) + 1, len(self.base), len(self.strategies)

    def sequences(self) -> np.ndarray:
        """Actions ``[M + (A + 1) M S, T, N]``: the common plays first."""
        common = np.repeat(self.base[:, None], self.game.horizon, axis=1)
        if not self.strategies:
            return common
        shares = np.stack([strategy.shares for strategy in self.strategies])[:, :, None]  # [S, T, 1]
        who = np.concatenate([np.eye(self.game.n)[list(self.agents)], np.ones((1, self.game.n))])
        way = (self.targets - self.base)[:, None, None]  # [M, 1, 1, N]
        leaves = self.base[:, None, None] + shares * way * who[:, None, None, None]
        return np.concatenate([common, leaves.reshape(-1, *common.shape[1:])])

    def read(self, played: Returns) -> Deviations:
        """The result, from the returns of ``sequences``."""
        m = len(self.base)
        left = Returns(*(x[m:].reshape(*self.shape, *x.shape[1:]) for x in played))
        return Deviations(
            game=self.game.id, game_hash=self.game.hash, reward_mode=str(self.mode), own_rates=self.own_rates,
            agents=tuple(self.game.agents[i] for i in self.agents), positions=self.agents, levels=self.levels,
            strategies=self.strategies, targets=self.targets, base=Returns(*(x[:m] for x in played)),
            alone=Returns(*(x[:-1] for x in left)), together=Returns(*(x[-1] for x in left)),
            tolerance=self.tolerance,
        )  # fmt: skip


def play(*plans: Plan) -> list[Deviations]:
    """Carry out plans of one game and reward mode as one batch."""
    parts = [plan.sequences() for plan in plans]
    played = Sequences(plans[0].game, plans[0].mode).play(np.concatenate(parts))
    ends = np.cumsum([len(part) for part in parts])
    return [
        plan.read(Returns(*(x[end - len(part) : end] for x in played)))
        for plan, part, end in zip(plans, parts, ends, strict=True)
    ]
