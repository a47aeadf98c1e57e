"""RLlib: every game by its id in its registry, configurations that train, and what it has trained as policies.

config = coopgym.rllib.ppo_config("AppleAppStore-v1", reward_mode="integrated").env_runners(num_env_runners=2)
algorithm = config.build_algo()
algorithm.train()["env_runners"]["coopgym"]["welfare"]
coopgym.evaluate(coopgym.rllib.from_rllib(algorithm, "AppleAppStore-v1"), "AppleAppStore-v1")
"""

from coopgym.extras import explained
from coopgym.integrations.missing import need

need("ray", "coopgym.rllib")

with explained("coopgym.rllib"):
    from coopgym.integrations.rllib_config import GameMetrics, ppo_config, sac_config
    from coopgym.integrations.rllib_env import GameEnv
    from coopgym.integrations.rllib_policy import from_rllib

__all__ = ["GameEnv", "GameMetrics", "from_rllib", "ppo_config", "sac_config"]
