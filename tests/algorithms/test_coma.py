"""COMA: independence of replicas, units, ends, its baseline, its gradient, and games with known answers."""

import math
from dataclasses import replace

import pytest
import torch
from claims import CLAIMS
from known_games import MODES, Unit, learner, trained

import coopgym
from coopgym.algorithms.coma import COMASettings

SMALL = {"lanes": 4, "hidden": (16,), "learning_rate": 5e-4, "critic_rate": 1e-3, "discount": 0.9}


def small(game, modes=MODES, seeds=(0, 1, 2), iterations=20, **settings):
    return trained("COMA", game, modes, seeds, iterations, **{**SMALL, **settings})


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(id):
    game = coopgym.game(id, max_steps=12)
    together = small(game)
    assert together.updates == 20
    for r in range(3):
        alone = small(game, MODES[r : r + 1], (r,))
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = small(game, MODES[::-1], (2, 1, 0))
    for key, theta in turned.parameters.items():
        assert torch.equal(together.parameters[key].flip(0), theta)
    again = small(game)
    assert all(torch.equal(again.parameters[key], theta) for key, theta in together.parameters.items())


def test_learning_does_not_feel_the_unit_of_payoffs():
    game = coopgym.game("TrustDilemma-v1", max_steps=20)
    thetas = [
        small(replace(game, mechanisms=(*game.mechanisms, Unit(factor))), ("private",), (3,)).parameters["actor"]
        for factor in (1.0, 1e3, 1e6)
    ]
    for theta in thetas[1:]:
        torch.testing.assert_close(theta, thetas[0], atol=1e-3, rtol=0.0)


def test_forty_agents_stay_finite():
    made = small(coopgym.game("ApacheProject-v0", max_steps=10), ("integrated",), (0,), iterations=2)
    assert made.updates == 2 and made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


# --- the counterfactual ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_the_advantage_is_that_over_what_the_policy_would_have_played(epsilon):
    made = small(coopgym.game("SLCD-v1", max_steps=8), bins=5, epsilon=epsilon, final_epsilon=epsilon)
    batch = made.estimate(made.play())
    rows = slice(None)
    got = made.advantages(rows, batch)
    with torch.no_grad():
        logits = made.actor(made.parameters["actor"], batch.features) @ made.spread
        policy = (1.0 - epsilon) * torch.softmax(logits, -1) + epsilon / 5
        values = made.critic(made.parameters["critic"], batch.inputs) @ made.spread
    r, i, b = 2, 1, 7
    k = int(batch.z[r, i, b])
    by_hand = values[r, i, b, k].item() - sum(policy[r, i, b, j].item() * values[r, i, b, j].item() for j in range(5))
    assert got[r, i, b].item() == pytest.approx(by_hand, abs=1e-5)
    every = torch.stack([made.advantages(rows, batch._replace(z=torch.full_like(batch.z, k))) for k in range(5)], -1)
    assert every.abs().max() > 1e-3
    torch.testing.assert_close((policy * every).sum(-1), torch.zeros_like(got), atol=1e-5, rtol=0.0)


def test_a_critic_sees_the_others_rates_and_not_its_own():
    made = small(coopgym.game("PlatformEcosystem-v1", max_steps=8), iterations=1)
    rollout = made.play()
    inputs = made.critic_inputs(rollout.features, rollout.states, rollout.rates)
    for i in range(5):
        others = [j for j in range(5) if j != i]
        wanted = 2.0 * rollout.rates[:, others].movedim(1, -1) - 1.0
        torch.testing.assert_close(inputs[:, i, :-1, :, -4:], wanted)
    assert ((inputs[..., -4:] + 1.0) * 10.0 - ((inputs[..., -4:] + 1.0) * 10.0).round()).abs().max() < 1e-4


