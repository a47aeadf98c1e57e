"""Writes docs/learners-speed.md: ``python docs/learner_tables.py [--write] [--device cpu|cuda]``.

Tables of speed, memory and growth from ``benchmarks/results/learners-<device>.json`` (growth from ``-growth.json``
where it is there, which ``learners.py --only replicas,agents,lanes --out`` writes), with machine and versions. Both
devices' results are used where they are there; ``--device`` limits to one. Without ``--write`` it says whether the
page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "learners-speed.md"
Row = dict[str, Any]

HEAD = """# How fast the learners are

Written by `docs/learner_tables.py` from what `benchmarks/learners.py` measured; do not edit. A game-step is one step of
one game, in which all its agents act and learn; figures are totals over the replicas of a program. Memory is the
peak above that of the process before the learner was made. A dash: not measured, for the reason below the table.
"""
GROWTH = {"replicas": "replicas", "agents": "agents", "lanes": "lanes"}
ABOUT = {
    "replicas": "The more replicas in a program, the more a call of torch has to do at once.",
    "agents": "Every agent has networks of its own, and the state grows with their square.",
    "lanes": "Lanes are games that one replica plays side by side.",
}


def table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    """A table whose first ``left`` columns are text and the others numbers."""
    marks = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, marks, *rows])


def number(row: Row, name: str) -> str:
    """A figure with three digits that mean something, or a dash."""
    return f"{float(f'{row[name]:.3g}'):,.0f}" if name in row else "-"


def speeds(rows: list[Row]) -> str:
    """Every learner at the size of an ablation."""
    head = ["learner", "paradigm", "game", "agents", "replicas", "lanes", "game-steps/s", "MiB"]
    cells = [
        [
            r["algorithm"], r["paradigm"].replace("_", " "), r["game"], str(r["agents"]), str(r["replicas"]),
            str(r["lanes"]), number(r, "figure"), number(r, "memory_mib"),
        ]
        for r in sorted(rows, key=lambda r: -r.get("figure", 0.0))
    ]  # fmt: skip
    return "\n\n".join(filter(None, [table(head, cells, 3), reasons(rows)]))


def growth(rows: list[Row], by: str) -> str:
    """Game-steps a second and MiB of each learner (a line) at each size (a column)."""
    sizes = sorted({r[by] for r in rows})
    names = list(dict.fromkeys(r["algorithm"] for r in rows))
    found = {(r["algorithm"], r[by]): r for r in rows}
    head = ["learner", *(f"{size} {by}" for size in sizes), *(f"MiB at {size}" for size in sizes)]
    cells = [
        [name, *(number(found.get((name, size), {}), what) for what in ("figure", "memory_mib") for size in sizes)]
        for name in names
    ]
    fixed = [f"{key}: {fixed_at(rows, key)}" for key in ("game", "replicas", "lanes") if key != by]
    note = f"{ABOUT[by]} ({'; '.join(fixed)}.)"
    return "\n\n".join(filter(None, [note, table(head, cells), reasons(rows, by)]))


def fixed_at(rows: list[Row], key: str) -> str:
    """What stayed the same in all rows, or all values there were."""
    values = sorted({r[key] for r in rows if r.get(key) is not None})
    return ", ".join(map(str, values))


def reasons(rows: list[Row], by: str = "") -> str:
    """Why cells are missing, the cells of one reason together."""
    why: dict[str, list[str]] = {}
    for r in rows:
        if "skipped" in r:
            why.setdefault(r["skipped"], []).append(r["algorithm"] + (f" at {r[by]}" if by else ""))
    return "\n".join(f"- {', '.join(who)}: {reason}" for reason, who in why.items())


def against(rows: list[Row]) -> str:
    """Side by side with Stable-Baselines3 on one core."""
    head = ["ours", "theirs", "work for each", "ours, game-steps/s", "theirs, game-steps/s", "ratio"]
    cells = [
        [
            r["algorithm"], r["against"], r["work"], number(r, "figure"), number(r, "theirs"),
            f"{r['ratio']:.1f}" if "ratio" in r else "-",
        ]
        for r in rows
    ]  # fmt: skip
    note = (
        "Ours trains 21 replicas of two agents, each with its own networks; theirs one controller of both agents. Both "
        "have two hidden layers of 64 units, one thread and the same core, in turn. First with the same work for a "
        "step of a game, then as each comes: Stable-Baselines3's defaults, but for the network, and ours."
    )
    return "\n\n".join(filter(None, [note, table(head, cells, 3), reasons(rows)]))


def ablations(rows: list[Row]) -> str:
    """Wall times of whole ablations."""
    head = ["learner", "game", "steps a replica", "game-steps/s", "wall time, s"]
    cells = [
        [r["algorithm"], r["game"], f"{r['steps']:,}", number(r, "figure"), number(r, "wall_seconds")] for r in rows
    ]
    note = "7 seeds times 3 reward modes in one program, with evaluations and records."
    return "\n\n".join(filter(None, [note, table(head, cells, 2), reasons(rows)]))


def machine(about: Row) -> str:
    """Where the figures come from."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    place = about["processor"] if about["device"] == "cpu" else f"{about['device']}, host {about['processor']}"
    state = "" if about["clean"] else ", with changes that were not committed"
    return (
        f"{place}, {about['cores']} cores (one thread, load {about['load_average']} at the start), Python "
        f"{about['python']}, {versions}; {about['date']}, commit {about['commit'][:12]}{state}."
    )


def section(device: str, report: Row, growing: Row | None) -> str:
    """All tables of one device; ``growing``: another run of the benchmark, for growth alone."""
    results, parts = report["results"], [f"## {'CPU' if device == 'cpu' else 'GPU'}", machine(report["machine"])]
    if results.get("learners"):
        parts += ["### All learners", speeds(results["learners"])]
    if results.get("sb3"):
        parts += ["### Beside Stable-Baselines3", against(results["sb3"])]
    if results.get("ablation"):
        parts += ["### Whole ablations", ablations(results["ablation"])]
    if growing:
        beside = f", beside {growing['beside']}, so its speeds are low" if "beside" in growing else ""
        parts += [f"Growth is from a run of its own{beside}: {machine(growing['machine'])}"]
        results = growing["results"]
    for room, by in GROWTH.items():
        if results.get(room):
            parts += [f"### Growth with {room}", growth(results[room], by)]
    return "\n\n".join(parts)


def page(devices: list[str], folder: Path = RESULTS) -> str:
    """The whole page, from the results that are there."""
    found = {device: folder / f"learners-{device}.json" for device in devices}
    parts = [
        section(device, json.loads(path.read_text()), _growing(folder, device))
        for device, path in found.items() if path.is_file()
    ]  # fmt: skip
    if not parts:
        raise SystemExit(f"there is no {found[devices[0]].name}; run `python benchmarks/learners.py` first")
    return "\n".join([HEAD, "\n\n".join(parts), ""])


def _growing(folder: Path, device: str) -> Row | None:
    path = folder / f"learners-{device}-growth.json"
    return json.loads(path.read_text()) if path.is_file() else None


def main() -> None:
    """Check, or with --write replace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only the results of this device")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    options = parser.parse_args()
    text = page([options.device] if options.device else ["cpu", "cuda"], options.results)
    if options.write:
        PAGE.write_text(text)
    elif not PAGE.is_file() or PAGE.read_text() != text:
        raise SystemExit(f"{PAGE.name} is out of date; run `python docs/learner_tables.py --write`")


if __name__ == "__main__":
    main()
