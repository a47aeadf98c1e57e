"""The command line: examples in every help, JSON alone where asked, one line for an error, and honest exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app

COMMANDS = ("list", "show", "solve", "train", "evaluate", "landscape", "validate", "ablate", "audit")


def call(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def process(*arguments, code="from coopgym.cli import main; main()"):
    """The command in a process of its own, away from a terminal."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "run"
    told = call("train", "IPPO", "AppleAppStore-v1", "--steps", 1, "--modes", "private,integrated:0.5", "--out", folder)
    assert told.exit_code == 0, told.output
    assert "integrated(0.5)" in told.stdout
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example_that_names_the_command(command):
    told = call(command, "--help")
    assert told.exit_code == 0
    assert f"Example: coopgym {command}" in told.stdout
    assert "Example: coopgym ablate" in call("--help").stdout


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_the_help_says_that_an_interrupted_command_goes_on(command):
    text = " ".join(call(command, "--help").stdout.split())
    assert "fter an interrupt, the same command goes on where it stopped, inside a run too." in text


def test_version():
    assert call("--version").stdout == f"coopgym {coopgym.__version__}\n"


def test_list_names_every_game_with_its_size():
    told = call("list")
    rows = [line.split() for line in told.stdout.splitlines() if "-v1" in line]
    assert [row[0] for row in rows] == coopgym.list_games()
    for row in rows:
        game = coopgym.game(row[0])
        assert (row[1], row[-2], row[-1]) == (f"TR-{game.report}", str(game.n), str(game.horizon))


def test_list_as_json():
    told = call("list", "--report", 3, "--version", "v0", "--json")
    assert [row["id"] for row in json.loads(told.stdout)] == coopgym.list_games(3, "v0")


def test_solve_prints_answers_refusals_and_a_picture(tmp_path):
    told = call("solve", "SLCD-v1", "--concept", "nash,coopetitive", "--mode", "private", "--plot", tmp_path / "s.png")
    assert told.exit_code == 0, told.output
    assert "nash" in told.stdout and "certified" in told.stdout and (tmp_path / "s.png").is_file()
    nash = json.loads(call("solve", "SLCD-v1", "--concept", "nash", "--json").stdout)["solutions"][0]
    assert nash["actions"] == coopgym.solve("SLCD-v1", "nash").actions.tolist()


def test_landscape_prints_the_audits_and_saves_a_picture(tmp_path):
    told = call("landscape", "SLCD-v0", "--agents", "roles", "--own-rates", "--plot", tmp_path / "l.png")
    assert told.exit_code == 0, told.output
    assert "best 35%" in told.stdout and "late defection to zero: samsung_0 immune, sony_1 immune" in told.stdout
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")
    plain = json.loads(call("landscape", "SLCD-v0", "--json").stdout)
    assert plain["summary"]["exploitative_levels"] == [2] and len(plain["rows"]) == 21 + 4 + 14 + 2 * (1 + 2 * 13)


def test_landscape_of_an_agent_that_is_not_there():
    told = process("landscape", "SLCD-v0", "--agents", "sony_2")
    assert (told.returncode, told.stdout) == (2, "") and "did you mean 'sony_1'?" in told.stderr


def test_solve_says_why_there_is_no_answer():
    told = process("solve", "SLCD-v1", "--concept", "loyalty")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == (
        "error: 'loyalty' has no answer for SLCD-v1: it is of TR-1, and the concept belongs to TR-3; "
        "ask for 'coopetitive'\n"
    )
    told = process("solve", "SLCD-v1", "--concept", "nahs")
    assert told.returncode == 2 and "nash" in told.stderr


def test_show_prints_the_numbers_of_the_game():
    told = call("show", "AppleAppStore-v1")
    game = coopgym.game("AppleAppStore-v1")
    for name, endowment in zip(game.agents, game.endowment, strict=True):
        assert re.search(rf"{name}\s+{endowment:g}", told.stdout)
    facts = json.loads(call("show", "AppleAppStore-v1", "--json").stdout)
    assert facts["interdependence"] == game.interdependence.tolist()
    assert facts["hash"] == game.hash


def test_train_keeps_what_evaluate_plays(trained):
    rows = json.loads(call("evaluate", trained, "--episodes", 2, "--json").stdout)
    assert [(row["reward_mode"], row["seed"]) for row in rows] == [("private", 0), ("integrated(0.5)", 0)]
    assert all(row["welfare"] == pytest.approx(sum(row["payoff"])) for row in rows)
    assert "IPPO AppleAppStore-v1" in call("evaluate", trained).stdout


