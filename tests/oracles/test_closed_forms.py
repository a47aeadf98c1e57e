"""Closed forms of stage games against recorded values, formulas of the reports, and grids of the payoffs themselves."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coopgym
from coopgym.mechanisms.interdependence import pair
from coopgym.mechanisms.loyalty import equilibrium_effort
from coopgym.mechanisms.value import LogarithmicValue, PowerValue, geometric_mean
from coopgym.oracles.closed_forms import interdependence, team
from coopgym.oracles.closed_forms.appropriation import Appropriation

often = settings(max_examples=50, deadline=None, derandomize=True)
unit = st.floats(0.0, 1.0)


def grid_gain(payoff, profile, limits, weights, points=20_001, skip=()):
    """Largest rise of anybody's weighted payoff on a grid of own actions; ``payoff`` maps [..., N] to [..., N]."""
    gains = [0.0]
    for i in range(len(profile)):
        if i in skip:
            continue
        trial = np.repeat(profile[None], points, 0)
        trial[:, i] = np.linspace(0.0, limits[i], points)
        gains.append(float((payoff(trial) @ weights[i]).max() - payoff(profile) @ weights[i]))
    return max(gains)


def synergy(id):
    """The TR-1 payoff with the parameters of a game."""
    game = coopgym.game(id)
    mechanism, state = game.mechanisms[0], game.reset()
    gamma = float(np.asarray(mechanism.coefficient(state)).reshape(-1)[0])
    return game, mechanism, gamma, lambda x: mechanism.payoffs(state, x, 0.0 * x)


