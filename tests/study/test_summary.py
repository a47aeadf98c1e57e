"""Means, intervals and rewards of the summary, against numbers worked out by other means."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import rows
from scipy.stats import ttest_1samp

from coopgym.study.summary import Estimate, estimate, estimates, mode_label, own_reward, summarise


def test_the_interval_is_students():
    found = estimate((1.0, 2.0, 6.0))
    ends = ttest_1samp((1.0, 2.0, 6.0), 0.0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((3.0, ends.low, ends.high))
    assert found.within(0.0, 5.0) == Estimate(3.0, 0.0, 5.0)


def test_intervals_of_many_samples_are_those_of_each():
    samples = [[1.0, 2.0], [3.0], [], [1.0, 1.0, 4.0], [2.0, 8.0]]
    assert estimates(samples) == [estimate(x) if x else None for x in samples]


def test_one_run_has_no_interval_and_equal_runs_have_one_of_width_zero():
    assert estimate([5.0]) == Estimate(5.0, None, None)
    assert estimate([0.1] * 7) == Estimate(pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1))
    with pytest.raises(ValueError, match="nothing to average"):
        estimate([])


def test_estimates_repeat_and_scale():
    assert estimate([1.0, 2.0, 5.0]) == estimate([1.0, 2.0, 5.0])
    assert Estimate(1.0, 0.5, 2.0) * 100.0 == Estimate(100.0, 50.0, 200.0)
    assert Estimate(1.0, None, None) * 2.0 == Estimate(2.0, None, None)


def test_own_reward_is_linear_in_mutuality():
    (row, *_) = rows(modes=("integrated",), seeds=1)
    private, full = sum(row["reward_private"]), sum(row["reward_integrated"])
    assert own_reward(row) == pytest.approx(full)
    assert own_reward({**row, "mutuality": 0.25}) == pytest.approx(0.75 * private + 0.25 * full)
    assert mode_label({**row, "mutuality": 0.25}) == "integrated(0.25)"
    assert mode_label(row) == "integrated"


def test_summary_has_a_line_for_each_algorithm_and_mode_in_order():
    made = rows(seeds=3)
    lines = summarise(reversed(made))
    modes = ["private", "integrated", "cooperative"]
    assert [(x.algorithm, x.reward_mode) for x in lines] == [(a, m) for a in ("IPPO", "MAPPO") for m in modes]
    first = [row for row in made if row["algorithm"] == "IPPO" and row["reward_mode"] == "private"]
    assert lines[0].runs == 3
    assert lines[0].welfare.mean == pytest.approx(np.mean([row["welfare"] for row in first]))
    assert lines[0].share_of_best.mean == pytest.approx(lines[0].welfare.mean / 11000.0)
    assert lines[1].reward_share_of_best.mean == pytest.approx(1.5 * lines[1].welfare.mean / 12000.0)
    assert lines[0].cooperation.mean == pytest.approx(np.mean([row["rate"] for row in first]))


def test_diverged_runs_are_counted_and_left_out():
    made = rows(algorithms=("IPPO",), modes=("private",), seeds=3)
    made[0] |= {"status": "diverged", "welfare": None}
    (line,) = summarise(made)
    assert (line.runs, line.diverged) == (2, 1)
    assert line.welfare.mean == pytest.approx(np.mean([row["welfare"] for row in made[1:]]))


def test_without_a_positive_yardstick_there_is_no_share():
    nothing = {"best_constant_welfare": None, "best_constant_reward": -5.0}
    made = [row | nothing for row in rows(modes=("private",), seeds=2)]
    assert all(line.share_of_best is None and line.reward_share_of_best is None for line in summarise(made))


def test_learners_of_the_sum_are_marked():
    made = rows(algorithms=("IPPO", "MAPPO"), modes=("private",), seeds=2)
    for row in made:
        row["team_reward"] = row["algorithm"] == "MAPPO"
    assert {line.algorithm: line.team for line in summarise(made)} == {"IPPO": False, "MAPPO": True}
