"""What one step pays over two efforts: the first agent's, and that of all others together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.algorithms.evaluation import best_constant
from coopgym.envs.game import Game
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.stage import StageGame

GRID = 101  # rates, each way


@dataclass(frozen=True, eq=False)
class Surface:
    """One step from the first state: what the first agent and all others together make of it.

    rates ``[G]``; welfare ``[G, G]`` sum of payoffs, as a share of the largest here, by the others' rate (rows) and
    the first agent's; reply ``[G]``: the first agent's best rate for itself, at each rate of the others. nash, optimum:
    rate of the first agent and mean rate of the others, of one step; constant: the best common rate of an episode.
    """

    rates: np.ndarray
    welfare: np.ndarray
    reply: np.ndarray
    nash: tuple[float, float]
    optimum: tuple[float, float]
    constant: float


def surface(game: Game) -> Surface:
    """Payoffs of the kernel on a grid of rates, and the answers of one step under private rewards."""
    rates = np.linspace(0.0, 1.0, GRID)
    both = np.repeat(np.stack(np.meshgrid(rates, rates), -1), [1, game.n - 1], axis=-1)
    payoffs = game.payoffs(game.reset(), both * game.endowment)
    welfare, stage = payoffs.sum(-1), StageGame.of(game, "private")
    nash, optimum = stage_equilibrium(stage), stage_optimum(stage, objective="payoffs")
    return Surface(
        rates, welfare / welfare.max(), rates[payoffs[..., 0].argmax(-1)], _place(game, nash.actions),
        _place(game, optimum.actions), best_constant(game)["private"]["level"] / 100.0,
    )  # fmt: skip


def _place(game: Game, actions: np.ndarray) -> tuple[float, float]:
    shares = actions / game.endowment
    return float(shares[0]), float(shares[1:].mean())
