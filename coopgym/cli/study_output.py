"""What the commands on studies print: plans, a live table while one runs, how far one is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from coopgym.cli.group import error_object, plain
from coopgym.cli.terminal import Lines, PlainConsole, new_console, new_table, print_json, span
from coopgym.study.watcher import Watcher

if TYPE_CHECKING:
    from coopgym.study.cards.card import Card
    from coopgym.study.program import Program
    from coopgym.study.records import Row
    from coopgym.study.study import Status

SHOWN = 12  # finished programs in the live table
COUNTED = ("planned", "ok", "diverged", "failed", "missing")


def planned(found: Status, json: bool) -> None:
    """The cells of a dry run, with an estimate; those that make one record each are summed up."""
    if json:
        return print_json(found.to_dict())
    columns = (("algorithm", ""), ("game", ""), ("runs", "r"), ("missing", "r"), ("about", "r"))
    cells = new_table(*columns)
    learned = [line for line in found.lines if line.planned > 1]
    for line in learned:
        name = f"{line.algorithm} {line.variant}".strip()
        cells.add_row(name, line.game, f"{line.planned}", f"{line.missing + line.failed}", span(line.seconds))
    out = new_console()
    out.print(cells)
    single = len(found.lines) - len(learned)
    if single:
        out.print(f"and {single:,} cells of one record each", highlight=False)
    _excluded(found, out)
    text = f"{found.count('planned'):,} runs in {len(found.lines):,} cells, {found.count('ok'):,} of them there already"
    work = f"about {span(found.left)} of work, {span(found.left / found.workers)} on {found.workers} at a time"
    out.print(f"{text}; {work}; records: {found.folder}", highlight=False, markup=False)
    _others(found, out)
    return None


def status(found: Status, json: bool, failures: Sequence[str] = ()) -> None:
    """Counts by learner, what failed and why, what is being worked on. failures: of the command that asks."""
    if json:
        return print_json(({"error": error_object("; ".join(failures), 1)} if failures else {}) | found.to_dict())
    by_name = new_table(("algorithm", ""), *((name, "r") for name in COUNTED), ("time", "r"))
    for name in dict.fromkeys(_group(line.algorithm) for line in found.lines):
        own = [line for line in found.lines if _group(line.algorithm) == name]
        counts = (f"{sum(getattr(line, state) for line in own):,}" for state in COUNTED)
        by_name.add_row(name, *counts, span(sum(line.seconds for line in own)))
    out = new_console()
    out.print(by_name)
    for line in found.lines:
        if line.failed:
            out.print(f"failed: {line.algorithm} on {line.game}: {line.reason}", highlight=False, markup=False)
    _excluded(found, out)
    left = f", about {span(found.left)} of work" if found.left else ""
    text = ", ".join(f"{found.count(state):,} {state}" for state in COUNTED)
    work = f"; {found.claimed} programs are being worked on" if found.claimed else ""
    out.print(f"{text}{left}{work}; records: {found.folder}", highlight=False, markup=False)
    _others(found, out)
    return None


def _others(found: Status, out: Console) -> None:
    """Runs of other designs or versions in the folder: no count includes them, and none of them is lost."""
    if found.others:
        made = f", some of them made by coopgym {', '.join(found.other_versions)}" if found.other_versions else ""
        text = f"not counted: {found.others:,} runs in this folder that this design does not ask for{made}"
        out.print(f"{text}; `coopgym report {found.folder}` shows all", highlight=False, markup=False)


def analysis(found: dict[str, Any], page: Path | None, json: bool) -> None:
    """Who leads under each reward mode, and where the rest is."""
    from coopgym.statistics import OF_THE_SUM
    from coopgym.study.analysis.page import marked, place

    if json:
        return print_json(found)
    out = new_console()
    for mode in found["modes"]:
        ranking = found["rankings"][mode]
        stake, rest = len(ranking["at_stake"]), len(ranking["games"]) - len(ranking["at_stake"])
        heads = {
            "average_rank": "average rank", "rank_at_stake": f"of {stake} at stake",
            "iqm": f"IQM of the score, {stake} at stake", "iqm_of_share": f"IQM of the share, {rest} others",
        }  # fmt: skip
        shown = [name for name in heads if ranking["players"][0][name] is not None]
        leaders = new_table((f"{mode} rewards", ""), *((heads[name], "r") for name in shown), ("lacks", "r"))
        for each in found["rankings"][mode]["players"]:
            lacks = f"{len(each['missing_games'])} games" if each["missing_games"] else ""
            leaders.add_row(marked(each), *(_around(each[name]) if each[name] else "" for name in shown), lacks)
        out.print(leaders)
    if any(each["team"] for ranking in found["rankings"].values() for each in ranking["players"]):
        out.print(OF_THE_SUM, highlight=False)
    declared = sum(each["declared"] for each in found["paradigms"]["crossovers"])
    for each in found["paradigms"]["mutualities"]:
        sweep = f"independent minus centrally trained, from private to {each['kind']}"
        out.print(f"{each['game']}: {sweep}: changes sign at {place(each)}", highlight=False, markup=False)
    out.print(f"crossovers of paradigms declared: {declared} of {found['paradigms']['tests']}", highlight=False)
    where = "--out FOLDER writes all of it" if page is None else f"all of it: {page}"
    out.print(where, highlight=False, markup=False, soft_wrap=True)
    return None


def card(made: Card, json: bool) -> None:
    """Where a data set is, and how many records of each table were read back."""
    if json:
        return print_json(made.to_dict())
    rows = new_table(("table", ""), ("records", "r"))
    for name, count in made.read.items():
        rows.add_row(name, f"{count:,}")
    out = new_console()
    out.print(rows)
    out.print(f"data set, read back by mlcroissant: {made.folder}", highlight=False, markup=False, soft_wrap=True)
    if made.others:
        out.print(f"left out: {made.others:,} runs in the folder that this design does not ask for", highlight=False)
    return None


def _around(x: Mapping[str, float | None]) -> str:
    value = f"{x['value']:.2f}"
    return value if x["low"] is None else f"{value} [{x['low']:.2f}, {x['high']:.2f}]"


@contextmanager
def watching(found: Status, quiet: bool = False) -> Iterator[Watcher]:
    """A screen for the time of a study; elsewhere than on a terminal, lines on stderr; nothing if quiet."""
    err = new_console(stderr=True)
    if quiet:
        yield Watcher()
    elif err.is_terminal:
        screen = Screen(found, None)
        with Live(screen, console=err, refresh_per_second=4, transient=True):
            yield screen
    else:
        screen = Screen(found, err)
        with Overview(screen):
            yield screen


class Overview(Lines):
    """Says now and then how far a study is."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.screen = screen

    def line(self) -> str:
        """See Lines."""
        task, shares = self.screen.all.tasks[0], [share for share in list(self.screen.shares) if 0.0 < share < 1.0]
        done = f"{task.completed:,.0f} of {task.total:,.0f} runs"
        going = f"{len(shares)} programs at {', '.join(f'{share:.0%}' for share in shares)}" if shares else ""
        return "; ".join(filter(None, (done, going, str(task.fields["left"]))))


