"""The HTML report: what it is made from, what it says, and that no text in records can break it."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from reported import HOSTILE, MODES, hostile, study, write
from study.synthetic import row
from typer.testing import CliRunner

pytest.importorskip("plotly")
pytest.importorskip("jinja2")

from coopgym.cli.commands import app
from coopgym.report.page import build, runs
from coopgym.report.page.cells import cells
from coopgym.report.page.colours import colour
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.render import figure_json, page, visible
from coopgym.report.page.words import around, listed, number
from coopgym.study.summary import Estimate, estimate, estimates

AUDITED = Path(__file__).resolve().parents[2] / "data_cards" / "audit"


class Read(HTMLParser):
    """A page as a parser that is not a browser's sees it: tags, and text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.data, self.inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside is None:
            self.text.append(data)
        elif data.startswith('{"data"'):
            self.data.append(json.loads(data))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def made(folder):
    return build.report(folder, folder / "report.html", title="A study")


@pytest.fixture(scope="module")
def read(made):
    return Read(made.path.read_text())


def test_the_page_is_one_file_with_a_section_for_each_panel(made, read, folder):
    assert made.path == folder / "report.html"
    assert made.bytes == made.path.stat().st_size < 6e6
    ours = ["answer", "outcomes", "rankings", "crossover", "learning", "runs", "making"]
    assert [name for name in made.panels if name in ours] == ours
    assert [attrs["id"] for tag, attrs in read.tags if tag == "section"] == list(made.panels)
    assert "A study" in read.text


