"""Stable-Baselines3: batches of games as its vector environments, and its models as policies.

env = coopgym.sb3.seat_env("GiftExchange-v1", 64, agent=1, partners="TitForTat")
model = stable_baselines3.SAC("MlpPolicy", env).learn(50_000)
coopgym.evaluate(coopgym.sb3.from_sb3(model, agent=1, partners="TitForTat"), "GiftExchange-v1")
"""

from coopgym.extras import explained
from coopgym.integrations.missing import need

need("stable_baselines3", "coopgym.sb3")

with explained("coopgym.sb3"):
    from coopgym.integrations.sb3_env import joint_env, seat_env, shared_env
    from coopgym.integrations.sb3_policy import from_sb3

__all__ = ["from_sb3", "joint_env", "seat_env", "shared_env"]
