"""How commands end: sentences, JSON for errors, signals, closed and broken streams, and text that comes from files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from coopgym.algorithms import interrupts
from coopgym.cli import group, parameters, terminal
from coopgym.cli.commands import app

WRONG = {  # of every command, one thing that it refuses
    "list": ["list", "--report", "9"],
    "show": ["show", "SLDC-v1"],
    "train": ["train", "IPPO", "SLDC-v1"],
    "evaluate": ["evaluate", "no/such"],
    "solve": ["solve", "SLCD-v1", "--mode", "privat"],
    "landscape": ["landscape", "SLCD-v1", "--mode", "privat"],
    "validate": ["validate", "9"],
    "ablate": ["ablate", "SLCD-v1", "--modes", "privat"],
    "audit": ["audit", "no/such"],
    "compare": ["compare", "no/such", "no/more"],
    "explore": ["explore", "SLDC-v1"],
    "picture": ["picture", "SLDC-v1"],
    "report": ["report", "no/such"],
    "study run": ["study", "run", "no/such.toml"],
    "study status": ["study", "status", "no/such"],
    "study analyze": ["study", "analyze", "no/such"],
    "study card": ["study", "card", "no/such"],
}


def call(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def every_command(commands=None, before=()):
    for name, command in (commands or group_of(app)).commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*before, name))
        else:
            yield " ".join((*before, name))


def group_of(application):
    import typer

    return typer.main.get_command(application)


def has_json(name):
    command = group_of(app)
    for word in name.split():
        command = command.commands[word]
    return any("--json" in parameter.opts for parameter in command.params)


def test_the_list_of_wrong_calls_has_every_command():
    assert set(WRONG) >= set(every_command()) - LATER


LATER: set[str] = set()


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_one_sentence_and_with_json_an_object_on_stdout(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = call(*WRONG[name])
    assert told.exit_code == 2 and told.stdout == ""
    assert told.stderr.startswith("error: ") and told.stderr.count("\n") == 1
    assert "coopgym." not in told.stderr and "()" not in told.stderr  # no Python functions
    if has_json(name):
        asked = call(*WRONG[name], "--json")
        found = json.loads(asked.stdout)["error"]
        assert asked.exit_code == found["exit_code"] == 2
        assert asked.stderr == told.stderr == f"error: {found['message']}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in WRONG if has_json(name)])
def test_wrong_usage_is_an_object_too(name):
    told = call(*name.split(), "--no-such-option", "--json")
    found = json.loads(told.stdout)["error"]
    assert told.exit_code == found["exit_code"] == 2 and "--no-such-option" in found["message"]
    assert call(*name.split(), "--no-such-option").stdout == ""


def test_work_that_failed_is_an_object_beside_what_there_is(tmp_path, monkeypatch):
    from coopgym.study import program

    monkeypatch.setattr(program, "train", lambda *_, **__: 1 / 0)
    for command in ("train IPPO SLCD-v1", "ablate SLCD-v1 --algorithms IPPO --workers 1"):
        told = call(*command.split(), "--steps", 1, "--out", tmp_path / command[:5], "--json")
        found = json.loads(told.stdout)
        assert told.exit_code == found["error"]["exit_code"] == 1
        assert "ZeroDivisionError" in found["error"]["message"] and not found["runs"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("unknown game 'x'; coopgym.list_games() names them all", "unknown game 'x'; `coopgym list` names them all"),
        ("'IPPO' is a learner; coopgym.train trains it", "'IPPO' is a learner; `coopgym train` trains it"),
        ("train it first, with coopgym.train('IPPO', 'A-v1')", "train it first, with `coopgym train IPPO A-v1`"),
        ("use `coopgym train IPPO A-v1`", "use `coopgym train IPPO A-v1`"),
    ],
)
def test_errors_name_commands(said, heard):
    assert group.commands_for(said) == heard


def test_an_unknown_learner_is_told_with_those_that_there_are():
    told = call("train", "IPOP", "SLCD-v1")
    assert "did you mean 'IPPO'? the learners are " in told.stderr and "QMIX" in told.stderr


def test_a_game_may_come_before_its_learner():
    assert parameters.in_order("IPPO", "SLCD-v1") == parameters.in_order("SLCD", "IPPO") == ("IPPO", "SLCD-v1")
    with pytest.raises(ValueError, match="unknown game 'Nobody'"):
        parameters.in_order("IPPO", "Nobody")


@pytest.mark.parametrize("modes", ["privat", "private,", "integrated:x", "integrated:2", ""])
def test_bad_modes_are_refused_before_anything_is_loaded(modes):
    code = f"import sys; from coopgym.cli import main\ntry: main(['ablate', 'SLCD-v1', '--modes', {modes!r}])\n"
    code += "finally: print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "False\n") and "error: " in told.stderr


EMPTY = [
    ["train", "IPPO", "SLCD-v1", "--out", ""],
    ["ablate", "SLCD-v1", "--out="],
    ["evaluate", ""],
    ["audit", ""],
    ["report", "x", "--out", ""],
    ["picture", "SLCD-v1", "--out", " "],
    ["solve", "SLCD-v1", "--plot", ""],
    ["study", "run", "x.toml", "--out", ""],
    ["study", "status", ""],
    ["compare", ""],
    ["compare", "a", "b", "--csv", ""],
    ["study", "card", "x", "--out", ""],
]


@pytest.mark.parametrize("arguments", EMPTY)
def test_an_empty_path_is_refused(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = call(*arguments)
    assert told.exit_code == 2 and "it is empty" in " ".join(told.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_an_unknown_kind_is_refused_before_the_work():
    told = call("solve", "ApacheProject-v1", "--plot", "x.doc")
    assert told.exit_code == 2 and "must end in .png" in " ".join(told.stderr.split())


def test_the_home_folder_is_spelled_out(monkeypatch):
    monkeypatch.setenv("HOME", "/homes/me")
    assert str(parameters.path("~/x")) == parameters.place("~/x") == "/homes/me/x"
    assert parameters.place("s3://bucket/~x") == "s3://bucket/~x"


def test_no_text_from_a_file_is_markup_or_moves_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    evil = "[red]x[/red] \x1b[31my\x1b]0;title\x07 \n z \u202e [link=http://a]b[/link] \udcff"
    table = terminal.new_table((evil, ""))
    table.add_row(evil)
    console = terminal.new_console()
    console.print(table)
    console.print(evil)
    group.say("error", evil)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "[red]x[/red]" in text and "\\x1b[31my" in text and "[link=http://a]b[/link]" in text
        assert not any(mark in text for mark in ("\x1b", "\x07", "\u202e", "\udcff"))
    assert said.out.count("\n") == 6 and said.err.count("\n") == 1  # a newline in a name is no line


@pytest.mark.parametrize(("columns", "wide"), [("0", 120), ("-5", 120), ("many", 120), ("60", 60), ("", 120)])
def test_columns_that_cannot_be_are_not_believed(columns, wide, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.new_console().width == wide
    assert "SLCD-v1" in call("list").stdout


def test_progress_away_from_a_terminal_is_a_line_now_and_then(capsys):
    with terminal.Lines(first=0.05, every=10.0) as lines:
        lines.news("IPPO 1/2", 1.0)
        lines.news("IPPO 2/2", 0.25)
        time.sleep(0.5)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("progress: 1 of 2 done; IPPO 2/2 25%; ") and line.endswith("so far")
    with terminal.progress(quiet=True) as news:
        news("anything", 0.5)
    assert capsys.readouterr().err == ""


def run(command, **options):
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False, **options)


COOPGYM = f'{sys.executable} -c "from coopgym.cli import main; main()"'


def test_a_reader_that_leaves_ends_the_command_quietly():
    told = run(f"{{ {COOPGYM} list --json; echo $? >&2; }} | head -c 1")
    assert told.stdout == "[" and told.stderr in ("0\n", "141\n")
    told = run(f"{{ sleep 0.1; {COOPGYM} list; echo $? >&2; }} | true")
    assert told.stderr == "141\n"


@pytest.mark.parametrize("arguments", ["list", "list --help", "list --nope"])
def test_no_columns_are_no_reason_to_print_nothing(arguments):
    told = run(f"{COOPGYM} {arguments}", env={**os.environ, "COLUMNS": "0"})
    assert len(told.stdout + told.stderr) > 200


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_error(redirection):
    told = run(f"{COOPGYM} list {redirection}")
    assert told.returncode == 0 and "Traceback" not in told.stdout + told.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_a_sentence():
    told = run(f"{COOPGYM} list > /dev/full")
    assert told.returncode == 1 and told.stderr.startswith("error: ") and told.stderr.count("\n") == 1


def test_a_terminal_of_another_encoding_gets_what_it_can_show():
    told = run(f"{COOPGYM} solve SLCD-v1 --concept social_optimum", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert told.returncode == 0, told.stderr


def test_sigterm_is_heard_like_ctrl_c_and_waits_for_what_is_under_way():
    done = []
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray, started by another test, leaves a handler of its own
    try:
        with pytest.raises(interrupts.Terminated), interrupts.terminable(), interrupts.patience():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("whole")
        assert done == ["whole"] and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


SLOW = """
import sys
from coopgym.algorithms import checkpoint
sent = checkpoint.Checkpoint.offer
def offer(self, *arguments):
    print("under way", file=sys.stderr, flush=True)
    sent(self, *arguments)
