"""What the commands print: tables for people on stdout, or JSON alone; progress always on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from coopgym.cli.group import error_object, plain, say
from coopgym.cli.terminal import News, PlainConsole, new_console, new_table, print_json, progress

if TYPE_CHECKING:
    from coopgym.audit.landscape.whole import Landscape
    from coopgym.oracles.result import Solution
    from coopgym.oracles.solve import Answers
    from coopgym.study.ablation import Ablation
    from coopgym.study.summary import Estimate, Line

__all__ = ["News", "new_console", "new_table", "print_json", "progress"]  # and the functions of this module


def games(rows: Sequence[Mapping[str, Any]], json: bool) -> None:
    """The table of games."""
    if json:
        return print_json(rows)
    table = new_table(("game", ""), ("report", "r"), ("mechanism", ""), ("agents", "r"), ("horizon", "r"))
    for row in rows:
        report = f"TR-{row['report']}"
        table.add_row(row["id"], report, row["mechanism"], str(row["agents"]), str(row["horizon"]))
    new_console().print(table)
    return None


def game(facts: Mapping[str, Any], json: bool) -> None:
    """One game."""
    if json:
        return print_json(facts)
    console = new_console()
    console.print(_headed(facts["id"], f"  TR-{facts['report']}, {facts['mechanism']}"))
    console.print(facts["summary"], highlight=False)
    console.print(f"{facts['agents']} agents, {facts['horizon']} steps, observability {facts['observability']}")
    table = new_table(("agent", ""), ("endowment", "r"), ("baseline", "r"), ("share", "r"), ("depends most on", ""))
    names = facts["agent_names"]
    for i, name in enumerate(names):
        row = facts["interdependence"][i]
        most = max(range(len(names)), key=row.__getitem__)
        numbers = (f"{facts[key][i]:g}" for key in ("endowment", "baseline"))
        table.add_row(name, *numbers, f"{facts['shares'][i]:.3g}", f"{names[most]} ({row[most]:.2f})")
    console.print(table)
    options = ", ".join(f"{name}={value!r}" for name, value in facts["options"].items())
    console.print(f"options: {options}", highlight=False, markup=False)
    for mode, found in facts["one_step"].items():
        lost = f"selfish play loses {found['lost']:.2%} of the optimum's welfare"
        console.print(f"one step, {mode} rewards: {found['label']}; {lost}", highlight=False, markup=False)
    if facts["tension"] is not None:
        console.print(f"tension='high': {facts['tension']['in_words']}", highlight=False, markup=False)
    return None


def _headed(name: str, text: str) -> Text:
    """A line that begins with a name in bold."""
    return Text.assemble((plain(name), "bold"), plain(text))


def picture(path: Path, words: str, json: bool) -> None:
    """Where a picture of a game is, and what it shows in words."""
    if json:
        return print_json({"picture": str(path), "description": words})
    new_console().print(words, highlight=False, markup=False)
    new_console().print(f"plot: {path}", highlight=False, markup=False, soft_wrap=True)
    return None


def runs(result: Ablation, json: bool) -> None:
    """The runs of one `train`, and on stderr what failed."""
    from coopgym.statistics import OF_THE_SUM
    from coopgym.study import twins
    from coopgym.study.summary import cooperation_rate, mode_label

    _failures(result)
    if json:
        error = {"error": error_object("; ".join(result.failures), 1), "runs": result.runs}
        return print_json(error if result.failures else result.runs)
    table = new_table(
        ("mode", ""), ("seed", "r"), ("welfare", "r"), ("cooperation", "r"), ("trust", "r"), ("status", "")
    )
    for row in result.runs:
        numbers = ["", "", ""]
        if row["status"] == "ok":
            numbers = [f"{row['welfare']:,.0f}", f"{cooperation_rate(row):.0%}", f"{row['final_trust']:.2f}"]
        table.add_row(mode_label(row), _seed(row), *numbers, row["status"])
    console = new_console()
    console.print(table)
    team = [row["algorithm"] for row in result.runs if twins.of_the_sum(row)][:1]  # the table itself has no names
    notes = twins.notes_on(row for row in result.runs if row["status"] == "ok")
    for text in (*(f"{name}{OF_THE_SUM}" for name in team), *notes):
        console.print(text, highlight=False, markup=False)
    _others(result, console)
    console.print(f"policies and records: {result.folder}", highlight=False, markup=False)
    return None


def evaluations(rows: Sequence[Mapping[str, Any]], json: bool) -> None:
    """What `evaluate` has measured."""
    if json:
        return print_json(rows)
    from coopgym.statistics import OF_THE_SUM, TEAM
    from coopgym.study import twins

    table = new_table(("run", ""), ("mode", ""), ("seed", "r"), ("welfare", "r"), ("cooperation", "r"), ("trust", "r"))
    by_run = {row["run_id"]: row for row in rows}
    names = [f"{row['algorithm']}{TEAM if row['team_reward'] else ''}" for row in rows]
    for name, row in zip(names, rows, strict=True):
        numbers = (f"{row['welfare']:,.0f}", f"{row['cooperation']:.0%}", f"{row['trust']:.2f}")
        table.add_row(f"{name} {row['game']}", row["reward_mode"], _seed(row), *numbers)
    console = new_console()
    console.print(table)
    if any(row["team_reward"] for row in rows):
        console.print(OF_THE_SUM, highlight=False, markup=False)
    again = [(name, row) for name, row in zip(names, rows, strict=True) if row["duplicate_of"] is not None]
    found = ((name, x["game"], x["reward_mode"], by_run[x["duplicate_of"]]["reward_mode"]) for name, x in again)
    for note in twins.notes(found):
        console.print(note, highlight=False, markup=False)
    return None


def solutions(found: Answers, picture: Path | None, json: bool) -> None:
    """Answers of `solve`: one line each, what is certain about it, and why others were refused."""
    if json:
        return print_json(found.to_dict() | {"picture": picture and str(picture)})
    console = new_console()
    columns = (("concept", ""), ("mode", ""), ("actions", "r"), ("welfare", "r"), ("gain", "r"), ("status", ""))
    table = new_table(*columns, ("kind", ""))
    for one in found.solutions:
        gain = f"{one.certificate.relative:.1e}"
        table.add_row(
            one.concept, one.reward_mode, _path(one), f"{one.welfare:,.1f}", gain, one.status, one.kind
        )  # fmt: skip
    console.print(table)
    for one in found.solutions:
        known = [one.method, f"other answers: {one.uniqueness}", one.certificate.method, *one.notes]
        if one.certificate.at_most is not None:
            known.append(f"no deviation gains more than {one.certificate.at_most:.1e} of the reward")
        if one.bound is not None:
            known.append(f"no policy has a larger sum of rewards than {one.bound:,.1f}")
        console.print(f"{one.concept}: {'; '.join(known)}", highlight=False, markup=False)
    for reason in found.refused.values():
        console.print(reason, highlight=False, markup=False)
    if picture is not None:
        console.print(f"plot: {picture}", highlight=False, markup=False)
    return None


def landscape(found: Landscape, picture: Path | None, json: bool) -> None:
    """The audits of a game: the surface, the release's deviations and ours, and where leaving pays most."""
    if json:
        return print_json(found.to_dict() | {"picture": picture and str(picture)})
    console = new_console()
    pairs = list(zip(found.static.surface.levels, found.static.mean_returns, strict=True))
    surface = ", ".join(f"{level:.0%} {mean:,.0f}" for level, mean in pairs[::2])
    text = f"  {found.reward_mode} rewards; an agent's mean return at common levels:"
    console.print(_headed(found.game, text))
    console.print(f"{surface}; best {found.static.optimal_level:.0%}", highlight=False, markup=False)
    names = ("audit", "agent", "from", "strategy", "at", "to", "gain", "others", "flag")
    table, last = new_table(*((name, "r" if i in (2, 4, 5, 6, 7) else "") for i, name in enumerate(names))), None
    for row in found.rows():
        brief = row["audit"].startswith("corrected") and row["strategy"] not in ("full_defection", "ramp_down")
        if row["target"] is None or brief:
            continue
        if last not in (None, row["audit"]):
            table.add_section()
        last = row["audit"]
        flag = "exploitative" if row["exploitative"] else ""
        numbers = (
            f"{row['parameter']:g}",
            f"{row['target']:.4g}",
            f"{row['gain']:,.1f}",
            f"{row['others_change']:,.1f}",
        )
        table.add_row(row["audit"], row["agent"], f"{row['level']:.0%}", row["strategy"], *numbers, flag)
    console.print(table)
    console.print("to, gain, others: action, and changes over an episode; --json has every row of all audits")
    for line in _verdicts(found):
        console.print(line, highlight=False, markup=False)
    if picture is not None:
        console.print(f"plot: {picture}", highlight=False, markup=False)
    return None


