"""Pictures of audits are made from rows alone."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.report.audit import plot_fingerprints, plot_responses

MODES = ("private", "cooperative")


def made_up(games=("G",)):
    rows, curves = [], []
    plane = [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0) if x + y <= 1.0]
    for game in games:
        for mode in MODES:
            for seed in range(3):
                run = f"{game}-{mode}-{seed}"
                rows.append({"run_id": run, "game": game, "algorithm": "A", "reward_mode": mode, "mutuality": None})
                for metric in ("answer_defection", "answer_gift", "conditional_curve"):
                    value = np.linspace(0.0, 0.1 * seed, 5).tolist()
                    curves.append({"run_id": run, "metric": metric, "x": [0, 1, 2, 3, 4], "y": None, "value": value})
                value = [1.0 + 0.1 * seed * (x - y) for x, y in plane]
                x, y = (list(part) for part in zip(*plane, strict=True))
                curves.append({"run_id": run, "metric": "fingerprint", "x": x, "y": y, "value": value})
    return rows, curves


@pytest.mark.parametrize("plot", [plot_responses, plot_fingerprints])
def test_a_picture_is_saved_and_missing_values_are_no_obstacle(plot, tmp_path):
    rows, curves = made_up()
    curves[0]["value"][2] = None
    assert plot(rows, curves, tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert plot(rows, [], tmp_path / "b.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("plot", [plot_responses, plot_fingerprints])
def test_a_picture_shows_one_game(plot, tmp_path):
    with pytest.raises(ValueError, match="exactly one game"):
        plot(*made_up(("G", "H")), tmp_path / "a.png")
