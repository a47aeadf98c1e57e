"""A study: its configuration carried out in its folder, and how far it is."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import coopgym
from coopgym.algorithms.record import series
from coopgym.files import check_own, output_path, write_atomically
from coopgym.study import claims, config, formats
from coopgym.study.cells import Cell, Excluded
from coopgym.study.config import Config
from coopgym.study.engines import Engine, engine
from coopgym.study.estimate import Estimates
from coopgym.study.records import FAILED, Records, Row
from coopgym.study.runner import Runner, Work
from coopgym.study.watcher import Watcher

SOURCE = "study"  # the configuration, in the folder of the records, with the suffix that it came with
ANALYSIS = {"analysis.json": b"rankings", "analysis.md": b"coopgym study analyze"}  # files, and how they are known
STATES = ("ok", "diverged", FAILED, "missing")


@dataclass(frozen=True)
class Line:
    """A cell: how many of its runs there should be, and are in each state; seconds: how long it will take or took."""

    algorithm: str
    variant: str
    game: str
    planned: int
    ok: int
    diverged: int
    failed: int
    missing: int
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class Status:
    """How far a study is. excluded: what it asked for and cannot be; claimed: programs that somebody is at work on.

    left: seconds of work of what is missing, on one worker; workers: that there would be here.
    others: runs in the folder that this design does not ask for, which no count includes; other_versions: of coopgym,
    that made some of them.
    """

    name: str
    folder: str
    lines: list[Line]
    excluded: list[Excluded]
    claimed: int
    left: float
    workers: int = 1
    others: int = 0
    other_versions: tuple[str, ...] = ()

    def count(self, state: str) -> int:
        """Runs that are "planned", "ok", "diverged", "failed" or "missing"."""
        return sum(getattr(line, state) for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            **asdict(self), "excluded": [each._asdict() for each in self.excluded],
            **{state: self.count(state) for state in ("planned", *STATES)},
        }  # fmt: skip


@dataclass(frozen=True)
class Done:
    """What ``run`` has done. skipped: runs that were there before; failures: a sentence for each failed program;
    earlier: names that configurations got which stood beside the records before."""

    status: Status
    skipped: int
    failures: list[str]
    earlier: tuple[str, ...] = ()


def run(
    source: str | Path,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    engine_name: str | None = None,
    watcher: Watcher | None = None,
    resume: bool = True,
) -> Done:
    """Carry out the configuration in the file ``source``; what is there already is kept.

    out, workers, engine_name: instead of the configuration's. Raises ValueError for a configuration that is wrong,
    before anything is trained; OSError where records cannot be written; KeyboardInterrupt keeps what is finished.
    """
    found, cells, excluded = _read(source)
    records = Records(out or found.folder)
    how: Engine = engine(
        engine_name or found.engine, workers=workers or found.workers, device=found.device, gpus=found.gpus
    )
    work = Work(found.device, found.checkpoint_seconds, found.name, found.pieces)
    runner = Runner(cells, records, how, work, resume, watcher or Watcher())
    _check_source(source, found, records)
    records.check()
    earlier = _keep(source, records)
    failures = runner.run()
    return Done(_status(found, cells, excluded, records), runner.skipped, failures, earlier)


def plan(source: str | Path, out: str | Path | None = None, workers: int | None = None) -> Status:
    """What ``run`` would do on this machine, with an estimate for each cell; nothing is written."""
    found, cells, excluded = _read(source)
    _check_source(source, found, Records(out or found.folder))
    slots = engine("local", workers=workers or found.workers, device=found.device).slots
    return replace(_status(found, cells, excluded, Records(out or found.folder)), workers=slots)


def status(folder: str | Path) -> Status:
    """How far the study in a folder is. FileNotFoundError where there is none."""
    found, cells, excluded, records = opened(folder)
    return _status(found, cells, excluded, records)


def analyse(folder: str | Path, out: str | Path | None = None) -> tuple[dict[str, Any], Path | None]:
    """What the records say; the folder is not changed.

    Args:
        folder: Folder or URL of a study.
        out: Folder in which to write analysis.json and analysis.md; nothing is written by default.

    Returns:
        The numbers, and where analysis.md is.

    Raises:
        OverwriteError: If one of the files is there and is not an analysis.
    """
    from coopgym.study.analysis.analysis import analyse as analysed
    from coopgym.study.analysis.page import page

    if out is None:
        return analysed(folder), None
    target = output_path(out)
    for file, mark in ANALYSIS.items():
        check_own(target / file, partial(_holds, mark))
    found, name = analysed(folder), Path(str(folder).rstrip("/")).name
    text = page(found, f"Study: {name}", f"coopgym study analyze {folder}")
    target.mkdir(parents=True, exist_ok=True)
    write_atomically(target / "analysis.json", json.dumps(found, indent=1, allow_nan=False).encode())
    write_atomically(target / "analysis.md", text.encode())
    return found, target / "analysis.md"


def _holds(mark: bytes, content: bytes) -> bool:
    return mark in content


def opened(folder: str | Path) -> tuple[Config, list[Cell], list[Excluded], Records]:
    """The study in a folder; FileNotFoundError where there is none."""
    records = Records(folder)
    name, text = kept(records)
    try:
        found = config.parse(text, formats.suffix(name))
        return found, *found.design(), records
    except ValueError as error:
        raise ValueError(f"{records.store.url}/{name}: {error}") from None


def kept(records: Records) -> tuple[str, str]:
    """(name, text) of the configuration beside some records; FileNotFoundError where there is none."""
    for suffix in formats.FORMATS:
        with contextlib.suppress(FileNotFoundError):
            return f"{SOURCE}{suffix}", formats.text(records.store.read(f"{SOURCE}{suffix}"))
    url = records.store.url
    raise FileNotFoundError(f"there is no study in {url!r}; make one with `coopgym study run`")


def _sources(records: Records) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each study's file beside some records."""
    for suffix in formats.FORMATS:
        with contextlib.suppress(FileNotFoundError):
            yield f"{SOURCE}{suffix}", records.store.read(f"{SOURCE}{suffix}")


