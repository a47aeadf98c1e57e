"""Confidence intervals, tests and sample sizes, each with the sentence that a page prints about it.

The only place where an interval or a p-value is computed, but for the resampling that the technical reports published
(``coopgym.validation``), which is reproduced as it was. Nothing here draws random numbers: every result is the same
each time. How often each interval covers is measured by ``benchmarks/coverage.py`` and stated in
``docs/statistics.md``.
"""

from __future__ import annotations

from coopgym.statistics.aggregates import (
    AGGREGATES,
    aggregate_interval,
    chance_interval,
    share_interval,
    stratified_mean,
)
from coopgym.statistics.means import LEVEL, Interval, mean_interval
from coopgym.statistics.power import seeds_needed, t_power
from coopgym.statistics.ranks import rank_intervals
from coopgym.statistics.sentences import ABOUT, MEAN, OF_THE_SUM, TEAM, about, sentence
from coopgym.statistics.tests import CORRECTIONS, adjust, sign_flip_p, welch_p

__all__ = [
    "ABOUT",
    "AGGREGATES",
    "CORRECTIONS",
    "LEVEL",
    "MEAN",
    "OF_THE_SUM",
    "TEAM",
    "Interval",
    "about",
    "adjust",
    "aggregate_interval",
    "chance_interval",
    "mean_interval",
    "rank_intervals",
    "seeds_needed",
    "sentence",
    "share_interval",
    "sign_flip_p",
    "stratified_mean",
    "t_power",
    "welch_p",
]
