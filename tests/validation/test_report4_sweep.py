"""TR-4: the simulation against a plain loop, and the factorial and experiments against the recorded figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report4.model import ReciprocalWorld, Shock, equal_trust, simulate
from coopgym.validation.report4.reproduced import reproduced
from coopgym.validation.report4.sweep import Runs, sweep

DATA = read_data("tr4_sweep")
WORKED = {"rho_0": 1.25, "eta": 1.4, "kappa": 1.25, "lambda_R": 1.25, "T_0": 0.6}


def by_hand(d: list[list[float]], a: list[float], b: list[float], trust: float, steps: int, g: float) -> list[float]:
    """The five steps of the specification with plain numbers; rho_0 = .9, eta = 1.2, kappa = 1.1, lambda_R = 1."""
    n = len(a)
    t = [[trust] * n for _ in a]
    r = [[0.0] * n for _ in a]
    for _ in range(steps):
        s = [a[j] - b[j] for j in range(n)]
        pull = [0.0] * n
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                phi = 0.9 * d[i][j] ** 1.2 * math.tanh(1.1 * s[j])
                pull[i] += t[i][j] * (1 + 0.6 * d[i][j]) * phi
                ceiling = max(0.0, min(0.9, 1 - 0.6 * r[i][j]))
                if s[j] > 0:
                    change = 0.1 * s[j] * max(0.0, ceiling - t[i][j])
                else:
                    change = 0.3 * s[j] * t[i][j] * (1 + 0.5 * d[i][j])
                t[i][j] = min(max(t[i][j] + change, 0.0), ceiling)
                r[i][j] = min(1.0, r[i][j] + 0.6 * -s[j] * (1 - r[i][j])) if s[j] < 0 else r[i][j] - 0.03 * r[i][j]
        new = [min(max(a[i] + 0.15 * pull[i] - 0.01 * s[i], 0.0), 1.0) for i in range(n)]
        b = [(1 - g) * b[i] + g * a[i] for i in range(n)]
        a = new
    return a


def test_three_actors_by_hand() -> None:
    d = [[0.0, 0.9, 0.2], [0.5, 0.0, 0.5], [0.3, 0.2, 0.0]]
    world = ReciprocalWorld(np.array(d), sensitivity=0.9, elasticity=1.2, response=1.1, adaptation=0.1)
    course = simulate(world, 12, actions=[0.2, 0.6, 0.7], baselines=[0.4] * 3, trust=equal_trust(0.7, 3))
    assert course.actions[-1] == pytest.approx(by_hand(d, [0.2, 0.6, 0.7], [0.4] * 3, 0.7, 12, 0.1), abs=1e-12)


def test_a_world_does_not_depend_on_its_companions() -> None:
    factors = {k: np.array([x, 0.7 * x]) for k, x in WORKED.items()}
    alone = Runs.of({k: x[:1] for k, x in factors.items()})
    assert np.array_equal(Runs.of(factors).defected.actions[:, :1], alone.defected.actions)


def test_a_shock_is_recorded_at_its_step_and_clipped() -> None:
    world = ReciprocalWorld(np.array([[0.0, 0.5], [0.5, 0.0]]))
    shocks = (Shock(step=2, actor=0, shift=-3.0), Shock(step=3, actor=1, value=0.25))
    course = simulate(world, 4, actions=[0.5, 0.5], baselines=[0.3, 0.3], trust=equal_trust(0.6, 2), shocks=shocks)
    assert course.actions[2, 0] == 0.0
    assert course.actions[3, 1] == 0.25


def test_one_row_worked_out(golden: Path) -> None:
    row = json.loads((golden / "validation.json").read_text())["tr4"][
        "worked_example_rho1.25_eta1.4_kappa1.25_k10_lambdaR1.25_T0.6"
    ]
    runs = Runs.of({k: np.array([x]) for k, x in WORKED.items()})
    for key, course in (("coop_actions_t", runs.cooperative), ("defect_actions_t", runs.defected)):
        for t, actions in row[key].items():
            assert course.actions[int(t), 0] == pytest.approx(actions, abs=1e-12)
    for t, trust in row["defect_trust_01_t"].items():
        assert runs.defected.trust[int(t), 0, 0, 1] == pytest.approx(trust, abs=1e-12)
    rows = runs.rows(np.array([10]), np.array([0]))
    assert rows.punishment[0] == pytest.approx(row["cumulative_difference"])
    assert rows.trust_gap[0] == pytest.approx(row["trust_gap_t15"])
    assert rows.interaction[0] == pytest.approx(row["trust_interaction_gap"])
    assert rows.forgiveness_time[0] == row["forgiveness_time"]


def test_every_recorded_figure() -> None:
    result = sweep(DATA["boxes"]["published"])
    assert result.rows.ratio.shape == (15_625,)
    values = reproduced()
    assert set(values) == set(DATA["figures"]["current"])
    for name, entry in DATA["figures"]["current"].items():
        assert abs(values[name] - entry["recorded"]) <= entry["tolerance"], name


def test_recorded_figures_are_those_of_the_suite(golden: Path) -> None:
    source = json.loads((golden / "validation.json").read_text())["tr4"]["current"]
    entries = DATA["figures"]["current"]
    assert entries["forgiveness_pct"]["recorded"] == source["targets"]["forgiveness_dynamics"]["pct"]
    assert entries["effect_size"]["recorded"] == source["statistics"]["paired_ttest"]["cohens_d"]
    assert entries["monte_carlo_pct"]["recorded"] == source["monte_carlo"]["all_targets_pct"]
