"""The formulas that the pages of the games print, read from the pages and played: they give what the kernel gives.

Numbers of the formulas are those of the page's table of parameters. What is read of the kernel are the actions, the
hidden worth of joint work and who is in the coalition; the state evolves by the printed updates alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from printed_formulas import Page

import coopgym

FOLDER = Path(__file__).parents[2] / "docs" / "games"
NAMES = [name.removesuffix("-v1") for name in coopgym.list_games()]
STEPS, HIGH, TURNS, LOW = 58, 18, 22, 52  # steps played, and where the phases of them end
PAIRS = {"T": "trust", "R": "damage"}  # variables of the state, and where the kernel keeps them
SINGLE = {r"\ell": "loyalty", "q": "public_reputation", "A": "agreement"}
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="not a checkout")


def text(name):
    return (FOLDER / f"{name}.md").read_text()


def numbers(page):
    """What the table of parameters gives as one number, by its symbol with spaces removed."""
    table = page.split("## What it pays")[0]
    rows = re.findall(r"^\| \$([^$]+)\$ \| [^|]+ \| ([-\d.e]+) \|$", table, re.M)
    return {symbol.replace(" ", "").replace("{ij}(0)", "0"): float(value) for symbol, value in rows}


def listed(page, words):
    """The numbers of the row of parameters with these words."""
    row = next(line for line in page.splitlines() if line.startswith("|") and words in line)
    return [float(x) for x in row.split("|")[-2].split(",")]


def named(symbol):
    """A symbol of the table as the evaluator spells it: without the braces that hold a subscript or a superscript."""
    return re.sub(r"([_^])\{([^{}]*(?:\\mathrm\{[^}]*\})?[^{}]*)\}", r"\1\2", symbol)


def known(page, game):
    """All numbers of the formulas that stand still."""
    scalars = {named(symbol): value for symbol, value in numbers(page).items()}
    arrays = {"e": game.endowment, "b": game.baseline, r"\alpha": game.shares, "D": game.interdependence}
    found = {**scalars, **arrays, "N": game.n}
    if "m(q)" in page:
        thresholds, multipliers = listed(page, "reputations from which the tiers"), listed(page, "payoff multipliers")
        found["m"] = lambda q: multipliers[sum(q >= threshold for threshold in thresholds)]
    return found


def start(game, found):
    """The first state, from the game's own: what its parameters say of the start."""
    state, values = game.reset(), {"T": game.initial_trust.copy(), "R": game.initial_damage.copy()}
    values |= {symbol: np.array(state.extra[name]) for symbol, name in SINGLE.items() if name in state.extra}
    values["z"] = 0.0
    return state, {**found, **values}


def memory(values, played, game):
    """The mean of the last k efforts, as the page says it in words."""
    recent = played[-int(values["k"]) :]
    values[r"\bar{a}"] = np.mean(recent, 0) if recent else np.zeros(game.n)


def updated(page, values, symbol, n):
    """The next value of a variable of the state, all entries from the old ones."""
    statement = page.updates[symbol]
    if statement.index == "":
        return page.value(symbol, values, {}, update=True)
    if statement.index == "i":
        return np.array([page.value(symbol, values, {"i": i}, update=True) for i in range(n)])
    old, new = values[symbol], np.array(values[symbol])
    for i, j in np.argwhere(~np.eye(n, dtype=bool)):
        new[i, j] = page.value(symbol, values, {"i": int(i), "j": int(j)}, update=True)
    assert new.shape == old.shape
    return new


def actions_of(game, rng, step):
    """Efforts that lead through all cases: trust is built, then all defect and make up for it in turn, then some defect
    until they are expelled, then anything."""
    high, low, anything = 0.8 + 0.2 * rng.random(game.n), 0.05 * rng.random(game.n), rng.random(game.n)
    if step < TURNS:
        return (high if step < HIGH or step % 2 else low) * game.endowment
    if step < LOW:
        return np.where(np.arange(game.n) % 2, high if step % 4 else anything, low) * game.endowment
    near = game.baseline + rng.normal(0.0, 0.05, game.n) * game.endowment
    return np.clip(near if step % 2 else anything * game.endowment, 0.0, game.endowment)


