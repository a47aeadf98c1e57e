"""Commands change nothing but what they have written themselves, and those that read change nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from coopgym.algorithms import checkpoint
from coopgym.cli.commands import app
from coopgym.files import output_path
from coopgym.study import claims, runner, study, unfinished
from coopgym.study.ablation import run_ablation
from coopgym.study.records import Records
from coopgym.study.store import Folder, Remote
from coopgym.study.watcher import Watcher

np = pytest.importorskip("numpy")
TEXT = """
name = "small"
games = ["TrustDilemma"]
algorithms = ["IPPO", "TitForTat"]
seeds = 2
reward_modes = ["private", "cooperative"]
[budget]
steps = 200
[hyperparameters.all]
hidden = [4]
"""
PART = "0123456789abcdef01234567"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of a study, and the file that it came from."""
    place = tmp_path_factory.mktemp("whole")
    (place / "small.toml").write_text(TEXT)
    study.run(place / "small.toml", out=place / "out", workers=1)
    return place


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of it."""
    return shutil.copytree(whole / "out", tmp_path / "out")


def listing(place):
    """Everything about every file and folder that a command could have changed."""
    found = {}
    for path in [place, *sorted(place.rglob("*"))]:
        about = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(place))] = (about.st_ino, about.st_mtime_ns, about.st_mode, content)
    return found


def told(*arguments):
    """What a command answers; warnings go to stderr, as they do in a terminal."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def reading(folder, elsewhere):
    """Every command that reads a study's folder."""
    yield "study", "status", folder
    yield "study", "analyze", folder
    yield "study", "analyze", folder, "--out", elsewhere / "analysis"
    yield "study", "run", folder / "study.toml", "--out", folder, "--dry-run"
    yield "evaluate", folder, "--episodes", 1
    yield "audit", folder
    yield "audit", folder, "--out", elsewhere / "audits"
    yield "report", folder
    yield "report", folder, "--out", elsewhere / "page.html"
    yield "study", "card", folder
    yield "study", "card", folder, "--out", elsewhere / "data"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("state", ["whole", "damaged", "read only"])
def test_commands_that_read_change_nothing(folder, tmp_path, monkeypatch, state):
    pytest.importorskip("mlcroissant")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    Folder(folder).create(f"claims/{PART}.000000.json", json.dumps({"place": ["x"], "pid": 1, "started": "1"}).encode())
    if state == "damaged":
        for table in ("runs", "curves"):
            path = sorted((folder / table).iterdir())[0]
            path.write_bytes(path.read_bytes()[:-30])
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / f"{PART}.safetensors").write_bytes(b"cut off")
    if state == "read only":
        for path in [*folder.rglob("*"), folder]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)  # root may write anyway
    before = listing(folder)
    for command in reading(folder, elsewhere):
        done = told(*command)
        assert done.exit_code == 0 or (state == "damaged" and done.exit_code == 2), (command, done.output)
        assert done.exit_code == 0 or done.stderr.splitlines()[-1].startswith("error: ")
        after = listing(folder)
        assert after == before, command
        before = listing(folder)
    made = {"page.html", "data", "small-data", "out-report.html", "audits"}
    assert made <= set(os.listdir(elsewhere)) and (state == "damaged" or (elsewhere / "analysis").is_dir())


def refuse(*_, **__):
    raise PermissionError("not yours")


def test_what_cannot_be_read_is_an_error_and_not_damage(folder, monkeypatch):
    before, read = listing(folder), Folder.read

    def closed(self, name):
        if name.startswith("runs/"):
            raise PermissionError(13, "Permission denied", name)
        return read(self, name)

    monkeypatch.setattr(Folder, "read", closed)
    for command in (
        ("study", "status", folder),
        ("report", folder),
        ("study", "run", folder / "study.toml", "--out", folder),
    ):
        done = told(*command)
        assert done.exit_code == 1 and "Permission denied" in done.stderr, done.output
    assert listing(folder) == before


def test_a_folder_that_may_not_be_listed_is_not_an_empty_one(folder, monkeypatch):
    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError):
        study.status(folder)


