"""What one agent earns alone, played with one column of trust, against the whole game."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.oracles.best_response import alone
from coopgym.oracles.common_play import Together, quickest
from coopgym.oracles.deviation import Deviation, divides
from coopgym.oracles.objective import Objective
from coopgym.oracles.planner import by_roles
from coopgym.oracles.sequences import Sequences


def _tried(game, base, agent, rng, count=60):
    """Candidates ``[K, T, 1]``: the own path, itself changed in a block, and constants."""
    own = np.repeat(base[None, :, [agent]], count, axis=0)
    for k in range(1, count):
        start, levels = int(rng.integers(game.horizon)), rng.random(20)[:, None] * game.endowment[agent]
        own[k, start : start + 20] = levels[: game.horizon - start]
    own[-3:] = np.array([0.0, 0.4, 1.0])[:, None, None] * game.endowment[agent]
    return own


@pytest.mark.parametrize("kind", ["private", "integrated", "cooperative", "integrated:0.4"])
def test_a_lone_deviation_is_worth_what_the_whole_game_says(kind):
    rng, divided = np.random.default_rng(3), set()
    for id in coopgym.list_games(version="v1"):
        game = coopgym.game(id, max_steps=25)
        sequences = Sequences(game, RewardMode.of(kind))
        base, agent = rng.uniform(0.3, 0.6, (25, game.n)) * game.endowment, int(rng.integers(game.n))
        objective = alone(sequences, base, agent)
        if isinstance(objective, Deviation):
            divided.add(game.name)
            own = _tried(game, base, agent, rng)
            played = sequences.play(objective.profile(own)).rewards[:, agent]
            np.testing.assert_allclose(objective(own), played, rtol=1e-13, atol=1e-9, err_msg=id)
    assert {"TrustDilemma", "PlatformEcosystem", "RecoveryRace", "GiftExchange", "GraduatedSanction"} <= divided
    assert {"TeamProduction", "CoalitionFormation", "SLCD"} <= divided
    assert ("CooperativeNegotiation" in divided) is (not kind.startswith("integrated"))


@pytest.mark.parametrize("options", [{"reciprocity_units": "raw"}, {"reciprocity_form": "own_action"}])
def test_other_forms_of_reciprocity_divide_too(options):
    game, rng = coopgym.game("AppleAppStore-v1", **options), np.random.default_rng(4)
    sequences = Sequences(game, RewardMode("integrated"))
    base = rng.uniform(0.2, 0.6, (game.horizon, game.n)) * game.endowment
    objective = alone(sequences, base, 1)
    assert isinstance(objective, Deviation)
    own = _tried(game, base, 1, rng)
    np.testing.assert_allclose(objective(own), sequences.play(objective.profile(own)).rewards[:, 1], rtol=1e-13)


def test_one_may_keep_a_game_alive_that_the_profile_ends():
    """The path of the others goes on where the profile itself is over."""
    game = coopgym.game("PlatformEcosystem-v1")
    sequences = Sequences(game, RewardMode("integrated"))
    base = np.repeat(0.7 * game.baseline[None], game.horizon, axis=0)
    base[:, 1:3] = game.endowment[1:3]
    objective = alone(sequences, base, 0)
    own = np.concatenate([base[None, :, [0]], np.full((1, game.horizon, 1), game.endowment[0])])
    played = sequences.play(objective.profile(own))
    assert played.lengths[0] < played.lengths[1]
    np.testing.assert_allclose(objective(own), played.rewards[:, 0], rtol=1e-13)


@pytest.mark.parametrize("kind", ["private", "integrated", "cooperative", "integrated:0.4"])
def test_groups_that_play_the_same_are_worth_what_the_whole_game_says(kind):
    rng, joined = np.random.default_rng(5), set()
    for id in coopgym.list_games(version="v1"):
        game = coopgym.game(id, max_steps=25)
        sequences = Sequences(game, RewardMode.of(kind))
        for objective in _by_groups(sequences):
            if isinstance(objective, Together):
                joined.add(game.name)
                x = rng.random((30, 25, len(objective.limit))) * objective.limit
                x[5:, :12] = x[0, :12]
                x[1:9] = 0.5 * x[1:9] + 0.5 * objective.limit
                played = sequences.play(objective.profile(x)).rewards @ objective.weights
                np.testing.assert_allclose(objective(x), played, rtol=1e-13, atol=1e-9, err_msg=id)
    assert {"TrustDilemma", "PlatformEcosystem", "RecoveryRace"} <= joined
    assert joined.isdisjoint({"GiftExchange", "SLCD", "TeamProduction"})


def _by_groups(sequences):
    """The objective of roles, and one in which the last of a role plays alone."""
    objective = by_roles(sequences, np.linspace(1.0, 2.0, int(roles(sequences.game).max()) + 1)[roles(sequences.game)])
    split = objective.group.copy()
    split[-1] = split.max() + 1
    alone = Objective(sequences, objective.weights, objective.base, split)
    return objective, quickest(alone) if (np.bincount(objective.group) > 1).any() else objective


def test_released_games_are_played_whole():
    for id in coopgym.list_games(version="v0"):
        assert not divides(Sequences(coopgym.game(id), RewardMode("integrated"))), id