def payoff(page):
    """The symbol of what is paid."""
    return "p" if "p" in page.definitions else r"\pi"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_prints_is_what_the_kernel_does(name):
    game = coopgym.game(f"{name}-v1")
    page, rng = Page.of(text(name)), np.random.default_rng(0)
    state, values = start(game, known(text(name), game))
    played, agents = [], range(game.n) if game.n < 10 else [0, 7, 39]
    for step in range(STEPS if game.n < 10 else 2):
        actions = actions_of(game, rng, step)
        values |= {"a": actions, "t": step}
        if "gamma" in state.extra:
            values[r"\gamma"] = state.extra["gamma"][0]
        if "member" in state.extra:
            values["C"] = set(np.flatnonzero(state.extra["member"]).tolist())
        if "k" in values:
            memory(values, played, game)
        after, paid, _ = game.step(state, actions)
        found = [page.value(payoff(page), values, {"i": i}) for i in agents]
        np.testing.assert_allclose(found, paid[list(agents)], rtol=2e-6, atol=1e-6)
        if payoff(page) == r"\pi":
            assert r"Nothing else is paid: $p_i = \pi_i$" in text(name)
        rewards_agree(page, values, game, state, after, paid, agents)
        # one after the other, but all from the old values
        following = {symbol: updated(page, values, symbol, game.n) for symbol in page.updates}
        for symbol, value in following.items():
            expected = kernel(after, symbol)
            np.testing.assert_allclose(value, expected, rtol=2e-6, atol=2e-8, err_msg=f"{symbol} after step {step}")
        values |= following
        state = after
        played.append(actions)


def rewards_agree(page, values, game, before, after, paid, agents):
    """The three modes, of payoffs as the kernel has them."""
    with_payoffs = {**values, "p": paid}
    for kind in ("private", "integrated", "cooperative"):
        weights = coopgym.RewardMode(kind).weights
        expected = game.rewards(weights, before, after, paid)
        found = [page.value(rf"r^\mathrm{{{kind}}}", with_payoffs, {"i": i}) for i in agents]
        np.testing.assert_allclose(found, expected[list(agents)], rtol=2e-6, atol=1e-6)


def kernel(after, symbol):
    """Where the kernel keeps a variable of the page."""
    if symbol == "z":
        return float(after.extra["agreed"][0])
    return getattr(after, PAIRS[symbol]) if symbol in PAIRS else after.extra[SINGLE[symbol]]


@pytest.mark.parametrize("name", NAMES)
def test_a_symbol_is_defined_once_a_page(name):
    page = Page.of(text(name))
    assert not page.twice
    both = set(page.definitions) & set(page.updates)
    assert not both, f"{both} are both defined and updated"
    parameters = set(known(text(name), coopgym.game(f"{name}-v1")))
    assert not parameters & set(page.definitions), "a parameter is defined again by a formula"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_defines_all_that_its_formulas_use(name):
    """Evaluating everything that is defined needs nothing that is not there."""
    game = coopgym.game(f"{name}-v1")
    page, (state, values) = Page.of(text(name)), start(game, known(text(name), game))
    values |= {"a": 0.4 * game.endowment, "t": 1, "C": set(range(game.n)), r"\bar{a}": 0.3 * game.endowment}
    values |= {r"\gamma": state.extra["gamma"][0]} if "gamma" in state.extra else {}
    values |= {"p": np.zeros(game.n)} if payoff(page) != "p" else {}
    for symbol, statement in [*page.definitions.items(), *page.updates.items()]:
        update = statement.arrow != "="
        assert np.isfinite(page.value(symbol, values, {"i": 0, "j": 1}, update=update)), symbol
