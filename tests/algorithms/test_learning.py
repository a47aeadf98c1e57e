"""Does it learn: a known equilibrium, the welfare optimum, a corner, and the yardstick of the best constant."""

from claims import CLAIMS


def test_one_step_slcd_ends_at_the_nash_equilibrium():
    CLAIMS["IPPO: Nash"].holds()


def test_one_step_slcd_with_a_team_reward_ends_at_the_welfare_optimum():
    CLAIMS["MAPPO: optimum"].holds()


def test_mappo_with_a_team_reward_approaches_the_best_constant_of_the_release():
    CLAIMS["MAPPO: SLCD-v0, a team, soon"].holds()


def test_ippo_finds_a_corner():
    CLAIMS["IPPO: TeamProduction-v1"].holds()
