"""A reward ablation with RLlib as the trainer: PPO under two reward modes, beside tit-for-tat, in one table.

    PYTHONHASHSEED=0 python examples/rllib_ablation.py

The same as ``coopgym ablate PublicGoods-v1 --trainer rllib``, with less of everything. Runs that are there already are
kept. Needs coopgym[rllib].
"""

from __future__ import annotations

from pathlib import Path

from coopgym.study.ablation import Ablation, run_ablation


def main(steps: int = 5_000, out: str | Path = "runs/rllib-ablation") -> Ablation:
    """Train what is missing, and print the table."""
    found = run_ablation(
        "PublicGoods-v1", ["PPO", "TitForTat"], trainer="rllib", reward_modes=["private", "cooperative"], seeds=1,
        steps=steps, out=out, n_agents=3, max_steps=10, hidden=(32, 32),
    )  # fmt: skip
    for line in found.lines:
        print(f"{line.algorithm:<12}{line.reward_mode:<14}welfare {line.welfare.mean:8,.0f}", end="   ")
        print(f"cooperation {line.cooperation.mean:.2f}   trust {line.trust.mean:.2f}")
    return found


if __name__ == "__main__":
    main()
