"""All forty ids in both registries."""

from __future__ import annotations

import importlib.metadata

import gymnasium
import numpy as np
import pettingzoo
import pytest

import coopgym
from coopgym.envs import registration

REGISTRY = hasattr(pettingzoo, "spec")  # PettingZoo 1.25 has none
ALL = [*coopgym.list_games(), *coopgym.list_games(version="v0")]


@pytest.mark.parametrize("id", ALL)
def test_every_id_is_registered_everywhere(id):
    spec = gymnasium.spec(f"coopgym/{id}")
    assert (spec.namespace, spec.max_episode_steps) == ("coopgym", None)  # the game truncates itself
    for kind in ("parallel", "aec") if REGISTRY else ():
        assert pettingzoo.spec(kind, f"coopgym/{id}").kwargs == {"game": id}


def test_made_by_id():
    env = gymnasium.make("coopgym/AppleAppStore-v1", max_steps=5, reward_mode=coopgym.RewardMode("cooperative", 0.5))
    env.reset(seed=1)
    assert env.unwrapped.game.horizon == 5
    assert env.spec.id == "coopgym/AppleAppStore-v1"
    assert gymnasium.make(env.spec).unwrapped.game.horizon == 5
    assert gymnasium.make("coopgym:coopgym/SLCD-v1").unwrapped.game.id == "SLCD-v1"


@pytest.mark.skipif(not REGISTRY, reason="this PettingZoo has no registry")
def test_made_by_id_in_pettingzoo():
    parallel = pettingzoo.make("parallel", "coopgym/AppleAppStore-v1", max_cycles=7, reward_mode="cooperative")
    assert (parallel.game.horizon, str(parallel)) == (7, "AppleAppStore-v1")
    aec = pettingzoo.make("aec", "coopgym/AppleAppStore")  # the latest version
    aec.reset(seed=1)
    assert (aec.game.id, aec.agent_selection) == ("AppleAppStore-v1", "apple_0")


def test_gymnasium_points_from_v0_to_v1():
    with pytest.warns(DeprecationWarning, match="You should consider upgrading to version `v1`"):
        env = gymnasium.make("coopgym/SLCD-v0")
    assert env.unwrapped.game.id == "SLCD-v0"


def test_registering_twice_changes_nothing():
    before = dict(gymnasium.registry)
    registration.register_all()
    assert gymnasium.registry == before


def test_the_entry_point_is_declared():
    (found,) = importlib.metadata.entry_points(group="gymnasium.envs", name="coopgym")
    assert found.load() is registration.register_gymnasium


def test_sync_and_native_vector_environments_agree():
    native = gymnasium.make_vec("coopgym/PublicGoods-v1", num_envs=2)
    sync = gymnasium.make_vec("coopgym/PublicGoods-v1", num_envs=2, vectorization_mode="sync")
    np.testing.assert_array_equal(native.reset(seed=3)[0], sync.reset(seed=3)[0])
    actions = np.full((2, 5), 20.0, np.float32)
    np.testing.assert_allclose(native.step(actions)[1], sync.step(actions)[1])