def _verdicts(found: Landscape) -> Iterator[str]:
    """The classes by the release's rule, and the strongest temptation to give less."""
    ours = found.corrected
    joint = f"from the joint optimum, {ours.joint_level:.0%}, to the selfish answer"
    for what, audit in (("to zero", found.temporal), ("to the selfish answer", ours.middle), (joint, ours.joint)):
        each = zip(audit.deviations.agents, audit.verdicts(), strict=True)
        yield f"late defection {what}: {', '.join(f'{agent} {verdict}' for agent, verdict in each)}"
    best = max(ours.temptations(), key=lambda t: t.gain)
    if best.own_level is None:
        yield "no role gains by giving less than half of its endowment to the others' loss"
    else:
        much = f"{best.gain:,.1f} ({best.share:.2%}) more for it, {best.others_change:,.1f} for each other"
        yield f"strongest temptation: {best.agent} at {best.own_level:.0%} from step {best.start} on: {much}"


def _path(solution: Solution) -> str:
    """Mean action of the agents; of an episode at its first, middle and last step."""
    mean = solution.actions.mean(-1)
    steps = [mean] if mean.ndim == 0 else [mean[0], mean[len(mean) // 2], mean[-1]]
    return " → ".join(f"{float(step):.4g}" for step in steps)


def _seed(row: Mapping[str, Any]) -> str:
    return "" if row["seed"] is None else str(row["seed"])


def ablation(result: Ablation, picture: Path | None, json: bool) -> None:
    """The table of an ablation, its yardstick, where its files are, and on stderr what failed."""
    from coopgym.study import twins

    _failures(result)
    if json:
        error = {"error": error_object("; ".join(result.failures), 1)} if result.failures else {}
        return print_json(error | result.to_dict() | {"picture": picture and str(picture)})
    console = new_console()
    if result.lines:
        console.print(_lines(result.lines, wide=console.width >= 115))
        console.print(_yardstick(result.lines), highlight=False, markup=False)
        for note in twins.notes_on(row for row in result.runs if row["status"] == "ok"):
            console.print(note, highlight=False, markup=False)
    _others(result, console)
    console.print(f"records: {result.folder}", highlight=False, markup=False)
    if picture is not None:
        console.print(f"plot: {picture}", highlight=False, markup=False)
    return None


def _others(result: Ablation, console: PlainConsole) -> None:
    if result.others:
        what = "1 run" if result.others == 1 else f"{result.others:,} runs"
        text = f"not counted above: {what} of other designs; `coopgym report {result.folder}` shows all of this folder"
        console.print(text, highlight=False, markup=False)


def _failures(result: Ablation) -> None:
    for failure in result.failures:
        say("error", failure)


def _lines(lines: Iterable[Line], wide: bool) -> Table:
    """One row a line; on a narrow terminal intervals stand below their means and two columns are left out."""
    from coopgym.statistics import TEAM

    between = " " if wide else "\n"
    columns: dict[str, Callable[[Line], str]] = {
        "welfare": lambda x: _interval(x.welfare, ",.0f", between),
        "of best": lambda x: "".join(_percent(x.share_of_best)),
        "own reward": lambda x: " ".join((f"{x.reward.mean:,.0f}", *_percent(x.reward_share_of_best))),
        "cooperation": lambda x: _interval(x.cooperation * 100.0, ".0f", between, "%"),
        "final trust": lambda x: _interval(x.trust, ".2f", between),
        "steps": lambda x: f"{x.length.mean:.0f}",
        "seeds": lambda x: f"{x.runs}" + (f" (+{x.diverged} diverged)" if x.diverged else ""),
    }
    if not wide:
        short = {
            "welfare": "welfare",
            "of best": "of best",
            "cooperation": "coop.",
            "final trust": "trust",
            "seeds": "seeds",
        }
        columns = {short[name]: cell for name, cell in columns.items() if name in short}
    table = new_table(("algorithm", ""), ("reward mode", ""), *((name, "r") for name in columns))
    last = None
    for line in lines:
        if last not in (None, line.algorithm):
            table.add_section()
        name = "" if line.algorithm == last else f"{line.algorithm}{TEAM if line.team else ''}"
        table.add_row(name, line.reward_mode, *(Text(cell(line)) for cell in columns.values()))
        last = line.algorithm
    return table


def _yardstick(lines: Sequence[Line]) -> str:
    from coopgym.statistics import OF_THE_SUM

    text = (
        "welfare: payoff of all agents over an episode, mean over seeds [95% t interval]; own reward: the "
        "return in the mode trained on, summed over agents, and its share of the best constant policy's in that mode."
    )
    best = lines[0].best_constant
    text = text if best is None else f"{text} Best constant policy: welfare {best:,.0f} (= 100%)."
    return f"{text} {OF_THE_SUM}" if any(line.team for line in lines) else text


def _percent(x: Estimate | None) -> list[str]:
    return [] if x is None else [f"{x.mean:.1%}"]


def _interval(x: Estimate, form: str, between: str, unit: str = "") -> str:
    mean = f"{x.mean:{form}}{unit}"
    return mean if x.low is None else f"{mean}{between}[{x.low:{form}}, {x.high:{form}}]"
