"""A run that is interrupted and goes on ends exactly as one that is not; a checkpoint that does not fit is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import torch as files

import coopgym
from coopgym.algorithms import checkpoint, registry, training
from coopgym.algorithms.checkpoint import CheckpointError
from coopgym.algorithms.interrupts import patience
from coopgym.algorithms.ippo import IPPO
from coopgym.algorithms.learner import Problem

GAMES = ("TrustDilemma-v1", "AppleAppStore-v1")
# small, but the ring of replay comes round, critics are updated, and evaluations are due before and after the break
SMALL = {
    "lanes": 4, "hidden": (8,), "warmup": 160, "batch": 16, "replay_steps": 150, "minibatches": 2, "epochs": 2,
}  # fmt: skip
IDENTITY = {"seeds": [0, 1], "reward_modes": ["private", "cooperative"], "evaluations": 3, "device": "cpu"}


class StopError(Exception):
    pass


def program(name, game=None, iterations=6, **options):
    """Arguments of ``train`` for a program of so many iterations."""
    entry = registry.algorithm(name, "learner")
    playable = [g for g in GAMES if entry.limit(coopgym.game(g)) is None]
    game = game or playable[0]
    own = {field.name for field in dataclasses.fields(entry.settings)}
    options = {"max_steps": 16, **{k: v for k, v in SMALL.items() if k in own}, **options}
    settings = entry.settings(**{k: v for k, v in options.items() if k in own})
    made = coopgym.game(game, **{k: v for k, v in options.items() if k not in own})
    problem = Problem(
        made, (coopgym.RewardMode("private"),), (0,), made.default_observability, torch.device("cpu")
    )  # one replica, only to ask how long an iteration is
    steps = iterations * entry.build(problem, settings).steps_per_iteration
    return {"algorithm": name, "game": game, "total_steps": steps, **IDENTITY, **options}


def stop_at(iteration, error=StopError):
    def told(state):
        if state.iteration == iteration and not state.resumed:
            raise error

    return told


def train(arguments, path=None, **more):
    return coopgym.train(**{**arguments, "checkpoint": path, "checkpoint_seconds": 1e9, **more})


def contents(path):
    """Every bit of a checkpoint that says what the run is, without the time it took."""
    about, learner, tensors = checkpoint.read(path)
    bits = {name: (x.dtype, tuple(x.shape), x.numpy().tobytes()) for name, x in tensors.items()}
    return about["iteration"], about["welfare"], learner, bits


def outcome(result):
    """Records and curves without time and place."""
    timed = ("seconds", "program_seconds", "env_steps_per_second", "created")
    rows = [{k: v for k, v in run.row().items() if k not in timed} for run in result.runs]
    return json.dumps([rows, list(result.curves)]), [policy.theta.numpy().tobytes() for policy in result.policies]


def interrupted(arguments, folder, at=3, error=StopError, **more):
    """(result, contents) of the program stopped once and called again, both with the same arguments."""
    path = folder / "run.safetensors"
    seconds = 1e9 if error is KeyboardInterrupt else 0.0
    with pytest.raises(error):
        train(arguments, path, progress=stop_at(at, error), checkpoint_seconds=seconds, **more)
    assert checkpoint.describe(path)["iteration"] == at
    states = []
    result = train(arguments, path, progress=states.append, **more)
    assert [(s.iteration, s.resumed) for s in states] == [(i, at) for i in range(at, states[0].iterations + 1)]
    return result, contents(path)


def uninterrupted(arguments, folder):
    result = train(arguments, folder / "whole.safetensors")
    return result, contents(folder / "whole.safetensors")


def assert_same_end(arguments, folder, **how):
    one, whole = uninterrupted(arguments, folder)
    two, parts = interrupted(arguments, folder, **how)
    assert whole[:3] == parts[:3]
    assert [name for name in whole[3] if whole[3][name] != parts[3].get(name)] == []
    assert outcome(one) == outcome(two)
    return two


@pytest.mark.parametrize("name", coopgym.list_algorithms("learner"))
def test_every_learner_goes_on_to_the_same_end(name, tmp_path):
    assert_same_end(program(name), tmp_path)


@pytest.mark.parametrize(("name", "at"), [("IPPO", 1), ("IPPO", 5), ("MADDPG", 4)])
def test_a_game_with_chance_too_at_any_point(name, at, tmp_path):
    assert_same_end(program(name, "SynergySearch-v1"), tmp_path, at=at)


def test_in_the_middle_of_an_episode_and_from_ctrl_c(tmp_path):
    assert_same_end(program("MAPPO", rollout_steps=10), tmp_path, error=KeyboardInterrupt)


def test_divergence_is_remembered(tmp_path, monkeypatch):
    """A replica that meets a number that is not finite before the break stays frozen after it."""
    play = IPPO.play

    def poisoned(self, progress):
        rollout = play(self, progress)
        if self.updates == 4:  # the second iteration
            rollout = rollout._replace(rewards=rollout.rewards.clone())
            rollout.rewards[0, 0, 0, 0] = torch.nan
        return rollout

    monkeypatch.setattr(IPPO, "play", poisoned)
    result = assert_same_end(program("IPPO"), tmp_path)
    assert [run.status for run in result.runs] == ["diverged", "ok", "ok", "ok"]
    assert result.runs[0].diverged_at == 4


def test_time_adds_up_and_curves_have_no_gap(tmp_path):
    arguments = program("IPPO")
    path = tmp_path / "run.safetensors"
    with pytest.raises(StopError):
        train(arguments, path, progress=stop_at(3), checkpoint_seconds=0.0)
    before = checkpoint.describe(path)["seconds"]
    result = train(arguments, path)
    assert result.seconds > before > 0.0
    assert result.env_steps_per_second == pytest.approx(4 * arguments["total_steps"] / result.seconds)
    size = arguments["total_steps"] // 6
    curve = next(row for row in result.curves if row["metric"] == "welfare_train")
    assert curve["env_steps"] == [size * i for i in range(1, 7)]
    curve = next(row for row in result.curves if row["metric"] == "welfare_eval")
    assert curve["env_steps"] == [size * i for i in (2, 4, 6)]


def test_a_finished_run_is_not_trained_again(tmp_path, monkeypatch):
    arguments = program("IPPO", iterations=2)
    first = train(arguments, tmp_path / "run.safetensors")
    monkeypatch.setattr(training, "_iterate", None)  # would fail if it were called
    states = []
    again = train(arguments, tmp_path / "run.safetensors", progress=states.append)
    assert outcome(again) == outcome(first) and again.seconds == first.seconds
    assert [(s.iteration, s.iterations) for s in states] == [(2, 2)]


def test_the_line_of_progress_says_where_it_went_on(tmp_path, capsys):
    arguments = program("IPPO", iterations=4)
    with pytest.raises(StopError):
        train(arguments, tmp_path / "run.safetensors", progress=stop_at(2), checkpoint_seconds=0.0)
    train(arguments, tmp_path / "run.safetensors", progress=True)
    assert f"s, went on from {arguments['total_steps'] // 2:,}" in capsys.readouterr().err


class Clock:
    """Every look at it takes 10 seconds; so a writing, between two looks, does too."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 10.0
        return self.now


