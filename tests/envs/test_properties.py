"""Properties over random games and actions: ranges, finiteness, symmetry, and rewards that leave the game alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coopgym
from coopgym.envs.reward import KINDS, RewardMode, mix

V1 = coopgym.list_games()
SYMMETRIC = [
    "TrustDilemma-v1", "DynamicPartnerSelection-v1", "SynergySearch-v1", "RecoveryRace-v1", "ReputationMarket-v1",
    "CooperativeNegotiation-v1", "TeamProduction-v1", "LoyaltyTeam-v1", "PublicGoods-v1", "ReciprocalDilemma-v1",
    "IndirectReciprocity-v1", "GraduatedSanction-v1", "TrustDilemma-v0", "PublicGoods-v0", "GraduatedSanction-v0",
]  # fmt: skip
seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=60, deadline=None, derandomize=True)


def random_game(id, rng):
    """A catalogue game with a random interdependence matrix and random shares."""
    n = coopgym.game(id).n
    return coopgym.game(id, interdependence=rng.random((n, n)), shares=rng.dirichlet(np.ones(n)))


def wild_actions(game, rng, steps):
    """Anything that is finite: inside, outside and exactly on the bounds."""
    rates = rng.uniform(-0.5, 1.5, (steps, game.n))
    corner = rng.random((steps, game.n))
    rates = np.where(corner < 0.2, 0.0, np.where(corner > 0.8, 1.0, rates))
    return rates * game.endowment * np.where(rng.random((steps, 1)) < 0.02, 1e9, 1.0)


@quick
@given(id=st.sampled_from([*V1, *coopgym.list_games(version="v0")]), seed=seeds)
def test_trust_and_reputation_stay_in_range_and_payoffs_finite(id, seed):
    rng = np.random.default_rng(seed)
    game = random_game(id, rng)
    state = game.reset(draws=rng.random(game.reset_draws) if game.reset_draws else None)
    diagonal = np.eye(game.n, dtype=bool)
    for actions in wild_actions(game, rng, 25):
        before = state
        state, payoffs, _ = game.step(state, actions)
        for matrix in (state.trust, state.damage):
            assert ((matrix >= 0) & (matrix <= 1)).all()
        assert (state.trust[diagonal] == 1).all()
        assert (state.damage[diagonal] == 0).all()
        assert (state.trust <= 1 - before.damage).all(), "trust above the ceiling that reputation sets"
        assert np.isfinite(payoffs).all()
        for kind in KINDS:
            assert np.isfinite(game.rewards(RewardMode(kind).weights, before, state, payoffs)).all()
        for name, value in state.extra.items():
            assert np.isfinite(value).all(), name


@quick
@given(id=st.sampled_from(SYMMETRIC), seed=seeds)
def test_permuting_equal_agents_permutes_results(id, seed):
    rng = np.random.default_rng(seed)
    game = coopgym.game(id)
    order = rng.permutation(game.n)
    one, two = game.reset(), game.reset()
    for actions in wild_actions(game, rng, 25):
        one, payoffs, ended = game.step(one, actions)
        two, permuted, ended_ = game.step(two, actions[order])
        np.testing.assert_allclose(permuted, payoffs[order], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(two.trust, one.trust[order][:, order], rtol=1e-9, atol=1e-12)
        assert bool(ended) == bool(ended_)


@quick
@given(seed=seeds, n=st.integers(2, 6), mutuality=st.floats(0, 1), kind=st.sampled_from(KINDS))
def test_mix_is_the_reward_matrix(seed, n, mutuality, kind):
    rng = np.random.default_rng(seed)
    coupling, payoffs = rng.random((n, n)) * (1 - np.eye(n)), rng.normal(100, 50, n)
    mode = RewardMode(kind, mutuality)
    np.testing.assert_allclose(mix(payoffs, coupling, mode.weights), mode.matrix(coupling) @ payoffs, rtol=1e-12)


@pytest.mark.parametrize("id", V1)
def test_reward_matrix_of_a_state_is_what_a_step_pays(id):
    game = coopgym.game(id)
    rng = np.random.default_rng(5)
    state = game.reset()
    for actions in wild_actions(game, rng, 10):
        before = state
        state, payoffs, _ = game.step(state, actions)
        for mode in (RewardMode("integrated"), RewardMode("cooperative", 0.3), RewardMode()):
            paid = game.rewards(mode.weights, before, state, payoffs)
            np.testing.assert_allclose(paid, game.reward_matrix(mode, before) @ payoffs, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_mutuality_runs_from_private_to_the_full_kind(kind):
    game = coopgym.game("AppleAppStore-v1")
    matrices = [game.reward_matrix(RewardMode(kind, m), game.reset()) for m in (0.0, 0.5, 1.0)]
    np.testing.assert_array_equal(matrices[0], np.eye(3))
    np.testing.assert_allclose(matrices[1], (matrices[0] + matrices[2]) / 2)
    if kind == "cooperative":
        np.testing.assert_allclose(matrices[2], np.full((3, 3), 1 / 3))
    if kind == "integrated":
        np.testing.assert_allclose(matrices[2], np.eye(3) + 0.6 * game.interdependence)


@pytest.mark.parametrize(
    ("kind", "mutuality"),
    [("selfish", 1.0), ("Private", 1.0), ("integrated", 1.5), ("private", -0.1), ("private", float("nan"))],
)
def test_unknown_reward_modes_are_refused(kind, mutuality):
    with pytest.raises(ValueError, match=r"reward_mode|mutuality"):
        RewardMode(kind, mutuality)
