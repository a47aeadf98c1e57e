"""The vector environment: seeds, autoreset, infos, refusals, and torch beside NumPy."""

from __future__ import annotations

import functools
import importlib.util

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import coopgym
from coopgym.envs.joint import JointEnv
from coopgym.mechanisms.arrays import to_numpy
from coopgym.testing.check import same

DRAWING = [
    ("SynergySearch-v1", {"reveal_gamma_in_obs": True, "max_steps": 4}),
    ("SynergySearch-v0", {"reveal_gamma_in_obs": True, "max_steps": 4}),
    ("ReputationMarket-v1", {"reputation_visibility": 0.7, "max_steps": 5}),
    ("DynamicPartnerSelection-v1", {"persist_reputation": True, "max_steps": 3}),
    ("RenaultNissan-v1", {"phase": "strained", "max_steps": 4}),
]


def random_actions(env, steps, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.uniform(-0.1, 1.1, (steps, env.num_envs, env.game.n)) * to_numpy(env.game.endowment)).astype(np.float32)


@pytest.mark.parametrize("seed", [7, [3, None, 11, 3]])
@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(("id", "options"), DRAWING)
def test_games_that_draw_go_as_they_would_alone(id, options, mode, seed):
    ours = coopgym.make_vec(id, 4, autoreset_mode=mode, reward_mode="integrated", **options)
    theirs = SyncVectorEnv([lambda: JointEnv(id, reward_mode="integrated", **options)] * 4, autoreset_mode=mode)
    if isinstance(seed, list):  # a None goes on with the generator that an earlier seed has left
        same(ours.reset(seed=1), theirs.reset(seed=1), "first reset")
    same(ours.reset(seed=seed), theirs.reset(seed=seed), "reset")
    for actions in random_actions(ours, 14):
        result, expected = ours.step(actions), theirs.step(actions)
        same(result, expected, "step")
        done = expected[2] | expected[3]
        if mode is AutoresetMode.DISABLED and done.any():
            same(ours.reset(options={"reset_mask": done}), theirs.reset(options={"reset_mask": done}), "masked reset")


def test_gymnasium_makes_it():
    env = gymnasium.make_vec("coopgym/TrustDilemma-v1", num_envs=5, reward_mode="cooperative")
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert env.observation_space.shape == (5, 15)
    assert env.action_space.shape == (5, 2)
    observations, _ = env.reset(seed=0)
    assert observations in env.observation_space
    _, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
    assert rewards.dtype == np.float64
    np.testing.assert_allclose(rewards, infos["payoffs"].sum(-1))
    assert terminated.dtype == truncated.dtype == bool
    env.close()


def test_wrappers_of_gymnasium_fit():
    env = RecordEpisodeStatistics(coopgym.make_vec("SLCD-v1", 3, max_steps=4))
    env.reset(seed=0)
    total = np.zeros(3)
    for _ in range(4):
        _, rewards, _, truncated, infos = env.step(np.full((3, 2), 40.0))
        total += rewards
    assert truncated.all()
    np.testing.assert_allclose(infos["episode"]["r"], total)
    assert infos["episode"]["l"].tolist() == [4, 4, 4]


def test_next_step_ignores_the_action_of_a_finished_game():
    env = coopgym.make_vec("SLCD-v1", 2, max_steps=2)
    first, _ = env.reset(seed=0)
    env.step(np.full((2, 2), 50.0))
    assert env.step(np.full((2, 2), 50.0))[3].all()
    seen, rewards, terminated, truncated, infos = env.step(np.full((2, 2), np.nan))
    np.testing.assert_array_equal(seen, first)
    assert rewards.tolist() == [0.0, 0.0]
    assert not (terminated | truncated).any()
    assert not infos["payoffs"].any() and not infos["actions"].any()
    assert infos["step"].tolist() == [0, 0]
    with pytest.raises(ValueError, match="game 0: action of samsung_0 is nan"):
        env.step(np.full((2, 2), np.nan))


