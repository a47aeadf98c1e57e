"""The code of every page runs in the order of its text, and prints what the page shows; see ``pages``."""

from __future__ import annotations

import subprocess

import pages
import pytest

pytest.importorskip("torch")

DOCS = [page for page in pages.pages() if page.name != "README.md"]
EXCUSED = 14  # blocks of all pages, at most, that may need hardware, a store, or too long


def name(page):
    return str(page.relative_to(pages.ROOT))


@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=pytest.mark.xdist_group("ray")) if p.stem == "rllib" else p for p in DOCS], ids=name
)
def test_the_code_of_a_page_runs_and_prints_what_it_shows(page, tmp_path):
    # digits of what was trained are not compared: it need not be trained as long as the page says
    assert pages.differences(page, pages.run(page, tmp_path, small=True)) == []


def test_blocks_that_are_not_run_are_few_and_say_why():
    excuses = [block.excuse for page in pages.pages() for block in pages.blocks(page) if block.excuse]
    assert 0 < len(excuses) <= EXCUSED
    assert min(len(excuse.split()) for excuse in excuses) >= 3


def test_targets_of_make_that_pages_name_exist():
    targets = {target for page in pages.pages() for block in pages.blocks(page) for target in block.targets}
    assert {"ablation", "test"} <= targets  # those of README.md: else nothing would be looked at
    for target in sorted(targets):
        subprocess.run(["make", "-n", target], cwd=pages.ROOT, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("welfare 12,345 of [1.0, -2e-3]", "welfare 9 of  [3, 4]\n", True),
        ("welfare 5", "warfare 5", False),
        ("first\n...\nlast 3", "first\nand more\nlast 4", True),
        ("first\n...\nlast 3", "and more\nlast 4", False),
        ("", "something", False),
    ],
)
def test_what_is_shown_may_differ_in_numbers_and_lines_left_out_alone(shown, printed, same):
    assert pages.shows(shown, printed) is same


@pytest.mark.parametrize(("folder", "wrong"), [("theory", 1), ("tutorials", 0)])
def test_a_wrong_digit_is_noticed_where_nothing_is_trained(tmp_path, folder, wrong):
    page = tmp_path / folder / "page.md"
    page.parent.mkdir()
    page.write_text("```python\nprint(6 * 7)\n```\n\n```text\n41\n```\n")
    assert len(pages.differences(page, ["42\n"])) == wrong


def test_a_page_is_written_with_what_it_prints(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 6 * 7\n```\n\n```python\nprint(x)\n```\n\n```text\n41\n```\n")
    pages.write(page)
    assert page.read_text().endswith("```text\n42\n```\n")


def test_a_page_goes_on_from_block_to_block_and_a_failure_says_where(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nx = 1\n```\n\n```bash\necho 2 > two\nmake nothing\n```\n\n"
        "<!-- not run: it fails on purpose -->\n```python\nraise OSError\n```\n\n"
        "```python\nprint(x + int(open('two').read()))\n```\n\n```text\n3\n```\n"
    )
    (tmp_path / "one").mkdir()
    assert pages.run(page, tmp_path / "one") == ["", "", "", "3\n"]
    page.write_text("text\n\n```python\nx = 1\nx / 0\n```\n")
    (tmp_path / "other").mkdir()
    with pytest.raises(AssertionError, match=r'page.md", line 5'):
        pages.run(page, tmp_path / "other")
