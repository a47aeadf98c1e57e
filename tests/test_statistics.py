"""Intervals, tests and sample sizes against closed forms, enumeration and SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import beta, mannwhitneyu, nct, trim_mean, ttest_1samp, ttest_ind
from scipy.stats import t as student
from scipy.stats.mstats import winsorize

import coopgym
from coopgym.statistics import (
    Interval,
    about,
    adjust,
    aggregate_interval,
    chance_interval,
    mean_interval,
    rank_intervals,
    seeds_needed,
    sentence,
    share_interval,
    sign_flip_p,
    stratified_mean,
    t_power,
    tests,
    welch_p,
)
from coopgym.statistics.ranks import beyond_chance, false_nulls, shown


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
    assert sign_flip_p(np.stack([x, -1e200 * x, 0.0 * x], -1)).tolist() == [sign_flip_p(x)] * 2 + [1.0]


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
    for bad in ([], [[[1.0, 2.0]]], [1.0, math.nan]):
        with pytest.raises(ValueError, match="finite numbers are needed"):
            sign_flip_p(bad)


def test_one_game_is_students_t_and_games_are_welchs():
    """Of two games the mean is half the sum: SciPy's Welch interval of a difference, with one side turned round."""
    draw = np.random.default_rng(3)
    x, y = draw.standard_normal(4), 3.0 * draw.standard_normal(7)
    assert aggregate_interval([x]) == pytest.approx(mean_interval(x))
    welch = ttest_ind(x, -y, equal_var=False).confidence_interval(0.95)
    found = aggregate_interval([x, y])
    assert found == pytest.approx(((x.mean() + y.mean()) / 2.0, welch.low / 2.0, welch.high / 2.0))
    wanted = stratified_mean([x[:, None], y[:, None]], weights=(1.0, 1.0))
    assert [part[0] for part in wanted] == pytest.approx([x.mean() + y.mean(), welch.low, welch.high])


def test_an_interquartile_mean_is_scipys_and_has_yuens_interval_in_one_game():
    x = np.random.default_rng(4).standard_normal(12)
    yuen = ttest_1samp_trimmed(x)
    assert aggregate_interval([x], "iqm") == pytest.approx(yuen)
    many = np.random.default_rng(5).standard_normal((6, 5)) + np.arange(6.0)[:, None]
    assert aggregate_interval(many, "iqm").mean == pytest.approx(trim_mean(many.ravel(), 0.25))


def ttest_1samp_trimmed(x):
    """Yuen's interval of a trimmed mean, after Wilcox (2012), section 4.3, with SciPy's winsorised values."""
    n, cut = len(x), int(0.25 * len(x))
    wins = winsorize(x, limits=(0.25, 0.25)).std(ddof=1)
    half = student.ppf(0.975, n - 2 * cut - 1) * wins / ((1.0 - 2.0 * cut / n) * math.sqrt(n))
    # Wilcox estimates the squared error by s_w^2 / ((1 - 2 g)^2 n); Yuen's own has h (h - 1) below: a factor
    half *= math.sqrt((n - 2 * cut) * (n - 1) / (n * (n - 2 * cut - 1)))
    middle = trim_mean(x, 0.25)
    return middle, middle - half, middle + half


@pytest.mark.parametrize("statistic", ["mean", "iqm"])
@pytest.mark.parametrize(("games", "seeds"), [(1, 5), (5, 5), (20, 3)])
def test_aggregates_cover_as_often_as_they_say(statistic, games, seeds):
    draw, level = np.random.default_rng(6), np.linspace(0.0, 1.0, games)
    scores = level[:, None] + 0.1 * draw.standard_normal((800, games, seeds))
    found = np.array([aggregate_interval(world, statistic) for world in scores])
    share = ((found[:, 1] <= level.mean()) & (found[:, 2] >= level.mean())).mean()  # symmetric: both have this mean
    assert 0.925 <= share <= 0.985


