"""PPO in one file, in the manner of CleanRL: every agent learns for itself on 64 games of the vector environment.

    python examples/ppo_single_file.py

All that comes from coopgym is ``make_vec``; change any line below. Needs coopgym[learn].
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

import coopgym

GAME, REWARD_MODE = "TeamProduction-v1", "private"
GAMES, STEPS, EPOCHS, MINIBATCHES = 64, 20, 6, 4
LEARNING_RATE, DISCOUNT, LAMBDA, CLIP, ENTROPY = 3e-3, 0.9, 0.9, 0.2, 1e-3


class Agent(nn.Module):
    """An actor and a critic of one agent's observation; the action is a share of the endowment, before clipping."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(width, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        self.critic = nn.Sequential(nn.Linear(width, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        self.log_std = nn.Parameter(torch.tensor(-1.5))

    def forward(self, seen: torch.Tensor) -> tuple[Normal, torch.Tensor]:
        return Normal(0.5 + self.actor(seen)[..., 0], self.log_std.exp()), self.critic(seen)[..., 0]


def main(updates: int = 60) -> list[float]:
    """Welfare of an episode in the mean, update by update."""
    torch.manual_seed(0)
    envs = coopgym.make_vec(
        GAME, GAMES, reward_mode=REWARD_MODE, observability="asymmetric", autoreset_mode="SAME_STEP", max_steps=10
    )  # fmt: skip
    game, n = envs.game, envs.game.n
    high = torch.as_tensor(envs.single_observation_space.high).clamp(min=1e-6)
    agents = [Agent(high.shape[-1]) for _ in range(n)]
    optimisers = [torch.optim.Adam(agent.parameters(), lr=LEARNING_RATE) for agent in agents]
    scale = 1.0 / float(np.abs(game.payoffs(game.reset(), 0.5 * game.endowment)).mean())  # rewards of the order of 1

    def look(seen: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(seen) / high

    seen, _ = envs.reset(seed=0)
    history = []
    for update in range(updates):
        rows, moves, logs, values, rewards, ends, welfare = [], [], [], [], [], [], 0.0
        for _ in range(STEPS):
            row = look(seen)
            with torch.no_grad():
                judged = [agent(row[:, i]) for i, agent in enumerate(agents)]
                move = torch.stack([chance.sample() for chance, _ in judged], -1)
            seen, _, terminated, truncated, infos = envs.step(move.numpy() * game.endowment)
            if "final_info" in infos:  # all games end together here; what they earned stands in their last report
                infos = infos["final_info"]
            welfare += float(infos["payoffs"].sum()) / GAMES
            rows.append(row), moves.append(move)
            logs.append(torch.stack([chance.log_prob(move[:, i]) for i, (chance, _) in enumerate(judged)], -1))
            values.append(torch.stack([value for _, value in judged], -1))
            rewards.append(torch.as_tensor(infos["rewards"], dtype=torch.float32) * scale)
            ends.append(torch.as_tensor(terminated | truncated)[:, None].float())
        history.append(welfare * game.horizon / STEPS)
        row = look(seen)
        with torch.no_grad():
            following = torch.stack([agent(row[:, i])[1] for i, agent in enumerate(agents)], -1)
        advantages, running = [], torch.zeros(GAMES, n)
        for t in reversed(range(STEPS)):
            goes_on = 1.0 - ends[t]
            error = rewards[t] + DISCOUNT * following * goes_on - values[t]
            running = error + DISCOUNT * LAMBDA * goes_on * running
            advantages.append(running)
            following = values[t]
        advantage = torch.stack(advantages[::-1])
        target = advantage + torch.stack(values)
        batch = [x.flatten(0, 1) for x in (torch.stack(rows), torch.stack(moves), torch.stack(logs), advantage, target)]
        for _ in range(EPOCHS):
            for part in torch.randperm(STEPS * GAMES).chunk(MINIBATCHES):
                for i, (agent, optimiser) in enumerate(zip(agents, optimisers, strict=True)):
                    row, move, log, gain, goal = (x[part][:, i] for x in batch)
                    chance, value = agent(row)
                    ratio = (chance.log_prob(move) - log).exp()
                    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                    surrogate = torch.minimum(ratio * gain, ratio.clamp(1.0 - CLIP, 1.0 + CLIP) * gain).mean()
                    loss = -surrogate + 0.5 * (value - goal).square().mean() - ENTROPY * chance.entropy().mean()
                    optimiser.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                    optimiser.step()
        if update % 10 == 9:
            print(f"update {update + 1}: welfare {history[-1]:,.0f}")
    return history


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
