"""TR-2's trust and damage against closed forms and hand calculations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.mechanisms.trust import TrustExit, effective_trust, mean_over_pairs, trust_dynamics

D = np.array([[0.0, 0.6], [0.2, 0.0]])


def test_steady_cooperation_closes_the_gap_geometrically():
    dynamics = trust_dynamics(D, building=0.15, sensitivity=1.5)
    trust, damage = np.array([[1, 0.5], [0.3, 1]]), np.zeros((2, 2))
    signal = dynamics.signal(np.array([41.0, 40.5]), np.array([40.0, 40.0]))
    np.testing.assert_allclose(signal, np.tanh([1.5, 0.75]))
    for _ in range(12):
        trust, damage = dynamics.update(trust, damage, signal)
    np.testing.assert_allclose(1 - trust[0, 1], 0.5 * (1 - 0.15 * np.tanh(0.75)) ** 12)
    np.testing.assert_allclose(1 - trust[1, 0], 0.7 * (1 - 0.15 * np.tanh(1.5)) ** 12)
    np.testing.assert_array_equal(damage, np.zeros((2, 2)))


def test_one_violation_by_hand():
    dynamics = trust_dynamics(D, erosion=0.3, harm=0.6, forgetting=0.1, amplification=0.5)
    trust, damage = np.array([[1, 0.5], [0.4, 1]]), np.array([[0, 0.2], [0.5, 0]])
    s = np.tanh(-1.0)
    new_trust, new_damage = dynamics.update(trust, damage, dynamics.signal(np.array([5.0, 4.0]), np.array([5.0, 5.0])))
    np.testing.assert_allclose(new_trust[0, 1], 0.5 + 0.3 * s * 0.5 * (1 + 0.5 * 0.6))  # agent 1 fell short
    np.testing.assert_allclose(new_damage[0, 1], 0.2 - 0.6 * s * (1 - 0.2))
    np.testing.assert_allclose([new_trust[1, 0], new_damage[1, 0]], [0.4, 0.5 * (1 - 0.1)])  # agent 0 met the baseline


def test_damage_caps_trust():
    dynamics = trust_dynamics(D, building=1.0)
    trust, damage = np.array([[1, 0.5], [0.9, 1]]), np.array([[0, 0.3], [0.3, 0]])
    new_trust, _ = dynamics.update(trust, damage, np.array([1.0, 1.0]))
    np.testing.assert_allclose(new_trust, [[1, 0.7], [0.7, 1]])
    np.testing.assert_allclose(effective_trust(np.full((2, 2), 0.9), damage), [[0.9, 0.7], [0.7, 0.9]])


def test_scaled_signal_measures_shares_of_the_endowment():
    dynamics = trust_dynamics(D, sensitivity=2.0, endowment=np.array([100.0, 50.0]))
    np.testing.assert_allclose(dynamics.signal(np.array([43.0, 20.0]), np.array([40.0, 20.0])), [np.tanh(0.6), 0.0])


def test_exits_and_means():
    trust = np.array([[1, 0.2, 0.4], [0.6, 1, 0.8], [0.1, 0.3, 1]])
    np.testing.assert_allclose(mean_over_pairs(trust), 0.4)
    weights = np.zeros((3, 3))
    weights[1:, 0] = 0.5
    assert TrustExit(weights, 0.36).reached(trust)
    assert not TrustExit(weights, 0.34).reached(trust)
    assert TrustExit(weights, 0.34, success=True).reached(trust)


def test_forms_of_the_validation_scripts_by_hand():
    trust, damage, good = np.array([[1, 0.8], [0.5, 1]]), np.array([[0, 0.4], [0.3, 0]]), np.array([0.5, 0.5])
    dynamics = trust_dynamics(D, building=0.1, erosion=0.3, harm=0.6, forgetting=0.1, amplification=0.5)
    gap, _ = replace(dynamics, capped=False).update(trust, damage, good)
    np.testing.assert_allclose([gap[0, 1], gap[1, 0]], [0.8, 0.5 + 0.1 * 0.5 * 0.2])  # .8 stays above its ceiling .6
    product, _ = replace(dynamics, capped=False, product=True).update(trust, damage, good)
    np.testing.assert_allclose([product[0, 1], product[1, 0]], [0.8 + 0.05 * 0.2 * 0.6, 0.5 + 0.05 * 0.5 * 0.7])
    _, fading = replace(dynamics, always_forgetting=True).update(trust, damage, -good)
    np.testing.assert_allclose(fading[0, 1], 0.4 + 0.6 * 0.5 * 0.6 - 0.1 * 0.4)
