"""TorchRL: batches of games as its environment, on the device, and its actors as policies.

env = coopgym.torchrl.GamesEnv("TrustDilemma-v1", 4096, device="cuda")
env.rollout(100)["next", "agents", "reward"]  # [4096, 100, 2, 1]
"""

from coopgym.extras import explained
from coopgym.integrations.missing import need

need("torchrl", "coopgym.torchrl")

with explained("coopgym.torchrl"):
    from coopgym.integrations.torchrl_env import GamesEnv
    from coopgym.integrations.torchrl_policy import from_torchrl

__all__ = ["GamesEnv", "from_torchrl"]
