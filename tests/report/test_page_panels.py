"""Panels on behaviour: figures of hand-made rows are known, hostile rows do no harm, real records fit in a page."""

from __future__ import annotations

import json
import math
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import coopgym
from coopgym.report.page import answers, cases, changes, episodes, fingerprints, landscape, making, measures
from coopgym.report.page.material import Material
from coopgym.report.page.strata import numbers, spread
from coopgym.statistics import mean_interval
from coopgym.study.records import aligned
from coopgym.study.schema import AUDIT_CURVES, AUDITS, RUNS
from coopgym.validation import pictures
from coopgym.validation.conduct.record import documented_games, record_of

MODES = ("private", "integrated")
GAME = "SLCD-v1"


def row(schema, **known):
    """A row with all columns of a table; what is not given is null."""
    assert not set(known) - set(schema.names), set(known) - set(schema.names)
    return dict.fromkeys(schema.names) | known


def value(text):
    """The first number of a text such as ``0.98 [0.97, 0.99]``."""
    return float(text.split(" ")[0])


def run(algorithm, mode, seed, rate, welfare, game=GAME, kind="learner", **more):
    half = None if welfare is None else welfare / 2
    rewards = {f"reward_{kind}": [half, half] for kind in ("private", "integrated", "cooperative")}
    known = {"kind": kind, "algorithm": algorithm, "game": game, "reward_mode": mode, "seed": seed, "status": "ok"}
    rates = rate if isinstance(rate, list) else [rate, rate]
    known |= {"run_id": f"{game} {algorithm} {mode} {seed}", "rate": rates, "welfare": welfare}
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
    np.testing.assert_allclose([found.mean, found.low, found.high], mean_interval(x))
    x[0, 1] = np.nan
    found = spread([x])
    assert (found.mean[1], found.low[1], found.high[1]) == pytest.approx(tuple(mean_interval(x[1:, 1])))


def test_strata_weigh_the_same_and_a_single_run_has_no_interval():
    found = spread([np.array([[0.0], [2.0]]), np.array([[10.0]] * 8)])
    assert found.at(0).mean == 5.5 and found.at(0).low == pytest.approx(5.5 - 12.7062 / 2, abs=1e-3)  # t of one seed
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
    assert re.search(r"0\.20* \[.*?\] under private rewards", panel.lead) and "give 0.5" in panel.lead


def test_several_games_have_a_group_each_and_an_overview():
    runs = [r for game in ("G-v1", "H-v1") for r in (*constants(game), *learners(game))]
    panel = landscape.panel(material(runs))
    sound(panel)
    assert [chart.group for chart in panel.charts] == ["", "G-v1", "H-v1"]
    overview = panel.charts[0]
    assert named(overview, "private")["x"] == pytest.approx([0.2, 0.2])
    assert named(overview, "best constant")["y"] == ["G-v1", "H-v1"]
    assert len(panel.tables[1].rows) == 4 and "2 learners" in panel.tables[1].rows[0]


def test_without_constants_the_curve_is_missing_and_the_reader_is_told():
    panel = landscape.panel(material(learners()))
    assert len(panel.charts) == 1 and any("no constant policies" in note for note in panel.notes)
    assert landscape.panel(material()) is None


def brackets(text):
    """All intervals of a text."""
    return [tuple(map(float, pair)) for pair in re.findall(r"\[(-?[\d.e-]+), (-?[\d.e-]+)\]", text)]


