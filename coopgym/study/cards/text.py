"""The datasheet, and the page of a data set that a hub shows: words here, numbers from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coopgym.study.analysis.page import table
from coopgym.study.cards import facts
from coopgym.study.columns import ABOUT, COLUMNS
from coopgym.study.records import Row
from coopgym.study.schema import PUBLISHED

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
WATTS = {"cpu": 5.0}  # of a core at work; of any other device, its board
BOARD = 400.0


def datasheet(
    name: str,
    description: str,
    tables: Mapping[str, list[Row]],
    command: str,
    metrics: Sequence[str] | None = None,
) -> str:
    """The questions of Gebru et al. 2021. metrics: whose curves are here, all that were measured by default."""
    count, (first, last) = facts.counts(tables), facts.period(tables)
    watts = [WATTS.get(device, BOARD) for device in facts.devices(tables)] or [0.0]
    energy = count["training_hours"] * max(watts) / 1000.0
    fields = [
        f"### {each}\n\n{ABOUT[each]}\n\n"
        + table(("column", "type", "meaning"), [(c.name, str(c.type), COLUMNS[each][c.name]) for c in PUBLISHED[each]])
        for each in tables
    ]
    return "\n\n".join([
        f"# Datasheet of {name}", description,
        "## Motivation",
        "To say which learners lead under which rewards, on which mechanism of coopetition, and how certain that is, "
        "from records that anybody can make again.",
        "## Composition",
        f"{count['rows_runs']:,} runs of {count['algorithms']:,} algorithms ({count['learners']:,} of them learn) on "
        f"{count['games']:,} games: {count['learner_runs']:,} runs of learners under {count['reward_modes']:,} reward "
        f"modes with {count['seeds']:,} seeds each at the most, and {count['rows_curves']:,} curves. Policies without "
        f"randomness are counted once, not once a seed. {facts.missing(count)}",
        f"Policies are left out; policy_sha256 tells which file of the study a run's was. {_curves(metrics)}"
        f"{_audits(count)}",
        *fields,
        "## Collection",
        f"Simulated between {first} and {last} on {', '.join(facts.devices(tables)) or 'nothing'}: "
        f"{count['training_hours']:,} hours of training, {count['env_steps']:,} environment steps, about "
        f"{energy:,.2f} kWh (an estimate: hours times {max(watts):,.0f} W). {facts.PRIVACY}",
        "## Preprocessing",
        "None. Numbers that are not finite are null, and the status of the row says why.",
        "## Uses", facts.USES,
        "## Limits", "\n".join(f"- {limit}" for limit in facts.LIMITS),
        "## Distribution",
        f"CC-BY-4.0 ({facts.LICENCE}). Made by `{command}`; checksums.sha256 has the hash of every file.",
        "## Maintenance",
        "The command above makes the data set again from its study; a later version of the package gives its runs "
        "other run_ids where the game or the learner has changed.",
    ]) + "\n"  # fmt: skip


def _curves(metrics: Sequence[str] | None) -> str:
    if metrics is None:
        return "Curves are those of every metric that was measured."
    return f"Of the curves there are those of {', '.join(metrics)}, to keep the data set small."


def _audits(count: Mapping[str, Any]) -> str:
    """A sentence on the audits, where there are any."""
    if "rows_audits" not in count:
        return ""
    return (
        f" {count['rows_audits']:,} audits say what the policies do, measured by `coopgym audit`; of a measure that is "
        "null, `undefined` has the reason, unless `infinite` names it. Curves of audits are left out."
    )


def page(name: str, description: str, tables: Mapping[str, list[Row]], command: str) -> str:
    """README.md, with the head from which a hub loads each table."""
    count = facts.counts(tables)
    size = next((label for most, label in SIZES if count["rows_runs"] < most), "n>1M")
    numbers = [(label.replace("_", " "), f"{value:,}") for label, value in count.items()]
    head = ["---", "license: cc-by-4.0", f"pretty_name: {name}", "language: [en]"]
    head += ["task_categories: [reinforcement-learning]", f"size_categories: ['{size}']", "tags:"]
    head += [f"- {word}" for word in facts.KEYWORDS]
    head += ["configs:"]
    for each in tables:
        head += [f"- config_name: {each}", f"  data_files: {each}/*.parquet"] + ["  default: true"] * (each == "runs")
    return "\n\n".join([
        "\n".join([*head, "---"]), f"# {name}", description,
        f"Made by `{command}`. `datasheet.md` says how, `croissant.json` what each column is.",
        table(("what", "count"), numbers),
        "```python\n"
        "from datasets import load_dataset\nruns = load_dataset(\"parquet\", data_files=\"runs/*.parquet\")\n"
        "import pandas\nruns = pandas.read_parquet(\"runs\")\n"
        "import mlcroissant\nfor row in mlcroissant.Dataset(\"croissant.json\").records(\"runs\"): ...\n```",
        "## Limits", "\n".join(f"- {limit}" for limit in facts.LIMITS),
    ]) + "\n"  # fmt: skip
