"""Damage and forge record folders and study files at random; every command must end in a result or in a sentence.

    python benchmarks/hostile.py [--folders 1600] [--files 400] [--seed 0] [--out benchmarks/results/hostile.json]

Each folder is a copy of a small study with up to three changes: flipped bits, cut, emptied, swapped or missing files,
links, folders in the place of files, values of columns and of descriptions replaced, files of other programs added.
Then the commands that read are run on it. An outcome is wrong if it is a traceback, takes longer than the limit, prints
an error of more than one line, runs code from a file, or changes anything: in the folder, or in a folder beside it.
Every 40th folder is also given to ``study run``, which may change its own files only. Exit code 0: nothing is wrong.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pyarrow as pa
import pyarrow.parquet as pq
from timing import machine
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.files import write_atomically
from coopgym.report.page.material import Material
from coopgym.report.page.runs import as_csv
from coopgym.study import study
from coopgym.study.audits import audit_runs
from coopgym.study.cards.pack import pack
from coopgym.study.parts import encode
from coopgym.study.stored import policies_of, stored

HERE = Path(__file__).resolve().parent
LIMIT = 60  # seconds for one command
LONGEST = 4000  # characters of an error
TEXT = """
name = "small"
games = ["TrustDilemma"]
algorithms = ["IPPO", "TitForTat", "Constant_40"]
seeds = 2
reward_modes = ["private", "cooperative"]
device = "cpu"
[budget]
steps = 200
[hyperparameters.all]
hidden = [4]
[game_options.all]
max_steps = 10
"""
EVIL = "handed/evil.zip"
TEXTS = (
    "", "x", EVIL, "./handed", "../victim/notes.txt", "/etc/passwd", "a/../../victim", "s3://bucket/x", "\0", "[bold]",
    "\x1b[31m", "IPPO", "Nash", "ok", "failed", "diverged", "private", "TrustDilemma-v1", "A" * 5000,
    "ünïcode \u202e", "{}", "[1]", "null", "7", '{"no such option": 1}', '{"max_steps": "x"}', "[" * 5000, "{" * 5000,
    "nan", "0.1.0", "learner", "constant", "2026",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, -(2**63), 0.5, -0.0, 1e308, float("nan"), float("inf"), -float("inf"), 1e-320)
VALUES = (*TEXTS, *NUMBERS, None, True, False, [], {}, [None], [[]], {"a": {}}, [1e999] * 3, list(range(300)))


class Evil:
    """Leaves a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def base(place: Path) -> Path:
    """A small study with audits and checkpoints, and beside it a pickle and the files of somebody else."""
    (place / "small.toml").write_text(TEXT)
    study.run(place / "small.toml", out=place / "out", workers=1)
    audit_runs(place / "out", out=place / "out")
    (place / "out" / "checkpoints").mkdir()
    (place / "out" / "claims").mkdir()
    claim = {"place": ["elsewhere"], "pid": 1, "started": "1"}
    (place / "out" / "claims" / f"{'0' * 24}.000000.json").write_text(json.dumps(claim))
    (place / "victim").mkdir()
    (place / "victim" / "notes.txt").write_text("somebody else's")
    (place / "handed").mkdir()
    code = base64.b64encode(pickle.dumps(Evil(place / "it ran"))).decode()
    with zipfile.ZipFile(place / EVIL, "w") as file:
        file.writestr("data", json.dumps({"policy_class": {":type:": "x", ":serialized:": code}}))
    (place / "handed" / "rllib_checkpoint.json").write_text("{}")
    (place / "handed" / "class_and_ctor_args.pkl").write_bytes(pickle.dumps(Evil(place / "it ran")))
    return place


# --- changes to a folder ---------------------------------------------------------------------------------------


def some_file(folder: Path, draw: random.Random, pattern: str = "*") -> Path:
    """A file of the folder, none if nothing matches."""
    return draw.choice(sorted(path for path in folder.rglob(pattern) if path.is_file() and not path.is_symlink()))


