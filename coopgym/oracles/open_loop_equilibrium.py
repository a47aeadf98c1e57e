"""Open-loop equilibria: nobody gains by another sequence of its own while the others' sequences stand."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.mechanisms import checks
from coopgym.oracles import planner
from coopgym.oracles.best_response import best_response_sequence, separable
from coopgym.oracles.equilibrium import settle, stage_equilibrium
from coopgym.oracles.result import SEQUENCE_TOLERANCE, Certificate, Solution
from coopgym.oracles.scale import size
from coopgym.oracles.search import Effort, climb
from coopgym.oracles.sequence_certificate import Gain, relative, scanned, searched
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.stage import StageGame

ROUNDING = 1e-5  # sequences of a role that are closer than this are one [endowments]; each reply settles to 1e-7
REPAIRS, REPAIRED = 3, 1e-5  # times that a gain becomes a new start; the relative gain that is not worth it
GLANCE = 401  # own actions that are tried at each stage of a path
WARM = Effort(starts=1, iterations=20, rounds=2)  # of a response to others who have moved far
NEAR = Effort(starts=1, iterations=20, rounds=2, knots=False)  # of one that starts from the one before
APART, ARRIVED = 1.0, 0.25  # limits that differ by less are one; so close to a known one, the way leads there [units]


class Limit(NamedTuple):
    """Where responses came to rest: name of the start, profile ``[T, N]``, largest change of each sweep."""

    name: str
    actions: np.ndarray
    trace: tuple[float, ...]


@dataclass(frozen=True)
class Iteration:
    """How responses are iterated: at most ``sweeps``, each moving ``damping`` of the way [0..1], until no action moves
    by more than ``tolerance`` [endowment units] for a gain that matters, or no response gains more than ``worth``,
    relative to the reward; the way is halved when responses turn back."""

    sweeps: int = 25
    damping: float = 1.0
    tolerance: float = 0.01
    worth: float = 1e-6

    def __post_init__(self) -> None:
        checks.whole("sweeps", self.sweeps, 1, 100_000)
        checks.number("damping", self.damping, 0.0, 1.0, open_low=True)
        checks.number("tolerance", self.tolerance, 0.0, 1e6, open_low=True)
        checks.number("worth", self.worth, 0.0, 1.0)


def open_loop_equilibrium(
    game: Game | str,
    mode: str | RewardMode = "private",
    iteration: Iteration | None = None,
    levels: int = 201,
    every: bool = True,
) -> list[Solution]:
    """All distinct limits of iterated best responses ``[T, N]``, the one with the smallest certified gain first.

    Starts: the path of stage equilibria, and the best constant or the planner's optimum. Agents of a role move
    together, so that limits are symmetric where the game is. Where steps do not touch each other (``separable``) the
    path of stage equilibria is the equilibrium. ``levels`` of an own action are tried in the certificate. every: False
    for one of them only, in less time: the one with the largest sum of rewards against which a search gains nothing,
    else the one against which it gains least.
    """
    began = time.perf_counter()
    sequences = Sequences(make_game(game).to("numpy"), RewardMode.of(mode))
    chosen = iteration or Iteration()
    limits, starts = limits_of(sequences, chosen)
    limits.sort(key=lambda limit: -float(sequences.play(limit.actions).rewards.sum()))
    found = list[tuple[float, Limit, list[Gain]]]()
    for reached in limits:
        limit, gains = _repaired(sequences, reached, chosen)
        rewards = sequences.play(limit.actions).rewards
        found.append((max(relative(gain, rewards, sequences.unit) for gain in gains), limit, gains))
        if not every and found[-1][0] <= REPAIRED:
            break
    solutions: list[Solution] = []
    for least, limit, gains in sorted(found, key=lambda one: one[0]):
        if solutions and not every and min(s.certificate.relative for s in solutions) <= least:
            break
        certificate = scanned(sequences, limit.actions, gains, levels)
        counted = replace(certificate, starts=starts, solutions=len(limits), trace=limit.trace)
        solutions.append(_solution(sequences, limit, counted))
    seconds = time.perf_counter() - began
    return [replace(s, seconds=seconds) for s in sorted(solutions, key=lambda s: s.certificate.relative)]


def _repaired(sequences: Sequences, limit: Limit, iteration: Iteration) -> tuple[Limit, list[Gain]]:
    """(limit, gains): where the search finds a gain that the replies had missed, they go on from there."""
    paths = () if separable(sequences.game, sequences.mode) else (_optimum(sequences),)
    unit, rewards = sequences.unit, sequences.play(limit.actions).rewards
    gains = searched(sequences, limit.actions, paths=paths)
    for _ in range(REPAIRS):
        worst = max(gains, key=lambda gain: relative(gain, rewards, unit))
        if relative(worst, rewards, unit) <= REPAIRED or worst.sequence is None:
            break
        begin = limit.actions.copy()
        alone = sequences.game.exit is not None
        mates = [worst.agent] if alone else _mates(sequences.game, begin, worst.agent)
        begin[:, mates] = worst.sequence[:, None]
        other = Limit(limit.name, *iterate(sequences, equalled(sequences.game, begin), iteration, []))
        paid = sequences.play(other.actions).rewards
        again = searched(sequences, other.actions, paths=paths)
        if max(relative(gain, paid, unit) for gain in again) >= relative(worst, rewards, unit):
            break
        limit, gains, rewards = other, again, paid
    return limit, gains


def _mates(game: Game, actions: np.ndarray, agent: int) -> list[int]:
    """The agents of the role of one that play the same."""
    role = roles(game)
    same = (actions == actions[:, [agent]]).all(0)
    return [int(k) for k in np.flatnonzero((role == role[agent]) & same)]


def _optimum(sequences: Sequences) -> np.ndarray:
    """The planner's path ``[T, N]`` for the sum of rewards."""
    problem = planner.Problem.of(sequences.game, sequences.mode, np.ones(sequences.game.n), Effort())
    return planner.solve(problem)[0]


