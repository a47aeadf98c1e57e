"""The environment for TorchRL: its own checks, game by game what the single environments do, and MAPPO that learns."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import coopgym
from coopgym.envs.parallel import make_parallel

torch = pytest.importorskip("torch")
pytest.importorskip("torchrl")
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torchrl import envs
from torchrl.envs.utils import MarlGroupMapType, check_env_specs

import coopgym.torchrl as ours

OPTIONS = {"max_steps": 4}


@pytest.mark.parametrize("id", coopgym.list_games() + coopgym.list_games(version="v0"))
def test_torchrl_accepts_it(id):
    check_env_specs(ours.GamesEnv(id, 2, **OPTIONS), seed=0)


@pytest.mark.parametrize(
    "groups",
    [
        MarlGroupMapType.ALL_IN_ONE_GROUP, MarlGroupMapType.ONE_GROUP_PER_AGENT,
        {"small": ["indie_2", "apple_0"], "large": ["major_1"]}, {"turned": ["indie_2", "major_1", "apple_0"]},
    ],
)  # fmt: skip
def test_groups_of_agents(groups):
    env = ours.GamesEnv("AppleAppStore-v1", 2, groups=groups, scaled=False, **OPTIONS)
    check_env_specs(env)
    seen = env.reset()
    joint = {name: torch.empty(2, len(group), 1) for name, group in env.group_map.items()}
    moves = {"apple_0": 10.0, "major_1": 20.0, "indie_2": 30.0}
    for name, group in env.group_map.items():
        assert env.action_spec[name, "action"].space.high[0].flatten().tolist() == [
            {"apple_0": 100.0, "major_1": 80.0, "indie_2": 60.0}[agent] for agent in group
        ]
        joint[name][:] = torch.tensor([moves[agent] for agent in group])[:, None]
        seen[name, "action"] = joint[name]
    after = env.step(seen)["next"]
    lone = make_parallel("AppleAppStore-v1", **OPTIONS)
    lone.reset()
    rows, rewards, *_ = lone.step(moves)
    for name, group in env.group_map.items():
        for place, agent in enumerate(group):
            np.testing.assert_allclose(after[name, "observation"][1, place], rows[agent], rtol=1e-5)
            np.testing.assert_allclose(after[name, "reward"][1, place], rewards[agent], rtol=1e-5)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1", "ReputationMarket-v1", "PublicGoods-v0"])
def test_games_go_as_they_would_alone(id):
    games, steps = 3, 9
    options = {"reward_mode": "integrated", "observability": "full", **OPTIONS}
    if id.startswith("Reputation"):
        options["reputation_visibility"] = 0.7
    env = ours.GamesEnv(id, games, scaled=False, dtype=torch.float64, **options)
    rates = torch.rand(games, steps, env.game.n, 1, generator=torch.Generator().manual_seed(0))
    high = torch.as_tensor(env.game.endowment)
    env.set_seed(5)
    step = iter(range(steps))

    def actor(told):
        return told.set(("agents", "action"), rates[:, next(step)] * high[:, None].float())

    played = env.rollout(steps, actor, break_when_any_done=False)
    for game in range(games):
        lone = make_parallel(id, **options)
        lone.reset(seed=5 + game)
        for t in range(steps):
            actions = {a: float(x) for a, x in zip(lone.agents, played["agents", "action"][game, t, :, 0], strict=True)}
            rows, rewards, terminated, truncated, infos = lone.step(actions)
            now = played["next"][game, t]
            np.testing.assert_allclose(now["agents", "observation"], list(rows.values()), rtol=2e-6, atol=1e-6)
            np.testing.assert_allclose(now["agents", "reward"][:, 0], list(rewards.values()), rtol=2e-6)
            np.testing.assert_allclose(now["agents", "payoff"][:, 0], [i["payoff"] for i in infos.values()], rtol=2e-6)
            assert bool(now["truncated"]) == any(truncated.values()) and bool(now["terminated"]) == any(
                terminated.values()
            )
            if not lone.agents:
                lone.reset()


def test_one_game_of_several_starts_afresh():
    env = ours.GamesEnv("GiftExchange-v1", 2)
    env.rollout(3)
    mask = torch.tensor([[True], [False]])
    seen = env.reset(TensorDict({"_reset": mask}, [2]))
    assert env.games.state.time.tolist() == [0.0, 3.0]
    assert seen["done"].tolist() == [[False], [False]]


class Linear(torch.nn.Module):
    """All agents' actions from one linear map, as numbers in [-1, 1]."""

    def __init__(self, width):
        super().__init__()
        torch.manual_seed(0)
        self.map = torch.nn.Linear(width, 1)

    def forward(self, seen):
        return torch.tanh(self.map(seen))


@pytest.mark.parametrize("scaled", [True, False])
def test_an_actor_is_a_policy(scaled):
    env = ours.GamesEnv("AppleAppStore-v1", 2, scaled=scaled, reward_mode="integrated", **OPTIONS)
    width = env.observation_spec["agents", "observation"].shape[-1]
    actor = TensorDictModule(Linear(width), in_keys=[("agents", "observation")], out_keys=[("agents", "action")])
    earned = env.rollout(9, actor)["next", "agents", "reward"].sum(1)[0, :, 0]
    policy = ours.from_torchrl(actor, env)
    played = coopgym.evaluate(policy, env.game, episodes=1)
    np.testing.assert_allclose(played.rewards["integrated"][0], earned.detach(), rtol=1e-5)
    if scaled:
        seat, rows = coopgym.make_seat(env.game, 0, actor), make_parallel(env.game).reset()[0]
        seat.reset()
        expected = policy.act(np.stack(list(rows.values())))
        assert seat.step([50.0])[-1]["actions"][1] == pytest.approx(expected[1])
    with pytest.raises(ValueError, match="does not write"):
        ours.from_torchrl(actor, env.game, groups=MarlGroupMapType.ONE_GROUP_PER_AGENT)


def test_mappo_learns_and_both_evaluations_agree(example):
    actor, env, before, after = example("torchrl_mappo").train(rounds=15, report=lambda line: None)
    assert after > before + 200.0  # of 2,050 for giving all; half of everything earns 1,320
    played = coopgym.evaluate(ours.from_torchrl(actor, env), env.game, episodes=1)
    np.testing.assert_allclose(played.rewards["cooperative"][0].mean(), after, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL")
def test_wrappers_of_torchrl_take_the_environments_of_gymnasium_and_pettingzoo():
    env = envs.PettingZooWrapper(coopgym.make_parallel("AppleAppStore-v1", max_steps=4))
    played = env.rollout(6)
    assert len(played) == 4
    told = played["next", next(iter(env.group_map)), "info", "payoff"]
    assert told.shape[0] == 4 and bool((told != 0).all())
    check_env_specs(env, seed=0)
    for skip in (1, 2):
        assert envs.GymEnv("coopgym/TrustDilemma-v1", frame_skip=skip).rollout(3)["next", "reward"].shape == (3, 1)


def test_an_unknown_option_is_refused_in_the_words_that_libraries_look_for():
    makers = (coopgym.make_parallel, coopgym.make_aec, coopgym.make_seat, coopgym.make_vec, coopgym.game)
    for make in (*makers, lambda id, **options: gymnasium.make(f"coopgym/{id}", **options)):
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'frameskip'.*has no option 'frameskip'"):
            make("TrustDilemma-v1", frameskip=4)
