"""What the chapters say that their examples print is what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THEORY = ROOT / "docs" / "theory"
pytestmark = pytest.mark.skipif(not THEORY.is_dir(), reason="not a checkout")


def test_every_example_prints_what_stands_below_it():
    subprocess.run([sys.executable, ROOT / "docs" / "worked.py"], check=True)


def test_a_wrong_number_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 6 * 7\n```\n\n```python\nprint(x)\n```\n\n```text\n41\n```\n")
    command = [sys.executable, ROOT / "docs" / "worked.py", page]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
    subprocess.run([*command, "--write"], check=True)
    assert page.read_text().endswith("```text\n42\n```\n")
    subprocess.run(command, check=True)


def test_links_between_chapters_lead_somewhere():
    for page in THEORY.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (THEORY / target).exists(), f"{page.name}: {target}"