@pytest.mark.parametrize(("every", "share", "count"), [(0.0, 1.0, 40), (100.0, 1.0, 4), (100.0, 0.05, 3)])
def test_it_is_written_when_it_is_time_and_not_too_often(tmp_path, monkeypatch, every, share, count):
    written = []
    atomic_path = checkpoint.atomic_path
    monkeypatch.setattr(checkpoint, "atomic_path", lambda path: written.append(path) or atomic_path(path))
    monkeypatch.setattr(checkpoint, "time", Clock())
    monkeypatch.setattr(checkpoint, "SHARE", share)
    train(program("IndependentREINFORCE", iterations=40), tmp_path / "run.safetensors", checkpoint_seconds=every)
    assert len(written) == count
    assert [x.name for x in tmp_path.iterdir()] == ["run.safetensors"]


def test_the_file_is_plain_safetensors(half, tmp_path):
    _, data = half
    assert {name.split("/")[0] for name in files.load(data)} == {"learner", "curves"}


# --- interrupts ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="umask")
def test_its_mode_follows_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        train(program("IPPO", iterations=1), tmp_path / "run.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "run.safetensors").stat().st_mode & 0o777 == 0o644


def test_ctrl_c_inside_an_iteration_takes_effect_after_it(tmp_path, monkeypatch):
    arguments, path = program("IPPO"), tmp_path / "run.safetensors"
    play, calls = IPPO.play, []

    def hit(self, progress):
        calls.append(None)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return play(self, progress)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(IPPO, "play", hit)
        train(arguments, path)
    assert checkpoint.describe(path)["iteration"] == 3
    assert outcome(train(arguments, path)) == outcome(train(arguments))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait_and_keeps_nothing_that_is_not_whole(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    calls = []

    def hit(self, progress):
        calls.append(None)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("went on")

    monkeypatch.setattr(IPPO, "play", hit)
    with pytest.raises(KeyboardInterrupt):
        train(program("IPPO"), path)
    assert len(calls) == 1 and not path.exists()


def test_patience_leaves_other_handlers_alone():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with patience():
            os.kill(os.getpid(), signal.SIGINT)
            assert heard == [1]
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(KeyboardInterrupt), patience():
        os.kill(os.getpid(), signal.SIGINT)
        heard.append(2)
    assert heard == [1, 2]


KILLED = """
import json, sys, coopgym
arguments, path = json.loads(sys.argv[1]), sys.argv[2]
result = coopgym.train(**arguments, checkpoint=path, checkpoint_seconds=0.0)
"""


def test_kill_minus_nine_at_any_point_and_the_same_command(tmp_path):
    """A process is killed wherever it happens to be, in the middle of a writing perhaps, until one gets to the end."""
    arguments = program("IPPO", iterations=16)
    path = tmp_path / "run.safetensors"
    command = [sys.executable, "-c", KILLED, json.dumps(arguments), str(path)]
    reached = [0]
    while len(reached) < 3:
        with subprocess.Popen(command) as process:
            goal = reached[-1] + 3
            while process.poll() is None and (not path.exists() or checkpoint.describe(path)["iteration"] < goal):
                time.sleep(0.003)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        checkpoint.read(path)  # whole, whatever happened
        reached.append(checkpoint.describe(path)["iteration"])
    assert 0 < reached[1] < reached[2] < 16
    assert outcome(train(arguments, path)) == outcome(train(arguments))
    assert [x.name for x in tmp_path.iterdir()] == ["run.safetensors"]  # halves of interrupted writings are gone


# --- refusals --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A program, and the bytes of its checkpoint after two of four iterations."""
    path = tmp_path_factory.mktemp("half") / "run.safetensors"
    arguments = program("IPPO", iterations=4)
    with pytest.raises(StopError):
        train(arguments, path, progress=stop_at(2), checkpoint_seconds=0.0)
    return arguments, path.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "MAPPO"}, "written with algorithm='IPPO', and this program has 'MAPPO'"),
        ({"game": "SLCD-v1"}, "written with game='TrustDilemma-v1', and this program has 'SLCD-v1'"),
        ({"max_steps": 8}, "written with game_hash="),
        ({"learning_rate": 0.01}, "written with learning_rate=0.003, and this program has 0.01"),
        ({"hidden": (8, 8)}, r"written with hidden=\[8\], and this program has \[8, 8\]"),
        ({"total_steps": 10_000}, "written with total_steps="),
        ({"seeds": [0, 2]}, r"written with seeds=\[0, 1, 0, 1\], and this program has \[0, 2, 0, 2\]"),
        ({"seeds": [1, 0]}, "written with seeds="),
        ({"reward_modes": ["private"]}, "written with reward_modes="),
        ({"observability": "full"}, "written with observability='asymmetric', and this program has 'full'"),
        ({"evaluations": 4}, "written with evaluations=3, and this program has 4"),
    ],
)
def test_another_program_does_not_go_on_from_it(half, tmp_path, change, message):
    arguments, data = half
    path = tmp_path / "run.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=message) as refused:
        train({**arguments, **change}, path)
    assert str(refused.value).startswith(f"{path} cannot be continued: it was ")
    assert str(refused.value).endswith("; delete it, or name another file")
    assert path.read_bytes() == data  # it is left as it was