def test_same_step_hands_over_the_last_observation():
    env, alone = coopgym.make_vec("SLCD-v1", 2, max_steps=1, autoreset_mode="SAME_STEP"), JointEnv("SLCD-v1")
    first, _ = env.reset(seed=0)
    alone.reset(seed=0)
    seen, rewards, _, truncated, infos = env.step(np.full((2, 2), 50.0))
    expected = alone.step([50.0, 50.0])
    np.testing.assert_array_equal(seen, first)
    assert truncated.all()
    assert infos["final_obs"].dtype == object
    np.testing.assert_array_equal(infos["final_obs"][1], expected[0])
    np.testing.assert_allclose(infos["final_info"]["payoffs"][1], expected[4]["payoffs"], rtol=1e-12)
    assert infos["_final_info"].all()
    assert rewards[0] == pytest.approx(expected[1])


def test_disabled_asks_for_a_reset():
    env = coopgym.make_vec("SLCD-v1", 3, max_steps=1, autoreset_mode=AutoresetMode.DISABLED)
    env.reset(seed=0)
    env.step(np.full((3, 2), 50.0))
    with pytest.raises(ResetNeeded, match=r"games \[0, 1, 2\] are over"):
        env.step(np.full((3, 2), 50.0))
    mask = np.array([True, False, True])
    seen, infos = env.reset(options={"reset_mask": mask})
    assert seen[:, 14].tolist() == [0.0, 1.0, 0.0]
    assert infos["_trust"].tolist() == mask.tolist()
    with pytest.raises(ResetNeeded, match=r"games \[1\] are over"):
        env.step(np.full((3, 2), 50.0))


@pytest.mark.parametrize("mask", [np.zeros(3, bool), np.ones(2, bool), np.ones(3), "all"])
def test_bad_masks_are_refused(mask):
    env = coopgym.make_vec("SLCD-v1", 3)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": mask})


