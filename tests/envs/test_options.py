"""Every constructor option does what it says, and bad ones are refused with value, bound and cure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coopgym
from coopgym.envs.catalogue import ENTRIES
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.reputation import TIERS


def test_twenty_games_in_two_versions_five_per_report():
    for version in ("v1", "v0"):
        assert len(coopgym.list_games(version=version)) == 20
        for report in (1, 2, 3, 4):
            ids = coopgym.list_games(report, version)
            assert len(ids) == 5
            assert {coopgym.game(id).report for id in ids} == {report}
    assert [coopgym.game(id).id for id in coopgym.list_games()] == coopgym.list_games()


@pytest.mark.parametrize("id", [*coopgym.list_games(), *coopgym.list_games(version="v0")])
def test_every_default_can_be_given_and_is_recorded(id):
    name, version = id.split("-")
    defaults = {k: v for k, v in ENTRIES[name].options(version).items() if v is not None}
    given, plain = coopgym.game(id, **defaults), coopgym.game(id)
    assert given.hash == plain.hash
    assert given.options.keys() >= defaults.keys()
    assert coopgym.game(id, max_steps=7).hash != plain.hash
    assert coopgym.game(id, max_steps=7).horizon == 7


def test_the_hash_sees_every_parameter():
    ids = [*coopgym.list_games(), *coopgym.list_games(version="v0")]
    assert len({coopgym.game(id).hash for id in ids}) == 40
    plain = coopgym.game("GiftExchange-v1")
    own = dataclasses.replace(plain, interdependence=np.array([[0, 0.4], [0.7001, 0]]))
    assert own.hash != plain.hash
    assert coopgym.game("GiftExchange-v1", reciprocity_units="raw").hash != plain.hash
    assert coopgym.game("GiftExchange-v1").hash == plain.hash


BAD = [
    ("TrustDilemma", {"trust_sensitivity": 0.0}, r"sensitivity=0.0 .*\(0"),
    ("TrustDilemma", {"trust_building_rate": 1.5}, "building=1.5"),
    ("TrustDilemma", {"max_steps": 0}, "max_steps=0"),
    ("TrustDilemma", {"max_steps": 10.5}, "max_steps=10.5"),
    ("TrustDilemma", {"trust_signal": "rough"}, "trust_signal='rough'.*scaled, raw"),
    ("TrustDilemma", {"interdependence": np.zeros((2, 3))}, "must be square"),
    ("TrustDilemma", {"interdependence": np.zeros((3, 3))}, "must be square"),
    ("TrustDilemma", {"interdependence": [[0, 1.2], [0, 0]]}, r"interdependence\[0, 1\]=.*1.2"),
    ("TrustDilemma", {"interdependence": [[0, float("nan")], [0, 0]]}, "out of range"),
    ("TrustDilemma", {"interdependence": "strong"}, "not an array of numbers"),
    ("TrustDilemma", {"shares": (0.7, 0.7)}, "sum to 1.4; they must sum to 1"),
    ("TrustDilemma", {"shares": (1.2, -0.2)}, "out of range"),
    ("TrustDilemma", {"shares": (1.0,)}, "one number for each of the 2 agents"),
    ("TrustDilemma", {"mechanism_terms": "no"}, "True or False"),
    ("PartnerHoldUp", {"strong_dependency": 1.1}, "strong_dependency=1.1"),
    ("PlatformEcosystem", {"n_developers": 0}, "n_developers=0"),
    ("PlatformEcosystem", {"platform_share": 2}, "platform_share=2"),
    ("SynergySearch", {"gamma_range": (0.9, 0.2)}, "backwards"),
    ("RecoveryRace", {"recovery_target": 0.1}, "not above"),
    ("RenaultNissan", {"phase": "matur"}, "did you mean 'mature'"),
    ("RenaultNissan", {"calibration": "paper"}, "calibration='paper'"),
    ("ApacheProject", {"phase": "decline"}, "emergence, growth, maturity, evolution"),
    ("CoalitionFormation", {"min_coalition_size": 7}, r"whole number in \[1, 6\]"),
    ("ReputationMarket", {"reputation_visibility": 1.01}, "reputation_visibility=1.01"),
    ("LoyaltyTeam", {"teammates": "median"}, "teammates='median'"),
    ("LoyaltyTeam", {"beta": 0.0}, "beta=0.0"),
    ("GiftExchange", {"reciprocity_units": "euro"}, "endowment, raw"),
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_bad_values_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        coopgym.game(f"{name}-v1", **options)


@pytest.mark.parametrize(
    ("id", "options", "message"),
    [
        ("TrustDilemma-v1", {"reward_type": "private"}, "has no option 'reward_type'"),
        ("TrustDilemma-v1", {"trust_sensitivty": 1.0}, "did you mean 'trust_sensitivity'"),
        ("TrustDilemma-v0", {"trust_signal": "raw"}, "has no option 'trust_signal'"),
        ("TrustDilemma-v1", {"teammates": "sum"}, "has no option 'teammates'"),
        ("ReciprocalDilemma-v1", {"phase": "mature"}, "has no option 'phase'"),
    ],
)
def test_unknown_options_are_refused(id, options, message):
    with pytest.raises(TypeError, match=message):
        coopgym.game(id, **options)


def test_unknown_games_are_refused():
    with pytest.raises(ValueError, match="did you mean 'TrustDilemma-v1'"):
        coopgym.game("TrustDillema-v1")
    with pytest.raises(ValueError, match="list_games"):
        coopgym.game("TrustDilemma-v2")
    with pytest.raises(ValueError, match="report=5"):
        coopgym.list_games(report=5)
    with pytest.raises(TypeError, match="already made"):
        coopgym.game(coopgym.game("SLCD-v1"), max_steps=3)
    assert coopgym.game("coopgym/SLCD").id == "SLCD-v1"


def test_agents_by_number_and_name():
    game = coopgym.game("SLCD-v1")
    assert [game.agent_index(a) for a in ("samsung_0", "sony_1", 0, 1)] == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="did you mean 'sony_1'"):
        game.agent_index("sony")
    with pytest.raises(ValueError, match="agent=2"):
        game.agent_index(2)


def one_step(rates=0.6, steps=1, **options):
    """Payoffs of the last of some steps at constant rates; ``options`` holds the id under ``id``."""
    game = coopgym.game(options.pop("id"), **options)
    state = game.reset()
    for _ in range(steps):
        state, payoffs, _ = game.step(state, rates * game.endowment)
    return payoffs


def test_mechanism_terms_switch_off_the_environments_own_payoffs():
    tiers = {"id": "ReputationMarket-v1", "rates": 0.9, "steps": 12}
    np.testing.assert_allclose(one_step(**tiers), 1.3 * one_step(**tiers, mechanism_terms=False))
    low = np.array([0.9, 0.9, 0.9, 0.9, 0.02, 0.05])
    coalition = {"id": "CoalitionFormation-v1", "rates": low, "steps": 17}
    assert one_step(**coalition)[4] < 2 < 100 < one_step(**coalition, mechanism_terms=False)[4]


def test_raw_and_scaled_trust_signals():
    for signal, expected in (("raw", np.tanh(1.5 * 3)), ("scaled", np.tanh(1.5 * 10 * 3 / 100))):
        game = coopgym.game("TrustDilemma-v1", trust_signal=signal)
        state = game.step(game.reset(), np.array([43.0, 43.0]))[0]
        np.testing.assert_allclose(state.trust[0, 1], 0.5 + 0.15 * expected * 0.5)


def test_teammates_sum_multiplies_the_shared_benefit():
    base = one_step(id="TeamProduction-v1")
    mean, total = (one_step(id="LoyaltyTeam-v1", teammates=t) for t in ("mean", "sum"))
    joy = 0.5 * 0.3 * 30
    np.testing.assert_allclose(total - base - joy, 3 * (mean - base - joy))


def test_reciprocity_forms():
    game = {f: coopgym.game("GiftExchange-v1", reciprocity_form=f) for f in ("partners", "own_action")}
    rates = np.array([0.2, 0.9])
    after = {f: g.step(g.reset(), 0.5 * g.endowment)[0] for f, g in game.items()}
    terms = {f: g.mechanisms[1].utility(after[f], rates * g.endowment) for f, g in game.items()}
    np.testing.assert_allclose(terms["own_action"], rates * terms["partners"])
    raw = coopgym.game("GiftExchange-v1", reciprocity_units="raw")
    state = raw.step(raw.reset(), 0.5 * raw.endowment)[0]
    trust, weight = state.trust[0, 1], raw.mechanisms[1].weight[0, 1]
    np.testing.assert_allclose(
        raw.mechanisms[1].utility(state, rates * raw.endowment)[0], weight * trust * np.tanh(0.9 * 80 - 0.5 * 80)
    )


def test_phases_and_calibrations_change_the_numbers():
    sizes = {p: coopgym.game("ApacheProject-v1", phase=p).n for p in ("emergence", "growth", "maturity", "evolution")}
    assert sizes == {"emergence": 8, "growth": 15, "maturity": 40, "evolution": 35}
    scripted = coopgym.game("ApacheProject-v1", phase="growth", calibration="report")
    assert scripted.n == 25
    np.testing.assert_allclose(scripted.reset().extra["loyalty"][8], 0.85 * 0.85)
    crisis = coopgym.game("RenaultNissan-v1", phase="crisis").reset()
    assert (crisis.trust[0, 1], crisis.damage[0, 1]) == (0.30, 0.45)
    report = coopgym.game("RenaultNissan-v1", calibration="report")
    assert (report.interdependence[0, 1], report.interdependence[1, 0]) == (0.75, 0.65)
    apple = coopgym.game("AppleAppStore-v1", calibration="report")
    state = apple.reset()
    for _ in range(66):
        state = apple.step(state, apple.endowment)[0]
    assert state.trust[0, 1] <= 0.90 < 0.99 < state.trust[0, 0], "the script caps trust at 0.90, not an agent's own"


def test_reputation_survives_a_reset_only_when_asked():
    for version, start in (("v1", 0.5), ("v0", 0.0)):
        for keep in (False, True):
            game = coopgym.game(f"DynamicPartnerSelection-{version}", persist_reputation=keep)
            used = game.step(game.reset(), game.endowment)[0]
            again = game.reset(previous=used)
            kept = used.extra["public_reputation"] if keep else start
            np.testing.assert_array_equal(again.extra["public_reputation"], np.broadcast_to(kept, 6))


def test_recovery_is_possible_within_the_horizon_of_v1_and_not_of_v0():
    for id, reached in (("RecoveryRace-v1", True), ("RecoveryRace-v0", False)):
        game = coopgym.game(id)
        state, ended = game.reset(), False
        while not ended and not game.truncated(state):
            state, _, ended = game.step(state, game.endowment)
        assert bool(ended) is reached
    assert state.time == 150
    np.testing.assert_allclose(state.trust[0, 1], 0.8735, atol=5e-5)  # environments.md C.6


def test_a_reward_mode_never_touches_the_game():
    game = coopgym.game("AppleAppStore-v1")
    before = game.reset()
    after, payoffs, _ = game.step(before, 0.5 * game.endowment)
    kept = payoffs.copy()
    for kind in ("private", "integrated", "cooperative"):
        game.rewards(RewardMode(kind).weights, before, after, payoffs)
    np.testing.assert_array_equal(payoffs, kept)


def test_tiers_and_places_are_reported():
    game = coopgym.game("ReputationMarket-v1")
    state = game.reset()
    for _ in range(6):
        before = state
        state = game.step(state, np.array([1.0, 0.8, 0.5, 0.2, 0.02]) * game.endowment)[0]
    info = game.info(before, state, state.actions)
    assert [TIERS[int(i)] for i in info["tiers"]] == ["premium", "standard", "standard", "probation", "excluded"]
    np.testing.assert_array_equal(info["reputation_places"], [0, 1, 2, 3, 4])
    firms = coopgym.game("SLCD-v1")
    after = firms.step(firms.reset(), np.array([40.0, 60.0]))[0]
    told = firms.info(firms.reset(), after, after.actions)
    assert (told["samsung_investment"], told["sony_investment"]) == (40.0, 60.0)
