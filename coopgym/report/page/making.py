"""How the records were made: versions, devices, configuration, cost, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from coopgym.report.page.cells import link, player
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.panel import Panel, Table
from coopgym.report.page.words import counted, listed, number
from coopgym.study.records import Row
from coopgym.study.summary import mode_label

SHOWN = 200  # failures that are listed


def panel(material: Material) -> Panel:
    """Of any folder."""
    failed = material.failures
    lead = (
        f"Made from {counted(len(material.rows()), 'record')} in the folder {material.name} and nothing else. "
        + (f"{counted(len(failed), 'run')} diverged or failed." if failed else "No run diverged or failed.")
        if material.runs else
        f"Made from {counted(len(material.rows()), 'audit')} in the folder {material.name} and nothing else."
    )  # fmt: skip
    facts = Table(("what", "of these records"), tuple(_facts(material)))
    tables = (facts, *([_failures(failed)] if failed else []))
    return Panel("making", "How it was made", lead, tables=tables, verbatim=material.source or _command(material))


def _facts(material: Material) -> Iterable[tuple[str, str]]:
    rows = material.rows()
    yield "coopgym", _values(rows, "package_version")
    yield "PyTorch", _values(rows, "torch_version")
    yield "source revision", _revisions(rows)
    yield "trained on", _values(rows, "device")
    yield "precision of training", _values(rows, "precision")
    yield "first and last record", _period(rows)
    yield "games", listed(material.games(), 30)
    yield "algorithms", listed(material.algorithms(), 30)
    yield "reward modes", listed(material.modes(), 30)
    yield "seeds", _seeds(rows)
    yield "observations", _values(rows, "observation")
    yield "environment steps of a run", _range(rows, "env_steps")
    yield "hyperparameters", _hyperparameters(rows)
    yield "training time", f"{number(sum(row.get('seconds') or 0.0 for row in rows), 3)} s summed over runs"
    yield "states", ", ".join(f"{count:,} {state}" for state, count in _states(rows)) or "not recorded"
    if material.audits:
        efforts = Counter(str(row.get("effort")) for row in material.audits)
        yield "audits", ", ".join(f"{count:,} with effort {effort}" for effort, count in efforts.items())


def _values(rows: Iterable[Row], name: str) -> str:
    """Distinct values of a column, the most frequent first."""
    counts = Counter(str(row[name]) for row in rows if row.get(name) is not None)
    return listed([value for value, _ in counts.most_common()], 8) if counts else "not recorded"


def _revisions(rows: Sequence[Row]) -> str:
    counts = Counter((row.get("source_revision"), row.get("source_clean")) for row in rows)
    told = [
        f"{revision}{'' if clean else ', with changes' if clean is False else ', clean or not is not recorded'}"
        for (revision, clean), _ in counts.most_common() if revision
    ]  # fmt: skip
    return listed(told, 4) if told else "not recorded"


def _period(rows: Iterable[Row]) -> str:
    moments = sorted(row["created"] for row in rows if row.get("created") is not None)
    if not moments:
        return "not recorded"
    return " to ".join(dict.fromkeys(moment.strftime("%Y-%m-%d %H:%M UTC") for moment in (moments[0], moments[-1])))


def _seeds(rows: Iterable[Row]) -> str:
    seeds = sorted({row["seed"] for row in rows if row["seed"] is not None})
    if not seeds:
        return "none: nothing is random"
    whole = len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1
    return f"{seeds[0]} to {seeds[-1]}" if whole else listed([str(seed) for seed in seeds], 12)


def _range(rows: Iterable[Row], name: str) -> str:
    known = [row[name] for row in rows if row.get(name) is not None]
    if not known:
        return "not recorded"
    return " to ".join(dict.fromkeys((number(min(known)), number(max(known)))))


def _hyperparameters(rows: Iterable[Row]) -> str:
    sets = {(player(row), row.get("hyperparameters_hash")) for row in rows if row["kind"] == TRAINED}
    known = sorted({f"{name}: {which}" for name, which in sets if which})
    return listed(known, 12) if known else "not recorded"


def _states(rows: Iterable[Row]) -> list[tuple[str, int]]:
    return Counter(str(row["status"]) for row in rows if row.get("status")).most_common()


def _failures(rows: Sequence[Row]) -> Table:
    columns = ("algorithm", "game", "rewards", "seed", "state", "why", "run_id")
    found = tuple(
        (player(row), row["game"], mode_label(row), row["seed"], row["status"], _why(row), row["run_id"])
        for row in rows[:SHOWN]
    )
    more = f" The first {SHOWN} of {len(rows):,}." if len(rows) > SHOWN else ""
    caption = f"What diverged or failed; nothing stands in for it but in rankings, where it scores as the worst.{more}"
    return Table(columns, found, caption, tuple(link(row) | {"status": str(row["status"])} for row in rows[:SHOWN]))


def _why(row: Row) -> Any:
    if row["reason"]:
        return row["reason"]
    return None if row["diverged_at"] is None else f"at update {row['diverged_at']:,}"


def _command(material: Material) -> str:
    """A command that asks for these runs; records do not hold the one that was typed."""
    games = list(dict.fromkeys(row.get("game_id") or row["game"] for row in material.runs))
    designs = {(row["game"], player(row)) for row in material.runs}
    if len(games) != 1 or len(designs) > len(material.algorithms()):  # several designs, which no one command asks for
        return ""
    steps = max((row["env_steps"] or 0 for row in material.runs), default=0)
    seeds = {row["seed"] for row in material.runs if row["seed"] is not None}
    modes = dict.fromkeys(_asked(row) for row in material.runs if row["reward_mode"] != "none")
    parts = (
        "# a command that asks for such runs; steps are those that were made, whole updates included",
        f"coopgym ablate {games[0]} --algorithms {','.join(material.algorithms())} --modes {','.join(modes)} "
        f"--seeds {len(seeds) or 1} --steps {steps} --out {material.folder}",
    )
    return "\n".join(parts)


def _asked(row: Row) -> str:
    mutuality = row["mutuality"]
    return str(row["reward_mode"]) if mutuality is None else f"{row['reward_mode']}:{mutuality:g}"
