"""Pages tell the truth: the code of README.md and docs/ is run, and what it prints is what they show.

The blocks of a page are run in their order in a folder that looks like the repository's: a ``python`` block in the
names of those before it, a ``bash`` block by bash. A ``text`` block that follows holds what was printed, where every
number may be another and ``...`` stands for lines left out. ``<!-- not run: REASON -->`` before a block excuses it;
``<!-- warnings: REASON -->`` on a page allows warnings there. ``make`` lines are not run: they set up and test.

    python tests/pages.py docs/start.md  # run a page and write what it prints into it
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SEEN = ("examples", "studies")  # folders of the repository that code on pages names
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<excuse>[^>]+?) -->\n+)?```(?P<language>python|bash|text)\n(?P<code>.*?)^```$", re.M | re.S
)
NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d*)?(?:e[-+]?\d+)?")
EXACT = ("theory", "moving")  # chapters whose examples compute and train nothing
GIVES_A_BUDGET = ("train", "ablate")
SHORT = 3000
WIDTH, ROOMY = 120, 200  # columns of a terminal as pages show it; and so many that no digits of training break a line
PLAIN = re.compile(r"coopgym [^|&;<>$`\\#~*]+")  # needs no shell


@dataclass(frozen=True)
class Block:
    """Code of a page from ``line`` on. printed: what the page says that it prints, at these places of the text."""

    language: str
    code: str
    line: int
    excuse: str | None = None
    printed: str | None = None
    at: tuple[int, int] = (0, 0)

    @property
    def lines(self) -> list[str]:
        """What bash is given: all but ``make``."""
        return [line for line in self.code.splitlines() if not line.startswith("make ")]

    @property
    def targets(self) -> list[str]:
        """Targets of ``make`` that it names."""
        return [line.split()[1] for line in self.code.splitlines() if line.startswith("make ")]


def pages() -> list[Path]:
    """README.md, and the pages of docs/ that have code. One page of a game stands for all: they have one maker."""
    found = sorted(ROOT.glob("docs/**/*.md"))
    games = [page for page in found if page.parent.name == "games" and page.stem != "index"]
    return [page for page in [ROOT / "README.md", *found] if page not in games[1:] and blocks(page)]


def blocks(page: Path) -> list[Block]:
    """The Python and shell blocks of a page, in order."""
    text, found, end = page.read_text(), list[Block](), 0
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("code")) + 1
        if fence["language"] != "text":
            found.append(Block(fence["language"], fence["code"], line, fence["excuse"]))
        elif found and not text[end : fence.start()].strip():
            before = found.pop()
            found.append(
                Block(before.language, before.code, before.line, before.excuse, fence["code"], fence.span("code"))
            )
        end = fence.end()
    return found


def run(page: Path, folder: Path, *, small: bool = False, alone: bool = False, timeout: float = 600.0) -> list[str]:
    """What each block of a page prints when all are run in ``folder``; AssertionError with the traceback if one fails.

    small: ``coopgym`` commands train for ``SHORT`` steps at most. alone: no Python block sees the names of another.
    """
    for name in SEEN:
        (folder / name).symlink_to(ROOT / name)
    told = folder / ".printed.json"
    errors = [] if "<!-- warnings: " in page.read_text() else ["-W", "error"]
    command = [sys.executable, *errors, __file__, "--child", page, told, str(int(small)), str(int(alone))]
    around = environment(ROOMY if small else WIDTH)
    done = subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{page}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return list(json.loads(told.read_text()))


def environment(columns: int = WIDTH) -> dict[str, str]:
    """This package and the programs beside this Python, one thread, and one order of sets for all."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    one = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    return os.environ | one | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)}


def differences(page: Path, printed: list[str]) -> list[str]:
    """Where a page shows something else than was printed: every digit where nothing is trained, else numbers aside."""
    exact, wrong = page.parent.name in EXACT or page.stem in EXACT, []
    for block, text in zip(blocks(page), printed, strict=True):
        same = tidy(block.printed or "") == tidy(text) if exact else shows(block.printed or "", text)
        if block.printed is not None and block.excuse is None and not same:
            wrong.append(f"{page.name}:{block.line} shows\n{block.printed}but it printed\n{text}")
    return wrong