def limits_of(sequences: Sequences, iteration: Iteration) -> tuple[list[Limit], int]:
    """(distinct limits, number of starts) of iterated best responses.

    Where all want the same, the planner's optimum takes the place of a constant, and a climb of all at once comes first
    where rewards are smooth: what nobody can better together, nobody betters alone.
    """
    game, mode = sequences.game, sequences.mode
    coupled = not separable(game, mode)
    united = coupled and mode.weights.own == 0.0 and mode.weights.coupled == 0.0
    path = stagewise_path(game, mode)
    starts = [("path of stage equilibria", together(sequences, path) if united and game.smooth else path)]
    if united:
        starts.insert(0, ("planner's optimum", _optimum(sequences)))
    elif coupled:
        starts.append(("best constant", best_constant_profile(sequences)))
    distinct = list[Limit]()
    for name, start in starts:
        known = [other.actions for other in distinct]
        limit = Limit(name, *iterate(sequences, equalled(game, start), iteration, known))
        if all(np.abs(limit.actions - other.actions).max() > APART for other in distinct):
            distinct.append(limit)
    return distinct, len(starts)


def together(sequences: Sequences, start: np.ndarray) -> np.ndarray:
    """A profile ``[T, N]`` of one sequence a role, with a larger mean reward than the roles' first agents' rows."""
    objective = planner.by_roles(sequences, np.full(sequences.game.n, 1.0 / sequences.game.n))
    return objective.profile(climb(objective, [start[:, objective.leaders]], WARM)[0])