def test_intervals_of_rates_stay_within_what_rates_can_be():
    """Rates far apart of two seeds: the t interval goes beyond 0 and 1, and is cut there, in tables and sentences."""
    two = [run(name, "private", seed, (0.1, 0.9)[seed], 80.0) for name in "AB" for seed in range(2)]
    for runs in (two[:2], two, [*two, *(run("A", "private", s, (0.1, 0.9)[s], 80.0, "H-v1") for s in range(2))]):
        panel = landscape.panel(material(runs))
        sound(panel)
        shown = [panel.lead, *(row[4] for row in panel.tables[1].rows)]
        assert len(brackets(" ".join(shown))) >= 2
        assert all(0.0 <= low <= high <= 1.0 for low, high in brackets(" ".join(shown))), shown
        assert "[0, 1.00]" in panel.charts[-1].alt
    rows = audits(algorithms=("A",), modes=("private",), seeds=2)
    rates = [audit_curve(r, "rate_by_step", [(0.1, 0.9)[k]] * 20, list(range(20))) for k, r in enumerate(rows)]
    rises = [audit_curve(r, "conditional_curve", ([0.0, 1.0], [0.9, 0.1])[k], [0.0, 1.0]) for k, r in enumerate(rows)]
    course = episodes.panel(material(audits=rows, audit_curves=rates))
    answer = answers.panel(material(audits=rows, audit_curves=rises))
    ends = brackets(
        " ".join([course.lead, *map(str, course.tables[0].rows), course.charts[0].alt, answer.charts[0].alt])
    )
    assert len(ends) >= 6 and all(0.0 <= low <= high <= 1.0 for low, high in ends)
    assert brackets(answer.tables[0].rows[0][-1]) == [(-1.0, 1.0)]
    told = measures.panel(material(audits=[r | {"level": (0.1, 0.9)[k]} for k, r in enumerate(rows)]))
    assert brackets(told.lead) == [(0.0, 1.0)]


def test_two_designs_of_a_learner_are_not_averaged():
    """Same seeds, other steps: no repeats. Each is told by itself, in one game and in several."""

    def both(game):
        return [
            run("A", "private", seed, 0.2 + 0.4 * k + 0.01 * seed, 80.0, game, variant=f"{steps} steps")
            for k, steps in enumerate((800, 1600))
            for seed in range(3)
        ]

    for games in ((GAME,), (GAME, "H-v1")):
        panel = landscape.panel(material([each for game in games for each in both(game)]))
        sound(panel)
        assert re.search(r"0\.210* \[[^]]+\] by A \[800 steps\] and 0\.61", panel.lead), panel.lead
        assert "0.41" not in json.dumps([panel.lead, [c.alt for c in panel.charts], [t.rows for t in panel.tables]])
        lines = [(row[0], row[1], row[3]) for row in panel.tables[1].rows]
        assert lines == [(game, f"A [{steps} steps]", 3) for game in games for steps in (800, 1600)]
        assert panel.tables[1].links[0] == {
            "algorithm": "A",
            "variant": "800 steps",
            "game": GAME,
            "reward_mode": "private",
        }


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
    assert (value(line["cooperation, first tenth"]), value(line["trust, last tenth"])) == (0.79, 0.5)
    assert panel.tables[0].links[0] == {"algorithm": "A", "reward_mode": "private"}
    assert "0.790 [0.765, 0.815] and 0.430 [0.405, 0.455] under private rewards" in panel.lead  # t of three seeds


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
    assert (short["x"][0], short["x"][-1]) == (0, 9) and len(short["x"]) < 10  # thinned


def test_audits_without_courses_have_no_panel_of_them():
    rows = [audit("A", "private", seed) for seed in range(3)]
    assert episodes.panel(material(audits=rows)) is None and episodes.panel(material()) is None
    some = episodes.panel(material(audits=rows, audit_curves=courses(rows[:1])))
    assert any("2 runs audited before" in note for note in some.notes)


# answers, fingerprints, measures

PLANE = [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0) if x + y <= 1.0]


