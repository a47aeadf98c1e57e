"""LOLA, learning with opponent-learning awareness: Foerster et al. 2018 (AAMAS, arXiv 1709.04326)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.dice import decay, dice_values, less_others_mean
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.onpolicy import ActorCritic, ActorCriticSettings, Batch
from coopgym.algorithms.registry import register
from coopgym.algorithms.rollout import Rerun, Rollout
from coopgym.algorithms.shaping import Values, draw_others, shaped_gradient
from coopgym.envs.game import Game
from coopgym.mechanisms import checks

ESTIMATORS = ("auto", "exact", "dice")
NUMBERS = {"cpu": 2**24, "cuda": 2**28}  # that one pass over some points of view may keep, to the nearest few times


@dataclass(frozen=True)
class LOLASettings(ActorCriticSettings):
    """Hyperparameters of LOLA.

    An update sees ``window`` steps of all lanes. ``look_ahead``: the others' step along the gradient of their own
    discounted return of a window, in scaled rewards; 0 is the naive learner. ``opponents``: at most so many of them
    take that step in the eyes of an agent, drawn anew for each update.
    """

    lanes: int = 16
    hidden: tuple[int, ...] = (32, 32)
    learning_rate: float = 3e-3
    entropy: float = 0.003
    final_entropy: float = 0.0
    window: int = 25
    look_ahead: float = 0.03
    opponents: int = 4
    estimator: str = "auto"  # "exact" where the game is smooth, else "dice"
    max_correction: float = 0.5  # dice: norm of the correction over that of the gradient of V_i alone; most is noise

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("window", self.window, 1, 1_000_000)
        checks.number("look_ahead", self.look_ahead, 0.0, 1e6)
        checks.whole("opponents", self.opponents, 1, 1_000_000)
        checks.number("max_correction", self.max_correction, 0.0, 1e6)
        checks.choice("estimator", self.estimator, ESTIMATORS)
        checks.choice("share", self.share, ("none",))  # whoever shapes another needs parameters of its own
        checks.choice("objective", self.objective, ("finite",))  # without a critic nothing says what would follow
        if self.estimator != "exact" and (self.lanes < 4 or self.lanes % 2):
            raise ValueError(
                f"lanes={self.lanes} cannot be halved into at least two and two, as 'dice' needs; give an even number "
                "from 4 on, or estimator='exact'"
            )

    def steps_to_play(self, game: Game) -> int:
        """The window."""
        return self.window


def resolved(estimator: str, game: Game) -> str:
    """ "exact" or "dice"."""
    if estimator != "auto":
        return estimator
    return "exact" if game.smooth else "dice"


@register(
    "LOLA",
    kind="learner",
    paradigm="independent",
    paper="Foerster et al. 2018, arXiv 1709.04326; DiCE: arXiv 1802.05098",
    settings=LOLASettings,
    seated=False,
)
class LOLA(ActorCritic):
    """Every agent i ascends V_i(theta_i, theta_j + eta grad_j V_j(theta) for the others j), through that step too.

    V_i is the expected discounted return of a window of play.

    exact: noise is drawn first, z = mean + std noise, so that V_i is a differentiable function of all parameters
    through the game itself, and the window is played again from where it began. Nothing is added for what lies beyond
    it: an action in its middle answers for half a window, which here is longer than an action is felt.

    dice: V_i is estimated from what was played, through the densities, with advantages by critics V_i(o_i) less the
    mean over the other lanes at the same step; the critics add what lies beyond the window. The step of the others
    comes from one half of the lanes and what i makes of it from the other, so that their product is not biased. Only
    the first order in eta is kept, and the correction is limited in norm: it is far noisier than the rest.
    """

    settings: LOLASettings

    def __init__(self, problem: Problem, settings: LOLASettings) -> None:
        self.estimator = resolved(settings.estimator, problem.game)
        self.central = self.estimator == "exact"  # a replay begins from a state
        super().__init__(problem, settings)

    def make_critic(self) -> dict[str, Tensor]:
        """Only DiCE needs one, for its baseline."""
        return {} if self.estimator == "exact" else super().make_critic()

    def weights(self, advantages: Tensor) -> Tensor:
        """In scaled rewards: the others' step is in their unit."""
        return advantages

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play a window in all lanes and take one step; see Learner."""
        s = self.settings
        rollout = self.play(progress)
        others = draw_others(self.problem.game.n, s.opponents, self.generators)
        entropy, slope = self.entropy(rollout)
        metrics = {**self._watch(rollout), "entropy": entropy}
        upward, *downward = (self._exact if self.estimator == "exact" else self._dice)(rollout, others)
        upward = upward + (s.entropy + progress * (s.final_entropy - s.entropy)) * slope
        gradients = dict(zip(self.parameters, [-upward, *downward], strict=True))
        norm = self.follow(slice(None), gradients, torch.ones_like(self.alive), progress)
        self.updates += 1
        return {**metrics, "grad_norm": norm}

    def _exact(self, rollout: Rollout, others: Tensor) -> list[Tensor]:
        """The shaped gradient, after which the reward scale may move."""
        first, ended = self.updates == 0, rollout.terminated | rollout.truncated
        if first:
            self.reward_scale.update(rollout.rewards, ended)
        gradient = self.gradient(rollout, others)
        if not first:
            self.reward_scale.update(rollout.rewards, ended)
        return [gradient]

    def _dice(self, rollout: Rollout, others: Tensor) -> list[Tensor]:
        """The shaped gradient, and that of the critics' loss."""
        batch = Batch(*(x.clone() for x in self.estimate(rollout)))
        shape = rollout.rewards.shape
        gradient = self.gradient(rollout, others, batch.advantages.reshape(shape))
        critic = self.parameters["critic"].detach().requires_grad_()
        return [gradient, *torch.autograd.grad(self.value_loss({"critic": critic}, batch).sum(), critic)]

    def gradient(self, rollout: Rollout, others: Tensor, advantages: Tensor | None = None) -> Tensor:
        """The shaped gradient ``[R, N, P]`` of everybody's V; others ``[R, N, K]``: whom each agent shapes.

        advantages ``[R, N, H, E]``: for dice.
        """
        theta = self.parameters["actor"]
        r, n, p = theta.shape
        replica = torch.arange(r, device=theta.device).repeat_interleave(n)
        own = torch.arange(n, device=theta.device).repeat(r)
        pieces = []
        for some in self._some_worlds(r * n, others.shape[-1]):
            world = replica[some], own[some], others.flatten(0, 1)[some]
            if advantages is None:
                pieces.append(self._rising_exactly(rollout, *world))
            else:
                pieces.append(self._rising_by_dice(rollout, advantages, *world))
        return torch.cat(pieces).reshape(r, n, p)

    def _some_worlds(self, worlds: int, opponents: int) -> Iterator[slice]:
        """Slices of all points of view, small enough for what a pass over them has to keep."""
        s, n = self.settings, self.problem.game.n
        agents = n if self.estimator == "exact" else 1 + opponents
        row = 2 * self.games.encoder.size + 4 * sum(s.hidden) + (16 * n if self.estimator == "exact" else 0)
        each = max(1, opponents) * agents * s.lanes * s.window * row
        limit = NUMBERS["cpu" if self.problem.device.type == "cpu" else "cuda"]
        size = max(1, limit // each)
        return (slice(start, start + size) for start in range(0, worlds, size))

    # --- through the game

    def _rising_exactly(self, rollout: Rollout, replica: Tensor, own: Tensor, others: Tensor) -> Tensor:
        """Shaped gradients ``[B, P]`` of the worlds of agents ``own [B]`` in replicas ``replica [B]``."""
        theta = self.parameters["actor"][replica]
        values = self.exact_values(rollout, replica)
        direct, correction = shaped_gradient(theta, own, others, self.settings.look_ahead, values)
        return direct + correction

    def exact_values(self, rollout: Rollout, replica: Tensor) -> Values:
        """V of worlds in replicas ``replica [B]``, as a function of everybody's parameters ``[B, C, N, P]``."""
        z, mean = (x.clone() for x in rollout.kept)
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(self.parameters["actor"]))
        noise = (z - mean) * torch.exp(-log_std).unsqueeze(-1)
        weight = decay(rollout.terminated | rollout.truncated, self.settings.discount)
        weight = weight / self.reward_scale.sigma[..., None, None]

        def values(theta: Tensor) -> Tensor:
            b, c, n, _ = theta.shape
            rows = replica.repeat_interleave(c)
            rewards = self._played_again(Rerun(self.games, rollout, rows), theta.flatten(0, 1), noise[rows])
            return (rewards * weight[rows]).sum(2).mean(-1).reshape(b, c, n)

        return values

    def _played_again(self, rerun: Rerun, theta: Tensor, noise: Tensor) -> Tensor:
        """Rewards ``[b, N, H, E]`` of a rerun with parameters ``[b, N, P]`` and noise ``[b, N, H, E]``."""
        layers = self.actor.layers(theta)
        noise = noise * torch.exp(gaussian.bounded_log_std(self.actor.free_parameters(theta))).unsqueeze(-1)

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            return (gaussian.squash_through(self.actor.run(layers, features).squeeze(-1) + noise[:, :, t]),)

        rewards = rerun.again(choose).rewards
        return rewards.sum(1, keepdim=True).expand_as(rewards) if self.settings.team_reward else rewards

    # --- by densities

    def _rising_by_dice(
        self, rollout: Rollout, advantages: Tensor, replica: Tensor, own: Tensor, others: Tensor
    ) -> Tensor:
        """Shaped gradients ``[B, P]``; a world has agent i first, then those it shapes, and two halves of lanes."""
        cast = torch.cat([own.unsqueeze(1), others], 1)
        theta = self.parameters["actor"][replica.unsqueeze(1), cast].repeat_interleave(2, 0)
        first = torch.zeros(len(theta), dtype=torch.long, device=theta.device)
        rest = torch.arange(1, cast.shape[1], device=theta.device).expand(len(theta), -1)
        inner, outer = (self.dice_values(rollout, advantages, replica, cast, swap=swap) for swap in (False, True))
        parts = shaped_gradient(theta, first, rest, self.settings.look_ahead, inner, outer, ahead=False)
        direct, correction = (x.reshape(-1, 2, x.shape[-1]).mean(1) for x in parts)
        ratio = self.settings.max_correction * direct.norm(dim=-1) / (correction.norm(dim=-1) + 1e-12)
        shaped: Tensor = direct + correction * ratio.clamp_max(1.0).unsqueeze(-1)
        return shaped

    def dice_values(self, rollout: Rollout, advantages: Tensor, replica: Tensor, cast: Tensor, *, swap: bool) -> Values:
        """V of the agents ``cast [B, M]`` of replicas ``replica [B]``, from each half of the lanes: 2 B worlds.

        The worlds of a pair see the first and the second half, or with ``swap`` the second and the first.
        """
        halves = torch.arange(self.settings.lanes, device=cast.device).reshape(2, -1)
        halves = halves.flip(0) if swap else halves
        ended = rollout.terminated | rollout.truncated
        weighted = advantages * decay(ended, self.settings.discount)

        def dealt(x: Tensor) -> Tensor:
            """[R, N, H, E, ...] as [2 B, M, H, E / 2, ...]."""
            x = x[replica.unsqueeze(1), cast]
            return torch.stack([x[:, :, :, lanes] for lanes in halves], 1).flatten(0, 1)

        features, z = dealt(rollout.features[:, :, :-1]), dealt(rollout.kept[0])
        gains, ends = less_others_mean(dealt(weighted)), dealt(ended.expand_as(weighted))[:, 0]

        def values(theta: Tensor) -> Tensor:
            def copied(x: Tensor) -> Tensor:
                return x.repeat_interleave(theta.shape[1], 0)

            flat = theta.flatten(0, 1)
            log_std = gaussian.bounded_log_std(self.actor.free_parameters(flat)).unsqueeze(-1)
            log_density = gaussian.log_density(copied(z), self.actor(flat, copied(features)).squeeze(-1), log_std)
            return dice_values(log_density, copied(gains), copied(ends)).reshape(theta.shape[:3])

        return values

    # --- the rest

    def entropy(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Mean entropy of the rates ``[R, N]`` where the rollout went, and its gradient ``[R, N, P]``."""
        theta = self.parameters["actor"].detach().requires_grad_()
        mean = self.actor(theta, rollout.features[:, :, :-1].clone().flatten(2, 3)).squeeze(-1)
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(theta))
        entropy = gaussian.entropy(mean, log_std).mean(-1)
        (slope,) = torch.autograd.grad(entropy.sum(), theta)
        return entropy.detach(), slope

    def policy(self) -> NetworkPolicy:
        """The present policy, which says by which estimator it was trained and how many others an agent shaped."""
        game, shaped = self.problem.game, min(self.settings.opponents, self.problem.game.n - 1)
        theta = self.parameters["actor"].clone()
        about: dict[str, Any] = {"estimator": self.estimator, "shaped_opponents": shaped}
        return NetworkPolicy.of(game, self.problem.setting, self.actor, theta, **about)
