"""The landscape audits against the release's recorded tables, every row, and ours against figures found elsewhere."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import coopgym
from coopgym.audit.landscape import corrected_audit, landscape, static_audit, temporal_audit
from coopgym.audit.landscape import strategies as ways
from coopgym.audit.landscape.common import actions_at, chosen_agents, targets_of
from coopgym.audit.landscape.corrected import LOWER, scan_plan
from coopgym.audit.landscape.deviations import play
from coopgym.audit.landscape.recorded import as_recorded
from coopgym.audit.landscape.released import verdict_of
from coopgym.envs.reward import RewardMode

DATA = Path(__file__).parents[1] / "data"
V0 = coopgym.list_games(version="v0")
INTEGRATED = RewardMode("integrated")
TIES = ("ReputationMarket-v0", "CoalitionFormation-v0")  # where rounding decides, see landscape/recorded.py
NUMBERS = {  # our record -> the recorded column
    "mean_return": "mean_return_per_agent",
    "return_agent": "return_agent_0",
    "return_others": "mean_return_others",
    "gain": "agent0_gain",
    "others_change": "others_change",
}


@cache
def recorded(name: str) -> dict[str, list[dict[str, str]]]:
    """The rows of a recorded table by game."""
    games: dict[str, list[dict[str, str]]] = {}
    with (DATA / f"v0_{name}_audit.csv").open() as lines:
        for row in csv.DictReader(lines):
            games.setdefault(row["environment"], []).append(row)
    return games


def off(ours: dict, theirs: dict) -> list[str]:
    """Numbers that differ by more than 1e-5, and flags that differ at all."""
    told = [(n, ours[n], float(theirs[c])) for n, c in NUMBERS.items() if theirs.get(c)]
    wrong = [f"{n}: {x} for {y}" for n, x, y in told if abs(x - y) > 1e-5 * max(1.0, abs(y))]
    flag = theirs["exploitative"]
    return wrong + ([f"flag {flag}"] if flag and ours["exploitative"] != (flag == "True") else [])


def test_the_tables_are_whole():
    assert [len(rows) for rows in recorded("static").values()] == [25] * 20
    assert sum(map(len, recorded("temporal").values())) == 284
    assert set(recorded("static")) == set(recorded("temporal")) == set(V0)


@pytest.mark.parametrize("id", V0)
def test_every_row_of_the_static_table(id):
    rows = static_audit(as_recorded(coopgym.game(id))).rows()
    for ours, theirs in zip(rows, recorded("static")[id], strict=True):
        assert (ours["strategy"] == "surface") == (theirs["kind"] == "surface")
        assert ours["level"] == pytest.approx(float(theirs["level"]))
        assert off(ours, theirs) == []


@pytest.mark.parametrize("id", V0)
def test_every_row_of_the_temporal_table(id):
    rows = temporal_audit(as_recorded(coopgym.game(id))).rows()
    for ours, theirs in zip(rows, recorded("temporal")[id], strict=True):
        for name in ("strategy", "parameter", "episode_length"):
            assert str(ours[name]).removesuffix(".0") == theirs[name].removesuffix(".0")
        assert off(ours, theirs) == []


@pytest.mark.parametrize("id", TIES)
def test_the_release_itself_differs_only_where_rounding_decides_a_threshold(id):
    game = coopgym.game(id)
    assert as_recorded(game) is not game and as_recorded(coopgym.game("SLCD-v0")).hash == coopgym.game("SLCD-v0").hash
    pairs = list(zip(static_audit(game).rows(), recorded("static")[id], strict=True))
    pairs += zip(temporal_audit(game).rows(), recorded("temporal")[id], strict=True)
    wrong = [off(ours, theirs) for ours, theirs in pairs]
    assert 0 < sum(map(bool, wrong)) < len(pairs) / 1.5
    assert not any("flag" in each for one in wrong for each in one)
    for ours, theirs in pairs:  # one step of a tier, or of membership, out of 100
        assert ours["mean_return"] == pytest.approx(
            float(theirs.get("mean_return_per_agent", ours["mean_return"])), 0.02
        )


@pytest.mark.parametrize(("id", "name"), [(TIES[0], "public_reputation"), (TIES[1], "loyalty")])
def test_recorded_trajectories_of_the_release_add_up_in_single_precision_as_ours_do(id, name, golden):
    data = np.load(golden / f"{id}.npz")
    scores, actions = data[f"x_{name}"], data["actions"]
    known = np.isfinite(scores)
    np.testing.assert_array_equal(scores[known], scores[known].astype(np.float32))
    game = coopgym.game(id)
    state = game.reset((len(scores),))
    for t in range(scores.shape[1]):
        state, _, _ = game.step(state, np.nan_to_num(actions[:, t]))
        running = np.isfinite(scores[:, t]).all(-1)
        np.testing.assert_array_equal(state.extra[name][running], scores[running, t])


def test_the_published_counts():
    audits = {id.removesuffix("-v0"): (static_audit(id), temporal_audit(id)) for id in V0}
    flags = {name: int(static.exploitative_levels[0]) for name, (static, _) in audits.items()}
    assert flags == {
        "TrustDilemma": 3, "PartnerHoldUp": 0, "PlatformEcosystem": 1, "DynamicPartnerSelection": 2, "RecoveryRace": 2,
        "SynergySearch": 3, "SLCD": 2, "RenaultNissan": 1, "CooperativeNegotiation": 2, "ReputationMarket": 0,
        "TeamProduction": 1, "LoyaltyTeam": 0, "CoalitionFormation": 0, "ApacheProject": 0, "PublicGoods": 0,
        "ReciprocalDilemma": 2, "GiftExchange": 2, "IndirectReciprocity": 2, "GraduatedSanction": 3, "AppleAppStore": 2,
    }  # fmt: skip
    assert {temporal.verdicts() for _, temporal in audits.values()} == {("immune",)}
    late = [r for _, t in audits.values() for r in t.rows() if r["strategy"] == "late_defection"]
    assert len(late) * 3 == 492  # of three seeds: the release says 504
    ramps = {}
    for name, (_, temporal) in audits.items():
        row = temporal.rows()[-1]
        mean = float(temporal.deviations.base.rewards.mean())
        if row["exploitative"]:
            ramps[name] = row["gain"] / mean
    percent = {name: round(100.0 * share, 4) for name, share in ramps.items()}
    assert percent == {
        "DynamicPartnerSelection": 0.4063, "SynergySearch": 0.0666, "GiftExchange": 0.0040,
        "IndirectReciprocity": 0.2437, "GraduatedSanction": 0.2678, "AppleAppStore": 0.3536,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("onset", "flagged", "verdict"),
    [
        (np.nan, 0.0, "immune"), (0.95, 0.25, "terminal_only"), (0.9, 0.5, "terminal_only"),
        (0.7, 0.9, "late_vulnerable"), (0.5, 0.5, "broadly_vulnerable"), (0.5, 0.375, "partially_vulnerable"),
    ],
)  # fmt: skip
def test_verdicts(onset, flagged, verdict):
    assert verdict_of(onset, flagged) == verdict


def test_times_of_leaving():
    found = {(s.name, s.parameter): s.shares for s in ways.released(100, 100)}
    assert [p for name, p in found if name == "late_defection"] == [50, 60, 70, 80, 90, 95, 97, 99]
    assert [p for name, p in found if name == "early_defection"] == [10, 20, 30]
    np.testing.assert_allclose(found["ramp_down", 80][[0, 80, 81, 99]], [0.0, 0.0, 0.05, 0.95])
    assert found["late_defection", 90].sum() == 10 and found["early_defection", 10].sum() == 10
    assert [s.parameter for s in ways.released(100, 66) if s.name == "late_defection"] == [
        33,
        39,
        46,
        52,
        59,
        61,
        62,
        63,
        65,
    ]
    assert ways.released(3, 1)[-1].shares.max() <= 1.0


def test_leaving_for_the_same_action_changes_nothing():
    audit = temporal_audit("GraduatedSanction-v1", agents="roles", level=0.0)
    effects = audit.deviations.effects()
    assert not effects.gain.any() and not effects.others.any() and not effects.exploitative.any()


@pytest.mark.parametrize("id", ["PublicGoods-v1", "ReputationMarket-v0", "ApacheProject-v1"])
def test_agents_of_a_role_are_tempted_alike(id):
    game = coopgym.game(id)
    assert chosen_agents(game, "roles") == (0,)
    effects = static_audit(game, agents=[0, game.n - 1], own_rates=True).deviations.effects()
    np.testing.assert_allclose(effects.gain[0], effects.gain[1], rtol=1e-9)
    np.testing.assert_allclose(effects.others[0], effects.others[1], rtol=1e-9)


def test_all_agents_together_are_the_surface_at_the_level_they_go_to():
    audit = static_audit("AppleAppStore-v0", own_rates=True)
    surface, left = audit.surface.base.rewards, audit.deviations.together.rewards
    np.testing.assert_allclose(left[:, 0], surface[[2, 4, 6, 8]], rtol=1e-12)


def test_raw_numbers_are_cut_to_each_endowment_and_own_rates_are_not():
    game = coopgym.game("GiftExchange-v0")  # endowments 100, 80
    np.testing.assert_array_equal(actions_at(game, [0.5, 0.9], False), [[50.0, 50.0], [90.0, 80.0]])
    np.testing.assert_array_equal(actions_at(game, [0.5, 0.9], True), [[50.0, 40.0], [90.0, 72.0]])
    with pytest.raises(ValueError, match="agent"):
        static_audit(game, agents=2)


def test_the_selfish_answer_is_the_best_of_a_grid_in_the_first_step():
    game = coopgym.game("AppleAppStore-v0")
    base = actions_at(game, [0.5], True)
    answer = targets_of(game, base, "selfish")[0]
    for agent in range(game.n):
        grid = np.repeat(base, 20_001, 0)
        grid[:, agent] = np.linspace(0.0, game.endowment[agent], 20_001)
        best = grid[game.payoffs(game.reset((20_001,)), grid)[:, agent].argmax(), agent]
        assert answer[agent] == pytest.approx(best, abs=0.01)
    with pytest.raises(ValueError, match="target"):
        targets_of(game, base, "nothing")


def scan(id: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(gain, change of others, gain / return before), each ``[levels, starts]``, of agent 0 at the release's raw .5."""
    (found,) = play(scan_plan(coopgym.game(id), INTEGRATED, (0,), own_rates=False))
    effects = found.effects()
    return effects.gain[0], effects.others[0], effects.gain[0] / found.base.rewards[:, :1]


