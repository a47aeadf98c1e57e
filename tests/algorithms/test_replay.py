"""Replay: the last steps and no others, drawn by each replica for itself."""

import pytest
import torch

from coopgym.algorithms.replay import Replay

CPU = torch.device("cpu")
FIELDS = {"rates": (2,), "time": ()}


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def filled(replicas, steps, capacity=5, lanes=3, chunk=2):
    """A replay of steps 0, 1, ...; a rate is 1000 replica + 100 agent + 10 lane + step / 100."""
    replay = Replay(replicas, capacity, lanes, FIELDS, CPU)
    for start in range(0, steps, chunk):
        t = torch.arange(start, min(start + chunk, steps)).reshape(1, -1, 1).expand(replicas, -1, lanes)
        r, e, n = torch.arange(replicas), torch.arange(lanes), torch.arange(2)
        rates = 1000 * r.reshape(-1, 1, 1, 1) + 100 * n + 10 * e.reshape(-1, 1) + t.unsqueeze(-1) / 100
        replay.add(rates=rates, time=t)
    return replay


def test_the_oldest_steps_make_room():
    for steps, kept in ((3, {0, 1, 2}), (5, {0, 1, 2, 3, 4}), (12, {7, 8, 9, 10, 11})):
        drawn = filled(1, steps).sample(generators(0), 400)
        assert set(drawn["time"].flatten().tolist()) == kept
    whole = filled(1, 9, chunk=9)  # more at once than there is room for
    assert set(whole.sample(generators(0), 400)["time"].flatten().tolist()) == {4, 5, 6, 7, 8}


def test_a_sample_keeps_what_belongs_together():
    drawn = filled(2, 8).sample(generators(0, 1), 300)
    assert drawn["rates"].shape == (2, 300, 2) and drawn["time"].shape == (2, 300)
    first, second = drawn["rates"].unbind(-1)
    torch.testing.assert_close(second - first, torch.full((2, 300), 100.0))
    lane = ((first - 1000.0 * torch.arange(2).reshape(2, 1)) / 10).floor()
    assert set(lane.flatten().tolist()) == {0.0, 1.0, 2.0}
    torch.testing.assert_close(first, 1000.0 * torch.arange(2).reshape(2, 1) + 10 * lane + drawn["time"] / 100)


def test_what_a_replica_draws_does_not_depend_on_its_companions():
    together = filled(2, 8).sample(generators(7, 8), 50)
    alone = filled(1, 8).sample(generators(7), 50)
    for name in FIELDS:
        assert torch.equal(together[name][:1], alone[name])
    assert not torch.equal(together["time"][0], together["time"][1])


@pytest.mark.parametrize("steps", [3, 5, 12, 14])
def test_what_comes_ahead_is_of_the_same_lane_and_never_crosses_to_the_oldest(steps):
    replay = filled(2, steps)
    drawn = replay.draw(generators(0, 1), 200, span=3)
    now = replay.fetch(drawn)
    for ahead in range(3):
        later = replay.fetch(drawn, ("time", "rates"), ahead)
        assert torch.equal(later["time"], now["time"] + ahead)
        torch.testing.assert_close(later["rates"], now["rates"] + ahead / 100)
    assert set(now["time"].flatten().tolist()) == set(range(max(0, steps - 5), max(1, steps - 2)))
    mixed = torch.arange(200).expand(2, -1) % 3
    torch.testing.assert_close(replay.fetch(drawn, ("time",), mixed)["time"], now["time"] + mixed)
