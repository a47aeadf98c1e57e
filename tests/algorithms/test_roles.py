"""Roles: which agents a game does not tell apart, and networks that turn to each seat."""

import dataclasses

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.algorithms.roles import random_state
from coopgym.envs import observation
from coopgym.envs.catalogue import list_games
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import exchange, reordered, roles

ROLES = {
    "TrustDilemma-v1": [0, 0],
    "PartnerHoldUp-v1": [0, 1],
    "PlatformEcosystem-v1": [0, 1, 1, 1, 1],
    "SLCD-v1": [0, 1],
    "RenaultNissan-v1": [0, 1],
    "GiftExchange-v1": [0, 1],
    "AppleAppStore-v1": [0, 1, 2],
    "CoalitionFormation-v1": [0] * 6,
    "ReputationMarket-v1": [0] * 5,
    "ApacheProject-v0": [0] * 40,
    "PlatformEcosystem-v0": [0, 1, 1, 1, 1],
}


def moved(state, order):
    trust, damage = reordered(state.trust, order), reordered(state.damage, order)
    extra = {name: reordered(x, order) for name, x in state.extra.items()}
    return state._replace(actions=state.actions[order], trust=trust, damage=damage, extra=extra)


def relabelled(value, order):
    """The same game with its agents in another order."""
    if isinstance(value, np.ndarray):
        return reordered(value, order)
    if isinstance(value, tuple):
        return tuple(relabelled(x, order) for x in value)
    if dataclasses.is_dataclass(value):
        fields = [f for f in dataclasses.fields(value) if f.init]
        return dataclasses.replace(value, **{f.name: relabelled(getattr(value, f.name), order) for f in fields})
    return value


@pytest.mark.parametrize("id", ROLES)
def test_roles_of_known_games(id):
    assert roles(coopgym.game(id)).tolist() == ROLES[id]


def test_roles_follow_the_agents_into_another_order():
    game = coopgym.game("PlatformEcosystem-v1")
    assert roles(relabelled(game, exchange(5, 0, 3))).tolist() == [0, 0, 0, 1, 0]


def test_a_small_difference_makes_another_role():
    game = coopgym.game("TeamProduction-v1")
    richer = dataclasses.replace(game, endowment=game.endowment * [1.0, 1.0, 1.01, 1.0])
    assert roles(richer).tolist() == [0, 0, 1, 0]
    matrix = game.interdependence.copy()
    matrix[1, 2] += 0.1
    assert roles(dataclasses.replace(game, interdependence=matrix)).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("id", [*list_games(), "TrustDilemma-v0", "CoalitionFormation-v0", "GraduatedSanction-v0"])
def test_agents_of_a_role_earn_the_same_when_they_change_places(id):
    game = coopgym.game(id)
    role, rng = roles(game), np.random.default_rng(1)
    for agent in range(min(game.n, 6)):
        leader = int(np.flatnonzero(role == role[agent])[0])
        order, state = exchange(game.n, agent, leader), random_state(game, rng)
        actions = game.endowment * rng.random(game.n)
        payoffs = game.step(state, actions)[1]
        np.testing.assert_allclose(game.step(moved(state, order), actions[order])[1], payoffs[order], rtol=1e-12)


def shared(name, game, setting, **settings):
    found = algorithm(name, "learner")
    problem = Problem(game, (RewardMode("private"),), (0,), setting, torch.device("cpu"))
    return found.build(problem, found.settings(**{"lanes": 4, "hidden": (8,), "share": "roles", **settings}))


@pytest.mark.parametrize("setting", ["full", "asymmetric", "minimal"])
@pytest.mark.parametrize(
    "id",
    ["TrustDilemma-v1", "PlatformEcosystem-v1", "CoalitionFormation-v1", "CooperativeNegotiation-v1",
     "GraduatedSanction-v1", "ReputationMarket-v1", "ReputationMarket-v0", "SynergySearch-v1"],
)  # fmt: skip
def test_one_network_plays_every_seat_of_its_role_as_it_plays_the_first(id, setting):
    game = coopgym.game(id, max_steps=20)
    made = shared("IPPO", game, setting)
    role = roles(game)
    assert made.parameters["actor"].shape[1] == role.max() + 1 == made.sharing.groups
    made.parameters["actor"].copy_(
        torch.randn(made.parameters["actor"].shape, generator=torch.Generator().manual_seed(0))
    )
    policy, rng = made.policy()[0], np.random.default_rng(5)
    for agent in range(game.n):
        leader = int(np.flatnonzero(role == role[agent])[0])
        state = random_state(game, rng)
        turned = moved(state, exchange(game.n, agent, leader))
        here, there = (policy.act(observation.observe(game, s, setting)) for s in (state, turned))
        assert here[agent] == pytest.approx(there[leader], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["IPPO", "MAPPO", "IA2C", "IndependentREINFORCE"])
def test_on_policy_learners_can_share_by_roles(name):
    made = shared(name, coopgym.game("PlatformEcosystem-v1", max_steps=10), "asymmetric")
    before = made.parameters["actor"].clone()
    metrics = made.iterate(0.0)
    assert before.shape[:2] == (1, 2) and (made.parameters["actor"] != before).any(-1).all()
    assert metrics["grad_norm"].shape == (1, 5) and made.alive.all()
    assert made.policy().theta.shape[1] == 5


def test_a_shared_actor_descends_the_sum_of_the_losses_of_its_seats():
    """The gradient of a role is the sum over its seats of what each alone would have, brought into one order."""
    game = coopgym.game("TeamProduction-v1", max_steps=10)
    made = shared("IPPO", game, "asymmetric")
    batch = made.estimate(made.play())
    batch = type(batch)(*(x.clone() for x in batch))
    theta = made.parameters["actor"].clone().requires_grad_()
    (whole,) = torch.autograd.grad(made.loss({**made.parameters, "actor": theta}, batch, 0.0)[0], theta)
    own = made.actors(made.parameters["actor"]).clone().requires_grad_()
    made.sharing = type(made.sharing).none(game.n, torch.device("cpu"))
    (each,) = torch.autograd.grad(made.loss({**made.parameters, "actor": own}, batch, 0.0)[0], own)
    head = made.actor.layers(whole)[-1][0], made.actor.layers(each)[-1][0]
    torch.testing.assert_close(head[0][0, 0], head[1][0].sum(0))
    assert made.actor.layers(whole)[0][0].abs().sum() > 0


def test_an_unknown_way_to_share_is_refused():
    with pytest.raises(ValueError, match="share"):
        algorithm("IPPO", "learner").settings(share="all")
