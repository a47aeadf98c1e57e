"""docs/behaviour.md is what its audits say; they are of as many distinct runs as were promised."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from coopgym.audit.measures import CATALOGUE

ROOT = Path(__file__).parents[2]
PAGE, DATA = ROOT / "docs" / "behaviour.md", ROOT / "data_cards" / "audit" / "audits"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not a checkout")


@pytest.fixture(scope="module")
def audits():
    return pq.read_table(DATA).to_pylist()


def test_the_page_and_the_notes_are_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "behaviour_tables.py"], check=True)


def test_its_picture_exists_and_is_small():
    (name,) = re.findall(r"\]\((\w+\.png)\)", PAGE.read_text())
    assert (PAGE.parent / name).stat().st_size < 150_000


def test_there_are_at_least_1116_distinct_runs(audits):
    keys = {(r["algorithm"], r["game"], r["reward_mode"], r["seed"]) for r in audits}
    assert len(keys) == len(audits) == len({r["run_id"] for r in audits}) >= 1_116
    assert all(r["env_steps"] > 0 and r["kind"] == "learner" for r in audits)
    told = json.loads((ROOT / "benchmarks" / "results" / "behaviour.json").read_text())
    assert told["audits"] == told["runs"] == len(audits) and told["audit_seconds"] > 0


def test_every_measure_is_in_its_range(audits):
    for name, measure in CATALOGUE.items():
        known = np.array([r[name] for r in audits if r[name] is not None])
        assert np.all((known >= measure.low - 1e-6) & (known <= measure.high + 1e-6)), name


def test_shares_of_payoffs_are_called_so_and_are_over_the_payoff(audits):
    """As the audit divides now; the divisor of 0.1.0 was at least 1, which no payoff of these records reaches."""
    assert min(abs(x) for r in audits for x in r["payoff_by_agent"] if x is not None) > 1.0
    cards = DATA.parent
    for path in (PAGE, cards / "NOTES.md", cards / "datasheet.md", *cards.glob("croissant*.json")):
        assert "max(1" not in path.read_text(), path
    text = PAGE.read_text()
    assert "| deterrence, share of payoff | `deterrence` | 1 |" in text and "| deterrence |" not in text
    assert CATALOGUE["deterrence"].unit == "payoff" and "in the records it is in units of payoff" in text
    repeats = {r["run_id"] for r in pq.read_table(DATA.parent / "runs").to_pylist() if r["duplicate_of"]}
    games = re.findall(r"`([\w-]+-v1)`", text.split("### TR-2")[1].splitlines()[2])
    cells = {}
    for r in audits:
        if r["game"] in games and r["run_id"] not in repeats and r["deterrence"] is not None:
            share = r["deterrence"] / abs(r["payoff"])
            cells.setdefault((r["algorithm"], r["game"]), {}).setdefault(r["reward_mode"], []).append(share)
    both = [np.mean(c["private"]) for c in cells.values() if {"private", "integrated"} <= set(c)]
    line = next(x for x in text.split("### TR-2")[1].splitlines() if x.startswith("| deterrence"))
    assert line.split("|")[2].strip() == f"{np.mean(both):.3f}"


def test_a_change_on_the_page_is_what_numpy_makes_of_the_audits(audits):
    """Retaliation in TR-1, private to integrated: mean of paired differences of means over seeds."""
    games = re.findall(r"`([\w-]+-v1)`", PAGE.read_text().split("### TR-1")[1].splitlines()[2])
    cells = {}
    for r in audits:
        if r["game"] in games and r["retaliation"] is not None:
            cells.setdefault((r["algorithm"], r["game"]), {}).setdefault(r["reward_mode"], []).append(r["retaliation"])
    both = [c for c in cells.values() if {"private", "integrated"} <= set(c)]
    expected = np.mean([np.mean(c["integrated"]) - np.mean(c["private"]) for c in both])
    line = next(x for x in PAGE.read_text().split("### TR-1")[1].splitlines() if x.startswith("| retaliation"))
    cell = line.split("|")[3].strip(" *")
    assert f"{len(both)} pairs, {len(games)} games" in cell and cell.split()[0] == f"{expected:+.3f}"


def test_repeats_are_left_out_and_a_change_over_games_has_an_exact_p(audits):
    """Retaliation, private to cooperative, over all games: game means of the learners of their own rewards."""
    runs = {r["run_id"]: r for r in pq.read_table(DATA.parent / "runs").to_pylist()}
    repeats = [r for r in audits if runs[r["run_id"]]["duplicate_of"]]
    text = PAGE.read_text()
    assert f"{len(audits):,} runs audited" in text and f"{len(audits) - len(repeats):,} of them distinct" in text
    cells = {}
    for r in audits:
        if r["algorithm"] not in ("VDN", "QMIX") and r["retaliation"] is not None:
            place = cells.setdefault(r["game"], {}).setdefault(r["algorithm"], {})
            place.setdefault(r["reward_mode"], []).append(r["retaliation"])
    both = {game: [c for c in own.values() if {"private", "cooperative"} <= set(c)] for game, own in cells.items()}
    games = [np.mean([np.mean(c["cooperative"]) - np.mean(c["private"]) for c in own]) for own in both.values()]
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (200_000, len(games)))
    p = (np.abs(signs @ games) >= abs(np.sum(games))).mean()
    own = next(x for x in text.split("### Over all games")[1].splitlines() if x.startswith("| retaliation"))
    cell = own.split("|")[3].strip()
    assert cell.strip("*").split()[0] == f"{np.mean(games):+.3f}" and f"{len(games)} games" in cell
    adjusted = float(re.search(r"p (\S+);", cell)[1])
    assert adjusted == pytest.approx(min(1.0, 34 * p), rel=0.4)  # the third smallest of 36
    assert "VDN†" in text and "QMIX†" in text
