"""The best that one agent can do over an episode while the others play fixed sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.reciprocity import Reciprocity
from coopgym.mechanisms.value import Synergy
from coopgym.oracles.closing import RELAXED, closing, without_costs
from coopgym.oracles.deviation import Deviation, divides
from coopgym.oracles.objective import Objective
from coopgym.oracles.search import Effort, climb
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.shapes import MULTIPLES, finer, late_changes, left_at, two_levels

LEVELS = 201  # of an own action
CLOSED = 1e-8  # of the reward: a bound that leaves no more open is met
NEARLY = 2e-5  # of the reward: a bound of a dynamic programme that leaves less open ends the search
ZOOMS = 5  # each narrows the range around the best level ten times
LIGHT = Effort(starts=4, iterations=30, rounds=4)
COARSE, FINE = 6, 21  # levels of sequences of two levels, tried at every switch; of late changes
STEPS = "each step solved, since an agent's steps do not touch its later ones: no other sequence gains more"
SHAPES = (
    f"constants, two of {COARSE} levels at every switch point and finer around the best, the own path and {FINE} "
    "levels at every switch point, late rises and falls of 1 to 25 steps; from the best of each L-BFGS-B and shifts of "
    "blocks"
)


class Response(NamedTuple):
    """sequence ``[T]`` in endowment units; its value and what it gains over the profile [reward]; exact: the problem
    falls apart into steps that were each solved, rather than searched as a whole; bound: no sequence earns more
    (None: not known), and method why."""

    sequence: np.ndarray
    value: float
    gain: float
    exact: bool
    bound: float | None = None
    method: str = SHAPES


def best_response_sequence(
    game: Game | str,
    mode: str | RewardMode,
    profile: np.ndarray,
    agent: int | str,
    effort: Effort = LIGHT,
    paths: Sequence[np.ndarray] = (),
) -> Response:
    """The agent's best sequence found against the others' rows of ``profile [T, N]``, never worse than its own row.

    Steps that do not touch each other are solved one by one. Elsewhere, with ``effort.starts`` above 1, a dynamic
    programme solves what carries over one number, and a search begins with simple shapes and with ``paths``, sequences
    ``[T]`` that may be good; with one start it climbs from the own row. Raises ValueError for a profile of the wrong
    shape or an agent that the game does not have.
    """
    game, mode = make_game(game).to("numpy"), RewardMode.of(mode)
    agent, profile = game.agent_index(agent), np.asarray(profile, dtype=np.float64)
    if profile.shape != (game.horizon, game.n):
        raise ValueError(f"profile has shape {profile.shape}; give actions [T, N] = {(game.horizon, game.n)}")
    objective = alone(Sequences(game, mode), profile, agent)
    own = profile[:, [agent]]
    before = float(objective(own[None])[0])
    if separable(game, mode):
        x, value = max((_by_steps(objective, agent), (own, before)), key=_worth)
        return Response(x[:, 0], value, value - before, True, value, STEPS)
    if effort.starts <= 1:
        x, value = max((climb(objective, [own], effort), (own, before)), key=_worth)
        return Response(x[:, 0], value, value - before, False)
    relaxed = without_costs(objective.sequences)
    if relaxed is not None and separable(relaxed.game, mode):  # nobody can earn more than in the easier game
        bound = _by_steps(alone(relaxed, profile, agent), agent)[1]
        if bound - before <= CLOSED * abs(before):
            return Response(own[:, 0], before, 0.0, False, bound, RELAXED)
    closed = closing(objective.sequences, profile, agent)
    if closed is not None and closed.bound - before <= NEARLY * abs(before):
        return Response(own[:, 0], before, 0.0, False, max(closed.bound, before), closed.method)
    given = [path[:, None] for path in paths]
    if closed is not None and closed.sequence is not None:
        known = np.stack([own, closed.sequence[:, None]])
        found = climb(objective, [known[int(objective(known).argmax())]], replace(effort, starts=1, knots=False))
        x, value = max((found, (own, before)), key=_worth)
        return Response(x[:, 0], value, value - before, False, max(closed.bound, value), closed.method)
    found = climb(objective, _starts(objective, own, effort, given), effort)
    x, value = max((found, (own, before)), key=_worth)
    if closed is None:
        return Response(x[:, 0], value, value - before, False)
    return Response(x[:, 0], value, value - before, False, max(closed.bound, value), closed.method)


def _worth(pair: tuple[np.ndarray, float]) -> float:
    return pair[1]


def alone(sequences: Sequences, profile: np.ndarray, agent: int) -> Objective:
    """The episode's reward of an agent as a function of its own sequence."""
    one = np.eye(sequences.game.n)[agent]
    kind = Deviation if divides(sequences) else Objective
    return kind(sequences, one, profile, np.where(one > 0, 0, -1))


