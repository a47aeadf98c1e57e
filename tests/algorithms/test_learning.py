"""Does it learn: a known equilibrium, the welfare optimum, a corner, and the yardstick of the best constant."""

import numpy as np
import pytest

import coopgym

# stage game of SLCD, numbers of golden/stage_equilibria_log_payoff.csv: Nash under I, maximiser of the sum of payoffs
NASH = [23.27, 22.49]
OPTIMUM = [28.63, 28.63]


def one_step_actions(result):
    game = result.game
    return [rates[0] * game.endowment for rates in result.evaluate(1).rates]


def test_one_step_slcd_ends_at_the_nash_equilibrium():
    result = coopgym.train(
        "IPPO", "SLCD-v1", max_steps=1, reward_modes=["private"], seeds=[0, 1], total_steps=60_000, hidden=(16,)
    )
    for actions in one_step_actions(result):
        np.testing.assert_allclose(actions, NASH, atol=0.5)


def test_one_step_slcd_with_a_team_reward_ends_at_the_welfare_optimum():
    result = coopgym.train(
        "MAPPO", "SLCD-v1", max_steps=1, reward_modes=["private"], seeds=[0], total_steps=60_000, hidden=(16,),
        team_reward=True,
    )  # fmt: skip
    np.testing.assert_allclose(one_step_actions(result)[0], OPTIMUM, atol=0.5)


@pytest.mark.parametrize("id", ["TrustDilemma-v0", "SLCD-v0"])
def test_mappo_with_a_team_reward_approaches_the_best_constant_of_the_release(id):
    result = coopgym.train("MAPPO", id, reward_modes=["integrated"], seeds=[0], total_steps=96_000, team_reward=True)
    best = result.best_constant["integrated"]["return"]
    assert sum(result.runs[0].reward_integrated) >= 0.97 * best


def test_ippo_finds_a_corner():
    result = coopgym.train("IPPO", "TeamProduction-v1", reward_modes=["cooperative"], seeds=[0], total_steps=96_000)
    assert result.runs[0].efficiency_best_constant > 0.9