def recorded(golden):
    with (golden / "stage_equilibria_log_payoff.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("id", coopgym.list_games(version="v0"))
def test_the_hundred_recorded_equilibria_and_optima(id, golden):
    game, mechanism, gamma, payoff = synergy(id)
    eye, trust = np.eye(game.n), np.minimum(game.initial_trust, 1.0 - game.initial_damage)
    known = {
        "I": eye, "I + min(T0,1-R0)*D": eye + trust * game.interdependence, "I + D": eye + game.interdependence,
    }  # fmt: skip
    rows = [row for row in recorded(golden) if row["environment"] == id]
    assert len(rows) == 5
    for row in rows:
        numbers = (mechanism.value, gamma, mechanism.shares, game.endowment)
        if "maximiser" in row["concept"]:
            c = np.ones(game.n) if row["weights"] == "-" else known["I + D"].sum(0)
            actions = interdependence.planner(*numbers, c)
        else:
            weights = known[row["weights"]]
            actions = interdependence.equilibrium(*numbers, weights)
            others = () if game.n < 40 else range(1, 40)  # forty equal agents: one stands for all
            assert grid_gain(payoff, actions, game.endowment, weights, skip=others) <= 1e-9
        expected = [float(x) for x in row["actions"].split()]  # one number where all are equal
        np.testing.assert_allclose(actions, np.broadcast_to(expected, game.n), atol=6e-4)
        np.testing.assert_allclose(payoff(actions).sum(), float(row["sum_private_payoff"]), rtol=1e-7)


@st.composite
def ventures(draw):
    """(value, gamma, shares, endowment, weights) of two to six agents."""
    n = draw(st.integers(2, 6))
    numbers = np.array([draw(st.lists(unit, min_size=n, max_size=n)) for _ in range(n + 2)])
    shares = 0.05 + numbers[0]
    weights = numbers[2:]
    np.fill_diagonal(weights, 0.2 + 0.8 * numbers[1])
    logarithmic = draw(st.booleans())
    value = (
        LogarithmicValue(draw(st.floats(1.5, 60.0))) if logarithmic else PowerValue(draw(st.floats(0.2, 0.9)))
    )  # fmt: skip
    return value, draw(unit), shares / shares.sum(), 20.0 + 80.0 * numbers[1], weights


def slopes(value, gamma, shares, x, weights):
    """d r_i / d a_i, written out from the report's payoff."""
    n = len(x)
    if isinstance(value, LogarithmicValue):
        own = value.scale / (1.0 + x) - 1.0
    else:
        own = value.exponent * x ** (value.exponent - 1.0) - 1.0
    return np.diag(weights) * own + gamma * geometric_mean(x) / (n * x) * (weights @ shares)


@often
@given(ventures())
def test_first_order_conditions_hold_inside_and_push_outwards_at_a_limit(venture):
    value, gamma, shares, endowment, weights = venture
    actions = interdependence.equilibrium(value, gamma, shares, endowment, weights)
    slope = slopes(value, gamma, shares, actions, weights)
    limited = actions >= endowment
    assert (slope[limited] >= -1e-9).all()
    assert (np.abs(slope[~limited]) <= 1e-8).all()


@often
@given(ventures())
def test_a_planner_is_an_agent_that_all_agree_with(venture):
    value, gamma, shares, endowment, weights = venture
    c = weights.sum(0)
    planned = interdependence.planner(value, gamma, shares, endowment, c)
    agreed = interdependence.equilibrium(value, gamma, shares, endowment, np.tile(c, (len(c), 1)))
    np.testing.assert_allclose(planned, agreed, rtol=1e-9)


@often
@given(st.integers(2, 12), unit, unit, st.floats(2.0, 40.0), st.floats(0.2, 0.9))
def test_symmetric_formulas(n, w, gamma, theta, beta):
    weights = np.full((n, n), w) + (1.0 - w) * np.eye(n)
    for value in (LogarithmicValue(theta), PowerValue(beta)):
        expected = interdependence.symmetric(value, gamma, n, w)
        limit = np.full(n, 2.0 * expected)
        actions = interdependence.equilibrium(value, gamma, np.full(n, 1.0 / n), limit, weights)
        np.testing.assert_allclose(actions, expected, rtol=1e-9)
        if w == 1.0:
            best = interdependence.planner(value, gamma, np.full(n, 1.0 / n), limit, np.ones(n))
            np.testing.assert_allclose(actions, best, rtol=1e-9)


def test_the_power_value_plays_on_another_scale():
    assert interdependence.symmetric(PowerValue(0.75), 0.65, 2) == pytest.approx(0.64, abs=5e-3)
    assert interdependence.symmetric(LogarithmicValue(20.0), 0.70, 2) == pytest.approx(23.242, abs=5e-4)


def two_decisions(weights=None):
    case = Appropriation(
        np.array([100.0, 100.0]), np.array([0.55, 0.45]), LogarithmicValue(20.0), 0.65,
        price=0.5, waste=0.6, take=0.4, strain=15.0,
    )  # fmt: skip
    return case, np.eye(2) + pair(0.64, 0.86) if weights is None else weights


def test_appropriation_reproduces_the_published_case():
    case, weights = two_decisions()
    ((c, q),) = case.equilibria(weights)
    np.testing.assert_allclose(c, [26.77, 27.55], atol=6e-3)
    np.testing.assert_allclose(q, [0.071, 0.056], atol=6e-4)


@often
@given(unit, unit)
def test_nobody_gains_by_contributing_or_appropriating_otherwise(d0, d1):
    case, weights = two_decisions(np.eye(2) + pair(d0, d1))
    found = case.equilibria(weights)
    assert len(found) == 1
    c, q = found[0]
    before = weights @ case.payoffs(c, q)
    for i in range(2):
        own_c, own_q = np.meshgrid(np.linspace(0.0, 100.0, 401), np.linspace(0.0, 1.0, 201), indexing="ij")
        trial_c, trial_q = (np.repeat(x[None], own_c.size, 0) for x in (c, q))
        trial_c[:, i], trial_q[:, i] = own_c.ravel(), own_q.ravel()
        assert (case.payoffs(trial_c, trial_q) @ weights[i]).max() - before[i] <= 1e-9


@st.composite
def groups(draw):
    """(Team, weights) of two to six members with unequal loyalty, limits and weights."""
    n = draw(st.integers(2, 6))
    numbers = np.array([draw(st.lists(unit, min_size=n, max_size=n)) for _ in range(n + 2)])
    weights = numbers[2:]
    np.fill_diagonal(weights, 1.0)
    exponent = draw(st.one_of(st.floats(0.3, 0.85), st.just(1.0)))
    productivity = draw(st.floats(1.0, 30.0))
    phi_b, phi_c = draw(unit), draw(st.floats(0.0, 0.5))
    return team.Team(productivity, exponent, 1.0, phi_b, phi_c, numbers[0], 10.0 + 40.0 * numbers[1], 1.0), weights


def team_payoffs(t, x):
    """The report's payoff, written out apart from the package."""
    n = x.shape[-1]
    base = t.productivity * x.sum(-1, keepdims=True) ** t.exponent / n - t.cost * x
    mates = (base.sum(-1, keepdims=True) - base) / (n - 1)
    return base + t.loyalty * (t.benefit * mates + t.contribution_joy * t.cost * x)


@often
@given(groups())
def test_water_filling_leaves_nothing_to_gain(group):
    t, weights = group
    efforts = t.equilibrium(weights)
    assert (efforts >= 0.0).all() and (efforts <= t.endowment).all()
    gain = grid_gain(lambda x: team_payoffs(t, x), efforts, t.endowment, weights, points=4001)
    assert gain <= 1e-9 * max(1.0, np.abs(team_payoffs(t, efforts)).max() * len(efforts))


@often
@given(groups(), st.integers(0, 2**32 - 1))
def test_no_random_effort_beats_a_team_planner(group, seed):
    t, weights = group
    c = weights.sum(0)
    efforts = t.planner(c)
    best = team_payoffs(t, efforts) @ c
    rng = np.random.default_rng(seed)
    far = rng.uniform(0.0, 1.0, (2000, len(c))) * t.endowment
    near = np.clip(efforts + rng.normal(0.0, 0.5, (2000, len(c))), 0.0, t.endowment)
    assert (team_payoffs(t, np.concatenate([far, near])) @ c).max() <= best + 1e-9 * max(1.0, abs(best))


@often
@given(st.integers(2, 10), st.floats(0.3, 0.85), unit, unit, st.floats(0.0, 0.5), unit)
def test_symmetric_team_formula(n, beta, w, phi_b, phi_c, loyalty):
    expected = team.symmetric(n, 25.0, beta, 1.0, phi_b, phi_c, loyalty, w)
    t = team.Team(25.0, beta, 1.0, phi_b, phi_c, np.full(n, loyalty), np.full(n, 2.0 * expected))
    weights = np.full((n, n), w) + (1.0 - w) * np.eye(n)
    np.testing.assert_allclose(t.equilibrium(weights), expected, rtol=1e-9)
    assert not t.unique(weights)
    if loyalty == 0.0 and w == 0.0:
        np.testing.assert_allclose(expected, equilibrium_effort(n, 25.0, beta, 1.0, 1e9), rtol=1e-12)


def test_the_loyal_work_first_and_the_others_ride_free():
    t = team.Team(12.0, 0.7, 1.0, 0.8, 0.3, np.array([0.1, 0.9, 0.4]), np.array([50.0, 50.0, 500.0]))
    efforts = t.equilibrium(np.eye(3))
    assert efforts[1] == 50.0 and efforts[0] == 0.0 and 0.0 < efforts[2] < 500.0
    assert t.unique(np.eye(3))


def test_equal_parts_respect_limits():
    np.testing.assert_allclose(team.share_out(10.0, np.array([1.0, 8.0, 8.0])), [1.0, 4.5, 4.5])
    np.testing.assert_allclose(team.share_out(40.0, np.array([1.0, 8.0, 8.0])), [1.0, 8.0, 8.0])