@pytest.mark.parametrize(
    ("id", "level", "gain", "share", "others"),
    [
        ("TrustDilemma-v0", 0.30, 379.9, None, -8885),
        ("GraduatedSanction-v0", 0.22, 2039, 0.028, -9471),
        ("AppleAppStore-v0", 0.24, None, 0.043, None),
        ("PlatformEcosystem-v0", 0.30, None, 0.047, -4698),
    ],
)
def test_leaving_for_a_selfish_level_pays_what_was_found_elsewhere(id, level, gain, share, others):
    gains, harms, shares = scan(id)
    k = int(np.flatnonzero(np.isclose(LOWER, level))[0])
    if gain:
        assert gains[k, 0] == pytest.approx(gain, abs=0.5)
    if share:
        assert shares[k, 0] == pytest.approx(share, abs=5e-4)
    if others:
        assert harms[k, 0] == pytest.approx(others, abs=0.6)
    assert gains[k, 0] >= 0.97 * gains[:, 0].max()


def test_fifteen_games_tempt_the_first_agent_to_give_less_and_fourteen_late():
    early, late = [], []
    for id in V0:
        if id != "ApacheProject-v0":
            gains, harms, _ = scan(id)
            pays = (gains > 1.0) & (harms < -1.0)
            early.append(bool(pays[:, 0].any()))
            late.append(bool(pays[:, 1:].any()))
    assert (sum(early), sum(late)) == (15, 14)


