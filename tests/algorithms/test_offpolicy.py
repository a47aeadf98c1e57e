"""Learning from replay: independence of replicas, ends, what critics see, and how the algorithms are related."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from claims import CLAIMS

import coopgym
from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism

MODES = ("private", "integrated", "cooperative")
NAMES = ["MADDPG", "MATD3", "M3DDPG", "ISAC", "MASAC"]
SMALL = {"lanes": 4, "hidden": (16, 16), "batch": 16, "warmup": 50, "replay_steps": 60, "learning_rate": 1e-3}


def trained(name, game, modes=MODES, seeds=(0, 1, 2), iterations=1, **settings):
    found = algorithm(name, "learner")
    problem = Problem(
        game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), game.default_observability, torch.device("cpu")
    )
    made = found.build(problem, found.settings(**{**SMALL, **settings}))
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


def same(first, second):
    return all(torch.equal(first.parameters[key], theta) for key, theta in second.parameters.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(name, id):
    game = coopgym.game(id, max_steps=25)
    together = trained(name, game)
    assert together.updates >= 20
    for r in range(3):
        alone = trained(name, game, MODES[r : r + 1], (r,))
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = trained(name, game, MODES[::-1], (2, 1, 0))
    for key, theta in turned.parameters.items():
        assert torch.equal(together.parameters[key].flip(0), theta)


@pytest.mark.parametrize("name", NAMES)
def test_same_seeds_same_parameters(name):
    game = coopgym.game("GiftExchange-v1", max_steps=25)
    first = trained(name, game)
    assert same(first, trained(name, game))
    assert not same(first, trained(name, game, seeds=(5, 6, 7)))


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("M3DDPG", {"perturbation": 0.0}),
        ("MATD3", {"twin": False, "smoothing": 0.0, "policy_delay": 1}),
    ],
)
@pytest.mark.parametrize("others", ["policies", "replay"])
def test_without_what_is_its_own_it_is_maddpg(name, off, others):
    game = coopgym.game("SLCD-v1", max_steps=25)
    plain = trained("MADDPG", game, others=others)
    assert same(trained(name, game, others=others, **off), plain)
    assert not same(plain, trained(name, game, others=others))


@pytest.mark.parametrize("name", NAMES)
def test_critics_see_rates_everywhere(name):
    made = trained(name, coopgym.game("SLCD-v1", max_steps=25), iterations=0)
    seen, critic = [], made.critic
    rates = 2 if made.central else 1  # come last
    made.critic = lambda theta, x: (seen.append(x[..., -rates:].detach()), critic(theta, x))[1]
    state = made.state_encoder if made.central else made.games.encoder
    assert critic.inputs == state.size + rates
    made._normalise = lambda goals: made.popart.update(goals, critic, made.parameters["critic"], made.alive)
    made.iterate(0.0)
    assert len(seen) >= 3 * made.updates  # played, expected by the target, and in the actor's loss
    assert all(((x >= 0.0) & (x <= 1.0)).all() for x in seen)
    assert torch.cat([x.flatten() for x in seen]).std() > 0.1


@pytest.mark.parametrize("objective", ["finite", "continuing"])
def test_goals_are_the_rewards_and_what_follows_unless_nothing_does(objective):
    made = trained("MADDPG", coopgym.game("SLCD-v1", max_steps=5), objective=objective, rewards_ahead=1)
    sample, s, n = made.sample(), made.settings, made.updates
    assert sample.alive.all() == (objective == "continuing")
    with torch.no_grad():
        u = gaussian.squash(made.actor(made.targets["actor"], sample.next_features).squeeze(-1))
        x = torch.cat([sample.next_state, u.mT.unsqueeze(1).expand(-1, 2, -1, -1)], -1)
        q = made.critic(made.targets["critic"], x).squeeze(-1)
        worth = made.popart.restore(q) * sample.next_worth * sample.alive
        wanted = (sample.rewards / made.reward_scale.sigma.unsqueeze(-1) + s.discount * worth) / sample.worth
        got = made.popart.restore(made.goals(sample))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)
    assert made.updates == n
    for poison in (1e6, math.nan):  # what was seen after an end must not matter
        made, again = (trained("MADDPG", coopgym.game("SLCD-v1", max_steps=5), objective=objective) for _ in range(2))
        clean = made.sample()
        where = (~clean.alive).unsqueeze(-1)
        dirty = clean._replace(
            next_features=torch.where(where, poison, clean.next_features),
            next_state=torch.where(where, poison, clean.next_state),
        )
        assert torch.equal(made.goals(clean), again.goals(dirty)) and made.alive.all()


def test_targets_of_several_steps_stop_where_an_episode_does():
    game = coopgym.game("SLCD-v1", max_steps=5)
    made = trained("MADDPG", game, ("private",), (4,), iterations=0, rewards_ahead=3, lanes=3, batch=200, discount=0.9)
    rollout = made.play(20, 0.0)
    made.remember(rollout)
    sample = made.sample()
    rewards, left = rollout.rewards[0], 4 - rollout.times[0, 0, :-1, 0] % 5  # steps that follow in the episode
    where = {  # a step of the rollout by what was played there
        tuple(rollout.rates[0, :, t, e].tolist()): (t, e) for t in range(20) for e in range(3)
    }
    for b in range(200):
        t, e = where[tuple(sample.rates[0, :, b].tolist())]
        n = min(3, int(left[t]) + 1)
        wanted = sum(0.9**m * rewards[:, t + m, e] for m in range(n))
        torch.testing.assert_close(sample.rewards[0, :, b], wanted)
        assert sample.discount[0, 0, b] == pytest.approx(0.9**n)
        assert bool(sample.alive[0, 0, b]) == (int(left[t]) >= 3)
        if sample.alive[0, 0, b]:
            torch.testing.assert_close(sample.next_features[0, :, b], rollout.features[0, :, t + n, e])
            assert sample.next_worth[0, 0, b] == pytest.approx((1 - 0.9 ** (5 - (t + n) % 5)) / 0.1, rel=1e-5)
    assert len(where) == 60 and (sample.discount == sample.discount.min()).any()


def test_replay_holds_raw_rewards_and_what_was_seen_before_a_restart():
    game = coopgym.game("RenaultNissan-v1", max_steps=20)
    made = trained("MADDPG", game, ("integrated",), (4,), iterations=0, lanes=3)
    rollout = made.play(40, 0.0)
    made.remember(rollout)
    held = dict(zip(made.replay.fields, torch.split(made.replay.rows[0, :40], made.replay.widths, -1), strict=True))
    actions = (held["rates"].double().numpy() * game.endowment).astype(float)  # [H, E, N]
    state = game.reset((3,))
    for t in range(40):
        before = game.reset((3,)) if t % 20 == 0 else state
        state, payoffs, _ = game.step(before, actions[t])
        np.testing.assert_allclose(
            held["rewards"][t], game.rewards(RewardMode("integrated").weights, before, state, payoffs), rtol=1e-4
        )
    features, following = held["features"], held["next_features"]
    torch.testing.assert_close(following[:19], features[1:20])
    assert (following[19] != features[20]).any() and held["truncated"][19].all() and not held["terminated"].any()


def test_m3ddpg_reckons_with_the_worst_nearby():
    made = trained("M3DDPG", coopgym.game("SLCD-v1", max_steps=25), iterations=0)
    slopes = torch.tensor([[3.0, -2.0], [0.5, 7.0]]).reshape(
        1, 2, 1, 2
    )  # agent 0 fears that 1 does more; 1: that 0 less
    made.q = lambda theta, state, joint: (slopes * joint).sum(-1)
    rates = torch.tensor([0.02, 0.5]).reshape(1, 2, 1)
    worst = made.expected(made.parameters["critic"], None, rates)
    torch.testing.assert_close(worst[0, :, 0], torch.tensor([[0.02, 0.55], [0.0, 0.5]]))
    assert not worst.requires_grad


def test_matd3_takes_the_smaller_of_two_critics_and_smooths_its_target():
    made = trained("MATD3", coopgym.game("SLCD-v1", max_steps=25), smoothing=0.5)
    sample = made.sample()
    joint = sample.rates.mT.unsqueeze(1)
    first, second = (made.q(made.targets[name], sample.state, joint) for name in ("critic", "twin"))
    assert (first < second).any() and (first > second).any()
    assert torch.equal(made.least_q(made.targets, sample.state, joint), torch.minimum(first, second))
    moved = made.target_rates(sample) - made.rates(made.targets["actor"], sample.next_features)
    assert 0.2 < moved.abs().max() <= 0.25 + 1e-6
    assert made.optimisers["actor"].steps.flatten().tolist() == [made.updates // 2] * 3


@pytest.mark.parametrize("name", NAMES)
def test_forty_agents_stay_finite(name):
    game = coopgym.game("ApacheProject-v0", max_steps=10)
    made = trained(name, game, ("integrated",), (0,), lanes=2, hidden=(16,), batch=4)
    assert made.updates > 0 and made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


def test_a_critic_of_many_agents_does_not_depend_on_the_order_of_the_others():
    made = trained("MADDPG", coopgym.game("ApacheProject-v1", max_steps=5), ("private",), (0,), 0, lanes=2)
    g = torch.Generator().manual_seed(0)
    n = made.problem.game.n
    features, rates = torch.randn(1, n, 6, made.games.encoder.size, generator=g), torch.rand(1, n, 6, generator=g)
    order = torch.cat([torch.zeros(1, dtype=torch.int64), torch.randperm(n - 1, generator=g) + 1])
    theta = made.parameters["critic"]
    values = [
        made.q(theta, made.seen(x, None), u.mT.unsqueeze(1))[0, 0]
        for x, u in ((features, rates), (features[:, order], rates[:, order]))
    ]
    torch.testing.assert_close(*values, atol=1e-5, rtol=1e-5)


class Broken(Mechanism):
    """Payoffs that are not a number for whoever plays more than a threshold."""

    def payoffs(self, state, actions, payoffs):
        return payoffs + torch.where(actions > 99.9, math.nan, 0.0) if isinstance(actions, torch.Tensor) else payoffs


def test_a_diverged_replica_is_frozen_and_says_so_and_the_others_go_on():
    game = coopgym.game("SLCD-v1", max_steps=25)
    made = trained("MADDPG", replace(game, mechanisms=(*game.mechanisms, Broken())), iterations=0, high_noise=0.05)
    alone = trained("MADDPG", game, iterations=0, high_noise=0.05)
    for one in (made, alone):
        one.clock = 50  # no uniform play
        one.actor.layers(one.parameters["actor"])[-1][1].fill_(-1.0)  # far from the broken payoff
    made.actor.layers(made.parameters["actor"])[-1][1][1].fill_(5.0)
    kept = {key: theta[1].clone() for key, theta in made.parameters.items()}
    for one in (made, alone):
        one.iterate(0.0)
    assert made.alive.tolist() == [True, False, True] and made.diverged_at.tolist() == [-1, 0, -1]
    for key, theta in made.parameters.items():
        assert torch.equal(theta[1], kept[key])
        torch.testing.assert_close(theta[[0, 2]], alone.parameters[key][[0, 2]])


def test_an_actor_at_a_corner_can_be_called_back():
    made = trained("MADDPG", coopgym.game("SLCD-v1", max_steps=25))
    theta = made.parameters["actor"].clone()
    made.actor.layers(theta)[-1][1].fill_(3.0)
    sample = made.sample()
    assert (made.rates(theta, sample.features) == 1.0).all()
    made.q = lambda critic, state, joint: -joint.diagonal(dim1=1, dim2=3).movedim(-1, 1)  # less is better
    theta.requires_grad_()
    (gradient,) = torch.autograd.grad(made.actor_loss(theta, sample).sum(), theta)
    assert (made.actor.layers(gradient)[-1][1] > 0).all()


def test_team_reward_is_the_sum_of_all():
    game = coopgym.game("SLCD-v1", max_steps=25)
    made, plain = (trained("MADDPG", game, iterations=0, team_reward=team) for team in (True, False))
    for one in (made, plain):
        one.remember(one.play(8, 0.0))
    total = plain.sample().rewards.sum(1, keepdim=True).expand(3, 2, 16)
    torch.testing.assert_close(made.sample().rewards, total)


@pytest.mark.parametrize("name", ["MADDPG", "MATD3", "ISAC", "MASAC"])
def test_one_step_slcd_ends_at_the_nash_equilibrium(name):
    CLAIMS[f"{name}: Nash"].holds()


def test_maddpg_comes_near_the_best_constant():
    CLAIMS["MADDPG: SLCD-v1"].holds()


@pytest.mark.parametrize("name", ["ISAC", "MASAC"])
def test_soft_values_count_the_entropy_of_what_follows(name):
    made = trained(name, coopgym.game("SLCD-v1", max_steps=25))
    sample = made.sample()
    states = [g.get_state() for g in made.generators]
    with torch.no_grad():
        got = made.next_values(sample) * sample.next_worth
    for g, state in zip(made.generators, states, strict=True):
        g.set_state(state)
    noise = torch.stack([torch.randn((2, 16), generator=g) for g in made.generators])
    with torch.no_grad():
        mean, log_std = made.actor(made.parameters["actor"], sample.next_features).unbind(-1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-5.0, 0.5).exp())
        z = mean + normal.scale * noise
        log_density = normal.log_prob(z) - torch.log(0.525 * (1.0 - torch.tanh(z.double()).square()))
        u = (0.5 + 0.525 * torch.tanh(z)).clamp(0.0, 1.0)
        acts = u.mT.unsqueeze(1).expand(-1, 2, -1, -1) if name == "MASAC" else u.unsqueeze(-1)
        x = torch.cat([sample.next_state, acts], -1)
        q = torch.minimum(*(made.critic(made.targets[k], x).squeeze(-1) for k in ("critic", "twin")))
        alpha = made.parameters["temperature"].exp()
        wanted = sample.next_worth * made.popart.restore(q) - alpha * log_density
    torch.testing.assert_close(got, wanted.float(), rtol=1e-3, atol=1e-3)


def test_the_temperature_rises_when_there_is_too_little_entropy():
    made = trained("ISAC", coopgym.game("SLCD-v1", max_steps=25), iterations=0)
    before = made.parameters["temperature"].clone()
    density = torch.tensor([[3.0, -0.5]] * 3).unsqueeze(-1)  # entropies -3 and 0.5 where -1 is wanted
    made.log_density = density
    made.adapt(0.0)
    moved = made.parameters["temperature"] - before
    assert (moved[:, 0] > 0).all() and (moved[:, 1] < 0).all()


def test_an_independent_critic_sees_its_own_agent_alone():
    made = trained("ISAC", coopgym.game("SLCD-v1", max_steps=25))
    sample = made.sample()
    joint = sample.rates.mT.unsqueeze(1).clone().requires_grad_()
    assert made.state_encoder is None and sample.state is sample.features
    value = made.q(made.parameters["critic"], sample.state, joint)[:, 0].sum()
    (slope,) = torch.autograd.grad(value, joint)
    assert (slope[..., 0] != 0).any() and (slope[..., 1] == 0).all()
