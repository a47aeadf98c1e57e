"""Training one agent's seat: who plays the others, what is recorded, and what is left behind."""

import json
import math

import numpy as np
import pytest
import torch

import coopgym
from coopgym import seeding
from coopgym.algorithms import registry
from coopgym.algorithms.evaluation import best_constant
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.policy import FixedPolicy
from coopgym.algorithms.rollout import normals
from coopgym.algorithms.seating import Seat
from coopgym.algorithms.training import planned_run_ids
from coopgym.envs import observation

SMALL = {"total_steps": 400, "lanes": 4, "hidden": (8,), "evaluations": 2, "max_steps": 10}
THREE = "AppleAppStore-v1"


def problem(id, partners, seeds=(0, 1), agent=1, setting=None, **options):
    game = coopgym.game(id, **options)
    modes = (coopgym.RewardMode("private"),) * len(seeds)
    setting = setting or game.default_observability
    return Problem(game, modes, tuple(seeds), setting, torch.device("cpu"), Seat.of(game, agent, partners))


def rollout(made, steps=12, lanes=3):
    generators = made.generators()
    games = made.games(lanes)
    noise = normals(generators, made.game.n, steps, lanes)
    return games.rollout(lambda features, t: (torch.sigmoid(noise[:, :, t]), noise[:, :, t]), steps, states=True)


@pytest.mark.parametrize("partners", ["TitForTat", 0.35, {0: "TitForTat", 2: [0.1, 0.2, 0.3]}])
@pytest.mark.parametrize("setting", ["minimal", "full"])
def test_partners_play_as_in_make_seat_and_what_they_play_is_recorded(partners, setting):
    played = rollout(problem(THREE, partners, setting=setting, max_steps=5))
    own = torch.sigmoid(played.kept[0][:, 1])
    np.testing.assert_allclose(played.rates[:, 1], own, atol=1e-6)
    shown = {0: "TitForTat", 2: 0.3} if isinstance(partners, dict) else partners  # a seat takes no list of rates
    env = coopgym.make_seat(THREE, 1, shown, observability=setting, max_steps=5)
    high = env.game.endowment
    for lane in range(3):
        env.reset(seed=0)
        for t in range(12):
            _, reward, _, over, info = env.step([float(own[1, t, lane]) * high[1]])
            np.testing.assert_allclose(
                played.rates[1, :, t, lane].numpy() * high, info["actions"], rtol=1e-4, atol=1e-4
            )
            np.testing.assert_allclose(played.rewards[1, 1, t, lane], reward, rtol=1e-4)
            if over:
                env.reset()


def test_partners_that_draw_have_a_stream_for_each_replica():
    together = rollout(problem(THREE, "Random", seeds=(5, 6))).rates
    alone = rollout(problem(THREE, "Random", seeds=(6,))).rates
    np.testing.assert_allclose(together[1], alone[0], atol=1e-7)
    assert not torch.allclose(together[0, 0], together[1, 0])
    expected = coopgym.policy("Random", coopgym.game(THREE))
    expected.reseed(seeding.integer(6, "players", 0))
    first = expected.act(np.zeros((3, 3, 4))) / coopgym.game(THREE).endowment
    np.testing.assert_allclose(alone[0, [0, 2], 0], first.T[[0, 2]], atol=1e-6)


def test_a_function_and_a_trained_policy_can_be_partners():
    before = coopgym.train("IPPO", THREE, seeds=[0], reward_modes="private", **SMALL).policies[0]
    nested = coopgym.train("IPPO", THREE, agent=0, partners=before, seeds=[0], reward_modes="private", **SMALL)

    def half(observations):
        assert isinstance(observations, np.ndarray)
        return 0.5 * np.ones(observations.shape[:-1]) * [100.0, 80.0, 60.0]

    for who in (before, nested.policies[0], half):
        made = problem(THREE, {0: who, 2: 0.1}, max_steps=10)
        played = rollout(made)
        game = made.game.to("torch")
        player = coopgym.policy(who, made.game)
        states = played.states
        seen = observation.observe(game, states, player.observability)[:, :-1]
        expected = player.act(seen.numpy()) / made.game.endowment
        np.testing.assert_allclose(played.rates[:, 0], expected[..., 0], atol=1e-5)
        np.testing.assert_allclose(played.rates[:, 2], 0.1, atol=1e-6)


