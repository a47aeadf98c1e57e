"""A person's game is the game: its numbers are those of the Gymnasium face, and a reward mode moves no payoff."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.policy import FixedPolicy
from coopgym.envs.joint import JointEnv
from coopgym.explore import players
from coopgym.explore.facts import catalogue, choices, rows
from coopgym.explore.marks import marks
from coopgym.explore.messages import Held, Mode, New, Reset, Seats, Step, Switch, read
from coopgym.explore.session import Session

TOKEN = "0" * 32
GAMES = ["TrustDilemma-v1", "SynergySearch-v1", "AppleAppStore-v1", "ReputationMarket-v0", "CoalitionFormation-v1"]
EVERY = [*coopgym.list_games(), *coopgym.list_games(version="v0")]


def step(actions, count=1):
    return Step(session=TOKEN, actions=[float(a) for a in actions], count=count)


@pytest.mark.parametrize("game", GAMES)
def test_every_step_is_that_of_the_gymnasium_face(game):
    mode = Mode(kind="integrated", mutuality=0.5)
    env = JointEnv(game, reward_mode=mode.reward)
    env.reset(seed=7)
    session = Session(New(game=game, seed=7, mode=mode))
    draw = np.random.default_rng(0)
    for k in range(12):
        actions = draw.uniform(0.2, 1.0, env.game.n) * env.game.endowment
        _, _, terminated, truncated, info = env.step(actions)
        state = session.step(step(actions))
        (move,) = state["moves"]
        assert (move["step"], state["since"], state["over"]) == (k + 1, k, terminated or truncated)
        for name in ("payoffs", "rewards", "actions"):
            np.testing.assert_array_equal(move[name], info[name])
        np.testing.assert_array_equal(state["trust"], info["trust"])
        assert move["trust"] == info["mean_trust"]


@pytest.mark.parametrize("game", GAMES)
def test_another_mode_mixes_all_rewards_again_and_moves_no_payoff(game):
    actions = [0.6 * e for e in coopgym.game(game).endowment]
    session = Session(New(game=game))
    before = session.step(step(actions, 9))["moves"]
    for kind in ("integrated", "cooperative", "private"):
        after = session.switch(Mode(kind=kind))["moves"]
        env = JointEnv(game, reward_mode=kind)
        env.reset(seed=0)
        for old, new in zip(before, after, strict=True):
            assert [old[name] for name in ("payoffs", "actions", "trust")] == [
                new[name] for name in ("payoffs", "actions", "trust")
            ]
            np.testing.assert_array_equal(new["rewards"], env.step(np.array(actions))[-1]["rewards"])
    assert after == before  # private again: to the last digit


def test_what_is_played_does_not_depend_on_the_mode_watched():
    modes = [Mode(), Mode(kind="cooperative"), Mode(kind="integrated", mutuality=0.3)]
    played = [Session(New(game="TrustDilemma-v1", mode=mode)).step(step([20, 50], 30)) for mode in modes]
    assert played[0]["totals"]["payoffs"] == played[1]["totals"]["payoffs"] == played[2]["totals"]["payoffs"]
    assert played[0]["totals"]["rewards"] != played[1]["totals"]["rewards"]


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "PublicGoods-v1", "PartnerHoldUp-v0"])
@pytest.mark.parametrize("mode", ["private", "integrated:0.5"])
def test_marks_are_what_the_oracles_answer(game, mode):
    made = coopgym.game(game)
    found = marks(made, coopgym.RewardMode.of(mode))
    nash, problem = coopgym.solve(made, "nash", mode), coopgym.dilemma(made, mode)
    np.testing.assert_array_equal(found["equilibrium"]["actions"], nash.actions)
    np.testing.assert_array_equal(found["equilibrium"]["rewards"], nash.rewards)
    np.testing.assert_allclose(found["optimum"]["actions"], problem.optimum.actions, rtol=1e-12)
    np.testing.assert_allclose(found["optimum"]["payoffs"], problem.optimum.payoffs, rtol=1e-12)
    assert found["lost"] == pytest.approx(problem.lost, abs=1e-9)


def test_the_optimums_marks_are_in_the_rewards_of_the_mode():
    game = coopgym.game("TeamProduction-v1")
    found = marks(game, coopgym.RewardMode("cooperative"))["optimum"]
    assert found["rewards"] == pytest.approx([sum(found["payoffs"]) / game.n] * game.n)


@pytest.mark.parametrize("name", ["TitForTat", "Random", "Constant_35", "Nash"])
def test_a_policy_in_every_seat_earns_what_its_evaluation_says(name):
    session = Session(New(game="TrustDilemma-v1", seed=3))
    session.sit(Seats(session=TOKEN, seats=[name, name]))
    totals = session.step(step([0, 0], 1000))["totals"]
    alone = coopgym.evaluate(name, "TrustDilemma-v1", episodes=1, seed=3)
    np.testing.assert_allclose(totals["payoffs"], alone.payoffs[0], rtol=1e-12)


def test_a_person_beside_tit_for_tat_is_answered_a_step_later():
    session = Session(New(game="PartnerHoldUp-v1"))
    session.sit(Seats(session=TOKEN, seats=["you", "TitForTat"]))
    given = [30.0, 90.0, 60.0]
    played = [session.step(step([a, 999.0]))["moves"][0]["actions"] for a in given]
    assert [a for a, _ in played] == given
    assert [b for _, b in played] == pytest.approx([40.0, 80 * 30 / 120, 80 * 90 / 120])


def test_the_same_seed_draws_the_same_and_a_reset_begins_anew():
    session = Session(New(game="SynergySearch-v1", seed=5))
    session.sit(Seats(session=TOKEN, seats=["Random", "you"]))
    first = session.step(step([0, 30], 10))["moves"]
    other = session.reset(Reset(session=TOKEN, seed=6))
    assert (other["step"], other["moves"], other["seed"], other["seats"]) == (0, [], 6, ["Random", "you"])
    assert session.step(step([0, 30], 10))["moves"] != first
    session.reset(Reset(session=TOKEN, seed=5))
    assert session.step(step([0, 30], 10))["moves"] == first


def test_an_episode_ends_once_and_says_by_what():
    session = Session(New(game="TrustDilemma-v1"))
    state = session.step(step([0, 0], 1000))
    assert (state["over"], state["ended_by"]) == (True, "trust_lost")
    assert state["step"] == len(state["moves"]) < state["horizon"]
    with pytest.raises(ValueError, match=r"ended at step \d+; reset it"):
        session.step(step([0, 0]))
    assert session.state() == {**state, "since": 0}


def test_what_is_refused_changes_nothing():
    session = Session(New(game="TrustDilemma-v1"))
    before = session.state()
    for asked, reason in (
        (lambda: session.step(step([1.0])), "hold 1 numbers; give 2"),
        (lambda: session.sit(Seats(session=TOKEN, seats=["you", "IPPO"])), "'IPPO' does not play TrustDilemma-v1"),
        (lambda: session.sit(Seats(session=TOKEN, seats=["TitForTat", "../x"])), "does not play"),
        (lambda: session.sit(Seats(session=TOKEN, seats=["run:0", "you"])), "does not play"),
        (lambda: Session(New(game="TrustDilemma-v2")), "did you mean"),
        (lambda: Session(New(game="TrustDilemma-v1", options={"phase": "crisis"})), "no option 'phase'"),
        (lambda: Session(New(game="RenaultNissan-v1", options={"phase": "x"})), "phase='x' is not known"),
    ):
        with pytest.raises(ValueError, match=reason):
            asked()
    assert session.state() == before


@pytest.mark.parametrize("game", EVERY)
def test_every_game_opens_as_plain_data(game):
    session = Session(New(game=game))
    text = json.dumps([session.facts(), session.step(step(session.game.baseline))], allow_nan=False)
    assert len(text) < 100_000
    members = sorted(i for row in rows(session.game) for i in row["members"])
    assert members == list(range(session.game.n))
    assert all(part["says"][0] for part in session.facts()["parts"])


def test_options_are_offered_where_a_game_has_them():
    assert [row["id"] for row in catalogue()] == EVERY
    assert choices("RenaultNissan-v1")["phase"][0] == "mature"
    assert set(choices("RenaultNissan-v1")["phase"]) == {"formation", "mature", "crisis", "strained"}
    assert choices("TrustDilemma-v1") == {"tension": ["report", "high"]}
    assert choices("TrustDilemma-v0") == {}
    crisis = Session(New(game="RenaultNissan-v1", options={"phase": "crisis", "tension": "high"}))
    assert crisis.game.hash == coopgym.game("RenaultNissan-v1", phase="crisis", tension="high").hash
    assert [each["name"] for each in crisis.facts()["policies"]].count("Nash") == 0  # known to be fast as reported only


def test_of_many_agents_the_first_has_a_row_alone():
    assert [(row["label"], len(row["members"])) for row in rows(coopgym.game("ApacheProject-v1"))] == [
        ("contributor_0", 1), ("contributor_1 to contributor_39 (39)", 39),
    ]  # fmt: skip


def test_a_saved_policy_sits_in_the_seats_of_its_own_game_alone(tmp_path):
    game = coopgym.game("TrustDilemma-v1")
    FixedPolicy(game, [0.2, 0.7], "Mine").save(tmp_path / "mine")
    saved = players.saved_in(tmp_path / "mine.json")
    assert {"name": "run:0", "label": "Saved: Mine"} in players.offered(game, saved)
    session = Session(New(game="TrustDilemma-v1"), saved)
    session.sit(Seats(session=TOKEN, seats=["you", "run:0"]))
    assert session.step(step([11, 0]))["moves"][0]["actions"] == pytest.approx([11, 70])
    assert all(each["name"] != "run:0" for each in players.offered(coopgym.game("SLCD-v1"), saved))
    with pytest.raises(FileNotFoundError, match="there is no policy"):
        players.saved_in(tmp_path)


def test_policies_of_a_run_sit_down_by_number_and_play_as_evaluated(tmp_path):
    modes = ("private", "cooperative")
    made = coopgym.train("IPPO", "TrustDilemma-v1", reward_modes=modes, seeds=[3], total_steps=1)
    saved = players.saved_in(made.save(tmp_path / "run"))
    assert [each.label for each in saved] == ["IPPO, private rewards, seed 3", "IPPO, cooperative rewards, seed 3"]
    session = Session(New(game="TrustDilemma-v1"), saved)
    session.sit(Seats(session=TOKEN, seats=["run:1", "run:1"]))
    totals = session.step(step([0, 0], 1000))["totals"]
    alone = coopgym.evaluate(made.policies[1], "TrustDilemma-v1", episodes=1)
    np.testing.assert_allclose(totals["payoffs"], alone.payoffs[0], rtol=1e-5)  # a network in single precision


def test_a_page_without_policies_of_a_run_needs_no_torch():
    code = """