def answering(rows, size=0.3):
    """A defection is answered in part a step later, gifts not; the curve rises by 0.2; givers are worth 1.5."""
    x, y = (list(part) for part in zip(*PLANE, strict=True))
    found = []
    for each in rows:
        spread_ = 0.1 * (each["seed"] - 1)
        found.append(audit_curve(each, "answer_defection", [0.0, -size - spread_, 0.0, 0.0]))
        found.append(audit_curve(each, "answer_gift", [0.0, 0.0, 0.0, 0.0]))
        found.append(audit_curve(each, "conditional_curve", [0.4, 0.5, 0.6], x=[0.1, 0.5, 0.9]))
        found.append(audit_curve(each, "fingerprint", [1.0 + 0.5 * a - 0.4 * b for a, b in PLANE], x=x, y=y))
    return found


def audits(games=(GAME,), algorithms=("A", "B"), modes=MODES, seeds=3, **more):
    return [audit(a, m, s, g, **more) for g in games for a in algorithms for m in modes for s in range(seeds)]


def test_answers_are_pooled_and_shown_by_learner():
    rows = audits(("G-v1", "H-v1"))
    panel = answers.panel(material(audits=rows, audit_curves=answering(rows)))
    sound(panel)
    assert [chart.figure["layout"]["title"]["text"] for chart in panel.charts[:4]] == [
        "A partner defects for a step: all learners", "A partner gives more for a step: all learners",
        "Partners play at random: all learners", "A partner defects for a step: A",
    ]  # fmt: skip
    assert named(panel.charts[0], "private")["y"] == [0.0, -0.3, 0.0, 0.0]
    line = dict(zip(panel.tables[0].columns, panel.tables[0].rows[0], strict=True))
    heads = ("runs", "defection, a step later", "defection, mean of 10", "gift, a step later", "rise")
    assert [value(str(line[head])) for head in heads] == [12, -0.3, -0.1, 0.0, 0.2]
    assert panel.tables[0].links[2] == {"algorithm": "A", "reward_mode": "private"}


def test_fingerprints_lie_where_their_probes_do():
    rows = audits()
    panel = fingerprints.panel(material(audits=rows, audit_curves=answering(rows)))
    sound(panel)
    assert len(panel.charts) == 3 and [t["name"] for t in panel.charts[1].figure["data"]] == list(MODES)
    tile = panel.charts[0].figure["data"][0]
    assert tile["x"] == tile["y"] == [0.0, 0.5, 1.0]
    assert tile["z"] == [[1.0, 1.25, 1.5], [0.8, 1.05, None], [0.6, None, None]]
    axis = panel.charts[0].figure["layout"]["coloraxis"]
    assert axis["cmid"] == 1.0 and axis["cmax"] == pytest.approx(1.5, abs=0.01)
    line = dict(zip(panel.tables[0].columns, panel.tables[0].rows[0], strict=True))
    assert [value(line[name]) for name in ("never give", "TitForTat", "always give")] == [0.6, 1.0, 1.5]


def test_measures_are_means_over_games_and_seeds():
    rows = audits(("G-v1", "H-v1"), efficiency=0.9, best_gain_relative=0.25)
    for each in rows:
        each |= {"gini": 0.1 if each["game"] == "G-v1" else 0.3, "unforgiving": None if each["seed"] else 1.0}
    rows.append(audit("A", "private", 9, effort="full", efficiency=0.1))
    panel = measures.panel(material(audits=rows))
    sound(panel)
    by_learner, by_game = panel.tables
    assert by_learner.columns == (
        "learner",
        "rewards",
        "runs",
        "efficiency",
        "gini",
        "best_gain_relative",
        "unforgiving",
    )
    assert by_learner.rows[0][:3] == ("A", "private", 6)
    assert [value(text) for text in by_learner.rows[0][3:]] == [0.9, 0.2, 0.25, 1.0]
    assert by_game.rows[0][:2] == ("G-v1", "private") and by_game.links[0] == {"game": "G-v1", "reward_mode": "private"}
    assert [chart.group for chart in panel.charts] == ["efficiency", "gini", "best_gain_relative", "unforgiving"]
    assert "24 policies audited in 2 games" in panel.lead and re.search(r"0\.250? \[.*\] under private", panel.lead)
    assert any("1 audit of another effort" in note for note in panel.notes)
    assert any("unforgiving in 16" in note for note in panel.notes)


