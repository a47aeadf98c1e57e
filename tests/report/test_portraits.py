"""Pictures of games: drawn from episodes of the kernel, valid files, the same twice, and told in words."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app
from coopgym.report.alt import describe, describe_animation
from coopgym.report.animation import animate_game, pictures
from coopgym.report.catalogue import markdown
from coopgym.report.portrait import plot_game
from coopgym.report.scripts import SCRIPTS, course, script
from coopgym.report.surface import surface

V1 = coopgym.list_games()


@pytest.mark.parametrize("name", [*V1, *coopgym.list_games(version="v0")])
def test_the_scripted_episode_is_what_the_parallel_face_plays(name):
    played = course(coopgym.game(name))
    env = coopgym.make_parallel(name, reward_mode="private")
    env.reset(seed=0)
    n = len(env.possible_agents)
    for step, rates in enumerate(played.rates):
        actions = dict(zip(env.possible_agents, (rates * played.game.endowment)[:, None], strict=True))
        _, _, terminated, _, infos = env.step(actions)
        if "SynergySearch" not in name:  # gamma is drawn by the face, and in the middle of its range here
            found = [infos[agent]["payoff"] for agent in env.possible_agents]
            assert played.payoffs[step] == pytest.approx(found, rel=1e-6)
        trust = env.state()[n : n + n * n].reshape(n, n)
        assert played.trust[step + 1] == pytest.approx(trust, abs=1e-6)
    assert played.ended == all(terminated.values())


def test_scripts_show_what_they_say():
    trust = course(coopgym.game("TrustDilemma-v1"))
    assert trust.ended and trust.trusted[8, 0] > 0.8 > 0.2 > trust.trusted[10, 0]
    assert 0.2 < trust.trusted[23, 0] < trust.ceiling[23, 0] < 0.6
    assert trust.payoffs[8, 0] > trust.payoffs[7, 0]  # the breach pays at once
    market = course(coopgym.game("ReputationMarket-v1"))
    assert (market.payoffs[5:7, 0] > market.payoffs[4, 0]).all() and market.payoffs[7, 0] < market.payoffs[4, 0]
    assert market.watched[-1, 1] > 0.8 and market.marks == (0.25, 0.5, 0.8)
    coalition = course(coopgym.game("CoalitionFormation-v1"))
    member = coalition.inside[:, 0]
    assert not member[20:30].any() and member[0] and member[-1] and trust.inside.all()
    assert coalition.payoffs[20, 0] < 10 < 200 < coalition.payoffs[-1, 0]
    team = course(coopgym.game("TeamProduction-v1"))
    assert team.payoffs[9, 0] > team.payoffs[7, 0] > team.payoffs[9, 1]
    deal = course(coopgym.game("CooperativeNegotiation-v1"))
    kept, broken = deal.payoffs[19, 0], deal.payoffs[20, 0]
    assert deal.watched[20, 0] == pytest.approx(0.55) and kept - broken > 3.0 * 35.0 - 20.0
    recovery = course(coopgym.game("ReciprocalDilemma-v1")).payoffs[:, 1]
    assert recovery[7] > recovery[12] > recovery[6] > recovery[20] and recovery[20] < recovery[30]
    search = course(coopgym.game("SynergySearch-v1"))
    top = search.rates[:24][search.payoffs[:24].sum(-1).argmax(), 0]
    assert search.rates[-1, 0] == pytest.approx(top, abs=0.05)


def test_every_class_has_its_script_and_both_versions_the_same():
    assert {id(script(coopgym.game(name))) for name in V1} >= {id(one) for one in SCRIPTS.values()}
    for name in V1:
        old = coopgym.game(name.replace("v1", "v0"))
        if name != "TeamProduction-v1":  # the release computes one team multiplier for all
            assert script(old) is script(coopgym.game(name)), name


def test_a_still_picture_is_small_and_the_same_twice(tmp_path: Path):
    first, second = (plot_game("PlatformEcosystem-v1", tmp_path / f"{k}.png") for k in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 60_000
    with Image.open(first) as image:
        assert image.format == "PNG" and image.size == (900, 870)
        assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_a_picture_for_print_and_options_of_the_game(tmp_path: Path):
    path = plot_game("ApacheProject-v1", tmp_path / "a.pdf", phase="emergence")
    assert path.read_bytes()[:5] == b"%PDF-"
    with pytest.raises(ValueError, match=r"must end in .png, .pdf, .svg"):
        plot_game("SLCD-v1", tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"must end in .webp or .gif"):
        animate_game("SLCD-v1", tmp_path / "a.png")


@pytest.mark.parametrize(("suffix", "name"), [("webp", "AppleAppStore-v0"), ("gif", "GiftExchange-v1")])
def test_an_animation_has_a_frame_a_step_and_is_the_same_twice(suffix, name, tmp_path: Path):
    first, second = (animate_game(name, tmp_path / f"{k}.{suffix}", steps=2) for k in "ab")
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert image.is_animated and image.n_frames == 2 and image.size == (640, 500)


def test_frames_differ_where_the_episode_moves():
    frames = [np.asarray(one.convert("L")).astype(int) for one in pictures(course(coopgym.game("SLCD-v1"), 3))]
    assert all((a != b).mean() > 1e-4 for a, b in itertools.pairwise(frames))


def test_the_surface_marks_what_solve_and_dilemma_find():
    game = coopgym.game("GiftExchange-v1")
    found, known = surface(game), coopgym.dilemma("GiftExchange-v1")
    assert found.nash == pytest.approx(tuple(known.nash.actions / game.endowment))
    assert found.optimum == pytest.approx(tuple(known.optimum.actions / game.endowment))
    row, column = np.unravel_index(found.welfare.argmax(), found.welfare.shape)
    assert (found.rates[column], found.rates[row]) == pytest.approx(found.optimum, abs=0.011)
    alone = np.interp(found.nash[1], found.rates, found.reply)
    assert alone == pytest.approx(found.nash[0], abs=0.011)


@pytest.mark.parametrize("name", V1[::4])
def test_words_tell_what_is_drawn(name):
    game, played = coopgym.game(name), course(coopgym.game(name))
    still, moving = describe(game), describe_animation(game)
    first = game.agents[0]
    for words in (still, moving):
        assert first in words and name in words and f"{played.watched[-1, 0]:.2f}" in words
        assert ("The game ends" in words) == played.ended
    assert f"{surface(game).constant:.0%} for all" in still and f"{game.interdependence.max():.2f}" in still
    assert 150 < len(still) < 900


def test_the_command_draws_and_tells(tmp_path: Path):
    told = CliRunner().invoke(app, ["picture", "SLCD-v1", "--out", str(tmp_path / "a.png"), "--json"])
    assert told.exit_code == 0 and (tmp_path / "a.png").stat().st_size > 10_000
    assert json.loads(told.output)["description"] == describe(coopgym.game("SLCD-v1"))
    assert CliRunner().invoke(app, ["picture", "SLCD-v1", "--animate", "--out", "a.png"]).exit_code == 2


def test_the_table_of_games_can_link_to_the_pages():
    assert "| [`SLCD-v1`](docs/games/SLCD.md) | TR-1 " in markdown(pages="docs/games")
    assert "| `SLCD-v1` | TR-1 " in markdown()
