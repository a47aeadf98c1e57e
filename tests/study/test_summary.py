"""Means, intervals and rewards of the summary, against numbers worked out by other means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from made_up import rows

from coopgym.study.summary import Estimate, band, estimate, mode_label, own_reward, summarise


def test_interval_is_that_of_all_resamples_counted_out():
    """With three values all 27 resamples can be listed; the percentile interval is between their quantiles."""
    values = (1.0, 2.0, 6.0)
    means = np.sort([np.mean(x) for x in itertools.product(values, repeat=3)])
    found = estimate(values)
    assert found.mean == pytest.approx(3.0)
    assert found.low == pytest.approx(np.quantile(means, 0.025, method="inverted_cdf"))
    assert found.high == pytest.approx(np.quantile(means, 0.975, method="inverted_cdf"))


def test_interval_of_many_values_agrees_with_the_normal_one():
    values = np.random.default_rng(3).normal(10.0, 2.0, 400)
    half = 1.96 * values.std(ddof=1) / np.sqrt(400)
    found = estimate(values)
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_one_run_has_no_interval_and_equal_runs_have_one_of_width_zero():
    assert estimate([5.0]) == Estimate(5.0, None, None)
    assert estimate([0.1] * 7) == Estimate(pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1))
    with pytest.raises(ValueError, match="nothing to average"):
        estimate([])


def test_estimates_repeat_and_scale():
    assert estimate([1.0, 2.0, 5.0]) == estimate([1.0, 2.0, 5.0])
    assert Estimate(1.0, 0.5, 2.0) * 100.0 == Estimate(100.0, 50.0, 200.0)
    assert Estimate(1.0, None, None) * 2.0 == Estimate(2.0, None, None)


def test_band_treats_each_point_by_itself():
    values = np.array([[1.0, 4.0], [1.0, 6.0], [1.0, 11.0]])
    mean, low, high = band(values)
    assert mean.tolist() == [1.0, 7.0]
    assert low[0] == high[0] == 1.0
    assert 4.0 <= low[1] < 7.0 < high[1] <= 11.0


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
