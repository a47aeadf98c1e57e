"""What a card says in numbers, all computed from the tables, and what it says in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from coopgym.study.records import Row
from coopgym.study.schema import DESIGNED, PUBLISHED

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
KEYWORDS = ("coopetition", "multi-agent reinforcement learning", "mixed-motive games", "reward design", "benchmark")
LIMITS = (
    "Everything here is synthetic: games with known rules, played by algorithms.",
    "Most games are deterministic, so seeds vary what is learned and not the world.",
    "Games named -v0 reproduce a released package with its known quirks; -v1 follows the technical reports.",
    "Returns under different reward modes are in different units; payoffs and welfare are in the same one.",
    "Case studies calibrate a game to a firm's history; they are no observations of firms.",
    "Learners have the budgets stated in their rows, and their defaults were tuned on four of the games "
    "(RecoveryRace, PlatformEcosystem, ReputationMarket, TeamProduction) with other seeds.",
)
USES = (
    "Comparing learners under the same reward mode, or reward modes for the same learner; studying when giving weight "
    "to others' payoffs pays; statistics of learning curves. Not for claims about particular firms, nor for ranking "
    "learners in general: twenty games of one family are not a sample of all problems."
)
PRIVACY = "None: no person or firm was observed."
IMPACT = (
    "Shows how rewards that count others' payoffs change conduct in stylised markets. Conclusions about real "
    "partnerships need evidence from outside of these games."
)


def counts(tables: Mapping[str, list[Row]]) -> dict[str, Any]:
    """Every number that a card quotes, by name."""
    runs, coverage = tables["runs"], tables["coverage"]
    states = Counter(row["status"] for row in coverage)
    learners = [row for row in runs if row["kind"] == "learner"]
    return {
        **{f"rows_{name}": len(tables.get(name, [])) for name in PUBLISHED if name in DESIGNED or tables.get(name)},
        "planned": sum(row["planned"] for row in coverage),
        **{f"status_{name}": states[name] for name in ("ok", "diverged", "failed", "missing", "not_applicable")},
        "learner_runs": len(learners), "learners": _distinct(learners, "algorithm"),
        "algorithms": _distinct(runs, "algorithm"), "games": _distinct(runs, "game"),
        "reward_modes": len({(row["reward_mode"], row["mutuality"]) for row in learners}),
        "seeds": _distinct(learners, "seed"),
        "training_hours": round(sum(row["seconds"] or 0.0 for row in learners) / 3600.0, 3),
        "env_steps": sum(row["env_steps"] or 0 for row in learners),
    }  # fmt: skip


def period(tables: Mapping[str, list[Row]]) -> tuple[str, str]:
    """Dates of the first record and of the last."""
    rows = [*tables["runs"], *tables.get("audits", [])]
    moments = sorted(row["created"] for row in rows if row["created"] is not None)
    return (moments[0].date().isoformat(), moments[-1].date().isoformat()) if moments else ("", "")


def devices(tables: Mapping[str, list[Row]]) -> list[str]:
    """What was trained on."""
    return sorted({row["device"] for row in tables["runs"] if row["device"]})


def collection(count: Mapping[str, Any]) -> str:
    """A sentence on what made the rows."""
    if "rows_audits" not in count:
        return "Every row was made by `coopgym study run` from the study's file beside this one."
    return (
        "Runs were made by `coopgym study run` from the study's file beside this one, audits by `coopgym audit` of the "
        "runs' policies."
    )


def missing(count: Mapping[str, Any]) -> str:
    """A sentence on what is not there."""
    return (
        f"Of {count['planned']} planned runs {count['status_diverged']} diverged, {count['status_failed']} failed and "
        f"{count['status_missing']} are missing; {count['status_not_applicable']} pairs of algorithm and game are not "
        "applicable. The table coverage lists each with its reason; nothing is imputed."
    )


def _distinct(rows: Iterable[Row], column: str) -> int:
    return len({row[column] for row in rows})
