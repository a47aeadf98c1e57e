"""The Croissant manifest of a data set, made and checked by mlcroissant."""

from __future__ import annotations

import datetime
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

import coopgym
from coopgym.study.cards import facts
from coopgym.study.cards.pack import SINGLE, sha256
from coopgym.study.columns import ABOUT, COLUMNS, KEYS
from coopgym.study.records import Row
from coopgym.study.schema import MOMENT, NUMBER, PUBLISHED, TEXT, TRUTH, WHOLE

VERSIONS = {"croissant.json": "1.0", "croissant-1.1.json": "1.1"}  # a file for each
SPECIFICATION = "http://mlcommons.org/croissant/"
LINKED = ("curves", "audits")  # tables whose run_id is one of the runs
CURE = 'install it with: pip install "coopgym[study]"'


def manifest(target: Path, name: str, description: str, tables: Mapping[str, list[Row]], version: str) -> str:
    """JSON-LD of the data set in ``target``, whose files are there, by a version of the specification."""
    mlc = library()
    first, last = facts.period(tables)
    count = facts.counts(tables)
    made = mlc.Metadata(
        ctx=mlc.Context(conforms_to=f"{SPECIFICATION}{version}"), name=name, description=description,
        cite_as=f"@misc{{{name}, title={{{name}: runs of coopgym {coopgym.__version__}}}, year={{{last[:4]}}}}}",
        creators=[mlc.Organization(name="The coopgym developers")], license=[facts.LICENCE],
        url="https://github.com/coopgym/coopgym", version="1.0.0", keywords=list(facts.KEYWORDS),
        date_published=datetime.datetime.fromisoformat(last) if last else None,
        distribution=_files(mlc, target, tables), record_sets=[_records(mlc, t, version) for t in tables],
        data_collection=facts.collection(count),
        data_collection_type=["simulation"], data_collection_missing_data=facts.missing(count),
        data_collection_raw_data="None: rows are measured directly.",
        data_collection_timeframe=[datetime.datetime.fromisoformat(x) for x in (first, last) if x],
        data_imputation_protocol="None.",
        data_preprocessing_protocol=["None; numbers that are not finite are null."],
        data_manipulation_protocol="Rows are packed by game and reward mode and sorted.",
        data_annotation_protocol=["There are no annotations."], annotations_per_item="0",
        annotator_demographics=["None."], machine_annotation_tools=["None."],
        data_biases=["Learners, games, budgets and hyperparameters were chosen by the study.", facts.LIMITS[-1]],
        data_use_cases=[facts.USES], data_limitations=list(facts.LIMITS), data_social_impact=facts.IMPACT,
        personal_sensitive_information=[facts.PRIVACY],
        data_release_maintenance_plan="Made again by `coopgym study run` and `coopgym study card` with any version.",
    )  # fmt: skip
    return json.dumps(made.to_json(), indent=1, default=str) + "\n"


def check(path: Path) -> dict[str, int]:
    """Records that mlcroissant reads from every record set of a manifest; ValueError for what it has against it."""
    mlc = library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that it uses
        dataset = mlc.Dataset(jsonld=str(path))
        issues = [*dataset.metadata.ctx.issues.errors, *dataset.metadata.ctx.issues.warnings]
        if issues:
            raise ValueError(f"{path} is not as Croissant wants it: {'; '.join(map(str, issues))}")
        return {each.id: sum(1 for _ in dataset.records(each.id)) for each in dataset.metadata.record_sets}


def library() -> Any:
    """Mlcroissant; ValueError with the cure where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import mlcroissant
    except ModuleNotFoundError:
        raise ValueError(f"cards need the module 'mlcroissant', which is not installed; {CURE}") from None
    return mlcroissant


def _files(mlc: Any, target: Path, tables: Mapping[str, list[Row]]) -> list[Any]:
    parquet = ["application/x-parquet"]
    found = [
        mlc.FileObject(
            id="checksums", name="checksums", content_url="checksums.sha256", encoding_formats=["text/plain"],
            description="SHA-256 of every data file.", sha256=sha256(target / "checksums.sha256"),
        )
    ]  # fmt: skip
    for table in tables:
        if table in SINGLE:  # the loader checks its hash
            place = f"{table}/all.parquet"
            digest = sha256(target / place)
            about = {"content_url": place, "encoding_formats": parquet, "sha256": digest}
            found.append(mlc.FileObject(id=f"{table}-file", name=f"{table}-file", description=ABOUT[table], **about))
        else:
            about = {"includes": [f"{table}/*.parquet"], "encoding_formats": parquet}
            found.append(mlc.FileSet(id=f"{table}-files", name=f"{table}-files", description=ABOUT[table], **about))
    return found


def _records(mlc: Any, table: str, version: str) -> Any:
    return mlc.RecordSet(
        id=table, name=table, description=ABOUT[table], key=[f"{table}/{column}" for column in KEYS[table]],
        fields=[_field(mlc, table, column, version) for column in PUBLISHED[table]],
    )  # fmt: skip


def _field(mlc: Any, table: str, column: pa.Field, version: str) -> Any:
    listed = pa.types.is_list(column.type)
    kinds = {TEXT: "TEXT", WHOLE: "INTEGER", NUMBER: "FLOAT", pa.float32(): "FLOAT", TRUTH: "BOOL", MOMENT: "DATETIME"}
    kind = getattr(mlc.DataType, kinds[column.type.value_type if listed else column.type])
    where = {"file_object": f"{table}-file"} if table in SINGLE else {"file_set": f"{table}-files"}
    more: dict[str, Any] = {}
    if listed:
        more = {"repeated": True} if version == "1.0" else {"is_array": True, "array_shape": "-1"}
    if table in LINKED and column.name == "run_id":
        more["references"] = mlc.Source(field="runs/run_id")
    return mlc.Field(
        id=f"{table}/{column.name}", name=column.name, description=COLUMNS[table][column.name], data_types=[kind],
        source=mlc.Source(**where, extract=mlc.Extract(column=column.name)), **more,
    )  # fmt: skip
