"""The released suite's own solver, for comparison: best responses in turn, each by bounded Brent search.

Its actions lie up to 2e-6 from the equilibrium. Where partners are exactly alike that noise decides a rubric item: the
share of the first partner is .49999999998 instead of one half.
"""

from __future__ import annotations

import numpy as np

from coopgym.validation.report1.model import CAP, FLOOR, Venture

START, MOVED, SWEEPS = 10.0, 1e-6, 1000


def searched(venture: Venture, start: tuple[float, float] = (START, START)) -> tuple[np.ndarray, bool]:
    """Actions ``[2]`` of one venture, and whether the sweeps came to rest."""
    actions = np.array(start, dtype=float)
    for _ in range(SWEEPS):
        before = actions.copy()
        for i in (0, 1):
            actions[i] = _best(venture, actions, i)
        if (abs(actions - before) < MOVED).all():
            return actions, True
    return actions, False


def _best(venture: Venture, actions: np.ndarray, i: int) -> float:
    from scipy.optimize import minimize_scalar

    tried = actions.copy()

    def loss(x: float) -> float:
        tried[i] = x
        return -float(venture.utilities(tried)[i])

    options = {"xatol": 1e-5, "maxiter": 500}
    return float(minimize_scalar(loss, bounds=(FLOOR, CAP), method="bounded", options=options).x)
