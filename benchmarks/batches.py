"""Game-steps a second of the batched kernel in torch: eager, compiled, with a policy, and as a vector environment."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from timing import per_second

import coopgym
from coopgym.envs.observation import observe

GAMES = {2: "TrustDilemma-v1", 5: "PlatformEcosystem-v1", 40: "ApacheProject-v1"}


def finisher(device: str) -> Callable[[], Any]:
    """Waits until the device has done what it was asked."""
    return torch.cuda.synchronize if device == "cuda" else bool


def stepping(game: Any, batch: int, *, compiled: bool) -> Callable[[], int]:
    """One step of every game, state carried on."""
    torch._dynamo.reset()
    step = torch.compile(game.step) if compiled else game.step
    state = game.reset((batch,))
    actions = 0.6 * game.endowment.expand(batch, game.n).contiguous()

    @torch.no_grad()
    def act() -> int:
        nonlocal state
        state, _, _ = step(state, actions)
        return batch

    return act


def inferring(game: Any, batch: int, *, compiled: bool, width: int = 64) -> Callable[[], int]:
    """One step whose actions come from a network of two hidden layers per agent on its own observation."""
    torch._dynamo.reset()
    state = game.reset((batch,))
    sizes = (observe(game, state, "asymmetric").shape[-1], width, width, 1)
    layers = [torch.randn(game.n, a, b, device=game.endowment.device) / a**0.5 for a, b in pairwise(sizes)]

    def turn(state: Any) -> Any:
        x = observe(game, state, "asymmetric").transpose(0, 1)
        for layer in layers:
            x = torch.tanh(x @ layer)
        actions = (0.5 + 0.5 * x.squeeze(-1).transpose(0, 1)) * game.endowment
        return game.step(state, actions)[0]

    move = torch.compile(turn) if compiled else turn

    @torch.no_grad()
    def act() -> int:
        nonlocal state
        state = move(state)
        return batch

    return act


def rows(device: str, batches: tuple[int, ...], seconds: float) -> list[dict[str, Any]]:
    """Kernel step and step plus inference, eager and compiled, for 2, 5 and 40 agents."""
    result = []
    for n, id in GAMES.items():
        game = coopgym.game(id).to("torch", device=device)
        for batch in batches:
            if batch * n * n > (2**31 if device == "cuda" else 2**23):
                continue  # the trust matrices alone would not fit the machine
            for name, make in (("step", stepping), ("step + inference", inferring)):
                for compiled in (False, True):
                    figure = per_second(make(game, batch, compiled=compiled), seconds, 3, finisher(device))
                    how = "compiled" if compiled else "eager"
                    row = {"what": f"torch {name}, {how}", "agents": n, "games": batch, "figure": figure}
                    result.append({**row, "unit": "game-steps/s"})
    return result


def vector_rows(device: str, games: int = 16384) -> list[dict[str, Any]]:
    """The vector environment itself, with observations, rewards and automatic resets."""
    result = []
    for compiled in (False, True):
        env = coopgym.make_vec("TrustDilemma-v1", num_envs=games, backend="torch", device=device, compile=compiled)
        env.reset(seed=0)
        actions = torch.full((games, 2), 60.0, device=device)

        def act(env: Any = env, actions: Any = actions) -> int:
            env.step(actions)
            return games

        figure = per_second(act, 0.6, 3, finisher(device))
        how = "compiled" if compiled else "eager"
        row = {"what": f"torch vector face, {how}", "agents": 2, "games": games, "figure": figure}
        result.append({**row, "unit": "game-steps/s"})
    return result
