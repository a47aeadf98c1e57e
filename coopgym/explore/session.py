"""One game in play: messages in, plain data out. The kernel pays and the reward layer mixes; nothing is computed here.

The payoffs of a move are kept as they were paid. A reward mode is a way to look at them: when it is switched, the
rewards of all moves so far are mixed again, and no payoff changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.algorithms.evaluation import ending
from coopgym.algorithms.policy import Policy
from coopgym.envs import observation
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.episode import Episode, Move
from coopgym.envs.game import Game
from coopgym.explore import players
from coopgym.explore.facts import ALONE, facts
from coopgym.explore.messages import Mode, New, Reset, Seats, Step
from coopgym.explore.players import YOU, Saved
from coopgym.mechanisms.trust import mean_over_pairs


class Session:
    """The episode that a person plays. One call at a time: who shares it between threads has to lock it."""

    def __init__(self, asked: New, saved: Sequence[Saved] = ()) -> None:
        self.game, self.saved, self.mode = _made(asked), tuple(saved), asked.mode
        self._random = seeding.generator(asked.seed, "game")
        self.episode = Episode(self.game, asked.mode.reward, lambda: self._random, None, {})
        self.seats, self._policies = [YOU] * self.game.n, dict[str, Policy]()
        self._begin(asked.seed)

    def facts(self) -> dict[str, Any]:
        """What does not change while it is played."""
        return facts(self.game, self.saved)

    def step(self, asked: Step) -> dict[str, Any]:
        """Play; the state with the new moves alone. ValueError once the episode is over."""
        if self.episode.over:
            raise ValueError(f"the episode ended at step {len(self.moves)}; reset it to play on")
        if len(asked.actions) != self.game.n:
            given = len(asked.actions)
            raise ValueError(f"actions hold {given} numbers; give {self.game.n}, one for each agent of {self.game.id}")
        since = len(self.moves)
        for _ in range(asked.count):
            self.moves.append(self.episode.move(self._actions(asked.actions)))
            if self.episode.over:
                break
        return self.state(since)

    def reset(self, asked: Reset) -> dict[str, Any]:
        """A new episode; nothing but a reputation that the game was asked to carry outlives the old one."""
        self._begin(asked.seed)
        return self.state()

    def switch(self, asked: Mode) -> dict[str, Any]:
        """The same episode under another reward mode."""
        self.mode, self.episode.mode, self.episode.weights = asked, asked.reward, asked.reward.weights
        return self.state()

    def sit(self, asked: Seats) -> dict[str, Any]:
        """Other players from the next step on. Nobody moves if one of the names is refused."""
        if len(asked.seats) != self.game.n:
            raise ValueError(f"seats hold {len(asked.seats)} names; give {self.game.n}, one for each agent")
        names = dict.fromkeys(asked.seats)
        fresh = {name: self._player(name, asked.seats.index(name)) for name in names if name != YOU}
        self.seats, self._policies = list(asked.seats), fresh
        return self.state(len(self.moves))

    def state(self, since: int = 0) -> dict[str, Any]:
        """Where the episode stands, and its moves from ``since`` on under the present reward mode."""
        state, game = self.episode.current("state()"), self.game
        moves = [self._move(k) for k in range(since, len(self.moves))]
        small = game.n <= ALONE
        return {
            "game": game.id, "seed": self.seed, "step": len(self.moves), "horizon": game.horizon,
            "over": self.episode.over, "ended_by": self._ended_by(), "seats": self.seats,
            "kind": self.mode.kind, "mutuality": self.mode.mutuality, "mode": str(self.mode.reward),
            "since": since, "moves": moves, "totals": self._totals(),
            "trust": state.trust.tolist() if small else None, "damage": state.damage.tolist() if small else None,
            "mean_trust": float(mean_over_pairs(state.trust)), "mean_damage": float(mean_over_pairs(state.damage)),
            "weights": self._weights() if small else None, "report": self._report(),
        }  # fmt: skip

    def _begin(self, seed: int) -> None:
        self.seed, self.moves = seed, list[Move]()
        self._random = seeding.generator(seed, "game")
        self.episode.begin()
        for name, player in self._policies.items():
            player.reseed(seeding.integer(seed, "players", self.seats.index(name)))
            player.reset()

    def _player(self, name: str, seat: int) -> Policy:
        """The policy of a name: the one that already plays, so that its random stream goes on, or a new one."""
        if name in self._policies:
            return self._policies[name]
        made = players.seat(name, self.game, self.saved)
        made = made.clone() if made.remembers else made  # other sessions may play the same policy
        made.reseed(seeding.integer(self.seed, "players", seat))
        return made

    def _actions(self, own: Sequence[float]) -> np.ndarray:
        """Joint actions ``[N]``: the sliders', and in their seats what policies do on what they may see."""
        actions = np.array(own, dtype=np.float64)
        for name, player in self._policies.items():
            seen = observation.observe(self.game, self.episode.current("step()"), player.observability)
            answer = np.asarray(player.act(seen), dtype=np.float64)
            for i in np.flatnonzero([who == name for who in self.seats]):
                actions[i] = answer[i]
        return actions

    def _rewards(self, move: Move) -> np.ndarray:
        weights = self.mode.reward.weights
        return np.asarray(self.game.rewards(weights, move.before, move.after, move.payoffs))

    def _move(self, k: int) -> dict[str, Any]:
        move = self.moves[k]
        return {
            "step": k + 1,
            "actions": move.after.actions.tolist(),
            "payoffs": move.payoffs.tolist(),
            "rewards": self._rewards(move).tolist(),
            "trust": float(mean_over_pairs(move.after.trust)),
            "damage": float(mean_over_pairs(move.after.damage)),
        }

    def _totals(self) -> dict[str, Any]:
        zero = np.zeros(self.game.n)
        payoffs = sum((move.payoffs for move in self.moves), zero)
        rewards = sum((self._rewards(move) for move in self.moves), zero)
        return {"payoffs": payoffs.tolist(), "rewards": rewards.tolist(), "welfare": float(payoffs.sum())}

    def _ended_by(self) -> str | None:
        if not self.episode.over:
            return None
        return ending(self.game) if self.moves[-1].terminated else "time_limit"

    def _weights(self) -> list[list[float]] | None:
        """W of the next step; None for the released games, whose rewards are more than a mixture."""
        if self.game.version == "v0":
            return None
        matrix: list[list[float]] = self.game.reward_matrix(self.mode.reward, self.episode.current("state()")).tolist()
        return matrix

    def _report(self) -> dict[str, float]:
        """The single numbers that the game reports of the last step."""
        if not self.moves:
            return {}
        found = self.episode.move_info(self.moves[-1])
        return {name: float(x) for name, x in found.items() if _number(x)}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _made(asked: New) -> Game:
    """The game; ValueError also for an option that it does not have."""
    try:
        return make_game(asked.game, **asked.options)
    except TypeError as unknown:
        raise ValueError(str(unknown)) from None