@pytest.mark.parametrize("version", ["package_version", "torch_version"])
def test_another_version_does_not_go_on_from_it(half, tmp_path, monkeypatch, version):
    arguments, data = half
    path = tmp_path / "run.safetensors"
    path.write_bytes(data)
    identity = checkpoint.identity
    monkeypatch.setattr(checkpoint, "identity", lambda *arguments: {**identity(*arguments), version: "9.9"})
    with pytest.raises(CheckpointError, match=f"written with {version}="):
        train(arguments, path)


def flipped(data):
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "it is damaged, or no checkpoint"),
        (lambda data: data[:100], "it is damaged, or no checkpoint"),
        (lambda data: b"", "it is damaged, or no checkpoint"),
        (lambda data: b"not a checkpoint at all", "it is damaged, or no checkpoint"),
        (flipped, "it is damaged .its content has another checksum"),
        (lambda data: data.replace(b'\\"iteration\\":2', b'\\"iteration\\":3').replace(
            b'\\"iteration\\": 2', b'\\"iteration\\": 3'), "it is damaged .its content has another checksum"),
        (lambda data: data.replace(b"checkpoint-2", b"checkpoint-9"), "its format is 'coopgym-checkpoint-9'"),
        (lambda data: files.save({"theta": torch.zeros(2)}), "it is no checkpoint of coopgym"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused(half, tmp_path, damage, message):
    arguments, data = half
    path = tmp_path / "run.safetensors"
    path.write_bytes(damage(data))
    with pytest.raises(CheckpointError, match=message):
        train(arguments, path)
    with pytest.raises(ValueError):
        raise CheckpointError(path, message)


def test_a_learner_of_another_structure_is_refused(half, tmp_path, monkeypatch):
    """The same version, but not the same code: a class that is no longer there."""
    arguments, data = half
    path = tmp_path / "run.safetensors"
    path.write_bytes(data)
    from coopgym.algorithms import scaling

    monkeypatch.delattr(scaling, "PopArt")
    with pytest.raises(CheckpointError, match=r"popart is of a class 'coopgym\.algorithms\.scaling:PopArt'"):
        train(arguments, path)


def test_a_learner_that_cannot_be_kept_is_refused_before_it_is_trained(tmp_path, monkeypatch):
    build = IPPO.__init__

    def odd(self, *arguments):
        build(self, *arguments)
        self.stream = iter(range(3))

    monkeypatch.setattr(IPPO, "__init__", odd)
    monkeypatch.setattr(training, "_iterate", None)
    with pytest.raises(TypeError, match="stream is a range_iterator, which a checkpoint cannot hold"):
        train(program("IPPO"), tmp_path / "run.safetensors")


@pytest.mark.parametrize(
    ("path", "seconds", "message"),
    [(".", 1.0, "is a folder; give the name of a file"), ("x", -1, "checkpoint_seconds=-1")],
)
def test_bad_arguments_are_refused(tmp_path, path, seconds, message):
    with pytest.raises(ValueError, match=message):
        train(program("IPPO"), tmp_path / path, checkpoint_seconds=seconds)


def test_a_writing_that_fails_leaves_the_last_one_and_the_run_goes_on(half, tmp_path, monkeypatch):
    arguments, data = half
    path = tmp_path / "run.safetensors"
    path.write_bytes(data)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="could not be written .* No space left on device.; the run goes on"):
        result = train(arguments, path, checkpoint_seconds=0.0)
    assert outcome(result) == outcome(train(arguments))
    assert path.read_bytes() == data
    assert [x.name for x in tmp_path.iterdir()] == ["run.safetensors"]
