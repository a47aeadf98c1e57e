"""Playing policies and writing down what happened, in payoff units and under every reward mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coopgym import seeding
from coopgym.algorithms.policy import FixedPolicy, Policy, policy
from coopgym.algorithms.seating import Seat
from coopgym.envs import observation
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.moments import Act, moments
from coopgym.envs.reward import KINDS, RewardMode, Weights
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.mechanisms.trust import mean_over_pairs

EVALUATIONS = 20  # points of the curve of the evaluated welfare
DRAWN_EPISODES = 64  # of a record, where the policy or the game draws


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What policies did in E episodes. ``...`` is empty for one policy, and ``[policies]`` for a list of them.

    payoffs ``[..., E, N]`` [payoff, summed over the episode]; rewards: the same under each reward mode, by its name;
    rates ``[..., E, N]`` mean a / e; above_baseline ``[..., E, N]`` share of steps with more than the baseline;
    final_trust, final_damage ``[..., E]`` means over ordered pairs; lengths ``[..., E]`` [steps]; ended_by ``[..., E]``
    "time_limit" or what ended it. ``repeated``: nothing was random, so one episode was played and stands for all.
    """

    game: str
    policies: tuple[str, ...]
    episodes: int
    seed: int
    deterministic: bool
    repeated: bool
    payoffs: np.ndarray
    rewards: dict[str, np.ndarray]
    rates: np.ndarray
    above_baseline: np.ndarray
    final_trust: np.ndarray
    final_damage: np.ndarray
    lengths: np.ndarray
    ended_by: np.ndarray

    @property
    def welfare(self) -> np.ndarray:
        """Sum of payoffs over agents ``[..., E]``."""
        return np.asarray(self.payoffs.sum(-1))

    @property
    def cooperation(self) -> np.ndarray:
        """Mean rate over agents ``[..., E]``."""
        return np.asarray(self.rates.mean(-1))

    def returns(self, mode: str | RewardMode = "private") -> np.ndarray:
        """Sum over agents of the rewards under ``mode`` ``[..., E]``."""
        return np.asarray(self.rewards[checks.choice("reward_mode", str(mode), self.rewards)].sum(-1))

    def summary(self) -> dict[str, Any]:
        """Means over episodes (and policies): welfare, returns of each mode, cooperation, final trust, length."""
        returns = {f"return_{mode}": float(self.returns(mode).mean()) for mode in self.rewards}
        return {
            "welfare": float(self.welfare.mean()), **returns, "cooperation": float(self.cooperation.mean()),
            "final_trust": float(self.final_trust.mean()), "length": float(self.lengths.mean()),
        }  # fmt: skip


class Played(NamedTuple):
    """Totals over the episodes of a batch.

    payoffs, rates, above ``[*batch, N]``; rewards ``[modes, *batch, N]``; lengths, terminated, trust, damage
    ``[*batch]``, the last two being means over ordered pairs at the end.
    """

    payoffs: np.ndarray
    rewards: np.ndarray
    rates: np.ndarray
    above: np.ndarray
    lengths: np.ndarray
    terminated: np.ndarray
    trust: np.ndarray
    damage: np.ndarray


@explains("coopgym.evaluate")
def evaluate(
    policies: Any,
    game: Game | str,
    episodes: int = 100,
    seed: int = 0,
    *,
    deterministic: bool = True,
    reward_modes: Sequence[str | RewardMode] = (),
    trust: bool = False,
    **game_options: Any,
) -> Evaluation:
    """Play one policy, or several one after another, for ``episodes`` episodes each.

    A policy is anything that ``coopgym.policy`` takes; a list of them is compared side by side. Deterministic play of
    a game without randomness needs one episode, which is then repeated. A hidden parameter takes a fixed quasi-random
    grid of values when play is deterministic. ``reward_modes`` adds modes to the three pure ones. ``trust``: load
    pickles of other libraries, which runs whatever code they hold, as in ``coopgym.policy``. Raises ValueError for
    unknown names and values out of range.
    """
    game = make_game(game, **game_options)
    checks.whole("episodes", episodes, 1, 10_000_000)
    several, made = _several(policies), line_up(policies, game, trust)
    modes = _modes(reward_modes)
    parts = [_evaluate(group, game, episodes, seed, deterministic, modes) for group in groups(made)]
    names = tuple(p.name for p in made)
    repeated = all(part[1] for part in parts)
    played = [part[0] for part in parts]
    joined = Played(*(np.concatenate(x, axis=int(i == 1)) for i, x in enumerate(zip(*played, strict=True))))
    pick = slice(None) if several or getattr(made[0], "stacked", False) else 0
    rewards = {str(mode): joined.rewards[m][pick] for m, mode in enumerate(modes)}
    steps = joined.lengths[..., None]
    return Evaluation(
        game.id, names, episodes, seed, deterministic, repeated, joined.payoffs[pick], rewards,
        (joined.rates / steps)[pick], (joined.above / steps)[pick], joined.trust[pick],
        joined.damage[pick], joined.lengths[pick],
        np.where(joined.terminated, ending(game), "time_limit")[pick],
    )  # fmt: skip


