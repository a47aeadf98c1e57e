"""What each stored column means, and its unit: the words of cards and datasheets. Types are in ``schema``."""

from __future__ import annotations

from coopgym.audit.measures import CATALOGUE, Measure
from coopgym.study import schema

RUNS = {
    "run_id": "hash of all that decides the result: game, learner, hyperparameters, reward mode, seed, package series",
    "study": "name of the study that made the run",
    "kind": "learner, oracle, heuristic or constant",
    "algorithm": "name of the algorithm",
    "variant": "name of the set of hyperparameters in a study that has several",
    "paradigm": "independent, self_play, centralised_critic, value_decomposition, mean_field or none",
    "game": "game with its version",
    "report": "technical report that the game is of [1 to 4]",
    "reward_mode": "rewards trained on: private, integrated, cooperative; none: one record that stands for all modes",
    "mutuality": "how far from private rewards to the mode's [0 to 1]; null for the three pure modes",
    "seed": "seed of the replica; null where nothing is random",
    "agents": "number of agents",
    "horizon": "length of an episode that no rule ends early [steps]",
    "game_hash": "hash of the game's parameters and rules",
    "game_options": "options of the game [JSON]",
    "observation": "what agents observe: full, asymmetric or minimal",
    "action_kind": "continuous or bins",
    "bins": "levels of the endowment that a learner with bins chooses from [count]",
    "team_reward": "whether each agent was trained on the sum of all agents' rewards",
    "objective": "finite: the episode's end is the problem's end; continuing: it is not",
    "discount": "discount factor of the learner [1]",
    "hyperparameters": "all hyperparameters, defaults included [JSON]",
    "hyperparameters_hash": "hash of the hyperparameters",
    "parameters": "numbers that were trained [count]",
    "env_steps": "environment steps trained for [steps]",
    "updates": "updates of the parameters [count]",
    "episodes": "episodes that a policy without training was measured in [count]",
    "evaluations": "points of the curve of the evaluated welfare, of a learner [count]",
    "status": "ok, diverged (a number in an update was not finite) or failed (there is no result; reason says why)",
    "reason": "why the status is not ok",
    "diverged_at": "update at which the run diverged",
    "welfare": "sum of payoffs over agents and steps, deterministic policy, mean over its episodes [payoff]",
    "payoff": "payoff of each agent over an episode [payoff]",
    "reward_private": "reward of each agent in the private mode over the same episode [reward]",
    "reward_integrated": "reward of each agent in the integrated mode over the same episode [reward]",
    "reward_cooperative": "reward of each agent in the cooperative mode over the same episode [reward]",
    "rate": "mean share of its endowment that each agent contributed [0 to 1]",
    "above_baseline": "share of steps in which each agent contributed more than its baseline [0 to 1]",
    "final_trust": "mean trust over ordered pairs at the end [0 to 1]",
    "final_reputation_damage": "mean reputation damage over ordered pairs at the end [0 to 1]",
    "length": "length of the episode [steps]",
    "ended_by": "time_limit, or the rule that ended the episode",
    "welfare_stochastic": "mean welfare of the stochastic policy [payoff]",
    "welfare_stochastic_sd": "standard deviation of it over episodes [payoff]",
    "episodes_stochastic": "episodes of the stochastic policy [count]",
    "best_constant_welfare": "welfare of the best of 101 constant policies [payoff]",
    "best_constant_reward": "the largest return of a constant policy in the mode trained on, sum over agents [reward]",
    "open_loop_welfare": "welfare of the best sequence of actions that is known [payoff]",
    "upper_bound_welfare": "proven upper bound of welfare [payoff]",
    "efficiency_best_constant": "welfare as a share of the best constant policy's [1]",
    "efficiency_upper_bound": "welfare as a share of the upper bound [1]",
    "package_version": "version of coopgym",
    "source_revision": "revision of the source code",
    "source_clean": "whether the source code was as in that revision",
    "torch_version": "version of PyTorch",
    "device": "what the run was trained on",
    "precision": "floating-point format of training",
    "replicas_in_program": "replicas trained together with this one [count]",
    "lanes": "games played side by side by each replica [count]",
    "program_seconds": "training time of the whole program [seconds]",
    "seconds": "training time divided by the number of replicas [seconds]",
    "env_steps_per_second": "environment steps of the program over its training time [steps per second]",
    "program_id": "hash of the run_ids trained together",
    "created": "when the record was made [UTC]",
    "duplicate_of": "run_id of the same training problem and seed under an earlier reward mode",
    "policy_file": "policy of the run, without its suffix",
    "policy_sha256": "SHA-256 of the file with the policy's numbers",
    "origin": "own, or the data set that the record was taken from",
}
CURVES = {
    "run_id": "run that the curve is of",
    "metric": "what was measured",
    "agent": "index of the agent; -1 for all",
    "unit": "unit of the values",
    "env_steps": "environment steps at each point [steps]",
    "updates": "updates at each point [count]",
    "value": "value at each point [unit]",
}
GAMES = {
    "game": "game with its version",
    "report": "technical report that it is of [1 to 4]",
    "agents": "number of agents",
    "horizon": "length of an episode that no rule ends early [steps]",
    "endowment": "most that each agent can contribute in a step [action]",
    "baseline": "contribution that each agent is expected to make [action]",
    "shares": "share of each agent in what is produced together [0 to 1]",
    "interdependence": "how much each agent depends on each other one, row by row [0 to 1]",
    "options": "all options [JSON]",
    "game_hash": "hash of parameters and rules, as in the runs",
    "description": "what the game is about",
}
COVERAGE = {
    "algorithm": "name of the algorithm",
    "variant": "name of the set of hyperparameters",
    "game": "game with its version",
    "reward_mode": "private, integrated, cooperative, or none for one record that stands for all",
    "mutuality": "how far from private rewards to the mode's [0 to 1]",
    "seed": "seed of the replica",
    "planned": "whether the study asks for this run; not where the algorithm cannot play the game",
    "status": "ok, diverged, failed, missing or not_applicable",
    "run_id": "the run; null where it is not applicable",
    "reason": "why the status is not ok",
}


