"""Writes docs/benchmarks.md from all of benchmarks/results: ``python docs/benchmark_tables.py [--write]``.

Every file has a section: the command that measured it, the machine, its load, the commit, and its figures. Where a file
has hundreds of rows the section adds them up and names the page that shows each. Without ``--write`` it says whether
the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import landscape_tables
import oracle_tables
import quality_tables
from learner_tables import RESULTS, ROOT, against, growth, speeds, table

PAGE = ROOT / "docs" / "benchmarks.md"
Row = dict[str, Any]
Content = dict[str, Any]
MANY = 70  # rows that are not listed one by one
BUSY = 2.0  # load average above which other programs had a part of both cores

HEAD = """# Every figure that was measured

Written by `docs/benchmark_tables.py` from `benchmarks/results/*.json`; do not edit. Each section says which command
measured it, on what, when, at which commit, and how busy the machine was. *Load* is the load average of one minute: how
many programs wanted a core, those of the measurement among them. Most of these machines have two cores. Where it stands
above two, wall times are too long and speeds too low, by how much is not known; processor times suffer less. *Not all
committed*: the working tree differed from the commit.

Figures of different machines cannot be compared. No figure here decides a test, but for the few whose section says so.
Commands run in a checkout after `make setup`, with `.venv/bin` on the path.
"""


class Section(NamedTuple):
    """title, command; note: what a reader must know; make: the tables (None: every list of rows as it is)."""

    title: str
    command: str
    note: str = ""
    make: Callable[[Content], str] | None = None


def cell(x: Any) -> str:
    """A value, with four digits that mean something."""
    if isinstance(x, bool) or x is None:
        return {True: "yes", False: "no", None: "-"}[x]
    if isinstance(x, float):
        return f"{float(f'{x:.4g}'):,.0f}" if abs(x) >= 1000 else f"{x:.4g}"
    return f"{x:,}" if isinstance(x, int) else str(x)


def flat(rows: list[Row]) -> str:
    """Rows as a table of their plain entries; text to the left."""
    kept = [key for key in dict.fromkeys(key for row in rows for key in row) if plain(rows, key)]
    kept.sort(key=lambda key: not any(isinstance(row.get(key), str) for row in rows))
    texts = sum(any(isinstance(row.get(key), str) for row in rows) for key in kept)
    lines = [[cell(row.get(key)) if key in row else "" for key in kept] for row in rows]
    return table([key.replace("_", " ") for key in kept], lines, left=texts)


def plain(rows: list[Row], key: str) -> bool:
    """Whether an entry is a number, a text or nothing in all rows."""
    return all(not isinstance(row.get(key), (list, dict)) for row in rows)


def facts(content: Content) -> str:
    """The plain entries beside the rows."""
    found = {key: x for key, x in content.items() if not isinstance(x, (list, dict))}
    return table(["figure", "value"], [[key.replace("_", " "), cell(x)] for key, x in found.items()]) if found else ""


def as_they_are(content: Content) -> str:
    """Facts, then every list of rows; of long ones how many rows there are."""
    parts = [facts(content)]
    for name, rows in lists(content):
        shown = flat(rows) if len(rows) <= MANY else f"{len(rows)} rows, in the file."
        parts.append(f"*{name}*\n\n{shown}" if name != "rows" else shown)
    return "\n\n".join(filter(None, parts))


def lists(content: Content) -> list[tuple[str, list[Row]]]:
    """Lists of rows, by name, at the top of a file or under its results."""
    inside = {**{k: x for k, x in content.items() if k != "results"}, **content.get("results", {})}
    return [(k, x) for k, x in inside.items() if isinstance(x, list) and x and isinstance(x[0], dict)]


def learners(content: Content) -> str:
    """All learners, and beside Stable-Baselines3."""
    results = content["results"]
    parts = [speeds(results["learners"]) if results.get("learners") else ""]
    parts += [against(results["sb3"]) if results.get("sb3") else ""]
    return "\n\n".join(filter(None, parts))


def growing(content: Content) -> str:
    """Speed and memory at each size."""
    rooms = [(room, rows) for room, rows in content["results"].items() if rows]
    return "\n\n".join(f"*{room}*\n\n{growth(rows, room)}" for room, rows in rooms)


def sweep(content: Content) -> str:
    """How many candidates each learner had, and the best of their means."""
    groups: dict[str, dict[str, list[float]]] = {}
    for row in content["rows"]:
        key = json.dumps([row["options"], row["steps"]], sort_keys=True)
        groups.setdefault(row["algorithm"], {}).setdefault(key, []).extend(row["shares"])
    lines = [
        [name, str(len(found)), str(sum(map(len, found.values()))),
         f"{100 * max(sum(x) / len(x) for x in found.values()):.2f}%"]
        for name, found in groups.items()
    ]  # fmt: skip
    return table(["learner", "candidates", "runs", "best mean share of the best constant"], lines)


def runner(content: Content) -> str:
    """What a cell costs besides training, and the studies it was measured on."""
    lines = [
        [workers, f"{x['cpu_seconds_per_cell']:.3f}", f"{x['share_of_ten_seconds']:.2%}"]
        for workers, x in content["overhead"].items()
    ]
    head = ["workers", "processor seconds a cell", "share of ten seconds"]
    return f"{table(head, lines)}\n\n{flat(content['rows'])}"


def kills(content: Content) -> str:
    """When it was killed, and whether the records are the same."""
    found = {key: x for key, x in content.items() if key != "kills"}
    after = [kill["after"] for kill in content["kills"]]
    spread = f"{len(after)} kills, {min(after):.1f} to {max(after):.1f} s after the start."
    return f"{facts(found)}\n\n{spread}"


def validation(content: Content) -> str:
    """Seconds of everything, and the sweeps beside plain loops."""
    lines = [[what, f"{x:g}"] for what, x in content["seconds"].items()]
    return f"{table(['what', 'seconds'], lines)}\n\n{flat(content['loops'])}"


def attack(rows: list[Row]) -> str:
    """By status of the answers: how many were attacked, with how many sequences, and the largest gain of each kind."""
    families = list(dict.fromkeys(name for row in rows for one in row["attacks"].values() for name in one["gains"]))
    lines = []
    for concept in dict.fromkeys(row["concept"] for row in rows):
        for status in ("certified", "unrefuted", "approximate", "rule"):
            own = [row for row in rows if (row["concept"], row["status"]) == (concept, status)]
            if not own:
                continue
            parts = [one for row in own for one in row["attacks"].values()]
            gains = {name: [one["gains"][name] for one in parts if name in one["gains"]] for name in families}
            worst = max(own, key=lambda row: row["gain"])
            tried = sum(sum(one["tried"].values()) for one in parts)
            most = [f"{max(found):.1e}" if found else "-" for found in gains.values()]
            lines.append(
                [concept, status, str(len(own)), f"{tried:,}", *most, f"{worst['game']}, {worst['reward_mode']}"]
            )
    return table(["concept", "status", "answers", "tried", *families, "largest in"], lines)


def hostile(content: Content) -> str:
    """How each command ended, and what was wrong."""
    ends = dict[str, dict[str, int]]()
    for name, count in content["ended"].items():
        task, end = name.rsplit(": ", 1)
        ends.setdefault(task, {})[end] = count
    kinds = sorted({end for found in ends.values() for end in found})
    lines = [[task, *(f"{found.get(kind, 0):,}" for kind in kinds)] for task, found in ends.items()]
    made = f"{content['folders']:,} folders and {content['files']:,} study files; wrong: {content['wrong']}."
    return f"{made}\n\n{table(['command', *kinds], lines)}"


def conduct(content: Content) -> str:
    """Runs and seconds of each cell."""
    rows = [{**row, "runs": len(row["runs"])} for row in content["rows"]]
    return flat([{k: row[k] for k in ("game", "algorithm", "steps", "runs", "seconds")} for row in rows])


def with_rows(make: Callable[[list[Row]], str]) -> Callable[[Content], str]:
    """A table of a file's rows."""
    return lambda content: make(content["rows"])


