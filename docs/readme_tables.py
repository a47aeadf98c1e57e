"""Writes the generated parts of README.md: ``python docs/readme_tables.py [--write] [--ablation FOLDER]``.

The table of games comes from the catalogue, that of speeds from the last benchmark. With ``--ablation``, the table and
the picture of an ablation come from ``FOLDER/table.txt`` (what ``coopgym ablate`` printed) and ``FOLDER/ablation.png``;
it has to have been trained on this machine, whose processor the table then names.
Pictures of games and links to their pages are made where README.md holds the marks of "pictures". Without ``--write``
it says whether all but the ablation is up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from coopgym.report import catalogue

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = "docs/games"
SHOWN = ("PlatformEcosystem-v1", "ReputationMarket-v1", "CoalitionFormation-v1", "AppleAppStore-v1")  # one a report


def replaced(text: str, part: str, content: str) -> str:
    """The text with ``content`` between the marks of a part."""
    marks = re.compile(rf"(<!-- {part}: [^\n]* -->\n).*?(<!-- /{part} -->)", re.DOTALL)
    new, count = marks.subn(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)
    if count != 1:
        raise SystemExit(f"{README.name} must hold the marks of {part!r} once; it holds them {count} times")
    return new


def keep(page: Path, make: Callable[[str], str], about: str | None) -> None:
    """The command of a page: check that ``make`` leaves its text as it is, or with --write put what it makes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--write", action="store_true")
    before = page.read_text()
    after = make(before)
    if parser.parse_args().write:
        page.write_text(after)
    elif before != after:
        raise SystemExit(f"{page.name} is out of date; run `make tables`")


def pictures() -> str:
    """Four animations, two a row, each with a link to its game's page and what it shows in words."""
    import coopgym
    from coopgym.report.alt import describe_animation
    from coopgym.report.scripts import script

    games = [coopgym.game(name) for name in SHOWN]
    cells = [f"[![{describe_animation(g)}]({PAGES}/{g.name}.webp)]({PAGES}/{g.name}.md)" for g in games]
    morals = [f"**{g.name}.** {script(g).moral}" for g in games]
    lines = ["|" + "|".join(row) + "|" for k in (0, 2) for row in (cells[k : k + 2], morals[k : k + 2])]
    return "\n".join(["| | |", "|---|---|", *lines])


def printed_table(folder: Path) -> str:
    """What ``coopgym ablate`` printed, without the lines that name files."""
    lines = [line.rstrip() for line in (folder / "table.txt").read_text().splitlines()]
    kept = [line for line in lines if not line.startswith(("records:", "plot:"))]
    return "```text\n" + "\n".join(kept).strip("\n") + f"\n```\n\n{made_on()}"


def made_on() -> str:
    """The processor, the vector instructions that torch uses, and the versions that figures of training depend on."""
    import torch

    sys.path.insert(0, str(ROOT / "benchmarks"))
    about, versions = importlib.import_module("timing").machine(), ("coopgym", "torch", "numpy")
    numbers = ", ".join(f"{name} {about['versions'][name]}" for name in versions)
    instructions = torch.backends.cpu.get_cpu_capability()
    return (
        f"Made on: {about['processor']} ({instructions}), {about['cores']} cores, Python {about['python']}, {numbers}; "
        f"{about['date']}. Figures are the same to the digit on such a processor with these versions only."
    )


def speed() -> str:
    """The figures of ``benchmarks/results/cpu.json`` that a reader asks for first, with the machine they come from."""
    found = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text())
    machine, results = found["machine"], found["results"]
    many = [row for row in results["batches"] if "inference" not in row["what"] and row["games"] > 1]
    largest = {row["agents"]: max(r["games"] for r in many if r["agents"] == row["agents"]) for row in many}
    batches = [row for row in many if row["games"] == largest[row["agents"]]]
    lines = ["| one thread | agents | side by side | per second |", "|---|---:|---:|---:|"]
    for row in results["faces"] + batches + results["vector"] + results["training"]:
        many_of = (
            f"{row['games']:,} games" if "games" in row else f"{row['replicas']} replicas" if "replicas" in row else ""
        )
        lines.append(
            f"| {row['what']} | {row['agents']} | {many_of} | {row['figure']:,.0f} {row['unit'].split('/')[0]} |"
        )
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    about = (
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, {versions}; {machine['date']}."
    )
    return "\n".join([*lines, "", about])


def main() -> None:
    """Check, or with --write replace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--ablation", type=Path)
    parser.add_argument("--machine", action="store_true", help="print what the figures of training depend on, and stop")
    options = parser.parse_args()
    if options.machine:
        print(made_on())
        return
    before = README.read_text()
    drawn = "<!-- pictures: " in before
    after = replaced(before, "games", catalogue.markdown(pages=PAGES if drawn else ""))
    after = replaced(after, "speed", speed())
    if drawn:
        after = replaced(after, "pictures", pictures())
    if options.ablation:
        after = replaced(after, "ablation", printed_table(options.ablation))
        shutil.copyfile(options.ablation / "ablation.png", ROOT / "docs" / "ablation.png")
    if options.write:
        README.write_text(after)
    elif before != after:
        raise SystemExit(f"{README.name} is out of date; run `make readme`")


if __name__ == "__main__":
    main()
