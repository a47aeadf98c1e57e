"""Strategies whose behaviour is known by hand, and a game without a rule that ends it early."""

from __future__ import annotations

import numpy as np

import coopgym
from coopgym.algorithms.crossplay import SeatMix
from coopgym.algorithms.policy import FixedPolicy, SchedulePolicy
from coopgym.audit.panel import GenerousTitForTat, Punisher

GAME = coopgym.game("SLCD-v1")  # two agents, endowments of 100, 100 steps
GOOD = np.array([0.5, 0.5])
FIRST = np.array([True, False])


def always(rate, game=GAME):
    return FixedPolicy(game, rate)


def tit_for_tat(game=GAME):
    return coopgym.policy("TitForTat", game)


def generous(g, game=GAME):
    return GenerousTitForTat(game, g)


def grim(game=GAME, good=GOOD):
    return Punisher(game, good, np.inf, "grim")


def forgives_after(k, game=GAME, good=GOOD):
    return Punisher(game, good, float(k), f"forgives after {k}")


def defects_at_the_end(steps, game=GAME, rate=0.5):
    rates = np.full((game.horizon, game.n), rate)
    rates[game.horizon - steps :] = 0.0
    return SchedulePolicy(game, rates)


def against(partner, rate=0.5):
    """Agent 0 plays one rate for ever; agent 1 is the partner."""
    return SeatMix(FixedPolicy(partner.game, rate, observability=partner.observability), partner, FIRST)
