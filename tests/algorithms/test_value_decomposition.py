"""VDN and QMIX: independence of replicas, ends, units, what mixing may do, and games with known answers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from claims import CLAIMS
from known_games import MODES, Unit, learner, trained

import coopgym
from coopgym.algorithms import bins
from coopgym.algorithms.registry import algorithm

NAMES = ["VDN", "QMIX"]
FORMS = [(name, pqn) for name in NAMES for pqn in (False, True)]
SMALL = {"lanes": 4, "hidden": (16, 16), "batch": 16, "warmup": 50, "replay_steps": 60, "learning_rate": 1e-3}


def small(name, game, modes=MODES, seeds=(0, 1, 2), iterations=1, **settings):
    return trained(name, game, modes, seeds, iterations, **{**SMALL, **settings})


# --- replicas, seeds, units, size -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "pqn"), FORMS)
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(name, pqn, id):
    game = coopgym.game(id, max_steps=25)
    together = small(name, game, pqn=pqn)
    assert together.updates >= 20
    for r in range(3):
        alone = small(name, game, MODES[r : r + 1], (r,), pqn=pqn)
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = small(name, game, MODES[::-1], (2, 1, 0), pqn=pqn)
    for key, theta in turned.parameters.items():
        assert torch.equal(together.parameters[key].flip(0), theta)


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_same_seeds_same_parameters(name, pqn):
    game = coopgym.game("GiftExchange-v1", max_steps=25)
    first, again = (small(name, game, pqn=pqn) for _ in range(2))
    other = small(name, game, seeds=(5, 6, 7), pqn=pqn)
    for key, theta in first.parameters.items():
        assert torch.equal(theta, again.parameters[key]) and not torch.equal(theta, other.parameters[key])


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_learning_does_not_feel_the_unit_of_payoffs(name, pqn):
    game = coopgym.game("TrustDilemma-v1", max_steps=20)
    thetas = [
        small(name, replace(game, mechanisms=(*game.mechanisms, Unit(factor))), ("private",), (3,), pqn=pqn)
        for factor in (1.0, 1e3, 1e6)
    ]
    for other in thetas[1:]:
        for key, theta in other.parameters.items():
            torch.testing.assert_close(theta, thetas[0].parameters[key], atol=1e-3, rtol=0.0)


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_forty_agents_stay_finite(name, pqn):
    game = coopgym.game("ApacheProject-v0", max_steps=10)
    made = small(name, game, ("integrated",), (0,), lanes=1, hidden=(8,), batch=4, pqn=pqn, play_steps=35, epochs=1)
    assert made.updates > 0 and made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("objective", ["finite", "continuing"])
def test_goals_use_the_present_choice_and_the_targets_value_unless_nothing_follows(name, objective):
    game = coopgym.game("SLCD-v1", max_steps=5)
    made = small(name, game, objective=objective)
    sample = made.sample()
    assert sample.alive.all() == (objective == "continuing")
    with torch.no_grad():
        best = made.values(made.parameters, sample.next_features).argmax(-1, keepdim=True)
        values = made.values(made.targets, sample.next_features).gather(-1, best).squeeze(-1)
        total = made.mix(made.targets, values, sample.next_state).unsqueeze(1)
        worth = made.popart.restore(total.expand(-1, 2, -1)) * sample.next_worth * sample.alive
        wanted = (sample.rewards / made.reward_scale.sigma.unsqueeze(-1) + sample.discount * worth) / sample.worth
        got = made.popart.restore(made.goals(sample))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)
    for poison in (1e6, math.nan):  # what was seen after an end must not matter
        clean_one, dirty_one = (small(name, game, objective=objective) for _ in range(2))
        clean = clean_one.sample()
        where = (~clean.alive).unsqueeze(-1)
        dirty = clean._replace(
            next_features=torch.where(where, poison, clean.next_features),
            next_state=torch.where(where, poison, clean.next_state),
        )
        assert torch.equal(clean_one.goals(clean), dirty_one.goals(dirty)) and dirty_one.alive.all()


@pytest.mark.parametrize("trace", [0.0, 0.7, 1.0])
def test_q_lambda_is_a_mean_of_returns_of_every_length_and_stops_at_an_end(trace):
    made = small("VDN", coopgym.game("SLCD-v1", max_steps=4), pqn=True, trace=trace, play_steps=6, discount=0.9)
    rollout = made.play(6, 0.5)  # ends after the fourth step, and the last two are of another episode
    with torch.no_grad():
        after = made.games.features(rollout.final)
        greedy = made.values(made.parameters, after.flatten(2, 3)).amax(-1).sum(1, keepdim=True)
        greedy = made.popart.restore(greedy.expand(-1, 2, -1)).reshape(after.shape[:-1])
        worth = torch.tensor([2.71, 1.9, 1.0, 0.0, 2.71, 1.9])  # of the steps after each
        following = greedy * worth[:, None]
    made.measure = lambda *_: None
    goals = made.estimate(rollout)[-1]
    got = made.popart.restore(goals).reshape(3, 2, 6, 4)
    rewards = rollout.rewards.sum(1, keepdim=True).expand_as(rollout.rewards) / made.reward_scale.sigma[..., None, None]
    wanted = torch.empty_like(got)
    for t in reversed(range(6)):
        tail = following[:, :, t]
        if t not in (3, 5):
            tail = (1.0 - trace) * following[:, :, t] + trace * wanted[:, :, t + 1]
        wanted[:, :, t] = rewards[:, :, t] + 0.9 * tail * (t != 3)
    now = torch.tensor([3.439, 2.71, 1.9, 1.0, 3.439, 2.71])
    torch.testing.assert_close(got, wanted / now[:, None], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("poison", [1e6, math.nan])
def test_without_replay_nothing_leaks_over_an_end_either(name, poison):
    goals = []
    for spoil in (False, True):
        made = small(name, coopgym.game("SLCD-v1", max_steps=4), pqn=True)
        rollout = made.play(8, 0.5)
        if spoil:  # what is seen where an episode has ended
            plain, ended = made.games.features, rollout.truncated.movedim(1, 1).unsqueeze(-1)
            made.games.features = lambda state, f=plain, e=ended: torch.where(e, poison, f(state))
        goals.append(made.estimate(rollout)[-1])
        assert made.alive.all()
    assert torch.equal(*goals)


# --- exploration and bins -------------------------------------------------------------------------------------------


def test_every_agent_and_lane_tosses_its_own_coin_less_and_less_often():
    made = learner("VDN", coopgym.game("SLCD-v1"), exploring=0.5, final_epsilon=0.1)
    for progress, share in ((0.0, 1.0), (0.25, 0.55), (0.5, 0.1), (0.9, 0.1)):
        explored = made.draw_noise(300, progress) >= 0.0
        np.testing.assert_allclose(explored.float().mean((2, 3)), share, atol=0.02)
        both = explored[:, 0] & explored[:, 1]
        np.testing.assert_allclose(both.float().mean(), share**2, atol=0.02)
    levels = made.draw_noise(300, 0.0)
    assert levels.unique().tolist() == list(range(21))


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_what_is_played_are_bins_of_the_own_endowment(name, pqn):
    game = coopgym.game("CoalitionFormation-v1", max_steps=8)
    made = small(name, game, iterations=1, bins=5, warmup=8, pqn=pqn)
    for _ in range(2):
        rates = made.play(8, 0.5).rates
        assert set(rates.unique().tolist()) <= {0.0, 0.25, 0.5, 0.75, 1.0} and len(rates.unique()) > 2
        assert torch.equal(bins.rate(bins.index(rates, 5), 5), rates)


def test_dueling_outputs_say_what_bins_have_in_common_once():
    for smoothing in (0.0, 0.1):
        m = bins.dueling(21, smoothing, torch.device("cpu"))
        torch.testing.assert_close(m.sum(0), torch.ones(21))
        torch.testing.assert_close(m[:-1].sum(0), torch.zeros(21), atol=1e-5, rtol=0.0)
    near, far = (torch.eye(22)[10] @ m)[[11, 20]]
    assert near > 0.5 * (torch.eye(22)[10] @ m)[10] and far < 0.1 * near
    chosen = bins.draw(torch.tensor([0.2, 0.0, 0.8]), torch.tensor([0.0, 0.1999, 0.2001, 0.9999999]))
    assert chosen.tolist() == [0, 0, 2, 2]


# --- mixing ---------------------------------------------------------------------------------------------------------


def slopes(made, parameters, count=200):
    g = torch.Generator().manual_seed(1)
    r, n = made.problem.replicas, made.problem.game.n
    size = made.mixer.inputs if hasattr(made, "mixer") else 3
    values = (3.0 * torch.randn(r, n, count, generator=g)).requires_grad_()
    state = torch.randn(r, 1, count, size, generator=g).expand(-1, n, -1, -1)
    total = made.mix(parameters, values, state)
    assert total.shape == (r, count)
    return torch.autograd.grad(total.sum(), values)[0]


def test_the_total_of_vdn_is_the_sum():
    made = learner("VDN", coopgym.game("PlatformEcosystem-v1"))
    assert (slopes(made, made.parameters) == 1.0).all()


@pytest.mark.parametrize("id", ["SLCD-v1", "PlatformEcosystem-v1", "ApacheProject-v1"])
def test_the_total_of_qmix_rises_with_every_value_whatever_the_parameters(id):
    made = learner("QMIX", coopgym.game(id, max_steps=5), lanes=2, replay_steps=10)
    for scale in (0.1, 1.0, 10.0):
        theta = scale * torch.randn(made.parameters["mixer"].shape, generator=torch.Generator().manual_seed(2))
        found = slopes(made, {"mixer": theta}, 50)
        assert (found >= 0.0).all() and (found > 0.0).any()
    assert found.std() > 0.0


def test_qmix_begins_near_the_sum():
    made = learner("QMIX", coopgym.game("PlatformEcosystem-v1"))
    g = torch.Generator().manual_seed(3)
    values = 0.3 * torch.randn(3, 5, 100, generator=g)
    state = (2.0 * torch.rand(3, 1, 100, made.mixer.inputs, generator=g) - 1.0).expand(-1, 5, -1, -1)
    total = made.mix(made.parameters, values, state)
    torch.testing.assert_close(total, values.sum(1), atol=0.15, rtol=0.1)


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_moving_the_normalisation_leaves_the_total_as_it_was(name, pqn):
    made = small(name, coopgym.game("PlatformEcosystem-v1", max_steps=25), pqn=pqn)
    rollout = made.play(10, 0.5)
    features, state = made.estimate(rollout)[:2]

    def total():
        values = made.values(made.parameters, features)[..., 3]
        return made.popart.restore(made.mix(made.parameters, values, state).unsqueeze(1).expand_as(values))

    before = total()
    made._normalise(before * 3.0 + 5.0)
    torch.testing.assert_close(total(), before, rtol=1e-4, atol=1e-4)


# --- learning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_a_bandit_teaches_one_agent_all_and_the_other_nothing(name, pqn):
    CLAIMS[f"{name} pqn={pqn}: bandit"].holds()


@pytest.mark.parametrize(("name", "pqn"), FORMS)
def test_what_pays_later_is_chosen_first(name, pqn):
    CLAIMS[f"{name} pqn={pqn}: later"].holds()


@pytest.mark.parametrize("name", NAMES)
def test_one_step_slcd_ends_at_the_welfare_optimum(name):
    CLAIMS[f"{name}: optimum"].holds()


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_near_the_best_constant(name):
    CLAIMS[f"{name}: TrustDilemma-v1"].holds()


@pytest.mark.parametrize("name", NAMES)
def test_its_record_says_what_it_is(name):
    game = coopgym.game("TrustDilemma-v1", max_steps=5)
    result = coopgym.train(name, game, reward_modes=["private"], seeds=[0], total_steps=1, evaluations=1)
    run = result.runs[0]
    assert (run.bins, run.action_kind, run.team_reward, run.paradigm) == (21, "bins", True, "value_decomposition")


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("VDN", {"bins": 1}, "bins"),
        ("VDN", {"bins": 1002}, "bins"),
        ("VDN", {"team_reward": False}, "team_reward=False"),
        ("VDN", {"epsilon": 1.5}, "epsilon"),
        ("VDN", {"smoothing": -0.1}, "smoothing"),
        ("VDN", {"trace": 2.0}, "trace"),
        ("VDN", {"pqn": 3}, "pqn"),
        ("QMIX", {"embedding": 0}, "embedding"),
        ("QMIX", {"hypernetwork": (0,)}, "hypernetwork"),
    ],
)
def test_bad_settings_are_refused(name, bad, message):
    with pytest.raises((ValueError, TypeError), match=message):
        algorithm(name, "learner").settings(**bad)
