"""TR-3: benchmarks against brute force, and coalition moves against ordered lists kept one agent at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coopgym
from coopgym.mechanisms.coalition import Membership, everybody
from coopgym.mechanisms.loyalty import LoyaltyScores, equilibrium_effort, optimal_effort
from coopgym.report.sheet import words


@pytest.mark.parametrize(("n", "beta"), [(4, 0.7), (6, 0.7), (3, 0.5)])
def test_symmetric_equilibrium_survives_every_deviation(n, beta):
    game = coopgym.game("TeamProduction-v1", n_agents=n, beta=beta)
    effort = min(equilibrium_effort(n, 25.0, beta, 1.0, 50.0), 50.0)
    trial = np.full((5001, n), effort)
    trial[:, 0] = np.linspace(0, 50, 5001)
    state = game.reset((5001,))
    gain = game.payoffs(state, trial)[:, 0].max() - game.payoffs(game.reset(), np.full(n, effort))[0]
    assert gain < 1e-6


def test_benchmarks_of_the_specification():
    assert equilibrium_effort(4, 25, 0.7, 1, 50) == pytest.approx(34.24, abs=5e-3)
    assert optimal_effort(4, 25, 0.7, 1, 50) == pytest.approx(3478.6, abs=0.05)
    assert equilibrium_effort(40, 30, 0.7, 1, 50) == pytest.approx(0.003, abs=5e-4)
    assert (equilibrium_effort(5, 2.0, 1.0, 1.0, 50), optimal_effort(5, 2.0, 1.0, 1.0, 50)) == (0.0, 50)


def test_loyalty_rises_slowly_and_falls_faster():
    scores = LoyaltyScores(np.full(4, 0.5), cap=0.7)
    new = scores.update(np.array([0.5, 0.5, 0.01, 0.699]), np.array([1.0, 0.3, 0.0, 1.0]))
    np.testing.assert_allclose(new, [0.52, 0.49, 0.0, 0.7])


class Lists:
    """The same rule told with two ordered lists, as the release keeps them."""

    def __init__(self, n, rule):
        self.members, self.excluded, self.timer, self.rule = list(range(n)), [], {}, rule

    def step(self, loyalty):
        for i in list(self.members):
            if loyalty[i] < self.rule.exit_threshold and len(self.members) > self.rule.minimum:
                self.members.remove(i)
                self.excluded.append(i)
                self.timer[i] = self.rule.cooldown
        for i in list(self.excluded):
            self.timer[i] -= 1
            if self.timer[i] <= 0 and loyalty[i] >= self.rule.reentry_loyalty:
                self.excluded.remove(i)
                self.members.append(i)
                del self.timer[i]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 8), minimum=st.integers(1, 3), cooldown=st.integers(0, 4))
def test_membership_moves_like_ordered_lists(seed, n, minimum, cooldown):
    rng = np.random.default_rng(seed)
    rule = Membership(minimum, 0.3, cooldown, 0.6)
    lists, state = Lists(n, rule), everybody(np.ones(n))
    for _ in range(40):
        loyalty = rng.random(n)
        lists.step(loyalty)
        state = rule.update(state, loyalty)
        np.testing.assert_array_equal(np.flatnonzero(state["member"]), sorted(lists.members))
        assert sorted(lists.members, key=lambda i: state["order"][i]) == lists.members
        assert sorted(lists.excluded, key=lambda i: state["order"][i]) == lists.excluded
        np.testing.assert_array_equal(state["timer"], [lists.timer.get(i, 0) for i in range(n)])


@pytest.mark.parametrize(("cooldown", "outside"), [(5, 4), (2, 1), (1, 0), (0, 0)])
def test_who_is_expelled_is_paid_as_an_outsider_in_one_step_less_than_the_cooldown(cooldown, outside):
    """The step at whose end an agent is expelled counts; by hand: loyalty 0.5 is below 0.55, and enough to return."""
    game = coopgym.game("CoalitionFormation-v1", exit_threshold=0.55, reentry_cooldown=cooldown, n_agents=4)
    team = game.mechanisms[0]
    still = dataclasses.replace(team, loyalty=dataclasses.replace(team.loyalty, gain=0.0, loss=0.0))
    game = dataclasses.replace(game, mechanisms=(still,))
    state, actions = game.reset(), np.full(4, 25.0)
    half_alone = 0.5 * (25.0 * 25.0**0.7 / 4 - 25.0)
    paid_outside = []
    for _ in range(outside + 2):
        state, payoffs, _ = game.step(state, actions)
        paid_outside.append(np.isclose(payoffs[0], half_alone))
    assert paid_outside == [False, *[True] * outside, False]
    assert "at least $\\tau - 1$ steps" in words()["options"]["reentry_cooldown"]
