"""``coopgym study card``: a data set with its papers, from the folder of a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.files import write_atomically
from coopgym.study import formats, study
from coopgym.study.cards import croissant, facts, text
from coopgym.study.cards.pack import checksums, pack
from coopgym.study.schema import PUBLISHED


@dataclass(frozen=True)
class Card:
    """Where a data set is, every number that its papers quote, and the records that mlcroissant has read of each."""

    folder: Path
    counts: dict[str, Any]
    read: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {"folder": str(self.folder), "counts": self.counts, "read": self.read}


def make(folder: str | Path, out: str | Path | None = None, metrics: Sequence[str] | None = None) -> Card:
    """Pack the study in ``folder`` into a data set at ``out`` (dataset/ inside it by default) and check all of it.

    metrics: whose curves it holds, all by default; policies are left out. What stood there is replaced. Raises
    FileNotFoundError where there is no study, ValueError for a metric that has no curves, and if mlcroissant has
    anything against a manifest or reads other numbers of rows than were written.
    """
    config, cells, excluded, records = study.opened(folder)
    croissant.library()
    target = Path(out) if out else records.folder / "dataset"
    for kind in formats.FORMATS:
        (target / f"{study.SOURCE}{kind}").unlink(missing_ok=True)
    tables = pack(records, cells, excluded, target, metrics)
    tables = {name: rows for name, rows in tables.items() if rows}
    name, about = f"coopgym-{config.name}", config.description or f"The study {config.name!r}."
    command = " ".join(["coopgym study card", str(folder), *(f"--curves {each}" for each in metrics or ())])
    source, design = study.kept(records)
    counts = facts.counts({each: tables.get(each, []) for each in PUBLISHED})
    papers = {
        source: design, "checksums.sha256": checksums(target), "LICENSE": _licence(),
        "counts.json": json.dumps(counts, indent=1) + "\n",
        "datasheet.md": text.datasheet(name, about, tables, command, metrics),
        "README.md": text.page(name, about, tables, command),
    }  # fmt: skip
    for file, content in papers.items():
        write_atomically(target / file, content.encode())
    for file, version in croissant.VERSIONS.items():
        write_atomically(target / file, croissant.manifest(target, name, about, tables, version).encode())
    read = [croissant.check(target / file) for file in croissant.VERSIONS]
    wanted = {each: len(rows) for each, rows in tables.items()}
    if any(found != wanted for found in read):
        raise ValueError(f"mlcroissant reads {read} records from {target}, and {wanted} were written")
    return Card(target, counts, read[0])


def _licence() -> str:
    return (
        f"This data set is licensed under the Creative Commons Attribution 4.0 International licence: {facts.LICENCE}"
        "legalcode\nYou may share and adapt it for any purpose if you give appropriate credit.\n"
    )