def test_panels_on_behaviour_average_no_designs_of_a_learner():
    """IPPO of two budgets with other answers, in one game and in two: no panel has a slice or a sentence of both."""
    for games in ((GAME,), (GAME, "H-v1")):
        low, high = (audits(games, algorithms=("A",), best_gain_relative=x, efficiency=x) for x in (0.2, 0.6))
        for name, own in (("800 steps", low), ("1,600 steps", high)):
            for each in own:
                each |= {"variant": name, "run_id": f"{each['run_id']} {name}"}
        rows = [*low, *high]
        answered = [*answering(low, 0.2), *answering(high, 0.6)]
        rates = [audit_curve(r, "rate_by_step", [r["efficiency"]] * 20, list(range(20))) for r in rows]
        panels = [
            f.panel(material(audits=rows, audit_curves=[*answered, *rates]))
            for f in (measures, episodes, answers, fingerprints)
        ]
        for panel in panels:
            sound(panel)
            whole = [panel.lead, [(c.alt, c.caption, c.figure["layout"]["title"]["text"]) for c in panel.charts]]
            text = json.dumps([*whole, [t.rows for t in panel.tables]])
            assert "all learners" not in text and "all games" not in text, text
            assert "A [800 steps]" in panel.lead or "A [1,600 steps]" in panel.lead, panel.lead
            assert panel.anchor == "answers" or not re.search(r"[ \"]0\.40*\b", text), (panel.anchor, text)
        assert len(panels[0].tables) == 1


def test_of_many_learners_the_best_are_drawn_and_the_reader_is_told():
    rows = audits(algorithms=[f"L{k:02d}" for k in range(12)], seeds=1)
    for each in rows:
        each |= {"efficiency": int(each["algorithm"][1:]) / 10}
    panel = answers.panel(material(audits=rows, audit_curves=answering(rows)))
    drawn = list(dict.fromkeys(chart.group for chart in panel.charts))
    assert drawn == ["all learners", *(f"L{k:02d}" for k in range(11, 3, -1))] and "8 learners" in panel.notes[0]


# case studies


def acting(rows, levels):
    """Audits whose agents give these levels ``[K, A]`` in each phase."""
    x, y = (axis.ravel().tolist() for axis in np.indices(np.shape(levels)))
    return [audit_curve(each, "rate_by_phase", np.ravel(levels).tolist(), x=x, y=y) for each in rows]


def test_who_plays_the_documented_levels_is_like_the_record():
    record = record_of(coopgym.game(GAME))
    rows = audits(algorithms=("A",), level_by_agent=record.levels.mean(0).tolist())
    panel = cases.panel(material(audits=rows, audit_curves=acting(rows, record.levels)))
    sound(panel)
    samsung = panel.charts[0]
    assert named(samsung, "private")["y"] == pytest.approx(record.levels[:, 0].tolist())
    assert samsung.figure["data"][0]["y"][:4] == pytest.approx([0.6, 0.6, 0.8, 0.8])
    levels, like = panel.tables
    assert levels.rows[0][:4] == ("early", "0 to 29", "Samsung", "0.70 ± 0.10")
    line = dict(zip(like.columns, like.rows[0], strict=True))
    assert [value(line[name]) for name in ("R²", "in bands", "order", "turns", "rubric")] == [1.0] * 5
    assert like.rows[-2][0] == "best constants" and "which 6 of 6 runs exceed" in panel.lead
    assert len(panel.charts) == 2 + 4  # actors, and the quantities of the stored model