def bytes_changed(folder: Path, draw: random.Random) -> str:
    """Flip, cut, lengthen, empty or replace the content of a file."""
    path = some_file(folder, draw)
    data = bytearray(path.read_bytes())
    how = draw.choice(("flip", "flip", "flips", "cut", "longer", "empty", "noise", "zeros"))
    place = draw.randrange(max(1, len(data)))
    if how in ("flip", "flips") and data:
        for _ in range(1 if how == "flip" else 20):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    changed = {
        "cut": data[:place], "longer": data + draw.randbytes(9), "empty": b"", "noise": draw.randbytes(300),
        "zeros": data[:place] + bytes(50) + data[place + 50 :],
    }.get(how, data)  # fmt: skip
    path.write_bytes(changed)
    return f"{how} {path.relative_to(folder)}"


def files_moved(folder: Path, draw: random.Random) -> str:
    """Swap, remove, copy or link files, or put something else in their place."""
    path, other = some_file(folder, draw), some_file(folder, draw)
    how = draw.choice(("swap", "remove", "copy", "link", "folder", "file for folder", "foreign", "deep"))
    if how == "swap":
        one, two = path.read_bytes(), other.read_bytes()
        path.write_bytes(two)
        other.write_bytes(one)
    if how in ("remove", "link", "folder"):
        path.unlink()
    if how == "copy":
        shutil.copy(path, path.with_name(f"z{draw.randrange(99)}{path.suffix}"))
    if how == "link":
        path.symlink_to(folder.parent / "victim" / "notes.txt")
    if how == "folder":
        path.mkdir()
    if how == "file for folder":
        inner = draw.choice(sorted(each for each in folder.iterdir() if each.is_dir()))
        shutil.rmtree(inner)
        inner.write_text("mine")
    if how == "foreign":
        for name in ("notes.txt", "checkpoints/llama.safetensors", f"checkpoints/{'ab' * 12}.safetensors"):
            (folder / name).write_text("mine") if (folder / name).parent.is_dir() else None
        if (folder / "runs").is_dir():
            pq.write_table(pa.table({"note": ["mine"]}), folder / "runs" / "notes.parquet")
    if how == "deep":
        draw.choice([path, folder / "runs.json"]).write_text("[" * 20_000)
    return f"{how} {path.relative_to(folder)}"


def values_changed(folder: Path, draw: random.Random) -> str:
    """Write a table again with values of a column replaced, another type, another order, or without a column."""
    path = some_file(folder, draw, "*.parquet")
    try:
        table = pq.read_table(path)
    except Exception:  # it was harmed before
        return "nothing"
    name = draw.choice(table.column_names)
    place, kind = table.column_names.index(name), table.schema.field(name).type
    how = draw.choice(("value", "value", "value", "all", "type", "drop", "rows"))
    values = table[name].to_pylist()
    for k in range(len(values)) if how == "all" else [draw.randrange(max(1, len(values)))]:
        if values:
            values[k] = draw.choice(VALUES)
    if how in ("value", "all", "type"):
        with contextlib.suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
            texts = [None if x is None else str(x).encode("utf-8", "replace").decode() for x in values]
            other = texts if how == "type" or pa.types.is_string(kind) else values
            table = table.set_column(place, name, pa.array(other, None if how == "type" else kind))
    if how == "drop":
        table = table.drop_columns([name])
    if how == "rows":
        table = pa.concat_tables([table, table.slice(0, 1)]) if draw.random() < 0.5 else table.slice(0, 0)
    if draw.random() < 0.9:
        path.write_bytes(encode(table))  # forged with its checksum, or nobody would read the value
    else:
        pq.write_table(table, path)
    return f"{how} {name} of {path.parent.name}"


