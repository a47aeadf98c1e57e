"""The tables of a data set, in files whose names say what is in them; the same rows give the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from coopgym.algorithms.record import NO_MODE, canonical, mutuality
from coopgym.envs.catalogue import entry
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.reward import RewardMode
from coopgym.files import file_name, write_atomically
from coopgym.mechanisms import checks
from coopgym.study import twins
from coopgym.study.cells import Cell, Excluded, of_game
from coopgym.study.columns import KEYS
from coopgym.study.parts import encode
from coopgym.study.records import FAILED, Records, Row
from coopgym.study.schema import PUBLISHED

GROUP = 65_536  # rows at a time
SINGLE = ("games", "coverage", "audits")  # tables of one file; others have one for each game and reward mode
SORTED = ("runs", "audits")  # tables whose rows are ordered by what they are of, before their keys


def pack(
    records: Records,
    cells: Sequence[Cell],
    excluded: Sequence[Excluded],
    target: Path,
    metrics: Sequence[str] | None = None,
) -> dict[str, list[Row]]:
    """Write every table below ``target``, a new folder, and return their rows.

    Runs are those of the design, curves and audits those of these runs; a run that failed has none. Files are named
    after the game and reward mode that the design has for a run, never after what a record says.

    Args:
        records: The study's.
        cells: Its design.
        excluded: What the design asks for and cannot be.
        target: Folder of the data set.
        metrics: Whose curves; all by default. Policies stay where they are.

    Raises:
        ValueError: For a record that says another game or reward mode than the design has for its run_id.
    """
    plan = {run: (cell, *pair) for cell in cells for run, pair in cell.plan().items()}
    runs = [row | _twin(row, plan) for row in records.read("runs") if row["run_id"] in plan]
    kept = {row["run_id"] for row in runs if row["status"] != FAILED}
    tables = {
        "runs": runs, "curves": [row for row in _curves(records, metrics) if row["run_id"] in kept],
        "games": list(games(cells)), "coverage": list(coverage(cells, excluded, {row["run_id"]: row for row in runs})),
        "audits": [row for row in _audits(records) if row["run_id"] in kept],
    }  # fmt: skip
    places = {row["run_id"]: _place(row, plan) for row in runs}
    for name, rows in tables.items():
        files: dict[str, list[Row]] = {}
        for row in rows:
            files.setdefault("all" if name in SINGLE else places[row["run_id"]], []).append(row)
        for file, own in files.items():
            write(target / name / f"{file}.parquet", name, own)
    return tables


def _place(row: Row, plan: Mapping[str, tuple[Cell, RewardMode | None, int | None]]) -> str:
    """The file of a run, without its suffix; ValueError for a record that contradicts the design."""
    cell, mode, _ = plan[row["run_id"]]
    planned = cell.game, mode.kind if mode else NO_MODE
    if (row["game"], row["reward_mode"]) != planned:
        said = f"game={row['game']!r:.80}, reward_mode={row['reward_mode']!r:.80}"
        raise ValueError(f"the record of run {row['run_id']} says {said}, and the design {planned}; remove its part")
    return file_name(".".join(planned))


def _twin(row: Row, plan: Mapping[str, tuple[Cell, RewardMode | None, int | None]]) -> Row:
    """The link of a run to the one of the design that it repeats; what made the records may not have known it."""
    found = twins.twin(*plan[row["run_id"]], bool(row["team_reward"]))
    return {"duplicate_of": found if found in plan else None}


def _curves(records: Records, metrics: Sequence[str] | None) -> list[Row]:
    rows = records.read("curves")
    known = {row["metric"] for row in rows}
    for metric in metrics or ():
        checks.choice("curves", metric, known)
    return [row for row in rows if metrics is None or row["metric"] in metrics]


def _audits(records: Records) -> list[Row]:
    """What ``coopgym audit`` has left beside the runs."""
    return Records(records.store.url, {"audits": PUBLISHED["audits"]}).read("audits")


def write(path: Path, table: str, rows: Iterable[Row]) -> None:
    """One file of a table, its rows in a fixed order."""
    ordered = sorted(rows, key=lambda row: _order(table, row))
    content = pa.Table.from_pylist(ordered, schema=PUBLISHED[table])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encode(content, compression_level=9, row_group_size=GROUP))


def _order(table: str, row: Row) -> list[tuple[bool, str | float]]:
    wanted = ("algorithm", "variant", "reward_mode", "mutuality", "seed") if table in SORTED else ()
    names = [name for name in wanted if name in row]
    return [(row[name] is not None, "" if row[name] is None else row[name]) for name in (*names, *KEYS[table])]


def games(cells: Iterable[Cell]) -> Iterator[Row]:
    """One row for each game of the design."""
    seen = set()
    for cell in cells:
        made = make_game(cell.game, **of_game(cell.game, cell.options))
        if (made.id, made.hash) not in seen:
            seen.add((made.id, made.hash))
            yield {
                "game": made.id, "report": made.report, "agents": made.n, "horizon": made.horizon,
                "endowment": made.endowment.tolist(), "baseline": made.baseline.tolist(),
                "shares": made.shares.tolist(), "interdependence": made.interdependence.reshape(-1).tolist(),
                "options": canonical(made.options), "game_hash": made.hash,
                "description": entry(made.id)[0].summary,
            }  # fmt: skip


def coverage(cells: Iterable[Cell], excluded: Iterable[Excluded], rows: dict[str, Row]) -> Iterator[Row]:
    """One row for each run of the design, and for each pair of algorithm and game that cannot be."""
    for cell in cells:
        for run, (mode, seed) in cell.plan().items():
            found = rows.get(run)
            yield {
                "algorithm": cell.algorithm, "variant": cell.variant or None, "game": cell.game,
                "reward_mode": mode.kind if mode else NO_MODE, "mutuality": mutuality(mode) if mode else None,
                "seed": seed, "planned": True, "status": found["status"] if found else "missing", "run_id": run,
                "reason": found["reason"] if found else None,
            }  # fmt: skip
    for each in excluded:
        yield {
            "algorithm": each.algorithm, "variant": None, "game": each.game, "reward_mode": None, "mutuality": None,
            "seed": None, "planned": False, "status": "not_applicable", "run_id": None, "reason": each.reason,
        }  # fmt: skip


def checksums(target: Path) -> str:
    """One line for each data file: SHA-256, two spaces, name."""
    files = sorted(path for path in target.rglob("*.parquet"))
    return "".join(f"{sha256(path)}  {path.relative_to(target).as_posix()}\n" for path in files)


def sha256(path: Path) -> str:
    """Of a file, in hex digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
