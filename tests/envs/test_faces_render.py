"""Text and pictures of running episodes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import coopgym
from coopgym.envs.joint import JointEnv


def test_text():
    env = JointEnv("GiftExchange-v1", render_mode="ansi")
    with pytest.raises(ResetNeeded):
        env.render()
    env.reset(seed=0)
    assert "step 0 of 100" in env.render()
    _, _, _, _, info = env.step([75.0, 20.0])
    lines = env.render().splitlines()
    assert lines[0] == "GiftExchange-v1   step 1 of 100"
    employer, worker = lines[2:4]
    assert employer.startswith("employer_0") and "75.0/100" in employer and f"{info['payoffs'][0]:.2f}" in employer
    assert employer.count("#") == 17  # 18 of 24 cells, one of them under the baseline's mark
    assert worker.index("|") == employer.index("|")
    assert worker.count("#") == 6
    assert f"{info['trust'][0, 1]:.2f}" in worker
    assert lines[-2].split()[1:] == [f"{x:.2f}" for x in info["trust"][0]]


def test_text_of_forty():
    env = JointEnv("ApacheProject-v1", render_mode="ansi")
    env.reset()
    env.step(env.game.endowment)
    lines = env.render().splitlines()
    assert "... and 28 more agents" in lines
    assert len(lines) < 32
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "PublicGoods-v1", "ApacheProject-v1"])
def test_picture(id):
    pytest.importorskip("matplotlib")
    env = JointEnv(id, render_mode="rgb_array")
    env.reset(seed=0)
    empty = env.render()
    for _ in range(3):
        env.step(0.9 * env.game.endowment)
    full = env.render()
    for image in (empty, full):
        assert (image.dtype, image.shape) == (np.uint8, (540, 960, 3))
    assert (full != empty).any()
    # the blue of the contributions has spread over the grey of the endowments
    blue, grey = np.array([0x44, 0x77, 0xAA]), np.array([0xE4, 0xE4, 0xE4])
    count = {name: [(image == c).all(-1).sum() for image in (empty, full)] for name, c in (("b", blue), ("g", grey))}
    assert count["b"][1] > 1000 + count["b"][0]
    assert count["g"][1] < 0.2 * count["g"][0]


def test_faces_share_the_renderer():
    for env in (coopgym.make_parallel("SLCD-v1", render_mode="ansi"), coopgym.make_aec("SLCD-v1", render_mode="ansi")):
        env.reset()
        assert env.render().startswith("SLCD-v1")
        env.close()
    seat = coopgym.make_seat("SLCD-v1", 0, 0.5, render_mode="ansi")
    seat.reset()
    seat.step([3.0])
    assert "50.0/100" in seat.render()
    assert coopgym.make_parallel("SLCD-v1").render() is None
    assert JointEnv("SLCD-v1").render() is None


def test_pictures_without_matplotlib_name_the_cure(monkeypatch):
    env = JointEnv("SLCD-v1", render_mode="rgb_array")
    env.reset()
    for name in [name for name in sys.modules if name.startswith("matplotlib.")]:
        monkeypatch.setitem(sys.modules, name, None)  # what was imported before must not help
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "coopgym\[report\]"'):
        env.render()