def test_changes_average_no_designs_of_a_learner_and_stay_within_what_they_can_be():
    def change(name, difference, measure="level"):
        about = {"measure": measure, "algorithm": name, "game": GAME, "before": "private", "after": "integrated"}
        about |= {"difference": difference, "low": -3.0, "high": 4.0, "p": 0.5, "adjusted": 1.0, "found": False}
        return about | {"mean_before": 0.2, "mean_after": 0.5, "seeds": 2}

    for names in (("A", "B", "C", "D"), ("A [8 steps]", "A [16 steps]", "B", "C")):
        both = [change(name, 0.9 - 0.5 * k, m) for k, name in enumerate(names) for m in ("level", "welfare")]
        text, table = changes.told(both), changes.table(both)
        apart = "[" in names[0]
        assert ("mean changes over" in text) == (not apart) and ("for A [8 steps]" in text) == apart
        assert (changes.picture(both) is None) == apart
        assert ("cooperation" in text) == (not apart)
        assert all(
            -1.0 <= low <= high <= 1.0 for low, high in brackets(text.partition("cooperation")[2].split("]")[0] + "]")
        )
        assert [x for row in table.rows if row[2] == "cooperation" for x in brackets(row[5])] == [(-1.0, 1.0)] * 4
        assert len(table.rows) == 8


def test_case_studies_average_no_designs_of_a_learner():
    runs = [
        run("A", "private", seed, [0.2 + 0.4 * k] * 2, 80.0, "SLCD-v1", variant=f"{k} steps", run_id=f"{k} {seed}")
        for k in range(2)
        for seed in range(3)
    ]
    panel = cases.panel(material(runs))
    sound(panel)
    assert panel.tables[0].columns[-2:] == ("A [0 steps], private", "A [1 steps], private")
    assert [each[:4] for each in panel.tables[0].rows[0][-2:]] == ["0.20", "0.60"]


def test_runs_alone_show_means_over_the_episode():
    runs = [run("A", mode, seed, 0.6, 80.0) for mode in MODES for seed in range(3)]
    panel = cases.panel(material(runs))
    sound(panel)
    assert named(panel.charts[0], "private")["y"] == [0.6] * 3 and len(panel.tables) == 1
    assert any("--again" in note for note in panel.notes)
    assert cases.panel(material([run("A", "private", 0, 0.6, 80.0, game="GiftExchange-v1")])) is None


def test_the_stored_pictures_are_those_that_the_models_give():
    known = pictures.stored()
    for report in (2, 4):  # without a search, so quick
        made = pictures.importlib.import_module(f"coopgym.validation.report{report}.picture").picture(draws=3)
        own = known[made.case]
        assert (own.title, own.null, own.x_label, own.phases) == (made.title, made.null, made.x_label, made.phases)
        for one, other in zip(own.panels, made.panels, strict=True):
            assert one.title == other.title and np.allclose(one.x, other.x) and len(one.bands) == len(other.bands)
            assert list(one.models) == list(other.models)
            assert all(np.allclose(one.models[name], y, rtol=1e-4) for name, y in other.models.items())
    assert set(known) == {"slcd", "renault_nissan", "apache", "apple"}


# hostile rows, real records

PANELS = (landscape.panel, measures.panel, episodes.panel, answers.panel, fingerprints.panel, cases.panel)


