"""The columns that version 0.1 wrote: a part of that version may lack later ones, and none of these."""

from __future__ import annotations

VERSION = "0.1."  # how ``package_version`` begins in its rows

_RUNS = """
    run_id study kind algorithm variant paradigm game report reward_mode mutuality seed agents horizon game_hash
    game_options observation action_kind bins team_reward objective discount hyperparameters
    hyperparameters_hash parameters env_steps updates episodes status reason diverged_at welfare payoff
    reward_private reward_integrated reward_cooperative rate above_baseline final_trust final_reputation_damage
    length ended_by welfare_stochastic welfare_stochastic_sd episodes_stochastic best_constant_welfare
    best_constant_reward open_loop_welfare upper_bound_welfare efficiency_best_constant efficiency_upper_bound
    package_version source_revision source_clean torch_version device precision replicas_in_program lanes
    program_seconds seconds env_steps_per_second program_id created duplicate_of policy_file policy_sha256
    origin
"""
_AUDITS = """
    run_id effort algorithm kind game game_hash reward_mode mutuality seed env_steps agents episodes
    replicas_in_program welfare payoff return_own return_private return_integrated return_cooperative efficiency
    efficiency_bound normalised_efficiency price_of_anarchy length early_end level margin at_baseline emergence
    emergence_optimal unsteadiness endgame coordination distance surplus jain gini jain_rate gini_rate
    least_share nash_product best_gain best_gain_relative best_gain_one_step best_gain_sustained harm_at_best
    harm_ratio exploitable onset best_gain_replayed deterrence best_gain_reward best_gain_relative_reward
    exploitable_reward exploitability exploitability_reward free_riding externality sacrifice altruistic_share
    mutual_share selfish_share spiteful_share retaliation punishment_area forgiveness unforgiving residual
    inverse_response gratitude negativity contrition punisher_payoff retaliation_to_actions
    unconditional_answers weak_answers reciprocal_answers grim_answers inverse_answers chaotic_answers
    conditional_slope conditional_low conditional_high conditional_sign reciprocity_slope own_slope trust_slope
    conditional_fit trust final_trust trust_efficiency trust_recovery hysteresis cross_payoff specificity
    panel_payoff panel_least exploited payoff_with_defectors payoff_with_givers payoff_with_tit_for_tat
    payoff_with_grim_trigger exploited_by_defectors infinite undefined notes package_version program_seconds
    created
"""
_BY_AGENT = """
    payoff level margin at_baseline emergence emergence_optimal unsteadiness endgame surplus best_gain
    best_gain_relative best_gain_one_step best_gain_sustained harm_at_best harm_ratio exploitable onset
    best_gain_replayed deterrence best_gain_reward best_gain_relative_reward exploitable_reward exploitability
    exploitability_reward free_riding externality sacrifice retaliation punishment_area forgiveness unforgiving
    residual inverse_response gratitude negativity contrition punisher_payoff retaliation_to_actions
    conditional_slope conditional_low conditional_high conditional_sign reciprocity_slope own_slope trust_slope
    conditional_fit trust trust_recovery hysteresis cross_payoff specificity panel_payoff panel_least exploited
    payoff_with_defectors payoff_with_givers payoff_with_tit_for_tat payoff_with_grim_trigger
    exploited_by_defectors
"""
COLUMNS = {
    "runs": frozenset(_RUNS.split()),
    "audits": frozenset(_AUDITS.split()) | {f"{name}_by_agent" for name in _BY_AGENT.split()},
}
