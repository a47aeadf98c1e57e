"""What a page says about an interval or a test: one wording for each, next to what computes it."""

from __future__ import annotations

from coopgym.mechanisms import checks
from coopgym.statistics import given
from coopgym.statistics.means import LEVEL

MEAN = "95% t intervals"  # of means, in few words
TEAM = "†"  # behind the name of a learner that is trained on the sum of all agents' rewards
OF_THE_SUM = f"{TEAM} trained on the sum of all agents' rewards under every mode: another objective than the others'."
ABOUT = {
    "mean": "Brackets are 95% t intervals of the mean over {over}. With fewer than five of them, and with skewed "
    "values, they contain the true mean less often than 95%.",
    "aggregate": "Brackets are 95% t intervals over the runs of each game, of means over games and of interquartile "
    "means; the games are taken as given.",
    "rank": "Brackets of average ranks contain the ranks of the true means at least 95% of the time: their ends count "
    "the learners that are shown to be better, and to be worse.",
    "chance": "Brackets of chances are 95% score intervals over the runs of each game.",
    "contrast": "Brackets are 95% t intervals over {over}.",
    "flips": "p is the share of all choices of signs of the differences ({over}) whose mean is at least as far from 0; "
    "all of them are counted.",
    "crossing": "Its bracket holds every mutuality at which the 95% interval of the contrast contains 0.",
}


def sentence(over: str = "seeds", level: float = LEVEL) -> str:
    """What a caption says about intervals of means, e.g. "95% t intervals of the mean over seeds"."""
    return f"{given.share('level', level) * 100:g}% t intervals of the mean over {over}"


def about(kind: str, over: str = "runs") -> str:
    """The sentence about one kind of interval or test.

    Args:
        kind: a key of ``ABOUT``.
        over: what was averaged or paired, in the plural, e.g. "seeds".
    """
    return ABOUT[checks.choice("kind", kind, ABOUT)].format(over=over)
