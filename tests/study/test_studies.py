"""Studies: what is missing is done once, by any number of runners, to the same records; what fails says so."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import uuid

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.study import claims, program, runner, study
from coopgym.study.engines import engine
from coopgym.study.records import Records
from coopgym.study.watcher import Watcher

TINY = """
name = "tiny"
games = ["TrustDilemma", "SLCD"]
algorithms = ["IPPO", "IA2C", "TitForTat", "Constant_40", "MeanFieldAC"]
seeds = 2
device = "cpu"
workers = 1
[budget]
steps = 100
[hyperparameters.all]
lanes = 2
hidden = [8]
[game_options.all]
max_steps = 10
"""


def values(folder):
    return Records(folder).fingerprint()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.toml").write_text(TINY)
    study.run(folder / "tiny.toml", out=folder / "out")
    return folder / "out"


def test_every_run_is_a_record_and_what_cannot_be_says_why(whole):
    found = study.status(whole)
    assert {state: found.count(state) for state in ("planned", "ok", "missing")} == {
        "planned": 28, "ok": 28, "missing": 0,
    }  # fmt: skip
    assert [(x.algorithm, x.game) for x in found.excluded] == [
        ("MeanFieldAC", "TrustDilemma-v1"), ("MeanFieldAC", "SLCD-v1"),
    ]  # fmt: skip
    rows = Records(whole).read("runs")
    assert {row["study"] for row in rows} == {"tiny"}
    assert [row["reward_mode"] for row in rows if row["algorithm"] == "TitForTat"] == ["none", "none"]
    assert sorted(path.name for path in whole.iterdir()) == ["curves", "policies", "runs", "study.toml"]


def test_the_same_study_again_does_nothing(whole, source):
    class Nothing(Watcher):
        def begin(self, programs, slots):
            raise AssertionError(programs)

    again = study.run(source, out=whole, watcher=Nothing())
    assert (again.skipped, again.failures) == (28, [])


def test_more_of_it_adds_to_what_is_there(whole, source, tmp_path):
    source.write_text(TINY.replace("seeds = 2", "seeds = 1").replace('"SLCD"', ""))
    assert study.run(source, out=tmp_path / "out").status.count("ok") == 8
    source.write_text(TINY)
    done = study.run(source, out=tmp_path / "out")
    assert (done.skipped, done.status.count("ok")) == (8, 28)
    ids = {row["run_id"] for row in Records(whole).read("runs")}
    assert {row["run_id"] for row in Records(tmp_path / "out").read("runs")} == ids


def test_two_runners_on_one_folder_share_the_work(whole, source, tmp_path):
    """Each in a process of its own, at the same time: every program is carried out once."""
    code = "import sys; from coopgym.cli import main; main()"
    command = [sys.executable, "-c", code, "study", "run", str(source), "--out", str(tmp_path / "out")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(2)]
    told = [process.communicate()[1].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    programs = [line for lines in told for line in lines if " runs " in line]
    assert len(programs) == 6 and all(
        " runs " in line or line.startswith(("waiting: ", "progress: ")) for lines in told for line in lines
    )
    assert values(tmp_path / "out") == values(whole)
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 6


def test_a_runner_waits_for_what_another_holds(whole, source, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "PAUSE", 0.05)
    waited, held = threading.Event(), {}

    class Patient(Watcher):
        def waiting(self, programs, holders):
            held["programs"] = len(programs)
            waited.set()

    def hold():
        with claims.claim(Records(tmp_path / "out").store, part) as mine:
            assert mine
            held["begun"].set()
            assert waited.wait(60.0)

    (part, *_) = (path.stem for path in (whole / "runs").iterdir())
    held["begun"] = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    assert held["begun"].wait(10.0)
    done = study.run(source, out=tmp_path / "out", watcher=Patient())
    other.join()
    assert held["programs"] == 1 and done.status.count("ok") == 28


def test_a_failure_is_a_record_and_is_tried_again(whole, source, tmp_path, monkeypatch):
    train = program.train

    def fragile(algorithm, *args, **kwargs):
        if algorithm == "IA2C":
            raise MemoryError("no room")
        return train(algorithm, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(program, "train", fragile)
        done = study.run(source, out=tmp_path / "out")
    assert len(done.failures) == 2 and "IA2C on SLCD-v1 (private" in "".join(done.failures)
    assert (done.status.count("ok"), done.status.count("failed")) == (16, 12)
    rows = [row for row in Records(tmp_path / "out").read("runs") if row["status"] == "failed"]
    assert {(row["algorithm"], row["reason"], row["kind"]) for row in rows} == {
        ("IA2C", "MemoryError: no room", "learner")
    }
    assert all(row["welfare"] is None and row["created"] for row in rows)
    told = CliRunner().invoke(app, ["study", "status", str(tmp_path / "out")])
    assert "failed: IA2C on SLCD-v1: MemoryError: no room" in told.stdout
    again = study.run(source, out=tmp_path / "out")
    assert (again.failures, again.status.count("ok"), again.status.count("failed")) == ([], 28, 0)
    assert values(tmp_path / "out") == values(whole)
    assert not list((tmp_path / "out" / "runs").glob("*.failed.parquet"))


def harm_part(folder, table):
    """One bit among the values of the column that takes most room; the rest says where they are."""
    path = sorted((folder / table).glob("*.parquet"))[0]
    group = pq.ParquetFile(path).metadata.row_group(0)
    column = max((group.column(i) for i in range(group.num_columns)), key=lambda c: c.total_compressed_size)
    data = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start + column.total_compressed_size - 3] ^= 1
    path.write_bytes(data)
    return path.name


def harm_policy(folder, table):
    path = sorted((folder / table).glob("*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    return path.name


@pytest.mark.parametrize(("table", "harm"), [("runs", harm_part), ("curves", harm_part), ("policies", harm_policy)])
def test_a_damaged_file_is_named_and_its_runs_are_done_again(whole, source, tmp_path, table, harm):
    study.run(source, out=tmp_path / "out")
    name = harm(tmp_path / "out", table)
    with pytest.warns(RuntimeWarning, match="its runs will be done again") as told:
        done = study.run(source, out=tmp_path / "out")
    assert name in "".join(str(each.message) for each in told)
    assert done.skipped < 28 and done.status.count("ok") == 28
    assert values(tmp_path / "out") == values(whole)


def test_a_place_that_cannot_be_written_is_named_before_anything_is_trained(source, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "train", None)
    with pytest.raises(OSError, match=r"out='/proc/coopgym' cannot be written .* name another folder"):
        study.run(source, out="/proc/coopgym")
    (tmp_path / "taken").write_text("")
    with pytest.raises(ValueError, match="is a file; give the name of a folder"):
        study.run(source, out=tmp_path / "taken")


def test_a_full_disk_ends_the_study_and_corrupts_nothing(whole, source, tmp_path):
    """The kernel refuses to let any file grow beyond a size that policies of learners exceed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
        with pytest.raises(OSError, match=r"could not be written to .*File too large"), pytest.warns(RuntimeWarning):
            study.run(source, out=tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert not list((tmp_path / "out").rglob("*.tmp")) and not list((tmp_path / "out" / "runs").glob("*"))
    assert not (tmp_path / "out" / claims.FOLDER).exists()
    assert study.run(source, out=tmp_path / "out").status.count("ok") == 28
    assert values(tmp_path / "out") == values(whole)


def test_records_behind_a_url_are_the_same(whole, source):
    url = f"memory://{uuid.uuid4().hex}/study"
    done = study.run(source, out=url)
    assert (done.status.count("ok"), done.failures) == (28, [])
    assert values(url) == values(whole)
    assert study.run(source, out=url).skipped == 28


def test_sigkill_at_random_instants_loses_nothing(whole, source, tmp_path):
    """Two kills of a two-worker study and all its processes; ``benchmarks/kills.py`` does twenty."""
    code = "from coopgym.cli import main; main()"
    command = [sys.executable, "-c", code, "study", "run", str(source), "--workers", "2", "--out", str(tmp_path / "o")]
    for _ in range(2):
        before = len(list((tmp_path / "o").rglob("*.parquet")))
        with subprocess.Popen(
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        ) as p:
            while p.poll() is None and len(list((tmp_path / "o").rglob("*.parquet"))) == before:
                time.sleep(0.01)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)
    study.run(source, out=tmp_path / "o")
    assert values(tmp_path / "o") == values(whole)
    assert not (tmp_path / "o" / claims.FOLDER).exists() and not list((tmp_path / "o").rglob("*.tmp"))


def test_the_command_prints_plans_progress_and_status(source, tmp_path):
    def call(*arguments):
        return CliRunner().invoke(app, ["study", *map(str, arguments)])

    plan = call("run", source, "--dry-run", "--out", tmp_path / "out")
    assert plan.exit_code == 0, plan.output
    assert "28 runs in 8 cells, 0 of them there already; about" in plan.stdout
    assert "excluded: MeanFieldAC on 2 games: it has 2 agents" in plan.stdout
    assert not (tmp_path / "out").exists()
    done = call("run", source, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["ok"] == 28
    assert "IPPO SLCD-v1 6 runs" in done.stderr
    assert json.loads(call("status", tmp_path / "out", "--json").stdout)["left"] == 0.0
    assert "28 planned, 28 ok" in call("status", tmp_path / "out").stdout
    missing = call("status", tmp_path)
    assert missing.exit_code == 2 and "there is no study in" in missing.stderr


def test_an_engine_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="engine='slurm' is not known; choose one of local, ray"):
        engine("slurm")
