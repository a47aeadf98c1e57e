"""TR-1's mathematics against hand calculations."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.mechanisms.interdependence import from_dependums, hub_and_spokes, pair, symmetric
from coopgym.mechanisms.value import LogarithmicValue, PowerValue, Synergy, geometric_mean


def test_values_by_hand():
    actions = np.array([0.0, 1.0, 16.0, 99.0])
    np.testing.assert_allclose(LogarithmicValue(20.0)(actions), 20 * np.log([1, 2, 17, 100]))
    np.testing.assert_allclose(PowerValue(0.75)(actions), [0, 1, 8, 99**0.75])


def test_geometric_mean():
    np.testing.assert_allclose(geometric_mean(np.array([[2.0, 8.0], [9.0, 4.0]])), [[4.0], [6.0]])
    np.testing.assert_array_equal(geometric_mean(np.array([5.0, 1e-10, 7.0])), [0.0])
    np.testing.assert_allclose(geometric_mean(np.full(40, 3.0)), [3.0])


def test_private_payoff_by_hand():
    synergy = Synergy(np.array([100.0, 80.0]), np.array([0.6, 0.4]), LogarithmicValue(20.0), 0.5)
    payoffs = synergy.payoffs(None, np.array([9.0, 4.0]), np.zeros(2))
    np.testing.assert_allclose(payoffs, [91 + 20 * np.log(10) + 0.6 * 3, 76 + 20 * np.log(5) + 0.4 * 3])


def test_constructors():
    np.testing.assert_array_equal(symmetric(3, 0.4), 0.4 * (1 - np.eye(3)))
    np.testing.assert_array_equal(pair(0.3, 0.8), [[0, 0.3], [0.8, 0]])
    np.testing.assert_array_equal(hub_and_spokes(2, 0.25, 0.75), [[0, 0.25, 0.25], [0.75, 0, 0], [0.75, 0, 0]])


def test_dependums_by_hand():
    # agent 0: goals of weight 3 and 1, needs agent 1 for the first (criticality .8) and half for the second (.5)
    importance = [[3.0, 1.0], [2.0, 0.0]]
    depends, criticality = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    depends[0, 1], criticality[0, 1] = [1, 1], [0.8, 0.5]
    depends[1, 0], criticality[1, 0] = [1, 1], [0.25, 1.0]
    np.testing.assert_allclose(from_dependums(importance, depends, criticality), [[0, (2.4 + 0.5) / 4], [0.25, 0]])


def test_an_agent_without_goals_depends_on_nobody():
    matrix = from_dependums([[0.0], [1.0]], np.ones((2, 2, 1)), np.ones((2, 2, 1)))
    np.testing.assert_array_equal(matrix, [[0, 0], [1, 0]])


@pytest.mark.parametrize(
    ("importance", "depends", "criticality", "message"),
    [
        ([[1.0]], np.ones((2, 2, 1)), np.ones((2, 2, 1)), "do not fit together"),
        ([[-1.0], [1.0]], np.ones((2, 2, 1)), np.ones((2, 2, 1)), "importance"),
        ([[1.0], [1.0]], np.full((2, 2, 1), 0.5), np.ones((2, 2, 1)), "other than 0 and 1"),
        ([[1.0], [1.0]], np.ones((2, 2, 1)), np.full((2, 2, 1), 1.5), "criticality"),
    ],
)
def test_dependums_that_make_no_sense_are_refused(importance, depends, criticality, message):
    with pytest.raises(ValueError, match=message):
        from_dependums(importance, depends, criticality)


@pytest.mark.parametrize(
    "call", [lambda: symmetric(2, 1.2), lambda: pair(-0.1, 0.5), lambda: hub_and_spokes(3, 0.2, 2)]
)
def test_strengths_out_of_range_are_refused(call):
    with pytest.raises(ValueError, match=r"\[0.0, 1.0\]"):
        call()
