"""Pictures of the case studies: the numbers in them, and that each can be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coopgym.report.cases import plot_case
from coopgym.validation.panels import envelope, in_steps
from coopgym.validation.report1 import picture as slcd
from coopgym.validation.report2 import picture as alliance
from coopgym.validation.report3 import picture as apache
from coopgym.validation.report4 import picture as apple

ROOMS = (slcd, alliance, apache, apple)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.split(".")[-2])
def test_each_case_is_drawn_the_same_twice(room, tmp_path: Path):
    first, second = (plot_case(room.picture(draws=40), tmp_path / f"{name}.png") for name in "ab")
    assert first.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 150_000


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.split(".")[-2])
def test_phases_follow_each_other_and_series_have_one_length(room):
    picture = room.picture(draws=40)
    assert [phase.end for phase in picture.phases[:-1]] == [phase.start for phase in picture.phases[1:]]
    for panel in picture.panels:
        lengths = {len(y) for y in (*panel.models.values(), *panel.envelope, panel.x)}
        assert len(lengths) == 1
        assert (panel.envelope[0] <= panel.envelope[1]).all()
        assert panel.bands or panel.documented


def test_what_is_drawn_is_what_the_reports_say():
    increase = slcd.picture(draws=10).panels[0]
    assert increase.models["model"] == pytest.approx([42.19, 170.17], abs=0.01)
    assert (increase.bands[0].low, increase.bands[0].high) == (15.0, 50.0)
    trust = alliance.picture(draws=10).panels[0]
    assert trust.documented["documented"][1].tolist() == [0.85, 0.95, 0.2]
    effort = apache.picture(draws=10).panels[0]
    assert effort.models["model"][::2] == pytest.approx([9.6659, 0.09627, 0.01113, 0.01475], rel=1e-3)
    assert effort.x.tolist() == [1995, 1998, 1998, 2004, 2004, 2016, 2016, 2024]
    major = apple.picture(draws=10).panels[1]
    crisis = major.bands[3]
    assert (crisis.start, crisis.end, crisis.low, crisis.high) == pytest.approx((48, 54, 0.16, 0.28))


def test_envelope_and_steps():
    low, high = envelope(np.arange(101.0)[:, None] * np.ones(2), 0)
    assert low.tolist() == [5.0, 5.0] and high.tolist() == [95.0, 95.0]
    x, y = in_steps(np.array([0, 2, 5]), np.array([7.0, 9.0]))
    assert x.tolist() == [0, 2, 2, 5] and y.tolist() == [7.0, 7.0, 9.0, 9.0]
