"""TR-3's stage game (equations 1 to 4 of arXiv 2601.16237): marginal rewards depend on total effort alone.

p_j = Q/n - c a_j + l_j (phi_B pibar_-j + phi_C c a_j), Q = omega A^beta, A = sum a. With r_i = sum_j W_ij p_j,
dr_i/da_i = (omega beta A^(beta - 1) / n) B_i - c C_i, where
B_i = sum_j W_ij (1 + phi_B l_j) and C_i = W_ii (1 - phi_C l_i) + phi_B / (n - 1) sum_{j != i} W_ij l_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TIE = 1e-9  # relative difference below which two agents stop at the same total effort


@dataclass(frozen=True, eq=False)
class Team:
    """Production numbers of a team: omega, beta, c, phi_B, phi_C; loyalty, endowment ``[n]``.

    ``mates``: 1 where phi_B multiplies the teammates' mean payoff, n - 1 where it multiplies their sum.
    """

    productivity: float
    exponent: float
    cost: float
    benefit: float
    contribution_joy: float
    loyalty: np.ndarray
    endowment: np.ndarray
    mates: float = 1.0

    def slopes(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """B, C ``[n]`` for reward weights ``[n, n]``."""
        n, felt = len(self.loyalty), self.benefit * self.mates * self.loyalty
        own = np.diagonal(weights)
        gain = weights @ (1.0 + felt) if n > 1 else own
        price = own * (1.0 - self.contribution_joy * self.loyalty) + (weights @ felt - own * felt) / max(n - 1, 1)
        return gain, price

    def targets(self, weights: np.ndarray) -> np.ndarray:
        """A_i ``[n]``: the total effort at which agent i neither gains nor loses by doing more; may be infinite."""
        gain, price = self.slopes(weights)
        n = len(self.loyalty)
        if self.exponent == 1.0:
            margin = self.productivity * gain / n - self.cost * price
            return np.where(margin > 0.0, np.inf, 0.0)
        ratio = self.productivity * self.exponent * gain / (n * self.cost * np.maximum(price, 1e-300))
        with np.errstate(over="ignore"):
            finite = np.maximum(ratio, 0.0) ** (1.0 / (1.0 - self.exponent))
        return np.where(price > 0.0, finite, np.inf)

    def equilibrium(self, weights: np.ndarray) -> np.ndarray:
        """Efforts ``[n]`` where no agent gains alone; agents that stop at one total share their part equally."""
        return water_filling(self.targets(weights), self.endowment)

    def planner(self, c: np.ndarray) -> np.ndarray:
        """Efforts ``[n]`` that maximise sum_i c_i p_i: the equilibrium of a team that wants this sum together."""
        return self.equilibrium(np.tile(c, (len(c), 1)))

    def unique(self, weights: np.ndarray) -> bool:
        """Whether no effort can be shifted between agents that stop at the same total."""
        targets = self.targets(weights)
        efforts = water_filling(targets, self.endowment)
        if self.exponent == 1.0:
            gain, price = self.slopes(weights)
            margin = self.productivity * gain / len(gain) - self.cost * price
            return bool((np.abs(margin) > TIE * self.cost).all())
        for group in tied(targets):
            given, most = efforts[group].sum(), self.endowment[group].sum()
            if len(group) > 1 and TIE * most < given < (1.0 - TIE) * most:
                return False
        return True


def tied(targets: np.ndarray) -> list[np.ndarray]:
    """Groups of agents with one target, the highest first."""
    order = np.argsort(-targets, kind="stable")
    groups: list[list[int]] = []
    for agent in order:
        first = targets[groups[-1][0]] if groups else np.nan
        same = targets[agent] == first or (np.isfinite(first) and first - targets[agent] <= TIE * first)
        if groups and same:
            groups[-1].append(int(agent))
        else:
            groups.append([int(agent)])
    return [np.array(group) for group in groups]


def water_filling(targets: np.ndarray, endowment: np.ndarray) -> np.ndarray:
    """Efforts ``[n]``: from the highest target down, each group fills the total up to its own, within its endowments.

    At the end whoever would do more is at its limit and whoever would do less does nothing: these are the equilibria.
    """
    efforts, total = np.zeros(len(targets)), 0.0
    for group in tied(targets):
        wanted = max(0.0, float(targets[group].min()) - total)
        efforts[group] = share_out(wanted, endowment[group])
        total += float(efforts[group].sum())
    return efforts


def share_out(total: float, limits: np.ndarray) -> np.ndarray:
    """``[n]`` parts of a total as equal as limits ``[n]`` allow; the limits where the total is beyond them."""
    if total >= limits.sum():
        return limits.copy()
    parts, left = np.zeros(len(limits)), total
    order = np.argsort(limits, kind="stable")
    for k, agent in enumerate(order):
        parts[agent] = min(limits[agent], left / (len(order) - k))
        left -= parts[agent]
    return parts


def lone_effort(productivity: float, exponent: float, cost: float, n: int, limit: float) -> float:
    """The effort that maximises omega a^beta / n - c a within [0, limit]: what an agent outside the coalition does."""
    if exponent == 1.0:
        return limit if productivity / n > cost else 0.0
    return float(min(limit, (productivity * exponent / (n * cost)) ** (1.0 / (1.0 - exponent))))


def symmetric(
    n: int, productivity: float, exponent: float, cost: float, benefit: float, joy: float, loyalty: float, w: float
) -> float:
    """Effort of each of n equal agents that weigh each other's payoffs by w, if no endowment limits it, beta < 1.

    (1/n) (omega beta (1 + phi_B l)(1 + (n-1) w) / (n c (1 - phi_C l + phi_B w l)))^(1 / (1 - beta)); at w = 1 it
    maximises the sum of payoffs.
    """
    gain = (1.0 + benefit * loyalty) * (1.0 + (n - 1) * w)
    price = n * cost * (1.0 - joy * loyalty + benefit * w * loyalty)
    return float((productivity * exponent * gain / price) ** (1.0 / (1.0 - exponent)) / n)
