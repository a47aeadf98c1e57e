"""LOLA on games: independence of replicas, units, its two estimators, known equilibria, forty agents, learning."""

import math
from dataclasses import replace

import pytest
import torch
from claims import CLAIMS
from known_games import MODES, Unit

import coopgym
from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.algorithms.rollout import Rerun
from coopgym.algorithms.shaping import draw_others
from coopgym.envs.reward import RewardMode


def learner(game, modes=MODES, seeds=(0, 1, 2), **settings):
    found = algorithm("LOLA", "learner")
    modes = tuple(RewardMode.of(m) for m in modes)
    problem = Problem(game, modes, tuple(seeds), game.default_observability, torch.device("cpu"))
    defaults = {"lanes": 4, "hidden": (8,), "window": 5, "learning_rate": 5e-4}
    return found.build(problem, found.settings(**{**defaults, **settings}))


def trained(game, modes=MODES, seeds=(0, 1, 2), iterations=20, **settings):
    made = learner(game, modes, seeds, **settings)
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


# the second restarts with random numbers in the middle of a window, the third draws whom to shape
CASES = [
    ("TrustDilemma-v1", "dice", {}),
    ("SynergySearch-v1", "exact", {"max_steps": 4, "window": 3}),
    ("IndirectReciprocity-v1", "exact", {"opponents": 2, "window": 2}),
    ("PlatformEcosystem-v1", "dice", {"opponents": 2}),
]


@pytest.mark.parametrize(("id", "estimator", "options"), CASES)
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(id, estimator, options):
    settings = dict(options)
    game = coopgym.game(id, **({"max_steps": settings.pop("max_steps")} if "max_steps" in settings else {}))
    together = trained(game, **settings)
    assert together.estimator == estimator and together.updates == 20 and together.alive.all()
    for r in range(3):
        alone = trained(game, MODES[r : r + 1], (r,), **settings)
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = trained(game, MODES[::-1], (2, 1, 0), **settings)
    again = trained(game, **settings)
    for key, theta in together.parameters.items():
        torch.testing.assert_close(turned.parameters[key].flip(0), theta, atol=1e-6, rtol=1e-6)
        assert torch.equal(again.parameters[key], theta)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SLCD-v1"])
def test_learning_does_not_feel_the_unit_of_payoffs(id):
    game = coopgym.game(id, max_steps=20)
    thetas = []
    for factor in (1.0, 1e3, 1e6):
        scaled = replace(game, mechanisms=(*game.mechanisms, Unit(factor)))
        thetas.append(trained(scaled, ("private",), (3,)).parameters["actor"])
    for theta in thetas[1:]:
        torch.testing.assert_close(theta, thetas[0], atol=1e-3, rtol=0.0)


@pytest.mark.parametrize("estimator", ["auto", "exact"])
def test_forty_agents_stay_finite(estimator):
    game = coopgym.game("ApacheProject-v0", max_steps=10)
    lanes = 4 if estimator == "auto" else 1
    made = trained(game, ("integrated",), (0,), 1, window=2, opponents=1, estimator=estimator, lanes=lanes)
    assert made.estimator == {"auto": "dice", "exact": "exact"}[estimator]
    assert made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


def test_a_pass_keeps_no_more_than_its_share_and_pieces_make_no_difference(monkeypatch):
    made = learner(coopgym.game("IndirectReciprocity-v1"), opponents=2)
    rollout = made.play()
    others = draw_others(4, 2, made.generators)
    whole = made.gradient(rollout, others)
    monkeypatch.setattr("coopgym.algorithms.lola.NUMBERS", {"cpu": 1})
    assert [w.stop - w.start for w in made._some_worlds(12, 2)] == [1] * 12
    torch.testing.assert_close(made.gradient(rollout, others), whole, atol=1e-5, rtol=1e-4)


# --- the two estimators ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("id", "steps"), [("SynergySearch-v1", 3), ("SLCD-v1", 100), ("TrustDilemma-v1", 4)])
def test_a_replay_of_the_same_policy_is_what_was_played(id, steps):
    made = learner(coopgym.game(id, max_steps=steps), window=7, estimator="exact")
    made.play()
    rollout = made.play()
    replica = torch.tensor([2, 0])
    theta = made.parameters["actor"][replica]
    z, mean = (x.clone() for x in rollout.kept)
    noise = (z - mean) * torch.exp(-gaussian.bounded_log_std(made.actor.free_parameters(made.parameters["actor"])))[
        ..., None
    ]
    rewards = made._played_again(Rerun(made.games, rollout, replica), theta, noise[replica])
    torch.testing.assert_close(rewards, rollout.rewards[replica], atol=1e-3, rtol=1e-4)


