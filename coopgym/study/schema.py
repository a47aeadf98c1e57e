"""The columns of every stored table, in one place: Parquet schemas, and with them the order and type of each column.

Types: text, whole (int64), number (float64), truth, moment (UTC), and lists over agents (float64) or over the points of
a curve (float32 values, int64 positions). Missing is null; NaN is never written.
"""

from __future__ import annotations

from coopgym.audit.measures import CATALOGUE
from coopgym.extras import explained

with explained("coopgym.study"):
    import pyarrow as pa

TEXT, WHOLE, NUMBER, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()
MOMENT = pa.timestamp("us", tz="UTC")
AGENTS = pa.list_(NUMBER)  # one entry for each agent, in the game's order


def schema(*groups: tuple[pa.DataType, str]) -> pa.Schema:
    """Columns from groups (type, names with spaces between them)."""
    return pa.schema([(name, kind) for kind, names in groups for name in names.split()])


RUNS = schema(
    # identity
    (TEXT, "run_id study kind algorithm variant paradigm game"),
    (WHOLE, "report"),
    (TEXT, "reward_mode"),
    (NUMBER, "mutuality"),
    (WHOLE, "seed"),
    # problem
    (WHOLE, "agents horizon"),
    (TEXT, "game_hash game_options observation action_kind"),
    (WHOLE, "bins"),
    (TRUTH, "team_reward"),
    (TEXT, "objective"),
    (NUMBER, "discount"),
    # recipe
    (TEXT, "hyperparameters hyperparameters_hash"),
    (WHOLE, "parameters env_steps updates episodes evaluations"),
    # outcome of the deterministic policy
    (TEXT, "status reason"),
    (WHOLE, "diverged_at"),
    (NUMBER, "welfare"),
    (AGENTS, "payoff reward_private reward_integrated reward_cooperative rate above_baseline"),
    (NUMBER, "final_trust final_reputation_damage length"),
    (TEXT, "ended_by"),
    # outcome of the stochastic policy
    (NUMBER, "welfare_stochastic welfare_stochastic_sd"),
    (WHOLE, "episodes_stochastic"),
    # against references
    (NUMBER, "best_constant_welfare best_constant_reward open_loop_welfare upper_bound_welfare"),
    (NUMBER, "efficiency_best_constant efficiency_upper_bound"),
    # provenance
    (TEXT, "package_version source_revision"),
    (TRUTH, "source_clean"),
    (TEXT, "torch_version device precision"),
    (WHOLE, "replicas_in_program lanes"),
    (NUMBER, "program_seconds seconds env_steps_per_second"),
    (TEXT, "program_id"),
    (MOMENT, "created"),
    # links
    (TEXT, "duplicate_of policy_file policy_sha256 origin"),
)

CURVES = schema(
    (TEXT, "run_id metric"),
    (WHOLE, "agent"),  # -1: all agents
    (TEXT, "unit"),
    (pa.list_(WHOLE), "env_steps updates"),
    (pa.list_(pa.float32()), "value"),
)

GAMES = schema(
    (TEXT, "game"),
    (WHOLE, "report agents horizon"),
    (AGENTS, "endowment baseline shares interdependence"),
    (TEXT, "options game_hash description"),
)

COVERAGE = schema(
    (TEXT, "algorithm variant game reward_mode"),
    (NUMBER, "mutuality"),
    (WHOLE, "seed"),
    (TRUTH, "planned"),
    (TEXT, "status run_id reason"),
)

AUDITS = schema(
    (TEXT, "run_id effort algorithm variant kind game game_hash game_options reward_mode"),
    (NUMBER, "mutuality"),
    (TEXT, "observation objective hyperparameters"),
    (WHOLE, "seed env_steps evaluations episodes_stochastic agents episodes replicas_in_program"),
    (NUMBER, " ".join(CATALOGUE)),  # of what each agent has, the mean over those that were audited
    (AGENTS, " ".join(f"{name}_by_agent" for name, m in CATALOGUE.items() if m.agents)),
    (TEXT, "infinite undefined notes run_version torch_version package_version"),  # names; reasons by name
    (NUMBER, "program_seconds"),
    (MOMENT, "created"),
)
AUDIT_CURVES = schema(
    (TEXT, "run_id effort metric unit"),
    (AGENTS, "x y value"),  # value over x, or over the plane (x, y)
)

SCHEMAS = {"runs": RUNS, "curves": CURVES}  # written while a study runs
DESIGNED = SCHEMAS | {"games": GAMES, "coverage": COVERAGE}  # of every data set
PUBLISHED = DESIGNED | {"audits": AUDITS}  # of a data set; audits where there are any
