"""What a folder holds: the rows that a report is made from, read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.compute as pc

from coopgym.envs.reward import KINDS
from coopgym.study import identity
from coopgym.study.identity import FOLDER, Labels
from coopgym.study.records import Records, Row
from coopgym.study.schema import AUDIT_CURVES, PUBLISHED
from coopgym.study.stored import places_in
from coopgym.study.study import kept
from coopgym.study.summary import mode_label

TABLES = PUBLISHED | {"audit_curves": AUDIT_CURVES}
MANY = 2_000  # runs of a folder; of more, only the curves that CORE chooses are read
CORE = pc.field("metric") == "welfare_eval"
TRAINED = "learner"  # the kind of a run that was trained


@dataclass(frozen=True, eq=False)
class Material:
    """Rows of the tables in a folder; a table that is not there has none.

    kind: "study" where there is a configuration, "audit" where there are audits and no runs, else "ablation". source:
    the configuration of a study, "" without one. curves: all metrics, of a large study the evaluated welfare alone.
    Rows of runs and of audits have ``reward_mode`` and ``mutuality``; ``mode_label`` of ``coopgym.study.summary`` names
    the mode, as ``modes`` does here.
    """

    folder: Path
    kind: str
    runs: list[Row]
    curves: list[Row]
    audits: list[Row]
    audit_curves: list[Row]
    source: str = ""

    @classmethod
    def read(cls, folder: str | Path) -> Material:
        """From a folder of records, or from one of such folders. FileNotFoundError where there is nothing."""
        place = Path(folder)
        if not place.is_dir():
            raise FileNotFoundError(f"there is no folder {str(place)!r}; name one that `coopgym ablate` has written")
        tables: dict[str, list[Row]] = {"runs": [], "curves": [], "audits": [], "audit_curves": []}
        places = _places(place)
        many = len(places) > 1
        for inner in places:
            records = Records(inner, TABLES)
            found = {name: records.read(name) for name in ("runs", "audits", "audit_curves")}
            found["curves"] = records.read("curves", None if len(found["runs"]) <= MANY else CORE)
            for name, rows in tables.items():
                rows.extend(row | {FOLDER: inner.name} for row in found[name]) if many else rows.extend(found[name])
        if not tables["runs"] and not tables["audits"]:
            raise FileNotFoundError(f"there are no records in {str(place)!r}; make some with `coopgym ablate`")
        tables |= _named(tables["runs"], tables["audits"])
        text = _source(place)
        kind = "study" if text else "ablation" if tables["runs"] else "audit"
        return cls(place, kind, **tables, source=text)

    def stored(self) -> list[Row]:
        """Runs as they are stored."""
        own = {"game": "game_id", "variant": "variant_name"}
        return [row | {name: row.get(kept, row.get(name)) for name, kept in own.items()} for row in self.runs]

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.resolve().name

    @cached_property
    def finished(self) -> list[Row]:
        """Runs that ended well."""
        return [row for row in self.runs if row["status"] == "ok"]

    @cached_property
    def failures(self) -> list[Row]:
        """Runs that diverged or failed."""
        return [row for row in self.runs if row["status"] != "ok"]

    def rows(self) -> list[Row]:
        """Runs; of an audit alone, its audits."""
        return self.runs or self.audits

    def games(self) -> list[str]:
        """Names, in the order of their appearance."""
        return _distinct(row["game"] for row in self.rows())

    def algorithms(self) -> list[str]:
        """Names, learners first."""
        rows = self.rows()
        first = (row["algorithm"] for row in rows if row["kind"] == TRAINED)
        return _distinct([*first, *(row["algorithm"] for row in rows)])

    def modes(self) -> list[str]:
        """Labels of reward modes: private, integrated, cooperative, each kind by mutuality; then any other."""
        return list(dict.fromkeys(mode_label(row) for row in sorted(self.rows(), key=_mode_order)))


def _named(runs: Sequence[Row], audits: Sequence[Row]) -> dict[str, list[Row]]:
    """The same rows, with what differs in the names of their games and as their variants: see ``identity``.

    So nobody who goes by game, algorithm and variant takes for repeats what is none. ``game_id`` and ``variant_name``
    are what is stored.
    """
    by_run = {(row.get(FOLDER), row["run_id"]): row for row in runs}
    found = [(row, by_run.get((row.get(FOLDER), row.get("run_id")))) for row in audits]
    known = [(identity.completed(row, run) if run else row, run) for row, run in found]
    # of an audit whose run is here, the run says what it is
    named = identity.labels([*runs, *(row for row, run in known if run is None)] if runs else audits)
    return {
        "runs": [_renamed(row, row, named) for row in runs],
        "audits": [_renamed(row, run or row, named) for row, run in known],
    }


def _renamed(row: Row, own: Row, named: Labels) -> Row:
    if not (own.get("game") and own.get("algorithm")):
        return row
    details = named.player(own).removeprefix(str(own["algorithm"])).removeprefix(" [").removesuffix("]")
    return row | {
        "game": named.game(own), "variant": details or own.get("variant"),
        "game_id": own["game"], "variant_name": own.get("variant"),
    }  # fmt: skip


def _source(place: Path) -> str:
    try:
        return kept(Records(place))[1]
    except FileNotFoundError:
        return ""


def _places(place: Path) -> list[Path]:
    own = any((place / name).is_dir() or (place / f"{name}.parquet").is_file() for name in ("runs", "audits"))
    return [place] if own else places_in(place)


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _mode_order(row: Row) -> tuple[int, float]:
    kind, mutuality = row["reward_mode"], row["mutuality"]
    return KINDS.index(kind) if kind in KINDS else len(KINDS), 1.0 if mutuality is None else mutuality