checkpoint.Checkpoint.offer = offer
from coopgym.cli import main
main()
"""


@pytest.mark.parametrize(("number", "code", "word"), [("SIGTERM", 143, "terminated"), ("SIGINT", 130, "interrupted")])
def test_a_lone_runner_that_is_ended_keeps_a_checkpoint(number, code, word, tmp_path):
    arguments = ["train", "IPPO", "SLCD-v1", "--modes", "private", "--steps", "1000000", "--out", str(tmp_path), "-q"]
    with subprocess.Popen([sys.executable, "-c", SLOW, *arguments], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "under way\n"
        process.send_signal(getattr(signal, number))
        said = [line for line in process.stderr if line != "under way\n"]
    assert process.returncode == code
    assert said == [f"{word}: what was finished is kept; the same command goes on from there\n"]
    assert list(tmp_path.rglob("*.safetensors"))


LOADING = """
import os, signal, sys
class CtrlC:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(CtrlC)
            os.killpg(0, signal.SIGINT)
            {wait}
if __name__ == {where!r}:
    sys.meta_path.insert(0, CtrlC)
if __name__ == "__main__":
    from coopgym.cli import main
    main()
"""


@pytest.mark.parametrize(
    ("where", "module"),
    [
        ("__main__", "gymnasium"),
        ("__main__", "coopgym.cli.group"),
        ("__main__", "torch"),
        ("__mp_main__", "coopgym.study.workers"),
        ("__mp_main__", "torch"),
    ],
)
def test_ctrl_c_while_everything_is_still_being_loaded_is_a_sentence(where, module, tmp_path):
    """Ctrl-C goes to the whole group of processes: the command and its workers, which are still importing."""
    script = tmp_path / "coopgym"
    wait = "import time; time.sleep(60.0)" if where == "__mp_main__" else ""  # the parent ends it
    script.write_text(LOADING.format(where=where, module=module, wait=wait))
    command = [sys.executable, script, "ablate", "SLCD-v1", "--workers", "2", "--out", str(tmp_path / "out"), "-q"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode in (130, -signal.SIGINT), said  # the shell calls both 130
    assert said.startswith("interrupted: ") and said.count("\n") == 1, said


def test_a_study_away_from_a_terminal_says_how_far_it_is(tmp_path):
    from coopgym.cli import study_output
    from coopgym.study import study
    from coopgym.study.program import Program

    path = tmp_path / "x.toml"
    path.write_text('name = "x"\ngames = "SLCD"\nalgorithms = "IPPO"\nseeds = 2\nreward_modes = "private"\n')
    plan = study.plan(path, tmp_path / "out")
    screen = study_output.Screen(plan, terminal.new_console(stderr=True))
    overview = study_output.Overview(screen)
    assert overview.line() == "0 of 2 runs"
    programs = [Program(("IPPO",), "SLCD-v1", (), (0,), 1, "cpu", "out", runs=("a", "b"))] * 2
    screen.begin(programs, 2)
    screen.share(0, programs[0], 0.25)
    assert overview.line().startswith("0 of 2 runs; 1 programs at 25%; left ")
    with study_output.watching(plan, quiet=True) as watcher:
        watcher.begin(programs, 2)
        watcher.share(0, programs[0], 0.5)


@pytest.mark.parametrize("command", ["train", "ablate", "evaluate", "solve", "validate", "audit", "study run"])
def test_what_takes_long_can_be_silenced(command):
    assert "--quiet" in call(*command.split(), "--help").stdout


def test_no_command_prints_markup():
    """Strings are printed as they are; what has a style is a ``Text``, so nothing has to be escaped, nor may be."""
    from pathlib import Path

    import coopgym.cli

    for path in Path(coopgym.cli.__file__).parent.glob("*.py"):
        source = path.read_text()
        assert "rich.markup" not in source and "[/]" not in source and r"\[" not in source, path
        assert "Console(" not in source or path.name == "terminal.py", path
        assert "Table(" not in source or path.name == "terminal.py", path


def test_what_no_user_can_cause_has_an_object_and_a_traceback(monkeypatch):
    from coopgym.report import catalogue

    monkeypatch.setattr(catalogue, "describe", lambda game: {}["nothing"])
    told = call("show", "SLCD-v1", "--json")
    assert json.loads(told.stdout)["error"] == {"message": "KeyError: 'nothing'", "exit_code": 1}
    assert told.exit_code == 1 and isinstance(told.exception, KeyError)


def test_a_line_has_an_end(capsys):
    group.say("error", "x" * 10**7)
    assert len(capsys.readouterr().err) < 5000


def test_an_error_of_a_study_file_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    for wrong in ("seedz = 2", "[game_options.SLDC]\nmax_steps = 5"):
        path.write_text(f'name = "x"\ngames = "SLCD"\nalgorithms = "IPPO"\n{wrong}\n')
        told = call("study", "run", path, "--dry-run")
        assert told.exit_code == 2 and told.stderr.startswith(f"error: {path}: ") and "did you mean" in told.stderr
