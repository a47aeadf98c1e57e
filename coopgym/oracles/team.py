"""The best that a team can do in each step, at the highest loyalty that its members can have by then (TR-3)."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction


def team_of(game: Game) -> TeamProduction | None:
    """The mechanism that pays a team, if that is all that pays in a game."""
    paying = [m for m in game.mechanisms if isinstance(m, TeamProduction)]
    return paying[0] if paying and game.mechanisms[0] is paying[0] else None


def highest_loyalty(game: Game, team: TeamProduction) -> np.ndarray:
    """Loyalty ``[T, N]`` of members that always give everything: it rises with loyalty and with the rate."""
    loyalty, rows = np.asarray(game.reset().extra["loyalty"]), []
    for _ in range(game.horizon):
        rows.append(loyalty)
        loyalty = np.maximum(loyalty, team.loyalty.update(loyalty, np.ones(game.n)))
    return np.stack(rows)


def team_bound(game: Game, c: np.ndarray) -> tuple[float, np.ndarray]:
    """(bound of the sum of payoffs with weights ``c [T, N]``, actions ``[T, N]``).

    With everything at the highest loyalty a step is concave: output in total effort, costs in each effort. What loyalty
    multiplies is not negative (see _sharing), so that more of it never pays less.
    """
    team = team_of(game)
    assert team is not None
    loyalty = highest_loyalty(game, team)
    sizes: list[int] = [game.n]
    if isinstance(team, CoalitionProduction) and team.exclusion_pays:
        sizes = list(range(min(team.membership.minimum, game.n), game.n + 1))
    best, path = np.full(game.horizon, -np.inf), np.zeros_like(c)
    for size in sizes:
        values, actions = _best_steps(game, team, c, loyalty, size)
        path = np.where((values > best)[:, None], actions, path)
        best = np.maximum(best, values)
    return float(best.sum()), path


def _best_steps(
    game: Game, team: TeamProduction, c: np.ndarray, loyalty: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """(values ``[T]``, actions ``[T, N]``) with ``size`` members.

    Who the members are is left open where they are not all: the weights and loyalties of the step are then replaced by
    the largest, which can only raise the value.
    """
    n = game.n
    if size < n:
        c = np.repeat(c.max(-1, keepdims=True), n, axis=-1)
        loyalty = np.repeat(loyalty.max(-1, keepdims=True), n, axis=-1)
    output, price = _slopes(team, c[:, :size], loyalty[:, :size], _sharing(game, team))
    actions = np.zeros((game.horizon, n))
    actions[:, :size] = water_filling(team, output, price, game.endowment[:size])
    total = team.output(actions.sum(-1))
    values = output * total - (price * actions[:, :size]).sum(-1) + c @ team.kept
    if size < n:
        values = values + (n - size) * c[:, 0] * _alone(game, team)
    return values, actions


def _sharing(game: Game, team: TeamProduction) -> bool:
    """Whether teammates' payoffs, output share less cost, cannot be negative together, whoever gives what.

    Their mean is at least Q/n - c A/(n - 1), and omega A^(beta - 1) is smallest for the largest A. Where that fails
    their costs are left out of what loyalty feels, which can only raise it.
    """
    total, n = float(game.endowment.sum()), game.n
    least = 2 if isinstance(team, CoalitionProduction) else n
    return bool(team.productivity * total ** (team.exponent - 1.0) >= team.cost * least / (least - 1.0))


def _slopes(team: TeamProduction, c: np.ndarray, loyalty: np.ndarray, sharing: bool) -> tuple[np.ndarray, np.ndarray]:
    """The weighted sum as output ``[T]`` times Q less price ``[T, n]`` times a, for n members."""
    n = c.shape[-1]
    mates = float(n - 1) if team.teammates_sum else 1.0
    felt = c * loyalty * team.benefit * mates * float(n > 1)
    output = (c + felt).sum(-1) / n
    others = (felt.sum(-1, keepdims=True) - felt) / max(n - 1, 1)
    price = c * team.cost * (1.0 - team.contribution_joy * loyalty)
    return output, price + (others * team.cost if sharing else 0.0)


def _alone(game: Game, team: TeamProduction) -> float:
    """The most that an agent outside the coalition earns in a step."""
    grid = np.linspace(0.0, float(game.endowment.max()), 20_001)
    output = team.productivity * grid**team.exponent / game.n
    step = float(grid[1]) * team.cost  # output rises: between two points it is below that of the upper one
    return max(0.0, 0.5 * float((output - team.cost * grid).max() + step))


def water_filling(team: TeamProduction, output: np.ndarray, price: np.ndarray, endowment: np.ndarray) -> np.ndarray:
    """Actions ``[T, n]`` that maximise output Q(A) - price a: the cheapest give first, each up to where it pays.

    output ``[T]`` > 0, price ``[T, n]``; agent i stops at A_i = (output omega beta / price_i)^(1 / (1 - beta)).
    """
    gain = output[:, None] * team.productivity * team.exponent
    cheap = np.maximum(price, 1e-300)
    if team.exponent == 1.0:
        stop = np.where(gain > price, np.inf, 0.0)
    else:
        with np.errstate(over="ignore"):
            stop = np.where(price > 0.0, (gain / cheap) ** (1.0 / (1.0 - team.exponent)), np.inf)
    actions, given = np.zeros_like(price), np.zeros(len(price))
    order, rows = np.argsort(price, axis=-1, kind="stable"), np.arange(len(price))
    for k in order.T:
        actions[rows, k] = np.clip(stop[rows, k] - given, 0.0, endowment[k])
        given += actions[rows, k]
    return actions
