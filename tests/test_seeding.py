"""Random streams: one for each purpose, none of them a stream that a user gets from the same seed."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.utils import seeding as gymnasium_seeding
from gymnasium.vector import AutoresetMode

import coopgym
from coopgym import seeding
from coopgym.envs.joint import JointEnv
from coopgym.envs.moments import moments

SEEDS = range(200)
SOURCES = Path(coopgym.__file__).parent
MADE_HERE = {  # calls that make or seed a generator
    "default_rng", "manual_seed", "np_random", "RandomState", "SeedSequence", "PCG64", "Philox", "MT19937", "SFC64",
    "manual_seed_all", "initial_seed", "spawn", "seed_everything",
}  # fmt: skip
EXCEPTIONS = ("seeding.py", "validation/")  # the case studies repeat the reports' own resampling
RANDOM_GAMES = [id for id in coopgym.list_games() if coopgym.game(id).reset_draws]


def correlation(x, y):
    return abs(float(np.corrcoef(np.asarray(x, float), np.asarray(y, float))[0, 1]))


def hidden(episode):
    """The hidden parameters of a running episode, as one number."""
    return float(np.ravel(episode.state.extra["gamma"])[0])


def first_words(seed):
    """The first number of every stream that this package makes from a seed, by purpose and index."""
    return {
        (purpose, *index): int(seeding.bits(seed, purpose, *index).random_raw())
        for purpose in seeding.PURPOSES
        for index in ((), (0,), (1,), (2,), (0, 0), (0, 1), (1_000,))
    }


def test_no_two_purposes_share_a_stream_and_none_is_that_of_a_plain_seed():
    seen = {}
    for seed in (*range(40), 2**31, 2**40 + 1, 2**63, 2**127 + 3):
        plain = {
            "default_rng": int(np.random.default_rng(seed).bit_generator.random_raw()),
            "spawned": [int(np.random.PCG64(s).random_raw()) for s in np.random.SeedSequence(seed).spawn(9)],
            "gymnasium": int(gymnasium_seeding.np_random(seed)[0].bit_generator.random_raw()),
        }
        assert plain["default_rng"] == plain["gymnasium"]
        foreign = {plain["default_rng"], *plain["spawned"]}
        for name, word in first_words(seed).items():
            assert word not in foreign
            assert word not in seen, f"{name} of seed {seed} is {seen.get(word)}"
            seen[word] = (name, seed)


def test_a_seed_handed_on_is_never_the_seed_itself_and_differs_by_purpose():
    found = [seeding.integer(seed, p, k) for seed in range(50) for p in seeding.PURPOSES for k in range(3)]
    assert len(set(found)) == len(found) and all(2**40 < x < 2**63 for x in found)


def test_streams_repeat_and_none_is_fresh():
    one, two = (seeding.generator(7, "game", 1).random(5) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert seeding.generator(None, "game").random() != seeding.generator(None, "game").random()
    assert 0 <= seeding.entropy() < seeding.SEED_LIMIT
    np.testing.assert_array_equal(seeding.generator(np.int64(7), "game", np.uint32(1)).random(5), one)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ((-1, "game"), ValueError, "seed=-1"),
        ((True, "game"), ValueError, "seed=True"),
        ((1.5, "game"), TypeError, "seed=1.5"),
        ((2**128, "game"), ValueError, "below 2"),
        ((0, "games"), ValueError, "'games'"),
        ((0, "game", -1), ValueError, "index=-1"),
        ((0, "game", 2**32), ValueError, "index="),
    ],
)
def test_what_is_no_seed_purpose_or_index_is_refused(arguments, kind, words):
    with pytest.raises(kind, match=words.replace("'", ".")):
        seeding.sequence(*arguments)


def test_generators_are_made_in_one_module():
    """No call that makes a generator, however it is imported, outside ``coopgym/seeding.py`` and the exceptions."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if name.startswith(EXCEPTIONS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names]
                if "random" in names or getattr(node, "module", "") in ("random", "numpy.random", "secrets"):
                    found.append(f"{name}:{node.lineno} imports a source of random numbers")
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in MADE_HERE or ast.unparse(node.func).startswith(("np.random.rand", "np.random.seed")):
                    found.append(f"{name}:{node.lineno} calls {called}")
                if ast.unparse(node.func) == "np.random.Generator" and name != "algorithms/snapshot.py":
                    found.append(f"{name}:{node.lineno} makes a generator")
    assert not found, "\n".join(found)


# --- what a user meets: a space and an environment seeded with one number -------------------------------------------


def test_a_partner_that_draws_knows_nothing_of_what_the_game_hides():
    env = coopgym.make_seat("SynergySearch-v1", agent=1, partners="Random")
    drawn, gammas = [], []
    for seed in SEEDS:
        env.reset(seed=seed)
        seen, *_ = env.step([50.0])
        drawn.append(seen[1])
        gammas.append(hidden(env._episode))
    assert correlation(drawn, gammas) < 0.25  # 3.5 standard errors of independent numbers