class Screen(Watcher):
    """Programs under way with their share, all runs together with the time left, and the last finished programs.

    lines: where finished programs are said instead, one line each.
    """

    def __init__(self, found: Status, lines: PlainConsole | None) -> None:
        self.lines = lines
        self.shares: list[float] = []
        self.done: deque[tuple[str, ...]] = deque(maxlen=SHOWN)
        name = TextColumn("{task.description}", markup=False)
        columns = (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.all = Progress(*columns, TextColumn("{task.fields[left]}"))
        self.each = Progress(name, BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self.total = found.count("planned")
        there = found.count("ok") + found.count("diverged")
        self.task = self.all.add_task(f"{found.name}: runs", total=self.total, completed=there, left="")
        self.bars: dict[int, TaskID] = {}
        self.left, self.work = found.left, 0.0

    def begin(self, programs: Sequence[Program], slots: int) -> None:
        """See Watcher."""
        for bar in self.bars.values():
            self.each.remove_task(bar)
        self.bars, self.programs, self.slots = {}, list(programs), slots
        self.shares = [0.0] * len(programs)
        self.weights = [_weight(program) for program in programs]
        self.work = sum(self.weights)

    def share(self, index: int, program: Program, share: float) -> None:
        """See Watcher."""
        if index not in self.bars:
            self.bars[index] = self.each.add_task(plain(f"{_name(program)} on {program.game}"), total=1.0)
        self.each.update(self.bars[index], completed=share)
        self.shares[index] = share
        self._time_left()

    def finished(self, program: Program, rows: Sequence[Row]) -> None:
        """See Watcher."""
        self._close(program)
        self.all.advance(self.task, len(program.runs))
        if rows:
            self._say(*_summary(program, rows))

    def failed(self, program: Program, reason: str) -> None:
        """See Watcher."""
        self._close(program)
        self._say(program.title, program.game, "failed", reason, "")

    def waiting(self, programs: Sequence[Program], holders: Sequence[str]) -> None:
        """See Watcher."""
        text = f"{len(programs)} programs are being done by {', '.join(holders)}"
        self.all.update(self.task, left=text)
        if self.lines is not None:
            self._say(f"waiting: {text}")

    def _close(self, program: Program) -> None:
        index = self.programs.index(program)
        self.shares[index] = 1.0
        if index in self.bars:
            self.each.remove_task(self.bars.pop(index))
        self._time_left()

    def _time_left(self) -> None:
        """From the share of the work that is done, each program weighing what it was estimated to take."""
        done = sum(share * weight for share, weight in zip(self.shares, self.weights, strict=True)) / self.work
        elapsed = self.all.tasks[0].elapsed
        if done > 0.0 and elapsed:
            self.all.update(self.task, left=f"left {span(elapsed * (1.0 - done) / done)}")

    def _say(self, *cells: str) -> None:
        self.done.append(cells)
        if self.lines is not None:
            self.lines.print(" ".join(filter(None, cells)), highlight=False, markup=False, soft_wrap=True)

    def __rich__(self) -> Group:
        return Group(self._table(), self.each, self.all)

    def _table(self) -> Table:
        shown = new_table(("program", ""), ("game", ""), ("runs", "r"), ("of best constant", "r"), ("time", "r"))
        for cells in self.done:
            shown.add_row(*cells)
        return shown


def _summary(program: Program, rows: Sequence[Row]) -> tuple[str, ...]:
    """Cells of the live table: runs, the range of their welfare as a share of the best constant's, seconds."""
    shares = [row["efficiency_best_constant"] for row in rows if row["efficiency_best_constant"] is not None]
    text = f"{min(shares):.1%} to {max(shares):.1%}" if shares else ""
    diverged = sum(row["status"] != "ok" for row in rows)
    runs = f"{len(rows)} runs" + (f" ({diverged} diverged)" if diverged else "")
    seconds = rows[0]["program_seconds"]
    return _name(program), program.game, runs, text, "" if seconds is None else span(seconds)


def _name(program: Program) -> str:
    return f"{program.title} {program.variant}".strip()


def _weight(program: Program) -> float:
    from coopgym.study.cells import Cell
    from coopgym.study.estimate import Estimates

    cell = Cell(program.algorithms[0], program.game, program.modes, program.seeds, program.steps, program.options)
    return Estimates().seconds(cell) * len(program.algorithms)


def _excluded(found: Status, out: Console) -> None:
    together: dict[tuple[str, str], list[str]] = {}
    for each in found.excluded:
        together.setdefault((each.algorithm, each.reason), []).append(each.game)
    for (algorithm, reason), games in together.items():
        where = games[0] if len(games) == 1 else f"{len(games)} games"
        out.print(f"excluded: {algorithm} on {where}: {reason}", highlight=False, markup=False)


def _group(algorithm: str) -> str:
    return "constants" if algorithm.startswith("Constant_") else algorithm
