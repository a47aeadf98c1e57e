"""coopgym.solve: seven concepts, refusals with a reason, answers that can be kept, played and checked."""

import dataclasses
import json
import re

import numpy as np
import pytest

import coopgym
from coopgym.mechanisms.base import Mechanism
from coopgym.oracles import NAMES
from coopgym.oracles.concepts import CONCEPTS
from coopgym.oracles.result import RefusedError
from coopgym.oracles.solve import _SOLVED

SHORT = {"max_steps": 8}


@pytest.fixture(autouse=True)
def forget():
    _SOLVED.clear()


def test_seven_concepts_are_played_by_seven_oracles():
    assert sorted(coopgym.list_algorithms("oracle")) == sorted(c.oracle for c in CONCEPTS.values())
    assert len(CONCEPTS) == 7 and tuple(CONCEPTS) == NAMES


@pytest.mark.parametrize(
    ("concept", "game", "kind"),
    [
        ("nash", "SLCD-v1", "stage equilibrium"),
        ("coopetitive", "SLCD-v1", "open-loop equilibrium"),
        ("trust_aware", "RenaultNissan-v1", "feedback equilibrium"),
        ("social_optimum", "PublicGoods-v1", "open-loop optimum"),
        ("loyalty", "TeamProduction-v1", "open-loop equilibrium"),
        ("reciprocity", "GiftExchange-v1", "open-loop equilibrium"),
        ("bounded_reciprocity", "AppleAppStore-v1", "rule"),
    ],
)
def test_an_answer_played_in_the_game_earns_what_it_says(concept, game, kind):
    solution = coopgym.solve(game, concept, **SHORT)
    assert (solution.concept, solution.kind) == (concept, kind)
    made = coopgym.game(game, **SHORT)
    played = coopgym.evaluate(solution.policy(), made, episodes=1)
    steps = 8 if solution.actions.ndim == 1 else 1
    np.testing.assert_allclose(played.payoffs[0], steps * solution.payoffs, rtol=1e-9)
    np.testing.assert_allclose(
        played.rewards[solution.reward_mode][0], steps * solution.rewards, rtol=1e-9
    )  # fmt: skip
    assert solution.welfare == pytest.approx(solution.payoffs.sum())


def test_every_face_pays_what_the_oracle_says():
    solution = coopgym.solve("ReciprocalDilemma-v1", "reciprocity", **SHORT)
    rates, total = solution.policy().rates, np.zeros(2)
    env = coopgym.make_vec("ReciprocalDilemma-v1", num_envs=3, reward_mode="integrated", **SHORT)
    env.reset(seed=0)
    for row in rates:
        *_, info = env.step(np.tile(row * env.game.endowment, (3, 1)))
        total += info["rewards"][1] if "rewards" in info else info["final_info"]["rewards"][1]
    np.testing.assert_allclose(total, solution.rewards, rtol=1e-6)


@pytest.mark.parametrize(
    ("concept", "game", "reason"),
    [
        ("coopetitive", "PublicGoods-v1", "ask for 'loyalty'"),
        ("loyalty", "SLCD-v1", "ask for 'coopetitive'"),
        ("reciprocity", "SLCD-v1", "belongs to TR-4"),
        ("bounded_reciprocity", "TrustDilemma-v1", "nothing to answer"),
        ("trust_aware", "GiftExchange-v1", "ask for 'coopetitive'"),
        ("trust_aware", "PublicGoods-v1", "ask for 'loyalty'"),
    ],
)
def test_a_concept_that_does_not_apply_is_refused_with_what_to_ask_instead(concept, game, reason):
    with pytest.raises(RefusedError, match=reason):
        coopgym.solve(game, concept)
    with pytest.raises(ValueError, match=reason):
        coopgym.policy(CONCEPTS[concept].oracle, game)


@pytest.mark.parametrize("game", [*coopgym.list_games(), *coopgym.list_games(version="v0")])
def test_what_a_refusal_advises_is_accepted(game):
    """A concept that one refusal names applies to the game: no chain of refusals."""
    made = coopgym.game(game)
    reasons = {name: concept.limit(made) for name, concept in CONCEPTS.items()}
    for reason in filter(None, reasons.values()):
        advised = re.findall(r"'(\w+)'", reason)
        assert all(reasons[name] is None for name in advised), reason