@pytest.mark.parametrize(("name", "text", "refused"), [
    ("study.toml", TEXT.replace('"small"', '"other"'), True), ("study.yaml", "name: other\n", True),
    ("study.yml", "notes of mine", True), ("study.toml", TEXT.replace("seeds = 2", "seeds = 1"), False),
])  # fmt: skip
def test_the_file_of_another_study_is_neither_replaced_nor_removed(whole, tmp_path, name, text, refused):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text(text)
    before = listing(out)
    for command in (["--dry-run"], []):
        done = told("study", "run", whole / "small.toml", "--out", out, "--workers", 1, *command)
        if refused:
            assert done.exit_code == 2 and f"{out}/{name}" in done.stderr and "small.toml" in done.stderr
            assert listing(out) == before
    if not refused:
        assert done.exit_code == 0, done.output
        assert (out / "study.toml.earlier").read_text() == text and (out / "study.toml").read_text() == TEXT
        assert "kept as study.toml.earlier" in done.stderr


def test_files_of_others_in_the_folder_of_records_stay(tmp_path, monkeypatch):
    """A model under the name of a checkpoint, an older .aside, tables of somebody else, half-written files."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "checkpoints/notes.aside",
        "checkpoints/llama.aside",
        "runs/.notes.tmp",
        "policies/.x.tmp",
        "plan.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    (tmp_path / "runs" / "notes.parquet").write_text("not Parquet")
    (tmp_path / "runs" / "sales.failed.parquet").write_text("not Parquet")
    save_file({"x": np.zeros(3)}, tmp_path / "checkpoints" / "llama.safetensors")
    save_file({"x": np.zeros(3)}, tmp_path / "checkpoints" / f"{'ab' * 12}.safetensors", {"format": "other"})
    kept = {name: about for name, about in listing(tmp_path).items() if about[-1] is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = told(
            "train", "IPPO", "TrustDilemma-v1", "--steps", 200, "--seeds", 1, "--modes", "private", "--out", "."
        )
    assert done.exit_code == 0, done.output
    there = listing(tmp_path)
    aside = f"checkpoints/{'ab' * 12}"  # it has a name that we give, so its place is needed perhaps: another free name
    for name, about in kept.items():
        found = there.get(name) or there[f"{aside}.aside"]
        assert found[0] == about[0] and found[-1] == about[-1], name


def test_a_checkpoint_that_may_not_be_read_is_left_alone(tmp_path, monkeypatch):
    place = unfinished.place(tmp_path, ["a"])
    place.parent.mkdir()
    place.write_text("anything")
    monkeypatch.setattr(checkpoint, "safe_open", refuse)
    with pytest.warns(RuntimeWarning, match="is left alone: it cannot be read"):
        assert unfinished.begun(tmp_path, ["a"], ["a"]) == []
    assert place.read_text() == "anything"


@pytest.mark.parametrize("out", ["", "s3:/bucket/x", "gs:/x", "s3:x", "S3:x", "memory:x", "Gs:/x"])
def test_an_output_is_a_path_or_a_url_and_never_a_folder_that_is_named_like_one(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    for command in (
        ("train", "IPPO", "TrustDilemma-v1", "--steps", 100, "--seeds", 1), ("ablate", "TrustDilemma-v1", "--seeds", 1)
    ):  # fmt: skip
        done = told(*command, "--out", out)
        assert done.exit_code == 2 and (f"out={out!r}" in done.stderr or "it is empty" in done.stderr), done.output
    with pytest.raises(ValueError, match="out="):
        run_ablation("TrustDilemma-v1", ["TitForTat"], out=out)
    assert os.listdir() == []


def test_a_url_takes_the_records_of_a_training(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = told(
        "train",
        "IPPO",
        "TrustDilemma-v1",
        "--steps",
        100,
        "--seeds",
        1,
        "--modes",
        "private",
        "--out",
        f"local://{tmp_path}/there/x",
    )
    assert done.exit_code == 0, done.output
    assert os.listdir() == ["there"] and len(Records(tmp_path / "there" / "x").read("runs")) == 1


@pytest.mark.parametrize("out", ["memory://r17/x", "simplecache::memory://x"])
def test_no_command_keeps_records_in_the_memory_of_its_process(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    text = 'name = "x"\ngames = "SLCD"\nalgorithms = "TitForTat"\n'
    (tmp_path / "plain.toml").write_text(text)
    (tmp_path / "own.toml").write_text(f"{text}out = {out!r}\n")
    for command in (
        ("train", "IPPO", "TrustDilemma-v1", "--out", out),
        ("ablate", "TrustDilemma-v1", "--out", out),
        ("study", "run", "plain.toml", "--out", out),
        ("study", "run", "own.toml"),
        ("audit", "runs/x", "--out", out),
    ):
        done = told(*command)
        said = " ".join(done.stderr.replace("│", " ").split())  # of the frame around it
        assert done.exit_code == 2 and "is the memory of this process, and what" in said, done.output
    assert sorted(os.listdir()) == ["own.toml", "plain.toml"]


def test_a_colon_alone_makes_no_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert output_path("run:1") == Path("run:1") and output_path("./s3:x") == Path("s3:x")
    done = told("solve", "SLCD-v1", "--concept", "nash", "--plot", "s3:x.png")
    said = " ".join(done.stderr.replace("│", " ").split())
    assert done.exit_code == 2 and "begins like a URL and is none" in said, done.output


def test_what_a_url_needs_here_is_in_a_private_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    victim = tmp_path / "victim"
    victim.mkdir()
    place = Remote("memory://x").local
    assert stat.S_IMODE(place.stat().st_mode) == 0o700 and place.is_relative_to(tmp_path / "tmp")
    place.rmdir()
    place.symlink_to(victim)
    with pytest.raises(OSError, match="is not a folder of this user"):
        unfinished.place(Remote("memory://x").local, ["a"])
    assert os.listdir(victim) == []


@pytest.mark.parametrize("content", [
    b"", b"[]", b"7", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000, b'{"place": 3, "pid": 1, "started": "x"}',
    b'{"place": ["x"], "pid": "../../etc", "started": "x"}', b'{"place": [], "pid": 1e400, "started": null}',
])  # fmt: skip
def test_malformed_claims_are_void_after_a_while(tmp_path, monkeypatch, content):
    place = Folder(tmp_path)
    place.create("claims/a.000000.json", content)
    place.create("claims/notes.json", content)
    place.create("claims/a.x.json", content)
    with claims.claim(place, "a") as mine:
        assert not mine
    assert claims.holder(place, ["a"]) == "somebody"
    monkeypatch.setattr(claims, "BEAT", -1.0)
    with claims.claim(place, "a") as mine:
        assert mine
    assert not claims.sweep(place) or True
    assert sorted(os.listdir(tmp_path / "claims")) == ["a.x.json", "notes.json"]


def test_a_file_in_the_place_of_the_claims_ends_in_a_sentence(whole, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "claims").write_text("mine")
    done = told("study", "run", whole / "small.toml", "--out", tmp_path / "out", "--workers", 1)
    assert done.exit_code in (1, 2) and "claims' is a file" in done.stderr, done.output
    assert (tmp_path / "out" / "claims").read_text() == "mine"


def test_a_runner_that_waits_says_for_whom(folder, whole, monkeypatch):
    monkeypatch.setattr(runner, "PAUSE", 0.01)
    (part, *_) = sorted((folder / "runs").glob("*.parquet"))
    part.unlink()
    heard = []

    class Listener(Watcher):
        def waiting(self, programs, holders):
            heard.append((len(programs), holders))
            monkeypatch.setattr(claims, "SILENCE", -1.0)

    about = {"place": ["another machine"], "pid": 77, "started": "x"}
    Folder(folder).create(f"claims/{part.stem}.000000.json", json.dumps(about).encode())
    done = study.run(whole / "small.toml", out=folder, workers=1, watcher=Listener())
    assert heard == [(1, ["process 77 on another machine"])] and done.status.count("missing") == 0


@pytest.mark.skipif(os.name != "posix", reason="umask")
def test_files_of_a_run_have_the_modes_of_the_umask(tmp_path):
    code = "import os, sys; os.umask(0o027); from coopgym.cli import main; main(sys.argv[1:])"
    command = ["ablate", "TrustDilemma-v1", "--algorithms", "IPPO", "--steps", "100", "--seeds", "1", "--out", "out"]
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--modes", "private", "--workers", "1"], cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert modes == {0o640}
