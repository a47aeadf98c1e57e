"""TR-1: equilibria against searches on the game's own payoffs, and every recorded figure, item by item."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.figures import compare
from coopgym.validation.files import read_data
from coopgym.validation.report1.convergence import best_response
from coopgym.validation.report1.evidence import evidence, slcd_score
from coopgym.validation.report1.model import FORMS, Venture
from coopgym.validation.report1.reproduced import VARIANTS, case_score, reproduced
from coopgym.validation.report1.slcd import slcd
from coopgym.validation.report1.trials import searched_score

DATA = read_data("tr1_trials")
GOLDEN = {"log": "logarithmic", "power": "power"}
ITEMS = (
    "c1_converged",
    "c1_positive",
    "c1_below100",
    "c1_payoff_finite",
    "c1_value_finite",
    "c2_gt0",
    "c2_gt10",
    "c2_gt15",
    "c2_lt100",
    "c2_lt80",
    "c2_band15_60",
    "c2_both_up",
    "c3_gt0",
    "c3_gt10",
    "c3_gt15",
    "c3_lt100",
    "c3_band10_50",
    "c3_Vup",
    "c4_pos",
    "c4_pareto",
    "c4_share",
    "c5_converged",
    "c5_mean_up",
    "c5_asym",
)


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())["tr1"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("matrix", VARIANTS)
def test_nobody_gains_by_another_action(form: str, matrix: str) -> None:
    venture = slcd(form, matrix)
    actions = venture.equilibrium()
    now = venture.utilities(actions)
    for i in (0, 1):
        tried = np.tile(actions, (20_001, 1))
        tried[:, i] = np.concatenate([[0.01, 100.0], actions[i] + np.linspace(-0.3, 40.0, 19_999)])
        assert venture.utilities(tried)[:, i].max() <= now[i] + 1e-10
        assert best_response(venture, actions[1 - i : 2 - i], i) == pytest.approx(actions[i], rel=1e-9)


def test_random_ventures_have_no_first_order_condition_open() -> None:
    rng = np.random.default_rng(3)
    shares = rng.uniform(0.1, 0.9, 500)
    for form, curvature in (("log", rng.uniform(5, 40, 500)), ("power", rng.uniform(0.3, 0.9, 500))):
        venture = Venture(
            form,
            curvature,
            rng.uniform(0.0, 1.0, 500),
            endowment=np.full((500, 2), 100.0),
            shares=np.stack([shares, 1.0 - shares], axis=-1),
            dependence=rng.uniform(0.0, 1.0, (500, 2)),
        )
        assert venture.residual(venture.equilibrium()).max() < 1e-12


def test_a_bound_ends_the_actions() -> None:
    steep = replace(slcd("power"), curvature=0.99, synergy=1.0)
    assert steep.equilibrium().max() == 100.0
    assert steep.residual(steep.equilibrium()) == 0.0
    assert steep.residual(np.array([5.0, 5.0])) > 0.1


def test_payoffs_by_hand() -> None:
    venture, actions = slcd("log"), np.array([30.0, 20.0])
    synergy = 0.65 * np.sqrt(600.0)
    by_hand = 100.0 - actions + 20.0 * np.log1p(actions) + np.array([0.55, 0.45]) * synergy
    np.testing.assert_allclose(venture.payoffs(actions), by_hand)
    np.testing.assert_allclose(venture.utilities(actions), by_hand + np.array([0.64, 0.86]) * by_hand[::-1])
    assert venture.total_value(actions) == pytest.approx(20.0 * np.log1p(actions).sum() + synergy)


def test_baselines_have_closed_forms() -> None:
    np.testing.assert_allclose(slcd("log").baseline(), 19.0)
    np.testing.assert_allclose(slcd("power").baseline(), 0.75**4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recorded_figure(variant: str) -> None:
    assert [x for x in compare(reproduced(variant), DATA["figures"][variant]) if not x.holds] == []


@pytest.mark.parametrize("form", FORMS)
def test_rubric_item_by_item(recorded: Any, form: str) -> None:
    scored = case_score(form)
    items = recorded["current"]["exp1"][GOLDEN[form]]["items"]
    assert scored.points.tolist() == [items[name] for name in ITEMS]
    assert len(scored.rubric.items) == 24
    assert scored.rubric.out_of == 60


def test_other_ventures_item_by_item(recorded: Any) -> None:
    names = {"strong_asymmetry": "asymmetric", "platform_and_developer": "platform_developer"}
    for case in DATA["settings"]["other_cases"]:
        source = recorded["current"]["exp5_multi_case"][names.get(case["name"], case["name"])]
        for form in FORMS:
            venture = replace(slcd(form), shares=np.array(case["shares"]), dependence=np.array(case["dependence"]))
            scored = slcd_score(evidence(venture, venture.equilibrium()))
            differing = [k for k, x in zip(ITEMS, scored.points, strict=True) if x != source[GOLDEN[form]]["items"][k]]
            tied = form == "power" and case["shares"] == [0.5, 0.5]
            assert differing == (["c4_share"] if tied else [])


def test_line_search_noise_costs_equal_partners_four_points() -> None:
    venture = replace(slcd("power"), shares=np.array([0.5, 0.5]), dependence=np.array([0.9, 0.9]))
    exact = evidence(venture, venture.equilibrium())
    assert exact["share"] == 0.5
    assert slcd_score(exact).total - searched_score(venture) == 4.0


def test_recorded_figures_are_those_of_the_suite(recorded: Any) -> None:
    figures = DATA["figures"]["current"]
    assert figures["noise_0.05_d"]["recorded"] == recorded["effect_size_versus_noise"]["0.05"]
    assert figures["score_log"]["recorded"] == recorded["current"]["exp1"]["logarithmic"]["score"]
    assert figures["scored_equilibria"]["recorded"] == recorded["current"]["trial_counts"]["scored_equilibria"]
    published = recorded["published_state_transposed_matrix"]["exp1"]["power"]["metrics"]["coop_inc"]
    assert DATA["figures"]["transposed"]["cooperation_increase_power"]["recorded"] == published


def test_fifty_nine_points_cannot_be_reached() -> None:
    rubric = case_score("log").rubric
    single = [item for item in rubric.items if item.points == 1]
    assert [(item.key, item.bands[0].above) for item in single] == [("cooperation_increase", 0)]
    above = {b.above for i in rubric.items if i.key == "cooperation_increase" for b in i.bands}
    assert {10, 15} <= above  # whoever misses that point misses these too


@pytest.mark.parametrize(
    ("build", "message"),
    [(lambda: slcd("log", "rotated"), "matrix='rotated'"), (lambda: replace(slcd("log"), form="root"), "form='root'")],
)
def test_only_known_variants(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
