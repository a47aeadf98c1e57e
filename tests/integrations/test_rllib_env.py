"""The environment for RLlib and its configurations, without starting Ray."""

from __future__ import annotations

import pickle
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import coopgym

pytest.importorskip("ray")
from ray import cloudpickle
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.utils.pre_checks.env import check_multiagent_environments
from ray.tune.registry import ENV_CREATOR, _global_registry

import coopgym.rllib as ours
from coopgym.integrations.rllib_config import PolicyOf
from coopgym.integrations.rllib_env import register_all

STORE = "AppleAppStore-v1"


class Config(dict):
    """RLlib's EnvContext, as far as an environment looks at it."""

    worker_index = 2


@pytest.mark.parametrize("id", coopgym.list_games() + coopgym.list_games(version="v0"))
def test_rllib_accepts_it_by_id(id):
    register_all()  # a Ray that a test of another file has stopped may have forgotten it
    made = _global_registry.get(ENV_CREATOR, f"coopgym/{id}")(Config(max_steps=3))
    assert made.game.id == id and made.game.horizon == 3
    check_multiagent_environments(made)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("id", [STORE, "TrustDilemma-v1", "SynergySearch-v1"])
def test_it_goes_as_the_parallel_environment(id, scaled):
    options = {"reward_mode": "integrated", "observability": "full", "max_steps": 6}
    env, alone = (
        ours.GameEnv({"game": id, "scaled": scaled, "step_infos": True, **options}),
        coopgym.make_parallel(id, **options),
    )
    (seen, infos), expected = env.reset(seed=4), alone.reset(seed=4)
    assert infos == expected[1] and env.agents == alone.agents
    totals = dict.fromkeys(env.agents, 0.0)
    while env.agents:
        rates = {a: np.array([0.1 + 0.2 * i], dtype=np.float32) for i, a in enumerate(env.possible_agents)}
        given = {a: x if scaled else (x + 1.0) / 2.0 * alone.action_space(a).high for a, x in rates.items()}
        rows, *told = alone.step({a: (x + 1.0) / 2.0 * alone.action_space(a).high for a, x in rates.items()})
        seen, rewards, terminated, truncated, infos = env.step(given)
        assert all(env.observation_spaces[a].contains(row) for a, row in seen.items())
        if not scaled:
            np.testing.assert_allclose(list(seen.values()), list(rows.values()), rtol=1e-6)
        np.testing.assert_allclose(list(rewards.values()), list(told[0].values()), rtol=1e-6)
        assert terminated.pop("__all__") == any(told[1].values()) and terminated == told[1]
        assert truncated.pop("__all__") == (any(told[2].values()) and not any(told[1].values()))
        totals = {a: totals[a] + infos[a]["payoff"] for a in totals}
    for agent, total in totals.items():
        assert infos[agent]["episode"]["payoff"] == pytest.approx(total)
        assert infos[agent]["episode"]["welfare"] == pytest.approx(sum(totals.values()))
        assert infos[agent]["episode"]["trust"] == infos[agent]["own_trust_mean"]
        assert 0.0 < infos[agent]["episode"]["cooperation"] < 1.0


def test_env_runners_have_seeds_of_their_own():
    def first(runner, seed):
        config = Config(game="SynergySearch-v1", reveal_gamma_in_obs=True)
        config.worker_index = runner
        return float(next(iter(ours.GameEnv(config).reset(seed=seed)[0].values()))[-1])

    drawn = [first(runner, 5 + runner + lane) for runner in (0, 1, 2) for lane in range(4)]
    assert len(set(drawn)) == 12  # RLlib's own numbering gives runner 1 the seeds of runner 0, moved by one
    assert first(1, 6) == first(1, 6)


def test_wrong_options_are_refused_before_ray_is_asked():
    with pytest.raises(TypeError, match=r"no option .phse."):
        ours.ppo_config(STORE, phse=1)
    with pytest.raises(ValueError, match="policies='agents'"):
        ours.sac_config(STORE, policies="agents")