import sys
for name in ("torch", "safetensors", "matplotlib", "fsspec"):
    sys.modules[name] = None
import coopgym.explore.serve
from coopgym.explore.messages import New, Seats
from coopgym.explore.session import Session
Session(New(game="TrustDilemma-v1")).sit(Seats(session="0" * 32, seats=["TitForTat", "Nash"]))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (Step, {"session": TOKEN, "actions": [1, "2"]}, "actions.1='2': .*valid number; give one finite number"),
        (Step, {"session": TOKEN, "actions": [-1]}, "greater than or equal to 0"),
        (Step, {"session": TOKEN, "actions": [1], "count": 0}, "count=0: .*; give a whole number of steps"),
        (Step, {"session": TOKEN, "actions": [1], "count": True}, "count=True: "),
        (Reset, {"session": TOKEN, "seed": 1.5}, "seed=1.5: .*; give a whole number"),
        (Switch, {"session": TOKEN, "mode": {"kind": "greedy"}}, "mode.kind='greedy': .*; give one of private"),
        (Switch, {"session": TOKEN, "mode": {"mutuality": 2}}, "mode.mutuality=2: .*; give a number from 0 to 1"),
        (Held, {"session": "x"}, "session='x': .*; give the token"),
        (Held, {"session": TOKEN, "path": "/etc"}, "path='/etc': .*not permitted; send only"),
        (New, {}, "game: Field required; give an id"),
        (New, [1], r"the message=\[1\]: "),
    ],
)
def test_a_wrong_message_is_refused_in_one_line(kind, body, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        read(kind, json.dumps(body).encode())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_no_action_is_infinite(text):
    with pytest.raises(ValueError, match=r"actions|not JSON"):
        read(Step, f'{{"session": "{TOKEN}", "actions": [{text}]}}'.encode())