RUN = "OMP_NUM_THREADS=1 python benchmarks/run.py --device"
LEARNERS = "python benchmarks/learners.py --device"
GROWTH = "--only replicas,agents,lanes --out benchmarks/results/learners-"
SECTIONS = {
    "cpu": Section("Games and training on a processor", f"{RUN} cpu", "One thread. A face is what a library calls."),
    "cuda": Section("Games and training on a GPU", f"{RUN} cuda"),
    "learners-cpu": Section(
        "Learners on a processor", f"{LEARNERS} cpu", "One thread, each learner in a process of its own. Also in "
        "[learners-speed.md](learners-speed.md).", learners,
    ),
    "learners-cuda": Section("Learners on a GPU", f"{LEARNERS} cuda", make=learners),
    "learners-cpu-growth": Section(
        "How learners grow, on a processor", f"{LEARNERS} cpu {GROWTH}cpu-growth.json",
        "Speeds are low: other programs ran beside it. Memory is not touched by that.", growing,
    ),
    "learners-cuda-growth": Section(
        "How learners grow, on a GPU", f"{LEARNERS} cuda {GROWTH}cuda-growth.json", make=growing
    ),
    "quality": Section(
        "Quality of the learners", "python benchmarks/quality.py", "Shares of the best constant policy's return; every "
        "cell in [learners.md](learners.md). Does not depend on the load; the seconds there do.",
        lambda content: quality_tables.summary(quality_tables.load("quality")[0]),
    ),
    "yardsticks": Section(
        "Teams beside the best constant and the best sequence", "python benchmarks/yardsticks.py",
        "Does not depend on the load.", with_rows(quality_tables.yardsticks),
    ),
    "divergence": Section(
        "Divergence", "python benchmarks/divergence.py", "Does not depend on the load.",
        with_rows(quality_tables.divergence),
    ),
    "sweep": Section(
        "The sweep behind the defaults", "python benchmarks/sweep.py", "Every candidate in [learners.md](learners.md).",
        sweep,
    ),
    "oracles": Section(
        "Oracles", "python benchmarks/oracles.py", "Every answer in [oracles.md](oracles.md). Only the seconds "
        "depend on the load.", with_rows(oracle_tables.counts),
    ),
    "attack": Section(
        "An attack on the oracles' answers", "python benchmarks/attack.py --answers FOLDER", "Largest relative gains "
        "that simple means find against answers, by kind: an agent's against an equilibrium, a planner's over an "
        "optimum. Below 0: what was tried is worse than the answer. Does not depend on the load.", with_rows(attack),
    ),
    "random_search": Section(
        "Random policies against the planner", "python benchmarks/random_search.py", "*Random*: the best of so many "
        "random policies as a share of the planner's optimum. Does not depend on the load.",
    ),
    "landscape": Section(
        "Landscapes", "python benchmarks/landscape.py", "Every game in [landscape.md](landscape.md).",
        with_rows(landscape_tables.counts),
    ),
    "behaviour": Section(
        "The behavioural audit", "coopgym study run studies/audit.toml && coopgym audit runs/audit --out runs/audit && "
        "python benchmarks/behaviour.py",
        "What was found in [behaviour.md](behaviour.md). The machine is that of packing; the audits shared it with "
        "other programs.",
    ),
    "conduct": Section(
        "Conduct in the case studies", "python benchmarks/conduct.py", "What was found in "
        "[case_conduct.md](case_conduct.md).", conduct,
    ),
    "validation": Section(
        "Validation", "python benchmarks/validation.py", "*Loop*: one configuration after another; *batch*: all at "
        "once; what they give differs by at most *difference*. Findings in [validation.md](validation.md). A test "
        "holds *strict* below 60 seconds.", validation,
    ),
    "report": Section(
        "The HTML report of a large study", "python benchmarks/report.py", "A made-up study of 25,200 runs, opened in "
        "Chromium from a file. Bytes of the page and of the table beside it; seconds.",
    ),
    "runner": Section(
        "What a study costs besides training", "python benchmarks/runner.py", "Processor time, of cells that train for "
        "a moment only.", runner,
    ),
    "large": Section(
        "A million records", "python benchmarks/large.py", "Synthetic records. The command fails above a minute of "
        "processor time or 4 GiB.",
    ),
    "kills": Section(
        "Killed again and again", "python benchmarks/kills.py", "SIGKILL to a study and its workers at random "
        "instants; then the same command.", kills,
    ),
    "hostile": Section(
        "Harmed folders, forged files", "python benchmarks/hostile.py", "Each folder has up to three random changes. "
        "*done*, *sentence*: an error of one line. Wrong is a traceback, a time-out, code that ran, or a changed file.",
        hostile,
    ),
    "integrations": Section(
        "Other libraries", "PYTHONHASHSEED=0 python benchmarks/integrations.py", "Microseconds of processor time a "
        "step, ours and the other way in the same minute. For SB3 the ratio is how many times ours is faster; for the "
        "others it is how many times the time of what it wraps.",
    ),
    "coverage": Section(
        "Coverage of intervals, power of tests", "python benchmarks/coverage.py", "How often an interval contains the "
        "truth, in simulated worlds; `docs/statistics.md` reads it.",
    ),
    "independence": Section(
        "Independence of companions", "python benchmarks/independence.py --replicas 6", "Milliseconds of processor "
        "time an iteration, with PyTorch's functions as they are and with those of `coopgym.numerics`, in turn.",
    ),
    "learning_margins": Section(
        "Margins of tests of learning", "python benchmarks/learning_margins.py --seeds 5", "Over other seeds than the "
        "tests': the bound and what is judged, and their distance in standard deviations.",
    ),
}  # fmt: skip


