"""The picture of an ablation is a PNG of the promised size, for every shape of records."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from made_up import curves, rows
from matplotlib.figure import Figure
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app
from coopgym.files import OverwriteError
from coopgym.report import plots
from coopgym.report.animation import animate_game
from coopgym.report.plots import plot_ablation
from coopgym.report.portrait import plot_game
from coopgym.report.solutions import plot_solutions


def size(path: Path) -> tuple[int, int]:
    """Width and height from the PNG's own header."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_a_picture_is_saved_and_the_same_records_give_the_same_picture(tmp_path):
    runs = rows()
    first = plot_ablation(runs, curves(runs), tmp_path / "a.png")
    second = plot_ablation(runs, curves(runs), tmp_path / "b.png")
    assert size(first) == (1210, 836)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 300_000


@pytest.mark.parametrize(("ending", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("jpg", b"\xff\xd8")])
def test_the_ending_says_which_kind_and_no_date_is_in_it(tmp_path, ending, begins):
    runs = rows(algorithms=("IPPO",), seeds=2)
    first, second = (plot_ablation(runs, [], tmp_path / "new" / f"{name}.{ending}").read_bytes() for name in "ab")
    assert first.startswith(begins)
    assert first == second


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "eps", "jpg", "jpeg", "tif", "tiff", "webp"])
def test_a_picture_replaces_one_of_ours_and_no_other_file(tmp_path, ending):
    figure, path = Figure(figsize=(2.0, 1.0)), tmp_path / f"a.{ending}"
    plots.save(figure, path)
    figure.text(0.5, 0.5, "new")
    before = path.read_bytes()
    plots.save(figure, path)
    assert path.read_bytes() != before
    figure.savefig(path)  # as somebody else's
    before = path.read_bytes()
    with pytest.raises(OverwriteError, match=f"a.{ending}' was not written by coopgym"):
        plots.save(figure, path)
    assert path.read_bytes() == before and [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("draw", "endings"), [(plot_game, ("png", "svg", "pdf")), (partial(animate_game, steps=2), ("webp", "gif"))]
)
def test_so_does_the_picture_of_a_game(tmp_path, draw, endings):
    for ending in endings:
        path = tmp_path / f"game.{ending}"
        for _ in range(2):
            draw("SLCD-v1", path)
        path.write_bytes(b"mine")
        with pytest.raises(OverwriteError, match="was not written by coopgym"):
            draw("SLCD-v1", path)
        assert path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "command", ["solve SLCD-v1 --concept nash --plot", "landscape SLCD-v1 --plot", "picture SLCD-v1 --out"]
)
def test_commands_refuse_it_before_they_work(tmp_path, command):
    path = tmp_path / "mine.png"
    path.write_bytes(b"mine")
    told = CliRunner().invoke(app, [*command.split(), str(path)], env={"COLUMNS": "200"})
    assert told.exit_code == 2 and "was not written by coopgym" in " ".join(told.output.split())
    assert path.read_bytes() == b"mine"


def test_an_ablation_refuses_it_before_it_trains(tmp_path):
    (tmp_path / "ablation.png").write_bytes(b"mine")
    told = CliRunner().invoke(app, ["ablate", "SLCD-v1", "--out", str(tmp_path)], env={"COLUMNS": "200"})
    assert told.exit_code != 0 and [path.name for path in tmp_path.iterdir()] == ["ablation.png"]


def test_journals_take_the_fonts_and_text_of_an_svg_is_text(tmp_path):
    runs = rows(algorithms=("IPPO",), seeds=2)
    pdf = plot_ablation(runs, [], tmp_path / "a.pdf").read_bytes()
    assert b"/Type3" not in pdf and b"/FontFile2" in pdf  # TrueType, embedded
    svg = plot_ablation(runs, [], tmp_path / "a.svg").read_text()
    assert "<text" in svg and ">cooperative<" in svg
    with pytest.raises(ValueError, match=r"must end in .*\.png"):
        plot_ablation(runs, [], tmp_path / "a.doc")


@pytest.mark.parametrize(
    "runs",
    [
        rows(algorithms=("IPPO",), modes=("private",), seeds=1),
        rows(algorithms=("A", "B", "C"), seeds=2),
        [row | {"best_constant_welfare": None} for row in rows(seeds=2)],
        [row | {"mutuality": m} for row in rows(modes=("integrated",), seeds=2) for m in (0.25, 0.5, 0.75)],
        [row | ({"status": "diverged"} if row["seed"] == 0 else {}) for row in rows(seeds=3)],
    ],
    ids=["one run", "three algorithms", "no yardstick", "sweep", "diverged"],
)
def test_every_shape_of_records_can_be_drawn(tmp_path, runs):
    assert size(plot_ablation(runs, curves(runs, points=5), tmp_path / "a.png"))[0] == 1210


def test_without_curves_there_is_still_a_picture(tmp_path):
    assert plot_ablation(rows(seeds=2), [], tmp_path / "a.png").exists()


def test_a_picture_is_of_one_game(tmp_path):
    with pytest.raises(ValueError, match="exactly one game"):
        plot_ablation(rows(seeds=1) + rows(seeds=1, game="SLCD-v1"), [], tmp_path / "a.png")
    with pytest.raises(ValueError, match="no finished game"):
        plot_ablation([row | {"status": "failed"} for row in rows(seeds=1)], [], tmp_path / "a.png")


def test_a_picture_of_solutions_is_of_one_game(tmp_path):
    game = coopgym.game("SLCD-v1", max_steps=5)
    found = [coopgym.solve(game, concept) for concept in ("nash", "social_optimum")]
    assert plot_solutions(found, tmp_path / "deep" / "s.png").read_bytes().startswith(b"\x89PNG")
    other = coopgym.solve("TrustDilemma-v1", "nash")
    with pytest.raises(ValueError, match="exactly one game"):
        plot_solutions([*found, other], tmp_path / "s.png")