def policy_changed(folder: Path, draw: random.Random) -> str:
    """Replace or remove an entry of a description, and put the new checksum into the records."""
    path = some_file(folder, draw, "policies/*.json") if (folder / "policies").is_dir() else None
    try:
        about = json.loads(path.read_bytes()) if path else None
        assert isinstance(about, dict) and path is not None
    except (ValueError, AssertionError):
        return "nothing"
    owner = draw.choice([about, *(each for each in about.values() if isinstance(each, dict) and each)])
    name = draw.choice(sorted(owner))
    owner[name] = draw.choice(VALUES)
    if draw.random() < 0.2:
        owner.pop(name)
    if draw.random() < 0.3:
        about |= {"kind": draw.choice(("heuristic", "seat", "foreign", "rates", "schedule", "trust rule", "network"))}
        about |= {
            "name": draw.choice(TEXTS),
            "rates": draw.choice(VALUES),
            "library": draw.choice(("sb3", "rllib", "x")),
        }
        about |= {"players": draw.choice(VALUES), "own": dict(about), "recipe": draw.choice(VALUES), "agent": 0}
    data = json.dumps(about).encode("utf-8", "replace")
    path.write_bytes(data)
    with contextlib.suppress(Exception):
        for part in (folder / "runs").glob("*.parquet"):
            table = pq.read_table(part)
            names = table["policy_file"].to_pylist()
            sums = table["policy_sha256"].to_pylist()
            new = [
                hashlib.sha256(data).hexdigest() if n == f"policies/{path.stem}" else s
                for n, s in zip(names, sums, strict=True)
            ]
            place = table.column_names.index("policy_sha256")
            part.write_bytes(encode(table.set_column(place, "policy_sha256", pa.array(new, pa.string()))))
    return f"entry {name} of {path.name}"


def study_changed(folder: Path, draw: random.Random) -> str:
    """Another study's file."""
    (folder / f"study{draw.choice(('.toml', '.yaml', '.yml'))}").write_bytes(study_file(draw)[1])
    return "study"


CHANGES = (bytes_changed, files_moved, values_changed, values_changed, policy_changed, study_changed)


# --- study files -----------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}], {new}: 1}}\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
NAMES = (
    "name", "description", "out", "version", "games", "algorithms", "reward_modes", "seeds", "budget", "evaluation",
    "hyperparameters", "variants", "game_options", "device", "engine", "workers", "gpus", "pieces",
    "checkpoint_seconds", "nmae",
)  # fmt: skip
PLAUSIBLE: dict[str, tuple[Any, ...]] = {  # near what a user means, so that files also fail late, or not at all
    "name": ("small", "other-2"),
    "description": ("", "ünïcode"),
    "version": ("v0", "v1", "v2"),
    "games": (["SLCD"], ["TR-1"], ["SLCD-v1", "SLCD"], ["SLDC"], "all"),
    "seeds": (1, 3, 0, [4, 5], [4, 4]),
    "algorithms": (["MAPPO"], ["IPPO", "Constant_30"], ["Nash"], ["constants"], ["IPPO", "IPO"]),
    "reward_modes": (["private"], ["integrated:0.3"], ["private", "selfish"]),
    "device": ("cpu", "auto"),
    "budget": ({"steps": 400}, {"steps": 0}, {"steps": 400, "crowd": 50}),
    "evaluation": ({"episodes": 3}, {"pionts": 2}),
    "hyperparameters": ({"IPPO": {"hidden": [8]}}, {"IPPO": {"learning_rate": "1e-3"}}, {"all": {"gama": 0.9}}),
    "variants": ({"thin": {"hidden": [4]}}, {"thin": {"hiden": [4]}}),
    "workers": (1, 2, 0),
    "pieces": (1, 2),
    "game_options": ({"all": {"max_steps": 5}}, {"TrustDilemma": {"max_steps": 5}}, {"SLCD": {"max_step": 5}}),
    "checkpoint_seconds": (1, 60.0),
    "engine": ("local", "ray", "dask"),
    "gpus": (0, 1),
}
INNER = (
    "IPPO",
    "all",
    "partners",
    "agent",
    "hidden",
    "lanes",
    "steps",
    "games",
    "crowd",
    "algorithms",
    "points",
    "activation",
    "max_steps",
    "SLCD",
    "kind",
)