def play(
    game: Game,
    act: Act,
    batch: tuple[int, ...],
    modes: Sequence[RewardMode] = (),
    *,
    reset_draws: np.ndarray | None = None,
    noise: np.random.Generator | None = None,
) -> Played:
    """One episode in each game of a batch, in NumPy double precision, until all of them have ended."""
    weights = Weights(
        *(np.reshape(w, (-1,) + (1,) * (len(batch) + 1)) for w in zip(*(m.weights for m in modes), strict=True))
    )
    terminated = np.zeros(batch, dtype=bool)
    totals = [np.zeros((*batch, game.n)) for _ in range(3)]
    rewards, lengths = np.zeros((len(modes), *batch, game.n)), np.zeros(batch)
    for before, after, payoffs, alive, ended in moments(game, act, batch, reset_draws=reset_draws, noise=noise):
        on = alive[..., None]
        for total, x in zip(
            totals, (payoffs, after.actions / game.endowment, after.actions > game.baseline), strict=True
        ):
            np.add(total, x, out=total, where=on)
        rewards += np.where(on, game.rewards(weights, before, after, payoffs), 0.0)
        lengths += alive
        terminated |= ended
    trust, damage = mean_over_pairs(after.trust), mean_over_pairs(after.damage)
    return Played(totals[0], rewards, totals[1], totals[2], lengths, terminated, trust, damage)


def best_constant(
    game: Game | str, *, reward_modes: Sequence[str | RewardMode] = (), seat: Seat | None = None, **game_options: Any
) -> dict[str, dict[str, Any]]:
    """The best of the 101 constant policies under each reward mode: the yardstick of every learner.

    ``reward_modes`` adds modes to the three pure ones. By mode: level [per cent of the own endowment], return (sum over
    agents of that mode's rewards), welfare (sum of payoffs), payoff ``[N]``. Hidden parameters take their fixed grid.
    seat: of an agent among partners, whose levels these then are; return is that of this agent alone.
    """
    game = make_game(game, **game_options)
    modes = _modes(reward_modes)
    levels = [FixedPolicy(game, level / 100.0, f"Constant_{level}") for level in range(101)]
    players: Sequence[Policy] = levels if seat is None else [seat.around(FixedPolicy.stack(levels))]
    episodes = enough_episodes(game, players[0])
    played, _ = _evaluate(players, game, episodes, 0, True, modes)
    result = {}
    for m, mode in enumerate(modes):
        rewards = played.rewards[m]
        returns = (rewards.sum(-1) if seat is None else rewards[..., seat.agent]).mean(-1)
        best = int(returns.argmax())
        payoff = played.payoffs[best].mean(0)
        result[str(mode)] = {
            "level": best, "return": float(returns[best]), "welfare": float(payoff.sum()), "payoff": payoff.tolist(),
        }  # fmt: skip
    return result


def enough_episodes(game: Game, player: Policy) -> int:
    """Episodes that a record averages over: one where neither the game nor the policy draws."""
    return DRAWN_EPISODES if game.reset_draws + game.step_draws or player.random else 1


def _modes(more: Sequence[str | RewardMode]) -> list[RewardMode]:
    """The three pure modes, then others, each once."""
    return list(dict.fromkeys([*(RewardMode(kind) for kind in KINDS), *(RewardMode.of(mode) for mode in more)]))


