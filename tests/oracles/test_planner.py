"""The planner's sequences and the bounds above them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

import coopgym
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.oracles.blocks import slope
from coopgym.oracles.bounds import upper_bound
from coopgym.oracles.planner import by_roles, open_loop_optimum
from coopgym.oracles.search import Effort
from coopgym.oracles.sequences import Sequences

QUICK = Effort(starts=2, iterations=15, rounds=2)


def best_constant(game, mode):
    """The best of 101 common rates, by playing them."""
    sequences = Sequences(game, RewardMode(mode))
    rates = np.linspace(0.0, 1.0, 101)[:, None]
    parts = np.array_split(sequences.constant(rates * game.endowment), 1 + game.n // 10)
    return max(float(sequences.play(part).rewards.sum(-1).max()) for part in parts)


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("name", [id.removesuffix("-v1") for id in coopgym.list_games()])
def test_no_sequence_that_is_tried_comes_above_the_bound(name, version):
    game = coopgym.game(f"{name}-{version}", max_steps=12)
    rng = np.random.default_rng(0)
    steps = np.arange(12)[:, None]
    lanes = [rng.random((12, game.n)) for _ in range(40)]
    lanes += [np.repeat(rng.random((12, 1)), game.n, 1) ** k for k in (0.2, 0.5, 1.0, 2.0)]
    lanes += [np.full((12, game.n), rate) for rate in np.linspace(0.0, 1.0, 41)]
    lanes += [
        np.where(steps < k, a, b) + np.zeros((12, game.n)) for k in (1, 6, 11) for a in (0.3, 1.0) for b in (0, 1)
    ]
    actions = np.stack(lanes) * game.endowment
    weights = 0.5 + rng.random(game.n)
    for kind in KINDS:
        played = Sequences(game, RewardMode(kind)).play(actions).rewards
        for w in (np.ones(game.n), weights):
            bound = upper_bound(game, kind, w)
            assert (played @ w).max() <= bound.value * (1.0 + 1e-12)


def test_bounds_are_those_of_the_recorded_table_or_lower(golden):
    with (golden / "v0_dynamic_optimum.csv").open() as file:
        for row in csv.DictReader(file):
            if row["environment"].startswith("ReputationMarket"):  # dynamic programming takes a while
                continue
            bound = upper_bound(coopgym.game(row["environment"]), row["reward_mode"])
            assert bound.value <= float(row["certified_upper_bound"]) * (1.0 + 2e-6)
            assert bound.value >= float(row["best_open_loop_return_found"]) * (1.0 - 1e-8)


def test_a_market_is_bounded_by_what_reputation_costs(golden):
    bound = upper_bound(coopgym.game("ReputationMarket-v0"), "private").value
    assert 79_376.117 < bound < 80_000.0  # the recorded bound is 87,909


def test_bounds_are_refused_where_no_argument_covers_the_game():
    assert upper_bound(coopgym.game("LoyaltyTeam-v1", omega=0.5, n_agents=3)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", ["SLCD-v1", "DynamicPartnerSelection-v1", "TeamProduction-v1", "PublicGoods-v1"])
def test_where_steps_do_not_touch_each_other_the_optimum_attains_its_bound(id, kind):
    game = coopgym.game(id)
    solution = open_loop_optimum(game, kind)
    assert solution.kind == "open-loop optimum"
    assert solution.status == "certified"
    assert solution.rewards.sum() == pytest.approx(solution.bound, rel=1e-9)
    assert solution.rewards.sum() >= best_constant(game, kind) - 1e-9
    played = Sequences(game, RewardMode(kind)).play(solution.actions)
    np.testing.assert_allclose(solution.payoffs, played.payoffs)


@pytest.mark.parametrize(
    ("id", "kind"),
    [("TrustDilemma-v0", "private"), ("RenaultNissan-v0", "integrated"), ("TeamProduction-v0", "integrated")],
)
def test_released_games_reach_the_recorded_optimum(golden, id, kind):
    with (golden / "v0_dynamic_optimum.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if (r["environment"], r["reward_mode"]) == (id, kind))
    solution = open_loop_optimum(id, kind, effort=QUICK)
    value = float(solution.rewards.sum())
    assert value >= float(row["best_open_loop_return_found"]) * (1.0 - 5e-4)
    assert best_constant(coopgym.game(id), kind) <= value <= solution.bound


@pytest.mark.parametrize(
    ("id", "kind"),
    [("PartnerHoldUp-v1", "private"), ("ReputationMarket-v1", "private"), ("ReciprocalDilemma-v1", "integrated")],
)
def test_the_optimum_lies_between_the_best_constant_and_the_bound(id, kind):
    game = coopgym.game(id, max_steps=25)
    solution = open_loop_optimum(game, kind, effort=QUICK)
    assert best_constant(game, kind) < solution.rewards.sum() <= solution.bound


def test_a_last_step_without_answer_is_used():
    """Reciprocity pays a partner who gives more than before: at the end nothing is lost by it (oracles 3.5)."""
    solution = open_loop_optimum(coopgym.game("ReciprocalDilemma-v1", max_steps=20), "integrated", effort=QUICK)
    assert solution.actions[-1].min() > 1.5 * solution.actions[10].max()


def test_a_late_rise_beats_every_constant_start():
    """Everybody at 31 % and a line to everything over the last eight steps: trust is kept, then used."""
    game = coopgym.game("IndirectReciprocity-v1", max_steps=60)
    line = np.full(60, 0.31)
    line[-8:] = np.linspace(0.31, 1.0, 9)[1:]
    by_hand = Sequences(game, RewardMode("private")).play(line[:, None] * game.endowment).rewards.sum()
    assert open_loop_optimum(game, "private", effort=QUICK).rewards.sum() > by_hand


def test_modes_with_the_same_sum_share_one_search():
    game = coopgym.game("PartnerHoldUp-v1", max_steps=15)
    private = open_loop_optimum(game, "private", effort=QUICK)
    cooperative = open_loop_optimum(coopgym.game("PartnerHoldUp-v1", max_steps=15), "cooperative", effort=QUICK)
    assert np.array_equal(private.actions, cooperative.actions)
    assert cooperative.seconds < 0.2 * private.seconds + 0.05
    assert cooperative.rewards == pytest.approx(private.payoffs.sum() / 2)


def test_weights_move_the_burden():
    game = coopgym.game("SLCD-v1", max_steps=5)
    even, first = open_loop_optimum(game), open_loop_optimum(game, weights=[3.0, 1.0])
    assert first.payoffs[0] > even.payoffs[0]
    assert first.payoffs[1] < even.payoffs[1]
    assert first.actions[0, 0] < first.actions[0, 1]
    for wrong in ([1.0], [-1.0, 1.0], [0.0, 0.0]):
        with pytest.raises(ValueError, match="weights="):
            open_loop_optimum(game, weights=wrong)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "GiftExchange-v1", "AppleAppStore-v0", "LoyaltyTeam-v1"])
def test_slopes_are_those_of_the_differentiable_game(id):
    """By finite differences of sequences in NumPy and by torch, away from thresholds."""
    game, mode = coopgym.game(id, max_steps=8), RewardMode("integrated")
    objective = by_roles(Sequences(game, mode), np.ones(game.n))
    rng = np.random.default_rng(1)
    x = objective.limit * (0.62 + 0.1 * rng.random((8, len(objective.leaders))))
    _, numeric = slope(objective, x, objective.limit)
    free = torch.tensor(x, requires_grad=True)
    actions = free[:, torch.as_tensor(objective.group)]
    Sequences(game.to("torch", dtype=torch.float64), mode).play(actions).rewards.sum().backward()
    scale = free.grad.abs().max().item()
    np.testing.assert_allclose(numeric.reshape(x.shape), free.grad.numpy(), rtol=0.0, atol=2e-3 * scale)


def test_one_agent_may_carry_the_trust_that_keeps_a_game_alive():
    """TrustDilemma's exit looks at the mean of trust: two levels pay more than any common one."""
    game = coopgym.game("TrustDilemma-v1", max_steps=40)
    solution = open_loop_optimum(game, "private", effort=QUICK)
    levels = np.linspace(0.0, 100.0, 51)
    pairs = np.stack(np.meshgrid(levels, levels), -1).reshape(-1, 2)
    constant = Sequences(game, RewardMode("private")).constant(pairs)
    best = float(Sequences(game, RewardMode("private")).play(constant).rewards.sum(-1).max())
    assert best > best_constant(game, "private") * 1.001
    assert best <= float(solution.rewards.sum()) <= solution.bound
    assert abs(solution.actions[5, 0] - solution.actions[5, 1]) > 4.0
