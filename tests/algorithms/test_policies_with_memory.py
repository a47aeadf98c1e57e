"""Policies that remember their episode: wherever they play, each episode begins without a memory of another.

A policy that counts its steps is compared with one that reads the time, and an agent that keeps its own record with one
whose observation holds it: whatever plays them must find the same.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.crossplay import SeatMix, crossplay
from coopgym.algorithms.heuristics import TitForTat
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.policy import CallablePolicy, Policy, SchedulePolicy
from coopgym.algorithms.seating import Seat
from coopgym.audit.effort import QUICK, Effort
from coopgym.explore.messages import New, Reset, Seats, Step
from coopgym.explore.players import Saved
from coopgym.explore.session import Session
from coopgym.mechanisms.arrays import namespace
from coopgym.oracles.exploitability import exploitability
from coopgym.validation.conduct.play import play_phases
from coopgym.validation.conduct.record import record_of

LENGTHS = (2, 5)  # steps in which they give


class GivesAtFirst(Policy):
    """Everything in the first two steps of an episode, then nothing; it counts its own calls."""

    name, observability = "GivesAtFirst", "minimal"

    def __init__(self, game, steps=2):
        self.game, self.steps, self.played = game, steps, 0

    def reset(self):
        self.played = 0

    def act(self, observations, deterministic=True):
        xp, given = namespace(observations), float(self.played < self.steps)
        self.played += 1
        return xp.asarray(given * self.game.endowment, observations) + 0.0 * observations[..., 0]


class Drawing(GivesAtFirst):
    """The same, with noise from a stream of its own."""

    random = True

    def reseed(self, seed):
        self.generator = np.random.default_rng(seed)

    def act(self, observations, deterministic=True):
        noise = 0.1 * self.generator.random(observations.shape[:-1])
        return np.clip(super().act(observations) + 0.01 * noise, 0.0, self.game.endowment)


class CountingTitForTat(TitForTat):
    """TitForTat that knows by its own count when an episode begins."""

    def __init__(self, game):
        super().__init__(game)
        self.begun = False

    def reset(self):
        self.begun = False

    def act(self, observations, deterministic=True):
        xp = namespace(observations)
        seen = xp.copy(observations)
        seen[..., self.time_entry] = 1.0 if self.begun else 0.0
        self.begun = True
        return super().act(seen)


class CountingFunction:
    """A function with a memory, as users write them: a class with ``__call__`` and ``reset``."""

    def __init__(self, game, steps=2):
        self.game, self.steps = game, steps
        self.reset()

    def reset(self):
        self.played = 0

    def __call__(self, observations):
        self.played += 1
        return (self.played <= self.steps) * self.game.endowment * np.ones(observations.shape[:-1])


def scheduled(game, steps=2):
    """What GivesAtFirst plays, by the time that it sees."""
    rates = np.zeros((game.horizon, game.n))
    rates[:steps] = 1.0
    return SchedulePolicy(game, rates)


GAMES = {"goes on": "SLCD-v1", "ends early": "TrustDilemma-v1", "hides a parameter": "SynergySearch-v1"}


@pytest.fixture(params=GAMES, ids=str)
def game(request):
    return coopgym.game(GAMES[request.param], max_steps=12)


def test_three_evaluations_of_one_policy_agree(game):
    player, expected = GivesAtFirst(game), coopgym.evaluate(scheduled(game), game, episodes=3)
    for _ in range(3):
        found = coopgym.evaluate(player, game, episodes=3)
        np.testing.assert_allclose(found.payoffs, expected.payoffs, rtol=1e-12)
        assert found.rates[0].sum() > 0.0
    both = coopgym.evaluate([player, player, 0.5, player], game, episodes=3)
    np.testing.assert_allclose(both.payoffs[[0, 1, 3]], np.stack([expected.payoffs] * 3), rtol=1e-12)
    function = CountingFunction(game)
    first, second = (coopgym.evaluate(function, game, episodes=1) for _ in range(2))
    assert first.rates.sum() == second.rates.sum() > 0.0


def test_only_a_class_with_a_reset_of_its_own_remembers(game):
    assert GivesAtFirst(game).remembers and CountingTitForTat(game).remembers
    assert not scheduled(game).remembers and not TitForTat(game).remembers
    assert CallablePolicy(game, lambda seen: 0.0 * seen[..., 0], "minimal").remembers  # unknown


def test_a_clone_has_a_memory_of_its_own():
    game = coopgym.game("SLCD-v1")
    player, seen = GivesAtFirst(game), np.zeros((2, 3))
    player.act(seen), player.act(seen)
    twin = player.clone()
    assert twin.act(seen).sum() == 200.0 and player.act(seen).sum() == 0.0 and twin.game is game
    player.stuck = (x for x in ())
    with pytest.raises(TypeError, match="define clone"):
        player.clone()
    function = CountingFunction(game)
    own = CallablePolicy(game, function, "minimal")
    assert own.clone().function is not function
    function.stuck = player.stuck
    with pytest.raises(TypeError, match="define clone"):
        own.clone()
    lambdas = CallablePolicy(game, lambda seen: 0.0 * seen[..., 0] + len([player.stuck]), "minimal")
    assert lambdas.clone().function is lambdas.function


def test_an_audit_finds_of_a_counter_what_it_finds_of_a_clock(game):
    for mine, known in ((GivesAtFirst(game), scheduled(game)), (CountingTitForTat(game), TitForTat(game))):
        found, expected = (coopgym.audit(player, game, "integrated") for player in (mine, known))
        for name, values in expected.values.items():
            np.testing.assert_allclose(found.values[name], values, rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(found.fingerprint.payoffs, expected.fingerprint.payoffs, rtol=1e-12)


def test_an_audit_of_a_policy_that_draws_keeps_a_memory_in_each_way_to_play(game):
    found = coopgym.audit(Drawing(game), game, measures=["outcome", "deviations", "impulses", "partners"])
    expected = coopgym.audit(scheduled(game), game, measures=["outcome", "deviations", "impulses", "partners"])
    for name in ("welfare", "best_gain", "panel_payoff", "payoff_with_tit_for_tat"):  # the noise is a millesimal
        np.testing.assert_allclose(found.values[name], expected.values[name], rtol=0.02, atol=1.0, err_msg=name)


def test_best_replies_to_a_counter_are_those_to_a_clock(game):
    known = exploitability(scheduled(game), game, "private", draws=2)
    for mine in (GivesAtFirst(game), dict.fromkeys(game.agents, GivesAtFirst(game))):
        np.testing.assert_allclose(exploitability(mine, game, "private", draws=2).gain, known.gain, rtol=1e-9)


@pytest.mark.parametrize("steps", LENGTHS)
def test_partners_in_a_seat_begin_anew_with_each_episode(game, steps):
    shared = GivesAtFirst(game, steps)
    envs = [coopgym.make_seat(game, 0, shared) for _ in range(2)]  # which take turns
    for _ in range(3):
        for env in envs:
            env.reset(seed=0)
        for t in range(8):
            given = {env.step([60.0])[-1]["actions"][1] for env in envs}
            assert given == {100.0 * (t < steps)}


def test_one_policy_in_several_seats_is_asked_once_a_step():
    game = coopgym.game("AppleAppStore-v1", max_steps=6)
    player = GivesAtFirst(game)
    env = coopgym.make_seat(game, 0, {1: player, 2: player})
    for _ in range(2):
        env.reset(seed=0)
        given = [env.step([10.0])[-1]["actions"][1:] for _ in range(4)]
        np.testing.assert_array_equal(given, [[80.0, 60.0]] * 2 + [[0.0, 0.0]] * 2)


def test_crossplay_with_itself_and_seat_mixes(game):
    mine, known = GivesAtFirst(game), scheduled(game)
    np.testing.assert_allclose(crossplay(mine, mine, game, 2), crossplay(known, known, game, 2), rtol=1e-12)
    mixed = SeatMix(mine, mine, [True, *[False] * (game.n - 1)])
    for _ in range(2):
        found = coopgym.evaluate(mixed, game, episodes=1)
        np.testing.assert_allclose(found.payoffs, coopgym.evaluate(known, game, episodes=1).payoffs, rtol=1e-12)


def test_a_policy_for_a_seat_among_its_like(game):
    mine, known = GivesAtFirst(game), scheduled(game)
    seated = Seat.of(game, 1, mine).around(mine)
    for _ in range(2):
        found = coopgym.evaluate(seated, game, episodes=2).payoffs
        np.testing.assert_allclose(found, coopgym.evaluate(known, game, episodes=2).payoffs, rtol=1e-12)


def games_of(game, partner, lanes=3, seeds=(0, 1)):
    modes = (coopgym.RewardMode("private"),) * len(seeds)
    made = Problem(
        game, modes, seeds, game.default_observability, torch.device("cpu"), Seat.of(game, 0, partner)
    )  # fmt: skip
    return made.games(lanes)


@pytest.mark.parametrize("steps", LENGTHS)
def test_partners_in_training_begin_anew_in_each_game(game, steps):
    played = []
    for partner in (GivesAtFirst(game, steps), scheduled(game, steps)):
        games = games_of(game, partner)
        torch.manual_seed(0)
        rates = torch.rand(40, 2, game.n, 3)
        rates[:, :, 0, 1] = 0.0  # one who never gives: where trust can be lost, this game is over sooner than others
        played.append([games.step(each) for each in rates[:25]])
        games.restart()
        played[-1] += [games.step(each) for each in rates[25:]]
    assert any(bool(step.terminated.any()) for step in played[0]) == (game.exit is not None)
    for mine, known in zip(*played, strict=True):
        torch.testing.assert_close(mine.rates, known.rates)
        torch.testing.assert_close(mine.payoffs, known.payoffs)


def test_learners_that_replay_refuse_partners_with_a_memory():
    game = coopgym.game("SLCD-v1", max_steps=10)
    given = {"agent": 0, "partners": GivesAtFirst(game), "seeds": [0], "total_steps": 40, "lanes": 2}
    with pytest.raises(ValueError, match="one that remembers its episode"):
        coopgym.train("ISAC", game, **given)
    run = coopgym.train("IPPO", game, **given, hidden=(8,)).runs[0]
    assert run.rate[1] == pytest.approx(0.2)  # two of ten steps


def test_sessions_of_the_explorer_do_not_share_a_memory():
    game = coopgym.game("SLCD-v1")
    player = GivesAtFirst(game)
    saved = Saved("mine", game.id, game.hash, lambda: player)
    sessions = [Session(New(game=game.id), [saved]) for _ in range(2)]
    for session in sessions:
        session.sit(Seats(session="a" * 32, seats=["you", "run:0"]))
    for episode in range(2):
        for session in sessions:
            session.reset(Reset(session="a" * 32, seed=episode))
        for t in range(4):
            told = [session.step(Step(session="a" * 32, actions=[10.0, 10.0], count=1)) for session in sessions]
            assert [x["moves"][0]["actions"][1] for x in told] == [100.0 * (t < 2)] * 2


def test_phases_of_a_case_study_are_those_of_a_clock():
    game = coopgym.game("SLCD-v1")
    record = record_of(game)
    mine, known = GivesAtFirst(game), scheduled(game)
    for _ in range(2):
        found = play_phases([mine, known, mine], game, record)
        np.testing.assert_allclose(found.levels, np.stack([found.levels[1]] * 3))


def test_an_ended_game_that_a_deviation_prolongs_is_played_on_by_who_remembers():
    game = coopgym.game("TrustDilemma-v1", max_steps=40)
    mine = SeatMix(GivesAtFirst(game, 30), GivesAtFirst(game, 0), [False, True])  # agent 0 never gives
    known = SeatMix(scheduled(game, 30), scheduled(game, 0), [False, True])
    tried = Effort(**{**vars(QUICK), "name": "all", "starts": (0.0,), "levels": 2, "spans": (None,)})
    found, expected = (coopgym.audit(p, game, measures=["deviations"], effort=tried).deviations for p in (mine, known))
    np.testing.assert_allclose(found.replayed.gain, expected.replayed.gain, rtol=1e-12)
    np.testing.assert_allclose(found.replayed.gain, found.paid.gain, rtol=1e-12)  # partners react to nothing
    assert dataclasses.is_dataclass(found)
