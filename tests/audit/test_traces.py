"""The one way in which audits play: it agrees with evaluation, and nothing that was not asked for happens."""

from __future__ import annotations

import numpy as np
import pytest
from players import GAME, always, forgives_after, grim, tit_for_tat

import coopgym
from coopgym.audit import traces
from coopgym.audit.traces import Plan, Subject, free


def plan(*windows, game=GAME, **more):
    """Windows (agent, first, end, rate), each a way to play."""
    forced = free(game, len(windows))
    for x, (agent, first, end, rate) in enumerate(windows):
        forced[x, ..., first:end, agent] = rate
    return Plan(forced, **more)


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "SynergySearch-v1", "ReputationMarket-v1", "PublicGoods-v0"])
def test_undisturbed_play_earns_what_evaluation_says(game):
    subject = Subject.of("TitForTat", coopgym.game(game), "integrated", episodes=4)
    played = coopgym.evaluate("TitForTat", game, subject.episodes)
    assert np.allclose(subject.base.payoffs.sum(-2)[0], played.payoffs, rtol=1e-12)
    assert np.allclose(subject.base.rewards.sum(-2)[0], played.rewards["integrated"], rtol=1e-12)
    assert (subject.base.lengths[0] == played.lengths).all()


@pytest.mark.parametrize("player", [tit_for_tat(), grim(), forgives_after(3)])
def test_forcing_an_agent_to_do_what_it_does_changes_nothing(player):
    subject = Subject.of(player, GAME)
    same = subject.trace(plan((0, 20, 60, 0.5), (1, 0, 100, 0.5), (0, 0, 0, 0.0)))
    for x in range(3):
        assert (same.only(x).rates == subject.base.rates).all()
        assert (same.only(x).payoffs == subject.base.payoffs).all()


def test_ways_that_part_late_are_played_once_and_end_like_ways_played_alone():
    windows = [(0, 90, 95, 0.1), (1, 0, 5, 0.0), (0, 40, 100, 1.0), (1, 99, 100, 0.3)]
    subject = Subject.of(tit_for_tat(), GAME)
    together = subject.trace(plan(*windows))
    for x, window in enumerate(windows):
        alone = Subject.of(tit_for_tat(), GAME).trace(plan(window)).only(0)
        for name in ("rates", "payoffs", "rewards", "trust", "alive"):
            assert (getattr(together.only(x), name) == getattr(alone, name)).all()
    assert np.allclose(subject.totals(plan(*windows)).payoffs, together.payoffs.sum(-2), rtol=1e-12)


def test_small_chunks_give_the_same(monkeypatch):
    subject, ways = Subject.of(tit_for_tat(), GAME), plan((0, 90, 95, 0.1), (1, 0, 5, 0.0), (0, 40, 100, 1.0))
    whole = subject.trace(ways).payoffs
    monkeypatch.setattr(traces, "CHUNK", 40)
    assert (subject.trace(ways).payoffs == whole).all()


def test_after_an_early_end_nothing_is_earned_whatever_is_forced_later():
    subject = Subject.of(0.0, coopgym.game("TrustDilemma-v1"))
    late = subject.trace(plan((0, 50, 60, 1.0), game=subject.game))
    assert late.lengths[0, 0, 0] == subject.base.lengths[0, 0] < 50
    assert (late.only(0).payoffs == subject.base.payoffs).all()


def test_replayed_partners_do_not_react():
    subject = Subject.of(tit_for_tat(), GAME)
    reacting = subject.trace(plan((0, 10, 20, 0.0)))
    replayed = subject.trace(plan((0, 10, 20, 0.0), replayed=subject.base.rates))
    assert reacting.rates[0, 0, 0, 11, 1] == 0.0
    assert (replayed.rates[..., 1] == 0.5).all()


def test_policies_can_be_shown_trust_that_is_not_there():
    def trusting(seen):
        return 100.0 * seen[..., [0, 1], [3, 2]]  # as large a share as the other is trusted

    subject = Subject.of(trusting, GAME)
    start = GAME.reset()
    same = tuple(np.broadcast_to(x, (1, 1, GAME.horizon + 1, 2, 2)) for x in (start.trust, start.damage))
    shown = subject.trace(plan((0, 10, 20, 0.0), shown=same))
    assert np.ptp(shown.rates[..., 1]) == 0.0
    assert np.ptp(subject.trace(plan((0, 10, 20, 0.0))).rates[..., 1]) > 0.0


def test_policies_that_draw_share_their_numbers_between_ways_to_play():
    subject = Subject.of("Random", GAME, episodes=3)
    late = subject.trace(plan((0, 60, 61, 0.0), (1, 80, 81, 0.0)))
    assert subject.episodes == 3
    assert (late.rates[:, :, :, :60] == subject.base.rates[:, None, :, :60]).all()
    assert np.ptp(late.rates[0, 0, :, 5, 0]) > 0.0


def test_replicas_are_played_side_by_side():
    stack = type(always(0.1)).stack([always(0.1), always(0.6)])
    subject = Subject.of(stack, GAME, ["private", "cooperative"])
    assert subject.base.rates[:, 0, 0, 0].tolist() == [0.1, 0.6]
    for r, mode in enumerate(("private", "cooperative")):
        alone = coopgym.evaluate(always((0.1, 0.6)[r]), GAME, 1).rewards[mode][0]
        assert np.allclose(subject.base.rewards[r, 0].sum(0), alone)


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ValueError, match="2 reward modes for 1 replicas"):
        Subject.of(0.5, GAME, ["private", "integrated"])
    with pytest.raises(ValueError, match="one at a time"):
        Subject.of([always(0.1), tit_for_tat()], GAME)