def test_games_of_unequal_size_single_runs_gaps_and_no_interval():
    found = aggregate_interval([[1.0, 2.0, 3.0], [5.0]])
    assert found.mean == 3.5 and found.low < 2.5 and found.high > 4.5  # the single run has the other game's variance
    assert math.isnan(aggregate_interval([[1.0], [2.0]]).low)
    assert aggregate_interval([[0.1] * 3, [0.1] * 3], "iqm") == Interval(0.1, 0.1, 0.1)
    strata = [np.array([[1.0, np.nan], [3.0, np.nan]]), np.array([[4.0, 7.0], [4.0, 9.0]])]
    found = stratified_mean(strata)
    assert found.mean.tolist() == [3.0, 8.0]
    assert found.low[1] == pytest.approx(mean_interval([7.0, 9.0]).low)
    assert aggregate_interval([[1e308, 1.2e308], [1e308, 1e308]]).mean == pytest.approx(1.05e308)
    assert aggregate_interval([[1.0, 2.0], [4.0, 6.0], [20.0, 90.0]], "median") == pytest.approx(mean_interval([4, 6]))
    with pytest.raises(ValueError, match="statistic='max' is not known"):
        aggregate_interval([[1.0]], "max")
    with pytest.raises(ValueError, match="nothing to average"):
        aggregate_interval([])


def test_ranks_of_players_that_are_alike_are_not_pulled_to_the_middle():
    """Means a billionth apart in all of ten games: the ranks are 1 to 4, and intervals must say so 19 times of 20."""
    draw, true, hits = np.random.default_rng(7), np.arange(1.0, 5.0), []
    for _ in range(200):
        found = rank_intervals(draw.standard_normal((4, 10, 5)) - 1e-9 * np.arange(4)[:, None, None])
        hits.append((found.low[0] <= true) & (found.high[0] >= true))
    assert np.mean(hits, axis=0).min() >= 0.93


def test_ranks_that_are_certain_are_points_and_unknown_ones_have_no_interval():
    levels = np.array([[0.0, 10.0], [10.0, 0.0], [20.0, 20.0]])
    found = rank_intervals(
        levels[..., None] + 0.01 * np.random.default_rng(8).standard_normal((3, 2, 5)), [[0], [0, 1]]
    )
    assert found.mean.tolist() == [[3.0, 2.0, 1.0], [2.5, 2.5, 1.0]] == found.low.tolist() == found.high.tolist()
    single = rank_intervals([[np.array([1.0])], [np.array([2.0])]])
    assert single.mean.tolist() == [[2.0, 1.0]] and np.isnan([single.low, single.high]).all()
    gone = rank_intervals([[np.array([1.0, 1.1])], [np.array([0.0])]], missing=np.array([[False], [True]]))
    assert gone.mean.tolist() == [[1.0, 2.0]] == gone.low.tolist() == gone.high.tolist()


def test_the_count_of_false_nulls_is_that_of_testing_every_set():
    """Closed testing by its definition: a set counts at least the sizes that are left of any superset not rejected."""

    def simes_rejects(p, alpha):
        return bool((np.sort(p) <= alpha * np.arange(1, len(p) + 1) / len(p)).any())

    draw = np.random.default_rng(9)
    for _ in range(60):
        p = draw.uniform(size=6) ** draw.integers(1, 6)
        kept = [len(own) for k in range(1, 7) for own in itertools.combinations(range(6), k)
                if not simes_rejects(p[list(own)], 0.05)]  # fmt: skip
        assert false_nulls(p, 0.05) == 6 - max(kept, default=0)


def test_what_chance_rejects_is_taken_off_whether_tests_are_independent_or_of_whole_games():
    draw, games, players = np.random.default_rng(12), 8, 5
    alone = draw.uniform(size=(2000, players, games))
    together = np.broadcast_to(draw.uniform(size=(2000, 1, games)), (2000, players, games))
    for p in (alone, together):
        assert np.mean([beyond_chance(x, 0.025) > 0 for x in p]) <= 0.035
    half = np.concatenate([np.full((2, games), 0.01), draw.uniform(0.06, 1.0, (players - 2, games))])
    assert 0 < beyond_chance(half, 0.025) <= 16 and shown(np.zeros((players, games)), 0.025) == players * games


def test_chances_and_shares_are_score_intervals():
    """Jeffreys' interval of one game by its formula; a chance beside Mann and Whitney's U, which covers over games."""
    found = share_interval([np.array([1, 1, 1, 0, 1])])
    assert tuple(map(float, found)) == pytest.approx((0.8, *beta(4.5, 1.5).ppf([0.025, 0.975])))
    assert float(share_interval([np.ones(3)]).high) == 1.0
    x, y = np.array([0.2, 0.5, 0.6]), np.array([0.1, 0.5, 0.9, 0.05])
    assert chance_interval([x], [y]).mean == pytest.approx(mannwhitneyu(x, y).statistic / 12)
    draw, gap = np.random.default_rng(10), np.linspace(-2.0, 2.0, 10)
    hits = []
    for _ in range(300):
        a, b = gap[:, None] + draw.standard_normal((10, 4)), draw.standard_normal((10, 4))
        found = chance_interval(a, b)
        hits.append(found.low <= 0.5 <= found.high)
    assert 0.92 <= np.mean(hits) <= 0.985


