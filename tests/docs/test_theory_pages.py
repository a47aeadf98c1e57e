"""Links, formulas and names in the chapters on theory; ``tests/docs`` runs their examples."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import coopgym.mechanisms

ROOT = Path(__file__).parents[2]
THEORY = ROOT / "docs" / "theory"
pytestmark = pytest.mark.skipif(not THEORY.is_dir(), reason="not a checkout")


def test_links_between_chapters_lead_somewhere():
    for page in THEORY.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (THEORY / target).exists(), f"{page.name}: {target}"


def test_math_leaves_out_what_markdown_takes_for_its_own():
    """On GitHub a backslash before punctuation is an escape, and an underscore after a brace may begin emphasis."""
    for page in THEORY.glob("*.md"):
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        for formula in re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", prose):
            assert not re.search(r"\\[^A-Za-z ]|\}_|\*", formula), f"{page.name}: {formula}"


def homes():
    """Everything that the mechanisms, the game, the reward layer and the dilemmas define, by name."""
    rooms = [f"coopgym.mechanisms.{module.name}" for module in pkgutil.iter_modules(coopgym.mechanisms.__path__)]
    rooms += ["coopgym.envs.game", "coopgym.envs.reward", "coopgym.oracles.dilemma"]
    return {name: x for room in rooms for name, x in vars(importlib.import_module(room)).items()}


def has(home, name):
    return hasattr(home, name) or name in getattr(home, "__dataclass_fields__", {})


def test_names_of_code_in_the_tables_of_symbols_exist():
    known, seen = homes(), 0
    for page in THEORY.glob("*.md"):
        rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
        for token in re.findall(r"`([^`]+)`", "\n".join(rows)):
            if member := re.match(r"([A-Z]\w+)\.(\w+)", token):
                assert has(known[member[1]], member[2]), f"{page.name}: {token}"
            elif call := re.match(r"(\w+)\(.*?(\w+)(?:=[^)]*)?\)$", token):
                if call[1] in known:
                    assert call[2] in inspect.signature(known[call[1]]).parameters, f"{page.name}: {token}"
            elif path := re.match(r"coopgym((?:\.\w+)+)$", token):
                pkgutil.resolve_name(f"coopgym{path[1]}")
            else:
                continue
            seen += 1
    assert seen > 50
