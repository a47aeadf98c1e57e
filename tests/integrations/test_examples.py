"""Every example runs as it is; here with less of everything."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")


def test_a_game_of_ones_own_is_solved_and_trained(example):
    found = example("own_game").main(steps=12_000)
    assert found["nash"] < found["coopetitive"] < found["social_optimum"]
    assert found["IPPO, private reward"] < found["IPPO, cooperative reward"] <= found["social_optimum"] + 1e-6


def test_ppo_in_a_single_file_learns(example):
    history = example("ppo_single_file").main(updates=12)
    assert history[-1] > history[0] + 200.0


def test_sac_of_stable_baselines_in_a_seat(example):
    pytest.importorskip("stable_baselines3")
    theirs, ours = example("sb3_seat").main(steps=600)
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.xdist_group("ray")
@pytest.mark.filterwarnings("default")
def test_an_ablation_by_rllib(example, cluster, tmp_path):
    found = example("rllib_ablation").main(steps=1_000, out=tmp_path)
    assert [(line.algorithm, line.reward_mode) for line in found.lines] == [
        ("RLlib_PPO", "private"), ("RLlib_PPO", "cooperative"), ("TitForTat", "private"), ("TitForTat", "cooperative"),
    ]  # fmt: skip
