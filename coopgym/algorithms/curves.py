"""Learning curves: what happened at which environment step, at most 200 points a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.evaluation import Evaluation

POINTS = 200
UNITS = {
    "welfare_eval": "payoff", "welfare_train": "payoff", "rate": "1", "trust": "1", "entropy": "nat",
    "value_loss": "1", "policy_loss": "1", "grad_norm": "1", "reward_scale": "reward", "value_scale": "1",
    "clip_share": "1", "kl": "nat", "early_exit_share": "1",
}  # fmt: skip


class Curves:
    """Collects metrics ``[R]`` (all agents) or ``[R, N]`` (each agent) as training goes on."""

    def __init__(self, evaluations: int) -> None:
        self.evaluations = evaluations
        self.points: dict[str, list[tuple[int, int, np.ndarray]]] = {}
        self.welfare: float | None = None

    def add(self, metrics: dict[str, Tensor], env_steps: int, updates: int) -> None:
        """One iteration's metrics, copied off the device once."""
        names = list(metrics)
        flat = torch.cat([metrics[name].detach().double().flatten() for name in names]).cpu().numpy()
        start = 0
        for name in names:
            shape = tuple(metrics[name].shape)
            stop = start + int(np.prod(shape))
            self._append(name, env_steps, updates, flat[start:stop].reshape(shape))
            start = stop

    def due(self, iteration: int, iterations: int) -> bool:
        """True if the deterministic policy should be evaluated after this iteration."""
        wanted = self.evaluations
        return (iteration * wanted) // iterations > ((iteration - 1) * wanted) // iterations

    def evaluated(self, played: Evaluation, env_steps: int, updates: int) -> None:
        """The welfare of the deterministic policies at this point."""
        welfare = played.welfare.mean(-1)
        self.welfare = float(welfare.mean())
        self._append("welfare_eval", env_steps, updates, welfare)

    def _append(self, name: str, env_steps: int, updates: int, values: np.ndarray) -> None:
        self.points.setdefault(name, []).append((env_steps, updates, values))

    def tensors(self) -> dict[str, Tensor]:
        """All points as tensors: of each metric the positions ``[points, 2]`` (steps, updates) and the values."""
        kept = {}
        for name, points in self.points.items():
            kept[f"{name}.position"] = torch.tensor([point[:2] for point in points])
            kept[f"{name}.value"] = torch.from_numpy(np.stack([point[2] for point in points]))
        return kept

    def take(self, kept: dict[str, Tensor], names: list[str], welfare: float | None) -> None:
        """Go on from what ``tensors`` gave, the metrics' names in their order, and the last evaluated welfare."""
        self.welfare = welfare
        for name in names:
            positions, values = kept[f"{name}.position"].tolist(), kept[f"{name}.value"].numpy().copy()
            self.points[name] = [(*where, value) for where, value in zip(positions, values, strict=True)]

    def rows(self, run_ids: list[str], learning: int | None = None) -> list[dict[str, Any]]:
        """Rows of the table ``curves``: one for each run, metric and agent (-1: all), thinned to 200 points.

        learning: the only agent that does; of the others there is nothing to tell but the rates that they played.
        """
        rows = []
        for name, points in self.points.items():
            keep = np.unique(np.linspace(0, len(points) - 1, min(POINTS, len(points))).round().astype(int))
            steps, updates = ([points[k][i] for k in keep] for i in (0, 1))
            values = np.stack([points[k][2] for k in keep])
            values = values if values.ndim == 3 else values[..., None]
            for r, identity in enumerate(run_ids):
                for agent in range(values.shape[-1]):
                    if learning not in (None, agent) and values.shape[-1] > 1 and name != "rate":
                        continue
                    curve = [float(v) if np.isfinite(v) else None for v in values[:, r, agent]]
                    rows.append({
                        "run_id": identity, "metric": name, "agent": agent if values.shape[-1] > 1 else -1,
                        "unit": UNITS.get(name, "1"), "env_steps": steps, "updates": updates, "value": curve,
                    })  # fmt: skip
        return rows