def _check_source(source: str | Path, found: Config, records: Records) -> None:
    """ValueError if the folder of the records holds the file of another study."""
    for name, content in _sources(records):
        try:
            there = config.parse(formats.text(content), formats.suffix(name)).name
        except ValueError:
            there = None
        if there != found.name and content != Path(source).read_bytes():
            what = "no study that can be read" if there is None else f"the study {there!r}"
            raise ValueError(
                f"{records.store.url}/{name} describes {what}, and {source} the study {found.name!r}; name another "
                "folder with --out, or move that file away"
            )


def _keep(source: str | Path, records: Records) -> tuple[str, ...]:
    """Put the configuration beside the records; the new names of earlier ones of the same study."""
    name, own = f"{SOURCE}{formats.suffix(source)}", Path(source).read_bytes()
    others = [other for other, content in _sources(records) if (other, content) != (name, own)]
    earlier = [records.store.set_aside(other, f"{PurePosixPath(other).suffix}.earlier") for other in others]
    records.store.write(name, own)
    return tuple(earlier)


def _read(source: str | Path) -> tuple[Config, list[Cell], list[Excluded]]:
    found = config.load(source)
    try:
        cells, excluded = found.design()
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    if not cells:
        raise ValueError(f"{source}: nothing is left to do; {'; '.join(dict.fromkeys(x.reason for x in excluded))}")
    return found, cells, excluded


def _status(found: Config, cells: Sequence[Cell], excluded: list[Excluded], records: Records) -> Status:
    rows = {row["run_id"]: row for row in records.read("runs")}
    estimates = Estimates(row for row in rows.values() if row["status"] != FAILED)
    lines, left, planned = [], 0.0, set[str]()
    for cell in cells:
        plan = cell.plan()
        planned |= plan.keys()
        own = [rows.get(run) for run in plan]
        lines.append(_line(cell, own, estimates))
        left += estimates.seconds(cell) * (lines[-1].missing + lines[-1].failed) / lines[-1].planned
    runs = {f"{claims.FOLDER}/{run}" for run in planned}  # each is claimed beside its program
    held = [name for name in claims.names(records.store) if name.rsplit(".", 2)[0] not in runs]
    claimed = sum(not claims.void(records.store, name, probe=False) for name in held)
    others = [row for run, row in rows.items() if run not in planned]
    versions = {series(row["package_version"]) for row in others} - {None, series(coopgym.__version__)}
    return Status(
        found.name, records.store.url, lines, excluded, claimed, left,
        others=len(others), other_versions=tuple(sorted(str(version) for version in versions)),
    )  # fmt: skip


def _line(cell: Cell, rows: Iterable[Row | None], estimates: Estimates) -> Line:
    present = list(rows)
    states = Counter(row["status"] if row else "missing" for row in present)
    took = sum(row["seconds"] or 0.0 for row in present if row and row["status"] != FAILED)
    reasons = [row["reason"] for row in present if row and row["reason"]]
    return Line(
        cell.algorithm, cell.variant, cell.game, len(present), states["ok"], states["diverged"], states[FAILED],
        states["missing"], estimates.seconds(cell) if states["missing"] else took, reasons[0] if reasons else None,
    )  # fmt: skip