def test_nothing_on_the_page_points_elsewhere(read):
    assert not [tag for tag, _ in read.tags if tag in ("iframe", "object", "embed", "form", "base", "img")]
    for tag, attrs in read.tags:
        for name in ("src", "href", "action", "srcset"):
            assert (attrs.get(name) or "#").startswith(("#", "data:")), (tag, attrs)
    policy = next(a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "script-src" in policy and "'unsafe-inline'" not in policy.split("style-src")[0]


def test_every_chart_has_a_text_and_finite_data(read):
    charts = [attrs for tag, attrs in read.tags if attrs.get("role") == "img"]
    assert len(charts) == len(read.data) > 5
    assert all(len(attrs["aria-label"]) > 20 for attrs in charts)
    assert all(figure["data"] and "title" not in figure["layout"] for figure in read.data)


def test_every_run_has_a_line_and_links_lead_to_runs_that_are_there(read, made):
    material = Material.read(made.path.parent)
    assert {row["run_id"] for row in material.runs} <= set(read.text)
    links = [json.loads(attrs["data-filter"]) for _, attrs in read.tags if "data-filter" in attrs]
    known = [
        {"reward_mode": r["reward_mode"], **{n: r[n] for n in ("algorithm", "game", "status")}} for r in material.runs
    ]
    assert links
    assert all(any(wanted.items() <= have.items() for have in known) for wanted in links)


def test_figures_of_the_page_are_those_of_the_records(read, made):
    """The mean of a cell, computed from the rows without the report's code, stands in the table of outcomes."""
    material = Material.read(made.path.parent)
    own = [
        r["welfare"]
        for r in material.runs
        if (r["algorithm"], r["game"], r["reward_mode"]) == ("COMA", "GiftExchange-v1", "private")
    ]
    assert len(own) == 6
    cell = next(c for c in cells(material) if (c.player, c.game, c.mode) == ("COMA", "GiftExchange-v1", "private"))
    assert cell.found["welfare"].mean == pytest.approx(np.mean(own))
    assert around(cell.found["welfare"], 3) in read.text


def test_the_answer_names_what_was_compared_and_how_sure_it_is(read):
    text = " ".join(read.text)
    assert "What changes in 2 games when IPPO, MAPPO and COMA are trained on private, integrated or cooperative" in text
    assert "6 pairs of learner and game" in text
    assert "IPPO has the best average rank of 3 learners under every reward." in text
    assert re.search(r"\d+ tests", text)


def test_failures_are_told_with_their_reason(read, made):
    text = " ".join(read.text)
    assert "2 runs diverged or failed." in text
    assert "no memory" in read.text
    assert "at update 3" in read.text
    assert len(Material.read(made.path.parent).failures) == 2


def test_a_page_is_the_same_each_time_but_for_its_date(folder, made, tmp_path):
    again = build.report(folder, tmp_path / "again.html", title="A study")
    without = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", path.read_text()) for path in (made.path, again.path)]
    assert without[0] == without[1]


def test_hostile_texts_are_text(tmp_path):
    text = build.report(hostile(tmp_path), tmp_path / "page.html").path.read_text()
    read = Read(text)
    assert not any(name.startswith("on") for _, attrs in read.tags for name in attrs)
    assert not [attrs for tag, attrs in read.tags if tag in ("img", "svg")]
    assert all((attrs.get("href") or "#").startswith(("#", "data:")) for tag, attrs in read.tags if tag == "a")
    scripts = [attrs.get("type") for tag, attrs in read.tags if tag == "script"]
    assert scripts.count(None) == 1
    assert HOSTILE[0] in read.text
    assert "\u202e" not in text and "\\u202e" in text
    assert "{{ 7 * 7 }}" in " ".join(read.text)
    assert "49 %{x}" not in text


def test_a_figure_cannot_end_its_script_or_hold_a_link_or_nan():
    name = "</script><a href='https://x'>y</a><b>z</b>"
    figure = {
        "data": [{"x": np.array([1.0, np.nan, np.inf]), "name": name, "y": [10**400, 2]}],
        "layout": {"title": {"text": "t"}},
    }  # fmt: skip
    text = figure_json(Chart(figure, "alt"))
    assert "<" not in text and ">" not in text and "'" not in text
    found = json.loads(text)["data"][0]
    assert found["x"] == [1, None, None]
    assert found["y"] == [None, 2]
    assert found["name"] == "&lt;/script>&lt;a href='https://x'>y&lt;/a><b>z</b>"


def test_a_page_without_charts_has_no_plotly():
    bare = page("t", "a", [Panel("answer", "q", "lead", tables=(Table(("x",), ((None,), (2.5,), (True,))),))], "made")
    assert len(bare) < 60_000


def test_what_nears_six_megabytes_holds_plotly_compressed(monkeypatch):
    chart = Chart({"data": [{"x": [1]}], "layout": {}}, "alt")
    panels = [Panel("answer", "q", "lead", charts=(chart,))]
    plain = page("t", "a", panels, "made")
    monkeypatch.setattr("coopgym.report.page.render.MOST", len(plain) - 1)
    packed = page("t", "a", panels, "made")
    assert b'id="plotly-plain"' in plain and b'id="plotly-packed"' in packed
    assert len(packed) < 0.5 * len(plain)


def test_a_large_study_has_a_line_a_cell_and_all_runs_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr("coopgym.report.page.runs.MANY", 50)
    folder = study(tmp_path / "study")
    made = build.report(folder, tmp_path / "out" / "page.html")
    assert made.csv == tmp_path / "out" / runs.CSV
    with made.csv.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == made.runs == 108
    material = Material.read(folder)
    assert {r["run_id"] for r in rows} == {r["run_id"] for r in material.runs}
    assert json.loads(rows[0]["payoff"]) == material.runs[0]["payoff"]
    table = runs.panel(material).tables[0]
    assert len(table.rows) == 18
    assert ("a", {"href": "runs.csv", "download": None}) in Read(made.path.read_text()).tags


def test_csv_of_texts_that_a_spreadsheet_would_compute(tmp_path):
    text = runs.as_csv(Material.read(hostile(tmp_path))).decode()
    assert "'=HYPERLINK" in text
    assert ",=HYPERLINK" not in text


def test_an_audit_alone_has_a_report(tmp_path):
    shutil.copytree(AUDITED / "audits", tmp_path / "audits")
    material = Material.read(tmp_path)
    assert (material.kind, len(material.audits), len(material.runs)) == ("audit", 1368, 0)
    assert material.modes() == list(MODES)


def test_a_data_set_has_a_report():
    material = Material.read(AUDITED)
    assert (material.kind, len(material.audits), len(material.runs)) == ("study", 1368, 1368)


def test_a_folder_of_folders_is_read_as_one(tmp_path):
    study(tmp_path / "a", games={"GiftExchange-v1": 4})
    study(tmp_path / "b", games={"SLCD-v1": 2})
    assert Material.read(tmp_path).games() == ["GiftExchange-v1", "SLCD-v1"]


def test_a_sweep_of_mutuality_has_a_crossover_along_it(tmp_path):
    rows = [
        row(name, "GiftExchange-v1", "integrated", seed, level + 0.001 * seed, family, mutuality=m)
        for m in (0.0, 0.5, 1.0) for seed in range(4)
        for name, family, level in (("IPPO", "independent", 0.5 + m), ("MAPPO", "CTDE", 0.8))
    ]  # fmt: skip
    panel = next(p for p in build.panels(Material.read(write(tmp_path, rows))) if p.anchor == "crossover")
    trace = panel.charts[0].figure["data"][0]
    assert trace["x"] == [0.0, 0.5, 1.0]
    assert trace["y"] == pytest.approx([-0.3, 0.2, 0.7])
    assert panel.tables[1].rows[0][2].startswith("0.30")  # linear between -0.3 and 0.2


def test_errors_are_one_line_with_an_exit_code(tmp_path, monkeypatch):
    runner = CliRunner()
    missing = runner.invoke(app, ["report", str(tmp_path / "nowhere")])
    empty = runner.invoke(app, ["report", str(tmp_path)])
    assert (missing.exit_code, empty.exit_code) == (2, 2)
    assert "there is no folder" in missing.output and missing.output.count("\n") == 1
    assert "there are no records" in empty.output and empty.output.count("\n") == 1
    study(tmp_path / "study", seeds=2)
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    bare = runner.invoke(app, ["report", str(tmp_path / "study")])
    assert bare.exit_code == 1
    assert 'pip install "coopgym[report]"' in bare.output


def test_the_command_says_where_the_page_is(folder, tmp_path):
    runner, out = CliRunner(), tmp_path / "page.html"
    said = runner.invoke(app, ["report", str(folder), "--out", str(out), "--json"])
    assert said.exit_code == 0
    assert json.loads(said.output) | {"panels": 0} == {
        "path": str(out), "bytes": out.stat().st_size, "kind": "ablation", "runs": 108, "panels": 0, "csv": None,
    }  # fmt: skip


def test_numbers_in_words():
    assert [number(x) for x in (None, True, 3, 12345, 0.12345, 1234.5, float("nan"), 10**400, 1e-12)] == [
        "\u2013", "yes", "3", "12,345", "0.1235", "1,234", "\u2013", "beyond 1e308", "0",
    ]  # fmt: skip
    assert around(Estimate(0.5, 0.25, 0.75), 3) == "0.500 [0.250, 0.750]"
    assert around(Estimate(0.5, None, None), 3) == "0.500"
    assert [listed(list("abcd"[:n]), 3) for n in range(5)] == ["none", "a", "a and b", "a, b and c", "a, b and 2 more"]
    assert visible("a\u202eb\x00\u05e9\U0001f921") == "a\\u202eb\\u0000\u05e9\U0001f921"


def test_colours_run_from_private_to_the_kind():
    assert (colour("private"), colour("integrated"), colour("cooperative")) == ("#d55e00", "#0072b2", "#009e73")
    assert colour("integrated(0)") == colour("private")
    assert colour("integrated(0.5)") == "#6a6859"
    assert colour("private", 0.5) == "rgba(213,94,0,0.5)"


def test_estimates_of_many_samples_are_those_of_each():
    draw = np.random.default_rng(0)
    samples = [draw.normal(size=n).tolist() for n in (5, 1, 5, 0, 3, 5)]
    together = estimates(samples)
    assert together[3] is None
    assert [x for x in together if x] == [estimate(sample) for sample in samples if sample]
