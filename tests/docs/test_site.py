"""The documentation site builds without a warning, is read without a request to elsewhere, and its links lead on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("furo")
pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
}
NOT_LOADED = {"index", "search", "next", "prev", "canonical", "author", "copyright", "help", "top"}  # rel of <link>


class Page(HTMLParser):
    """loaded: addresses that a browser fetches by itself; links: those that a reader may follow; anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded, self.links, self.anchors = set[str](), set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.anchors |= {found[key] or "" for key in ("id", "name") if key in found}
        if tag == "a" and found.get("href"):
            self.links.add(found["href"] or "")
        kept = tag == "link" and found.get("rel") in NOT_LOADED
        if found.get(LOADED.get(tag, "")) and not kept:
            self.loaded.add(found[LOADED[tag]] or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built once."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "-n",
        "--keep-going",
        "-q",
        "-d",
        folder / "cache",
        DOCS,
        folder / "html",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    built = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=900)
    assert built.returncode == 0, built.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def read(site) -> dict[Path, Page]:
    return {page: Page(page.read_text()) for page in sorted(site.rglob("*.html"))}


def test_every_page_of_docs_is_there(site):
    missing = [
        page for page in DOCS.rglob("*.md") if not (site / page.relative_to(DOCS)).with_suffix(".html").is_file()
    ]
    assert missing == []


def test_nothing_is_fetched_from_elsewhere(site, read):
    outside = {
        (page.name, each) for page, found in read.items() for each in found.loaded if re.match(r"(\w+:)?//", each)
    }
    assert outside == set()
    for sheet in site.rglob("*.css"):
        text = sheet.read_text()
        assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//", text), sheet
        assert not re.findall(r"@import\s+(?:url\()?\s*['\"]?(?:https?:)?//", text), sheet


def test_internal_links_resolve(read):
    broken = []
    for page, found in read.items():
        for link in found.links | found.loaded:
            target, anchor = urldefrag(link)
            if re.match(r"\w+:|//", link):
                continue
            file = (page.parent / unquote(target.split("?")[0])).resolve() if target else page
            known = file in read and (not anchor or unquote(anchor) in read[file].anchors)
            if not (known or (file.is_file() and file not in read)):
                broken.append((page.name, link))
    assert broken == []


def test_formulas_need_no_script(site, read):
    scripts = {each for found in read.values() for each in found.loaded if each.split("?")[0].endswith(".js")}
    assert scripts and not [each for each in scripts if re.search("mathjax|katex", each, re.I)]
    for page in DOCS.rglob("*.md"):
        if "$$" in page.read_text():
            text = (site / page.relative_to(DOCS)).with_suffix(".html").read_text()
            assert "<math" in text and "$$" not in text, page


def test_every_public_name_has_an_entry(site):
    from sphinx.util.inventory import InventoryFile

    import coopgym

    listed = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    names = {name for name in coopgym.__all__ if name not in ("audit", "testing")}
    names |= {"audit.behaviour.audit", "testing.check"}
    names |= {f"{room}.{each}" for room in ("sb3", "rllib", "torchrl") for each in public(room)}
    missing = {f"coopgym.{name}" for name in names} - {each for kind in listed.data.values() for each in kind}
    assert missing == set()


def public(room: str) -> list[str]:
    """Names of ``__all__`` of a module, read without importing it: its library may not be installed."""
    text = (ROOT / "coopgym" / f"{room}.py").read_text()
    return re.findall(r'"(\w+)"', re.search(r"__all__ = \[(.*?)\]", text, re.S)[1])


def test_every_learner_and_command_has_a_section(site):
    from typer.main import get_command

    from coopgym.algorithms.registry import list_algorithms
    from coopgym.cli.commands import app

    learners, commands = ((site / "api" / f"{page}.html").read_text() for page in ("learners", "cli"))
    assert [name for name in list_algorithms("learner") if f">{name}<" not in learners] == []
    assert [name for name in get_command(app).commands if f"coopgym {name}" not in commands] == []


def test_pages_that_the_readme_names_are_in_the_site(site):
    for target in re.findall(r"\]\(docs/([^)]+)\.md\)", (ROOT / "README.md").read_text()):
        assert (site / f"{target}.html").is_file(), target
