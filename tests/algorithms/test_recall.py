"""What replay keeps: states give back the very features that they were played with, in a fraction of the memory."""

import pytest
import torch

import coopgym
from coopgym.algorithms.features import CROWD
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.recall import FeatureRecall, StateRecall, recall
from coopgym.algorithms.registry import algorithm
from coopgym.algorithms.rollout import uniforms
from coopgym.envs.reward import RewardMode

STEPS, LANES = 12, 3
GAMES = [name for version in ("v0", "v1") for name in coopgym.list_games(version=version)]
CROWDS = [name for name in GAMES if coopgym.game(name).n > CROWD]


def problem(name, setting="full", seeds=(4, 5)):
    mode = RewardMode("private")
    return Problem(coopgym.game(name), (mode,) * len(seeds), seeds, setting, torch.device("cpu"))


@pytest.mark.parametrize("setting", ["full", "asymmetric", "minimal"])
@pytest.mark.parametrize("name", GAMES)
def test_states_give_back_the_features(name, setting):
    asked = problem(name, setting)
    generators = asked.generators()
    games = asked.games(LANES)
    noise = uniforms(generators, games.game.n, STEPS, LANES)
    rollout = games.rollout(lambda features, t: (noise[:, :, t],), STEPS, states=True, final=True)
    kept, known = StateRecall(games), FeatureRecall(games, None)
    steps, ready = kept.kept(rollout), known.kept(rollout)
    assert {field: x.shape[3:] for field, x in steps.items()} == kept.fields
    assert {field: x.shape[3:] for field, x in ready.items()} == known.fields
    for moment in ("", "next_"):
        found = kept.seen({field: x.flatten(1, 2) for field, x in steps.items()}, moment)
        wanted = known.seen({field: x.flatten(1, 2) for field, x in ready.items()}, moment)
        assert found.joint is None and found.features.shape == wanted.features.shape
        torch.testing.assert_close(found.features, wanted.features, rtol=0, atol=1e-6)


def test_a_crowd_keeps_states_and_few_agents_keep_features():
    games = {name: problem(name).games(1) for name in GAMES}
    kinds = {name: type(recall(made, None)) for name, made in games.items()}
    assert {name for name, kind in kinds.items() if kind is StateRecall} == set(CROWDS)
    assert len(CROWDS) == 2  # forty agents, in both versions


@pytest.mark.parametrize("learner", ["VDN", "QMIX", "MADDPG", "MATD3", "M3DDPG", "ISAC", "MASAC"])
@pytest.mark.parametrize("name", CROWDS)
def test_forty_agents_fit_beside_each_other(learner, name):
    entry = algorithm(learner)
    made = entry.build(problem(name, seeds=(0,)), entry.settings())
    held = made.replay.rows.numel() * made.replay.rows.element_size()
    assert held < 1e9  # bytes of a replica; with each agent's features they were 17e9
