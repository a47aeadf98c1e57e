"""Two-agent stage games on a grid, solved by nashpy: its equilibria are ours, to a cell."""

from __future__ import annotations

import functools

import nashpy
import numpy as np
import pytest

import coopgym
from coopgym.oracles.certificate import certify
from coopgym.oracles.grid_games import GridGame
from coopgym.oracles.stage import StageGame

GAMES = ["TrustDilemma-v1", "SLCD-v1", "PartnerHoldUp-v1", "GiftExchange-v1"]
MODES = ["private", "integrated"]
LEVELS = (11, 21, 41, 81)
each_game = pytest.mark.parametrize(("id", "mode"), [(id, mode) for id in GAMES for mode in MODES])


@functools.cache
def grid_of(id, mode, levels):
    return GridGame(StageGame.of(coopgym.game(id), mode), levels)


def window(grid, centre):
    """(bimatrix game of nashpy, its levels ``[2, k]``): at most 21 levels of each agent around actions ``centre [2]``.

    None that is left out can be played in an equilibrium. With all 81 nashpy's floats fail it: from some labels it ends
    in NaN, or never.
    """
    middle = np.rint(centre / grid.cell).astype(int)
    chosen = [np.arange(grid.levels)[max(0, m - 10) : m + 11] for m in middle]
    if grid.levels <= 41:
        chosen = [np.arange(grid.levels)] * 2
    for own, kept in zip(chosen, grid.undominated(), strict=True):
        assert set(kept) <= set(own)
    return nashpy.Game(*(own[np.ix_(*chosen)] for own in grid.rewards)), [
        grid.actions[i][k] for i, k in enumerate(chosen)
    ]


def pure(strategies, levels):
    """Actions ``[2]`` of a pair of strategies, which must be pure."""
    for strategy in strategies:
        assert np.sort(strategy)[-1] == pytest.approx(1.0, abs=1e-9)
    return np.array([own[np.argmax(strategy)] for strategy, own in zip(strategies, levels, strict=True)])


@each_game
@pytest.mark.parametrize("levels", LEVELS)
def test_lemke_howson_comes_to_our_equilibrium(id, mode, levels):
    grid, ours = grid_of(id, mode, levels), coopgym.solve(id, "nash", mode)
    assert ours.uniqueness == "proved"
    scanned = {tuple(actions) for actions in grid.at(grid.pure_equilibria())}
    game, left = window(grid, ours.actions)
    k = len(left[0])
    for label in (0, k // 2, k, k + len(left[1]) - 1):
        found = pure(game.lemke_howson(label), left)
        assert tuple(found) in scanned
        assert (np.abs(found - ours.actions) <= grid.cell).all()  # a cell is 1/(K - 1) of an endowment


@each_game
def test_no_mixture_of_six_levels_is_an_equilibrium(id, mode):
    grid = grid_of(id, mode, 6)
    found = [pure(pair, grid.actions) for pair in nashpy.Game(*grid.rewards).support_enumeration(non_degenerate=True)]
    assert [actions.tolist() for actions in found] == grid.at(grid.pure_equilibria()).tolist()


@each_game
def test_a_fine_grid_can_be_solved_by_striking_out_what_never_pays(id, mode):
    grid = grid_of(id, mode, 81)
    kept = np.array(grid.undominated())
    assert kept.shape == (2, 1)  # so there is no other equilibrium, mixed ones included
    assert kept.T.tolist() == grid.pure_equilibria().tolist()


@each_game
def test_what_a_grid_leaves_to_gain_falls_with_the_square_of_its_cell(id, mode):
    for levels in LEVELS:
        grid = grid_of(id, mode, levels)
        for actions in grid.at(grid.pure_equilibria()):
            assert certify(grid.stage, actions, 2001).relative <= 0.5 / (levels - 1) ** 2


@pytest.mark.parametrize("mode", MODES)
def test_a_coarse_grid_makes_up_equilibria(mode):
    grid = grid_of("TrustDilemma-v1", mode, 7)
    np.testing.assert_allclose(grid.at(grid.pure_equilibria()), [[100 / 6] * 2, [200 / 6] * 2])
    kept = grid.undominated()
    np.testing.assert_allclose([grid.actions[i][k] for i, k in enumerate(kept)], [[100 / 6, 200 / 6]] * 2)
    found = list(nashpy.Game(*(own[np.ix_(*kept)] for own in grid.rewards)).support_enumeration(non_degenerate=True))
    mixed = [pair for pair in found if max(pair[0]) < 1.0 - 1e-9]
    assert len(found) == 3 and len(mixed) == 1  # between the two a mixture, as in any game of coordination
    for levels in LEVELS[1:]:
        assert len(grid_of("TrustDilemma-v1", mode, levels).pure_equilibria()) == 1


@pytest.mark.parametrize(("mode", "levels"), [("private", 33), ("integrated", 51)])
def test_twins_on_a_finer_grid_are_neighbours_on_either_side_of_ours(mode, levels):
    grid, ours = grid_of("TrustDilemma-v1", mode, levels), coopgym.solve("TrustDilemma-v1", "nash", mode).actions
    low, high = grid.pure_equilibria()  # ours lies near the middle of a cell
    assert (high == low + 1).all()
    assert (grid.at(low) < ours).all() and (ours < grid.at(high)).all()


@pytest.mark.parametrize("levels", [11, 21])
def test_a_team_has_a_line_of_equilibria_and_all_have_our_sum(levels):
    game = coopgym.game("TeamProduction-v1", n_agents=2, omega=8.0)  # the first unit pays, the last does not
    ours = coopgym.solve(game, "nash", "private")
    assert ours.uniqueness.startswith("a continuum")
    grid = GridGame(StageGame.of(game, "private"), levels)
    scanned = grid.at(grid.pure_equilibria())
    assert len(scanned) > levels // 2
    assert (np.abs(scanned.sum(-1) - ours.actions.sum()) <= grid.cell[0]).all()
    met = {tuple(pure(nashpy.Game(*grid.rewards).lemke_howson(label), grid.actions)) for label in range(0, levels, 3)}
    assert len(met) > 1 and met <= set(map(tuple, scanned))


def test_where_everything_is_a_draw_a_hint_decides():
    game = coopgym.game("PublicGoods-v1", n_agents=2, multiplier=2.0, phi_b=0.0, phi_c=0.0)
    grid = GridGame(StageGame.of(game, "private"), 6)  # a unit given comes back as a unit
    assert len(grid.pure_equilibria()) == 36 and [len(kept) for kept in grid.undominated()] == [6, 6]
    hint = 1e-9 * np.arange(6)
    mine, theirs = grid.rewards
    hinted = nashpy.Game(mine + hint[:, None], theirs + hint)
    for label in range(12):
        assert pure(hinted.lemke_howson(label), grid.actions).tolist() == [50.0, 50.0]