@pytest.mark.parametrize("name", coopgym.list_algorithms("learner"))
def test_every_learner_takes_a_seat_or_says_why_not(name):
    arguments = {
        "agent": coopgym.game(THREE).agents[1],
        "partners": 0.35,
        "seeds": [0],
        "reward_modes": "private",
        "max_steps": 5,
    }
    if name in ("VDN", "QMIX", "SelfPlay_PPO", "FCP", "LOLA"):
        with pytest.raises(ValueError, match="trains all seats together"):
            coopgym.train(name, THREE, total_steps=40, **arguments)
        return
    result = coopgym.train(name, THREE, total_steps=600, hidden=(8,), evaluations=1, **arguments)
    run = result.runs[0]
    assert run.status == "ok" and math.isfinite(run.welfare)
    np.testing.assert_allclose([run.rate[0], run.rate[2]], 0.35, atol=1e-6)
    assert {c["agent"] for c in result.curves if c["metric"] == "grad_norm"} <= {1, -1}


@pytest.fixture(scope="module")
def result():
    partners = {0: "TitForTat", 2: 0.2}
    return coopgym.train("MAPPO", THREE, agent=1, partners=partners, seeds=[3, 1], reward_modes="private", **SMALL)


def test_the_record_names_the_seat_and_claims_no_reference_of_another_problem(result):
    run, agents = result.runs[0], result.game.agents
    recipe = json.loads(run.hyperparameters)
    assert recipe["agent"] == agents[1]
    assert recipe["partners"] == [
        {"seats": [agents[0]], "plays": "TitForTat"}, {"seats": [agents[2]], "plays": [0.2]},
    ]  # fmt: skip
    assert run.best_constant_welfare is run.best_constant_reward is run.efficiency_best_constant is None
    assert run.rate[2] == pytest.approx(0.2)
    assert run.parameters == result.policies[0].own.theta.shape[-1] + parameters_of_critic(result.game)
    everybody = coopgym.train("MAPPO", THREE, seeds=[3], reward_modes="private", **SMALL)
    other = coopgym.train("MAPPO", THREE, agent=1, partners=0.2, seeds=[3], reward_modes="private", **SMALL)
    assert len({run.run_id, everybody.runs[0].run_id, other.runs[0].run_id}) == 3
    planned = planned_run_ids(
        "MAPPO", THREE, reward_modes=["private"], seeds=[3], agent=agents[1], partners=0.2, **SMALL
    )
    assert planned == [other.runs[0].run_id]


def parameters_of_critic(game):
    """Parameters of one critic of the joint observation with one hidden layer of 8."""
    return (Encoder.of(game, "joint").size + 1) * 8 + 9


def test_curves_leave_out_networks_that_nobody_plays(result):
    rows = {(c["metric"], c["agent"]) for c in result.curves}
    assert {agent for metric, agent in rows if metric == "rate"} == {0, 1, 2}
    assert {agent for metric, agent in rows if metric in ("value_loss", "entropy", "reward_scale")} == {1}