def value(draw: random.Random, depth: int = 0) -> Any:
    """Anything that TOML or YAML can hold."""
    if depth < 4 and draw.random() < 0.35:
        if draw.random() < 0.5:
            return {draw.choice((*INNER, *NAMES, "", "a b")): value(draw, depth + 1) for _ in range(draw.randrange(4))}
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return draw.choice([*TEXTS, *NUMBERS, True, False, "integrated:0.5", "all", 10**400, "cuda"])


def study_file(draw: random.Random) -> tuple[str, bytes]:
    """(suffix, content) of a study's file with some of its fields replaced, or with something else in it."""
    kind = draw.choice((".toml", ".yaml", ".yml"))
    fields: dict[str, Any] = {
        "name": "small", "games": ["TrustDilemma"], "algorithms": ["IPPO"], "seeds": 2, "budget": {"steps": 200},
        "hyperparameters": {"IPPO": {"hidden": [4]}}, "game_options": {"all": {"max_steps": 10}},
    }  # fmt: skip
    for _ in range(draw.randrange(1, 4)):
        name = draw.choice(NAMES)
        if name in PLAUSIBLE and draw.random() < 0.5:
            fields[name] = draw.choice(PLAUSIBLE[name])
        elif isinstance(fields.get(name), dict) and draw.random() < 0.7:
            fields[name] = fields[name] | {draw.choice(INNER): value(draw, 1)}
        else:
            fields[name] = value(draw)
    if draw.random() < 0.1:
        fields["hyperparameters"] = {"IPPO": {"agent": 0, "partners": draw.choice((EVIL, "./handed", {"1": EVIL}))}}
    text = json.dumps(fields) if kind != ".toml" else toml(fields)
    how = draw.random()
    if how < 0.03:
        text = draw.choice((BOMB, MERGES, BOMB.replace("a:", "name:", 1)))
    elif how < 0.06:
        text = draw.choice(("[" * 5000, "a = " + "[" * 5000, "{a: " * 3000, "a.b." * 3000 + "c = 1", "- " * 3000))
    elif how < 0.10:
        text = draw.choice(
            (
                "",
                "7",
                "[1, 2]",
                "null",
                "!!python/object/apply:os.system [ls]",
                "a: !!set {x}",
                "a: 2026-02-31",
                "? [a]\n: b",
            )
        )
    data = bytearray(text.encode("utf-8", "replace"))
    if draw.random() < 0.15 and data:
        for _ in range(draw.randrange(1, 6)):
            data[draw.randrange(len(data))] = draw.randrange(256)
    return kind, bytes(data)


def toml(fields: dict[str, Any]) -> str:
    """Fields as TOML; what it does not have is written as it is in Python, which no reader takes."""

    def one(x: Any) -> str:
        if isinstance(x, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {one(v)}" for k, v in x.items()) + "}"
        if isinstance(x, list):
            return f"[{', '.join(map(one, x))}]"
        return json.dumps(x) if isinstance(x, (str, bool)) else repr(x)

    return "\n".join(f"{name} = {one(x)}" for name, x in fields.items())


# --- what is run, and what counts as wrong ---------------------------------------------------------------------


class TooLongError(BaseException):
    """A command that took longer than the limit; nothing catches it."""


