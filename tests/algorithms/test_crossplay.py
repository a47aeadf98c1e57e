"""Strangers at one table: who sits where, what each is paid, and which pairs are refused."""

import numpy as np
import pytest
from known_games import trained

import coopgym
from coopgym.algorithms.crossplay import SeatMix, crossplay
from coopgym.algorithms.policy import FixedPolicy


def test_crossplay_of_constants():
    game = coopgym.game("AppleAppStore-v1")
    found = crossplay(FixedPolicy(game, 0.2), FixedPolicy(game, 0.7), game)
    for i in range(3):
        rates = np.full(3, 0.7)
        rates[i] = 0.2
        assert found[i] == pytest.approx(coopgym.evaluate(FixedPolicy(game, rates), game, 1).payoffs[0, i])


def test_crossplay_of_an_agent_with_a_pool_and_of_pairs():
    game = coopgym.game("SLCD-v1", max_steps=8)
    settings = {"lanes": 6, "hidden": (16,), "epochs": 2, "minibatches": 2, "learning_rate": 5e-4, "pool": 2}
    made = trained("FCP", game, ("private", "cooperative"), (0, 1), iterations=3, **settings)
    agents, pool = made.policy(), made.checkpoints(0)
    with_pool = crossplay(agents[0], pool, game)
    assert with_pool.shape == (6, 2)
    np.testing.assert_allclose(crossplay(agents[0], pool[4], game), with_pool[4], rtol=1e-6)
    itself = crossplay(agents, agents, game)
    np.testing.assert_allclose(itself, coopgym.evaluate(agents, game, 1).payoffs[:, 0], rtol=1e-6)
    noisy = crossplay(agents[0], pool, game, 4, deterministic=False)
    assert noisy.shape == (6, 2) and (noisy != with_pool).any()


def test_strangers_that_cannot_sit_at_one_table_are_refused():
    game = coopgym.game("SLCD-v1")
    one, stack = FixedPolicy(game, 0.2), FixedPolicy.stack([FixedPolicy(game, 0.2)] * 3)
    with pytest.raises(ValueError, match="play one game"):
        SeatMix(one, FixedPolicy(coopgym.game("TrustDilemma-v1"), 0.2), [True, False])
    with pytest.raises(ValueError, match="see the same"):
        SeatMix(one, FixedPolicy(game, 0.2, observability="full"), [True, False])
    with pytest.raises(ValueError, match="seats"):
        SeatMix(one, one, [True])
    with pytest.raises(ValueError, match="paired"):
        SeatMix(stack, FixedPolicy.stack([one] * 2), [True, False])
