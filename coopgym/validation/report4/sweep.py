"""The factorial of TR-4's section 7 as one program: 15,625 rows, six behavioural targets, and the Monte Carlo.

The memory window k moves nothing in the published model: a row's k only says how late forgiveness is looked for. So
the 3,125 combinations of the other factors are simulated once, and forgiveness is read from them at each row's k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.validation.report4.model import Course, ReciprocalWorld, Shock, equal_trust, simulate

STRONG, WEAK = 0.8, 0.4  # actor 0 depends on actor 1 by the first, actor 1 on actor 0 by the second
BASELINE, START = 0.3, 0.5
DEFECTION = Shock(step=10, actor=1, value=0.10)
TARGETS = ("emergence", "punishment", "forgiveness", "asymmetry", "trust_reciprocity", "bounded")


@dataclass(frozen=True, eq=False)
class Rows:
    """What the targets are read from, each ``[rows]``."""

    final_cooperation: np.ndarray  # mean action at the end of the cooperative run
    punishment: np.ndarray  # action of actor 0 withheld after the defection, summed over steps
    trust_gap: np.ndarray  # T_01 lost by the defection, five steps later
    forgiveness_routes: np.ndarray  # [3, rows]: the three ways in which recovery counts
    forgiveness_time: np.ndarray  # steps from the defection to 80 % of the cooperative action; 0 if never
    ratio: np.ndarray  # |phi_01| / |phi_10| at the start
    interaction: np.ndarray  # mean action with high initial trust minus that with low
    bounded: np.ndarray

    @property
    def reached(self) -> dict[str, Array]:
        """Target -> truth for each row."""
        return {
            "emergence": self.final_cooperation > 0.53,
            "punishment": (self.punishment > 0.005) | (self.trust_gap > 0.01),
            "forgiveness": self.forgiveness_routes.any(0),
            "asymmetry": self.ratio > 1.5,
            "trust_reciprocity": self.interaction > 0.005,
            "bounded": self.bounded,
        }


@dataclass(frozen=True, eq=False)
class Sweep:
    """One factorial: each factor's value in each row, and the rows."""

    factors: Mapping[str, np.ndarray]
    rows: Rows

    def statistics(self) -> dict[str, float]:
        """Every number that the report prints of its factorial, by name; shares in percent."""
        return {**self._targets(), **self._margins(), **self._forgiveness(), **one_sample(self.rows.ratio)}

    def _targets(self) -> dict[str, float]:
        return {f"{name}_pct": 100.0 * float(ok.mean()) for name, ok in self.rows.reached.items()}

    def _margins(self) -> dict[str, float]:
        rows = self.rows
        return {
            "punishment_min": float(rows.punishment.min()),
            "trust_gap_min": float(rows.trust_gap.min()),
            "interaction_min": float(rows.interaction.min()),
            "ratio_min": float(rows.ratio.min()),
            "ratio_median": float(np.median(rows.ratio)),
            "ratio_max": float(rows.ratio.max()),
            "cooperation_mean": float(rows.final_cooperation.mean()),
            "cooperation_min": float(rows.final_cooperation.min()),
            "saturated_share": float((rows.final_cooperation == 1.0).mean()),
        }

    def _forgiveness(self) -> dict[str, float]:
        reached, window = self.rows.reached["forgiveness"], self.factors["k"]
        routes = zip("abc", self.rows.forgiveness_routes, strict=True)
        return {
            **{f"forgiveness_pct_k_{k:g}": 100.0 * float(reached[window == k].mean()) for k in np.unique(window)},
            **{f"forgiveness_route_{letter}": float(route.mean()) for letter, route in routes},
        }


def sweep(levels: Mapping[str, Sequence[float]]) -> Sweep:
    """All combinations of ``levels``: rho_0, eta, kappa, k, lambda_R, T_0, the last one fastest."""
    axes = np.meshgrid(*(np.asarray(x, float) for x in levels.values()), indexing="ij")
    factors = {name: axis.ravel() for name, axis in zip(levels, axes, strict=True)}
    moving = {name: x for name, x in factors.items() if name != "k"}
    distinct, row_of = np.unique(np.stack(list(moving.values())), axis=1, return_inverse=True)
    runs = Runs.of(dict(zip(moving, distinct, strict=True)))
    return Sweep(factors, runs.rows(factors["k"], row_of.reshape(-1)))


def distinct_trajectories(factors: Mapping[str, np.ndarray]) -> int:
    """Rows that can differ at all: rho_0 and lambda_R act through their product, k not."""
    pull = (factors["rho_0"] * factors["lambda_R"]).round(12)
    return len(np.unique(np.stack([pull, *(factors[k] for k in ("eta", "kappa", "T_0"))]), axis=1).T)


