"""A data set says what it holds, to people and to mlcroissant, and every number in its papers is computed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from test_studies import TINY
from typer.testing import CliRunner

from coopgym.audit.measures import CATALOGUE
from coopgym.cli.commands import app
from coopgym.files import OverwriteError
from coopgym.study import study
from coopgym.study.audits import TABLES, audit_runs
from coopgym.study.cards import card, croissant, facts, pack
from coopgym.study.columns import ABOUT, COLUMNS, KEYS
from coopgym.study.records import Records
from coopgym.study.schema import AUDITS, DESIGNED, PUBLISHED

mlc = pytest.importorskip("mlcroissant")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries that mlcroissant uses


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("cards")
    (place / "tiny.toml").write_text(TINY + "[variants.thin]\nhidden = [4]\n[variants.wide]\nhidden = [8]\n")
    study.run(place / "tiny.toml", out=place / "out")
    return place / "out"


@pytest.fixture(scope="module")
def made(folder):
    return card.make(folder, folder.parent / "set")


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """(data set, what was audited) of a study whose runs were audited, and a run that is not in it too."""
    place = tmp_path_factory.mktemp("audited")
    text = TINY.replace(', "IA2C", "TitForTat", "Constant_40", "MeanFieldAC"]', "]").replace('"TrustDilemma", ', "")
    (place / "tiny.toml").write_text(text)
    study.run(place / "tiny.toml", out=place / "out")
    rows = audit_runs(place / "out", out=place / "out").rows
    Records(place / "out", TABLES).write("audits", "other", [rows[0] | {"run_id": "unknown"}])
    Records(place / "out", TABLES).write("audits", "finer", [rows[0] | {"effort": "full"}])
    return card.make(place / "out", place / "set"), rows


def test_audits_of_planned_runs_are_a_table_with_words_and_a_link_to_the_runs(audited):
    made, rows = audited
    assert made.read["audits"] == made.counts["rows_audits"] == len(rows) + 1
    for file in croissant.VERSIONS:
        sets = {found["name"]: found for found in json.loads((made.folder / file).read_text())["recordSet"]}
        fields = {field["name"]: field for field in sets["audits"]["field"]}
        assert list(fields) == AUDITS.names and all(field["description"] for field in fields.values())
        assert fields["run_id"]["references"] == {"field": {"@id": "runs/run_id"}}
        for name, measure in CATALOGUE.items():
            assert fields[name]["description"].startswith(measure.what)
            assert fields[name]["description"].endswith(f"[{measure.unit}]")
    page, sheet = ((made.folder / name).read_text() for name in ("README.md", "datasheet.md"))
    assert f"| rows audits | {len(rows) + 1} |" in page and "data_files: audits/*.parquet" in page
    assert f"{len(rows) + 1} audits say what the policies do" in sheet and "### audits" in sheet


def test_what_mlcroissant_reads_of_audits_is_what_was_measured(audited):
    made, rows = audited
    known = {row["run_id"]: row for row in rows}
    for found in mlc.Dataset(jsonld=str(made.folder / "croissant.json")).records("audits"):
        row = known[found["audits/run_id"].decode()]
        assert found["audits/welfare"] == pytest.approx(row["welfare"])
        assert list(found["audits/payoff_by_agent"]) == pytest.approx(row["payoff_by_agent"])


def test_the_table_of_audits_goes_when_there_are_none_any_more(audited, folder, tmp_path):
    shutil.copytree(audited[0].folder, tmp_path / "set")
    made = card.make(folder, tmp_path / "set")
    assert "audits" not in made.read and "rows_audits" not in made.counts
    assert not (tmp_path / "set" / "audits").exists()


def test_every_column_has_words_in_the_order_of_the_schema():
    assert list(COLUMNS) == list(PUBLISHED) == list(ABOUT) == list(KEYS)
    for table, schema in PUBLISHED.items():
        assert list(COLUMNS[table]) == schema.names
        assert set(KEYS[table]) <= set(schema.names)


def test_both_manifests_are_valid_and_every_record_set_is_read(made):
    assert made.read == {name: made.counts[f"rows_{name}"] for name in DESIGNED}
    assert made.read["runs"] == 52 and made.read["coverage"] == 54
    for file, version in croissant.VERSIONS.items():
        text = json.loads((made.folder / file).read_text())
        assert text["conformsTo"] == f"http://mlcommons.org/croissant/{version}"
        assert text["license"] == facts.LICENCE
        assert croissant.check(made.folder / file) == made.read


def test_fields_are_those_of_the_schema_with_units_and_references(made):
    text = json.loads((made.folder / "croissant.json").read_text())
    for records in text["recordSet"]:
        schema = PUBLISHED[records["name"]]
        assert [field["name"] for field in records["field"]] == schema.names
        assert all(field["description"] for field in records["field"])
    runs = {field["name"]: field for field in text["recordSet"][0]["field"]}
    assert runs["welfare"]["description"].endswith("[payoff]") and runs["payoff"]["repeated"] is True
    assert text["recordSet"][1]["field"][0]["references"] == {"field": {"@id": "runs/run_id"}}
    newer = json.loads((made.folder / "croissant-1.1.json").read_text())
    listed = {field["name"]: field for field in newer["recordSet"][0]["field"]}["payoff"]
    assert any(key.endswith("isArray") and value for key, value in listed.items())


def test_what_mlcroissant_reads_is_what_was_stored(made, folder):
    stored = {row["run_id"]: row for row in Records(folder).read("runs")}
    for found in mlc.Dataset(jsonld=str(made.folder / "croissant.json")).records("runs"):
        row = stored[found["runs/run_id"].decode()]
        assert found["runs/welfare"] == pytest.approx(row["welfare"])
        assert list(found["runs/payoff"]) == pytest.approx(row["payoff"])
        assert found["runs/seed"] == row["seed"]


def test_responsible_ai_fields_are_filled_and_spelt_as_the_library_knows_them(made):
    metadata = mlc.Dataset(jsonld=str(made.folder / "croissant.json")).metadata
    for name in (
        "data_collection", "data_collection_type", "data_collection_missing_data", "data_collection_timeframe",
        "data_biases", "data_use_cases", "data_limitations", "data_social_impact", "personal_sensitive_information",
        "data_release_maintenance_plan", "data_imputation_protocol", "annotations_per_item",
    ):  # fmt: skip
        assert getattr(metadata, name), name
    assert "Of 52 planned runs 0 diverged, 0 failed and 0 are missing; 2 pairs" in str(
        metadata.data_collection_missing_data
    )


def test_keys_are_unique_and_curves_belong_to_runs(made):
    tables = {name: ds.dataset(made.folder / name).to_table().to_pylist() for name in DESIGNED}
    for name, rows in tables.items():
        keys = [tuple(row[key] for key in KEYS[name]) for row in rows]
        assert len(set(keys)) == len(keys), name
    assert {row["run_id"] for row in tables["curves"]} <= {row["run_id"] for row in tables["runs"]}
    planned = [row for row in tables["coverage"] if row["planned"]]
    assert {row["run_id"] for row in planned} == {row["run_id"] for row in tables["runs"]}
    assert {row["variant"] for row in tables["runs"] if row["kind"] == "learner"} == {"thin", "wide"}


def test_hashes_are_those_of_the_files_and_packing_again_gives_the_same_bytes(made, folder, tmp_path):
    lines = (made.folder / "checksums.sha256").read_text().splitlines()
    assert len(lines) == len(list(made.folder.rglob("*.parquet")))
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((made.folder / name).read_bytes()).hexdigest() == digest
    _, cells, excluded, records = study.opened(folder)
    pack.pack(records, cells, excluded, tmp_path)
    assert pack.checksums(tmp_path) == (made.folder / "checksums.sha256").read_text()


def test_a_file_with_another_hash_is_refused_by_the_loader(made, folder, tmp_path):
    copy = shutil.copytree(made.folder, tmp_path / "copy")
    path = copy / "games" / "all.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    with pytest.raises(mlc.GenerationError, match=r"Download\(games-file\)"):
        croissant.check(copy / "croissant.json")


def test_every_number_on_the_page_and_in_the_datasheet_is_counted(made):
    counts = json.loads((made.folder / "counts.json").read_text())
    tables = {name: ds.dataset(made.folder / name).to_table().to_pylist() for name in DESIGNED}
    assert facts.counts(tables) == counts == made.counts
    assert counts["planned"] == sum(counts[f"status_{s}"] for s in ("ok", "diverged", "failed", "missing"))
    page = (made.folder / "README.md").read_text()
    quoted = dict(re.findall(r"^\| ([a-z ]+) \| ([\d.,]+) \|$", page, re.MULTILINE))
    assert {name.replace(" ", "_"): x.replace(",", "") for name, x in quoted.items()} == {
        name: str(x) for name, x in counts.items()
    }
    sheet = (made.folder / "datasheet.md").read_text()
    assert (
        f"{counts['rows_runs']} runs of {counts['algorithms']} algorithms ({counts['learners']} of them learn)" in sheet
    )
    for heading in ("Motivation", "Composition", "Collection", "Preprocessing", "Uses", "Limits", "Distribution"):
        assert f"\n## {heading}\n" in sheet


def test_the_page_says_to_a_hub_where_each_table_is(made):
    head = (made.folder / "README.md").read_text().split("---")[1]
    yaml = pytest.importorskip("yaml")
    about = yaml.safe_load(head)
    assert (about["license"], about["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    for config in about["configs"]:
        files = list(made.folder.glob(config["data_files"]))
        assert sum(pq.ParquetFile(file).metadata.num_rows for file in files) == made.read[config["config_name"]]
    assert [c["config_name"] for c in about["configs"] if c.get("default")] == ["runs"]


def test_a_small_data_set_keeps_the_curves_that_are_named(folder, made, tmp_path):
    small = card.make(folder, tmp_path / "small", ["welfare_eval"])
    rows = ds.dataset(small.folder / "curves").to_table().to_pylist()
    assert {row["metric"] for row in rows} == {"welfare_eval"} and len(rows) == small.counts["learner_runs"]
    assert small.read == made.read | {"curves": len(rows)} and small.counts["learner_runs"] == 48
    sheet = (small.folder / "datasheet.md").read_text()
    assert "Of the curves there are those of welfare_eval, to keep" in sheet and "--curves welfare_eval`" in sheet
    with pytest.raises(ValueError, match=r"curves='welfare_evil' is not known; .*welfare_eval"):
        card.make(folder, tmp_path / "small", ["welfare_evil"])


def test_the_command_makes_a_data_set(folder, tmp_path):
    told = CliRunner().invoke(app, ["study", "card", str(folder), "--out", str(tmp_path / "set"), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["read"]["runs"] == 52
    missing = CliRunner().invoke(app, ["study", "card", str(tmp_path)])
    assert missing.exit_code == 2 and "there is no study in" in missing.stderr


def contents(place):
    """Content of every file by name."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_data_set_takes_the_place_of_nothing_but_an_unchanged_data_set(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("runs/other.txt", "games/mine.txt", "study.yaml", "notes/readme.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    copy = shutil.copytree(folder, tmp_path / "study")
    before = contents(tmp_path)
    for out in (".", "study", "study/runs", "games", "study.yaml"):
        told = CliRunner().invoke(app, ["study", "card", "study", "--out", out])
        assert told.exit_code == 2 and ("move it away" in told.stderr or "is a file" in told.stderr), told.stderr
        assert contents(tmp_path) == before
    made = card.make(copy, "set").folder  # and the folder that is read stays as it is
    assert {name for name in contents(tmp_path) if not name.startswith("set/")} == set(before)
    card.make(copy, "set")
    (made / "README.md").write_text("edited by hand")
    with pytest.raises(OverwriteError, match=r"README\.md"):
        card.make(copy, "set")
    assert (made / "README.md").read_text() == "edited by hand"


@pytest.mark.parametrize("lie", [{"game": "../../victim/sales"}, {"reward_mode": "2024"}, {"game": "/etc/sales"}])
def test_files_are_named_by_the_design_and_not_by_a_record(folder, tmp_path, lie):
    copy = shutil.copytree(folder, tmp_path / "study")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "sales.2024.parquet").write_text("theirs")
    records = Records(copy)
    row = next(row for row in records.read("runs") if row["kind"] == "learner")
    records.write("runs", "zzz", [row | lie])
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="and the design"):
        card.make(copy, tmp_path / "sets" / "set")
    assert contents(tmp_path) == before


def test_a_study_without_runs_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "study.toml").write_text(TINY)
    with pytest.raises(ValueError, match="has no runs yet"):
        card.make(tmp_path / "empty", tmp_path / "set")
    assert not (tmp_path / "set").exists()