@contextlib.contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise TooLongError in the block after this time."""

    def ring(*_: Any) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def listing(*places: Path) -> dict[str, Any]:
    """Content, kind, mode and time of the last change of everything."""
    found = {}
    for place in places:
        for path in [place, *place.rglob("*")]:
            about = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
            found[str(path)] = (about.st_mode, about.st_mtime_ns, content)
    return found


def command(*arguments: Any) -> str:
    """Run a command of the command line: "done", or "sentence"; RuntimeError for any other end."""
    told = CliRunner().invoke(app, [str(each) for each in arguments])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    if told.exit_code == 0:
        return "done"
    lines = [line for line in told.stderr.splitlines() if not line.startswith("warning: ")]
    if told.exit_code not in (1, 2) or not lines or any(not line.startswith("error: ") for line in lines):
        raise RuntimeError(f"exit code {told.exit_code}: {told.stderr[:500]!r}")
    if max(map(len, lines)) > LONGEST:
        raise RuntimeError(f"an error of {max(map(len, lines)):,} characters: {lines[0][:200]!r}")
    return "sentence"


def called(task: Callable[[], Any]) -> str:
    """The same for a function; ValueError and OSError are what a command turns into a sentence."""
    try:
        task()
    except (ValueError, OSError) as error:
        if len(str(error)) > LONGEST:
            raise RuntimeError(f"an error of {len(str(error)):,} characters: {str(error)[:200]!r}") from error
        return "sentence"
    return "done"


def report_data(folder: Path) -> None:
    """All that a report reads."""
    as_csv(Material.read(folder))


def loaded(folder: Path) -> None:
    """All policies, as an audit loads them."""
    for place, runs in stored(folder):
        policies_of(place, runs)


def packed(folder: Path, target: Path) -> None:
    """The tables of a data set."""
    _, cells, excluded, records = study.opened(folder)
    pack(records, cells, excluded, target)


def readers(folder: Path, spare: Path, every: bool) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is run on a folder. every: also what takes seconds."""
    yield "status", lambda: command("study", "status", folder)
    yield "dry run", lambda: command("study", "run", folder.parent / "small.toml", "--out", folder, "--dry-run")
    yield "own dry run", lambda: command("study", "run", folder / "study.toml", "--out", spare, "--dry-run")
    yield "evaluate", lambda: command("evaluate", folder, "--episodes", 1)
    yield "analyze", lambda: command("study", "analyze", folder)
    yield "report data", lambda: called(lambda: report_data(folder))
    yield "policies", lambda: called(lambda: loaded(folder))
    yield "tables of a card", lambda: called(lambda: packed(folder, spare / "tables"))
    if every:
        yield "audit", lambda: command("audit", folder)
        yield "report", lambda: command("report", folder, "--out", spare / "page.html")
        yield "card", lambda: command("study", "card", folder, "--out", spare / "data")


def judged(about: str, name: str, task: Callable[[], str], counts: Counter[str], wrong: list[str]) -> None:
    """Run one task, count how it ended, and note what is wrong about it."""
    try:
        with limit(LIMIT):
            ended = task()
    except TooLongError:
        ended = "too long"
    except BaseException as error:  # whatever it is, it is the finding
        ended = "traceback"
        where = traceback.extract_tb(error.__traceback__)[-1]
        about += f": {type(error).__name__}: {str(error)[:300]} ({Path(where.filename).name}:{where.lineno})"
    counts[f"{name}: {ended}"] += 1
    if ended not in ("done", "sentence"):
        wrong.append(f"{name}: {ended}: {about}")


def one_folder(whole: Path, seed: str, k: int, counts: Counter[str], wrong: list[str], every: int = 40) -> None:
    """Change a copy of the study, run all commands on it, and compare everything that was there."""
    draw = random.Random(f"{seed} folder {k}")
    folder, spare = whole / "case", whole / "spare"
    for place in (folder, spare):
        shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole / "out", folder)
    spare.mkdir()
    told = "nothing"
    for _ in range(draw.randrange(1, 4)):
        with contextlib.suppress(IndexError):  # nothing is left to change
            told += f", {draw.choice(CHANGES)(folder, draw)}"
    about, watched = f"folder {k} ({told})", (folder, whole / "victim", whole / "handed")
    before = listing(*watched)
    for name, task in readers(folder, spare, k % every == 0):
        judged(about, name, task, counts, wrong)
        after = listing(*watched)
        if after != before:
            wrong.append(
                f"{name}: changed files: {about}: {sorted(x for x in before if before[x] != after.get(x))[:3]}"
            )
            before = after
    if k % every == 0:
        _run(folder, whole, about, counts, wrong)
    if (whole / "it ran").exists():
        wrong.append(f"code ran: {about}")
        (whole / "it ran").rmdir()


