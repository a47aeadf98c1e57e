"""The best that a planner can do in one step: by formula where the game follows one, else by climbing."""

from __future__ import annotations

import time

import numpy as np

from coopgym import seeding
from coopgym.envs.symmetry import roles
from coopgym.mechanisms import checks
from coopgym.oracles.certificate import certify_optimum
from coopgym.oracles.equilibrium import CANDIDATES, EAGER, PATIENT, REPAIRS, SETTLED, SWEEPS, answer, distinct, starts
from coopgym.oracles.models import Model, recognise, same_sum, weights_at
from coopgym.oracles.moves import Objective, best_move, landmarks
from coopgym.oracles.result import STAGE_TOLERANCE, Certificate, Solution
from coopgym.oracles.stage import StageGame

OBJECTIVES = ("rewards", "payoffs")
SCAN = 401  # common rates that are tried before anything else


def stage_optimum(
    stage: StageGame,
    weights: np.ndarray | None = None,
    concept: str = "optimum",
    *,
    objective: str = "rewards",
    closed_form: bool = True,
    seed: int = 0,
) -> Solution:
    """Actions that maximise sum_i c_i r_i (or c_i p_i, ``objective="payoffs"``) of one step; ``weights [N]`` c >= 0."""
    began = time.perf_counter()
    checks.choice("objective", objective, OBJECTIVES)
    c = checks.vector("weights", 1.0 if weights is None else weights, stage.n, 0.0, 1e12)
    total = weighted(stage, c, objective)
    model = recognise(stage) if closed_form else None
    if model is not None:
        inner = c if objective == "payoffs" else c @ weights_at(stage, stage.endowment)
        profiles = seeding.generator(0, "probes").uniform(0.0, 1.0, (200, stage.n)) * stage.endowment
        if (inner > 0.0).all() and same_sum(model, total(profiles), profiles, inner):
            actions = planned(model, inner)
            certificate = certify_optimum(stage, actions, total, concave=True)
            if certificate.relative <= STAGE_TOLERANCE:
                known = model.uniqueness(np.tile(inner, (stage.n, 1)))
                bound = float(total(actions)) if objective == "rewards" and (c == 1.0).all() else None
                return answer(
                    stage, concept, "stage optimum", actions, model.label, certificate, known, began, bound=bound
                )
    return _climbed(stage, concept, total, seed, began)


def planned(model: Model, c: np.ndarray) -> np.ndarray:
    """Actions ``[N]`` that maximise sum_j c_j p_j: the equilibrium of agents that all want this concave sum."""
    return model.equilibrium(np.tile(c, (len(c), 1)))


def weighted(stage: StageGame, c: np.ndarray, objective: str) -> Objective:
    """sum_i c_i r_i, or c_i p_i, as a function of joint actions."""
    of = stage.rewards if objective == "rewards" else stage.payoffs

    def total(joint: np.ndarray) -> np.ndarray:
        return np.asarray(of(joint) @ c)

    return total


def _climbed(stage: StageGame, concept: str, total: Objective, seed: int, began: float) -> Solution:
    begin = np.concatenate([common_levels(stage, total), starts(stage, seeding.generator(seed, "solvers"))])
    tops, trace = climb(stage, total, begin)
    values = total(tops)
    found = distinct(stage, tops[np.argsort(-values, kind="stable")])
    found = found[total(found) >= values.max() - 1e-9 * max(stage.unit, abs(values.max()))]
    judged = [_higher(stage, total, profile) for profile in found[:CANDIDATES]]
    actions, certificate = max(judged, key=lambda pair: float(total(pair[0])))
    certificate = Certificate(
        certificate.gain, certificate.relative, certificate.method, certificate.exhaustive, certificate.deviation,
        starts=len(begin), solutions=len(found), trace=trace,
    )  # fmt: skip
    return answer(
        stage, concept, "stage optimum", actions, "climbing from many starts", certificate, "not established", began
    )


def common_levels(stage: StageGame, total: Objective, keep: int = 4) -> np.ndarray:
    """The best ``[keep, N]`` of profiles in which all agents have one rate; neighbours of a better one left out."""
    rates = np.linspace(0.0, 1.0, SCAN)
    values = total(rates[:, None] * stage.endowment)
    peaks = [
        k for k in range(SCAN) if values[k] >= values[max(k - 1, 0)] and values[k] >= values[min(k + 1, SCAN - 1)]
    ]  # fmt: skip
    best = sorted(peaks, key=lambda k: -values[k])[:keep]
    return np.asarray(rates[best][:, None] * stage.endowment)


def climb(
    stage: StageGame, total: Objective, begin: np.ndarray, sweeps: int = SWEEPS
) -> tuple[np.ndarray, tuple[float, ...]]:
    """(profiles ``[S, N]``, largest change of each sweep): each role together, then each agent alone, in turn."""
    e, marks, role = stage.endowment, landmarks(stage), roles(stage.game)
    groups = [np.flatnonzero(role == r) for r in range(int(role.max()) + 1)]
    moves = [np.array([agent]) for agent in range(stage.n)]
    profiles, done, trace = begin.copy(), np.zeros(len(begin), dtype=bool), []
    for sweep in range(sweeps):
        moving = np.flatnonzero(~done)
        if not len(moving):
            break
        old = profiles[moving]
        new = old.copy()
        for members in [group for group in groups if len(group) > 1] + moves:
            least = PATIENT if sweep > 9 else EAGER
            _raise(stage.unit, total, new, members, float(e[members[0]]), marks[members[0]], least)
        change = np.abs((new - old) / e).max(-1)
        profiles[moving], done[moving] = new, change <= SETTLED
        trace.append(float(change.max()))
    return profiles, tuple(trace)


def _raise(
    unit: float,
    total: Objective,
    profiles: np.ndarray,
    members: np.ndarray,
    limit: float,
    marks: np.ndarray,
    least: float,
) -> None:
    """Move ``members`` where that raises the sum; as a group they are compared with the whole profile as it stands."""
    own, top, _ = best_move(total, profiles, members, limit, marks)
    before = total(profiles)
    worth = top - before > least * np.maximum(unit, np.abs(before))
    profiles[np.ix_(worth, members)] = own[worth, None]


def _higher(stage: StageGame, total: Objective, profile: np.ndarray) -> tuple[np.ndarray, Certificate]:
    """(profile ``[N]``, certificate): where a move raises the sum that climbing had missed, it goes on from there."""
    certificate = certify_optimum(stage, profile, total)
    for _ in range(REPAIRS):
        if certificate.relative <= STAGE_TOLERANCE:
            break
        moved = profile.copy()
        deviation = certificate.deviation
        moved[deviation["agents"]] = deviation["action"]
        profile = climb(stage, total, moved[None])[0][0]
        certificate = certify_optimum(stage, profile, total)
    return profile, certificate
