"""Dynamic programming for teams of equals: one loyalty, one effort, backward from the last step (TR-3)."""

from __future__ import annotations

import time

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import State
from coopgym.oracles.result import Certificate, RefusedError, Solution
from coopgym.oracles.scale import size
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.team import team_of


def loyalty_optimum(
    game: Game | str, mode: str | RewardMode = "private", loyalties: int = 1001, efforts: int = 401
) -> Solution:
    """The planner's path ``[T, N]`` of a team whose members are alike and stay together; a check of the search.

    The value of loyalty is kept on a grid of ``loyalties`` points, efforts are one of ``efforts`` levels. The payoffs
    and rewards are those of playing the path; what the grid says of the start is among the notes. Raises RefusedError
    for a game that is not a team of equals.
    """
    began = time.perf_counter()
    game, mode = make_game(game).to("numpy"), RewardMode.of(mode)
    checks.whole("loyalties", loyalties, 2, 1_000_000)
    checks.whole("efforts", efforts, 2, 1_000_000)
    team = team_of(game)
    if team is None or roles(game).any():
        raise RefusedError(f"{game.id} is not a team of equals; ask open_loop_optimum instead")
    grid = np.linspace(0.0, min(1.0, team.loyalty.cap), loyalties)
    levels = np.linspace(0.0, float(game.endowment[0]), efforts)
    after = team.loyalty.update(grid[:, None], levels / game.endowment[0])
    value, policy = _backward(_stage_sums(game, mode, grid, levels), grid, after, game.horizon)
    start = float(game.reset().extra["loyalty"][0])
    path = _forward(policy, grid, levels, start, game)
    expected = float(np.interp(start, grid, value))
    played = Sequences(game, mode).play(path)
    gap = abs(float(played.rewards.sum()) - expected)
    certificate = Certificate(
        gap,
        gap / float(size(expected, Sequences(game, mode).unit)),
        "value on the grid against the path as played",
        exhaustive=False,
    )
    return Solution(
        game.id, game.hash, "loyalty_optimum", "open-loop optimum", str(mode), path, played.payoffs, played.rewards,
        f"dynamic programming on {loyalties} loyalties x {efforts} efforts", certificate,
        notes=(f"value on the grid {expected:.6f}",), seconds=time.perf_counter() - began,
    )  # fmt: skip


def _stage_sums(game: Game, mode: RewardMode, grid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Sum of rewards ``[L, K]`` of a step at each loyalty and common effort."""
    rows = []
    for loyalty in grid:
        state = _at(game, np.full((len(levels), game.n), loyalty))
        payoffs = game.payoffs(state, np.repeat(levels[:, None], game.n, axis=-1))
        rows.append(game.rewards(mode.weights, state, state, payoffs).sum(-1))
    return np.stack(rows)


def _at(game: Game, loyalty: np.ndarray) -> State:
    state = game.reset(loyalty.shape[:-1])
    return state._replace(extra={**state.extra, "loyalty": loyalty})


def _backward(
    stage: np.ndarray, grid: np.ndarray, after: np.ndarray, horizon: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """(value ``[L]`` at the start, best level ``[L]`` of each step), values between points on straight lines."""
    place = np.clip(after / grid[-1] * (len(grid) - 1), 0.0, len(grid) - 1.0) if grid[-1] > 0 else 0.0 * after
    below = np.minimum(place.astype(np.int64), len(grid) - 2)
    share = place - below
    value, policy = np.zeros(len(grid)), []
    for _ in range(horizon):
        total = stage + (1.0 - share) * value[below] + share * value[below + 1]
        best = total.argmax(-1)
        policy.append(best)
        value = total[np.arange(len(grid)), best]
    return value, policy[::-1]


def _forward(policy: list[np.ndarray], grid: np.ndarray, levels: np.ndarray, start: float, game: Game) -> np.ndarray:
    """The path ``[T, N]`` of the policy from a loyalty, each step at the nearest point of the grid."""
    team = team_of(game)
    assert team is not None
    loyalty, path = np.float64(start), []
    for best in policy:
        effort = levels[best[int(np.abs(grid - loyalty).argmin())]]
        path.append(effort)
        loyalty = np.float64(team.loyalty.update(loyalty, effort / game.endowment[0]))
    return np.repeat(np.array(path)[:, None], game.n, axis=-1)
