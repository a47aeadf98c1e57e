"""A replica alone, beside others, in another order, on one thread or two: the same bits."""

import dataclasses
import os
import subprocess
import sys

import pytest
import torch

import coopgym
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode

LEARNERS = coopgym.list_algorithms("learner")
REPLICAS = (("private", 0), ("integrated", 1), ("cooperative", 2), ("private", 3))
ALONE = (0, 2, 3)  # which of them are also trained by themselves
TOGETHER = ((0, 1, 2), (0, 1, 2, 3), (3, 2, 0))
# widths and counts that fill no vector of a CPU's, so that nothing is aligned by chance
ODD = {"lanes": 6, "hidden": (33,), "batch": 37, "warmup": 56, "bins": 7, "epochs": 2, "pool": 2, "window": 9,
       "replay_steps": 60}  # fmt: skip
EVEN = {**ODD, "lanes": 8, "hidden": (32, 16), "batch": 64, "bins": 21}


def fields(name):
    """The names of a learner's settings."""
    return {field.name for field in dataclasses.fields(algorithm(name, "learner").settings)}


def learner(name, game, replicas, settings):
    """A learner of these (mode, seed) with those of the settings that it has."""
    found, known = algorithm(name, "learner"), fields(name)
    modes, seeds = zip(*replicas, strict=True)
    problem = Problem(game, tuple(map(RewardMode.of, modes)), seeds, game.default_observability, torch.device("cpu"))
    return found.build(problem, found.settings(**{k: v for k, v in settings.items() if k in known}))


def outcome(name, game, which, settings, iterations=1, threads=1):
    """Everything that training leaves, each a tensor whose first axis is the replica."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        made = learner(name, game, [REPLICAS[r] for r in which], settings)
        told = [made.iterate(i / (iterations + 1)) for i in range(iterations)]
        found = {f"metric {i} {key}": x for i, metrics in enumerate(told) for key, x in metrics.items()}
        return found | {"policy": made.policy().theta} | dict(made.parameters)
    finally:
        torch.set_num_threads(before)


def bits(x):
    """What a tensor holds, as it lies in memory."""
    return x.detach().contiguous().numpy().tobytes()


def differing(together, alone, place):
    """The names of what is not the same, bit for bit, in place ``place`` and alone."""
    return [name for name, x in alone.items() if bits(together[name][place]) != bits(x[0])]


def faults(name, game, settings, iterations=1, together=TOGETHER):
    """(replicas trained together, which of them, what differs) for everything that is not independent."""
    alone = {r: outcome(name, game, (r,), settings, iterations) for r in ALONE}
    found = []
    for which in together:
        all_of_them = outcome(name, game, which, settings, iterations)
        for place, r in enumerate(which):
            if r in alone and (names := differing(all_of_them, alone[r], place)):
                found.append((which, r, names))
    return found


def games():
    """Three agents, two, one with powers in its payoffs, and a crowd; all of them short."""
    return {
        "AppleAppStore-v1": coopgym.game("AppleAppStore-v1", max_steps=7),
        "TrustDilemma-v1": coopgym.game("TrustDilemma-v1", max_steps=9),
        "TeamProduction-v1": coopgym.game("TeamProduction-v1", max_steps=5),
        "ApacheProject-v1": coopgym.game("ApacheProject-v1", max_steps=3),
    }


@pytest.mark.parametrize("name", LEARNERS)
def test_a_replica_is_the_same_to_the_bit_whoever_is_trained_beside_it(name):
    iterations = 1 if "batch" in fields(name) else 2  # those with replay improve many times in one
    assert faults(name, games()["AppleAppStore-v1"], ODD, iterations) == []


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "MeanFieldAC"])
def test_so_it_is_with_two_agents_and_widths_that_fill_vectors(name):
    assert faults(name, games()["TrustDilemma-v1"], EVEN, together=((0, 1, 2, 3),)) == []


@pytest.mark.parametrize("id", [id for id in coopgym.list_games() if id.endswith("-v1")])
def test_a_game_pays_and_shows_a_replica_the_same_whoever_plays_beside_it(id):
    game = coopgym.game(id, max_steps=5)
    found = {}
    for which in ((0,), (2,), (0, 1, 2)):
        games = learner("IndependentREINFORCE", game, [REPLICAS[r] for r in which], ODD).games
        rates = [torch.stack([fixed_rates(r, game.n, 6, t) for r in which]) for t in range(6)]
        rollout = games.rollout(lambda features, t, rates=rates: (rates[t],), 6)
        found[which] = {name: getattr(rollout, name) for name in ("features", "payoffs", "rewards")}
    for place, r in ((0, 0), (2, 2)):
        assert differing(found[0, 1, 2], found[r,], place) == []


def fixed_rates(replica, agents, lanes, t):
    """Rates ``[N, E]`` of a replica at a step, some of them at the corners."""
    g = torch.Generator().manual_seed(1000 * replica + t)
    return (1.4 * torch.rand(agents, lanes, generator=g) - 0.2).clamp(0.0, 1.0)


@pytest.mark.parametrize("name", ["IPPO", "ISAC", "LOLA", "QMIX"])
def test_so_it_is_where_payoffs_are_powers(name):
    assert faults(name, games()["TeamProduction-v1"], ODD, together=((0, 1, 2),)) == []


@pytest.mark.parametrize("name", ["MAPPO", "MADDPG", "QMIX", "SelfPlay_PPO"])
def test_so_it_is_in_a_crowd(name):
    settings = {**ODD, "batch": 5, "lanes": 3, "hidden": (9,), "epochs": 1, "minibatches": 2}
    assert faults(name, games()["ApacheProject-v1"], settings, together=((0, 1, 2),)) == []


@pytest.mark.parametrize("name", ["MAPPO", "COMA", "QMIX", "ISAC"])
def test_the_number_of_threads_does_not_matter(name):
    game, settings = games()["AppleAppStore-v1"], {**ODD, "hidden": (128, 64), "warmup": 60}
    for which in ((0,), (0, 1, 2)):
        one, two = (outcome(name, game, which, settings, threads=t) for t in (1, 2))
        assert {key for key, x in one.items() if bits(x) != bits(two[key])} == set()


def test_so_it_is_with_a_cpu_that_has_no_vectors():
    root = os.path.dirname(os.path.dirname(coopgym.__file__))
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1", "PYTHONPATH": root}
    command = [sys.executable, __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == LEARNERS


if __name__ == "__main__":
    torch.set_num_threads(1)
    for learner_name in LEARNERS:
        wrong = faults(learner_name, games()["AppleAppStore-v1"], ODD, together=((0, 1, 2),))
        print(learner_name if not wrong else f"{learner_name}: {wrong}")
