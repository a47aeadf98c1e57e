"""TR-3: closed-form efforts against the team mechanism, and the factorial against the recorded figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coopgym.mechanisms.loyalty import LoyaltyScores, TeamProduction
from coopgym.validation.files import read_data
from coopgym.validation.report3.model import LoyalTeam
from coopgym.validation.report3.reproduced import VARIANTS, reproduced
from coopgym.validation.report3.sweep import sensitivity, sweep

DATA = read_data("tr3_sweep")


def mechanism(team: LoyalTeam, n: int) -> TeamProduction:
    return TeamProduction(
        endowment=np.full(n, team.cap),
        dependence=np.ones(n),
        kept=np.zeros(n),
        loyalty=LoyaltyScores(np.zeros(n)),
        productivity=team.productivity,
        exponent=team.exponent,
        cost=team.cost,
        benefit=team.benefit,
        contribution_joy=team.joy,
        teammates_sum=team.teammates == "sum",
    )


def utility(team: LoyalTeam, loyalty: np.ndarray, actions: np.ndarray) -> np.ndarray:
    n = len(loyalty)
    game = mechanism(team, n)
    base = game.output(actions.sum(-1))[..., None] / n - team.cost * actions
    others = base.sum(-1, keepdims=True) - base
    return game.utility(base, others, loyalty, actions, n - 1.0)


@pytest.mark.parametrize("teammates", VARIANTS)
@pytest.mark.parametrize("loyalty", [[0.9, 0.1, 0.5, 0.5], [0.3, 0.3, 0.3, 0.3], [0.0, 0.0, 1.0, 0.95]])
def test_nobody_gains_by_another_effort(teammates: str, loyalty: list[float]) -> None:
    team, theta = LoyalTeam(25.0, 0.6, 1.0, 4, cap=20.0, teammates=teammates), np.asarray(loyalty)
    efforts = team.efforts(theta)
    now = utility(team, theta, efforts)
    for i in range(4):
        tried = np.tile(efforts, (4001, 1))
        tried[:, i] = np.linspace(team.floor, team.cap, 4001)
        assert utility(team, theta, tried)[:, i].max() <= now[i] + 1e-9
    assert team.residual(efforts, theta).max() < 1e-9


def test_a_wrong_effort_has_a_residual() -> None:
    team = LoyalTeam(25.0, 0.6, 1.0, 4)
    assert team.residual(np.full(4, 10.0), np.full(4, 0.5)).min() > 0.05
    assert team.residual(np.full(4, team.floor), np.full(4, 0.5)).min() > 0.05


@pytest.mark.parametrize("teammates", VARIANTS)
def test_equal_loyalty_has_one_mean_effort(teammates: str) -> None:
    team = LoyalTeam(30.0, 0.5, 1.2, 6, teammates=teammates)
    assert team.efforts(np.full(6, 0.4)).mean() == pytest.approx(team.mean_effort(0.4))


def test_only_known_variants() -> None:
    with pytest.raises(ValueError, match="teammates='median'"):
        LoyalTeam(25.0, 0.6, 1.0, 4, teammates="median")


def check(values: dict[str, float], entries: dict[str, dict[str, float]]) -> None:
    for name, entry in entries.items():
        assert abs(values[name] - entry["recorded"]) <= entry["tolerance"], name


@pytest.mark.parametrize("teammates", VARIANTS)
def test_every_recorded_figure_of_the_published_box(teammates: str) -> None:
    assert sweep(DATA["boxes"]["published"], teammates).effort.size == 3125
    values = reproduced(teammates)
    check(values, DATA["figures"][teammates])
    assert set(values) - set(DATA["figures"][teammates]) == {"clipped_pct"}


@pytest.mark.parametrize("teammates", VARIANTS)
def test_the_documented_box_fails_the_targets(teammates: str) -> None:
    check(sweep(DATA["boxes"]["documented"], teammates).statistics(), DATA["documented_figures"][teammates])


def test_recorded_figures_are_those_of_the_suite(golden: Path) -> None:
    source = json.loads((golden / "validation.json").read_text())["tr3"]
    for variant, key in zip(VARIANTS, ("current_average", "published_aggregate"), strict=True):
        entries = DATA["figures"][variant]
        assert entries["differentiation_median"]["recorded"] == source[key]["effort_differentiation"]["median"]
        assert entries["effect_size"]["recorded"] == source[key]["statistical_tests"]["paired_ttest"]["cohens_d"]
        assert entries["synergy_pct"]["recorded"] == source[key]["targets"]["mechanism_synergy"]["achievement_pct"]


@pytest.mark.parametrize("key", ["current_average", "published_aggregate"])
def test_one_row_worked_out(golden: Path, key: str) -> None:
    row = json.loads((golden / "validation.json").read_text())["tr3"][key][
        "worked_example_omega20_beta0.5_c2.5_n5_theta0.5"
    ]
    team = LoyalTeam(20.0, 0.5, 2.5, 5, teammates="mean" if key == "current_average" else "sum")
    assert team.free_riding == pytest.approx(row["analytical_free_riding"])
    assert team.mean_effort(0.5) == pytest.approx(row["equilibrium_effort"], rel=2e-5)
    assert team.output(team.mean_effort(0.5)) == pytest.approx(row["output_theta"], rel=2e-5)


def test_loyalty_moves_effort_most() -> None:
    r = sensitivity(sweep(DATA["boxes"]["published"], "mean"))
    assert max(r, key=lambda factor: abs(r[factor]["output_increase"])) == "theta"
    assert r["c"]["effort"] < 0 < r["omega"]["effort"]
