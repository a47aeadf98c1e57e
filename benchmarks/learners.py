"""Speed and memory of every learner, one core: prints a line a measurement and writes JSON.

    python benchmarks/learners.py [--device cpu|cuda] [--only sb3,learners,...] [--algorithms IPPO,ISAC] [--out FILE]

Rooms: sb3 (IPPO and ISAC against Stable-Baselines3's PPO and SAC, side by side), learners (all of them, 21 replicas),
replicas, agents, lanes (how speed and memory grow), and on a GPU ablation (whole ablations, wall time). Each
measurement has a process of its own; one that needs more than 20 seconds is given up, and its row says so. Memory is
the peak above that of the process before the learner was made. No figure decides a test.

Example: python benchmarks/learners.py --only learners,replicas --algorithms IPPO,MADDPG --out /tmp/some.json
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from learner_cells import TOO_LONG
from timing import machine

import coopgym
from coopgym.algorithms import registry

Row = dict[str, Any]
HERE = Path(__file__).resolve().parent
ROOMS = ("sb3", "learners", "replicas", "agents", "lanes", "ablation")
GAMES = {2: "TrustDilemma-v1", 5: "PlatformEcosystem-v1", 40: "ApacheProject-v1"}
REPLICAS = 21  # 7 seeds times 3 reward modes
FEW = 3  # replicas where agents are varied: 40 agents are as much work as twenty times 2
LIMIT = 20.0  # seconds of a measurement
ABLATION_STEPS, ABLATION_GAMES = 500_000, ("TrustDilemma-v1", "PlatformEcosystem-v1")

# what is compared, with the same widths: the same work for each environment step, or what each does by default
PAIRS = (
    {
        "ours": "IPPO", "theirs": "PPO", "lanes": 8,
        "work": "100 steps of 8 games, then 4 epochs of 4 minibatches of 200",
        "options": {"lanes": 8, "epochs": 4, "minibatches": 4, "rollout_steps": 100},
        "their_options": {"n_steps": 100, "batch_size": 200, "n_epochs": 4},
    },
    {
        "ours": "ISAC", "theirs": "SAC", "lanes": 32,
        "work": "one update of a batch of 256 for each step of 32 games",
        "options": {"lanes": 32, "batch": 256, "updates_per_step": 1, "policy_delay": 1, "replay_steps": 1000},
        "their_options": {
            "batch_size": 256, "train_freq": 1, "gradient_steps": 1, "buffer_size": 32_000, "learning_starts": 32,
        },
    },
    {
        "ours": "IPPO", "theirs": "PPO", "lanes": 1, "work": "what it does by default",
        "options": {}, "their_options": {"n_steps": 2048},
    },
    {
        "ours": "ISAC", "theirs": "SAC", "lanes": 1,
        "work": "what it does by default: an update every 32 steps; every step",
        "options": {}, "their_options": {"learning_starts": 32},  # so that it learns from all steps that are timed
    },
)  # fmt: skip


def measured(**asked: Any) -> Row:
    """What a fresh process says about a cell, or why there is no figure."""
    command = [sys.executable, str(HERE / "learner_cells.py"), json.dumps(asked)]
    paths = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode == TOO_LONG:
        return {"skipped": f"one iteration did not end within {LIMIT:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
        return {"skipped": f"failed: {last[:200]}"}
    found: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return found


class Cells:
    """Measurements of learners on one device; what has been measured already is not measured again."""

    def __init__(self, device: str, seconds: float) -> None:
        self.device, self.seconds = device, seconds
        self.known: dict[str, Row] = {}

    def row(self, algorithm: str, game: str, replicas: int, lanes: int | None = None) -> Row:
        """One row; ``lanes`` None: the default."""
        found = registry.algorithm(algorithm, "learner")
        about = {"algorithm": algorithm, "paradigm": found.paradigm, "game": game, "agents": coopgym.game(game).n}
        about |= {"replicas": replicas, "unit": "game-steps/s"}
        reason = found.limit(coopgym.game(game))
        if reason:
            return {**about, "lanes": lanes, "skipped": reason}
        lanes = default_lanes(algorithm) if lanes is None else lanes
        key = json.dumps([algorithm, game, replicas, lanes])
        if key not in self.known:
            self.known[key] = self._measure(algorithm, game, replicas, lanes)
        return {**about, "lanes": lanes, **self.known[key]}

    def _measure(self, algorithm: str, game: str, replicas: int, lanes: int) -> Row:
        expected = self._expected(algorithm, game, replicas)
        if expected > LIMIT:
            return {"skipped": f"one iteration would need about {expected:.0f} s"}
        return measured(
            measure="cell", device=self.device, algorithm=algorithm, game=game, replicas=replicas, seconds=self.seconds,
            limit=LIMIT, options={} if lanes == default_lanes(algorithm) else {"lanes": lanes},
        )  # fmt: skip

    def _expected(self, algorithm: str, game: str, replicas: int) -> float:
        """Seconds of an iteration, in proportion to the largest smaller one that has been measured; 0 if there is none.

        Of a CPU with default lanes: a GPU has room, and lanes cost some learners nothing.
        """
        size, nearest, seconds = replicas * coopgym.game(game).n, 0, 0.0
        for key, found in self.known.items():
            name, played, count, lanes = json.loads(key)
            other = count * coopgym.game(played).n
            if (name, lanes) == (algorithm, default_lanes(algorithm)) and nearest < other < size and "figure" in found:
                nearest, seconds = other, found["seconds_per_iteration"] * size / other
        return seconds if self.device == "cpu" else 0.0


def default_lanes(algorithm: str) -> int:
    """Games side by side in a replica, by the learner's own defaults."""
    settings = registry.algorithm(algorithm, "learner").settings
    assert settings is not None
    return int(settings().lanes)


