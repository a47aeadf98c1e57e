"""What the analysis of studies says about a folder; computed once for all panels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa

from coopgym.report.page.material import TRAINED, Material
from coopgym.study.analysis.analysis import analysis
from coopgym.study.analysis.runs import COLUMNS, Runs, columns
from coopgym.study.identity import FOLDER
from coopgym.study.schema import RUNS


@dataclass(frozen=True)
class Findings:
    """found: of ``coopgym.study.analysis``, empty where it cannot be had; why: the reason then; runs: as columns."""

    found: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    runs: Runs | None = None


@lru_cache(maxsize=4)
def findings(material: Material) -> Findings:
    """Rankings, contrasts, changes between modes and counts of what went wrong."""
    if not any(row["kind"] == TRAINED for row in material.runs):
        return Findings(why="no run of a learner is there")
    schema = pa.schema([RUNS.field(name) for name in COLUMNS])
    try:
        runs = columns(pa.Table.from_pylist(material.stored(), schema=schema), [r.get(FOLDER) for r in material.runs])
        return Findings(analysis(runs), runs=runs)
    except (ValueError, KeyError) as error:
        return Findings(why=" ".join(str(error).split()))