@pytest.mark.parametrize("epsilon", [0.0, 0.4])
def test_the_gradient_is_that_of_the_mixture_that_is_played(epsilon):
    made = learner("COMA", coopgym.game("SLCD-v1", max_steps=5), ("private",), (0,), bins=3,
                   epsilon=epsilon, **SMALL)  # fmt: skip
    batch = made.estimate(made.play())
    batch = type(batch)(*(x.clone() for x in batch))._replace(advantages=torch.randn(batch.z.shape))
    theta = made.parameters["actor"].detach().clone().requires_grad_()
    loss, _ = made.loss({"actor": theta}, batch, 0.0)
    (gradient,) = torch.autograd.grad(loss, theta)
    with torch.no_grad():
        p = torch.softmax(made.actor(theta, batch.features) @ made.spread, -1)
        one = torch.nn.functional.one_hot(batch.z.long(), 3).float()
        chosen = (p * one).sum(-1, keepdim=True)
        # d log((1 - e) p_k + e / K) / d logits = (1 - e) p_k (1_k - p) / ((1 - e) p_k + e / K)
        score = (1.0 - epsilon) * chosen * (one - p) / ((1.0 - epsilon) * chosen + epsilon / 3)
        wanted = -((batch.advantages.unsqueeze(-1) * score) @ made.spread.T).mean(2)
    torch.testing.assert_close(made.actor.layers(gradient)[-1][1].reshape(1, 2, 4), wanted, atol=1e-5, rtol=1e-4)


# --- ends of episodes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", [1e6, math.inf, math.nan])
def test_nothing_leaks_over_an_end(poison):
    """Eight steps are two episodes; only what is seen after the second end, which nothing follows, is spoilt."""
    targets = []
    for spoil in (False, True):
        made = small(coopgym.game("SLCD-v1", max_steps=4), iterations=1)
        rollout = made.play()
        assert rollout.truncated[0, 0, :, 0].tolist() == [False, False, False, True] * 2
        if spoil:
            seen = rollout.features.clone()
            seen[:, :, -1] = poison
            rollout = rollout._replace(features=seen)
        targets.append(made.estimate(rollout).targets)
        assert made.alive.all()
    assert torch.equal(*targets)


def test_a_piece_of_an_episode_is_worth_what_the_target_critic_says_comes_after():
    made = small(coopgym.game("SLCD-v1", max_steps=20), iterations=1, trace=1.0, rollout_steps=4)
    rollout, kept = made.play(), []
    made.reward_scale.update = made.popart.update = lambda *_: None
    states = [g.get_state() for g in made.generators]
    for theta in (made.parameters["critic"], made.targets):
        for g, state in zip(made.generators, states, strict=True):
            g.set_state(state)
        before = made.estimate(rollout).targets
        made.critic.layers(theta)[-1][1].add_(1.0)
        for g, state in zip(made.generators, states, strict=True):
            g.set_state(state)
        kept.append((made.estimate(rollout).targets - before).reshape(3, 2, 4, 4).abs().amax((0, 1, 3)))
    assert (kept[0] == 0.0).all() and (kept[1] > 0.1).all()


def test_a_continuing_objective_runs():
    made = small(coopgym.game("TrustDilemma-v1", max_steps=6), iterations=4, objective="continuing")
    assert made.alive.all()


# --- learning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("team_reward", [False, True])
def test_a_bandit_teaches_one_agent_all_and_the_other_nothing(team_reward):
    CLAIMS[f"COMA team_reward={team_reward}: bandit"].holds()


def test_what_pays_later_is_chosen_first():
    CLAIMS["COMA: later"].holds()


def test_one_step_slcd_with_a_team_reward_ends_at_the_welfare_optimum():
    CLAIMS["COMA: optimum"].holds()


def test_it_comes_near_the_best_constant():
    CLAIMS["COMA: TrustDilemma-v1"].holds()


def test_its_record_says_what_it_is():
    result = coopgym.train("COMA", "TrustDilemma-v1", reward_modes=["private"], seeds=[0], total_steps=1, evaluations=1)
    run = result.runs[0]
    assert (run.bins, run.action_kind, run.team_reward, run.paradigm) == (21, "bins", False, "centralised_critic")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"bins": 1}, "bins"),
        ({"minibatches": 0}, "minibatches"),
        ({"critic_rate": 0.0}, "critic_rate"),
        ({"polyak": 0.0}, "polyak"),
        ({"epsilon": 1.1}, "epsilon"),
        ({"trace": -0.1}, "trace"),
        ({"rollout_steps": 0}, "rollout_steps"),
    ],
)
def test_bad_settings_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        COMASettings(**bad)


def test_settings_of_gaussian_policies_are_not_coma_s():
    with pytest.raises(TypeError, match="initial_log_std"):
        coopgym.train("COMA", "SLCD-v1", total_steps=100, initial_log_std=-1.0)
