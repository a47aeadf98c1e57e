"""One kernel: NumPy and torch agree, a batch is its games, gradients are right, and it traces into one graph."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.envs.observation import SETTINGS, bounds, constant_features, observe
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.mechanisms.base import State, select

torch = pytest.importorskip("torch")
ALL = [*coopgym.list_games(), *coopgym.list_games(version="v0")]
SPECIAL = [
    ("ReputationMarket-v1", {"reputation_visibility": 0.7}),
    ("ReputationMarket-v0", {"reputation_visibility": 0.7}),
]
SPECIAL += [("GiftExchange-v1", {"reciprocity_units": "raw"}), ("GiftExchange-v1", {"reciprocity_form": "own_action"})]
SPECIAL += [("CoalitionFormation-v1", {"teammates": "sum"}), ("SLCD-v0", {"trust_enabled": False})]
CASES = [(id, {}) for id in ALL] + SPECIAL


def leaves(state: State) -> dict:
    return {**dict(zip(State._fields[:4], state[:4], strict=True)), **state.extra}


def random_play(game, batch, seed, steps=None):
    """Draws and actions of an episode: levels that change every few steps, so that all rules come into play."""
    rng = np.random.default_rng(seed)
    steps = min(game.horizon, 60) if steps is None else steps
    level = np.repeat(rng.random((steps // 6 + 1, *batch, game.n)), 6, 0)[:steps]
    rates = np.clip(level + 0.1 * rng.standard_normal(level.shape), -0.1, 1.1)
    draws = rng.random((*batch, game.reset_draws)) if game.reset_draws else None
    noise = rng.standard_normal((steps, *batch, game.step_draws)) if game.step_draws else [None] * steps
    return draws, rates * game.endowment, noise


def roll(game, batch, draws, actions, noise, convert=lambda x: x):
    """Every state, payoff and end of an episode."""
    state = game.reset(batch, None if draws is None else convert(draws))
    for a, z in zip(actions, noise, strict=True):
        before = state
        state, payoffs, ended = game.step(state, convert(a), None if z is None else convert(z))
        yield before, state, payoffs, ended


@pytest.mark.parametrize(("id", "options"), CASES)
def test_numpy_and_torch_agree(id, options):
    game = coopgym.game(id, **options)
    twin = game.to("torch", dtype=torch.float64)
    play = random_play(game, (3,), seed=1)
    pairs = zip(roll(game, (3,), *play), roll(twin, (3,), *play, convert=torch.as_tensor), strict=True)
    for (before, after, payoffs, ended), (before_, after_, payoffs_, ended_) in pairs:
        np.testing.assert_allclose(payoffs_.numpy(), payoffs, rtol=1e-11, atol=1e-9)
        np.testing.assert_array_equal(ended_.numpy(), ended)
        for name, value in leaves(after).items():
            np.testing.assert_allclose(leaves(after_)[name].numpy(), value, rtol=1e-10, atol=1e-11, err_msg=name)
        for kind in KINDS:
            weights = RewardMode(kind, 0.7).weights
            mine, theirs = (
                game.rewards(weights, before, after, payoffs),
                twin.rewards(weights, before_, after_, payoffs_),
            )
            np.testing.assert_allclose(theirs.numpy(), mine, rtol=1e-11, atol=1e-9)
    for setting in ("joint", *SETTINGS):
        np.testing.assert_allclose(observe(twin, after_, setting).numpy(), observe(game, after, setting), atol=1e-9)


@pytest.mark.parametrize(("id", "options"), CASES)
def test_a_batch_is_its_games(id, options):
    game = coopgym.game(id, **options)
    draws, actions, noise = random_play(game, (2, 2), seed=2, steps=min(game.horizon, 40))
    together = list(roll(game, (2, 2), draws, actions, noise))
    for index in ((0, 0), (1, 0)):
        own_noise = [None if z is None else z[index] for z in noise]
        own_draws = None if draws is None else draws[index]
        single = roll(game, (), own_draws, [a[index] for a in actions], own_noise)
        for (_, after, payoffs, ended), (_, after_, payoffs_, ended_) in zip(together, single, strict=True):
            np.testing.assert_allclose(payoffs[index], payoffs_, rtol=1e-12, atol=1e-12)
            assert bool(ended[index]) == bool(ended_)
            for name, value in leaves(after_).items():
                np.testing.assert_allclose(leaves(after)[name][index], value, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("id", ALL)
def test_gradients_agree_with_finite_differences(id):
    game = coopgym.game(id).to("torch", dtype=torch.float64)
    rng = np.random.default_rng(3)
    state = game.reset()
    for _ in range(3):  # a state with history: memory, loyalty and trust have moved
        state = game.step(state, torch.as_tensor(rng.uniform(0.35, 0.9, game.n)) * game.endowment)[0]
    actions = torch.as_tensor(rng.uniform(0.55, 0.95, game.n)) * game.endowment
    actions.requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda a: game.payoffs(state, game.clip(a)), actions)
    step = 1e-5
    for i in range(min(game.n, 6)):
        shift = torch.zeros(game.n, dtype=torch.float64)
        shift[i] = step
        up, down = (game.payoffs(state, (actions + sign * shift).detach()) for sign in (1, -1))
        torch.testing.assert_close(jacobian[:, i], (up - down) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("id", coopgym.list_games())
def test_gradients_flow_through_an_episode(id):
    game = coopgym.game(id).to("torch", dtype=torch.float64)
    rates = torch.full((20, game.n), 0.6, dtype=torch.float64, requires_grad=True)
    state, total = game.reset(), torch.zeros(())
    weights = RewardMode("integrated").weights
    for rate in rates:
        before = state
        state, payoffs, _ = game.step(state, rate * game.endowment)
        total = total + game.rewards(weights, before, state, payoffs).sum()
    total.backward()
    assert torch.isfinite(rates.grad).all()
    assert (rates.grad.abs().sum(-1) > 0).all()


@pytest.mark.parametrize("id", coopgym.list_games())
def test_gradient_is_finite_at_the_corners(id):
    game = coopgym.game(id).to("torch", dtype=torch.float64)
    for level in (0.0, 1.0):
        actions = (level * game.endowment).requires_grad_()
        game.payoffs(game.reset(), game.clip(actions)).sum().backward()
        assert torch.isfinite(actions.grad).all()


@pytest.mark.parametrize("id", ALL)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own tracer uses torch.jit
def test_a_step_traces_into_one_graph(id):
    game = coopgym.game(id).to("torch")
    torch._dynamo.reset()
    step = torch.compile(game.step, fullgraph=True, backend="eager")
    state, actions = game.reset((5,)), 0.7 * game.endowment.expand(5, game.n)
    for ours, traced in zip(
        leaves(game.step(state, actions)[0]).values(), leaves(step(state, actions)[0]).values(), strict=True
    ):
        torch.testing.assert_close(traced, ours)


@pytest.mark.parametrize(("id", "options"), CASES)
def test_observations_stay_inside_their_bounds(id, options):
    game = coopgym.game(id, **options)
    seen = {setting: [] for setting in ("joint", *SETTINGS)}
    for _, after, _, _ in roll(game, (2,), *random_play(game, (2,), seed=4)):
        for setting, rows in seen.items():
            rows.append(observe(game, after, setting))
    for setting, rows in seen.items():
        low, high = bounds(game, setting)
        assert np.isfinite(low).all()
        assert low.shape == rows[0].shape[1:]
        assert all(((row >= low) & (row <= high)).all() for row in rows)
        constant = constant_features(game, setting)
        fixed = np.ptp(np.concatenate(rows), axis=0) == 0
        assert (fixed | ~constant).all(), "a feature that moves is called constant"


def test_observation_lengths():
    for id in ALL:
        game = coopgym.game(id)
        n, state = game.n, game.reset()
        public = sum(state.extra[name].shape[-1] for m in game.mechanisms for name in m.observed)
        shown = 0 if game.version == "v0" else public
        assert observe(game, state).shape == (n + 3 * n * n + 1 + public,)
        assert observe(game, state, "full").shape == (n, n * n + 4 * n + shown)
        assert observe(game, state, "asymmetric").shape == (n, 5 * n + shown)
        assert observe(game, state, "minimal").shape == (n, n + 1)


def test_select_takes_whole_games():
    game = coopgym.game("AppleAppStore-v1")
    fresh = game.reset((3,))
    used = game.step(fresh, np.tile(game.endowment, (3, 1)))[0]
    mixed = select(np.array([True, False, True]), fresh, used)
    for name, value in leaves(mixed).items():
        np.testing.assert_array_equal(value[0], leaves(fresh)[name][0])
        np.testing.assert_array_equal(value[1], leaves(used)[name][1])


def test_a_step_leaves_its_arguments_alone():
    for id in ALL:
        game = coopgym.game(id)
        state, actions = game.reset((2,)), np.full((2, game.n), 1e6)
        kept = {name: value.copy() for name, value in leaves(state).items()}
        after = game.step(state, actions)[0]
        assert (actions == 1e6).all()
        assert (after.actions == game.endowment).all(), "actions beyond the endowment are clipped to it"
        for name, value in leaves(state).items():
            np.testing.assert_array_equal(value, kept[name], err_msg=f"{id}: {name}")


def test_a_game_moves_between_libraries_and_back():
    game = coopgym.game("AppleAppStore-v1")
    back = game.to("torch", dtype=torch.float64).to("numpy")
    actions = 0.6 * game.endowment
    ours, theirs = game.step(game.reset(), actions), back.step(back.reset(), actions)
    np.testing.assert_allclose(theirs[1], ours[1])
    assert theirs[0].trust.dtype == np.float64
    with pytest.raises(ValueError, match="backend='jax'"):
        game.to("jax")
