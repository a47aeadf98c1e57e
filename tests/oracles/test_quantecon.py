"""Stage games of three to five agents on a grid, solved by QuantEcon: its equilibria are ours, to a cell."""

from __future__ import annotations

import numpy as np
import pytest
import quantecon.game_theory as quantecon

import coopgym
from coopgym.oracles.grid_games import GridGame
from coopgym.oracles.stage import StageGame

LEVELS = {3: (7, 9), 4: (5, 9), 5: (5, 6)}  # by the number of agents
TEAM = "TeamProduction-v1"  # private: only the sum of actions is pinned
GAMES = [id for id in coopgym.list_games() if coopgym.game(id).n in LEVELS]
CASES = [(id, mode) for id in GAMES for mode in ("private", "integrated")]
each_game = pytest.mark.parametrize(("id", "mode"), [case for case in CASES if case != (TEAM, "private")])


def grids(id, mode):
    stage = StageGame.of(coopgym.game(id), mode)
    return [GridGame(stage, levels) for levels in LEVELS[stage.n]]


def their_game(grid):
    """The game of the library, in which every agent's own level comes first and the others follow in turn."""
    n = grid.stage.n
    turned = [np.transpose(own, [(i + j) % n for j in range(n)]) for i, own in enumerate(grid.rewards)]
    return quantecon.NormalFormGame([quantecon.Player(np.ascontiguousarray(own)) for own in turned])


def test_these_are_the_games():
    assert len(GAMES) == 7 and {coopgym.game(id).n for id in GAMES} == {3, 4, 5}


@each_game
def test_every_pure_equilibrium_is_within_a_cell_of_ours(id, mode):
    ours = coopgym.solve(id, "nash", mode)
    assert ours.uniqueness == "proved"
    for grid in grids(id, mode):
        found = np.array(quantecon.pure_nash_brute(their_game(grid)))
        assert found.tolist() == grid.pure_equilibria().tolist() and len(found) > 0
        assert (np.abs(grid.at(found) - ours.actions) <= grid.cell).all()


@each_game
def test_no_mixture_is_an_equilibrium_either(id, mode):
    for grid in grids(id, mode):
        kept = np.array(grid.undominated())
        assert kept.shape == (grid.stage.n, 1)  # level by level, all others are struck out
        assert kept.T.tolist() == np.array(quantecon.pure_nash_brute(their_game(grid))).tolist()


def test_a_team_has_many_equilibria_and_all_have_our_sum():
    ours = coopgym.solve(TEAM, "nash", "private")
    assert ours.uniqueness.startswith("a continuum")
    for grid, count in zip(grids(TEAM, "private"), (52, 270), strict=True):
        found = np.array(quantecon.pure_nash_brute(their_game(grid)))
        assert found.tolist() == grid.pure_equilibria().tolist() and len(found) == count
        actions = grid.at(found)
        assert (np.abs(actions.sum(-1) - ours.actions.sum()) <= grid.cell[0]).all()
        assert (np.abs(actions - ours.actions) > grid.cell).any()  # who gives what is open