@dataclass(frozen=True, eq=False)
class Runs:
    """The four simulations of each combination of factors: cooperation, defection, high and low initial trust."""

    world: ReciprocalWorld
    cooperative: Course
    defected: Course
    high: Course
    low: Course

    @classmethod
    def of(cls, factors: Mapping[str, np.ndarray], window: int | None = None) -> Runs:
        """All four, for factors ``[rows]``; with ``window`` the baseline is that many actions' mean."""
        world = dyad(factors)

        def run(steps: int, trust: np.ndarray | float, *shocks: Shock) -> Course:
            return pair_run(world, steps, trust, shocks, window)

        return cls(world, run(30, factors["T_0"]), run(100, factors["T_0"], DEFECTION), run(20, 0.9), run(20, 0.3))

    def rows(self, window: np.ndarray, index: np.ndarray) -> Rows:
        """One row for each ``window`` k, from the simulation at ``index``."""
        cooperative, defected = extended(self.cooperative.actions[..., 0], 101), self.defected.actions[..., 0]
        answers = abs(self.world.answer(self.cooperative.signals))
        bound = self.world.sensitivity * STRONG**self.world.elasticity + 1e-10
        gap = self.cooperative.trust[15] - self.defected.trust[15]
        warm, cold = (course.actions[3:21].mean((0, -1)) for course in (self.high, self.low))
        return Rows(
            final_cooperation=self.cooperative.actions[30].mean(-1)[index],
            punishment=np.maximum(cooperative - defected, 0.0)[11:60].sum(0)[index],
            trust_gap=gap[:, 0, 1][index],
            forgiveness_routes=forgiveness_routes(cooperative[:, index], defected[:, index], window),
            forgiveness_time=forgiveness_time(cooperative, defected)[index],
            ratio=(answers[0, :, 0, 1] / answers[0, :, 1, 0])[index],
            interaction=(warm - cold)[index],
            bounded=(answers.max((0, -2, -1)) <= bound)[index],
        )


def pair_run(
    world: ReciprocalWorld, steps: int, trust: Array, shocks: Sequence[Shock] = (), window: int | None = None
) -> Course:
    """The pair from its published start, under the shocks."""
    return simulate(
        world,
        steps,
        actions=[START] * 2,
        baselines=[BASELINE] * 2,
        trust=equal_trust(trust, 2),
        shocks=shocks,
        window=window,
    )


def dyad(factors: Mapping[str, np.ndarray]) -> ReciprocalWorld:
    """The sweep's two actors, one world for each entry of ``factors``."""
    interdependence = np.array([[0.0, STRONG], [WEAK, 0.0]])
    return ReciprocalWorld(
        np.broadcast_to(interdependence, (len(factors["rho_0"]), 2, 2)),
        sensitivity=factors["rho_0"],
        elasticity=factors["eta"],
        response=factors["kappa"],
        strength=factors["lambda_R"],
    )


def forgiveness_routes(cooperative: np.ndarray, defected: np.ndarray, window: np.ndarray) -> np.ndarray:
    """``[3, rows]`` of actions ``[steps, rows]``, looked at h = min(20 + 2 k, 90): half of what cooperation brings,
    still rising and above .35, or clearly above the lowest point before.
    """
    late = np.minimum(20 + 2 * window, 90).astype(int)
    rows = np.arange(len(late))
    now, earlier = defected[late, rows], defected[np.maximum(late - 10, 15), rows]
    steps = np.arange(len(defected))[:, None]
    searched = (steps >= 11) & (steps < np.minimum(40, late))
    lowest = np.where(searched, defected, np.inf).min(0)
    return np.stack(
        [now > 0.5 * cooperative[late, rows], (now - earlier > 0.001) & (now > 0.35), now > 0.02 + lowest],
    )


def forgiveness_time(cooperative: np.ndarray, defected: np.ndarray) -> np.ndarray:
    """``[rows]``: steps after the defection at which actor 0 is back at 80 % of its cooperative action."""
    back = (defected > 0.8 * cooperative)[12:]
    return np.where(back.any(0), back.argmax(0) + 2, 0)


def extended(actions: np.ndarray, steps: int) -> np.ndarray:
    """``[steps, ...]``: the course with its last entry held."""
    return np.asarray(actions[np.minimum(np.arange(steps), len(actions) - 1)])


def one_sample(ratio: np.ndarray, against: float = 1.5) -> dict[str, float]:
    """One-sample t and d = (mean - 1.5) / s.d., as published; the ratios are copies of five numbers."""
    mean, sd = float(ratio.mean()), float(ratio.std(ddof=1))
    d = (mean - against) / sd
    return {"ratio_mean": mean, "ratio_sd": sd, "effect_size": d, "effect_t": d * float(np.sqrt(ratio.size))}


def monte_carlo(trials: int = 2000, noise: float = 0.15, seed: int = 42) -> dict[str, float]:
    """Uniform noise around (1, 1, 1, 5, 1, .6), on the generator that the suite used."""
    u = np.random.RandomState(seed).uniform(-noise, noise, (trials, 6)).T
    names = ("rho_0", "eta", "kappa", "k", "lambda_R", "T_0")
    factors = dict(zip(names, np.array([1.0, 1.0, 1.0, 5.0, 1.0, 0.6])[:, None] * (1.0 + u), strict=True))
    window = np.maximum(factors.pop("k").astype(int), 1)
    factors["T_0"] = np.clip(factors["T_0"], 0.1, 0.95)
    rows = Runs.of(factors).rows(window, np.arange(trials))
    return {
        "monte_carlo_pct": 100.0 * float(np.all(list(rows.reached.values()), axis=0).mean()),
        "monte_carlo_ratio_mean": float(rows.ratio.mean()),
        "monte_carlo_ratio_sd": float(rows.ratio.std()),
        "monte_carlo_ratio_min": float(rows.ratio.min()),
    }


def sensitivity(result: Sweep) -> dict[str, dict[str, float]]:
    """Pearson r of each factor with the final cooperation and with the ratio of responses."""
    measured = {"final_cooperation": result.rows.final_cooperation, "ratio": result.rows.ratio}
    return {
        factor: {name: float(np.corrcoef(level, y)[0, 1]) for name, y in measured.items()}
        for factor, level in result.factors.items()
    }
