"""What the first screen of a report says where there is little to say, or a tie."""

from __future__ import annotations

import pytest
from made_up import rows
from synthetic import GAMES, field

from coopgym.report.page import headline, rankings
from coopgym.report.page.material import Material
from coopgym.study.records import Records

REWARDS = ("reward_private", "reward_integrated", "reward_cooperative")


def lead(place, runs):
    Records(place).write("runs", "one", [row | dict.fromkeys(REWARDS, row["payoff"]) for row in runs])
    return headline.panel(Material.read(place)).lead


def test_one_seed_under_two_modes_has_both_means_and_no_interval(tmp_path):
    told = lead(tmp_path, rows(("IPPO",), ("private", "cooperative"), 1))
    assert "IPPO private" in told and "IPPO cooperative" in told and "two seeds or more" in told
    assert "nothing to compare" not in told


@pytest.mark.parametrize("modes", [("private",), ("private", "cooperative")])
def test_what_cannot_be_paired_says_why(tmp_path, modes):
    seeds = {mode: k for k, mode in enumerate(modes)}
    runs = [row | {"seed": seeds[row["reward_mode"]]} for row in rows(("IPPO",), modes, 1)]
    told = lead(tmp_path, runs)
    assert ("one reward mode" if len(modes) == 1 else "cannot be paired") in told


def test_a_tie_is_called_a_tie(tmp_path):
    levels = {"IPPO": [1.0, 0.2, 0.2, 0.1], "IA2C": [0.1, 0.1, 0.3, 0.9]}
    runs = [row for mode in ("private", "cooperative") for row in field(levels, noise=0.0, mode=mode)]
    told = lead(tmp_path, runs)
    assert "IA2C and IPPO share the best average rank" in told and "a tie" in told
    assert "tie" in rankings.panel(Material.read(tmp_path)).lead


def test_learners_of_different_games_have_no_rank_and_no_score_over_games(tmp_path):
    names = list(GAMES)
    told = lead(tmp_path, field({"IPPO": 1.0}, games=names[:1]) + field({"MAPPO": 0.9}, games=names[1:2]))
    assert "no rank over games" in told
    assert "no two learners" in rankings.panel(Material.read(tmp_path)).lead