@pytest.mark.parametrize("seed", [-1, 1.5, [1, 2], "x", [1, 2, -3], True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="seed="):
        coopgym.make_vec("SLCD-v1", 3).reset(seed=seed)


def test_bad_actions_change_nothing():
    env, twin = coopgym.make_vec("TrustDilemma-v1", 3), coopgym.make_vec("TrustDilemma-v1", 3)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.step(np.zeros((3, 2)))
    env.reset(seed=0), twin.reset(seed=0)
    bad = np.full((3, 2), 50.0)
    bad[2, 1] = np.inf
    for actions, message in ((bad, "game 2: action of firm_1 is inf"), (bad[:2], r"shape \(2, 2\); give \(3, 2\)")):
        with pytest.raises(ValueError, match=message):
            env.step(actions)
    with pytest.raises(ValueError, match="not numbers"):
        env.step("plenty")
    same(env.step(np.full((3, 2), 50.0)), twin.step(np.full((3, 2), 50.0)), "step")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs=0 is out of range"),
        ({"backend": "jax"}, "backend='jax' is not known"),
        ({"autoreset_mode": "NextStpe"}, "did you mean 'NextStep'"),
        ({"report": "some"}, "report='some' is not known"),
        ({"device": "cuda"}, "need torch"),
        ({"compile": True}, "need torch"),
        ({"render_mode": "ansi"}, "draw one"),
        ({"reward_mode": "shared"}, "reward_mode='shared' is not known"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        coopgym.make_vec("SLCD-v1", **{"num_envs": 2, **arguments})


def test_what_is_handed_out_is_the_users():
    env, twin = coopgym.make_vec("LoyaltyTeam-v1", 3, max_steps=4), coopgym.make_vec("LoyaltyTeam-v1", 3, max_steps=4)
    env.reset(seed=0), twin.reset(seed=0)
    for actions in random_actions(env, 10):
        result, expected = env.step(actions), twin.step(actions)
        same(result, expected, "step")
        for array in (*result[:4], *result[4].values()):
            array[...] = 0


@pytest.mark.parametrize("report", ["core", "none"])
def test_a_shorter_report_changes_no_number(report):
    full, short = (
        coopgym.make_vec("SLCD-v1", 2, max_steps=3),
        coopgym.make_vec("SLCD-v1", 2, max_steps=3, report=report),
    )
    full.reset(seed=0), short.reset(seed=0)
    for actions in random_actions(full, 7):
        one, two = full.step(actions), short.step(actions)
        same(one[:4], two[:4], "step")
        assert two[4].keys() <= one[4].keys()
        assert ("trust" in two[4]) == (report == "core")


def test_spaces_of_many_large_games_are_not_made_unasked():
    env = coopgym.make_vec("ApacheProject-v1", 4096)
    assert "observation_space" not in vars(env)


# --- torch ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(("id", "options"), [*DRAWING, ("CoalitionFormation-v1", {"max_steps": 6})])
def test_torch_gives_the_numbers_of_numpy(id, options, mode):
    torch = pytest.importorskip("torch")
    ours = coopgym.make_vec(id, 3, autoreset_mode=mode, reward_mode="integrated", **options)
    given = {"backend": "torch", "dtype": torch.float64, "report": "all"}
    twin = coopgym.make_vec(id, 3, autoreset_mode=mode, reward_mode="integrated", **given, **options)
    first, _ = ours.reset(seed=5)
    np.testing.assert_allclose(twin.reset(seed=5)[0].numpy(), first, rtol=1e-6)
    for actions in random_actions(ours, 14):
        result, (*parts, infos) = ours.step(actions), twin.step(torch.as_tensor(actions))
        for one, two in zip(result[:4], parts, strict=True):
            np.testing.assert_allclose(two.numpy(), one, rtol=3e-7, atol=1e-9)
        for key in ("payoffs", "rewards", "trust", "reputation", "mean_trust"):
            if key in result[4]:
                known = result[4][f"_{key}"]
                np.testing.assert_array_equal(infos[f"_{key}"].numpy(), known)
                np.testing.assert_allclose(infos[key].numpy()[known], result[4][key][known], rtol=1e-9, atol=1e-11)
        done = result[2] | result[3]
        if mode is AutoresetMode.SAME_STEP:
            np.testing.assert_array_equal(infos["_final_obs"].numpy(), done)
            for i in np.flatnonzero(done):
                np.testing.assert_allclose(infos["final_obs"][i].numpy(), result[4]["final_obs"][i], rtol=1e-6)
                final = infos["final_info"]["payoffs"][i].numpy()
                np.testing.assert_allclose(final, result[4]["final_info"]["payoffs"][i], rtol=1e-9)
        if mode is AutoresetMode.DISABLED and done.any():
            ours.reset(options={"reset_mask": done})
            twin.reset(options={"reset_mask": torch.as_tensor(done)})


def test_torch_is_single_precision_without_gradients():
    torch = pytest.importorskip("torch")
    env = coopgym.make_vec("TrustDilemma-v1", 8, backend="torch", validate=False)
    seen, infos = env.reset(seed=0)
    assert seen.dtype == infos["trust"].dtype == torch.float32
    actions = torch.full((8, 2), 50.0, requires_grad=True)
    seen, rewards, terminated, _, infos = env.step(actions)
    assert (rewards.shape, rewards.dtype, rewards.requires_grad) == ((8,), torch.float32, False)
    assert terminated.dtype == torch.bool
    assert set(infos) == {
        f"{m}{k}" for m in ("", "_") for k in ("payoffs", "rewards", "trust", "reputation", "actions")
    }
    infos["trust"].fill_(9.0)
    assert env.step(actions)[0].max() <= 100.0


def test_devices_that_are_not_there_are_refused(monkeypatch):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"device='cuda' cannot be used.*give device='cpu'"):
            coopgym.make_vec("SLCD-v1", 2, backend="torch", device="cuda")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "coopgym\[learn\]"'):
        coopgym.make_vec("SLCD-v1", 2, backend="torch")


def test_torch_refuses_what_numpy_refuses():
    torch = pytest.importorskip("torch")
    env = coopgym.make_vec("TrustDilemma-v1", 2, backend="torch")
    env.reset(seed=0)
    bad = torch.tensor([[1.0, 2.0], [float("nan"), 3.0]])
    with pytest.raises(ValueError, match="game 1: action of firm_0 is nan"):
        env.step(bad)
    with pytest.raises(ValueError, match="shape"):
        env.step(bad[0])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own tracer uses torch.jit
def test_a_compiled_step_is_the_same_step(monkeypatch, mode):
    torch = pytest.importorskip("torch")
    # the tracer without a code generator: what may go wrong in this package goes wrong in tracing
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager", fullgraph=True))
    torch._dynamo.reset()
    plain, traced = (
        coopgym.make_vec("LoyaltyTeam-v1", 4, backend="torch", max_steps=3, autoreset_mode=mode, compile=compile)
        for compile in (False, True)
    )
    plain.reset(seed=0), traced.reset(seed=0)
    for actions in torch.as_tensor(random_actions(plain, 8)):
        for one, two in zip(plain.step(actions)[:4], traced.step(actions)[:4], strict=True):
            torch.testing.assert_close(one, two)