def machine(about: Row, beside: str | None) -> str:
    """Where and when, and how busy it was."""
    place = about["processor"]
    if about.get("device", "cpu") != "cpu":
        place = f"{about['device']}, host {place}"
    threads = f", {about['threads']} thread" + ("s" if about["threads"] > 1 else "") if "threads" in about else ""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    state = "" if about["clean"] else ", not all committed"
    load = f"load {about['load_average']}" + (" (**busy**)" if about["load_average"] > BUSY else "")
    others = f", beside {beside}" if beside else ""
    return (
        f"{about['date']}, commit `{about['commit'][:12]}`{state}. {place}, {about['cores']} cores{threads}, {load}"
        f"{others}. Python {about['python']}, {versions}."
    )


def section(name: str, content: Content) -> str:
    """One file."""
    known = SECTIONS.get(name, Section(name, content.get("command", f"see `benchmarks/results/{name}.json`")))
    about = content["machine"]
    rest = {key: x for key, x in content.items() if key not in ("machine", "beside", "command")}
    parts = [f"## {known.title}", f"`benchmarks/results/{name}.json`", f"```text\n{known.command}\n```"]
    parts += [machine(about, content.get("beside")), known.note, (known.make or as_they_are)(rest)]
    return "\n\n".join(filter(None, parts))


def page() -> str:
    """All files: those with a section of their own in its order, then others by name."""
    files = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    order = [name for name in SECTIONS if name in files] + [name for name in files if name not in SECTIONS]
    return "\n".join([HEAD, "\n\n".join(section(name, files[name]) for name in order), ""])


def main() -> None:
    """Check, or with --write replace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    text = page()
    if parser.parse_args().write:
        PAGE.write_text(text)
    elif not PAGE.is_file() or PAGE.read_text() != text:
        raise SystemExit(f"{PAGE.name} is out of date; run `python docs/benchmark_tables.py --write`")


if __name__ == "__main__":
    main()