def test_holm_by_hand_and_welch_is_scipys():
    np.testing.assert_allclose(adjust(np.array([0.04, 0.01, 0.03]), "holm"), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(adjust(np.array([0.01, 0.04]), "bh"), [0.02, 0.04])
    x, y = np.random.default_rng(11).standard_normal((2, 6)) + np.array([[0.5], [0.0]])
    assert welch_p(x, y)[0] == pytest.approx(ttest_ind(x, y, equal_var=False, alternative="greater").pvalue)
    assert welch_p([1.0], y) == (1.0, 1.0) and welch_p([2.0, 2.0], [1.0, 1.0]) == (0.0, 1.0)


TWO = [[[1.0, 2.0]], [[1.0, 2.0]]]
ASKED = {  # each function with something wrong in one place
    "effect": seeds_needed,
    "alpha": lambda x: seeds_needed(1.0, x),
    "power": lambda x: seeds_needed(1.0, 0.05, x),
    "shift": lambda x: t_power(x, 5),
    "seeds": lambda x: t_power(1.0, x),
    "values": mean_interval,
    "axis": lambda x: mean_interval([1.0, 2.0], axis=x),
    "level": lambda x: mean_interval([1.0, 2.0], level=x),
    "bounds": lambda x: mean_interval([1.0, 2.0], bounds=(0.0, x)),
    "samples": aggregate_interval,
    "a game": lambda x: aggregate_interval([x, [1.0, 2.0]]),
    "statistic": lambda x: aggregate_interval([[1.0]], x),
    "strata": stratified_mean,
    "a stratum": lambda x: stratified_mean([x, np.ones(2)]),
    "weights": lambda x: stratified_mean([np.ones(2), np.ones(2)], [x, x]),
    "its level": lambda x: stratified_mean([np.ones(2)], level=x),
    "both": lambda x: chance_interval(x, x),
    "first": lambda x: chance_interval([x], [[1.0]]),
    "second": lambda x: chance_interval([[1.0]], x),
    "passed": share_interval,
    "a share": lambda x: share_interval([x]),
    "players": rank_intervals,
    "a player": lambda x: rank_intervals([x, [[1.0]]]),
    "runs": lambda x: rank_intervals([[x], [[1.0]]]),
    "groups": lambda x: rank_intervals(TWO, [x]),
    "missing": lambda x: rank_intervals(TWO, missing=x or 0),
    "the level": lambda x: rank_intervals(TWO, level=x),
    "differences": sign_flip_p,
    "p": lambda x: adjust(x, "holm"),
    "p of bh": lambda x: adjust(x, "bh"),
    "correction": lambda x: adjust([0.1], x),
    "one sample": lambda x: welch_p(x, [1.0, 2.0]),
    "the other": lambda x: welch_p([1.0, 2.0], x),
    "kind": about,
    "a level": lambda x: sentence(level=x),
}
NO_NUMBERS = (10**400, "x", "1", None, [10**400], ["x"], {}, object(), [[1.0, 2.0], [3.0, "x"]], 1j)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_number_is_refused_in_one_sentence(name):
    for wrong in NO_NUMBERS:
        if name == "missing" and wrong in (None, {}):  # the default, and nothing at all
            continue
        with pytest.raises(ValueError) as told:
            ASKED[name](wrong)
        text = str(told.value)
        assert 20 < len(text) < 500 and "\n" not in text and ("give" in text or "needed" in text or "choose" in text)


@pytest.mark.parametrize("name", ["values", "samples", "strata", "both", "passed", "players", "differences"])
def test_of_nothing_there_is_no_statistic(name):
    with pytest.raises(ValueError, match=r"give at least one|are needed"):
        ASKED[name]([])


def test_what_is_unknown_stays_so():
    assert all(map(math.isnan, mean_interval([1.0, math.nan])))
    assert np.isnan(chance_interval([[math.nan]], [[1.0]])).all()
    assert adjust([0.01, None, 0.04], "holm").tolist()[:2] == [0.03, pytest.approx(math.nan, nan_ok=True)]
    for wrong in (math.nan, [math.nan]):
        for name in ("effect", "alpha", "level", "axis", "its level", "a share", "p of bh", "differences"):
            with pytest.raises(ValueError):
                ASKED[name](wrong)


def test_a_lone_player_is_first():
    found = rank_intervals([[np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0])]])
    assert [np.ravel(part).tolist() for part in found] == [[1.0], [1.0], [1.0]]
