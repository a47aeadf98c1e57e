"""TR-4's memory and reciprocity against a history kept in full."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.mechanisms.reciprocity import reciprocity_weight


def test_sensitivities_of_the_app_store():
    """rho_ij of the specification (C.20); the weight without trust is (1 + omega D) rho."""
    D = np.array([[0, 0.3, 0.2], [0.8, 0, 0.15], [0.85, 0.1, 0]])
    rho = reciprocity_weight(D, 1.0, 1.0, 1.2, 0.0)
    np.testing.assert_allclose(
        [rho[1, 0], rho[2, 0], rho[0, 1], rho[0, 2]], [0.7651, 0.8228, 0.2358, 0.1450], atol=5e-5
    )
    full = coopgym.game("AppleAppStore-v1").mechanisms[1].weight
    np.testing.assert_allclose(full.sum(-1), [0.461, 1.370, 1.451], atol=1e-3)  # as printed in choice C4


@pytest.mark.parametrize("id", coopgym.list_games(report=4))
def test_utility_against_the_whole_history(id):
    game = coopgym.game(id)
    mechanism, rng, state, past = game.mechanisms[1], np.random.default_rng(0), game.reset(), []
    for _ in range(3 * mechanism.window):
        actions = rng.random(game.n) * game.endowment
        rates = actions / game.endowment
        recent = past[-mechanism.window :]
        signal = rates - np.mean(recent, axis=0) if recent else np.zeros(game.n)
        trust = np.minimum(state.trust, 1 - state.damage)
        expected = [
            game.endowment[i]
            * sum(mechanism.weight[i, j] * trust[i, j] * np.tanh(mechanism.response * signal[j]) for j in range(game.n))
            for i in range(game.n)
        ]
        np.testing.assert_allclose(mechanism.utility(state, actions), expected, atol=1e-10)
        past.append(rates)
        state = game.step(state, actions)[0]
        np.testing.assert_allclose(state.extra["memory_mean"], np.mean(past[-mechanism.window :], axis=0))
