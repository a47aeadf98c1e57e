"""Stage games on a grid: the scan against a plain loop, what is struck out, and what is refused."""

import itertools

import numpy as np
import pytest

import coopgym
from coopgym.oracles.grid_games import GridGame
from coopgym.oracles.stage import StageGame


def grid_of(id, levels, mode="private", **options):
    return GridGame(StageGame.of(coopgym.game(id, **options), mode), levels)


def by_hand(grid):
    """Pure equilibria by one comparison after another."""
    found = []
    for cell in itertools.product(range(grid.levels), repeat=grid.stage.n):
        for i in range(grid.stage.n):
            others = [(*cell[:i], k, *cell[i + 1 :]) for k in range(grid.levels)]
            if max(grid.rewards[(i, *other)] for other in others) > grid.rewards[(i, *cell)] + 1e-10:
                break
        else:
            found.append(list(cell))
    return found


SMALL = {"TrustDilemma-v1": 7, "GiftExchange-v0": 12, "AppleAppStore-v1": 6, "TeamProduction-v1": 5}


@pytest.mark.parametrize(("id", "levels"), SMALL.items())
def test_the_scan_finds_what_a_loop_finds_and_nothing_of_it_is_struck_out(id, levels):
    grid = grid_of(id, levels)
    found = grid.pure_equilibria()
    assert found.tolist() == by_hand(grid)
    for agent, kept in enumerate(grid.undominated()):
        assert set(found[:, agent]) <= set(kept) and len(kept) <= levels


def test_rewards_are_those_of_the_game():
    grid = grid_of("AppleAppStore-v1", 5, "integrated")
    assert grid.rewards.shape == (3, 5, 5, 5)
    assert grid.at(np.array([4, 1, 2])).tolist() == [100.0, 20.0, 30.0] and grid.cell.tolist() == [25.0, 20.0, 15.0]
    own = [grid.rewards[(i, 4, 1, 2)] for i in range(3)]
    np.testing.assert_allclose(own, grid.stage.rewards(np.array([100.0, 20.0, 30.0])), rtol=1e-14)


def test_what_is_struck_out_leaves_a_dominance_solvable_game_one_cell():
    kept = grid_of("PublicGoods-v1", 5).undominated()  # to give nothing always pays more
    assert [k.tolist() for k in kept] == [[0]] * 5


def test_a_grid_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match=r"levels=2 for 40 agents: 2\*\*40 joint actions, the most is 2,000,000"):
        grid_of("ApacheProject-v1", 2)
    with pytest.raises(ValueError, match=r"levels=1 is out of range"):
        grid_of("SLCD-v1", 1)
