"""Equilibria and optima of one step: formula against search, certificates, invariances, and the facts of Part E."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import coopgym
from coopgym.envs.reward import KINDS
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.loyalty import equilibrium_effort, optimal_effort
from coopgym.mechanisms.value import PowerValue
from coopgym.oracles.certificate import alike, certify
from coopgym.oracles.equilibrium import settle, stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.stage import StageGame

V1 = coopgym.list_games()
BOTH = [id.replace("v1", v) for id in V1 for v in ("v0", "v1")]
SMALL = [id for id in BOTH if not id.startswith("Apache")]
few = settings(max_examples=12, deadline=None, derandomize=True)
CASES = {"TrustDilemma-v1": "integrated", "SLCD-v1": "integrated", "AppleAppStore-v1": "private",
         "PlatformEcosystem-v1": "cooperative", "RenaultNissan-v0": "private"}  # fmt: skip


@pytest.mark.parametrize("id", SMALL)
@pytest.mark.parametrize("mode", KINDS)
def test_every_equilibrium_is_certified(id, mode):
    stage = StageGame.of(coopgym.game(id), mode)
    solution = stage_equilibrium(stage)
    assert solution.status == "certified", solution
    rng = np.random.default_rng(3)
    before = np.maximum(1.0, np.abs(solution.rewards))
    for agent in range(stage.n):  # the certificate is not the only judge of itself
        own = rng.uniform(0.0, stage.endowment[agent], 300)
        gain = stage.deviations(solution.actions, agent, own).max() - solution.rewards[agent]
        assert gain <= 1e-6 * before[agent]


@pytest.mark.parametrize("id", SMALL)
@pytest.mark.parametrize("mode", KINDS)
def test_no_profile_beats_an_optimum(id, mode):
    stage = StageGame.of(coopgym.game(id), mode)
    solution = stage_optimum(stage)
    assert solution.status == ("certified" if solution.certificate.exhaustive else "unrefuted")
    assert solution.status == "certified" or id.endswith("-v0")  # climbing over several agents is a search
    best = solution.rewards.sum()
    assert best >= stage_equilibrium(stage).rewards.sum() - 1e-6 * abs(best)
    rng = np.random.default_rng(4)
    far = rng.uniform(0.0, 1.0, (1000, stage.n)) * stage.endowment
    near = np.clip(solution.actions + rng.normal(0.0, 1.0, (1000, stage.n)), 0.0, stage.endowment)
    assert stage.rewards(np.concatenate([far, near])).sum(-1).max() <= best + 1e-6 * abs(best)


def test_forty_agents_need_no_more_memory_than_a_chunk():
    game = coopgym.game("ApacheProject-v0")
    private = StageGame.of(game, "private")
    certificate = certify(private, 0.6 * game.endowment)
    assert certificate.relative <= 1e-6
    assert len(alike(private, 0.6 * game.endowment)) == 1
    assert stage_equilibrium(StageGame.of(coopgym.game("ApacheProject-v1"), "integrated")).actions.min() == 50.0


@pytest.mark.parametrize("id,mode", CASES.items())
def test_search_agrees_with_the_formula(id, mode):
    stage = StageGame.of(coopgym.game(id), mode)
    formula, searched = stage_equilibrium(stage), stage_equilibrium(stage, closed_form=False)
    assert formula.uniqueness == "proved" and searched.certificate.solutions == 1
    np.testing.assert_allclose(searched.actions, formula.actions, rtol=1e-6)
    top, climbed = stage_optimum(stage), stage_optimum(stage, closed_form=False)
    np.testing.assert_allclose(climbed.actions, top.actions, rtol=1e-5)


def test_best_replies_from_three_starts_meet():
    stage = StageGame.of(coopgym.game("SLCD-v1"), "integrated")
    settled = settle(stage, np.array([[0.0, 0.0], [50.0, 3.0], [100.0, 100.0]]))
    assert settled.done.all()
    np.testing.assert_allclose(settled.profiles, np.tile(stage_equilibrium(stage).actions, (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("name", [id[:-3] for id in V1])
def test_facts_of_the_stage_game(name, part_e):
    game = coopgym.game(f"{name}-v1", trust_signal="raw")
    facts, stage = part_e["stage_game"][name], StageGame.of(game, "private")
    nash, best = stage_equilibrium(stage), stage_optimum(stage)
    np.testing.assert_allclose(best.payoffs.mean(), facts["optimum_mean"], atol=6e-4)
    np.testing.assert_allclose(np.unique(np.round(best.actions / game.endowment, 6)), facts["optimum_rates"], atol=6e-4)
    np.testing.assert_allclose(nash.payoffs.mean(), facts["nash_mean"], atol=6e-4)
    if name in ("TeamProduction", "CoalitionFormation", "ApacheProject"):  # the table shows one split of many
        assert nash.uniqueness.startswith("a continuum")
    else:
        assert nash.uniqueness == "proved"
        rates = np.unique(np.round(nash.actions / game.endowment, 6))
        np.testing.assert_allclose(rates, facts["nash_rates"], atol=6e-4)


@dataclasses.dataclass(frozen=True, eq=False)
class Thousandfold(Mechanism):
    """Payoffs in another currency."""

    def payoffs(self, state, actions, payoffs):
        return 1000.0 * payoffs


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "PlatformEcosystem-v1", "GiftExchange-v0", "LoyaltyTeam-v1"])
@pytest.mark.parametrize("closed_form", [True, False])
def test_the_currency_of_payoffs_changes_no_action(id, closed_form):
    game = coopgym.game(id)
    large = dataclasses.replace(game, mechanisms=(*game.mechanisms, Thousandfold()))
    for mode in ("private", "integrated"):
        for solver in (stage_equilibrium, stage_optimum):
            small, big = (solver(StageGame.of(g, mode), closed_form=closed_form) for g in (game, large))
            np.testing.assert_allclose(big.actions, small.actions, rtol=1e-6, atol=1e-6)
            assert big.uniqueness == small.uniqueness


@few
@given(st.integers(2, 6), st.floats(5.0, 40.0), st.floats(0.3, 0.8), st.floats(0.5, 2.0))
@example(3, 5.0, 0.5, 2.0)  # an effort of a thousandth of the endowment
def test_team_efforts_are_those_of_the_formulas(n, omega, beta, cost):
    game = coopgym.game("TeamProduction-v1", n_agents=n, omega=omega, beta=beta, cost=cost)
    stage = StageGame.of(game, "private")
    recipe = (n, omega, beta, cost, 50.0)
    expected = min(equilibrium_effort(*recipe), 50.0)
    np.testing.assert_allclose(stage_equilibrium(stage).actions, expected, rtol=1e-9)
    searched = stage_equilibrium(stage, closed_form=False)
    np.testing.assert_allclose(searched.actions.sum(), n * expected, rtol=1e-6)
    optimum = min(optimal_effort(*recipe), 50.0)
    np.testing.assert_allclose(stage_optimum(stage).actions, optimum, rtol=1e-9)
    np.testing.assert_allclose(stage_optimum(stage, closed_form=False).actions.sum(), n * optimum, rtol=1e-6)


@few
@given(st.integers(2, 6), st.floats(0.5, 6.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from(KINDS))
def test_public_goods_are_given_in_full_or_not_at_all(n, multiplier, phi_b, phi_c, mode):
    game = coopgym.game("PublicGoods-v1", n_agents=n, multiplier=multiplier, phi_b=phi_b, phi_c=phi_c)
    stage = StageGame.of(game, mode)
    slope = np.diff(stage.deviations(np.full(n, 20.0), 0, np.array([10.0, 11.0])))[0]  # linear: the same everywhere
    for closed_form in (True, False):
        actions = stage_equilibrium(stage, closed_form=closed_form).actions
        if abs(slope) > 1e-6:
            np.testing.assert_allclose(actions, 50.0 if slope > 0 else 0.0, atol=1e-9)


@few
@given(st.floats(0.3, 0.8), st.floats(0.1, 1.0), st.floats(0.2, 0.8), st.sampled_from(KINDS))
def test_search_finds_the_equilibrium_of_the_power_value(beta, gamma, share, mode):
    game = coopgym.game("TrustDilemma-v1", shares=(share, 1.0 - share))
    payer = dataclasses.replace(game.mechanisms[0], value=PowerValue(beta), synergy=gamma)
    limit = np.array([3.0, 3.0])
    payer = dataclasses.replace(payer, endowment=limit)
    game = dataclasses.replace(
        game, mechanisms=(payer, *game.mechanisms[1:]), endowment=limit, baseline=np.array([1.0, 1.0])
    )
    stage = StageGame.of(game, mode)
    formula, searched = stage_equilibrium(stage), stage_equilibrium(stage, closed_form=False)
    assert formula.uniqueness == "proved"
    np.testing.assert_allclose(searched.actions, formula.actions, rtol=1e-6)


def test_nothing_is_claimed_where_the_first_unit_does_not_pay():
    game = coopgym.game("TrustDilemma-v1")
    payer = dataclasses.replace(game.mechanisms[0], value=dataclasses.replace(game.mechanisms[0].value, scale=0.9))
    game = dataclasses.replace(game, mechanisms=(payer, *game.mechanisms[1:]))
    assert stage_equilibrium(StageGame.of(game)).uniqueness.startswith("not established")


def test_a_state_in_the_middle_of_an_episode():
    game = coopgym.game("CoalitionFormation-v1")
    state = game.reset()
    state.extra["member"][5] = 0.0
    state.extra["loyalty"][:] = [0.9, 0.5, 0.5, 0.4, 0.3, 0.1]
    solution = stage_equilibrium(StageGame.of(game, "private", state))
    assert solution.status == "certified" and solution.method.startswith("water-filling")
    assert (np.diff(solution.actions[:5]) <= 0.0).all() and 0.0 < solution.actions[5] < 50.0

    pact = coopgym.game("CooperativeNegotiation-v1")
    state = pact.reset()
    state.extra["agreement"][:], state.extra["agreed"][:] = 60.0, 1.0
    solution = stage_equilibrium(StageGame.of(pact, "private", state))
    assert solution.status == "certified"
    np.testing.assert_allclose(solution.actions, 50.0, atol=1e-6)  # just what the agreement still allows


def test_a_certificate_finds_what_is_wrong_with_a_profile():
    game = coopgym.game("TrustDilemma-v1")
    certificate = certify(StageGame.of(game, "private"), np.array([50.0, 50.0]))
    assert certificate.relative > 1e-3
    assert certificate.deviation["action"] < 30.0


def test_weights_of_a_planner_move_the_optimum_and_payoffs_can_be_asked_for():
    stage = StageGame.of(coopgym.game("SLCD-v1"), "private")
    first, second = (stage_optimum(stage, np.array(c)) for c in ([3.0, 1.0], [1.0, 3.0]))
    assert first.actions[0] < second.actions[0] and first.payoffs[0] > second.payoffs[0]
    released = StageGame.of(coopgym.game("TrustDilemma-v0"), "integrated")
    np.testing.assert_allclose(stage_optimum(released, objective="payoffs").actions, 29.769, atol=6e-4)
    with pytest.raises(ValueError, match="objective='welfare'"):
        stage_optimum(stage, objective="welfare")
