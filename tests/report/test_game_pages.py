"""The pages of the games are what the games are: texts up to date, numbers those of the tables, pictures there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coopgym
from coopgym.envs.catalogue import ENTRIES
from coopgym.report.sheet import differences, equations, parameters, rewards, rules, trust_rates, words

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "games"
NAMES = [name.removesuffix("-v1") for name in coopgym.list_games()]
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="not a checkout")

# theta, gamma, lambda+, lambda-, mu, delta, xi, kappa, T(0), R(0), as the tables of the reports' environments have them
TABLE = """
TrustDilemma 20 .70 .15 .45 .50 .02 .60 1.5 .50 0
PartnerHoldUp 20 .60 .10 .35 .55 .025 .70 1.2 .55 0
PlatformEcosystem 25 .75 .08 .25 .45 .02 .40 1.0 .60 0
DynamicPartnerSelection 18 .55 .12 .35 .60 .015 .45 1.2 .50 0
SynergySearch 20 - .10 .30 .60 .03 .50 1.0 .55 0
RecoveryRace 20 .60 .08 .35 .70 .01 .40 1.0 .25 .50
SLCD 20 .65 .08 .28 .50 .02 .45 1.0 .65 0
RenaultNissan 22 .58 .08 .25 .55 .02 .50 1.0 .70 .02
CooperativeNegotiation 20 .60 .12 .40 .65 .02 .55 1.2 .50 0
ReputationMarket 18 .50 .10 .30 .55 .015 .45 1.0 .50 0
TeamProduction - - .10 .25 .40 .02 .50 1.0 .50 0
LoyaltyTeam - - .10 .25 .40 .02 .50 1.0 .50 0
CoalitionFormation - - .10 .25 .40 .02 .50 1.0 .50 0
ApacheProject - - .10 .25 .40 .02 .50 1.0 .50 0
PublicGoods - - .10 .25 .40 .02 .50 1.0 .50 0
ReciprocalDilemma 20 .65 .10 .30 .60 .03 .50 1.0 .50 0
GiftExchange 20 .65 .10 .30 .60 .03 .50 1.0 .50 0
IndirectReciprocity 20 .65 .10 .30 .60 .03 .50 1.0 .50 0
GraduatedSanction 20 .65 .10 .30 .60 .03 .50 1.0 .50 0
AppleAppStore 20 .65 .10 .30 .60 .03 .50 1.0 .60 0
"""
SYMBOLS = (
    r"\theta", r"\gamma", r"\lambda^{+}", r"\lambda^{-}", r"\mu", r"\delta", r"\xi", r"\kappa", "T_{ij}(0)", "R_{ij}(0)"
)  # fmt: skip
# omega, beta, c, phi_B, phi_C; rho_0, eta, kappa_R, k, lambda_R, omega
TEAMS = {
    "TeamProduction": (25, 0.7, 1, 0, 0), "LoyaltyTeam": (25, 0.7, 1, 0.8, 0.3), "PublicGoods": (2, 1, 1, 0.6, 0.2),
    "CoalitionFormation": (25, 0.7, 1, 0.7, 0.3), "ApacheProject": (30, 0.7, 1, 0.75, 0.25),
}  # fmt: skip
ANSWERS = {
    "ReciprocalDilemma": (1, 1, 1, 5, 1, 0.6), "GiftExchange": (1.2, 1.5, 1, 3, 1.2, 0.8),
    "IndirectReciprocity": (0.8, 1, 1, 7, 1.5, 0.5), "GraduatedSanction": (0.6, 1.5, 0.8, 10, 1.8, 1),
    "AppleAppStore": (1, 1.2, 0.8, 4, 1, 0.8),
}  # fmt: skip


def text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text()


def rows(name: str, heading: str) -> list[list[str]]:
    """Cells of the tables of a section."""
    section = text(name).split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [row for row in found if not set(row[0]) <= {"-"} or row[0] == ""]


def printed(name: str) -> dict[str, str]:
    """Symbol -> value of the table of parameters."""
    return {row[0].strip("$"): row[2] for row in rows(name, "Parameters") if len(row) == 3 and row[0].startswith("$")}


def test_the_pages_are_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "game_pages.py"], check=True)


@pytest.mark.parametrize("line", TABLE.split("\n")[1:-1], ids=lambda line: line.split()[0])
def test_parameters_are_those_of_the_tables(line):
    name, *values = line.split()
    shown = printed(name)
    for symbol, value in zip(SYMBOLS, values, strict=True):
        if value == "-":
            assert symbol not in shown
        else:
            assert float(shown[symbol]) == pytest.approx(float(value)), symbol
    for symbol, value in zip((r"\omega", r"\beta", "c", r"\phi_B", r"\phi_C"), TEAMS.get(name, ()), strict=False):
        assert float(shown[symbol]) == value
    order = (r"\rho_0", r"\eta", r"\kappa_R", "k", r"\lambda_R", r"\omega")
    for symbol, value in zip(order, ANSWERS.get(name, ()), strict=False):
        assert float(shown[symbol]) == value


@pytest.mark.parametrize("name", NAMES)
def test_every_printed_parameter_rebuilds_the_game(name):
    game, shown = coopgym.game(f"{name}-v1"), printed(name)
    trust, others = game.trust, ~np.eye(game.n, dtype=bool)
    erosion = float(shown[r"\lambda^{-}"]) * (1.0 + float(shown[r"\xi"]) * game.interdependence)
    assert trust.erosion[others] == pytest.approx(erosion[others])
    assert trust.gain * game.endowment == pytest.approx(10.0 * float(shown[r"\kappa"]))
    if r"\rho_0" in shown:
        rho, eta, strength, omega = (float(shown[s]) for s in (r"\rho_0", r"\eta", r"\lambda_R", r"\omega"))
        weight = strength * (1.0 + omega * game.interdependence) * rho * game.interdependence**eta
        (answer,) = [m for m in game.mechanisms if hasattr(m, "weight")]
        assert answer.weight[others] == pytest.approx(weight[others])
    agents = [row for row in rows(name, "Parameters") if re.match(r"[a-z]+_\d+", row[0]) and len(row) <= 4]
    assert float(agents[0][1]) == game.endowment[0] and float(agents[0][2]) == game.baseline[0]
    assert agents[-1][0].endswith(game.agents[-1]) or game.n == 3  # of three agents the last row is of the matrix
    assert [p.text for p in parameters(game) if p.symbol] == list(shown.values())


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_there_and_told(name):
    page = text(name)
    told = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", page)
    assert [target for _, target in told][:2] == [f"{name}.png", f"{name}.webp"]
    assert all(len(alt) > 40 and (FOLDER / target).exists() for alt, target in told)
    assert (FOLDER / f"{name}.png").stat().st_size < 60_000
    with Image.open(FOLDER / f"{name}.webp") as image:
        assert image.is_animated and 20 <= image.n_frames <= 40
    assert (FOLDER / f"{name}.webp").stat().st_size < 200_000
    assert all((FOLDER / target).resolve().exists() for target in re.findall(r"\]\((\.\./[^)#]+)", page))
    assert re.search(rf"\]\({name}\.webp\)", text("index"))


def test_all_pictures_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.webp")) < 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_parts(name):
    page, game = text(name), coopgym.game(f"{name}-v1")
    for heading in ("Parameters", "What it pays", "How much of a dilemma it is", "Equilibria and optima", "Options",
                    "As released (`-v0`)", "References"):  # fmt: skip
        assert f"\n## {heading}\n" in page
    assert page.count("\n$$\n") == 2 * (len(equations(game)) + len(rewards(game)))
    assert f"TR-{game.report}, " in page
    assert {row[0].strip("`") for row in rows(name, "Options") if row[0].startswith("`")} >= set(
        ENTRIES[name].options()
    )
    assert len(rows(name, "How much of a dilemma it is")) == 4 + 4
    assert ("## Case study" in page) == (name in words()["case"])
    assert all(rule in page for rule in rules(coopgym.game(f"{name}-v0")))


def test_words_cover_every_game_and_option():
    assert set(words()["story"]) == set(NAMES)
    assert {option for entry in ENTRIES.values() for option in entry.options()} == set(words()["options"])
    assert all(30 < len(story) < 420 for story in words()["story"].values())


def test_links_to_sections_lead_somewhere():
    headings = {
        page.name: {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-") for line in _headings(page)}
        for page in (ROOT / "docs" / "validation.md", ROOT / "docs" / "case_conduct.md")
    }
    for case in words()["case"].values():
        assert case["page"] in headings["validation.md"] and case["conduct"] in headings["case_conduct.md"]
        assert (ROOT / "docs" / case["picture"]).exists()


def _headings(page: Path) -> list[str]:
    return [line.lstrip("# ") for line in page.read_text().splitlines() if line.startswith("#")]


def test_rates_are_found_whatever_the_options():
    assert trust_rates(coopgym.game("TrustDilemma-v1", trust_sensitivity=2.0))["sensitivity"] == 2.0
    assert trust_rates(coopgym.game("TrustDilemma-v0"))["sensitivity"] == 1.5
    assert trust_rates(coopgym.game("GiftExchange-v1", trust_signal="raw"))["amplification"] == pytest.approx(0.5)
    assert trust_rates(coopgym.game("SLCD-v1", trust_enabled=False)) == {}


def test_differences_are_those_that_there_are():
    phases = {phase: coopgym.game("RenaultNissan-v1", phase=phase) for phase in ("mature", "crisis")}
    assert [row[0] for row in differences(phases)] == ["D_{ij}", "T_{ij}(0)", "R_{ij}(0)"]
    assert differences({"a": coopgym.game("SLCD-v1"), "b": coopgym.game("SLCD-v1", calibration="report")}) == []
    told = rules(coopgym.game("TeamProduction-v0"))
    assert any("0.9 for rates below 0.2" in rule for rule in told) and not any("halved" in rule for rule in told)
    assert len(rules(coopgym.game("SLCD-v0"))) == 3 and rules(coopgym.game("SLCD-v1")) == []