def test_hostile_rows_do_no_harm():
    name = "<b>'\"&{}$%{x} [v] \N{RIGHT-TO-LEFT OVERRIDE}"
    runs = [run(name, mode, seed, 0.5, 1e308 if seed else -1e308, game=name) for mode in MODES for seed in range(2)]
    runs += [run("A", "private", 0, [None, 0.2], 1.0), run("A", "private", 1, [], None)]
    runs += [run("A", "private", 2, 7.0, 1.0), run("B", "private", None, 0.3, 5.0, best_constant_welfare=1e-320)]
    runs += [run("Constant_1", "none", None, 0.01, 1e308, kind="constant", reward_private=[1e308, 1e308])]
    runs += [row(RUNS, run_id="bare", status="ok", kind="learner", game=GAME, algorithm="A", reward_mode="private")]
    runs += [run("A", "odd(", 3, 0.5, 3.0, mutuality=0.5, game_options="{not json")]
    rows = [*audits(), audit(name, "private", 0, game=name, efficiency=1e308, gini=math.nan), row(AUDITS, run_id="x")]
    curves = [*answering(rows[:4]), *courses(rows[:4]), *acting(rows[:4], np.full((3, 2), 0.5))]
    curves[0]["value"][0] = None
    curves[1]["value"], curves[2]["x"], curves[3]["y"] = [math.nan] * 4, None, None
    curves[4]["value"] = [1e308, -1e308, 1e308, None]
    curves[-1]["value"] = [None] * 6
    curves.append(audit_curve(rows[0], "answer_gift", []) | {"run_id": "unknown"})
    whole = material(runs, rows, curves)
    assert sum(sound(panel) for make in PANELS if (panel := make(whole))) > 0
    for k in range(len(curves)):
        some = material(runs[k % 3 :: 3], rows[k % 5 :: 5], curves[k : k + 2])
        assert all(sound(panel) for make in PANELS if (panel := make(some)))


def test_the_audits_in_the_repository_fit_in_a_page():
    table = pq.read_table(Path(__file__).parents[2] / "data_cards" / "audit" / "audits")
    rows = aligned(table, AUDITS).to_pylist()
    panel = measures.panel(material(audits=rows))
    assert sound(panel) < 120_000 and "1,368 policies audited in 19 games" in panel.lead
    private = {r[0]: r for r in panel.tables[0].rows if r[1] == "private"}
    place = panel.tables[0].columns.index("efficiency")
    for name in ("IPPO", "QMIX"):
        own = [r["efficiency"] for r in rows if r["algorithm"] == name and r["reward_mode"] == "private"]
        assert value(private[name][place]) == pytest.approx(np.mean(own), abs=6e-4)


def large():
    """20 games, 16 learners, three modes, two seeds, all audited, and the constants."""
    games = [*(f"{name}-v1" for name in documented_games()), *(f"Game{k:02d}-v1" for k in range(16))]
    rows = audits(games, [f"Learner{k:02d}" for k in range(16)], ("private", "integrated", "cooperative"), 2)
    draw = np.random.default_rng(0)
    x, y = (list(part) for part in zip(*PLANE, strict=True))
    shapes = {game: record_of(coopgym.game(game)).levels.shape for game in games[:4]}
    lengths = {"rate_by_step": 100, "trust_by_step": 100, "answer_defection": 21, "answer_gift": 21}
    curves = []
    for each in rows:
        each |= {name: draw.random() for name in measures.SHOWN}
        curves += [audit_curve(each, metric, draw.random(length).tolist()) for metric, length in lengths.items()]
        curves.append(audit_curve(each, "fingerprint", draw.random(len(x)).tolist(), x=x, y=y))
        if each["game"] in shapes:
            curves += acting([each], draw.random(shapes[each["game"]]))
    runs = [run(r["algorithm"], r["reward_mode"], r["seed"], draw.random(), 99.0, r["game"]) for r in rows]
    return material([*runs, *(r for game in games for r in constants(game))], rows, curves)


def test_a_large_study_stays_small():
    whole = large()
    sizes = {make.__module__: sound(panel) for make in PANELS if (panel := make(whole))}
    assert len(sizes) == len(PANELS) and sum(sizes.values()) < 600_000, sizes


def test_seeds_that_are_far_apart_are_named_without_counting_from_one_to_the_other():
    tracemalloc.start()
    assert making._seeds([{"seed": 0}, {"seed": 10**8}, {"seed": 2**62}]) == "0, 100000000 and 4611686018427387904"
    assert making._seeds([{"seed": seed} for seed in (3, 5, 4)]) == "3 to 5"
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
