"""Equilibria of the stage game: by formula where the game follows one, else by best replies from many starts."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from coopgym import seeding
from coopgym.envs.symmetry import roles
from coopgym.oracles.certificate import POINTS, certify
from coopgym.oracles.models import Model, recognise, same_replies, weights_at
from coopgym.oracles.moves import Objective, best_move, landmarks
from coopgym.oracles.result import STAGE_TOLERANCE, Certificate, Solution
from coopgym.oracles.stage import StageGame

SWEEPS = 80
SETTLED = 1e-7  # largest change of a sweep that counts as none [endowments]
EAGER, PATIENT = 1e-14, 3e-8  # least relative gain for which an agent moves, at first and after half of the sweeps
SAME = 5e-3  # profiles closer than this are one solution [endowments]; released multipliers are rounded to 7 digits
LEVELS = (0.02, 0.25, 0.5, 0.75, 1.0)
CROWD = 12  # with more agents than this, fewer starts
RANDOM_NUMBERS = 60  # of random starts, over all agents
CORNERS = 4  # roles up to which each is put apart at a corner
CANDIDATES = 4  # distinct solutions that get a certificate
REPAIRS = 3  # times that a deviation which the certificate finds becomes a new start


class Settled(NamedTuple):
    """Where best replies ended: profiles ``[S, N]``, done ``[S]``; trace: largest change of each sweep."""

    profiles: np.ndarray
    done: np.ndarray
    trace: tuple[float, ...]


def stage_equilibrium(
    stage: StageGame, concept: str = "nash", *, closed_form: bool = True, seed: int = 0, points: int = POINTS
) -> Solution:
    """A profile from which no agent gains alone in one step, and how sure that is.

    Where several are found, the one with the largest sum of rewards. ``closed_form`` False: search even where a
    formula is known. points: own actions of each agent that the certificate tries.
    """
    began = time.perf_counter()
    model = recognise(stage) if closed_form else None
    if model is not None:
        weights = weights_at(stage, stage.endowment)
        if same_replies(stage, model, weights):
            actions = model.equilibrium(weights)
            certificate = certify(stage, actions, points)
            if certificate.relative <= STAGE_TOLERANCE:
                known = model.uniqueness(weights)
                return answer(stage, concept, "stage equilibrium", actions, model.label, certificate, known, began)
    return _searched(stage, concept, model, seed, points, began)


def _searched(stage: StageGame, concept: str, model: Model | None, seed: int, points: int, began: float) -> Solution:
    begin = starts(stage, seeding.generator(seed, "solvers"))
    if model is not None:
        begin = np.concatenate([by_fixed_weights(stage, model)[None], begin])
    settled = settle(stage, begin)
    found = distinct(stage, settled.profiles[settled.done] if settled.done.any() else settled.profiles)
    order = np.argsort(-stage.rewards(found).sum(-1), kind="stable")
    judged = [repaired(stage, found[k], points) for k in order[:CANDIDATES]]
    good = [pair for pair in judged if pair[1].relative <= STAGE_TOLERANCE]
    actions, certificate = evened(stage, good[0], points) if good else min(judged, key=lambda pair: pair[1].relative)
    certificate = _searched_certificate(certificate, len(begin), len(found), settled.trace)
    alone = "one found, not proved" if len(found) == 1 else f"{len(found)} found; the largest sum of rewards is given"
    notes = () if settled.done.all() else (f"best replies settled from {int(settled.done.sum())} of the starts",)
    return answer(
        stage, concept, "stage equilibrium", actions, "best replies from many starts", certificate, alone, began, notes
    )


def _searched_certificate(
    certificate: Certificate, begun: int, found: int, trace: tuple[float, ...]
) -> Certificate:  # fmt: skip
    return Certificate(
        certificate.gain, certificate.relative, certificate.method, certificate.exhaustive, certificate.deviation,
        starts=begun, solutions=found, trace=trace,
    )  # fmt: skip


def by_fixed_weights(stage: StageGame, model: Model, rounds: int = 60) -> np.ndarray:
    """``[N]``: the formula applied again to the weights that its answer brings about (released trust moves first)."""
    actions = np.asarray(stage.game.baseline)
    for _ in range(rounds):
        new = model.equilibrium(weights_at(stage, actions))
        if np.abs(new - actions).max() <= SETTLED:
            return new
        actions = 0.5 * (actions + new)
    return actions


def starts(stage: StageGame, rng: np.random.Generator) -> np.ndarray:
    """Profiles ``[S, N]``: common rates, corners, the baselines, and random ones: fewer for more agents."""
    count = max(2, min(8, RANDOM_NUMBERS // stage.n))
    common = np.array(LEVELS[:: 1 if stage.n <= CROWD else 2])[:, None] * stage.endowment
    random = rng.uniform(0.0, 1.0, (count, stage.n)) * stage.endowment
    return np.concatenate([common, _corners(stage), np.asarray(stage.game.baseline)[None], random])


def _corners(stage: StageGame) -> np.ndarray:
    """Profiles ``[C, N]`` of nothing or everything: all agents at nothing, and each role, or half of it, apart from
    the others. Where a first unit costs more than it adds, nobody leaves nothing, and only these starts find that."""
    role = roles(stage.game)
    places = np.array([np.flatnonzero(role[: i + 1] == role[i]).size - 1 for i in range(stage.n)])
    sizes = np.bincount(role)[role]
    masks = [role == r for r in range(int(role.max()) + 1)] if role.max() < CORNERS else []
    masks += [2 * places < sizes]
    rates = np.unique(np.array([np.zeros(stage.n), *masks, *(~m for m in masks)], dtype=np.float64), axis=0)
    return np.asarray(rates * stage.endowment)


def settle(stage: StageGame, begin: np.ndarray, sweeps: int = SWEEPS) -> Settled:
    """Best replies in turn from profiles ``[S, N]`` until nobody moves; half steps if that takes long."""
    e, marks = stage.endowment, landmarks(stage)
    profiles, done, trace = begin.copy(), np.zeros(len(begin), dtype=bool), []
    for sweep in range(sweeps):
        moving = np.flatnonzero(~done)
        if not len(moving):
            break
        old = profiles[moving]
        new, late = old.copy(), sweep >= sweeps // 2
        for agent in range(stage.n):
            own = _reply(stage, new, agent, marks[agent], PATIENT if late else EAGER)
            new[:, agent] = own if sweep < sweeps // 4 else 0.5 * (own + new[:, agent])
        change = np.abs((new - old) / e).max(-1)
        profiles[moving] = new
        done[moving] = change <= SETTLED
        trace.append(float(change.max()))
    return Settled(profiles, done, tuple(trace))


def _reply(stage: StageGame, profiles: np.ndarray, agent: int, marks: np.ndarray, least: float) -> np.ndarray:
    """Best replies ``[S]``, or the action at which an agent stands where another one gains it nothing."""
    own, top, before = best_move(
        reward_of(stage, agent), profiles, np.array([agent]), float(stage.endowment[agent]), marks
    )
    worth = top - before > least * np.maximum(stage.unit, np.abs(before))
    return np.where(worth, own, profiles[:, agent])


def reward_of(stage: StageGame, agent: int) -> Objective:
    """The rewards of one agent as a function of joint actions."""

    def reward(joint: np.ndarray) -> np.ndarray:
        return np.asarray(stage.rewards(joint)[..., agent])

    return reward


def repaired(stage: StageGame, profile: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, Certificate]:
    """(profile ``[N]``, certificate): where a deviation pays that the replies had missed, they go on from there."""
    certificate = certify(stage, profile, points)
    for _ in range(REPAIRS):
        if certificate.relative <= STAGE_TOLERANCE:
            break
        moved = profile.copy()
        moved[certificate.deviation["agent"]] = certificate.deviation["action"]
        other = settle(stage, moved[None]).profiles[0]
        again = certify(stage, other, points)
        if again.relative >= certificate.relative:
            break
        profile, certificate = other, again
    return profile, certificate


def evened(
    stage: StageGame, pair: tuple[np.ndarray, Certificate], points: int = POINTS
) -> tuple[np.ndarray, Certificate]:
    """The same (profile ``[N]``, certificate) with equal actions for a role where they differ by rounding only."""
    profile, role = pair[0], roles(stage.game)
    means = np.array([profile[role == r].mean() for r in range(int(role.max()) + 1)])[role]
    if (means == profile).all() or np.abs((means - profile) / stage.endowment).max() > SAME:
        return pair
    certificate = certify(stage, means, points)
    return (means, certificate) if certificate.relative <= STAGE_TOLERANCE else pair


def distinct(stage: StageGame, profiles: np.ndarray) -> np.ndarray:
    """Profiles ``[S', N]`` that differ; agents of one role may have changed places."""
    role, rates = roles(stage.game), profiles / stage.endowment
    keys = np.stack([row[np.lexsort((row, role))] for row in rates])
    kept: list[int] = []
    for k, key in enumerate(keys):
        if all(np.abs(key - keys[j]).max() > SAME for j in kept):
            kept.append(k)
    return np.asarray(profiles[kept])


def answer(
    stage: StageGame,
    concept: str,
    kind: str,
    actions: np.ndarray,
    method: str,
    certificate: Certificate,
    uniqueness: str,
    began: float,
    notes: tuple[str, ...] = (),
    bound: float | None = None,
) -> Solution:
    """A Solution of the stage game with the payoffs and rewards that its actions bring."""
    return Solution(
        game=stage.game.id, game_hash=stage.game.hash, concept=concept, kind=kind, reward_mode=str(stage.mode),
        actions=actions, payoffs=stage.payoffs(actions), rewards=stage.rewards(actions), method=method,
        certificate=certificate, uniqueness=uniqueness, bound=bound, notes=notes,
        seconds=time.perf_counter() - began,
    )  # fmt: skip
