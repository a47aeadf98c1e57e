"""The released games (-v0) against numbers recorded from the released package: every array of every sequence."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.envs.observation import observe
from coopgym.envs.reward import KINDS, RewardMode

FLOORS = {"reward": 10.0, "pi": 1.0, "trust": 1e-4, "observation": 0.01, "other": 1e-3}  # the README's comparison rule
OBSERVABILITY = {"par_obs_default": "full", "par_obs_realistic": "asymmetric", "par_obs_minimal": "minimal"}
# recorded array -> (name in info or state, kind of comparison)
RECORDED = {
    "total_value": "total_value",
    "x_cooperation_count": "cooperation_count",
    "x_defection_count": "defection_count",
    "x_peak_trust": "peak_trust",
    "x_recovery_progress": "recovery_progress",
    "x_agreement_reached": "agreement_reached",
    "x_breach_occurred": "breach_occurred",
    "x_total_agreements": "total_agreements",
    "x_total_breaches": "total_breaches",
    "x_collective_modifier": "collective_modifier",
    "x_team_output": "team_output",
    "x_team_cohesion": "team_cohesion",
    "x_free_rider_count": "free_rider_count",
    "x_efficiency_ratio": "efficiency_ratio",
    "x_rolling_cooperation": "rolling_cooperation",
    "x_exclusion_timer": "exclusion_timer",
    "x_coalition_member": "members",
    "x_loyalty": "loyalty_scores",
    "x_loyalty_lift": "loyalty_lift",
    "x_effort_deviation": "effort_deviation",
    "x_social_efficiency": "social_efficiency",
    "x_reciprocity_modifier": "reciprocity_modifier",
    "x_signal": "cooperation_signal",
    "x_memory_average": "memory_average",
    "x_reciprocity_effect": "reciprocity_effect",
    "x_developer_trust_in_platform": "developer_trust_in_platform",
}


def same(actual, expected, kind):
    """|x - y| <= 1e-5 max(|y|, floor) wherever a number was recorded."""
    actual, expected = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    known = ~np.isnan(expected)
    gap = np.abs(actual - expected)[known]
    limit = 1e-5 * np.maximum(np.abs(expected), FLOORS[kind])[known]
    assert (gap <= limit).all(), f"{kind}: off by {(gap / limit).max():.1f} times the tolerance"


class Recording:
    """One npz file, and the check of one step of all its sequences at once."""

    def __init__(self, file, id):
        self.data = dict(np.load(file).items())
        self.game = coopgym.game(id)
        self.seeds = self.data["seeds"]
        draws = None
        if self.game.reset_draws:  # the hidden gamma is the first uniform draw of the episode's generator
            draws = np.array([np.random.default_rng(int(s)).random(1) for s in self.seeds])
        self.state = self.game.reset((len(self.seeds),), draws)

    def check_start(self):
        d, state = self.data, self.state
        same(state.trust, d["trust0"], "trust")
        same(state.damage, d["reputation0"], "trust")
        for name in ("endowments", "baselines", "alpha", "D"):
            attribute = {"endowments": "endowment", "baselines": "baseline", "alpha": "shares", "D": "interdependence"}
            np.testing.assert_allclose(getattr(self.game, attribute[name]), d[name], rtol=1e-6)
        if "hidden_gamma" in d:
            same(state.extra["gamma"][:, 0], d["hidden_gamma"], "other")
        self.check_observation(0)

    def check_observation(self, row):
        d = self.data
        first = self.state._replace(
            **{k: getattr(self.state, k)[0] for k in ("time", "actions", "trust", "damage")},
            extra={k: v[0] for k, v in self.state.extra.items()},
        )
        if row < len(d["obs_joint"]):
            same(observe(self.game, first), d["obs_joint"][row], "observation")
        for name, setting in OBSERVABILITY.items():
            if row < len(d[name]):
                same(observe(self.game, first, setting), d[name][row], "observation")

    def check_step(self, t):
        d, game, before = self.data, self.game, self.state
        running = t < d["length"]
        actions = np.where(running[:, None], d["actions"][:, t], 0.0)
        after, payoffs, ended = game.step(before, actions)
        same(payoffs, d["pi"][:, t], "pi")
        same(after.trust, d["trust"][:, t], "trust")
        same(after.damage, d["reputation"][:, t], "trust")
        rewards = {kind: game.rewards(RewardMode(kind).weights, before, after, payoffs) for kind in KINDS}
        for kind in KINDS:
            same(rewards[kind], d[f"reward_{kind}"][:, t], "reward")
        np.testing.assert_array_equal(ended[running], d["terminated"][running, t])
        np.testing.assert_array_equal(game.truncated(after)[running], d["truncated"][running, t])
        self.check_extras(t, before, after)
        if t < d["par_length"] and self.wrapper_agrees():
            same(rewards["integrated"][0], d["par_reward"][t], "reward")
        self.state = after
        if t < d["length"][0]:
            self.check_observation(t + 1)

    def wrapper_agrees(self):
        """The released wrappers skip what these four add; ours do not (environments.md D-20, D-21)."""
        skipped = ("CooperativeNegotiation", "ReputationMarket", "CoalitionFormation", "SynergySearch")
        return self.game.name not in skipped

    def check_extras(self, t, before, after):
        info = self.game.info(before, after, after.actions)
        for name, value in self.data.items():
            if name in RECORDED:
                same(info[RECORDED[name]], value[:, t], "other")
        extra = after.extra
        if "x_public_reputation" in self.data:
            same(extra["public_reputation"], self.data["x_public_reputation"][:, t], "other")
        if "x_tier_multiplier" in self.data:
            same(extra["modifier"], self.data["x_tier_multiplier"][:, t], "other")
        if "x_current_agreement" in self.data:
            recorded = self.data["x_current_agreement"][:, t]
            running = t < self.data["length"]
            np.testing.assert_array_equal(extra["agreed"][running, 0] > 0, ~np.isnan(recorded[running, 0]))
            same(extra["agreement"], recorded, "other")


@pytest.mark.parametrize("id", coopgym.list_games(version="v0"))
def test_every_array_of_every_sequence(id, golden):
    recording = Recording(golden / f"{id}.npz", id)
    specially = {"x_public_reputation", "x_tier_multiplier", "x_current_agreement"}
    extras = {name for name in recording.data if name.startswith("x_")}
    assert extras <= RECORDED.keys() | specially, "an array of the recording is not compared"
    recording.check_start()
    for t in range(int(recording.data["length"].max())):
        recording.check_step(t)
