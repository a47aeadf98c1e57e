"""Tries to refute the answers of ``coopgym.solve`` by means that share nothing with their certificates.

    python benchmarks/attack.py [--games TrustDilemma-v1] [--concepts coopetitive] [--modes private] [--starts 20]
        [--iterations 8] [--answers FOLDER] [--status certified,unrefuted] [--workers 1]

It plays the game's own steps, for ``nash`` the first one only. For each kind of agent, or for a planner all roles
together: 1,001 constants, late rises and falls of 1 to 25 steps, two levels at every switch point, a forward dynamic
programme over binned states, and L-BFGS-B on finite differences from the best of these, from the answer, and from
random sequences, ``--starts`` in all. A row for each cell goes to ``results/attack.json``: what was tried, the best
relative gain of each family and of all. Exit code 1 if a certified answer loses more than 1e-4, or a planner's optimum
anything above rounding. What is done is skipped.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cells import Filed, carry_out
from scipy.optimize import minimize

import coopgym
from coopgym.algorithms.trust_rule import rates_in
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.envs.symmetry import roles
from coopgym.mechanisms.base import State
from coopgym.oracles.result import RefusedError, Solution

LANES = 4000  # games that are played side by side
CONCEPTS = ("nash", "coopetitive", "loyalty", "reciprocity", "trust_aware", "social_optimum")
FEW = 6  # agents up to which a planner's are tried apart from each other
REFUTED, ROUNDING = 1e-4, 1e-6  # relative gains above which an equilibrium, an optimum is refuted
BINS, LEVELS = 250, 21  # states that the dynamic programme keeps at a step; own levels that it tries from each
Value = Callable[[np.ndarray], np.ndarray]  # sequences [K, T, G] in endowment units -> values [K]


class Target:
    """What is attacked: the sequences that are free, everybody else as the answer plays."""

    def __init__(self, game: Game, mode: RewardMode, answer: Solution, members: list[np.ndarray], w: np.ndarray):
        self.game, self.mode, self.answer, self.members, self.w = game, mode, answer, members, w
        self.path = np.broadcast_to(answer.actions, (game.horizon, game.n))
        self.own = np.stack([self.path[:, group[0]] for group in members], -1)
        self.limit = np.array([game.endowment[group[0]] for group in members])
        self.expected = np.array([game.baseline[group[0]] for group in members])

    def actions(self, state: State, t: int, free: np.ndarray) -> np.ndarray:
        """Everybody's actions ``[K, N]`` with free ``[K, G]``: rules answer the state, sequences do not."""
        if self.answer.coefficients is None:
            made = np.repeat(self.path[t][None], len(free), axis=0)
        else:
            made = np.array(rates_in(self.game, self.answer.coefficients, state) * self.game.endowment)
        for g, group in enumerate(self.members):
            made[:, group] = free[:, [g]]
        return made

    def step(self, state: State, t: int, free: np.ndarray) -> tuple[State, np.ndarray, np.ndarray]:
        """(after, values ``[K]`` of the step, ended ``[K]``)."""
        after, paid, ended = self.game.step(state, self.actions(state, t, free))
        return after, self.game.rewards(self.mode.weights, state, after, paid) @ self.w, ended

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values ``[K]`` of sequences ``[K, T, G]``."""
        return np.concatenate([self._play(x[k : k + LANES]) for k in range(0, len(x), LANES)])

    def _play(self, x: np.ndarray) -> np.ndarray:
        state, total, alive = self.game.reset((len(x),)), np.zeros(len(x)), np.ones(len(x), dtype=bool)
        for t in range(self.game.horizon):
            state, value, ended = self.step(state, t, x[:, t])
            total += np.where(alive, value, 0.0)
            alive = alive & ~ended
            if not alive.any():
                break
        return total


def constants(target: Target) -> Iterator[np.ndarray]:
    """One rate for ever."""
    yield np.repeat(np.linspace(0.0, 1.0, 1001)[:, None, None] * target.limit, target.game.horizon, axis=1)


def late(target: Target) -> Iterator[np.ndarray]:
    """The answer, constants and what is expected until the last k steps; then a line, or a jump, to another level."""
    horizon, limit = target.game.horizon, target.limit
    flat = [np.repeat((rate * limit)[None], horizon, axis=0) for rate in np.linspace(0.0, 1.0, 21)]
    flat += [
        np.repeat(np.minimum(part * target.expected, limit)[None], horizon, axis=0)
        for part in (0.95, 0.98, 1.0, 1.02, 1.05)
    ]
    for base in (target.own, *flat):
        made = []
        for k in (k for k in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25) if k < horizon):
            line = np.minimum(np.maximum(np.arange(horizon) - (horizon - k - 1), 0) / k, 1.0)[:, None]
            for part in (line, (line > 0.0).astype(float)):
                made += [(1.0 - part) * base + part * end * limit for end in np.linspace(0.0, 1.0, 6)]
        if made:
            yield np.stack(made)


def switches(target: Target) -> Iterator[np.ndarray]:
    """Each of eleven rates until a step, another one, or the answer, from there on; at every step."""
    horizon, levels = target.game.horizon, np.linspace(0.0, 1.0, 11)
    early = (np.arange(horizon) < np.arange(1, horizon)[:, None])[..., None]
    flat = [np.repeat((level * target.limit)[None], horizon, axis=0) for level in levels]
    for a in (target.own, *flat):
        yield np.concatenate([np.where(early, a, b) for b in (target.own, *flat) if b is not a])


def programmed(target: Target) -> Iterator[np.ndarray]:
    """Forward: of all ways that lead into one bin of states only the one that has earned most goes on."""
    if len(target.members) > 1:
        return
    group, n, horizon = target.members[0], target.game.n, target.game.horizon
    levels = np.linspace(0.0, 1.0, LEVELS)[:, None] * target.limit
    state, earned, ways = target.game.reset((1,)), np.zeros(1), np.zeros((1, 0, 1))
    alive = np.ones(1, dtype=bool)
    for t in range(horizon):
        tried = np.concatenate([levels, target.own[[t]]])
        count = len(tried)
        here = State(*(_repeat(x, count) for x in state[:4]), {k: _repeat(v, count) for k, v in state.extra.items()})
        free = np.tile(tried, (len(earned), 1))
        after, value, ended = target.step(here, t, free)
        going = np.repeat(alive, count)
        total = np.repeat(earned, count) + np.where(going, value, 0.0)
        features = [np.delete(after.trust[..., group[0]], group, axis=-1).mean(-1) if n > len(group) else 0.0 * total]
        features.append(after.damage[..., group[0]].mean(-1))
        features += [x[..., group[0]] for x in after.extra.values() if x.ndim == 2 and x.shape[-1] == n]
        keep = _best_of_bins(np.stack(features, -1), total, going & ~ended)
        ways = np.concatenate([np.repeat(ways, count, axis=0), free[:, None]], axis=1)[keep]
        earned, alive = total[keep], (going & ~ended)[keep]
        state = State(*(x[keep] for x in after[:4]), {name: x[keep] for name, x in after.extra.items()})
    yield ways


def _repeat(x: np.ndarray, count: int) -> np.ndarray:
    return np.repeat(x, count, axis=0)


def _best_of_bins(features: np.ndarray, total: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Places of at most ``BINS`` ways: the best in each bin of ``features [K, F]``, wide enough for that."""
    order, span = np.argsort(-total), np.maximum(np.ptp(features, axis=0), 1e-12)
    scaled = (features - features.min(0)) / span
    for cells in (400, 200, 100, 50, 25, 12, 6, 3, 1):
        keys = np.column_stack([np.round(scaled[order] * cells), alive[order]])
        first = np.unique(keys, axis=0, return_index=True)[1]
        if len(first) <= BINS or cells == 1:
            break
    return order[np.sort(first)]


