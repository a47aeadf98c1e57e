"""Playing policies: the released constants, episodes that end early, hidden parameters, shapes."""

import csv
from collections import defaultdict

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.evaluation import best_constant, quasi_random
from coopgym.envs.catalogue import list_games
from coopgym.envs.reward import RewardMode


@pytest.fixture(scope="module")
def constants(golden):
    rows = defaultdict(dict)
    with (golden / "v0_constant_policies.csv").open() as file:
        for row in csv.DictReader(file):
            rows[row["environment"], row["reward_mode"]][int(row["level_percent"])] = row
    return rows


COLUMNS = ("return_sum", "sum_private_payoff", "steps", "final_mean_trust")
# Levels whose scores run exactly onto a threshold. The table was computed with scores in double precision; the release,
# and the recorded arrays that the kernel reproduces, keep them in single precision and cross it a step apart.
KNIFE_EDGE = {"ReputationMarket-v0": (0, 40, 45, 55, 56, 60, 65, 70, 75, 80), "CoalitionFormation-v0": (22, 25, 45)}


@pytest.mark.parametrize("id", list_games(version="v0"))
def test_released_constants_have_their_recorded_returns(id, constants):
    # the table was made with gamma fixed at 0.55
    game = coopgym.game(id, **({"gamma_range": (0.55, 0.55)} if id == "SynergySearch-v0" else {}))
    # the release takes levels of the largest endowment and clips: the same rates as ours only for equal endowments
    levels = np.arange(101) / 100.0 * game.endowment.max()
    played = coopgym.evaluate([np.minimum(level / game.endowment, 1.0).tolist() for level in levels], game, episodes=1)
    for mode in ("private", "integrated", "cooperative"):
        rows = [constants[id, mode][level] for level in range(101)]
        recorded = {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS}
        sure = np.array([level not in KNIFE_EDGE.get(id, ()) for level in range(101)])
        returns = played.returns(mode)[:, 0]
        np.testing.assert_allclose(returns[sure], recorded["return_sum"][sure], rtol=1e-5)
        np.testing.assert_allclose(returns, recorded["return_sum"], rtol=1e-2)
        np.testing.assert_allclose(played.welfare[:, 0], recorded["sum_private_payoff"], rtol=1e-5)
        np.testing.assert_array_equal(played.lengths[:, 0], recorded["steps"])
        np.testing.assert_allclose(played.final_trust[:, 0], recorded["final_mean_trust"], atol=2e-6)


@pytest.mark.parametrize("id", ["TrustDilemma-v0", "ReciprocalDilemma-v0", "LoyaltyTeam-v0"])
def test_best_constant_is_the_recorded_one(id, constants):
    best = best_constant(id)
    for mode, row in best.items():
        recorded = {level: float(r["return_sum"]) for level, r in constants[id, mode].items()}
        assert row["return"] == pytest.approx(max(recorded.values()), rel=1e-5)
        assert recorded[row["level"]] == pytest.approx(max(recorded.values()), rel=1e-5)


def test_best_constant_of_a_mixed_mode():
    half = RewardMode("integrated", 0.5)
    best = best_constant("AppleAppStore-v1", reward_modes=[half, "private"])
    assert list(best) == ["private", "integrated", "cooperative", "integrated(0.5)"]
    level = best["integrated(0.5)"]["level"]
    played = coopgym.evaluate(level / 100.0, "AppleAppStore-v1", 1, reward_modes=[half])
    assert best["integrated(0.5)"]["return"] == pytest.approx(float(played.returns(half)[0]))
    assert best["private"]["level"] < best["integrated"]["level"]
    assert best["private"]["level"] <= level <= best["integrated"]["level"]


def test_an_episode_that_ends_early_is_counted_until_its_end():
    game = coopgym.game("TrustDilemma-v1")
    played = coopgym.evaluate([[0.0, 0.0], 0.5], game, episodes=1)
    state, total, steps = game.reset(), np.zeros(2), 0
    while True:
        state, payoffs, ended = game.step(state, np.zeros(2))
        total, steps = total + payoffs, steps + 1
        if ended:
            break
    np.testing.assert_allclose(played.payoffs[0, 0], total)
    assert played.lengths[:, 0].tolist() == [steps, 100.0]
    assert played.ended_by[:, 0].tolist() == ["trust_lost", "time_limit"]
    np.testing.assert_allclose(played.rates[1, 0], 0.5)
    assert played.above_baseline[:, 0].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert coopgym.evaluate(1.0, "RecoveryRace-v1", 1).ended_by[0] == "target_reached"


def test_rewards_of_every_mode_and_any_mutuality():
    game = coopgym.game("SLCD-v1")
    played = coopgym.evaluate([0.2, 0.6], game, 1, reward_modes=[RewardMode("cooperative", 0.5)])
    private, shared = played.rewards["private"], played.rewards["cooperative"]
    np.testing.assert_allclose(private, played.payoffs)
    np.testing.assert_allclose(shared, played.payoffs.mean(-1, keepdims=True) + 0.0 * shared)
    np.testing.assert_allclose(played.rewards["cooperative(0.5)"], 0.5 * (private + shared))
    coupling = np.array([[0.0, 0.64], [0.86, 0.0]])
    np.testing.assert_allclose(played.rewards["integrated"], private + private @ coupling.T)


def test_shapes_with_and_without_an_axis_of_policies():
    one = coopgym.evaluate("TitForTat", "PublicGoods-v1", episodes=4)
    several = coopgym.evaluate(["TitForTat", "Constant_10", "Random"], "PublicGoods-v1", episodes=4)
    n = coopgym.game("PublicGoods-v1").n
    assert one.payoffs.shape == (4, n) and several.payoffs.shape == (3, 4, n)
    np.testing.assert_allclose(several.welfare[0], one.welfare)
    assert several.policies == ("TitForTat", "Constant_10", "Random")
    assert one.repeated and not several.repeated
    assert several.welfare[2].std() > 0 and several.welfare[1].std() == 0
    again = coopgym.evaluate("Random", "PublicGoods-v1", episodes=4)
    np.testing.assert_array_equal(again.payoffs, several.payoffs[2])
    assert set(one.summary()) >= {"welfare", "return_integrated", "cooperation", "final_trust", "length"}


def test_the_hidden_parameter_takes_an_even_grid():
    grid = quasi_random(64, 1)[:, 0]
    np.testing.assert_allclose(np.diff(np.sort(grid)), 1 / 64)
    plane = quasi_random(100, 2)
    assert all(25 - 6 <= ((plane < 0.5).sum(-1) == k).sum() * (1 if k != 1 else 0.5) <= 25 + 6 for k in (0, 1, 2))
    played = coopgym.evaluate("Constant_50", "SynergySearch-v1", episodes=64)
    assert np.unique(played.welfare).size == 64 and not played.repeated
    # payoffs are linear in gamma and the grid is even, so its mean is the payoff at the middle of the range
    game = coopgym.game("SynergySearch-v1")
    state, total = game.reset(), 0.0
    for _ in range(game.horizon):
        state, payoffs, _ = game.step(state, 0.5 * game.endowment)
        total += payoffs.sum()
    assert played.welfare.mean() == pytest.approx(total, rel=1e-9)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="episodes=0"):
        coopgym.evaluate("Random", "SLCD-v1", episodes=0)
    with pytest.raises(ValueError, match="did you mean 'SLCD-v1'"):
        coopgym.evaluate("Random", "SLDC-v1")
    with pytest.raises(ValueError, match="reward_mode"):
        coopgym.evaluate("Random", "SLCD-v1", episodes=1, reward_modes=["selfish"])