@pytest.mark.parametrize("id", RANDOM_GAMES)
@pytest.mark.parametrize("kind", ["joint", "seat", "parallel", "aec", "vector"])
def test_a_space_of_the_same_seed_says_nothing_of_what_the_game_hides(id, kind):
    drawn, gammas = [], []
    for seed in SEEDS:
        if kind == "vector":
            env = coopgym.make_vec(id, 2)
            env.action_space.seed(seed)
            env.reset(seed=seed)
            drawn.append(env.action_space.sample()[0, 0])
            gammas.append(float(np.ravel(env.state.extra["gamma"])[0]))
            continue
        env = {
            "joint": lambda: JointEnv(id), "seat": lambda: coopgym.make_seat(id), "parallel": lambda:
            coopgym.make_parallel(id), "aec": lambda: coopgym.make_aec(id),
        }[kind]()  # fmt: skip
        space = env.action_space if kind in ("joint", "seat") else env.action_space(env.possible_agents[0])
        space.seed(seed)
        env.reset(seed=seed)
        drawn.append(np.ravel(space.sample())[0])
        gammas.append(hidden(env._parallel._episode if kind == "aec" else env._episode))
    assert correlation(drawn, gammas) < 0.25


def test_generators_that_environments_show_are_not_those_of_a_plain_seed():
    for seed in range(20):
        shown = {"plain": np.random.default_rng(seed).random()}
        for name, env in {
            "joint": JointEnv("SynergySearch-v1"), "seat": coopgym.make_seat("SynergySearch-v1"),
            "many": coopgym.make_vec("SynergySearch-v1", 2), "parallel": coopgym.make_parallel("SynergySearch-v1"),
        }.items():  # fmt: skip
            env.reset(seed=seed)
            shown[name] = env.np_random.random()
        assert shown["joint"] == shown["seat"] == shown["parallel"]  # one game, whatever shows it
        assert len(set(shown.values())) == 3


def test_noise_of_steps_is_not_what_the_seed_gives_elsewhere():
    options = {"reputation_visibility": 0.7}
    env = JointEnv("ReputationMarket-v1", **options)
    noise, plain = [], []
    for seed in SEEDS:
        env.reset(seed=seed)
        noise.append(env.np_random.standard_normal())
        plain.append(np.random.default_rng(seed).standard_normal())
    assert correlation(noise, plain) < 0.25 and not set(noise) & set(plain)


def test_two_agents_of_one_kind_and_two_policies_in_one_evaluation_do_not_share_their_numbers():
    """Also what is hidden, where a policy that draws is evaluated: both came from ``default_rng(seed)`` once."""
    game, drawn, gammas = coopgym.game("SynergySearch-v1"), [], []
    from coopgym.algorithms.evaluation import stage

    for seed in SEEDS:
        ready = stage([coopgym.policy("Random", game)], game, 1, seed)
        for moment in moments(game, ready.act, ready.batch, reset_draws=ready.reset_draws, noise=ready.noise):
            drawn.append(float(np.ravel(moment.after.actions)[0]))
            gammas.append(float(np.ravel(moment.after.extra["gamma"])[0]))
            break
    assert correlation(drawn, gammas) < 0.25


def test_the_seed_that_an_environment_names_repeats_its_episode():
    env = JointEnv("SynergySearch-v1")
    env.reset()
    chosen, gamma = env.np_random_seed, hidden(env._episode)
    env.reset()
    assert hidden(env._episode) != gamma
    env.reset(seed=chosen)
    assert hidden(env._episode) == gamma and env.np_random_seed == chosen


def test_one_game_and_many_and_all_interfaces_hide_the_same():
    for seed in (0, 5):
        single = []
        for k in range(3):
            env = JointEnv("SynergySearch-v1")
            env.reset(seed=seed + k)
            single.append(hidden(env._episode))
        for mode in AutoresetMode:
            many = coopgym.make_vec("SynergySearch-v1", 3, autoreset_mode=mode)
            many.reset(seed=seed)
            np.testing.assert_array_equal(np.ravel(many.state.extra["gamma"]), single)
        parallel, aec = coopgym.make_parallel("SynergySearch-v1"), coopgym.make_aec("SynergySearch-v1")
        seat = coopgym.make_seat("SynergySearch-v1")
        parallel.reset(seed=seed), aec.reset(seed=seed), seat.reset(seed=seed)
        assert {hidden(e._episode) for e in (parallel, aec._parallel, seat)} == {single[0]}


def test_a_run_of_a_learner_draws_games_partners_and_exploration_from_different_streams():
    torch = pytest.importorskip("torch")
    words = [
        int(torch.randint(2**60, (1,), generator=seeding.torch_generator(seed, purpose)))
        for seed in range(100)
        for purpose in ("learners", "training", "policies")
    ]
    assert len(set(words)) == len(words)
    box = Box(0.0, 1.0, (1,))
    box.seed(3)
    assert float(box.sample()[0]) != pytest.approx(float(seeding.generator(3, "spaces").random()))
