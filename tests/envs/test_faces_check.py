"""The public check passes on every game of the catalogue and on a user's own, and fails on games that are wrong."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

import coopgym
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import namespace
from coopgym.mechanisms.base import Mechanism
from coopgym.testing import traces

ALL = [*coopgym.list_games(), *coopgym.list_games(version="v0")]
SPECIAL = [
    ("ReputationMarket-v1", {"reputation_visibility": 0.7}),
    ("ReputationMarket-v0", {"reputation_visibility": 0.7}),
    ("SynergySearch-v1", {"reveal_gamma_in_obs": True}),
    ("SLCD-v0", {"trust_enabled": False}),
]


@pytest.mark.parametrize("id", ALL)
def test_every_game_passes(id):
    coopgym.testing.check(id)


@pytest.mark.parametrize(("id", "options"), SPECIAL)
def test_options_pass_too(id, options):
    coopgym.testing.check(coopgym.game(id, **options), seed=3, steps=20)


@dataclass(frozen=True, eq=False)
class PublicGood(Mechanism):
    """What is kept, and a share of what is doubled."""

    endowment: np.ndarray

    def payoffs(self, state, actions, payoffs):
        return payoffs + self.endowment - actions + 2.0 * namespace(actions).sum(actions)[..., None] / actions.shape[-1]


def own_game(mechanism, kind=Game, n=3):
    """A user's game of n equal agents, without trust and without an exit."""
    equal = (1.0 - np.eye(n)) / 2
    fields = {
        "name": "Commons", "version": "v3", "report": 0, "agents": tuple(f"farmer_{i}" for i in range(n)),
        "horizon": 9, "endowment": np.full(n, 10.0), "baseline": np.full(n, 4.0), "shares": np.full(n, 1 / n),
        "interdependence": equal, "mechanisms": (mechanism,), "trust": None, "initial_trust": equal,
        "initial_damage": 0.5 * equal,
    }  # fmt: skip
    return kind(**fields)


def test_a_users_own_game_passes():
    game = own_game(PublicGood(np.full(3, 10.0)))
    coopgym.testing.check(game)
    assert traces.kernel(game, "private", np.full((1, 3), 5.0), 0)["payoffs"].tolist() == [[15.0, 15.0, 15.0]]


def test_equal_agents_of_the_catalogue_are_found():
    from coopgym.testing.check import interchangeable

    alike = {id for id in ALL if interchangeable(coopgym.game(id), 0, 1)}
    assert {"TrustDilemma-v1", "PublicGoods-v1", "ReputationMarket-v0", "ReciprocalDilemma-v1"} <= alike
    assert not alike & {"PartnerHoldUp-v1", "PlatformEcosystem-v1", "SLCD-v1", "AppleAppStore-v1", "GiftExchange-v0"}


class Moody(PublicGood):
    """Pays by the number of calls: not a function of state and action."""

    calls = itertools.count()

    def payoffs(self, state, actions, payoffs):
        return super().payoffs(state, actions, payoffs) + next(self.calls)


class Partial(PublicGood):
    """Favours an agent by its position."""

    def payoffs(self, state, actions, payoffs):
        return super().payoffs(state, actions, payoffs) * namespace(actions).asarray([1.0, 2.0, 1.0], actions)


class Cut(PublicGood):
    """Pays right and differentiates wrong."""

    def payoffs(self, state, actions, payoffs):
        kept = actions if isinstance(actions, np.ndarray) else actions.detach()
        return super().payoffs(state, kept, payoffs) + 0.0 * actions


class Endless(PublicGood):
    """Pays without limit."""

    def payoffs(self, state, actions, payoffs):
        return super().payoffs(state, actions, payoffs) + np.inf


class Bare(PublicGood):
    """Forgets the batch: pays the first game's sum to all."""

    def payoffs(self, state, actions, payoffs):
        return payoffs + namespace(actions).sum(actions.reshape(-1))


@dataclass(frozen=True, eq=False)
class Narrow(PublicGood):
    """Shows a number outside the bounds it promises."""

    @property
    def observed(self):
        return {"noise": (0.0, 1.0)}

    def initial(self, draws):
        return {"noise": 0.0 * self.endowment[:1]}

    def update(self, step):
        return {"noise": step.before.extra["noise"] + 0.4}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Moody, "env checker"), (Partial, "symmetry: .*swapped: payoffs"), (Cut, "gradients: d payoffs"),
        (Endless, "env checker: .*reward is an inf"), (Bare, "vector environment"), (Narrow, "Out of bounds"),
    ],
)  # fmt: skip
def test_a_wrong_game_fails(kind, message):
    if kind is Cut:
        pytest.importorskip("torch")
    with pytest.raises(AssertionError, match=f"(?s)Commons-v3: .*{message}"):
        coopgym.testing.check(own_game(kind(np.full(3, 10.0))))


class Leaking(Game):
    """Trust grows beyond one."""

    def advance(self, state, actions, raw, draws):
        after = super().advance(state, actions, raw, draws)
        return after._replace(trust=after.trust + 0.2)