def test_the_joint_optimum_leaves_no_level_effect():
    audit = corrected_audit("GraduatedSanction-v0")
    effects = audit.joint.deviations.effects("payoffs")
    assert audit.joint_level == 0.21
    assert (effects.together[:, 0, 0] < 1e-3 * audit.joint.deviations.base.payoffs[0, 0]).all()
    assert audit.middle.rows()[1]["audit"] == "corrected"
    best = audit.temptations()[0]
    assert best.own_level == 0.21 and best.share == pytest.approx(0.0281, abs=1e-4)


def test_a_landscape_is_one_batch_and_says_the_same_as_its_parts():
    found = landscape("SLCD-v1", "private")
    rows = found.rows()
    parts = [*static_audit("SLCD-v1", "private").rows(), *temporal_audit("SLCD-v1", "private").rows()]
    parts += corrected_audit("SLCD-v1", "private").rows()
    assert [row["audit"] for row in rows] == [row["audit"] for row in parts]
    for name in ("gain", "return_agent", "others_change"):
        np.testing.assert_allclose([r[name] for r in rows], [r[name] for r in parts], rtol=1e-12, atol=1e-9)
    keys = {tuple(row[k] for k in ("audit", "agent", "level", "strategy", "parameter")) for row in rows}
    assert len(keys) == len(rows), "a result appears twice"
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["summary"]["game"] == "SLCD-v1" and len(plain["rows"]) == len(rows)


def test_private_rewards_are_payoffs():
    for row in temporal_audit("RenaultNissan-v1", "private").rows():
        assert row["gain"] == pytest.approx(row["gain_payoff"]) and row["exploitative"] == row["exploitative_payoff"]