def ending(game: Game) -> str:
    """The name of the rule that can end an episode early."""
    return "target_reached" if game.exit is not None and game.exit.success else "trust_lost"


def quasi_random(count: int, dimensions: int) -> np.ndarray:
    """A fixed, evenly spread grid ``[count, dimensions]`` in [0, 1): midpoints, then additive recurrences (Roberts)."""
    root = 2.0
    for _ in range(30):  # the positive root of x^(d+1) = x + 1
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    index = np.arange(count)[:, None] + 0.5
    steps = (1.0 / root) ** np.arange(1, dimensions + 1)
    return index / count if dimensions == 1 else (index * steps) % 1.0


def _evaluate(
    policies: Sequence[Policy], game: Game, episodes: int, seed: int, deterministic: bool, modes: Sequence[RewardMode]
) -> tuple[Played, bool]:
    """(totals with batch axes ``[policies, episodes]``, whether one episode stands for all)."""
    ready = stage(policies, game, episodes, seed, deterministic)
    played = play(game, ready.act, ready.batch, modes, reset_draws=ready.reset_draws, noise=ready.noise)
    return (_repeat(played, episodes) if ready.single else played), ready.single


class Stage(NamedTuple):
    """Policies of one group, ready to play side by side: how they act, in a batch ``(policies, episodes)``, and what
    is drawn. single: nothing is random, so the batch holds one episode of each, which stands for all.
    """

    act: Act
    batch: tuple[int, int]
    reset_draws: np.ndarray | None
    noise: np.random.Generator
    single: bool


def stage(policies: Sequence[Policy], game: Game, episodes: int, seed: int = 0, deterministic: bool = True) -> Stage:
    """Set one of ``groups`` up to play, for ``moments``."""
    sure = deterministic and not any(p.random for p in policies)
    single = sure and not game.reset_draws and not game.step_draws
    played_episodes = 1 if single else episodes
    act, count = _actor(policies, game, seed, deterministic)
    generator = seeding.generator(seed, "evaluation")
    draws = None
    if game.reset_draws:
        shape = (played_episodes, game.reset_draws)
        row = quasi_random(*shape) if sure else generator.random(shape)
        draws = np.broadcast_to(row, (count, *shape))
    return Stage(act, (count, played_episodes), draws, generator, single)


def line_up(policies: Any, game: Game, trust: bool = False) -> list[Policy]:
    """What a user has at hand, one or a list, as a list of policies."""
    return [policy(p, game, trust=trust) for p in (policies if _several(policies) else [policies])]


def _actor(policies: Sequence[Policy], game: Game, seed: int, deterministic: bool) -> tuple[Act, int]:
    """(actions ``[P, E, N]`` of a group that can play in one batch, P)."""
    player = policies[0]
    if not player.stacked and player.fits(player):
        player = player.stack(policies)
    player.reseed(seeding.integer(seed, "players", 0))
    player.reset()
    count = len(player) if player.stacked else 1  # type: ignore[arg-type]
    return lambda state: player.act(observation.observe(game, state, player.observability), deterministic), count


def groups(policies: Sequence[Policy]) -> list[list[Policy]]:
    """Neighbours that can play in one batch."""
    found: list[list[Policy]] = []
    for p in policies:
        if found and found[-1][-1].fits(p):
            found[-1].append(p)
        else:
            found.append([p])
    return found


def _several(policies: Any) -> bool:
    """True for a list of policies; a list of numbers is one policy's rates."""
    return isinstance(policies, (list, tuple)) and not _is_rates(policies)


def _is_rates(policies: Any) -> bool:
    return len(policies) > 0 and all(isinstance(p, (int, float, np.number)) for p in policies)


def _repeat(played: Played, episodes: int) -> Played:
    """The single episode of axis 1 (2 for rewards) as a read-only view of many."""

    def widen(x: np.ndarray, axis: int) -> np.ndarray:
        return np.broadcast_to(x, (*x.shape[:axis], episodes, *x.shape[axis + 1 :]))

    return Played(*(widen(x, 1 + int(i == 1)) for i, x in enumerate(played)))
