"""Finds the parameters of tension="high" and writes them into the catalogue: coopgym/envs/catalogue/tension.json.

    python benchmarks/tension.py [--only NAME,NAME]

For each game of TR-1, TR-2 and TR-4: the environment's endowments and shares, the report's power value a^0.75, and the
smallest gamma, a multiple of 0.05, with which one step of selfish play (private rewards, first state) loses at least
20 % of the welfare of the optimum. A hidden gamma keeps the width of its range, and all of the range must lose as much.
Before that, the most that gamma up to 1 could have lost, over both value specifications: a grid, whose highest points
are refined. No game comes near a fifth.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

import coopgym
from coopgym.envs.catalogue.tension import FILE, Preset
from coopgym.envs.game import Game
from coopgym.mechanisms.value import HiddenSynergy, LogarithmicValue, PowerValue
from coopgym.oracles.dilemma import Dilemma, dilemma
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.stage import StageGame

LOST = 0.20
EXPONENT = 0.75  # of the power value in TR-1's own validation
STEP = 0.05
EXPONENTS = np.unique(np.concatenate([np.arange(0.05, 0.9, 0.05), 1.0 - np.geomspace(0.1, 1e-4, 28)]))  # dense near 1
SCALES = np.geomspace(0.1, 40.0, 25)
PEAKS = 3  # of each grid that are refined


def main() -> int:
    """Find and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="names of games, comma-separated; the others keep their numbers")
    names = [name.removesuffix("-v1") for report in (1, 2, 4) for name in coopgym.list_games(report)]
    only = parser.parse_args().only
    wanted = names if only is None else only.split(",")
    games: dict[str, Any] = json.loads(FILE.read_text())["games"] if FILE.exists() else {}
    for name in wanted:
        began = time.perf_counter()
        games[name] = {k: _digits(v) for k, v in dataclasses.asdict(found(f"{name}-v1")).items()}
        print(f"{name:<24}{time.perf_counter() - began:6.1f} s  {games[name]}", flush=True)
    about = "written by benchmarks/tension.py; parameters of our own, outside the reports"
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(games[name])}" for name in names if name in games)
    FILE.write_text(f'{{"about": {json.dumps(about)},\n"games": {{\n{rows}\n}}}}\n')
    return 0


def found(name: str) -> Preset:
    """The preset of one game."""
    game = coopgym.game(name)
    hidden = _hidden(game)
    value = PowerValue(EXPONENT)
    half = 0.0 if hidden is None else 0.5 * (hidden.high - hidden.low)
    gamma = smallest(game, value, half)
    step = dilemma(remade(game, value, gamma))
    return Preset(
        agents=game.n, exponent=EXPONENT, gamma=gamma,
        shift=None if hidden is None else gamma - 0.5 * (hidden.high + hidden.low),
        lost=step.lost if hidden is None else least(game, value, gamma, half),
        lost_as_reported=dilemma(game).lost, lost_integrated=dilemma(remade(game, value, gamma), "integrated").lost,
        greed=float(step.greed.max()), fear=float(step.fear.max()), nash=_rate(step, "nash"),
        optimum=_rate(step, "optimum"), within_range=within_range(game),
    )  # fmt: skip


def smallest(game: Game, value: PowerValue, half: float) -> float:
    """The smallest gamma, in steps, that loses enough everywhere within ``half`` of it."""
    for k in range(round(1.0 / STEP), round(game.n**2 / STEP)):
        gamma = round(k * STEP, 2)
        if least(game, value, gamma, half) >= LOST:
            return gamma
    raise RuntimeError(f"{game.id}: no gamma below N^2 loses {LOST:.0%}")


def least(game: Game, value: PowerValue, gamma: float, half: float) -> float:
    """The least that selfish play loses for any gamma within ``half`` of the given one."""
    return min(lost(game, value, g) for g in (np.linspace(gamma - half, gamma + half, 9) if half else [gamma]))


def within_range(game: Game) -> float:
    """The largest lost share over both value specifications with gamma 1, the report's largest."""
    power = highest(lambda x: lost(game, PowerValue(x), 1.0), EXPONENTS)
    return max(power, highest(lambda x: lost(game, LogarithmicValue(x), 1.0), SCALES))


def highest(value: Callable[[float], float], grid: np.ndarray) -> float:
    """The largest value on a grid and, by bounded search, between the neighbours of its highest peaks."""
    at = [value(float(x)) for x in grid]
    peaks = [k for k in range(len(at)) if at[k] == max(at[max(k - 1, 0) : k + 2])]
    for k in sorted(peaks, key=lambda k: -at[k])[:PEAKS]:
        bracket = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
        found = minimize_scalar(lambda x: -value(float(x)), bounds=bracket, method="bounded", options={"xatol": 1e-7})
        at.append(-float(found.fun))
    return max(at)


def lost(game: Game, value: PowerValue | LogarithmicValue, gamma: float) -> float:
    """Share of the optimum's welfare that selfish play of one step loses."""
    stage = StageGame.of(remade(game, value, gamma))
    return 1.0 - stage_equilibrium(stage).welfare / stage_optimum(stage, objective="payoffs").welfare


def remade(game: Game, value: PowerValue | LogarithmicValue, gamma: float) -> Game:
    """The game with another value and synergy, its first mechanism."""
    synergy, *rest = game.mechanisms
    limits = {"low": gamma, "high": gamma} if isinstance(synergy, HiddenSynergy) else {}
    changed = dataclasses.replace(synergy, value=value, synergy=gamma, **limits)
    return dataclasses.replace(game, mechanisms=(changed, *rest))


def _hidden(game: Game) -> HiddenSynergy | None:
    synergy = game.mechanisms[0]
    return synergy if isinstance(synergy, HiddenSynergy) else None


def _rate(step: Dilemma, which: str) -> float:
    return float((getattr(step, which).actions / coopgym.game(step.game).endowment).mean())


def _digits(x: Any) -> Any:
    return float(f"{x:.4g}") if isinstance(x, float) else x


if __name__ == "__main__":
    sys.exit(main())