def measured(measure: Measure, of: str = "") -> str:
    """What a measure of the audits' register is, with its unit. of: how the number was made of those of agents."""
    return f"{measure.what}{of} [{measure.unit}]"


AS_IN_RUNS = (
    "variant", "game_options", "observation", "objective", "hyperparameters", "evaluations", "episodes_stochastic",
    "torch_version",
)  # fmt: skip
OF_AUDITS = {
    "run_id": "run whose policy was audited",
    "effort": "how much was played to measure it: quick or full",
    "algorithm": "name of the algorithm",
    "kind": "learner, oracle, heuristic or constant",
    "game": "game with its version",
    "game_hash": "hash of the game's parameters and rules, as in the runs",
    "reward_mode": "rewards that the policy was trained on: private, integrated, cooperative or none",
    "mutuality": "how far from private rewards to the mode's [0 to 1]; null for the three pure modes",
    "seed": "seed of the replica; null where nothing is random",
    "env_steps": "environment steps that the policy was trained for [steps]",
    **{name: f"{RUNS[name]}; of the run" for name in AS_IN_RUNS},
    "run_version": "version of coopgym that made the run",
    "agents": "agents that were audited [count]",
    "episodes": "episodes that the outcome was measured in [count]",
    "replicas_in_program": "policies audited together with this one [count]",
    **{name: measured(m, "; mean over audited agents" * m.agents) for name, m in CATALOGUE.items()},
    **{f"{name}_by_agent": measured(m, "; of each audited agent") for name, m in CATALOGUE.items() if m.agents},
    "infinite": "measures that are null because they are infinite [names]",
    "undefined": "why each measure that is not defined is null [reasons by name]",
    "notes": "what was cut short",
    "package_version": "version of coopgym that made the audit",
    "program_seconds": "time of all audits of the program [seconds]",
    "created": "when the audit was made [UTC]",
}
AUDITS = {name: OF_AUDITS[name] for name in schema.AUDITS.names}
COLUMNS = {"runs": RUNS, "curves": CURVES, "games": GAMES, "coverage": COVERAGE, "audits": AUDITS}
ABOUT = {
    "runs": "One row a run: a learner's replica (one seed under one reward mode), or a policy that needs no training.",
    "curves": "One row for each run, metric and agent: how it went during training.",
    "games": "One row a game: its parameters.",
    "coverage": "The design: one row for each run that was asked for, and what became of it.",
    "audits": "One row for each run and effort of an audit: what its policy was measured to do.",
}
KEYS = {
    "runs": ("run_id",), "curves": ("run_id", "metric", "agent"), "games": ("game", "game_hash"),
    "coverage": ("algorithm", "variant", "game", "reward_mode", "mutuality", "seed"),
    "audits": ("run_id", "effort"),
}  # fmt: skip
