"""The rules of the oracle room: bounded reciprocity, and rules in trust that answer themselves."""

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.policy import SchedulePolicy
from coopgym.algorithms.trust_rule import TrustRule
from coopgym.envs.reward import RewardMode
from coopgym.oracles.bounded_reciprocity import law, path
from coopgym.oracles.result import RefusedError
from coopgym.oracles.trust_aware import best_rule, iterate, returns


def steady(game, rates):
    return np.column_stack([rates, np.zeros((game.n, 2))])


# --- bounded reciprocity --------------------------------------------------------------------------------------------


def test_the_first_steps_follow_the_law():
    game = coopgym.game("ReciprocalDilemma-v1")  # w = 1 (1 + .6 .5) .5, trust .5 that rises with a > b = 30
    played = path(game)
    assert played[0].tolist() == [50.0, 50.0]
    assert played[1] == pytest.approx([49.0, 49.0])  # nothing to compare with yet: a twentieth of the way to 30
    trust = 0.5 + 0.10 * np.tanh(10 * 20 / 100) * 0.5
    trust += 0.10 * np.tanh(10 * 19 / 100) * (1 - trust)
    answer = 0.65 * trust * np.tanh(0.49 - 0.50)
    assert played[2] == pytest.approx(49.0 + 0.12 * 100 * answer - 0.05 * 19.0, rel=1e-12)


def test_it_comes_to_rest_at_the_baseline_and_starts_every_episode_alike():
    game = coopgym.game("GiftExchange-v1")
    act = law(game)
    first = act(game.reset())
    assert path(game)[-1] == pytest.approx(game.baseline, abs=0.2)
    assert np.array_equal(act(game.reset()), first)


def test_a_game_without_reciprocity_is_refused():
    with pytest.raises(RefusedError, match=r"SLCD-v1 has no reciprocity.*TR-4"):
        path(coopgym.game("SLCD-v1"))


# --- schedules as policies ------------------------------------------------------------------------------------------


def test_a_schedule_plays_its_rates_through_every_face_and_can_be_saved(tmp_path):
    game = coopgym.game("GiftExchange-v1", max_steps=12)
    rates = np.random.default_rng(0).random((12, 2))
    policy = SchedulePolicy(game, rates, "Plan")
    played = coopgym.evaluate(policy, game, episodes=1)
    np.testing.assert_allclose(played.rates[0], rates.mean(0))
    env, total = coopgym.make_parallel(game), np.zeros(2)
    env.reset(seed=0)
    for t in range(12):
        _, _, _, _, infos = env.step({name: rates[t, i] * game.endowment[i] for i, name in enumerate(game.agents)})
        total += [infos[name]["payoff"] for name in game.agents]
    np.testing.assert_allclose(played.payoffs[0], total)
    policy.save(tmp_path / "plan")
    loaded = coopgym.load_policy(tmp_path / "plan")
    assert np.array_equal(loaded.rates, rates) and loaded.name == "Plan"


@pytest.mark.parametrize(
    ("rates", "message"), [(np.zeros((3, 2)), r"give \(12, 2\)"), (np.full((12, 2), 1.5), "outside")]
)
def test_rates_that_do_not_fit_are_refused(rates, message):
    with pytest.raises(ValueError, match=message):
        SchedulePolicy(coopgym.game("GiftExchange-v1", max_steps=12), rates)


# --- trust ----------------------------------------------------------------------------------------------------------


def test_a_rule_as_a_policy_earns_what_the_search_says():
    game = coopgym.game("PlatformEcosystem-v1")
    coefficients = np.random.default_rng(1).normal(0.3, 0.1, (game.n, 3))
    played = coopgym.evaluate(TrustRule(game, coefficients), game, episodes=1)
    for mode in ("private", "integrated", "cooperative"):
        np.testing.assert_allclose(played.rewards[mode][0], returns(game, RewardMode(mode), coefficients[None])[0])


def test_without_anything_at_stake_but_the_stage_the_best_rule_is_the_best_answer():
    game = coopgym.game("SLCD-v1", max_steps=20)  # private payoffs do not depend on trust
    profile = steady(game, [0.22494, 0.23265])
    rule, value = best_rule(game, RewardMode("private"), profile, 0, wide=True)
    assert rule[0] == pytest.approx(0.232, abs=0.01)
    constants = steady(game, [0.0, 0.23265])[None].repeat(1001, 0)
    constants[:, 0, 0] = np.linspace(0.0, 1.0, 1001)
    assert value >= returns(game, RewardMode("private"), constants)[:, 0].max() - 1e-6


def test_rules_that_have_settled_leave_nothing_to_gain_by_another_rule():
    game = coopgym.game("PartnerHoldUp-v1")
    found = iterate(game, RewardMode("integrated"), steady(game, game.baseline / game.endowment))
    value = returns(game, RewardMode("integrated"), found.coefficients[None])[0]
    assert found.trace[-1] < 1e-3
    assert (found.gains <= 1e-4 * np.abs(value)).all() and (found.gains >= -1e-9).all()
