"""A bound of what one agent can earn where its actions move only the trust that keeps a game from ending.

Its rewards of a step are concave in its own action and do not depend on how much it is trusted. The state is that
trust, one number where all that counts is alike. Trust is rounded up to the next of many levels, evenly spaced in
logarithms, and damage is taken for what it would be had nobody ever been harmed: both only help, so that the result is
a proven bound.
"""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.mechanisms.trust import TrustDynamics
from coopgym.oracles.deviation import Step, states_along
from coopgym.oracles.sequences import Sequences, blind

LEVELS = 1000  # of trust, between the least that is ever needed and 1
ACTIONS = 8001  # own actions at which rewards are looked at
BENT = 1e-9  # of the largest reward: how far rounding may bend a concave reward
METHOD = f"a dynamic programme over the trust that keeps the game alive, rounded up to {LEVELS:,} levels"


def survival_bound(sequences: Sequences, profile: np.ndarray, agent: int) -> float | None:
    """What no own sequence of an agent earns more than against ``profile [T, N]``; None where this does not apply."""
    game = sequences.game
    if isinstance(game, ReleasedGame) or type(game.trust) is not TrustDynamics:
        return None
    if game.exit is None or game.exit.success:
        return None
    if game.reset_draws or game.step_draws or not all(blind(m) for m in game.mechanisms):
        return None
    own = np.flatnonzero(game.exit.weights[:, agent] * (np.arange(game.n) != agent) > 0.0)
    if not _alike(game, agent, own):
        return None
    way = states_along(sequences.played, profile)
    rewards = _rewards(sequences, way, agent)
    if rewards is None:
        return None
    weights = game.exit.weights
    apart = weights * (np.arange(game.n) != agent) + np.diag(np.diag(weights)) * (np.arange(game.n) == agent)
    elsewhere = np.array([(apart * step.after.trust).sum() for step in way])
    if not len(own):
        alive = np.concatenate([[True], np.cumsum(elsewhere < game.exit.threshold)[:-1] == 0])
        return float((rewards.max(-1) * alive).sum())
    needed = (game.exit.threshold - elsewhere) / float(weights[own, agent].sum())
    return _programme(game, agent, int(own[0]), needed, rewards)


def _alike(game: Game, agent: int, own: np.ndarray) -> bool:
    """Whether all whose trust in the agent counts begin alike and change alike."""
    trust = game.trust
    assert trust is not None
    if trust.cap is not None or trust.slope != 1.0 or trust.product or not trust.capped:
        return False
    parts = (trust.building, trust.erosion, trust.forgetting, game.initial_trust, game.initial_damage)
    return all(np.ptp(part[own, agent]) == 0.0 for part in parts) if len(own) else True


def _rewards(sequences: Sequences, way: list[Step], agent: int) -> np.ndarray | None:
    """Upper bounds ``[T, ACTIONS]`` of the agent's rewards near each own action; None if they are not concave."""
    game = sequences.played
    own = np.linspace(0.0, float(game.endowment[agent]), ACTIONS)
    rows, known = list[np.ndarray](), dict[bytes, np.ndarray]()
    for step in way:
        mixing = np.asarray(game.reward_matrix(sequences.mode, step.before)[agent])
        others = step.actions[np.arange(game.n) != agent]
        key = mixing.tobytes() + others.tobytes()
        if key not in known:
            actions = np.repeat(step.actions[None], ACTIONS, axis=0)
            actions[:, agent] = own
            known[key] = np.asarray(game.payoffs(step.before, actions) @ mixing)
        rows.append(known[key])
    values = np.stack(rows)
    bends = np.diff(values, 2, axis=-1)
    if (bends > BENT * np.abs(values).max()).any():
        return None
    # between two points a concave reward rises above the higher one by less than the change of slope there
    rise = np.maximum(np.pad(-bends, ((0, 0), (1, 1)), mode="edge"), 0.0)
    return np.asarray(values + rise)


def _programme(game: Game, agent: int, other: int, needed: np.ndarray, rewards: np.ndarray) -> float:
    """The bound, from the last step backward; needed ``[T]``: the trust after each step without which the game ends."""
    trust = game.trust
    assert trust is not None
    start = float(game.initial_trust[other, agent])
    least = max(1e-4, min(float(needed.min()), 0.5 * start))
    levels = np.geomspace(least, 1.0, LEVELS)
    levels = np.concatenate([levels[:1] * (1.0 - 1e-9), levels])  # below the least that is needed nothing survives
    own = np.linspace(0.0, float(game.endowment[agent]), ACTIONS)
    signal = np.tanh(float(trust.gain[agent]) * (own - float(game.baseline[agent])))
    damage, tables = float(game.initial_damage[other, agent]), dict[float, np.ndarray]()
    ceilings = [1.0 - damage * (1.0 - float(trust.forgetting[other, agent])) ** t for t in range(len(needed))]
    # signals never fall in actions: the best reward at or above an action
    ahead = np.zeros(len(levels))
    for t in reversed(range(len(needed))):
        if ceilings[t] not in tables:
            tables = {ceilings[t]: _least_action(trust, other, agent, levels, ceilings[t], signal)}
        least_action = tables[ceilings[t]]
        best = np.maximum.accumulate(rewards[t][::-1])[::-1]
        best = np.concatenate([best, [-np.inf]])
        after = np.where(levels >= needed[t], ahead, 0.0)
        ahead = (best[least_action] + after).max(-1)
    return float(ahead[min(int(np.searchsorted(levels, start)), LEVELS)])


def _least_action(
    trust: TrustDynamics, other: int, agent: int, levels: np.ndarray, ceiling: float, signal: np.ndarray
) -> np.ndarray:
    """The number ``[LEVELS, LEVELS]`` of the least own action that moves trust from a level (row) above the one below a
    level (column); ``ACTIONS`` where none does."""
    building, erosion = float(trust.building[other, agent]), float(trust.erosion[other, agent])
    below = np.concatenate([[-1.0], levels[:-1]])  # to be rounded up to a level, trust must pass the one below it
    room = np.maximum(ceiling - levels, 0.0)[:, None]
    rise = below[None] - levels[:, None]
    wanted = np.where(
        rise > 0.0,
        np.where(building * room > 0.0, rise / np.maximum(building * room, 1e-300), np.inf),
        rise / (erosion * levels[:, None]) if erosion > 0.0 else -np.inf,
    )
    number = np.searchsorted(signal, wanted.ravel(), side="left").reshape(wanted.shape) - 1
    number = np.maximum(number, 0)  # the true action lies between two that are looked at
    number = np.where(wanted > signal[-1], len(signal), number)
    return np.where(below[None] >= ceiling, len(signal), number)