def test_trust_beyond_one_fails():
    with pytest.raises(AssertionError, match="Commons-v3"):
        coopgym.testing.check(own_game(PublicGood(np.full(3, 10.0)), Leaking))


def test_compare_finds_one_wrong_number():
    game = coopgym.game("SLCD-v1", max_steps=5)
    trace = traces.kernel(game, "integrated", traces.actions_of(game, 5, 0), 0)
    changed = {**trace, "rewards": trace["rewards"] * (1 + 1e-6 * (np.arange(10).reshape(5, 2) == 7))}
    traces.compare(trace, dict(trace), 0.0)
    with pytest.raises(AssertionError, match=r"rewards\[3, 1\]"):
        traces.compare(trace, changed, 1e-9)


@dataclass(frozen=True, eq=False)
class Lake(Mechanism):
    """A stock that is fished; ``fault`` says what is wrong with it."""

    full: np.ndarray
    fault: str = ""

    @property
    def observed(self):
        return {"observed": {"stck": (0.0, 1.0)}, "bounds": {"stock": 1.0}, "dict": 3.0}.get(
            self.fault, {"stock": (0.0, 1.0)}
        )

    def initial(self, draws):
        stock = {"constant": np.ones(1) * 0.5, "number": 0.5}.get(self.fault, self.full)
        return 0.5 if self.fault == "initial" else {"stock": stock}

    def payoffs(self, state, actions, payoffs):
        if self.fault == "in place":
            actions *= 2.0
        if self.fault == "sum in place":
            payoffs += actions
            return payoffs
        if self.fault == "state in place":
            state.extra["stock"][...] = 0.1
        if self.fault == "raises":
            return payoffs + actions.no_such_thing
        stock = state.extra["stck" if self.fault == "payoffs key" else "stock"]
        paid = payoffs + actions * stock
        return {"scalar": float(np.sum(paid)), "none": None, "shape": paid[..., :1]}.get(self.fault, paid)

    def update(self, step):
        if self.fault == "update key":
            return {"stok": step.before.extra["stock"]}
        if self.fault == "step key":
            return {"stock": step.before.extra["stck"]}
        if self.fault == "update shape":
            return {"stock": step.actions}
        if self.fault == "step in place":
            step.before.trust[..., 0, 1] = 0.123
        return [1.0] if self.fault == "update list" else {"stock": 0.9 * step.before.extra["stock"]}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("observed", r"Lake.observed names 'stck', which no mechanism's initial gives; did you mean 'stock'\?"),
        ("bounds", r"Lake.observed\['stock'\] is 1.0; give a pair"),
        ("dict", r"Lake.observed gives 3.0; give a dict by name"),
        ("initial", r"Lake.initial gives 0.5; give a dict by name"),
        (
            "payoffs key",
            r"Lake.payoffs \(test_faces_check.py, line \d+\) fails: there is no 'stck'; did you mean 'stock'",
        ),
        ("raises", r"Lake.payoffs \(test_faces_check.py, line \d+\) fails: AttributeError: .*no_such_thing"),
        ("scalar", r"Lake.payoffs gives a float, [\d.]+; give an array of shape \[3\]"),
        ("none", r"Lake.payoffs gives a NoneType, None; give an array of shape \[3\]"),
        ("shape", r"Lake.payoffs gives an array of shape \[1\]; it must be \[3\]"),
        ("update key", r"Lake.update gives 'stok', which its initial does not; did you mean 'stock'\?"),
        ("step key", r"Lake.update \(.* fails: there is no 'stck'; did you mean 'stock'\? the state has stock"),
        ("update shape", r"Lake.update\['stock'\] gives an array of shape \[3\]; it must be \[1\]"),
        ("constant", r"Lake.initial\['stock'\] stays a NumPy array where .* torch; give a field of Lake"),
        ("number", r"Lake.initial\['stock'\] is 0.5, a float; give an array, best a field of Lake$"),
        ("in place", r"Lake.payoffs changes its argument actions in place; make a new array"),
        ("sum in place", r"Lake.payoffs changes its argument payoffs in place; make a new array"),
        ("state in place", r"Lake.payoffs changes its argument state.extra\['stock'\] in place"),
        ("step in place", r"Lake.update changes its argument state.trust in place"),
        ("update list", r"Lake.update gives \[1.0\]; give a dict by name"),
    ],
)
def test_what_is_wrong_with_a_hook_is_a_sentence(fault, message):
    with pytest.raises(AssertionError, match=rf"^Commons-v3: mechanisms: {message}") as told:
        coopgym.testing.check(own_game(Lake(np.ones(1), fault)))
    assert "\n" not in str(told.value) and "\x1b" not in str(told.value)


class Plain(Mechanism):
    """Is no dataclass."""


def test_mechanisms_that_are_none_are_named():
    for wrong, message in ((Plain(), "Plain is no dataclass"), (object(), "object is no Mechanism")):
        with pytest.raises(AssertionError, match=f"Commons-v3: mechanisms: {message}"):
            coopgym.testing.check(own_game(wrong))