def test_without_look_ahead_exact_is_the_gradient_of_the_agents_own_value():
    made = learner(coopgym.game("SLCD-v1"), look_ahead=0.0)
    rollout = made.play()
    theta = made.parameters["actor"].clone().requires_grad_()
    values = made.exact_values(rollout, torch.arange(3))(theta.unsqueeze(1))[:, 0]
    shaped = made.gradient(rollout, draw_others(2, 4, made.generators))
    for i in (0, 1):
        (naive,) = torch.autograd.grad(values[:, i].sum(), theta, retain_graph=True)
        torch.testing.assert_close(shaped[:, i], naive[:, i], atol=1e-6, rtol=1e-5)


def test_the_two_estimators_agree_on_the_mean():
    """One step, many lanes: both estimate the same gradient by the bias of the head, where nothing else is noisy."""
    game = coopgym.game("SLCD-v1", max_steps=1)
    slopes = {}
    for estimator in ("exact", "dice"):
        made = learner(game, ("private",), (0,), lanes=20_000, window=1, estimator=estimator, look_ahead=0.0)
        made.play()
        if estimator == "exact":
            rollout = made.play()
            made.reward_scale.update(rollout.rewards, rollout.truncated)
            gradient = made.gradient(rollout, draw_others(2, 4, made.generators))
        else:
            gradient = made._dice(made.play(), draw_others(2, 4, made.generators))[0]
        slopes[estimator] = made.actor.layers(gradient)[-1][1].flatten()
    assert slopes["exact"].abs().min() > 0.01
    torch.testing.assert_close(slopes["dice"], slopes["exact"], rtol=0.1, atol=0.0)


def test_auto_chooses_by_the_game_and_the_policy_says_so():
    for id, estimator in (("SLCD-v1", "exact"), ("TrustDilemma-v1", "dice"), ("LoyaltyTeam-v1", "dice")):
        result = coopgym.train("LOLA", id, seeds=[0], reward_modes="private", total_steps=8, window=2, lanes=4)
        assert result.policies[0].about["estimator"] == estimator and result.settings.estimator == "auto"
        assert result.policies[0].about["shaped_opponents"] == min(4, result.game.n - 1)


def test_team_reward_is_everybodys_in_the_replay_too():
    game = coopgym.game("SLCD-v1")
    gradients = []
    for modes, team in ((("private",), True), (("cooperative",), False)):
        made = learner(game, modes, (0,), team_reward=team)
        rollout = made.play()
        made.reward_scale.update(rollout.rewards, rollout.truncated)
        gradients.append(made.gradient(rollout, draw_others(2, 4, made.generators)))
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=1e-3)  # in units of its own, the mean is as good as the sum


# --- learning --------------------------------------------------------------------------------------------------------


def test_one_step_slcd_without_look_ahead_ends_at_the_nash_equilibrium():
    CLAIMS["LOLA: Nash"].holds()


def test_it_approaches_the_best_constant_by_dice():
    CLAIMS["LOLA: TrustDilemma-v1"].holds()


def test_it_approaches_the_best_constant_through_the_game():
    CLAIMS["LOLA: SLCD-v1"].holds()


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"window": 0}, "window=0"),
        ({"look_ahead": -0.1}, "look_ahead=-0.1"),
        ({"look_ahead": math.nan}, "look_ahead=nan"),
        ({"opponents": 0}, "opponents=0"),
        ({"max_correction": -1.0}, "max_correction"),
        ({"estimator": "exakt"}, "did you mean 'exact'"),
        ({"objective": "continuing"}, "objective"),
        ({"lanes": 5}, "lanes=5"),
        ({"lanes": 2, "estimator": "dice"}, "lanes=2"),
    ],
)
def test_bad_settings_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        algorithm("LOLA", "learner").settings(**bad)


def test_exact_values_need_no_halves():
    assert algorithm("LOLA", "learner").settings(lanes=1, estimator="exact").lanes == 1
