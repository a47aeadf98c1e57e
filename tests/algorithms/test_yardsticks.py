"""Learners reach the best constant on the games of the release with a sixth of the standard budget."""

import pytest

import coopgym

GAMES = ("TrustDilemma-v0", "SLCD-v0", "ReciprocalDilemma-v0")


def share(name, game, steps, **options):
    result = coopgym.train(name, game, reward_modes=["integrated"], seeds=[0], total_steps=steps, **options)
    return sum(result.runs[0].reward_integrated), result.best_constant["integrated"]["return"]


@pytest.mark.parametrize("game", GAMES)
def test_mappo_with_a_team_reward_reaches_the_best_constant(game):
    reached, best = share("MAPPO", game, 400_000, team_reward=True, epochs=5)
    assert reached >= 0.995 * best


@pytest.mark.parametrize("game", GAMES)
def test_vdn_on_41_bins_comes_as_near_as_bins_allow(game):
    # without replay returns reach further by themselves (trace), and a longer discount ends 0.2 % lower on SLCD
    reached, best = share("VDN", game, 150_000, pqn=True, bins=41, discount=0.9)
    assert reached >= 0.985 * best
