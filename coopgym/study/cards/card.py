"""``coopgym study card``: a data set with its papers, from the folder of a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.files import build_folder, output_path, write_atomically
from coopgym.study import study
from coopgym.study.cards import croissant, facts, text
from coopgym.study.cards.pack import checksums, pack
from coopgym.study.config import Config
from coopgym.study.records import Row
from coopgym.study.schema import PUBLISHED


@dataclass(frozen=True)
class Card:
    """Where a data set is, every number that its papers quote, and the records that mlcroissant has read of each.

    others: runs beside the study that its design does not ask for; the data set leaves them out.
    """

    folder: Path
    counts: dict[str, Any]
    read: dict[str, int]
    others: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {"folder": str(self.folder), "counts": self.counts, "read": self.read, "others": self.others}


KIND = "data set"  # what the marker of the folder says


def make(folder: str | Path, out: str | Path | None = None, metrics: Sequence[str] | None = None) -> Card:
    """Pack the study in ``folder`` into a data set and check all of it; ``folder`` is not changed.

    The data set is built beside ``out`` and moved there once it is complete. ``out`` may be absent, empty, or a data
    set that was made here and has not been changed since, which is replaced.

    Args:
        folder: Folder or URL of a study.
        out: Folder of the data set; NAME-data in the working folder by default.
        metrics: Whose curves it holds; all by default. Policies are left out.

    Returns:
        Where the data set is, and the counts that its papers quote.

    Raises:
        FileNotFoundError: If there is no study in ``folder``.
        ValueError: If the study has no runs yet, for a metric that has no curves, if ``out`` holds anything else
            (OverwriteError), or if mlcroissant objects to a manifest or reads other numbers of rows.
    """
    config, cells, excluded, records = study.opened(folder)
    croissant.library()
    target = output_path(f"{config.name}-data" if out is None else out)
    with build_folder(target, KIND) as place:
        tables = pack(records, cells, excluded, place, metrics)
        if not tables["runs"]:
            raise ValueError(f"the study in {str(folder)!r} has no runs yet; make them with `coopgym study run`")
        tables = {name: rows for name, rows in tables.items() if rows}
        counts = _papers(place, config, tables, folder, metrics, study.kept(records))
        read = [croissant.check(place / file) for file in croissant.VERSIONS]
        wanted = {each: len(rows) for each, rows in tables.items()}
        if any(found != wanted for found in read):
            raise ValueError(f"mlcroissant reads {read} records from {target}, and {wanted} were written")
    return Card(target, counts, read[0], study.status(folder).others)


def _papers(
    place: Path,
    config: Config,
    tables: dict[str, list[Row]],
    folder: str | Path,
    metrics: Sequence[str] | None,
    kept: tuple[str, str],
) -> dict[str, Any]:
    """Write everything but the tables into ``place``; the counts that it quotes."""
    name, about = f"coopgym-{config.name}", config.description or f"The study {config.name!r}."
    command = " ".join(["coopgym study card", str(folder), *(f"--curves {each}" for each in metrics or ())])
    source, design = kept
    counts = facts.counts({each: tables.get(each, []) for each in PUBLISHED})
    papers = {
        source: design,
        "checksums.sha256": checksums(place),
        "LICENSE": _licence(),
        "counts.json": json.dumps(counts, indent=1) + "\n",
        "datasheet.md": text.datasheet(name, about, tables, command, metrics),
        "README.md": text.page(name, about, tables, command),
    }
    for file, content in papers.items():
        write_atomically(place / file, content.encode())
    for file, version in croissant.VERSIONS.items():
        write_atomically(place / file, croissant.manifest(place, name, about, tables, version).encode())
    return counts


def _licence() -> str:
    return (
        f"This data set is licensed under the Creative Commons Attribution 4.0 International licence: {facts.LICENCE}"
        "legalcode\nYou may share and adapt it for any purpose if you give appropriate credit.\n"
    )
