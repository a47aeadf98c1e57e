"""What holds for every learner of the register: counts and labels, units, the scale of payoffs, many agents."""

import dataclasses

import numpy as np
import pytest
import torch
from known_games import MODES, Unit

import coopgym
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import ALGORITHMS, algorithm
from coopgym.algorithms.rollout import Games
from coopgym.envs.reward import RewardMode

LEARNERS = coopgym.list_algorithms("learner")


def small(name):
    """Settings that make any learner quick."""
    fields = {field.name for field in dataclasses.fields(algorithm(name).settings)}
    wanted = {"lanes": 4, "hidden": (16,), "batch": 16, "warmup": 8, "replay_steps": 60, "pool": 2, "window": 8}
    return {key: value for key, value in wanted.items() if key in fields}


def built(name, game, modes=("private",), seeds=(0,), **settings):
    found = algorithm(name, "learner")
    problem = Problem(
        game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), game.default_observability, torch.device("cpu")
    )
    return found.build(problem, found.settings(**{**small(name), **settings}))


def trained(name, game, iterations, **more):
    made = built(name, game, **more)
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


def game_for(name, steps):
    """Two agents, or three for the learner that needs them."""
    return coopgym.game("AppleAppStore-v1" if name == "MeanFieldAC" else "TrustDilemma-v1", max_steps=steps)


def test_the_register_counts_what_the_benchmark_has():
    assert len(LEARNERS) == 16 and len(set(LEARNERS)) == 16
    assert len(coopgym.list_algorithms("heuristic")) == 2 and len(coopgym.list_algorithms("constant")) == 101
    families = {name: ALGORITHMS[name].family for name in LEARNERS}
    assert {name for name, family in families.items() if family == "independent"} == {
        "IPPO", "IA2C", "ISAC", "IndependentREINFORCE", "LOLA",
    }  # fmt: skip
    assert {name for name, family in families.items() if family == "population"} == {"SelfPlay_PPO", "FCP"}
    assert sum(family == "CTDE" for family in families.values()) == 9
    assert all(ALGORITHMS[name].paper and ALGORITHMS[name].settings for name in LEARNERS)
    bins = {name for name in LEARNERS if ALGORITHMS[name].actions == "bins"}
    assert bins == {"VDN", "QMIX", "COMA"}


def test_a_mean_field_of_one_is_refused():
    with pytest.raises(ValueError, match="at least 3"):
        coopgym.train("MeanFieldAC", "TrustDilemma-v1", seeds=[0], total_steps=100)


@pytest.mark.parametrize("name", LEARNERS)
def test_learning_does_not_feel_the_unit_of_payoffs(name):
    game = game_for(name, 20)
    thetas = []
    for factor in (1.0, 1e3, 1e6):
        scaled = dataclasses.replace(game, mechanisms=(*game.mechanisms, Unit(factor)))
        thetas.append(trained(name, scaled, 3, seeds=(3,), learning_rate=5e-4).policy().theta)
    for theta in thetas[1:]:
        torch.testing.assert_close(theta, thetas[0], atol=1e-3, rtol=0.0)


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_logged_is_the_sum_of_payoffs_recomputed_from_what_was_played(name, monkeypatch):
    game, played = game_for(name, 12), []
    play = Games._play
    monkeypatch.setattr(Games, "_play", lambda self, *rest: (played.append(play(self, *rest)), played[-1])[1])
    made = trained(name, game, 1, modes=MODES, seeds=(0, 1, 2))
    assert played and made.alive.all()
    rollout = played[0]
    rates = rollout.rates.double().numpy()
    state = game.reset(rates.shape[:1] + rates.shape[3:])
    for t in range(min(12, rates.shape[2])):
        state, payoffs, _ = game.step(state, np.moveaxis(rates[:, :, t], 1, -1) * game.endowment)
        np.testing.assert_allclose(np.moveaxis(rollout.payoffs[:, :, t].numpy(), 1, -1), payoffs, rtol=1e-5)
        if rollout.terminated[:, :, t].any():
            break
    first, last = rollout.payoffs[0], rollout.payoffs[-1].mean(0)  # private and cooperative; FCP's pool repeats each
    torch.testing.assert_close(rollout.rewards[0], first, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(rollout.rewards[-1], last.expand_as(first), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", LEARNERS)
def test_forty_agents_stay_finite(name):
    made = trained(name, coopgym.game("ApacheProject-v0", max_steps=6), 1, modes=("integrated",))
    assert made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize(("option", "value"), [("learning_rate", -1.0), ("learning_rate", 0.0), ("lanes", 0)])
def test_bad_hyperparameters_are_refused_before_anything_is_computed(name, option, value, monkeypatch):
    monkeypatch.setattr(Games, "__init__", lambda *_, **__: pytest.fail("something was computed"))
    with pytest.raises(ValueError, match=option):
        coopgym.train(name, "AppleAppStore-v1", seeds=[0], total_steps=100, **{option: value})
    with pytest.raises(ValueError, match="total_steps=0"):
        coopgym.train(name, "AppleAppStore-v1", seeds=[0], total_steps=0)
