"""The attack of benchmarks/attack.py finds what can be gained, and nothing where a proof says that there is nothing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.oracles.sequences import Sequences

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def attack():
    """The program as a module."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import attack

        yield attack
    finally:
        sys.path.remove(str(BENCHMARKS))


def outcome(attack, game, mode, answer):
    return {who: attack.attack(t, 6, 3, attack.FAMILIES) for who, t in attack.targets(game, RewardMode(mode), answer)}


def test_it_plays_as_the_oracles_do_and_finds_nothing_against_a_proof(attack):
    game = coopgym.game("ReputationMarket-v1", max_steps=8)
    answer = coopgym.solve(game, "coopetitive", "private")
    assert answer.status == "certified"
    for who, found in outcome(attack, game, "private", answer).items():
        assert found["value"] == pytest.approx(answer.rewards[game.agent_index(who)])
        assert max(found["gains"].values()) <= 1e-4


def test_it_refutes_a_constant(attack):
    game = coopgym.game("TrustDilemma-v1", max_steps=8)
    answer = coopgym.solve(game, "coopetitive", "private")
    worse = dataclasses.replace(answer, actions=np.full((8, 2), 50.0))
    found = outcome(attack, game, "private", worse)["firm_0"]
    assert {"constants", "late changes", "two levels", "dynamic programme", "L-BFGS-B starts"} == set(found["tried"])
    assert all(gain > 1e-3 for gain in found["gains"].values())


def test_rules_answer_and_planners_are_attacked_together(attack):
    game = coopgym.game("RenaultNissan-v1", max_steps=6)
    rules = coopgym.solve(game, "trust_aware", "private")
    value = next(t for _, t in attack.targets(game, RewardMode("private"), rules))
    assert value(value.own[None])[0] == pytest.approx(rules.rewards[0])
    best = coopgym.solve(game, "social_optimum", "private")
    who, target = next(attack.targets(game, RewardMode("private"), best))
    assert who.startswith("planner")
    assert target(target.own[None])[0] == pytest.approx(
        Sequences(game, RewardMode("private")).play(best.actions).rewards.sum()
    )


def test_an_equilibrium_of_one_step_is_attacked_in_one_step(attack):
    game = dataclasses.replace(coopgym.game("SLCD-v1"), horizon=1)
    answer = coopgym.solve("SLCD-v1", "nash", "private")
    worse = dataclasses.replace(answer, actions=0.9 * answer.actions)
    right, wrong = (outcome(attack, game, "private", each)["samsung_0"]["gains"] for each in (answer, worse))
    assert set(right) == {"constants", "dynamic programme", "L-BFGS-B"} and max(right.values()) <= 1e-9
    assert min(wrong.values()) > 1e-6
