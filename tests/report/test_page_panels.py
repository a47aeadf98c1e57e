"""Panels on behaviour: figures of hand-made rows are known, hostile rows do no harm, real records fit in a page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from coopgym.report.page import episodes, landscape
from coopgym.report.page.material import Material
from coopgym.report.page.strata import numbers, spread
from coopgym.study.audits import AUDIT_CURVES, AUDITS
from coopgym.study.schema import RUNS
from coopgym.study.summary import band

MODES = ("private", "integrated")
GAME = "SLCD-v1"


def row(schema, **known):
    """A row with all columns of a table; what is not given is null."""
    assert not set(known) - set(schema.names), set(known) - set(schema.names)
    return dict.fromkeys(schema.names) | known


def run(algorithm, mode, seed, rate, welfare, game=GAME, kind="learner", **more):
    rewards = {f"reward_{kind}": [welfare / 2, welfare / 2] for kind in ("private", "integrated", "cooperative")}
    known = {"kind": kind, "algorithm": algorithm, "game": game, "reward_mode": mode, "seed": seed, "status": "ok"}
    known |= {"run_id": f"{game} {algorithm} {mode} {seed}", "rate": [rate, rate], "welfare": welfare}
    return row(RUNS, **{**known, "best_constant_welfare": 100.0, "game_hash": "h", **rewards, **more})


def material(runs=(), audits=(), audit_curves=()):
    return Material(Path("folder"), "study", list(runs), [], list(audits), list(audit_curves))


def constants(game=GAME):
    """Welfare 100 - 400 (x - 1/2)^2: best at a half."""
    return [
        run(f"Constant_{k}", "none", None, k / 100, 100.0 - (k / 5 - 10.0) ** 2, game, "constant") for k in range(101)
    ]


def learners(game=GAME, algorithms=("A", "B"), seeds=3):
    return [
        run(name, mode, seed, 0.2 + 0.3 * MODES.index(mode) + 0.01 * (seed - 1), 80.0 + 10.0 * MODES.index(mode), game)
        for name in algorithms for mode in MODES for seed in range(seeds)
    ]  # fmt: skip


def sound(panel):
    """A panel is JSON without NaN, with a word for each picture and a link for each line of a table."""
    assert panel.anchor.replace("-", "").isalpha() and panel.anchor.islower()
    for chart in panel.charts:
        assert chart.alt and chart.caption and chart.figure["data"] and chart.figure["layout"]["title"]["text"]
    for table in panel.tables:
        assert all(len(line) == len(table.columns) for line in table.rows)
        assert len(table.links) == len(table.rows)
        assert all(isinstance(x, str) for link in table.links for x in (*link, *link.values()))
    return size(panel)


def size(panel):
    whole = {
        "charts": [[dict(c.figure), c.alt, c.caption] for c in panel.charts],
        "tables": [[list(t.rows), [dict(link) for link in t.links]] for t in panel.tables],
    }  # fmt: skip
    return len(json.dumps(whole, allow_nan=False, separators=(",", ":")))


def named(chart, name):
    return next(trace for trace in chart.figure["data"] if trace["name"] == name and trace.get("hoverinfo") != "skip")


# statistics


def test_one_stratum_has_the_intervals_of_the_summary():
    x = np.random.default_rng(0).random((5, 3))
    found = spread([x])
    assert np.array_equal([found.mean, found.low, found.high], band(x))
    x[0, 1] = np.nan
    found = spread([x])
    assert (found.mean[1], found.low[1], found.high[1]) == tuple(float(y) for y in band(x[1:, 1]))


def test_strata_weigh_the_same_and_a_single_run_has_no_interval():
    found = spread([np.array([[0.0], [2.0]]), np.array([[10.0]] * 8)])
    assert found.at(0).mean == 5.5 and 5.0 <= found.at(0).low <= found.at(0).high <= 6.0
    assert spread([np.array([[3.0]])]).at(0).low is None
    assert spread([np.array([[np.nan]])]).at(0) is None and spread([]) is None
    assert spread([np.array([[1.0]]), np.array([[np.nan]])]).at(0).mean == 1.0


def test_what_is_no_number_is_not_averaged():
    found = numbers([1, "2", None, math.inf, 1e305, 10**400, [3], 2.5])
    assert np.array_equal(found, [1.0, *[np.nan] * 6, 2.5], equal_nan=True)


# payoff landscape


def test_constants_oracles_and_learners_stand_where_they_are():
    nash = run("Nash", "private", None, 0.25, 90.0, kind="oracle")
    best = run("SocialOptimum", "private", None, 0.75, 110.0, kind="oracle")
    panel = landscape.panel(material([*constants(), nash, best, *learners()]))
    sound(panel)
    chart = panel.charts[0]
    line, best, private = (named(chart, name) for name in ("constants", "best constant", "private"))
    assert max(line["y"]) == 1.0 and line["x"][line["y"].index(1.0)] == 0.5
    assert (best["x"], best["y"]) == ([0.5], [1.0])
    assert (named(chart, "Nash")["x"], named(chart, "SocialOptimum")["y"]) == ([0.25], [1.1])
    assert private["x"] == [0.2, 0.2] and private["y"] == [0.8, 0.8] and private["text"] == ["A", "B"]
    known, chosen = panel.tables
    assert dict(zip(known.columns, known.rows[0], strict=True))["Nash rate"] == 0.25
    assert chosen.rows[2][2:4] == ("integrated", 3) and chosen.rows[2][-2:] == (0.0, 0.25)
    assert chosen.links[0] == {"algorithm": "A", "game": GAME, "reward_mode": "private"}
    assert "0.2 [" in panel.lead and "under private rewards" in panel.lead and "give 0.5" in panel.lead


def test_several_games_have_a_group_each_and_an_overview():
    runs = [r for game in ("G-v1", "H-v1") for r in (*constants(game), *learners(game))]
    panel = landscape.panel(material(runs))
    sound(panel)
    assert [chart.group for chart in panel.charts] == ["", "G-v1", "G-v1", "H-v1", "H-v1"]
    overview = panel.charts[0]
    assert named(overview, "private")["x"] == pytest.approx([0.2, 0.2])
    assert named(overview, "best constant")["y"] == ["G-v1", "H-v1"]
    assert len(panel.tables[1].rows) == 4 and "2 learners" in panel.tables[1].rows[0]


def test_without_constants_the_curve_is_missing_and_the_reader_is_told():
    panel = landscape.panel(material(learners()))
    assert len(panel.charts) == 1 and any("no constant policies" in note for note in panel.notes)
    assert landscape.panel(material()) is None


# over an episode


def audit(algorithm, mode, seed, game=GAME, **more):
    known = {"algorithm": algorithm, "game": game, "reward_mode": mode, "seed": seed, "kind": "learner"}
    known |= {"run_id": f"{game} {algorithm} {mode} {seed}", "effort": "quick"}
    return row(AUDITS, **{**known, **more})


def audit_curve(of, metric, value, x=None, y=None):
    x = list(range(len(value))) if x is None else x
    return row(AUDIT_CURVES, run_id=of["run_id"], effort=of["effort"], metric=metric, x=x, y=y, value=value)


def courses(rows, length=20):
    """Rates fall from 0.8 by 0.02 a step, plus a hundredth a seed; integrated ones lie 0.1 higher; trust stays."""
    found = []
    for each in rows:
        base = 0.8 + 0.01 * (each["seed"] - 1) + 0.1 * MODES.index(each["reward_mode"])
        found.append(audit_curve(each, "rate_by_step", [base - 0.02 * t for t in range(length)]))
        found.append(audit_curve(each, "trust_by_step", [0.5] * length, x=list(range(1, length + 1))))
    return found


def test_courses_of_one_game_are_means_over_seeds_with_bands():
    rows = [audit("A", mode, seed) for mode in MODES for seed in range(3)]
    panel = episodes.panel(material(audits=rows, audit_curves=courses(rows)))
    sound(panel)
    assert [chart.group for chart in panel.charts] == ["", ""]
    private = named(panel.charts[0], "private")
    assert private["y"] == pytest.approx([0.8 - 0.02 * t for t in range(20)]) and private["x"] == list(range(20))
    assert private["line"]["dash"] == "solid" and named(panel.charts[0], "integrated")["line"]["dash"] == "dash"
    line = dict(zip(panel.tables[0].columns, panel.tables[0].rows[0], strict=True))
    assert line["cooperation, first tenth"].startswith("0.79 [") and line["trust, last tenth"].startswith("0.5")
    assert panel.tables[0].links[0] == {"algorithm": "A", "reward_mode": "private"}
    assert "0.79 [0.78, 0.8] and 0.43 [0.42, 0.44] under private rewards" in panel.lead


def test_courses_end_where_episodes_end_and_games_are_laid_beside_each_other_by_share():
    rows = [audit("A", mode, seed, game) for game in ("G-v1", "H-v1") for mode in MODES for seed in range(3)]
    curves = courses(rows)
    for curve in curves[: len(curves) // 2]:
        curve["value"] = curve["value"][:10] + [None] * 10
    panel = episodes.panel(material(audits=rows, audit_curves=curves))
    sound(panel)
    assert [chart.figure["layout"]["title"]["text"] for chart in panel.charts[:3]] == [
        "Cooperation: all games", "Trust: all games", "Cooperation: G-v1",
    ]  # fmt: skip
    whole, short = named(panel.charts[0], "private"), named(panel.charts[2], "private")
    assert whole["x"][-1] == 1.0 and whole["y"][-1] == pytest.approx((0.8 - 0.18 + 0.8 - 0.38) / 2, abs=1e-3)
    assert short["x"] == list(range(10))


def test_audits_without_courses_have_no_panel_of_them():
    rows = [audit("A", "private", seed) for seed in range(3)]
    assert episodes.panel(material(audits=rows)) is None and episodes.panel(material()) is None
    some = episodes.panel(material(audits=rows, audit_curves=courses(rows[:1])))
    assert any("2 runs audited before" in note for note in some.notes)