def separable(game: Game, mode: RewardMode) -> bool:
    """Whether an agent's own actions change nothing in its own later steps.

    Trust in others moves with the others' actions, so its weights are out of its reach; what could reach its own later
    rewards are exits, agreements, tiers, loyalty, and reciprocity as soon as it cares for those who answer it.
    """
    _, coupled, shared = mode.weights
    cares = not (coupled == 0.0 and shared == 0.0)
    released = isinstance(game, ReleasedGame)
    if game.exit is not None or (released and not {"modifier", "penalty"}.isdisjoint(game.reset().extra)):
        return False
    if released and shared != 0.0:  # the others' utilities, which weigh me by their trust in me, are shared
        return False
    return all(_memoryless(m, cares) for m in game.mechanisms)


def _memoryless(m: Mechanism, cares: bool) -> bool:
    if isinstance(m, Reciprocity):
        return not cares and not m.own_action
    if isinstance(m, CoalitionProduction):
        return False
    if isinstance(m, TeamProduction):
        return m.loyalty.gain == 0.0 and m.loyalty.loss == 0.0
    return isinstance(m, Synergy) or type(m).payoffs is Mechanism.payoffs


def _by_steps(objective: Objective, agent: int) -> tuple[np.ndarray, float]:
    """(x ``[T, 1]``, value): all steps at once, each on a grid that narrows around its best level."""
    limit = float(objective.limit[0])
    low, high = np.zeros((objective.horizon, 1)), np.full((objective.horizon, 1), limit)
    for k in range(ZOOMS + 1):
        share = np.linspace(0.0, 1.0, LEVELS if k == 0 else 21)[:, None, None]
        levels = low + share * (high - low)
        rows = [r[..., agent] for _, r, _ in objective.sequences.steps(objective.profile(levels))]
        best = np.stack(rows).argmax(-1)
        x = levels[best, np.arange(objective.horizon), 0][:, None]
        cell = (high - low) / (len(levels) - 1)
        low, high = np.maximum(x - cell, 0.0), np.minimum(x + cell, limit)
    return x, float(objective(x[None])[0])


def _starts(objective: Objective, own: np.ndarray, effort: Effort, given: list[np.ndarray]) -> list[np.ndarray]:
    """The own sequence first, those that were given, and the best of each family of simple shapes ``[T, 1]``."""
    leaders, limit = given, float(objective.limit[0])
    for family in shapes_of(own[:, 0], limit, float(objective.sequences.game.baseline[objective.leaders[0]])):
        values = objective(family[..., None])
        best = family[int(values.argmax())]
        if len(np.unique(best)) == 2:
            near = np.concatenate([best[None], finer(len(best), best, limit, limit / (COARSE - 1))])
            best = near[int(objective(near[..., None]).argmax())]
        leaders.append(best[:, None])
    order = np.argsort(-objective(np.stack(leaders)))
    return [own, *(leaders[k] for k in order[: effort.starts - 1])]


def shapes_of(own: np.ndarray, limit: float, expected: float) -> list[np.ndarray]:
    """Families ``[K, T]`` of simple sequences around ``own [T]`` and around what is expected."""
    horizon = len(own)
    fine, coarse = np.linspace(0.0, limit, FINE), np.linspace(0.0, limit, COARSE)
    levels = np.concatenate([np.linspace(0.0, limit, 2 * FINE - 1), np.minimum(MULTIPLES * expected, limit)])
    constant = np.repeat(levels[:, None], horizon, axis=1)
    late = late_changes(np.concatenate([own[None], constant[::2], constant[2 * FINE - 1 :]]), fine[::4])
    families = [constant, two_levels(horizon, coarse), left_at(own, fine)]
    if len(late):
        families += [late[late[:, -1] >= late[:, 0]], late[late[:, -1] < late[:, 0]]]
    return [family for family in families if len(family)]
