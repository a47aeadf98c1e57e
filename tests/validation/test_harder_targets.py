"""Targets that the models of TR-3 and TR-4 could fail."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report3 import harder as team
from coopgym.validation.report4 import harder as pair
from coopgym.validation.report4.sweep import Runs

TEAM = read_data("tr3_sweep")["boxes"]
PAIR = read_data("tr4_sweep")["boxes"]


@pytest.mark.parametrize("teammates", ["mean", "sum"])
@pytest.mark.parametrize("box", ["published", "documented"])
def test_nobody_gains_in_any_cell(box: str, teammates: str) -> None:
    found = team.harder_targets(TEAM[box], teammates)
    assert found["kkt_residual"] < 1e-12
    assert found["bounded_free_riding_error"] < 1e-9


def test_a_wrong_sweep_has_a_residual() -> None:
    result = team.sweep(TEAM["published"])
    result.effort[...] = 5.0
    assert team.residual(result) > 0.1


def test_half_of_the_documented_box_is_at_a_bound() -> None:
    assert team.harder_targets(TEAM["documented"])["clipped_pct"] > 50
    assert team.harder_targets(TEAM["published"])["clipped_pct"] < 2


def test_depth_and_half_life() -> None:
    deficit = np.array([[0.1, 0.0], [0.4, 0.2], [0.3, 0.3], [0.19, 0.3]])
    depth, half_life = pair.depth_and_half_life(deficit)
    assert depth.tolist() == [0.4, 0.3]
    assert half_life.tolist() == [2.0, np.inf]


def test_what_actors_do_is_less_asymmetric_than_what_they_feel() -> None:
    factors = pair.combinations(PAIR["published"])
    assert factors["rho_0"].shape == (3125,)
    felt = Runs.of(factors).rows(np.full(3125, 5), np.arange(3125)).ratio
    acted = pair.behavioural_asymmetry(factors)
    assert (felt > 1.5).all()
    assert acted["behaviour_ratio_above_1.5_pct"] < 100


def test_memory_in_use_changes_the_result_and_memory_unused_cannot() -> None:
    factors = {name: x[::7] for name, x in pair.combinations(PAIR["published"]).items()}
    found = pair.memory(factors, (1, 5, 20))
    assert found["memory_effect"] > 0.1
    assert found["memory_cooperation_k_1"] != found["memory_cooperation_k_20"]


def test_punishment_ends() -> None:
    factors = {name: x[::7] for name, x in pair.combinations(PAIR["published"]).items()}
    found = pair.punishment(Runs.of(factors))
    assert 0 < found["depth_p5"] < found["depth_p95"] < 1
    assert found["half_recovered_pct"] > 50
