"""Stable-Baselines3's SAC in one seat of a public-goods game, against tit-for-tat in the four others.

    python examples/sb3_seat.py

Sixteen games step at once as one VecEnv. Half of everything earns the seat 859 in ten steps, all of it 1,066. Needs
coopgym[sb3].
"""

from __future__ import annotations

import torch
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

import coopgym
from coopgym.sb3 import from_sb3, seat_env

GAME, SEAT = "PublicGoods-v1", {"agent": 1, "partners": "TitForTat", "max_steps": 10}


def main(steps: int = 3_000) -> tuple[float, float]:
    """What the seat earns by Stable-Baselines3's own evaluation and by coopgym's."""
    env = VecNormalize(VecMonitor(seat_env(GAME, 16, **SEAT)), norm_obs=False, gamma=0.9)
    model = SAC(
        "MlpPolicy", env, learning_rate=5e-3, gamma=0.9, tau=0.02, ent_coef="auto_0.05", buffer_size=20_000,
        batch_size=128, learning_starts=320, gradient_steps=8, seed=0, device="cpu",
        policy_kwargs={"net_arch": [32, 32]},
    )  # fmt: skip
    model.learn(steps)
    theirs, _ = evaluate_policy(model, VecMonitor(seat_env(GAME, 1, **SEAT)), n_eval_episodes=1)
    policy = from_sb3(model, agent=SEAT["agent"], partners=SEAT["partners"])
    played = coopgym.evaluate(policy, policy.game, episodes=1)
    ours = float(played.payoffs[0, SEAT["agent"]])
    print(f"the seat earns {theirs:,.2f} by Stable-Baselines3's evaluation and {ours:,.2f} by coopgym's")
    print("shares of the endowments:", played.rates[0].round(2).tolist())
    return float(theirs), ours


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