def _run(folder: Path, whole: Path, about: str, counts: Counter[str], wrong: list[str]) -> None:
    """``study run`` on a harmed folder: what is not ours is there as it was, under its name or a free one."""
    before = {name: x[2] for name, x in listing(folder, whole / "victim").items()}
    again = "study", "run", whole / "small.toml", "--out", folder, "--workers", 1
    judged(about, "run", lambda: command(*again), counts, wrong)
    after = {name: x[2] for name, x in listing(folder, whole / "victim").items()}
    mine = {name for name, content in before.items() if content in (b"mine", b"somebody else's")}
    lost = [
        name
        for name in mine
        if before[name] not in [x for n, x in after.items() if Path(n).stem[:10] == Path(name).stem[:10]]
    ]
    if lost:
        wrong.append(f"run: lost {lost}: {about}")


def one_file(whole: Path, seed: str, k: int, counts: Counter[str], wrong: list[str]) -> None:
    """A study's file: dry run, and as the file of a folder that was handed over."""
    draw = random.Random(f"{seed} file {k}")
    kind, data = study_file(draw)
    source, folder = whole / f"case{kind}", whole / "handed over"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source.write_bytes(data)
    (folder / f"study{kind}").write_bytes(data)
    before = listing(folder, whole / "victim", whole / "handed")
    for name, task in (
        ("dry run of a file", lambda: command("study", "run", source, "--dry-run")),
        ("status of a file", lambda: command("study", "status", folder)),
        ("card of a file", lambda: command("study", "card", folder, "--out", whole / "spare" / "set")),
    ):
        judged(f"file {k} ({kind}, {data[:120]!r})", name, task, counts, wrong)
    if listing(folder, whole / "victim", whole / "handed") != before or (whole / "it ran").exists():
        wrong.append(f"file {k}: something changed or code ran")
    source.unlink()


def attack(folders: int, files: int, seed: int, every: int = 40) -> tuple[Counter[str], list[str]]:
    """How often each command ended how, and all that is wrong."""
    counts, wrong, here = Counter[str](), list[str](), Path.cwd()
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = base(Path(place))
        os.chdir(whole)
        try:
            for k in range(folders):
                one_folder(whole, str(seed), k, counts, wrong, every)
                _tell(f"{k + 1} folders", counts, wrong, k)
            for k in range(files):
                one_file(whole, str(seed), k, counts, wrong)
                _tell(f"{k + 1} files", counts, wrong, k)
        finally:
            os.chdir(here)
    return counts, wrong


def _tell(done: str, counts: Counter[str], wrong: list[str], k: int) -> None:
    """Say every now and then how it goes."""
    if k % 100 == 99:
        print(f"{done}, {sum(counts.values()):,} commands, {len(wrong)} wrong", file=sys.stderr, flush=True)


def main() -> int:
    """Attack, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", type=int, default=1600)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "hostile.json")
    options = parser.parse_args()
    start = time.perf_counter()
    counts, wrong = attack(options.folders, options.files, options.seed)
    report = {
        "machine": machine(),
        "folders": options.folders, "files": options.files, "seed": options.seed, "wrong": len(wrong),
        "ended": dict(sorted(counts.items())), "seconds": round(time.perf_counter() - start),
    }  # fmt: skip
    print(*wrong, sep="\n")
    print(json.dumps(report, indent=1))
    write_atomically(options.out, (json.dumps(report, indent=1) + "\n").encode())
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