def test_one_policy_for_an_agent_or_a_role():
    assert set(ours.ppo_config(STORE).policies) == {"apple_0", "major_1", "indie_2"}
    config = ours.sac_config("PublicGoods-v1", policies="role", reward_mode="cooperative")
    assert set(config.policies) == {"role_0"}
    assert config.env == "coopgym/PublicGoods-v1" and config.env_config["reward_mode"] == "cooperative"
    mapped = pickle.loads(pickle.dumps(config.policy_mapping_fn))
    assert isinstance(mapped, PolicyOf) and mapped(coopgym.game("PublicGoods-v1").agents[1], None) == "role_0"
    game = coopgym.game("PublicGoods-v1")
    half = game.step(game.reset(), 0.5 * game.endowment)[1]
    assert config.env_config["reward_scale"] == pytest.approx(1.0 / half.mean())
    own = coopgym.game(STORE, max_steps=2)
    assert ours.ppo_config(own).env_config["game"] is own


def modules(env, names):
    """Fresh networks of RLlib's PPO for each name."""
    from ray.rllib.algorithms.ppo.torch.default_ppo_torch_rl_module import DefaultPPOTorchRLModule

    spaces = env.observation_spaces[env.agents[0]], env.action_spaces[env.agents[0]]
    spec = RLModuleSpec(DefaultPPOTorchRLModule, *spaces, model_config=DefaultModelConfig(fcnet_hiddens=[8]))
    return MultiRLModuleSpec(rl_module_specs=dict.fromkeys(names, spec)).build()


def test_who_plays_whom():
    env = ours.GameEnv({"game": STORE})
    by_agent = ours.from_rllib(modules(env, env.agents), STORE)
    shared = ours.from_rllib(modules(env, ["both"]), STORE)
    given = ours.from_rllib(modules(env, ["a", "b"]), STORE, policies={"apple_0": "b", "major_1": "a", "indie_2": "b"})
    seen = np.stack(list(coopgym.make_parallel(STORE).reset()[0].values()))
    for policy in (by_agent, shared, given):
        assert policy.act(seen).shape == (3,) and policy.act(np.stack([seen] * 2)).shape == (2, 3)
        assert (policy.act(seen) <= env.game.endowment).all() and (policy.act(seen) >= 0.0).all()
        drawn = policy.act(seen, deterministic=False)
        policy.reseed(0)
        np.testing.assert_array_equal(policy.act(seen, deterministic=False), drawn)
    with pytest.raises(ValueError, match="do not say who plays"):
        ours.from_rllib(modules(env, ["a", "b"]), STORE)
    with pytest.raises(ValueError, match="was not trained on"):
        ours.from_rllib(modules(env, ["both"]), "TrustDilemma-v1")


def test_a_pickled_configuration_brings_the_registration_into_a_new_process(tmp_path):
    """As ``Algorithm.from_checkpoint`` does, which then looks the environment up by its id."""
    (tmp_path / "config.pkl").write_bytes(cloudpickle.dumps(ours.ppo_config("SLCD-v1", max_steps=5)))
    code = (
        "import pickle\n"
        "config = pickle.loads(open('config.pkl', 'rb').read())\n"
        "from ray.tune.registry import ENV_CREATOR, _global_registry\n"
        "made = _global_registry.get(ENV_CREATOR, config.env)(config.env_config)\n"
        "print(type(made).__name__, made.game.id)\n"
    )
    call = [sys.executable, "-W", "ignore", "-c", code]
    told = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert told.stdout.split() == ["GameEnv", "SLCD-v1"]


@pytest.mark.parametrize("call", ["make({0!r})", "make_vec({0!r})", "make_vec({0!r}, vectorization_mode='sync')"])
def test_rllib_never_gets_the_joint_game_for_the_id_of_the_game(call):
    theirs = {"__name__": "ray.rllib.env.single_agent_env_runner", "gymnasium": gymnasium}
    with pytest.raises(RuntimeError, match=r"Import coopgym\.rllib first"):
        exec(f"gymnasium.{call.format('coopgym/SLCD-v1')}", theirs)
    own = {"__name__": "somebody", "gymnasium": gymnasium}
    exec(f"made = gymnasium.{call.format('coopgym/SLCD-v1')}", own)
    assert own["made"].action_space is not None
