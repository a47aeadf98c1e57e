"""How large the report of a large study is, how long it takes to make and to open.

    python benchmarks/report.py [--seeds 20] [--chromium /usr/bin/chromium] [--out FILE]

The records are made up: 21 learners, 20 games, 3 reward modes, so many seeds, a curve of 100 points each. The page is
opened from its file in Chromium three times, in a window of 1280 x 900; ``open_seconds`` is the least time from the
request to the load event, ``first_chart_seconds`` to the first chart drawn. On a machine that is busy with other things
the two ``cpu`` figures say more: processor time of making the page, and of the page's own thread until the load event.
The size alone is checked.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from timing import machine

from coopgym.algorithms.record import digest
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.catalogue import list_games
from coopgym.report.page.build import Report, report
from coopgym.study.records import Records, Row

OUT = Path(__file__).parent / "results" / "report.json"
PARADIGMS = ("independent", "centralised_critic", "value_decomposition")
MODES = ("private", "integrated", "cooperative")
LEARNERS, POINTS, ROUNDS, LIMIT = 21, 100, 3, 6_000_000
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
DRAWN = ".chart[data-drawn] .main-svg"


def made_up(folder: Path, seeds: int) -> int:
    """Write the records, a part for each game, and return how many runs there are."""
    records, draw, count = Records(folder), np.random.default_rng(0), 0
    steps = np.linspace(0, 100_000, POINTS).astype(int)
    for name in list_games():
        game = make_game(name)
        cells = itertools.product(range(LEARNERS), MODES, range(seeds))
        rows = [_row(game, learner, mode, seed, draw) for learner, mode, seed in cells]
        records.write("runs", name, rows)
        records.write("curves", name, [_curve(row, steps, draw) for row in rows])
        count += len(rows)
    return count


def _row(game: Any, learner: int, mode: str, seed: int, draw: np.random.Generator) -> Row:
    share = 0.7 + 0.01 * learner + 0.02 * draw.standard_normal()
    about = {"algorithm": f"Learner{learner:02d}", "game": game.id, "reward_mode": mode, "seed": seed}
    return about | {
        "run_id": digest(about), "kind": "learner", "paradigm": PARADIGMS[learner % 3], "report": game.report,
        "agents": game.n, "horizon": game.horizon, "game_hash": game.hash, "game_options": "{}", "status": "ok",
        "welfare": 1e4 * share, "best_constant_welfare": 1e4, "efficiency_best_constant": share,
        "rate": draw.random(game.n), "final_trust": draw.random(), "length": float(game.horizon), "seconds": 1.0,
        "env_steps": 100_000, "hyperparameters": "{}", "hyperparameters_hash": "0" * 12, "package_version": "0.1.0",
        "device": "cpu", "payoff": [1e4 * share / game.n] * game.n,
    }  # fmt: skip


def _curve(row: Row, steps: np.ndarray, draw: np.random.Generator) -> Row:
    values = row["welfare"] * (1.0 - np.exp(-steps / 2e4)) + 50.0 * draw.standard_normal(len(steps))
    about = {"run_id": row["run_id"], "metric": "welfare_eval", "agent": -1, "unit": "payoff"}
    return about | {"env_steps": steps, "updates": steps // 1000, "value": values}


def opened(path: Path, chromium: str) -> dict[str, Any]:
    """The least seconds until the page is loaded, and until its first chart is there."""
    from playwright.sync_api import sync_playwright

    loads, draws, busy = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for _ in range(ROUNDS):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(180_000)
            probe = page.context.new_cdp_session(page)
            probe.send("Performance.enable", {"timeDomain": "threadTicks"})
            start = time.perf_counter()
            page.goto(path.resolve().as_uri())
            loads.append(time.perf_counter() - start)
            metrics = {each["name"]: each["value"] for each in probe.send("Performance.getMetrics")["metrics"]}
            busy.append(metrics["TaskDuration"])
            page.locator(DRAWN).first.wait_for(state="attached")
            draws.append(time.perf_counter() - start)
            page.close()
        version = browser.version
        browser.close()
    seconds = {"open_seconds": loads, "open_cpu_seconds": busy, "first_chart_seconds": draws}
    return {"chromium": version, **{name: round(min(values), 2) for name, values in seconds.items()}}


def measured(folder: Path, seeds: int, chromium: str) -> dict[str, Any]:
    """All of it."""
    runs = made_up(folder, seeds)
    start, cpu = time.perf_counter(), time.process_time()
    made: Report = report(folder, folder / "report.html", title="A large study")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    row = {
        "runs": runs, "bytes": made.bytes, "csv_bytes": made.csv.stat().st_size if made.csv else 0,
        "make_seconds": round(seconds, 1), "make_cpu_seconds": round(cpu, 1), "panels": list(made.panels),
        **opened(made.path, chromium),
    }  # fmt: skip
    print(json.dumps(row, indent=1), flush=True)
    if made.bytes >= LIMIT:
        raise SystemExit(f"the page has {made.bytes:,} bytes, more than {LIMIT:,}")
    return row


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="of each learner, game and mode (20: 25,200 runs)")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as folder:
        row = measured(Path(folder), options.seeds, options.chromium)
    options.out.write_text(json.dumps({"machine": about, "rows": [row]}, indent=1) + "\n")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