def test_proof_and_search_have_different_words():
    """Certified only where something closes the question; a search that found nothing is unrefuted."""
    proved = coopgym.solve("SLCD-v1", "coopetitive", **SHORT)
    found = coopgym.solve("GiftExchange-v1", "reciprocity", **SHORT)
    assert (proved.status, found.status) == ("certified", "unrefuted")
    assert found.certificate.relative <= found.tolerance and not found.certificate.exhaustive
    assert found.searched == found.certificate.method == found.to_dict()["searched"]
    worse = dataclasses.replace(found.certificate, relative=2e-4)
    assert dataclasses.replace(found, certificate=worse).status == "approximate"
    unknown = dataclasses.replace(found.certificate, gain=np.inf, relative=np.inf)
    assert dataclasses.replace(found, certificate=unknown).status == "unrefuted"  # no bound is known


def test_a_solution_prints_its_actions():
    told = str(coopgym.solve("SLCD-v1", "nash"))
    assert "[23.2649 22.4944]" in told and "certified" in told
    assert "..." in str(coopgym.solve("SLCD-v1", "coopetitive"))
    assert len(str(coopgym.solve("ApacheProject-v1", "social_optimum"))) < 2000


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match="nash"):
        coopgym.solve("SLCD-v1", "nahs")
    with pytest.raises(ValueError, match="private"):
        coopgym.solve("SLCD-v1", "nash", "privat")


def test_answers_are_kept_and_a_damaged_file_is_written_again(tmp_path):
    first = coopgym.solve("SLCD-v1", "nash", cache=tmp_path)
    assert coopgym.solve("SLCD-v1", "nash") is first  # of this process
    (file,) = tmp_path.glob("*.json")
    _SOLVED.clear()
    again = coopgym.solve("SLCD-v1", "nash", cache=tmp_path)
    assert again is not first and again.to_dict() == first.to_dict()
    _SOLVED.clear()
    file.write_text("{")
    coopgym.solve("SLCD-v1", "nash", cache=tmp_path)
    assert json.loads(file.read_text())["concept"] == "nash"
    assert coopgym.solve("SLCD-v1", "nash", tension="high", cache=tmp_path).game_hash != first.game_hash


def test_an_answer_is_not_played_in_another_game():
    solution = coopgym.solve("SLCD-v1", "nash")
    with pytest.raises(ValueError, match="not for"):
        solution.policy(coopgym.game("TrustDilemma-v1"))


def test_oracles_play_as_policies_and_as_partners(tmp_path):
    game = coopgym.game("GiftExchange-v1", **SHORT)
    played = coopgym.evaluate(["SocialOptimum", "BoundedReciprocity", "Nash"], game, episodes=1)
    assert played.welfare[0, 0] == played.welfare.max()
    env = coopgym.make_seat(game, partners="ReciprocityEquilibrium", reward_mode="integrated")
    env.reset(seed=0)
    _, _, _, _, info = env.step(np.array([10.0]))
    assert info["actions"][1] == pytest.approx(coopgym.solve(game, "reciprocity").actions[0, 1])
    rule = coopgym.policy("TrustAware", coopgym.game("RenaultNissan-v1", **SHORT))
    rule.save(tmp_path / "rule")
    assert np.array_equal(coopgym.load_policy(tmp_path / "rule").coefficients, rule.coefficients)


@dataclasses.dataclass(frozen=True, eq=False)
class Thousandfold(Mechanism):
    """All payoffs in another unit."""

    def payoffs(self, state, actions, payoffs):
        return 1000.0 * payoffs


@pytest.mark.parametrize(
    ("game", "concept"), [("SLCD-v1", "nash"), ("SLCD-v1", "coopetitive"), ("TeamProduction-v1", "nash")]
)
def test_scaling_all_payoffs_leaves_the_actions_as_they_are(game, concept):
    made = coopgym.game(game, max_steps=3)
    scaled = dataclasses.replace(made, mechanisms=(*made.mechanisms, Thousandfold()))
    plain, other = (coopgym.solve(x, concept, "integrated") for x in (made, scaled))
    np.testing.assert_allclose(other.actions, plain.actions, rtol=1e-6)
    np.testing.assert_allclose(other.payoffs, 1000.0 * plain.payoffs, rtol=1e-6)
