"""Comparisons between reward modes: what is planted is found, noise is not, intervals cover, gaps are counted."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import wilcoxon

from coopgym.audit.comparison import compare_modes
from coopgym.statistics import adjust, sign_flip_p

MODES = ("private", "integrated")


def records(seeds=8, measures=4, shift=None, algorithms=("IPPO",), games=("SLCD-v1",), modes=MODES, seed=0):
    """Noise of sd 1, shared noise of sd 5 within a seed, and shifts of measures in the last mode."""
    rng = np.random.default_rng(seed)
    rows = []
    for algorithm, game in itertools.product(algorithms, games):
        common = 5.0 * rng.standard_normal((seeds, measures))
        for mode in modes:
            values = common + rng.standard_normal((seeds, measures))
            if mode == modes[-1]:
                values += 0.0 if shift is None else np.asarray(shift)
            rows += [
                {"algorithm": algorithm, "game": game, "reward_mode": mode, "seed": s, "status": "ok"}
                | {f"m{k}": float(x) for k, x in enumerate(row)}
                for s, row in enumerate(values)
            ]
    return rows


def test_planted_changes_are_found_with_their_size_and_sign():
    found = compare_modes(records(seeds=12, shift=[4.0, 0.0, -4.0, 0.0]))
    assert [(c.measure, np.sign(c.difference)) for c in found.found] == [("m0", 1.0), ("m2", -1.0)]
    assert found.counts() == {"m0": (1, 0, 1), "m1": (0, 0, 1), "m2": (0, 1, 1), "m3": (0, 0, 1)}
    first = found.changes[0]
    assert (first.before, first.after, first.seeds, first.missing) == ("private", "integrated", 12, 0)
    assert first.low < 4.0 < first.high and first.high - first.low < 3.0  # pairing takes the seeds' own noise out
    assert first.difference == pytest.approx(first.mean_after - first.mean_before)
    assert json.loads(json.dumps(found.to_dict()))["changes"][0] == found.rows()[0]


def test_the_interval_of_a_change_is_students():
    rows = records(seeds=5, measures=1, shift=[1.0])
    (change,) = compare_modes(rows).changes
    x = [rows[5 + k]["m0"] - rows[k]["m0"] for k in range(5)]
    half = student.ppf(0.975, 4) * np.std(x, ddof=1) / np.sqrt(5)
    assert (change.low, change.high) == pytest.approx((np.mean(x) - half, np.mean(x) + half))


def test_the_findings_do_not_depend_on_a_seed():
    """Forty pairs at the edge of what the correction leaves: random flips found another set with every stream."""
    rows = records(seeds=40, measures=10, shift=np.linspace(0.3, 1.2, 10))
    found = [compare_modes(rows, seed=seed) for seed in range(2)]
    assert len({tuple(c.measure for c in each.found) for each in found}) == 1
    flips = np.random.default_rng(0).choice((-1.0, 1.0), (200_000, 40))
    for change in found[0].changes[::5]:
        x = np.array([rows[40 + k][change.measure] - rows[k][change.measure] for k in range(40)])
        share = (np.abs(flips @ x) >= abs(x.sum())).mean()
        assert change.p == pytest.approx(share, abs=4.0 * np.sqrt((share + 1e-5) / 200_000))


def test_where_games_are_the_sample_the_test_is_over_games():
    """Two of five games carry a change that all seven learners share: pairs find it, games do not."""
    draw, rows = np.random.default_rng(1), []
    for game, shift in {"a": 1.0, "b": 0.6, "c": 0.01, "d": -0.01, "e": 0.0}.items():
        for learner in range(7):
            for mode in MODES:
                value = 0.01 * draw.standard_normal() + (shift if mode == MODES[1] else 0.0)
                rows.append({"algorithm": "all", "game": "TR-3", "reward_mode": mode, "seed": f"{learner} {game}",
                             "own": game, "score": value})  # fmt: skip
    (pairs,) = compare_modes(rows, ["score"]).changes
    (games,) = compare_modes(rows, ["score"], cluster="own").changes
    assert (pairs.seeds, pairs.clusters, pairs.found) == (35, None, True)
    assert (games.seeds, games.clusters, games.found) == (35, 5, False)
    assert games.difference == pytest.approx(pairs.difference) and games.p >= 0.0625
    assert games.high - games.low > 1.5 * (pairs.high - pairs.low)
    note = "p of 5 owns is never below 0.0625"
    assert note in compare_modes(rows, ["score"], cluster="own").notes[0]
    with pytest.raises(ValueError, match="lacks own"):
        compare_modes([{**rows[0], "own": 1}, {k: v for k, v in rows[1].items() if k != "own"}], cluster="own")


def test_p_is_that_of_every_choice_of_signs():
    x = np.random.default_rng(2).standard_normal((7, 3)) + 0.7
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=7)))
    null = np.abs(signs @ x / 7)
    np.testing.assert_allclose(sign_flip_p(x), (null >= np.abs(x.mean(0)) - 1e-12).mean(0))
    assert sign_flip_p(np.full((6, 1), 2.0))[0] == wilcoxon([2, 3, 4, 5, 6, 7]).pvalue == 2.0**-5


def test_noise_is_found_at_the_stated_rate():
    x = np.random.default_rng(3).standard_normal((9, 4000))
    p = sign_flip_p(x)
    assert 0.04 <= (p <= 0.05).mean() <= 0.06
    families = p.reshape(400, 10)
    holm = np.mean([(adjust(f, "holm") <= 0.05).any() for f in families])
    discoveries = np.mean([(adjust(f, "bh") <= 0.05).any() for f in families])
    raw = np.mean([(adjust(f, "none") <= 0.05).any() for f in families])
    assert holm <= 0.06 and discoveries <= 0.07 and raw > 0.3


def test_holm_by_hand():
    np.testing.assert_allclose(adjust(np.array([0.04, 0.01, 0.03]), "holm"), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(adjust(np.array([0.9, 0.6]), "holm"), [1.0, 1.0])
    np.testing.assert_allclose(adjust(np.array([0.01, 0.04]), "bh"), [0.02, 0.04])
    assert adjust(np.array([]), "holm").shape == (0,)


def test_every_two_modes_in_their_order_and_each_algorithm_and_game_apart():
    modes = ("integrated:0.5", "cooperative", "private", "integrated")
    rows = records(seeds=3, measures=1, algorithms=("A", "B"), games=("SLCD-v1", "TrustDilemma-v1"), modes=modes)
    changes = compare_modes(rows).changes
    assert len(changes) == 2 * 2 * 6
    pairs = [(c.before, c.after) for c in changes[:6]]
    assert pairs[:3] == [("private", "integrated"), ("private", "cooperative"), ("private", "integrated:0.5")]
    assert [(c.algorithm, c.game) for c in changes[::6]] == [
        ("A", "SLCD-v1"), ("A", "TrustDilemma-v1"), ("B", "SLCD-v1"), ("B", "TrustDilemma-v1"),
    ]  # fmt: skip
    assert {(c.before, c.after) for c in compare_modes(rows, modes=("private", "cooperative")).changes} == {
        ("private", "cooperative")
    }


def test_a_change_does_not_depend_on_its_company_unless_corrected():
    rows = records(seeds=6, measures=3)
    alone = compare_modes(rows, ["m1"], correction="none").changes[0]
    assert compare_modes(rows, correction="none").changes[1] == alone
    assert compare_modes(rows[::-1], ["m1"], correction="none").changes[0].p == alone.p


def test_missing_values_are_counted_and_too_few_pairs_say_nothing():
    rows = records(seeds=5, measures=2)
    rows[0]["m0"] = float("nan")
    rows[1]["m0"] = None
    del rows[7]  # seed 2 of integrated
    for row in rows:
        row["m1"] = row["m1"] if row["seed"] == 4 else float("inf")
    found = compare_modes(rows)
    first, second = found.changes
    assert (first.seeds, first.missing, second.seeds, second.missing) == (2, 3, 1, 4)
    assert second.p is None and second.low is None and not second.found and second.difference is not None
    assert found.tests == 1 and "7 pairs of runs lack a finite value" in found.notes[0]
    assert "p of 2 pairs is never below 0.5" in found.notes[1]


def test_equal_runs_have_an_interval_of_nothing():
    rows = [{"algorithm": "A", "game": "G", "reward_mode": m, "seed": s, "x": 1.0} for m in MODES for s in range(7)]
    (change,) = compare_modes(rows).changes
    assert (change.difference, change.low, change.high, change.p, change.found) == (0.0, 0.0, 0.0, 1.0, False)


def test_what_cannot_be_compared_is_refused():
    rows = records(seeds=2, measures=1)
    with pytest.raises(ValueError, match="two records"):
        compare_modes([*rows, rows[0]])
    with pytest.raises(ValueError, match="lacks seed"):
        compare_modes([{"algorithm": "A", "game": "G", "reward_mode": "private"}])
    with pytest.raises(ValueError, match="correction"):
        compare_modes(rows, correction="bonferroni")
    assert compare_modes([]).changes == ()
