"""What other libraries' faces cost: the games behind them, and the libraries' own way, in the same minute.

    PYTHONHASHSEED=0 python benchmarks/integrations.py [--only sb3,torchrl,rllib]

SB3: VecEnv.step of n games against DummyVecEnv over the Gymnasium environment, at 1, 64 and 1,024 games.
TorchRL: EnvBase.step of 4,096 games against the kernel's step, rewards, ends and observations on the same tensors.
RLlib: steps of an env runner on a game against the same runner on an environment that returns constants.
Written to benchmarks/results/integrations.json; one thread, CPU time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cells import Filed

from coopgym.envs import observation

GAMES = ("SLCD-v1", "PublicGoods-v1")  # neither ends before its time, whatever is played
OUT = Path(__file__).parent / "results" / "integrations.json"
ROUNDS = 7


def best(*acts: Callable[[], Any], seconds: float = 0.3) -> list[float]:
    """The least CPU seconds a call of each, in turns, so that all see the same machine and none pays for its load."""
    least = [float("inf")] * len(acts)
    for act in acts:
        act()
    for _ in range(ROUNDS):
        for i, act in enumerate(acts):
            start = time.perf_counter()
            while time.perf_counter() - start < seconds:
                before = time.process_time()
                act()
                least[i] = min(least[i], time.process_time() - before)
    return least


def row(library: str, what: str, game: str, games: int, ours: float, other: float, ratio: float) -> dict[str, Any]:
    """A line of the result: microseconds a step of each side, and how they compare."""
    return {
        "library": library, "what": what, "game": game, "games": games, "ours_us": round(ours * 1e6, 1),
        "other_us": round(other * 1e6, 1), "ratio": round(ratio, 2),
    }  # fmt: skip


def sb3(game: str, games: int) -> dict[str, Any]:
    """Our VecEnv against DummyVecEnv; ratio: how many times faster ours is."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    from coopgym.envs.joint import JointEnv
    from coopgym.sb3 import joint_env

    ours = joint_env(game, games, scaled=False)
    theirs = DummyVecEnv([lambda: JointEnv(game)] * games)
    actions = np.broadcast_to((0.5 * ours.game.endowment).astype(np.float32), (games, ours.game.n))
    ours.reset(), theirs.reset()
    mine, other = best(lambda: ours.step(actions), lambda: theirs.step(actions))
    return row("sb3", "VecEnv.step against DummyVecEnv: times faster", game, games, mine, other, other / mine)


def torchrl(game: str, games: int) -> dict[str, Any]:
    """EnvBase.step against the kernel; ratio: how many times the kernel's time."""
    import torch

    from coopgym.torchrl import GamesEnv

    torch.set_num_threads(1)
    env = GamesEnv(game, games)
    told = env.rand_action(env.reset())
    start, kernel, weights = env.games.state, env.games.game, env.games.reward_mode.weights
    actions = env.view.move(told["agents", "action"][..., 0])

    @torch.no_grad()
    def raw() -> Any:
        after, payoffs, ended = kernel.step(start, actions)
        rewards = kernel.rewards(weights, start, after, payoffs)
        return observation.observe(kernel, after, env.view.setting), rewards, ended, kernel.truncated(after)

    def step() -> Any:
        env.games._state = start  # the same step each time: states beyond the end of an episode cost something else
        return env.step(told)

    mine, other = best(step, raw)
    return row("torchrl", "EnvBase.step against the kernel: times its time", game, games, mine, other, mine / other)


def rllib(game: str, games: int) -> dict[str, Any]:
    """An env runner on a game against the same one on constants; ratio: how many times the time of the latter."""
    import gymnasium
    from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

    from coopgym.rllib import GameEnv, ppo_config

    class Constants(GameEnv):
        """The same spaces, and nothing behind them."""

        def reset(self, *, seed: Any = None, options: Any = None) -> Any:
            self.left, self.agents = self.game.horizon, list(self.possible_agents)
            self.seen = {a: s.low * 0.0 for a, s in self.observation_spaces.items()}
            return self.seen, {a: {} for a in self.agents}

        def step(self, action_dict: Any) -> Any:
            self.left -= 1
            over, agents = self.left == 0, self.possible_agents
            flags = dict.fromkeys([*agents, "__all__"], over)
            none = dict.fromkeys([*agents, "__all__"], False)
            return self.seen, dict.fromkeys(agents, 1.0), none, flags, {a: {} for a in agents}

    def runner(kind: type[gymnasium.Env]) -> Callable[[], Any]:
        config = ppo_config(game).environment(kind, env_config={"game": game})
        made = MultiAgentEnvRunner(config=config.env_runners(num_envs_per_env_runner=games))
        return lambda: made.sample(num_timesteps=40 * games, random_actions=False)

    mine, other = (x / (40 * games) for x in best(runner(GameEnv), runner(Constants), seconds=1.0))
    return row("rllib", "env runner's step against one on constants: times", game, games, mine, other, mine / other)


MEASURES = {"sb3": sb3, "torchrl": torchrl, "rllib": rllib}


def main() -> int:
    """Measure what is asked for, print it and file it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(MEASURES), help="libraries, comma-separated")
    chosen = parser.parse_args().only.split(",")
    if len(chosen) > 1:  # each in a process of its own: what one leaves in memory costs the next
        return max(subprocess.call([sys.executable, __file__, "--only", library]) for library in chosen)
    sizes = {"sb3": (1, 64, 1024), "torchrl": (4096,), "rllib": (1, 8)}
    filed = Filed(OUT)
    library = chosen[0]
    for game in GAMES:
        for games in sizes[library]:
            found = MEASURES[library](game, games)
            filed.replace(found, ("library", "game", "games"))
            print(found, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
