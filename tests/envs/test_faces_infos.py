"""Infos of a reset have the keys, shapes and types of those of a step, in every interface."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import coopgym
from coopgym.envs.joint import JointEnv

ALL = coopgym.list_games() + coopgym.list_games(version="v0")
KNOWN = {"trust", "reputation", "step", "mean_trust", "mean_reputation_damage"}  # of a state, moved or not


def shape_of(value):
    return type(value).__name__, np.shape(value), np.asarray(value).dtype


def check(first, later, known):
    assert list(first) == list(later)
    for key, value in first.items():
        assert shape_of(value) == shape_of(later[key]), key
        if key not in known and not isinstance(value, str):
            assert not np.any(value), f"{key} is {value} before anybody has moved"


@pytest.mark.parametrize("id", ALL)
def test_gymnasium_and_a_seat(id):
    game = coopgym.game(id)
    for env, action in (
        (JointEnv(id), 0.6 * game.endowment), (coopgym.make_seat(id, agent=1), 0.6 * game.endowment[1:2]),
    ):  # fmt: skip
        first = env.reset(seed=0)[1]
        steps = [env.step(action)[4] for _ in range(2)]
        again = env.reset()[1]
        for later in steps:
            check(first, later, KNOWN | set(game.facts))
        check(again, first, KNOWN | set(game.facts))
        np.testing.assert_array_equal(first["trust"], game.reset().trust)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "AppleAppStore-v1", "CoalitionFormation-v0", "PlatformEcosystem-v1"])
def test_pettingzoo(id):
    env = coopgym.make_parallel(id)
    _, first = env.reset(seed=0)
    *_, later = env.step({a: 0.6 * env.action_space(a).high for a in env.agents})
    assert list(first) == list(later)
    for agent in first:
        check(first[agent], later[agent], {"own_trust_mean"})
    turns = coopgym.make_aec(id)
    turns.reset(seed=0)
    start = turns.infos
    for agent in turns.possible_agents:
        turns.step(0.6 * turns.action_space(agent).high)
    for agent in start:
        check(start[agent], turns.infos[agent], {"own_trust_mean"})


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("id", ["AppleAppStore-v1", "ReputationMarket-v0"])
def test_many_games_at_once(id, mode):
    env = coopgym.make_vec(id, 3, autoreset_mode=mode, max_steps=2)
    theirs = SyncVectorEnv([lambda: JointEnv(id, max_steps=2)] * 3, autoreset_mode=mode)
    theirs.reset(seed=0)
    _, first = env.reset(seed=0)
    actions = np.tile(0.6 * env.game.endowment, (3, 1))
    known = KNOWN | set(env.game.facts)
    for step in range(5):
        infos, expected = env.step(actions)[4], theirs.step(actions)[4]
        assert infos.keys() == expected.keys()
        keys = [k for k in infos if not k.startswith(("_", "final"))]
        assert keys == [k for k in first if not k.startswith("_")]
        for key in keys:
            assert infos[key].shape == first[key].shape and infos[key].dtype == first[key].dtype, key
            assert infos[f"_{key}"].all() and first[f"_{key}"].all()
        if (mode is AutoresetMode.NEXT_STEP and step == 2) or (mode is AutoresetMode.SAME_STEP and step in (1, 3)):
            for key in set(keys) - known:
                assert infos[key].dtype == object or not infos[key].any(), key
        if mode is AutoresetMode.DISABLED and step % 2:
            for each in (env, theirs):
                each.reset(options={"reset_mask": np.ones(3, bool)})
    for key in set(keys) - known:
        assert first[key].dtype == object or not first[key].any(), key


@pytest.mark.parametrize("report", ["core", "all"])
def test_many_games_in_torch(report):
    torch = pytest.importorskip("torch")
    env = coopgym.make_vec("TeamProduction-v1", 2, backend="torch", report=report, max_steps=2)
    _, first = env.reset(seed=0)
    actions = torch.as_tensor(np.tile(0.6 * coopgym.game("TeamProduction-v1").endowment, (2, 1)))
    for step in range(4):
        infos = env.step(actions)[4]
        assert infos.keys() == first.keys()
        for key, value in infos.items():
            assert (value.shape, value.dtype) == (first[key].shape, first[key].dtype), key
            if step == 2 and not key.startswith("_") and key not in KNOWN | set(env.game.facts):
                assert not value.any(), key  # the games have only been reset