def smallest(algorithm: str) -> str:
    """The game with the fewest agents that a learner can play."""
    found = registry.algorithm(algorithm, "learner")
    return next(game for game in GAMES.values() if not found.limit(coopgym.game(game)))


def learners(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Every learner at the size of an ablation."""
    for name in names:
        yield cells.row(name, smallest(name), REPLICAS)


def replicas(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Growth with the number of replicas."""
    for name in names:
        for count in (1, 7, REPLICAS, 63):
            yield cells.row(name, smallest(name), count)


def agents(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Growth with the number of agents, at 3 replicas."""
    for name in names:
        for game in GAMES.values():
            yield cells.row(name, game, FEW)


def lanes(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Growth with the games that a replica plays side by side."""
    for name in names:
        for count in (8, 32, 128):
            yield cells.row(name, smallest(name), REPLICAS, count)


def sb3(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Ours and theirs in turn, twice, on the same core; the better of each, and how many times theirs ours is."""
    game = GAMES[2]
    for pair in PAIRS:
        if pair["ours"] not in names:
            continue
        theirs = pair["theirs"]
        common = {"device": cells.device, "game": game, "seconds": max(3.0, cells.seconds)}
        rounds: list[tuple[Row, Row]] = []
        for _ in range(2):
            own = measured(
                **common, measure="cell", algorithm=pair["ours"], replicas=REPLICAS, limit=60.0, options=pair["options"]
            )
            other = measured(
                **common, measure="sb3", algorithm=theirs, lanes=pair["lanes"], options=pair["their_options"]
            )
            rounds.append((own, other))
        row = {"algorithm": pair["ours"], "against": f"Stable-Baselines3 {theirs}", "game": game, "agents": 2}
        row |= {"replicas": REPLICAS, "lanes": pair["lanes"], "work": pair["work"], "unit": "game-steps/s"}
        wrong = [part["skipped"] for both in rounds for part in both if "skipped" in part]
        if wrong:
            yield {**row, "skipped": wrong[0]}
            continue
        best = {what: [max(both[i][what] for both in rounds) for i in (0, 1)] for what in ("figure", "per_cpu_second")}
        own_speed, other_speed = best["figure"]
        yield {
            **row, "figure": own_speed, "theirs": other_speed, "ratio": own_speed / other_speed,
            "per_cpu_second": best["per_cpu_second"][0], "theirs_per_cpu_second": best["per_cpu_second"][1],
            "agents_trained": 2, "agents_trained_by_theirs": 1,  # one controller of both against two learners
        }  # fmt: skip


def ablation(cells: Cells, names: list[str]) -> Iterator[Row]:
    """Whole ablations on a GPU: 500,000 steps of each of 21 replicas."""
    for name in names:
        for game in ABLATION_GAMES if cells.device == "cuda" else ():
            reason = registry.algorithm(name).limit(coopgym.game(game))
            row = {"algorithm": name, "game": game, "agents": coopgym.game(game).n, "replicas": REPLICAS}
            row |= {"steps": ABLATION_STEPS, "unit": "game-steps/s"}
            asked = {"measure": "ablation", "device": "cuda", "algorithm": name, "game": game, "steps": ABLATION_STEPS}
            yield {**row, **({"skipped": reason} if reason else measured(**asked))}


def line(row: Row) -> str:
    """A row as text."""
    text = f"  {row['algorithm']:<20} N={row['agents']:<3} {row['replicas']:>3} replicas"
    if row.get("lanes"):
        text += f" {row['lanes']:>4} lanes"
    if "skipped" in row:
        return f"{text}  -- {row['skipped']}"
    text += f" {row['figure']:>12,.0f} {row['unit']}"
    if "memory_mib" in row:
        text += f" {row['memory_mib']:>9,.0f} MiB"
    if "ratio" in row:
        text += f", {row['ratio']:.1f} times the {row['theirs']:,.0f} of {row['against']} ({row['work']})"
    return text + (f", {row['wall_seconds']:,.0f} s in all" if "wall_seconds" in row else "")


def main() -> int:
    """Measure, print and write after every row, so that what was measured is never lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--only", default=",".join(ROOMS), help=f"rooms to measure, of {', '.join(ROOMS)}")
    parser.add_argument("--algorithms", help="learners to measure, comma-separated (default: all)")
    parser.add_argument("--seconds", type=float, default=1.0, help="least length of one measurement")
    parser.add_argument("--out", type=Path, help="JSON file (default: benchmarks/results/learners-<device>.json)")
    options = parser.parse_args()
    known = coopgym.list_algorithms("learner")
    names = options.algorithms.split(",") if options.algorithms else known
    for given, allowed, flag in ((options.only.split(","), ROOMS, "--only"), (names, known, "--algorithms")):
        unknown = sorted(set(given) - set(allowed))
        if unknown:
            parser.error(f"{flag} {','.join(unknown)}: choose from {', '.join(allowed)}")
    about = {**machine(), "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu", "threads": 1}
    out = options.out or HERE / "results" / f"learners-{options.device}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    print(json.dumps(about, indent=1))
    report: Row = {"machine": about, "results": {}}
    cells, start = Cells(options.device, options.seconds), time.perf_counter()
    work = {f.__name__: f for f in (sb3, learners, replicas, agents, lanes, ablation)}
    for room in (room for room in ROOMS if room in options.only.split(",")):
        print(f"\n{room}", flush=True)
        rows = report["results"][room] = []
        for row in work[room](cells, names):
            rows.append(row)
            print(line(row), flush=True)
            report["seconds"] = round(time.perf_counter() - start)
            out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten to {out} after {report.get('seconds', 0)} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
