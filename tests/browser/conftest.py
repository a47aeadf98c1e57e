"""A browser for the pages: a fresh page for each test, which fails on any error that the page reports."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
OWN = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "http://localhost:", "ws://127.0.0.1:")
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def browser():
    """Chromium, for one module: Playwright is stopped after it, so that no event loop is left to other tests."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no {CHROMIUM}")
    playwright = sync_api.sync_playwright().start()
    try:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()
    finally:
        playwright.stop()


@pytest.fixture
def page(browser):
    """A page in a context of its own. The test fails where the page logs an error or asks for anything elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(120_000)  # of a machine that is busy with other tests
    opened, troubles = context.new_page(), []
    opened.on("console", lambda said: troubles.append(f"console: {said.text}") if said.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(f"page: {error}"))
    opened.on("request", lambda asked: None if asked.url.startswith(OWN) else troubles.append(f"asks {asked.url[:99]}"))
    opened.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield opened
    context.close()
    assert not troubles


@pytest.fixture
def screenshots(tmp_path):
    """A folder for pictures of pages: the environment's COOPGYM_SCREENSHOTS, or the test's own."""
    folder = Path(os.environ.get("COOPGYM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def axe():
    """axe(page, *rules): what axe-core finds wrong that is serious or critical, a line each; all rules by default.

    The inside of a chart of Plotly is left out: to readers of its kind it is one picture, whose text is looked at.
    """
    pytest.importorskip("axe_playwright_python")
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

    def found(page, *rules: str) -> list[str]:
        page.evaluate(source)
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        run = "options => axe.run({ exclude: ['.svg-container'] }, options).then(found => found.violations)"
        violations = page.evaluate(run, options)
        return [
            f"{each['id']}: {each['help']}: {node['html'][:160]}"
            for each in violations if each["impact"] in GRAVE for node in each["nodes"][:3]
        ]  # fmt: skip

    return found
