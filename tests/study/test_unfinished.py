"""A study that is interrupted inside a program goes on inside it, cut as it was, and cleans up after itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from coopgym.algorithms import checkpoint
from coopgym.study import unfinished
from coopgym.study.ablation import run_ablation
from coopgym.study.engines import local
from coopgym.study.records import Records
from coopgym.study.workers import Failure

TINY = {"lanes": 2, "hidden": (8,), "max_steps": 10, "rollout_steps": 10, "epochs": 1, "minibatches": 1}
STEPS = 120  # six iterations
DESIGN = {"reward_modes": ["private", "cooperative"], "seeds": 2, "steps": STEPS, "workers": 1, "device": "cpu"}


def study(folder, algorithms=("IPPO", "MAPPO"), **changes):
    return run_ablation("TrustDilemma-v1", algorithms, out=folder, **(DESIGN | TINY | changes))


def interrupt(folder, at=("MAPPO 2/2", 0.5), **changes):
    """Ctrl-C when a program has come so far."""

    def news(name, share):
        if (name, share) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study(folder, news=news, **changes)


def kept(folder):
    return sorted((folder / unfinished.FOLDER).glob("*"))


def outcome(result):
    return {
        (r["algorithm"], r["reward_mode"], r["seed"]): (r["run_id"], r["welfare"], r["rate"], r["policy_sha256"])
        for r in result.runs
    }


def shares(folder, **changes):
    """What a study reports, by program; and the study."""
    heard = {}
    result = study(folder, news=lambda name, share: heard.setdefault(name, []).append(round(share, 2)), **changes)
    return heard, result


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return study(tmp_path_factory.mktemp("whole"))


def test_two_programs_and_an_interrupt_in_the_second(whole, tmp_path):
    interrupt(tmp_path)
    assert len(Records(tmp_path).done()) == 4
    (path,) = kept(tmp_path)
    assert checkpoint.describe(path)["iteration"] == 3
    heard, result = shares(tmp_path)
    assert heard == {"MAPPO 1/1": [0.0, 0.5, 0.67, 0.83, 1.0]}
    assert (result.skipped, result.failures) == (4, [])
    assert outcome(result) == outcome(whole)  # policies to the last bit
    assert not (tmp_path / unfinished.FOLDER).exists()


def test_nothing_is_left_of_a_study_without_a_break(whole):
    assert sorted(x.name for x in whole.folder.iterdir()) == ["curves", "policies", "runs"]


def planned(monkeypatch, folder, **changes):
    """The programs that a study would train."""
    programs = []
    with monkeypatch.context() as patch:
        patch.setattr(
            local, "run_jobs", lambda task, jobs, **_: programs.extend(jobs) or [Failure(j, "") for j in jobs]
        )
        patch.setattr(Records, "fail", lambda *_: None)
        study(folder, **changes)
    return [(p.title, len(p.modes), p.seeds) for p in programs]


def test_a_program_that_was_begun_is_not_cut_again(tmp_path, monkeypatch):
    interrupt(tmp_path, ("IPPO 1/2", 0.5))
    assert planned(monkeypatch, tmp_path, workers=4) == [
        ("IPPO", 2, (0, 1)), ("MAPPO", 2, (0,)), ("MAPPO", 2, (1,)),
    ]  # fmt: skip
    more = planned(monkeypatch, tmp_path, seeds=4, reward_modes=["private", "cooperative", "integrated"])
    assert sorted(more) == [
        ("IPPO", 1, (0, 1)), ("IPPO", 2, (0, 1)), ("IPPO", 3, (2, 3)), ("MAPPO", 3, (0, 1, 2, 3)),
    ]  # fmt: skip
    assert len(kept(tmp_path)) == 1


def test_a_piece_of_a_program_goes_on_as_that_piece(whole, tmp_path, monkeypatch):
    interrupt(tmp_path, ("IPPO 1/1", 0.5), algorithms=["IPPO"], seeds=[1])
    assert planned(monkeypatch, tmp_path, algorithms=["IPPO"]) == [("IPPO", 2, (1,)), ("IPPO", 2, (0,))]
    heard, result = shares(tmp_path, algorithms=["IPPO"])
    assert heard["IPPO 1/2"][1] == 0.5 and heard["IPPO 2/2"][0] < 0.5
    assert {run["run_id"] for run in result.runs} == {r["run_id"] for r in whole.runs if r["algorithm"] == "IPPO"}


def test_a_checkpoint_of_another_design_is_left_alone(tmp_path, monkeypatch):
    interrupt(tmp_path, ("IPPO 1/2", 0.5))
    for change in ({"steps": 240}, {"algorithms": ["MAPPO"]}, {"seeds": [0]}, {"reward_modes": ["private"]}):
        assert ("IPPO", 2, (0, 1)) not in planned(monkeypatch, tmp_path, **change) or change == {"steps": 240}
        assert len(kept(tmp_path)) == 1
    heard, _ = shares(tmp_path, steps=240, algorithms=["IPPO"])
    assert heard["IPPO 1/1"][1] < 0.1
    assert len(kept(tmp_path)) == 1


def test_what_has_been_overtaken_is_deleted(tmp_path, monkeypatch):
    interrupt(tmp_path, ("IPPO 1/1", 0.5), algorithms=["IPPO"])
    study(tmp_path, algorithms=["IPPO"], seeds=[0])
    assert planned(monkeypatch, tmp_path, algorithms=["IPPO"]) == [("IPPO", 2, (1,))]
    assert kept(tmp_path) == []


def test_without_resume_everything_begins_again(tmp_path):
    interrupt(tmp_path, ("IPPO 1/1", 0.5), algorithms=["IPPO"])
    heard, _ = shares(tmp_path, algorithms=["IPPO"], resume=False)
    assert heard["IPPO 1/1"] == [0.0, 0.17, 0.33, 0.5, 0.67, 0.83, 1.0]


def test_a_checkpoint_of_another_version_is_reported_and_put_aside(whole, tmp_path, monkeypatch):
    identity = checkpoint.identity
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "identity", lambda *arguments: {**identity(*arguments), "torch_version": "1.0"})
        interrupt(tmp_path, ("IPPO 1/1", 0.5), algorithms=["IPPO"])
    (path,) = kept(tmp_path)
    with pytest.warns(RuntimeWarning, match=r"cannot be continued: it was written with torch_version='1\.0'") as told:
        result = study(tmp_path, algorithms=["IPPO"])
    aside = path.with_suffix(".aside")
    assert str(told[0].message).endswith(f"; it is now {aside.name} and its runs begin again")
    assert kept(tmp_path) == [aside]
    assert result.failures == [] and len(result.runs) == 4
    assert outcome(result).items() <= outcome(whole).items()


@pytest.mark.parametrize("damage", [lambda data: data[:200], lambda data: data[:-8] + b"12345678", lambda data: b""])
def test_a_damaged_checkpoint_is_reported_and_put_aside(whole, tmp_path, damage):
    interrupt(tmp_path, ("IPPO 1/1", 0.5), algorithms=["IPPO"])
    (path,) = kept(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(RuntimeWarning, match=f"{path.name} cannot be continued: it is damaged"):
        result = study(tmp_path, algorithms=["IPPO"])
    assert outcome(result).items() <= outcome(whole).items()
    assert [x.suffix for x in kept(tmp_path)] == [".aside"]


def test_a_kill_between_the_last_iteration_and_the_records_costs_no_training(whole, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Records, "write", killed)
        study(tmp_path, algorithms=["IPPO"])
    heard, result = shares(tmp_path, algorithms=["IPPO"])
    assert heard == {"IPPO 1/1": [0.0, 1.0]}
    assert outcome(result).items() <= outcome(whole).items()


# --- processes -------------------------------------------------------------------------------------------------

COMMAND = """
import json, os, signal, sys
from coopgym.study import ablation
seen = set()
def news(name, share):
    print(name, round(share, 2), flush=True)
    seen.update([name] if share > 0.2 else [])
    if sys.argv[2] == "interrupt" and len(seen) == 2:
        os.kill(os.getpid(), signal.SIGINT)