FAMILIES = {"constants": constants, "late changes": late, "two levels": switches, "dynamic programme": programmed}


def climbed(target: Value, start: np.ndarray, limit: np.ndarray, iterations: int) -> tuple[np.ndarray, float]:
    """(sequence ``[T, G]``, value) by L-BFGS-B on differences that are played side by side."""
    shape, h = start.shape, 1e-5
    units = np.eye(start.size).reshape(-1, *shape)
    best, top = start, float(target(start[None])[0])
    scale = abs(top) / start.size

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best, top
        x = flat.reshape(shape)
        high, low = np.minimum(x + h * units, 1.0), np.maximum(x - h * units, 0.0)
        values = target(np.concatenate([x[None], high, low]) * limit)
        if values[0] > top:
            best, top = x * limit, float(values[0])
        half = len(units)
        slopes = (values[1 : half + 1] - values[half + 1 :]) / (high - low).reshape(half, -1).max(-1)
        return -values[0] / scale, -slopes / scale

    options = {"maxiter": iterations, "maxfun": 2 * iterations}
    minimize(
        loss, (start / limit).ravel(), jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * start.size, options=options
    )
    return best, top


def attack(target: Target, starts: int, iterations: int, families: dict[str, Any]) -> dict[str, Any]:
    """What was tried and the best relative gain of each family."""
    value = float(target(target.own[None])[0])
    size = max(abs(value), 1e-300)
    leaders, tried, gains = [(value, target.own)], dict[str, int](), dict[str, float]()
    for name, family in families.items():
        found, count = list[tuple[float, np.ndarray]](), 0
        for part in filter(len, family(target)):  # none has a place in one step
            values = target(part)
            count += len(part)
            found += [(float(values[k]), part[k]) for k in np.argsort(-values)[:2]]
        if found:
            found.sort(key=lambda pair: -pair[0])
            leaders += found[: max(1, starts // 6)]
            tried[name], gains[name] = count, (found[0][0] - value) / size
    rng = np.random.default_rng(0)
    while len(leaders) < starts:  # near the answer, and anywhere
        noise = rng.normal(0.0, 0.05, target.own.shape) * target.limit
        free = rng.random(target.own.shape) * target.limit if len(leaders) % 2 else target.own + noise
        leaders.append((0.0, np.clip(free, 0.0, target.limit)))
    ends = [climbed(target, start, target.limit, iterations)[1] for _, start in leaders[:starts]]
    tried["L-BFGS-B starts"], gains["L-BFGS-B"] = len(ends), (max(ends) - value) / size
    return {"value": value, "tried": tried, "gains": {k: float(f"{g:.3g}") for k, g in gains.items()}}


def targets(game: Game, mode: RewardMode, answer: Solution) -> Iterator[tuple[str, Target]]:
    """One agent of each role and sequence, or all roles of a planner together."""
    role, path = roles(game), np.broadcast_to(answer.actions, (game.horizon, game.n))
    if answer.concept == "social_optimum":
        members = [np.flatnonzero(role == r) for r in range(int(role.max()) + 1)]
        yield "planner, common to each role", Target(game, mode, answer, members, np.ones(game.n))
        if len(members) < game.n <= FEW:
            singles = [np.array([agent]) for agent in range(game.n)]
            yield "planner, each agent apart", Target(game, mode, answer, singles, np.ones(game.n))
        return
    seen = list[tuple[int, bytes]]()
    for agent in range(game.n):
        key = (int(role[agent]), np.ascontiguousarray(path[:, agent]).tobytes())
        if key not in seen:
            seen.append(key)
            yield game.agents[agent], Target(game, mode, answer, [np.array([agent])], np.eye(game.n)[agent])


def attack_one(cell: dict[str, str], report: Callable[[Any], None], options: argparse.Namespace) -> None:
    """Report the outcome of one cell, if there is an answer to attack."""
    found = row(cell, options)
    if found is not None:
        report(found)


def row(cell: dict[str, str], options: argparse.Namespace) -> dict[str, Any] | None:
    """The outcome of one cell; None where there is nothing to attack."""
    game = coopgym.game(cell["game"]).to("numpy")
    try:
        answer = coopgym.solve(game, cell["concept"], cell["reward_mode"], cache=options.answers)
    except RefusedError:
        return None
    if options.status and answer.status not in options.status:
        return None
    if answer.actions.ndim == 1:  # of one step
        game = replace(game, horizon=1)
    began, found = time.process_time(), dict[str, Any]()
    mode, value = RewardMode.of(cell["reward_mode"]), float(answer.rewards.sum())
    for who, target in targets(game, mode, answer):
        apart = who.endswith("apart")  # simple shapes have been tried already, in common
        starts = max(2, options.starts // 5) if apart else options.starts
        found[who] = attack(target, starts, options.iterations, {} if apart else FAMILIES)
        if cell["concept"] == "social_optimum":  # the optimum is the answer's, which need not be common to roles
            common = found[who]["value"]
            gains = {k: (common * (1.0 + g) - value) / abs(value) for k, g in found[who]["gains"].items()}
            found[who] |= {"value": value, "gains": {k: float(f"{g:.3g}") for k, g in gains.items()}}
    gain = max(g for one in found.values() for g in one["gains"].values())
    return {"status": answer.status, "gain": gain, "attacks": found, "seconds": round(time.process_time() - began, 1)}


def asked() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=lambda text: text.split(","), default=coopgym.list_games())
    parser.add_argument("--concepts", type=lambda text: text.split(","), default=list(CONCEPTS))
    parser.add_argument("--modes", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--status", type=lambda text: text.split(","), help="attack only answers of these statuses")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--answers", help="a folder in which benchmarks/oracles.py has kept answers (--cache)")
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """Attack what has not been attacked yet, file it, print it."""
    options = asked()
    filed = Filed(Path(__file__).parent / "results" / "attack.json")
    cells = [
        {"game": game, "concept": concept, "reward_mode": mode}
        for game in options.games
        for concept in options.concepts
        for mode in options.modes
    ]
    failed = carry_out(partial(attack_one, options=options), cells, filed, options.workers)
    worst = {
        status: max((r["gain"] for r in filed.rows if r["status"] == status), default=0.0)
        for status in ("certified", "unrefuted", "approximate")
    }
    optima = max((r["gain"] for r in filed.rows if r["concept"] == "social_optimum"), default=0.0)
    print(f"largest relative gains: {worst}; over a planner's optimum: {optima:.2e}")
    return int(failed or worst["certified"] > REFUTED or optima > ROUNDING)


if __name__ == "__main__":
    sys.exit(main())
