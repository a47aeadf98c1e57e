"""The pictures of a game in words, for those who do not see them."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.report import network
from coopgym.report.scripts import Course, course
from coopgym.report.surface import Surface, surface


def describe(game: Game) -> str:
    """What ``plot_game`` shows: the marks of the landscape, the network, and the episode, with their numbers."""
    return f"{_landscape(game, surface(game))} {_network(game)} {_episode(course(game))}"


def describe_animation(game: Game) -> str:
    """What ``animate_game`` shows."""
    played = course(game)
    return f"{played.steps} steps of {game.id}, one a frame. {_episode(played)}"


def _landscape(game: Game, found: Surface) -> str:
    first, others = game.agents[0], network.others(game)
    nash, optimum = (f"{x:.0%} and {y:.0%}" for x, y in (found.nash, found.optimum))
    return (
        f"{game.id}. Welfare of one step over the effort of {first} and of {others}: the Nash equilibrium is at {nash} "
        f"of the endowments, the optimum at {optimum}, the best constant at {found.constant:.0%} for all."
    )


def _network(game: Game) -> str:
    hub = game.n > 2 and not game.interdependence[1:, 1:].any()
    first = game.agents[0]
    who = f"{first} and each of {network.others(game)} depend on each other" if hub else "all depend on all others"
    if game.n == 2:
        who = f"{first} and {game.agents[1]} depend on each other"
    return f"Interdependence: {who}, {network.dependence(game)}."


def _episode(played: Course) -> str:
    first, others = played.game.agents[0], network.others(played.game)
    acts = [f"{a.words} (steps {a.start} to {a.end})" for a in played.acts]
    own, rest = played.watched[:, 0], played.watched[:, 1:].mean(-1)
    course_of = f"{played.label} {first} goes from {_way(own)}, {played.label} {others} from {_way(rest)}"
    end = f" The game ends after step {played.steps}." if played.ended else ""
    return f"An episode: {first} {', then '.join(acts)}; {course_of}; {_payoffs(played)}.{end}"


def _way(x: np.ndarray) -> str:
    """Start, lowest and highest in between where they are neither, and end."""
    stops = [x[0], *sorted({x.min(), x.max()} - {x[0], x[-1]}, key=lambda value: int(np.argmax(x == value))), x[-1]]
    told = [f"{value:.2f}" for value in stops]
    return " to ".join(one for k, one in enumerate(told) if k == 0 or one != told[k - 1])


def _payoffs(played: Course) -> str:
    own = played.payoffs[:, 0]
    return f"payoffs of {played.game.agents[0]} lie between {own.min():.0f} and {own.max():.0f} a step"