def test_policies_seat_the_partners_and_read_back(result, tmp_path):
    result.save(tmp_path / "run")
    stack = coopgym.load_policy(tmp_path / "run")
    first = coopgym.evaluate(stack, result.game, 1)
    np.testing.assert_allclose(first.payoffs, result.evaluate(1).payoffs)
    np.testing.assert_allclose(first.payoffs[1, 0], result.runs[1].payoff)
    result.policies[1].save(tmp_path / "one")
    one = coopgym.load_policy(tmp_path / "one")
    np.testing.assert_allclose(coopgym.evaluate(one, result.game, 1).payoffs[0], result.runs[1].payoff)
    assert one.about["algorithm"] == "MAPPO" and one.name == "MAPPO"
    second = coopgym.train("IPPO", THREE, agent=0, partners=one, seeds=[0], reward_modes="private", **SMALL)
    second.policies[0].save(tmp_path / "nested")
    nested = coopgym.load_policy(tmp_path / "nested")
    np.testing.assert_allclose(coopgym.evaluate(nested, result.game, 1).payoffs[0], second.runs[0].payoff)
    function = coopgym.train(
        "IPPO", THREE, agent=0, partners=lambda x: x[..., 0], seeds=[0], reward_modes="private", **SMALL
    )
    with pytest.raises(TypeError, match="is a function"):
        function.policies[0].save(tmp_path / "function")


def test_the_reference_of_a_seat_is_its_best_constant_among_its_partners():
    game = coopgym.game("GiftExchange-v1", max_steps=5)
    seat = Seat.of(game, 1, "TitForTat")
    best = best_constant(game, seat=seat)["private"]
    env = coopgym.make_seat(game, 1, "TitForTat")
    returns = []
    for level in range(101):
        env.reset(seed=0)
        returns.append(sum(env.step([level / 100.0 * game.endowment[1]])[1] for _ in range(5)))
    assert best["level"] == int(np.argmax(returns))
    assert best["return"] == pytest.approx(max(returns), rel=1e-5)
    assert best["payoff"][1] == pytest.approx(best["return"])


@pytest.mark.parametrize("seen", observation.SETTINGS)
@pytest.mark.parametrize("id", ["PlatformEcosystem-v1", "TrustDilemma-v0"])
def test_narrower_observations_come_out_of_wider_ones(id, seen):
    game = coopgym.game(id)
    rng = np.random.default_rng(0)
    state = game.step(game.reset((4,)), rng.random((4, game.n)) * game.endowment)[0]
    for wanted in observation.SETTINGS[observation.SETTINGS.index(seen) :]:
        rows = observation.narrowed(game, observation.observe(game, state, seen), seen, wanted)
        np.testing.assert_array_equal(rows, observation.observe(game, state, wanted))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agent": 1}, "give both"),
        ({"partners": 0.5}, "give both"),
        ({"agent": 3, "partners": 0.5}, "agent=3"),
        ({"agent": 1, "partners": {0: 0.5}}, "lacks"),
        ({"agent": 1, "partners": {0: 0.5, 1: 0.5, 2: 0.5}}, "whose seat this is"),
        ({"agent": 1, "partners": "TitForTatt"}, "did you mean 'TitForTat'"),
        ({"agent": 1, "partners": 1.5}, "rate"),
    ],
)
def test_seats_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        coopgym.train("IPPO", THREE, **options)
    with pytest.raises(ValueError, match="is a stack"):
        game = coopgym.game(THREE)
        Seat.of(game, 0, FixedPolicy.stack([FixedPolicy(game, 0.1), FixedPolicy(game, 0.2)]))


def test_targets_of_central_critics_take_partners_at_their_word():
    found = registry.algorithm("MADDPG")
    made = found.build(
        problem(THREE, {0: "TitForTat", 2: 0.2}, max_steps=4), found.settings(lanes=4, warmup=4, hidden=(8,), batch=64)
    )
    made.play(3, 0.0)
    made.remember(made.play(4, 0.0))
    sample = made.sample()
    joint = made.as_seated(made.target_rates(sample), sample.next_rates)
    np.testing.assert_array_equal(joint[:, 1], made.target_rates(sample)[:, 1])
    np.testing.assert_allclose(joint[:, 2], 0.2, atol=1e-6)
    np.testing.assert_allclose(joint[:, 0], sample.rates[:, [1, 2]].mean(1), atol=1e-5)  # tit for tat answers them