def iterate(
    sequences: Sequences, start: np.ndarray, iteration: Iteration, known: list[np.ndarray]
) -> tuple[np.ndarray, tuple[float, ...]]:
    """(profile ``[T, N]``, largest change of each sweep): best responses, in turn, until none of them gains.

    Agents of a role move together and part of the way. Where a rule can end the game each agent moves alone, and all
    the way: one may keep the game alive for all, and half of the way to that is the end of it. ``known`` limits: once
    a sweep ends next to one of them, it is the limit.
    """
    game = sequences.game
    role = roles(game)
    group = np.arange(game.n) if game.exit is not None else role
    profile, damping, trace = start.copy(), iteration.damping if game.exit is None else 1.0, list[float]()
    last, content = np.zeros_like(start), list[int]()  # who gains nothing against the profile as it is
    for _ in range(iteration.sweeps):
        change, most, gained, turned = 0.0, 0.0, False, False
        for g in range(group.max() + 1):
            agent = int(np.flatnonzero(group == g)[0])
            # the same agent, or one in its place, has been found to gain nothing
            if any(role[k] == role[agent] and np.array_equal(profile[:, k], profile[:, agent]) for k in content):
                continue
            effort = NEAR if trace and game.exit is None else WARM
            response = best_response_sequence(game, sequences.mode, profile, agent, effort)
            gain = response.gain / float(size(response.value, sequences.unit))
            if gain <= iteration.worth:
                content.append(agent)
                continue
            content.clear()
            most = max(most, gain)
            step, gained = response.sequence - profile[:, agent], True
            change = max(change, float(np.abs(step).max()))
            turned |= float(step @ last[:, agent]) < 0.0
            last[:, agent] = step
            profile[:, group == g] += damping * step[:, None]
        damping *= 0.5 if turned and game.exit is None else 1.0
        trace.append(change)
        if (change < iteration.tolerance and most < SEQUENCE_TOLERANCE / 10.0) or not gained:
            break
        close = [other for other in known if np.abs(other - profile).max() <= ARRIVED]
        if close:
            return close[0], tuple(trace)
    return profile, tuple(trace)


def stagewise_path(game: Game, mode: RewardMode) -> np.ndarray:
    """Stage equilibria ``[T, N]``, each at the state that the one before led to; the last one stands after an end.

    Each is looked at closely enough to be repaired; what is claimed of the path has a certificate of its own.
    """
    state, rows = game.reset(), list[np.ndarray]()
    follow = game.smooth and not separable(game, mode)
    for _ in range(game.horizon):
        rows.append(_next_stage(StageGame(game, state, mode), rows[-1] if rows and follow else None))
        state, _, ended = game.step(state, rows[-1], np.zeros(game.step_draws) if game.step_draws else None)
        if bool(ended):
            break
    rows += [rows[-1]] * (game.horizon - len(rows))
    return np.stack(rows)


def _next_stage(stage: StageGame, before: np.ndarray | None) -> np.ndarray:
    """An equilibrium ``[N]`` of a stage: where replies settle from the one ``before``, if they do."""
    if before is not None:
        settled = settle(stage, before[None])
        if settled.done[0]:
            return np.asarray(settled.profiles[0])
    return stage_equilibrium(stage, points=GLANCE).actions


def equalled(game: Game, actions: np.ndarray) -> np.ndarray:
    """Actions ``[T, N]`` in which agents of a role whose sequences differ by rounding only play the same, to the bit.

    The certificate looks at one agent of each kind: of forty equals it must not see forty kinds.
    """
    role, made, limit = roles(game), actions.copy(), ROUNDING * np.asarray(game.endowment)
    for agent in range(1, game.n):
        for other in range(agent):
            if role[other] == role[agent] and np.abs(made[:, other] - made[:, agent]).max() <= limit[agent]:
                made[:, agent] = made[:, other]
                break
    return made


def best_constant_profile(sequences: Sequences) -> np.ndarray:
    """The constant rate ``[T, N]`` with the highest sum of rewards, of 101."""
    rates = np.linspace(0.0, 1.0, 101)[:, None]
    candidates = sequences.constant(rates * sequences.game.endowment)
    values = np.concatenate([sequences.play(part).rewards.sum(-1) for part in np.array_split(candidates, 10)])
    return np.asarray(candidates[int(values.argmax())])


def _solution(sequences: Sequences, limit: Limit, certificate: Certificate) -> Solution:
    game, mode, actions = sequences.game, sequences.mode, limit.actions
    played = sequences.play(actions)
    notes = (f"reached from the {limit.name}", f"lasts {float(played.lengths):g} of {game.horizon} steps")
    return Solution(
        game.id, game.hash, "open_loop_equilibrium", "open-loop equilibrium", str(mode), actions, played.payoffs,
        played.rewards, "iterated best response over sequences", certificate, notes=notes,
    )  # fmt: skip
