"""``coopgym explore`` in a browser: a person plays, looks at it under another mode, and needs no mouse for it."""

from __future__ import annotations

import pytest
from listening import listening

import coopgym

api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.xdist_group("browser")
PATIENCE = 60_000  # ms; machines are busy


@pytest.fixture
def opened(page):
    """The page with its first game open and marked."""
    page.set_default_timeout(PATIENCE)
    with listening() as address:
        page.goto(address)
        marked(page)
        page.locator("#chart-trust .main-svg").first.wait_for()
        yield page


def shows(page, where, text):
    """Wait until an element holds a text. (Polling in the page would need eval, which its policy forbids.)"""
    api.expect(page.locator(where)).to_contain_text(text, timeout=PATIENCE)


def marked(page):
    shows(page, "#marks-say", "equilibrium pays")


def says(page, text):
    shows(page, "#said", text)


def series(page, chart, name):
    """What a chart shows of an agent: its y values, of the last trace with that name."""
    code = "([id, name]) => Array.from(document.getElementById(id).data.filter(t => t.name === name).at(-1).y)"
    return page.evaluate(code, [chart, name])


def step(page, number):
    page.get_by_role("button", name="Step", exact=True).click()
    says(page, f"Step {number} of")


def test_a_game_is_played_with_the_keyboard_and_another_mode_moves_no_payoff(opened, screenshots):
    page = opened
    slider = page.get_by_role("slider", name="firm_0 gives")
    assert slider.input_value() == "40"
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "45"
    assert page.get_by_label("firm_0 gives, exactly").input_value() == "45"
    assert slider.get_attribute("aria-valuetext") == "45.0 of 100, 45 percent"
    page.get_by_role("button", name="Step", exact=True).focus()
    page.keyboard.press("Enter")
    says(page, "Step 1 of 100. Payoffs: firm_0 ")
    assert series(page, "chart-actions", "firm_0") == [45]
    assert "last: firm_0 45" in page.locator("#chart-actions").get_attribute("aria-label")
    page.screenshot(path=screenshots / "explore.png", full_page=True)
    nash = coopgym.solve("TrustDilemma-v1", "nash").actions
    at = page.locator("[data-mark=equilibrium]").first.evaluate("mark => Number(mark.style.getPropertyValue('--at'))")
    assert at == pytest.approx(nash[0] / 100)
    page.get_by_role("button", name="equilibrium").press("Enter")
    step(page, 2)
    assert series(page, "chart-actions", "firm_1") == pytest.approx([40, nash[1]])
    page.get_by_role("button", name="Reset").press("Enter")
    says(page, "A new episode with seed 0")
    page.get_by_label("firm_0 gives, exactly").fill("10")
    page.keyboard.press("Tab")
    for k in range(3):
        step(page, k + 1)
    payoffs, rewards = series(page, "chart-payoffs", "firm_0"), series(page, "chart-rewards", "firm_0")
    assert payoffs == rewards
    page.get_by_label("cooperative").check()
    shows(page, "#mode-says", "The rewards of 3 steps were mixed again")
    assert page.inner_text("#chart-mode") == "cooperative"
    assert "the same numbers as before" in page.inner_text("#mode-says")
    assert series(page, "chart-payoffs", "firm_0") == payoffs
    other = series(page, "chart-payoffs", "firm_1")
    expected = [(a + b) / 2 for a, b in zip(payoffs, other, strict=True)]
    assert series(page, "chart-rewards", "firm_0") == pytest.approx(expected)


def test_it_plays_by_itself_and_begins_anew_and_opens_other_games(opened):
    page = opened
    page.get_by_label("Who plays firm_1").select_option("TitForTat")
    says(page, "is played by TitForTat")
    assert page.get_by_role("slider", name="firm_1 gives").is_disabled()
    page.get_by_label("Speed", exact=True).select_option("12")
    page.get_by_role("button", name="Play", exact=True).click()
    says(page, "Step 3 of")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="To the end").click()
    says(page, "The time is over.")
    assert len(series(page, "chart-trust", "trust")) == 101
    assert page.get_by_role("button", name="Step", exact=True).is_disabled()
    page.route("**/api/reset", lambda route: route.fulfill(status=200, content_type="application/json", body="gone"))
    page.get_by_role("button", name="Reset").click()
    page.locator("#said.wrong").wait_for()  # an answer that is none is said, and the next message goes through
    page.unroute("**/api/reset")
    page.get_by_label("Seed", exact=True).fill("7")
    page.get_by_role("button", name="Reset").click()
    says(page, "A new episode with seed 7")
    assert page.get_by_role("button", name="Step", exact=True).is_enabled()
    page.get_by_label("Game", exact=True).select_option("RenaultNissan-v1")
    says(page, "RenaultNissan-v1 is open")
    page.get_by_label("Phase", exact=True).select_option("crisis")
    shows(page, "#game-says", "2018-2020")
    marked(page)
    page.get_by_label("Game", exact=True).select_option("ApacheProject-v1")
    says(page, "40 agents, 60 steps")
    marked(page)
    step(page, 1)
    assert page.get_by_role("slider", name="contributor_1 to contributor_39 (39) gives").count() == 1


def test_it_is_accessible_in_both_themes_and_on_a_phone(opened, axe, screenshots):
    page = opened
    step(page, 1)
    page.get_by_text("Who trusts whom, now").click()
    page.screenshot(path=screenshots / "explore-light.png", full_page=True)
    assert axe(page) == []
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.screenshot(path=screenshots / "explore-dark.png", full_page=True)
    assert axe(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_label("Game", exact=True).select_option("PlatformEcosystem-v1")
    says(page, "PlatformEcosystem-v1 is open")
    marked(page)
    step(page, 1)
    page.screenshot(path=screenshots / "explore-phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []
