"""Training throughput: all replicas of one algorithm on one game as one program."""

from __future__ import annotations

from typing import Any

import coopgym

CPU_RUNS = (
    ("IPPO", "TrustDilemma-v1", 100_000),
    ("MAPPO", "TrustDilemma-v1", 60_000),
    ("IPPO", "AppleAppStore-v1", 60_000),
)
GPU_RUNS = (
    ("IPPO", "TrustDilemma-v1", 2_000_000),
    ("MAPPO", "TrustDilemma-v1", 2_000_000),
    ("IPPO", "PlatformEcosystem-v1", 1_000_000),
)


def rows(device: str) -> list[dict[str, Any]]:
    """Game-steps a second in total over 21 replicas (7 seeds, 3 reward modes), default hyperparameters."""
    result = []
    for algorithm, game, steps in GPU_RUNS if device == "cuda" else CPU_RUNS:
        trained = coopgym.train(algorithm, game, seeds=range(7), total_steps=steps, device=device, progress=False)
        row = {"what": f"{algorithm} training on {game}", "agents": coopgym.game(game).n, "replicas": 21}
        result.append({**row, "unit": "game-steps/s", "figure": trained.env_steps_per_second})
    return result