def test_training_again_skips_and_reports_the_same(trained):
    arguments = ("train", "IPPO", "AppleAppStore-v1", "--steps", 1, "--modes", "private", "--out", trained, "--json")
    rows = json.loads(call(*arguments).stdout)
    assert [row["reward_mode"] for row in rows] == ["private"]


def test_ablate_prints_a_table_and_saves_a_plot(tmp_path):
    told = call("ablate", "AppleAppStore-v1", "--seeds", 1, "--steps", 1, "--out", tmp_path, "--workers", 1)
    assert told.exit_code == 0, told.output
    assert "Best constant policy" in told.stdout
    assert (tmp_path / "ablation.png").read_bytes()[:4] == b"\x89PNG"
    again = call("ablate", "AppleAppStore-v1", "--seeds", 1, "--steps", 1, "--out", tmp_path, "--json")
    found = json.loads(again.stdout)
    assert (found["runs"], found["skipped"], found["failures"]) == (6, 6, [])
    assert [line["algorithm"] for line in found["lines"]] == ["IPPO"] * 3 + ["MAPPO"] * 3
    assert found["lines"][0]["welfare"]["low"] is None  # one seed has no interval


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "TrustDilema-v1"], "unknown game 'TrustDilema-v1'; did you mean 'TrustDilemma-v1'?"),
        (["list", "--report", "7"], "report=7 is out of range; give a whole number in [1, 4]"),
        (["train", "IPOP", "SLCD-v1"], "unknown algorithm 'IPOP'; did you mean 'IPPO'?"),
        (["train", "TitForTat", "SLCD-v1"], "is a heuristic, not a learner"),
        (["ablate", "SLCD-v1", "--modes", "selfish"], "reward_mode='selfish' is not known"),
        (["ablate", "SLCD-v1", "--modes", "integrated:x"], "mutuality='x' is not a number"),
        (["evaluate", "no/such/folder"], "there is no trained policy in 'no/such/folder'"),
    ],
)
def test_a_wrong_value_is_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = call(*arguments)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 1
    assert message in told.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["train"], ["list", "--nope"], ["ablate", "SLCD-v1", "--seeds", "0"], ["nope"]])
def test_wrong_usage_is_exit_code_2_without_a_traceback(arguments):
    told = process(*arguments)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "Traceback" not in told.stderr


def test_failed_work_is_exit_code_1(tmp_path, monkeypatch):
    from coopgym.study import program

    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr(program, "train", fail)
    told = call("train", "IPPO", "SLCD-v1", "--out", tmp_path)
    assert told.exit_code == 1
    assert told.stderr.startswith("error: IPPO on SLCD-v1")
    assert "no room" in told.stderr


INTERRUPTED = """
import os, signal, sys
from coopgym.cli import main
from coopgym.study.engines import local
run_jobs = local.run_jobs
def interrupt(index, news):
    os.kill(os.getpid(), signal.SIGINT)  # a real one, once training is under way
local.run_jobs = lambda *args, on_news, **kwargs: run_jobs(*args, on_news=interrupt, **kwargs)
main()
"""


def test_ctrl_c_is_a_sentence_and_exit_code_130(tmp_path):
    told = process("ablate", "SLCD-v1", "--workers", "2", "--out", str(tmp_path), "-q", code=INTERRUPTED)
    assert told.returncode == 130, told.stderr
    assert told.stderr.splitlines() == ["interrupted: what was finished is kept; the same command goes on from there"]
    assert told.stdout == ""


def test_without_typer_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from coopgym.cli import main; main()"
    told = process("list", code=code)
    assert told.returncode == 1
    assert told.stderr == (
        "coopgym: the module 'typer' is not installed; "
        'install the command line and the learners with: pip install "coopgym[learn]"\n'
    )


def test_without_torch_the_games_are_there_and_training_says_what_to_install():
    blocked = "import sys; sys.modules['torch'] = None; from coopgym.cli import main; main()"
    assert process("list", code=blocked).returncode == 0
    told = process("train", "IPPO", "SLCD-v1", code=blocked)
    assert told.returncode == 1
    assert 'pip install "coopgym[learn]"' in told.stderr
    assert "Traceback" not in told.stderr


def test_the_module_is_the_command():
    told = subprocess.run([sys.executable, "-m", "coopgym", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"coopgym {coopgym.__version__}\n"
