"""Intervals, tests and sample sizes against closed forms, enumeration and SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import nct, ttest_1samp
from scipy.stats import t as student

import coopgym
from coopgym.statistics import Interval, mean_interval, seeds_needed, sign_flip_p, tests


def test_a_mean_has_students_interval():
    x = np.random.default_rng(0).standard_normal((5, 3))
    found, ci = mean_interval(x), ttest_1samp(x, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [ci.low, ci.high])
    np.testing.assert_allclose(found.mean, x.mean(0))
    np.testing.assert_allclose(mean_interval(x.T, axis=1), found)
    assert mean_interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 2.0 - 4.302652 / 3**0.5, 2.0 + 4.302652 / 3**0.5))


def test_intervals_of_normal_data_cover_as_often_as_they_say():
    rng = np.random.default_rng(1)
    for n, level in itertools.product((2, 3, 5, 7, 20), (0.9, 0.95)):
        found = mean_interval(3.0 + rng.standard_normal((n, 4000)), level=level)
        assert ((found.low <= 3.0) & (found.high >= 3.0)).mean() == pytest.approx(level, abs=0.015)


def test_one_run_has_no_interval_equal_runs_one_of_width_zero_and_bounds_cut():
    one = mean_interval([5.0])
    assert one.mean == 5.0 and math.isnan(one.low) and math.isnan(one.high)
    assert mean_interval([0.1] * 7) == Interval(0.1, 0.1, 0.1)
    assert mean_interval([0.9, 1.0, 1.0], bounds=(0.0, 1.0)).high == 1.0
    assert mean_interval([1e308, 1.5e308]).mean == pytest.approx(1.25e308)
    assert math.isnan(mean_interval([1.0, math.nan]).low)
    with pytest.raises(ValueError, match="nothing to average"):
        mean_interval([])
    with pytest.raises(ValueError, match="level=95"):
        mean_interval([1.0, 2.0], level=95)


@pytest.mark.parametrize("effect", np.geomspace(0.03, 10.0, 60))
def test_seeds_needed_are_the_least_that_the_noncentral_t_allows(effect):
    """SciPy's distribution where it is a number: it is NaN for some of these, which led a search astray."""

    def power(n):
        freedom, shift = 2 * n - 2, effect * math.sqrt(n / 2.0)
        critical = student.ppf(0.975, freedom)
        return nct.sf(critical, freedom, shift) + nct.cdf(-critical, freedom, shift)

    found = seeds_needed(float(effect))
    if found is None:
        assert power(10_000) < 0.8
    else:
        assert power(found) >= 0.8 or np.isnan(power(found))
        assert found == 2 or power(found - 1) < 0.8


def test_seeds_needed_where_the_search_went_astray_and_at_its_ends():
    assert coopgym.statistics.seeds_needed(0.6823) == 35 == seeds_needed(-0.6823)
    assert seeds_needed(0.0) is None and seeds_needed(1e-4) is None
    assert seeds_needed(50.0) == 2 == seeds_needed(math.inf)
    assert seeds_needed(0.5, alpha=0.01, power=0.9) == 121  # Cohen 1988, table 2.4.1
    for bad in ({"effect": math.nan}, {"effect": 1.0, "alpha": 5}, {"effect": 1.0, "power": 1.0}):
        with pytest.raises(ValueError, match="is needed"):
            seeds_needed(**bad)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 12])
def test_p_is_that_of_every_choice_of_signs(n):
    x = np.random.default_rng(n).standard_normal(n) + 0.5
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    assert sign_flip_p(x) == (np.abs(signs @ x) >= abs(x.sum()) - 1e-12).mean()


def test_p_of_equal_differences_is_binomial_however_many():
    for n in (6, 20, 40, 41, 50):
        assert sign_flip_p(np.full(n, 2.0)) == pytest.approx(2.0 ** (1 - n), abs=1e-14)
        one = np.r_[-np.ones(1), np.ones(n - 1)]  # one against all others: n + 1 of 2^n choices at each end
        assert sign_flip_p(one * 0.1) == pytest.approx((n + 1) * 2.0 ** (1 - n), abs=1e-14)
    assert sign_flip_p([0.0, 0.0]) == 1.0 == sign_flip_p([1.0, -1.0])


def test_both_ways_of_counting_signs_agree(monkeypatch):
    x = np.random.default_rng(5).standard_normal(24) + 0.4
    counted = sign_flip_p(x)
    monkeypatch.setattr(tests, "_COUNTED", 1)
    assert sign_flip_p(x) == pytest.approx(counted, rel=2e-3)


def test_what_is_no_difference_is_refused():
    for bad in ([], [[1.0, 2.0]], [1.0, math.nan]):
        with pytest.raises(ValueError, match="a list of finite numbers"):
            sign_flip_p(bad)