if __name__ == "__main__":
    try:
        ablation.run_ablation(**json.loads(sys.argv[1]), news=news)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def command(tmp_path, how, **changes):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    design = {"game": "TrustDilemma-v1", "algorithms": ["IPPO", "MAPPO"], "out": str(tmp_path / "out")}
    return [sys.executable, str(script), json.dumps(design | DESIGN | TINY | {"steps": 4000} | changes), how]


def test_ctrl_c_reaches_all_processes_and_each_keeps_what_it_has(tmp_path, monkeypatch):
    told = subprocess.run(command(tmp_path, "interrupt", workers=2), capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (130, "")
    found = [checkpoint.describe(path) for path in kept(tmp_path / "out")]
    assert {about["identity"]["algorithm"] for about in found} == {"IPPO", "MAPPO"}
    assert all(0.2 < about["iteration"] / 200 < 1.0 for about in found)
    assert sorted(planned(monkeypatch, tmp_path / "out", steps=4000)) == [("IPPO", 2, (0, 1)), ("MAPPO", 2, (0, 1))]


def test_kill_minus_nine_and_the_same_command_go_on_to_the_same_records(tmp_path):
    call = command(tmp_path, "", algorithms=["IPPO"], checkpoint_seconds=0.0, steps=1200)
    with subprocess.Popen(call, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(
            path.suffix == ".safetensors" and checkpoint.describe(path)["iteration"] > 10
            for path in kept(tmp_path / "out")
        ):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    heard, result = shares(tmp_path / "out", algorithms=["IPPO"], steps=1200)
    assert 0.1 <= heard["IPPO 1/1"][1] < 1.0
    assert outcome(result) == outcome(study(tmp_path / "whole", algorithms=["IPPO"], steps=1200))
    assert not (tmp_path / "out" / unfinished.FOLDER).exists()


def test_workers_whose_parent_is_killed_put_away_what_they_have_and_end(tmp_path):
    with subprocess.Popen(command(tmp_path, "", workers=2), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if float(line.split()[-1]) > 0.1:
                break
        process.kill()
    end = time.monotonic() + 30.0
    while not any(path.suffix == ".safetensors" for path in kept(tmp_path / "out")) and time.monotonic() < end:
        time.sleep(0.05)
    assert ".safetensors" in [path.suffix for path in kept(tmp_path / "out")]  # none was due for a minute
