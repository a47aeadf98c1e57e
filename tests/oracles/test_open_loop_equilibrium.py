"""Best responses over sequences, open-loop equilibria, and what their certificates find."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.oracles.best_response import best_response_sequence, separable
from coopgym.oracles.dynamic_programming import loyalty_optimum
from coopgym.oracles.open_loop_equilibrium import Iteration, equalled, open_loop_equilibrium, stagewise_path
from coopgym.oracles.planner import open_loop_optimum
from coopgym.oracles.result import RefusedError
from coopgym.oracles.sequence_certificate import certify, representatives
from coopgym.oracles.sequences import Sequences, trust_is_idle


def test_steps_are_told_apart_where_they_are_separate():
    cases = {
        ("SLCD-v1", "integrated"): True, ("SLCD-v0", "integrated"): True, ("SLCD-v0", "cooperative"): False,
        ("TrustDilemma-v1", "private"): False, ("GiftExchange-v1", "private"): True,
        ("GiftExchange-v1", "integrated"): False, ("GiftExchange-v0", "private"): False,
        ("TeamProduction-v1", "private"): True, ("LoyaltyTeam-v1", "private"): False,
        ("CooperativeNegotiation-v1", "private"): False, ("ReputationMarket-v1", "private"): False,
    }  # fmt: skip
    for (id, kind), expected in cases.items():
        assert separable(coopgym.game(id), RewardMode(kind)) is expected, (id, kind)


@pytest.mark.parametrize("id", ["SLCD-v0", "RenaultNissan-v1"])
def test_a_response_by_steps_beats_every_sequence_that_is_tried(id):
    game, rng = coopgym.game(id, max_steps=10), np.random.default_rng(0)
    profile = rng.random((10, 2)) * game.endowment
    found = best_response_sequence(game, "integrated", profile, 0)
    assert found.exact
    trials = np.repeat(profile[None], 400, axis=0)
    trials[:200, :, 0] = np.clip(found.sequence + rng.normal(0.0, 1.0, (200, 10)), 0.0, 100.0)
    trials[200:, :, 0] = rng.random((200, 10)) * game.endowment[0]
    played = Sequences(game, RewardMode("integrated")).play(trials).rewards[:, 0]
    assert played.max() <= found.value + 1e-6
    assert found.gain > 0.0


def test_a_response_finds_the_gain_that_is_known():
    """Oracles 7.4: both at 50 in the released TrustDilemma, integrated; 30 for ever gains 379.9 of 23,160."""
    game = coopgym.game("TrustDilemma-v0")
    found = best_response_sequence(game, "integrated", np.full((100, 2), 50.0), "firm_0")
    assert found.gain >= 379.9
    own = best_response_sequence(game, "integrated", np.full((100, 2), 50.0), 1)
    assert own.gain == pytest.approx(found.gain, rel=1e-9)


@pytest.mark.parametrize("id", ["SLCD-v1", "TrustDilemma-v1", "CoalitionFormation-v1", "GiftExchange-v0"])
def test_sequences_that_share_a_way_are_worth_what_they_are_worth_alone(id):
    """To the bit: whether what they share is played once, and whatever leaves first, last or never."""
    game, rng = coopgym.game(id), np.random.default_rng(1)
    sequences = Sequences(game, RewardMode("integrated"))
    path = rng.uniform(0.2, 0.6, (game.horizon, game.n)) * game.endowment
    tried = np.repeat(path[None], 40, axis=0)
    for k in range(1, 40):
        start = int(rng.integers(game.horizon)) if k > 2 else (0, game.horizon - 1)[k - 1]
        tried[k, start : start + int(rng.integers(1, 20)), rng.integers(game.n)] *= rng.random()
    assert np.array_equal(sequences.rewards_near(tried, path), sequences.play(tried).rewards)


@pytest.mark.parametrize("kind", ["private", "integrated", "cooperative"])
def test_trust_is_left_out_only_where_nothing_depends_on_it(kind):
    idle = set()
    for id in coopgym.list_games():
        game, mode = coopgym.game(id, max_steps=30), RewardMode(kind)
        if not trust_is_idle(game, mode):
            continue
        idle.add(id)
        actions = np.random.default_rng(2).random((30, game.n)) * game.endowment
        state, total = game.reset(), np.zeros(game.n)
        for row in actions:
            after, payoffs, _ = game.step(state, row)
            total += game.rewards(mode.weights, state, after, payoffs)
            state = after
        assert np.array_equal(Sequences(game, mode).play(actions).rewards, total), id
    assert {"SLCD-v1", "ApacheProject-v1"} <= idle
    assert idle.isdisjoint({"TrustDilemma-v1", "GiftExchange-v1", "PlatformEcosystem-v1"})
    assert ("RenaultNissan-v1" in idle) is (kind != "integrated")
    assert not trust_is_idle(coopgym.game("SLCD-v0"), RewardMode(kind))


def test_equals_that_differ_by_rounding_are_one_kind():
    game = coopgym.game("ApacheProject-v1", max_steps=3)
    noisy = np.full((3, 40), 7.0) + np.random.default_rng(0).uniform(-1e-13, 1e-13, (3, 40))
    assert len(representatives(game, noisy)) > 1
    assert representatives(game, equalled(game, noisy)) == [0]
    apart = np.tile(np.arange(40.0), (3, 1))
    assert np.array_equal(equalled(game, apart), apart)


def test_profiles_and_agents_are_checked():
    with pytest.raises(ValueError, match=r"give actions \[T, N\]"):
        best_response_sequence("SLCD-v1", "private", np.zeros((3, 2)), 0)
    with pytest.raises(ValueError, match="agent"):
        best_response_sequence("SLCD-v1", "private", np.zeros((100, 2)), 2)
    with pytest.raises(ValueError, match="sweeps"):
        Iteration(sweeps=0)


def test_a_separable_game_has_the_path_of_its_stage_equilibria():
    (solution,) = open_loop_equilibrium(coopgym.game("SLCD-v1", max_steps=20), "private", levels=41)
    assert solution.status == "certified"
    assert solution.certificate.exhaustive
    assert solution.actions == pytest.approx(np.tile([23.265, 22.494], (20, 1)), abs=2e-3)


def test_stage_equilibria_rolled_forward_follow_the_recorded_paths(golden):
    with (golden / "v0_stagewise_equilibrium_paths.csv").open() as file:
        wanted = ("TrustDilemma-v0", "SLCD-v0", "PartnerHoldUp-v0")
        rows = [r for r in csv.DictReader(file) if r["environment"] in wanted]
    rows = [r for r in rows if (r["environment"], r["reward_mode"]) != ("SLCD-v0", "integrated")]  # takes seconds
    assert len(rows) == 5
    for row in rows:
        game, mode = coopgym.game(row["environment"]), RewardMode(row["reward_mode"])
        played = Sequences(game, mode).play(stagewise_path(game, mode))
        assert played.rewards.sum() == pytest.approx(float(row["return_sum"]), rel=2e-4)


def test_one_agent_keeps_a_game_alive_for_both():
    """Where low trust ends the game, somebody pays for its survival, and nobody gains by another sequence."""
    solutions = open_loop_equilibrium(coopgym.game("TrustDilemma-v1", max_steps=12), "private", levels=41)
    for found in solutions:
        assert found.status == "unrefuted"  # damage carries over besides trust, so that a search is all there is
        assert found.certificate.relative <= found.certificate.at_most < 0.01
        assert "lasts 12 of 12 steps" in found.notes
    apart = [abs(found.actions[:5, 0] - found.actions[:5, 1]).min() for found in solutions]
    assert apart[0] < 1.0 and max(apart) > 5.0  # both pay where the sum of rewards is larger; one alone can, too


def test_a_certificate_finds_what_can_be_gained():
    game = coopgym.game("TrustDilemma-v1", max_steps=10)
    certificate = certify(game, "private", np.full((10, 2), 60.0), levels=41)
    assert certificate.relative > 0.01
    assert not certificate.exhaustive
    assert certificate.deviation["agent"] == 0


def test_reciprocity_with_private_rewards_has_the_equilibrium_of_the_stage():
    (solution,) = open_loop_equilibrium(coopgym.game("ReciprocalDilemma-v1", max_steps=15), "private", levels=41)
    assert solution.actions == pytest.approx(np.full((15, 2), 20.0 / (1.0 - 0.65 / 4.0) - 1.0), abs=2e-3)


def rows_of(golden):
    with (golden / "v1_tr3_symmetric_benchmarks.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("place", range(5))
def test_teams_of_equals_by_dynamic_programming(golden, place):
    row = rows_of(golden)[place]
    id = row["game"].split()[0] + "-v1"
    programmed = loyalty_optimum(id, loyalties=201, efforts=101)
    assert programmed.welfare == pytest.approx(float(row["planner_rollout_sum_payoff"]), rel=1e-3)
    searched = open_loop_optimum(id)
    assert searched.welfare == pytest.approx(programmed.welfare, rel=1e-3)
    assert searched.welfare >= programmed.welfare * (1.0 - 1e-9)
    assert searched.bound == pytest.approx(float(row["planner_dp_value_sum_payoff"]), rel=1e-3)


@pytest.mark.parametrize("place", [0, 1, 4])
@pytest.mark.parametrize("kind", ["private", "integrated"])
def test_teams_of_equals_step_by_step(golden, place, kind):
    row = rows_of(golden)[place]
    game = coopgym.game(row["game"].split()[0] + "-v1")
    path = stagewise_path(game, RewardMode(kind))
    played = Sequences(game, RewardMode(kind)).play(path)
    assert played.payoffs.sum() == pytest.approx(float(row[f"stagewise_nash_{kind}_sum_payoff"]), rel=1e-6)


def test_dynamic_programming_is_refused_elsewhere():
    with pytest.raises(RefusedError, match="not a team of equals"):
        loyalty_optimum("SLCD-v1")
