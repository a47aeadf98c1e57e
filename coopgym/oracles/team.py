"""The best that a team can do in each step, at the highest loyalty that its members can have by then (TR-3)."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.oracles.closed_forms.team import Team, lone_effort


def team_of(game: Game) -> TeamProduction | None:
    """The mechanism that pays a team, if that is all that pays in a game."""
    first = game.mechanisms[0]
    return first if isinstance(first, TeamProduction) else None


def highest_loyalty(game: Game, team: TeamProduction) -> np.ndarray:
    """Loyalty ``[T, N]`` of members that always give everything: it rises with loyalty and with the rate."""
    loyalty, rows = np.asarray(game.reset().extra["loyalty"]), []
    for _ in range(game.horizon):
        rows.append(loyalty)
        loyalty = np.maximum(loyalty, team.loyalty.update(loyalty, np.ones(game.n)))
    return np.stack(rows)


def mates_never_lose(game: Game, team: TeamProduction) -> bool:
    """Whether teammates' payoffs, output share less cost, cannot be negative together, whoever gives what.

    Their mean is at least Q/n - c A/(n - 1), and omega A^(beta - 1) is smallest for the largest A. Then more loyalty
    never pays less.
    """
    total, least = float(game.endowment.sum()), 2 if isinstance(team, CoalitionProduction) else game.n
    return bool(team.productivity * total ** (team.exponent - 1.0) >= team.cost * least / (least - 1.0))


def team_bound(game: Game, team: TeamProduction, c: np.ndarray) -> tuple[float, np.ndarray]:
    """(bound of the sum of payoffs with weights ``c [T, N]``, actions ``[T, N]``) where mates_never_lose.

    With everything at the highest loyalty a step is concave: output in total effort, costs in each effort.
    """
    loyalty = highest_loyalty(game, team)
    apart = isinstance(team, CoalitionProduction) and team.exclusion_pays
    sizes = range(min(team.membership.minimum, game.n), game.n + 1) if apart else [game.n]  # type: ignore[attr-defined]
    value, path = 0.0, []
    known: dict[tuple[float, ...], tuple[float, np.ndarray]] = {}
    for row, scores in zip(c, loyalty, strict=True):
        key = (*row, *scores)
        if key not in known:
            known[key] = max((_best_step(game, team, row, scores, k) for k in sizes), key=lambda pair: pair[0])
        value += known[key][0]
        path.append(known[key][1])
    return value, np.stack(path)


def _best_step(
    game: Game, team: TeamProduction, c: np.ndarray, loyalty: np.ndarray, size: int
) -> tuple[float, np.ndarray]:
    """(value, actions ``[N]``) of a step with ``size`` members.

    Who the members are is left open where they are not all: the weights and loyalties are then replaced by the largest,
    which can only raise the value.
    """
    n = game.n
    if size < n:
        c, loyalty = np.full(n, c.max()), np.full(n, loyalty.max())
    mates = float(max(size - 1, 1)) if team.teammates_sum else 1.0
    inside = Team(
        team.productivity, team.exponent, team.cost, team.benefit if size > 1 else 0.0, team.contribution_joy,
        loyalty[:size], game.endowment[:size], mates,
    )  # fmt: skip
    actions = np.zeros(n)
    actions[:size] = inside.planner(c[:size])
    gain, price = inside.slopes(np.tile(c[:size], (size, 1)))
    output = float(team.output(actions.sum()))
    value = gain[0] * output / size - team.cost * float(price @ actions[:size]) + float(c @ team.kept)
    for agent in range(size, n):
        limit = float(game.endowment.max())
        a = lone_effort(team.productivity, team.exponent, team.cost, n, limit)
        value += 0.5 * c[agent] * (float(team.output(np.float64(a))) / n - team.cost * a)
    return value, actions