def shows(shown: str, printed: str) -> bool:
    """Whether ``shown`` is ``printed`` with other numbers and widths, and perhaps with lines left out as ``...``."""
    parts = [re.escape(masked(part)) for part in re.split(r"^\.\.\.$", shown, flags=re.M)]
    return re.fullmatch(r"\s*" + ".*".join(parts) + r"\s*", masked(printed), re.S) is not None


def tidy(text: str) -> str:
    """Text without blank lines and spaces at the end of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())


def masked(text: str) -> str:
    """Text without numbers and widths."""
    return " ".join(re.sub("─+", "─", NUMBER.sub("#", text)).split())


def shortened(line: str) -> str:
    """A ``coopgym`` line that trains with at most ``SHORT`` steps, in one process."""
    found = re.match(r"coopgym (\w+) ", line)
    if not found or found[1] not in GIVES_A_BUDGET:
        return line
    cut, had = re.subn(r"--steps[ =](\d+)", lambda steps: f"--steps {min(int(steps[1]), SHORT)}", line)
    more = ("" if had else f" --steps {SHORT}") + (" --workers 1" if found[1] == "ablate" else "")
    return cut.replace(f"coopgym {found[1]}", f"coopgym {found[1]}{more}", 1)


def child(page: Path, small: bool, alone: bool) -> list[str]:
    """Run the blocks here, in this folder; what each prints."""
    names, printed = module(), []
    for block in blocks(page):
        names = module() if alone else names
        if block.excuse:
            printed.append("")
        elif block.language == "python":
            printed.append(python(block, page, names))
        else:
            printed.append(bash([shortened(line) for line in block.lines] if small else block.lines))
    return printed


def module() -> ModuleType:
    """A module for code to stand in: dataclasses look for it."""
    sys.modules["page"] = ModuleType("page")
    return sys.modules["page"]


def python(block: Block, page: Path, names: ModuleType) -> str:
    """What a block prints; tracebacks name its page and line."""
    code = compile("\n" * (block.line - 1) + block.code, str(page), "exec", dont_inherit=True)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, vars(names))
    return out.getvalue()


def bash(lines: list[str]) -> str:
    """What lines print, run by bash until one fails; commands of ours that need no shell are run in this process."""
    if all(map(PLAIN.fullmatch, lines)):
        return "".join(map(own_command, lines))
    command = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{lines} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def own_command(line: str) -> str:
    """What a ``coopgym`` line prints. Starting a process would take longer than most commands do."""
    from typer.testing import CliRunner

    from coopgym.cli.commands import app

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = CliRunner().invoke(app, shlex.split(line)[1:])
    if done.exit_code:
        raise RuntimeError(f"{line} ended with {done.exit_code}\n{done.output}") from done.exception
    return done.stdout


def write(page: Path) -> None:
    """Run a page and put what it prints in its ``text`` blocks, those with lines left out excepted."""
    with tempfile.TemporaryDirectory() as folder:
        printed = run(page, Path(folder))
    text = page.read_text()
    for block, told in reversed(list(zip(blocks(page), printed, strict=True))):
        if block.printed is not None and "..." not in block.printed.splitlines() and not block.excuse:
            text = f"{text[: block.at[0]]}{tidy(told)}{text[block.at[1] :]}"
    page.write_text(text)
    sys.stderr.write("".join(differences(page, printed)))


def main(words: list[str]) -> None:
    """As a child: run a page and tell what was printed; else write pages."""
    if words[0] != "--child":
        for word in words:
            write(Path(word).resolve())
        return
    page, told, small, alone = words[1:]
    try:
        Path(told).write_text(json.dumps(child(Path(page), small == "1", alone == "1")))
    except BaseException:
        sys.exit(traceback.format_exc())


if __name__ == "__main__":
    main(sys.argv[1:])
