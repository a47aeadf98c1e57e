"""TorchRL: batches of games as its environment, on the device, and its actors as policies.

env = coopgym.torchrl.GamesEnv("TrustDilemma-v1", 4096, device="cuda")
env.rollout(100)["next", "agents", "reward"]  # [4096, 100, 2, 1]
"""

from coopgym.integrations.missing import need

need("torchrl", "coopgym.torchrl")

from coopgym.integrations.torchrl_env import GamesEnv  # noqa: E402
from coopgym.integrations.torchrl_policy import from_torchrl  # noqa: E402

__all__ = ["GamesEnv", "from_torchrl"]
