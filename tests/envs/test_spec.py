"""What an environment is made with: specs that survive JSON, limits of steps, modes by name, and pickled seats."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import TimeAwareObservation

import coopgym
from coopgym import RewardMode
from coopgym.envs.joint import JointEnv

ID = "coopgym/TrustDilemma-v1"
COUPLING = np.array([[0.0, 0.4], [0.3, 0.0]])


@pytest.mark.parametrize("kind", ["private", "integrated", "cooperative"])
@pytest.mark.parametrize("mutuality", [0.0, 1e-9, 0.1, 1 / 3, 0.5, 0.123456789, 1 - 2**-53, 1.0])
def test_a_mode_is_read_back_from_what_it_prints(kind, mutuality):
    mode = RewardMode(kind, mutuality)
    assert RewardMode.of(str(mode)) == mode == RewardMode.of(mode)
    assert RewardMode.of({"kind": kind, "mutuality": mutuality}) == mode == RewardMode.of(f"{kind}:{mutuality!r}")


@pytest.mark.parametrize(
    "wrong",
    ["integrated(2)", "integrated()", "integrated(.5", "integrated:", "integrated:x", "svo(0.5)", {}, {"kind": "own"},
     {"kind": "integrated", "weight": 1}, [1], None, 1],
)  # fmt: skip
def test_what_is_no_mode_is_refused(wrong):
    with pytest.raises(ValueError, match=r"reward_mode|mutuality"):
        RewardMode.of(wrong)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reward_mode": RewardMode("integrated", 0.5)},
        {"reward_mode": RewardMode("cooperative", 1 / 3), "interdependence": COUPLING},
        {"interdependence": COUPLING, "max_episode_steps": 500},
        {"max_steps": np.int64(7)},
    ],
)
def test_a_spec_survives_json(options):
    env = gymnasium.make(ID, **options)
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    ours, theirs = env.unwrapped, again.unwrapped
    assert (theirs.game.hash, theirs.game.horizon) == (ours.game.hash, ours.game.horizon)
    assert theirs._episode.mode == ours._episode.mode
    assert again.spec == env.spec and again.spec.max_episode_steps == ours.game.horizon
    if "max_steps" not in options:
        assert gymnasium.make(env.spec, max_episode_steps=9).unwrapped.game.horizon == 9
    assert gymnasium.make(env.spec, max_steps=9).unwrapped.game.horizon == 9
    many = gymnasium.make_vec(ID, num_envs=2, **options)
    same = gymnasium.make_vec(EnvSpec.from_json(many.spec.to_json()))
    assert (same.game.hash, same.reward_mode, same.num_envs) == (many.game.hash, many.reward_mode, 2)
    assert many.game.hash == ours.game.hash


def length(env):
    env.reset(seed=0)
    for step in range(1, 2_000):
        *_, terminated, truncated, _ = env.step(0.4 * env.action_space.high)
        if terminated or truncated:
            return step
    return None


@pytest.mark.parametrize("steps", [1, 30, 100, 500])
def test_a_limit_of_steps_is_the_horizon(steps):
    env = gymnasium.make(ID, max_episode_steps=steps)
    assert length(env) == env.unwrapped.game.horizon == env.spec.max_episode_steps == steps
    assert gymnasium.make_vec(ID, num_envs=2, max_episode_steps=steps).game.horizon == steps
    sync = gymnasium.make_vec(ID, num_envs=1, vectorization_mode="sync", max_episode_steps=steps)
    assert sync.envs[0].unwrapped.game.horizon == steps
    assert coopgym.make_vec("TrustDilemma-v1", 2, max_episode_steps=steps).game.horizon == steps
    assert coopgym.make_parallel("TrustDilemma-v1", max_cycles=steps).game.horizon == steps


def test_the_limit_of_a_registered_id_of_ones_own_and_of_a_game_count():
    gymnasium.register(
        "Own-v0", entry_point="coopgym.envs.joint:JointEnv", max_episode_steps=120, kwargs={"game": "SLCD-v1"}
    )
    try:
        assert length(gymnasium.make("Own-v0")) == 120
        assert length(gymnasium.make("Own-v0", max_episode_steps=130)) == 130
        assert length(gymnasium.make("Own-v0", max_steps=5)) == 5
    finally:
        del gymnasium.registry["Own-v0"]
    assert length(gymnasium.make(ID, max_episode_steps=-1)) == 100
    assert JointEnv(coopgym.game("SLCD-v1")).game.horizon == coopgym.game("SLCD-v1").horizon
    assert JointEnv("SLCD-v1").spec is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: gymnasium.make(ID, max_episode_steps=30, max_steps=40),
        lambda: gymnasium.make_vec(ID, max_episode_steps=30, max_steps=40),
        lambda: coopgym.make_vec("TrustDilemma-v1", max_episode_steps=30, max_steps=40),
        lambda: coopgym.make_parallel("TrustDilemma-v1", max_cycles=30, max_steps=40),
        lambda: coopgym.make_aec("TrustDilemma-v1", max_cycles=30, max_steps=40),
    ],
)
def test_two_limits_that_differ_are_refused(make):
    with pytest.raises(ValueError, match="=30 and max_steps=40"):
        make()


def test_gymnasiums_time_aware_observation_finds_the_limit():
    env = TimeAwareObservation(gymnasium.make(ID, max_steps=8), normalize_time=True)
    env.reset(seed=0)
    times = [env.step(0.5 * env.action_space.high)[0][-1] for _ in range(8)]
    np.testing.assert_allclose(times, np.arange(1, 9) / 8)
    assert EnvSpec.from_json(env.spec.to_json()) == env.spec


def test_environments_of_pettingzoo_have_the_generator_that_wrappers_look_for():
    for env in (coopgym.make_parallel("SynergySearch-v1"), coopgym.make_aec("SynergySearch-v1")):
        env.reset(seed=4)
        state = env.np_random.bit_generator.state
        env.reset(seed=4)
        assert env.np_random.bit_generator.state == state
        env.np_random = np.random.default_rng(0)
        assert env.np_random.random() == np.random.default_rng(0).random()


PARTNERS = {
    "rate": lambda: 0.5, "NumPy's number": lambda: np.float64(0.25), "heuristic": lambda: "TitForTat",
    "draws": lambda: "Random", "constant": lambda: "Constant_35", "oracle": lambda: "Nash",
    "mixed": lambda: {0: "Random", 2: 0.5}, "policy": lambda: coopgym.policy([0.1, 0.2, 0.3], "AppleAppStore-v1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PARTNERS)
def test_a_seat_is_pickled_and_copied_with_its_partners(kind):
    env = coopgym.make_seat("AppleAppStore-v1", agent=1, partners=PARTNERS[kind]())
    env.reset(seed=3)
    env.step([20.0])
    played = [env, pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    first, *others = ([each.step([30.0])[:2] for _ in range(3)] for each in played)
    for other in others:
        for (seen, reward), (same, as_much) in zip(first, other, strict=True):
            np.testing.assert_array_equal(seen, same)
            assert reward == as_much


def test_a_seat_with_a_trained_partner_is_pickled(tmp_path):
    pytest.importorskip("torch")
    found = coopgym.train("IPPO", "SLCD-v1", seeds=[0], reward_modes="private", total_steps=200, hidden=(4,))
    found.policies[0].save(tmp_path / "saved")
    for partner in (found.policies[0], tmp_path / "saved"):
        env = coopgym.make_seat("SLCD-v1", agent=0, partners=partner)
        env.reset(seed=1)
        again = pickle.loads(pickle.dumps(env))
        np.testing.assert_array_equal(env.step([10.0])[0], again.step([10.0])[0])


# --- numbers that no float, or no single precision, holds -------------------------------------------------------------

HUGE = 10**400


def refusals():
    joint, seat = JointEnv("TrustDilemma-v1"), coopgym.make_seat("TrustDilemma-v1")
    parallel, aec = coopgym.make_parallel("TrustDilemma-v1"), coopgym.make_aec("TrustDilemma-v1")
    many = coopgym.make_vec("TrustDilemma-v1", 2)
    yield from (
        (joint, lambda: joint.step([HUGE, 1])), (seat, lambda: seat.step(HUGE)), (seat, lambda: seat.step([HUGE])),
        (parallel, lambda: parallel.step(dict.fromkeys(parallel.agents, HUGE))), (aec, lambda: aec.step(HUGE)),
        (many, lambda: many.step([[HUGE, 1], [1, 1]])),
    )  # fmt: skip
    yield from ((env, lambda env=env: env.reset(seed=HUGE)) for env in (joint, seat, parallel, aec, many))
    yield from ((env, lambda env=env: env.reset(seed=10**5000)) for env in (joint, seat, parallel, aec, many))


def test_whole_numbers_that_no_float_holds_are_refused_in_a_sentence():
    for env, call in refusals():
        env.reset(seed=0)
        with pytest.raises(ValueError, match=r"give (one|an array|a whole)") as told:
            call()
        assert len(str(told.value)) < 400
    for wrong in ({"max_steps": HUGE}, {"interdependence": [[0, HUGE], [0, 0]]}, {"shares": [HUGE, 0]}):
        with pytest.raises(ValueError, match=r"give|must"):
            coopgym.game("TrustDilemma-v1", **wrong)


@pytest.mark.parametrize("size", [3.4e38, -3.4e38, 1e300, -1.7e308])
@pytest.mark.parametrize("id", coopgym.list_games() + coopgym.list_games(version="v0"))
def test_an_action_of_any_finite_size_leaves_everything_finite(id, size):
    joint, parallel = JointEnv(id), coopgym.make_parallel(id)
    many = coopgym.make_vec(id, 2)
    joint.reset(seed=0), parallel.reset(seed=0), many.reset(seed=0)
    agents = parallel.possible_agents
    for step in range(30):
        played = np.full(joint.game.n, size) if step % 3 else np.where(np.arange(joint.game.n) % 2, size, 0.0)
        seen, reward, terminated, truncated, info = joint.step(played)
        assert joint.observation_space.contains(seen) and np.isfinite(seen).all() and np.isfinite(reward)
        assert all(np.isfinite(x).all() for x in info.values() if not isinstance(x, str))
        rows = parallel.step(dict(zip(agents, played, strict=True)))[0]
        assert all(np.isfinite(rows[a]).all() and parallel.observation_space(a).contains(rows[a]) for a in rows)
        assert np.isfinite(many.step(np.stack([played, played]))[0]).all()
        if terminated or truncated:
            break


@pytest.mark.parametrize("size", [3.4e38, -3.4e38])
def test_an_action_of_any_size_leaves_the_released_reputation_finite_in_torch(size):
    pytest.importorskip("torch")
    env = coopgym.make_vec("DynamicPartnerSelection-v0", 2, backend="torch")
    env.reset(seed=0)
    for _ in range(30):
        assert bool(env.step(np.full((2, env.game.n), size))[0].isfinite().all())
