"""The report in a browser: it draws, filters, sorts, prints, and runs nothing but its own script."""

from __future__ import annotations

import csv
import re

import pytest
from reported import MODES, hostile, study

pytest.importorskip("plotly")
pytest.importorskip("jinja2")

from coopgym.report.page import build

pytestmark = pytest.mark.xdist_group("browser")
DRAWN = "#answer .chart[data-drawn] .main-svg"  # waited for by a locator: a function would be refused by the page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def address(folder):
    return build.report(folder, folder / "report.html", title="A study").path.as_uri()


@pytest.fixture
def shown(page, address):
    """The report, once its first chart is drawn."""
    page.goto(address)
    page.locator(DRAWN).first.wait_for()
    return page


def rows(page):
    return page.locator("#runs tbody tr:not([hidden])")


def test_every_chart_of_every_group_is_drawn(shown, screenshots):
    shown.screenshot(path=screenshots / "report-desktop.png")
    for box in shown.locator("form.tools select:not([name])").all():
        box.select_option(index=1)
    for chart in shown.locator("figure:not([hidden]) .chart").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()
    drawn = shown.locator("figure:not([hidden]) .chart")
    assert drawn.count() > 5
    assert shown.locator(".chart[data-drawn] .alt").count() == 0


def test_filters_and_links_choose_runs(shown):
    assert rows(shown).count() == 108
    shown.get_by_label("algorithm").select_option("COMA")
    assert rows(shown).count() == 36
    shown.get_by_label("any text").fill("no memory")
    assert rows(shown).count() == 1
    shown.get_by_role("button", name="Show all").click()
    assert rows(shown).count() == 108
    shown.locator("#outcomes a[data-filter]").first.click()
    assert rows(shown).count() == 6
    assert shown.get_by_role("status").inner_text() == "6 of 108 lines"
    assert "algorithm=IPPO" in shown.url
    shown.reload()
    assert rows(shown).count() == 6


def test_a_table_is_sorted_from_the_keyboard(shown):
    heading = shown.locator("#runs thead th", has_text=re.compile("^welfare$"))
    column = heading.evaluate("head => head.cellIndex")
    heading.locator("button").focus()
    found = []
    for _ in range(2):
        shown.keyboard.press("Enter")
        cells = shown.locator(f"#runs tbody tr td:nth-child({column + 1})").all_inner_texts()
        found.append((heading.get_attribute("aria-sort"), [c for c in cells if c != "\u2013"], cells[-1]))
    (up, rising, last), (down, falling, still_last) = found
    values = [float(cell.replace(",", "")) for cell in rising]
    assert (up, down) == ("ascending", "descending")
    assert values == sorted(values)
    assert falling[0] == rising[-1]
    assert last == still_last == "\u2013"  # what has no number is last either way


def test_the_table_is_saved_as_csv_with_all_digits(shown, folder):
    shown.get_by_label("algorithm").select_option("COMA")
    with shown.expect_download() as saving:
        shown.locator("#runs .below button").click()
    with open(saving.value.path(), newline="") as lines:
        saved = list(csv.DictReader(lines))
    wanted = {r["run_id"]: r for r in build.Material.read(folder).runs if r["algorithm"] == "COMA"}
    assert {row["run_id"] for row in saved} == set(wanted)
    exact = {run: "" if row["welfare"] is None else repr(row["welfare"]) for run, row in wanted.items()}
    assert {row["run_id"]: row["welfare"] for row in saved} == exact


def test_intervals_are_saved_in_three_columns(shown):
    table = shown.locator(".table", has_text=re.compile(r"\d \[\d")).first
    head = [cell for cell in table.locator("thead th").all_inner_texts() if cell]
    first = table.locator("tbody tr").first.locator("td").all_inner_texts()
    with shown.expect_download() as saving:
        table.locator(".below button").click()
    with open(saving.value.path(), newline="") as lines:
        (saved, *_) = csv.DictReader(lines)
    there = {name: cell for name, cell in zip(head, first, strict=False) if re.search(r"\d \[", cell)}
    assert there
    for name, cell in there.items():
        mean, low, high = (x.replace(",", "") for x in re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", cell.strip()).groups())
        assert (saved[name], saved[f"{name} low"], saved[f"{name} high"]) == (mean, low, high)
        assert float(low) <= float(mean) <= float(high)


def test_a_chart_gives_its_numbers_and_hides_a_series(shown):
    figure = shown.locator("#answer figure")
    figure.locator("summary").click()
    figure.locator("details tbody tr").nth(8).wait_for()  # rows are made when the numbers are opened
    assert figure.locator("details tbody tr").count() == 9
    button = figure.locator(".legend button").first
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


def test_the_theme_is_switched_and_remembered(shown, screenshots):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.evaluate(ground)
    shown.get_by_role("button", name="Dark theme").click()
    dark = shown.evaluate(ground)
    shown.reload()
    assert shown.evaluate(ground) == dark != light
    shown.locator(DRAWN).first.wait_for()
    shown.screenshot(path=screenshots / "report-dark.png")


def test_a_phone_scrolls_tables_and_not_the_page(page, address, screenshots):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.locator(DRAWN).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=screenshots / "report-phone.png")


def test_it_prints(shown):
    content = shown.pdf(format="A4")
    assert content.startswith(b"%PDF") and len(content) > 30_000
    assert shown.locator("figure:not([hidden]) .chart:not([data-drawn])").count() == 0


def test_axe_finds_nothing_serious(page, axe, tmp_path):
    page.goto(build.report(study(tmp_path, seeds=2, modes=MODES[:2]), tmp_path / "page.html").path.as_uri())
    page.locator(DRAWN).first.wait_for()
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe(page, "color-contrast") == []


def test_the_keyboard_reaches_the_content_first(shown):
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.id") == "content"


def test_hostile_records_run_nothing(page, tmp_path):
    page.goto(build.report(hostile(tmp_path), tmp_path / "page.html").path.as_uri())
    for group in range(page.locator("#outcomes select option").count()):
        page.locator("#outcomes select").select_option(index=group)
        chart = page.locator("#outcomes figure:not([hidden]) .chart").first
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()
        assert page.locator(".chart a[href], .chart image").count() == 0
    page.locator("#runs tbody tr").first.scroll_into_view_if_needed()
    page.locator("a[data-filter]").last.click()
    page.locator("#outcomes summary").first.evaluate("node => node.click()")
    assert page.evaluate("window.ran") is None


def test_a_page_with_plotly_compressed_draws_too(page, folder, tmp_path, monkeypatch):
    plain = build.report(folder, tmp_path / "plain.html").path
    monkeypatch.setattr("coopgym.report.page.render.MOST", 0)
    packed = build.report(folder, tmp_path / "packed.html").path
    assert packed.stat().st_size < plain.stat().st_size
    page.goto(packed.as_uri())
    page.locator(DRAWN).first.wait_for()


def test_it_can_be_read_without_scripts(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#runs tbody tr").count() == 108
    assert page.locator("noscript p, p.note").first.is_visible()
    assert page.locator(".chart .alt").first.is_visible()
    context.close()
