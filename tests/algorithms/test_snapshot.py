"""Snapshots: whatever an object graph is made of comes back as it was, and nothing that is read back is run."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms import snapshot
from coopgym.algorithms.networks import Network
from coopgym.algorithms.optim import Adam


class Pair(NamedTuple):
    left: torch.Tensor
    right: dict


@dataclass(frozen=True)
class Recipe:
    size: int
    rates: torch.Tensor


class Stage:
    """A second phase, which only exists once the first is over; it knows who it belongs to."""

    def __init__(self, owner):
        raise AssertionError("a snapshot makes no use of __init__")


class Thing:
    def __init__(self, seed=0):
        self.theta = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(seed))
        self.parameters = {"actor": self.theta}
        self.optimiser = Adam(self.theta)
        self.generators = [torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)]
        self.players = self.generators
        self.head = self.theta[:, 1]
        self.turned = self.theta.mT
        self.wide = torch.ones(1, 3).expand(5, 3)
        self.part = torch.arange(1000.0)[100:200]
        self.empty = torch.zeros(0, 3)
        self.flags = torch.tensor([True, False])
        self.pair = Pair(torch.full((2,), torch.nan), {"x": torch.tensor(3)})
        self.recipe = Recipe(4, torch.ones(2))
        self.network = Network(3, 2)
        self.ring = deque([torch.zeros(1)], maxlen=3)
        self.numpy = np.arange(6, dtype=np.int64).reshape(2, 3)
        self.share = np.float32(0.1)
        self.random = np.random.default_rng(seed)
        self.plain = (1, 2.5, -0.0, float("inf"), None, True, "x.y", torch.float64, torch.device("cpu"))
        self.rows = [slice(0, 2), range(3), torch.Size([1, 2])]
        self.by_place = {0: "a", (1, 2): "b"}
        self.ask = self.answer
        self.rule = abs_rule
        self.game = coopgym.game("SLCD-v1")
        self.stage = None

    def answer(self):
        return self.theta.sum()


def abs_rule(x):
    return abs(x)


def moved(seed=0):
    """A thing that has gone on: a second phase has begun, in place of what was there."""
    thing = Thing(seed)
    thing.theta.mul_(2.0)
    thing.optimiser.steps += 5
    thing.ring.extend([thing.theta.clone(), thing.theta.clone() + 1, thing.theta])
    torch.rand(3, generator=thing.generators[1])
    thing.random.random(7)
    thing.stage = object.__new__(Stage)
    vars(thing.stage).update(owner=thing, theta=thing.theta, mine=torch.ones(2), network=Network(7, 1))
    thing.extra, thing.numpy = [1, [2.0]], None
    del thing.flags
    return thing


def again(thing, fresh):
    tensors, data = snapshot.capture(thing)
    tensors = {name: x.clone() for name, x in tensors.items()}
    snapshot.restore(fresh, tensors, json.loads(json.dumps(data)))
    return fresh


def same(a, b):
    """Whether two captures say the same, bit for bit, strides and sharing included."""
    (x, told), (y, heard) = snapshot.capture(a), snapshot.capture(b)
    bits = {name: (t.dtype, t.numpy().tobytes()) for name, t in x.items()}
    return told == heard and bits == {name: (t.dtype, t.numpy().tobytes()) for name, t in y.items()}


def test_what_is_one_object_stays_one_object():
    old = moved()
    new = again(old, Thing(9))
    assert same(old, new)
    assert new.parameters["actor"] is new.theta is new.optimiser.theta is new.ring[2] is new.stage.theta
    assert new.stage.owner is new and new.ask.__self__ is new
    assert new.players is new.generators
    assert new.ring.maxlen == 3 and new.ring[0] is not new.ring[1]
    assert not hasattr(new, "flags") and new.numpy is None and new.extra == [1, [2.0]]
    assert new.stage.network == Network(7, 1)
    assert isinstance(new.share, np.float32) and new.plain == old.plain and new.rows == old.rows
    assert torch.rand(2, generator=new.generators[1]).equal(torch.rand(2, generator=old.generators[1]))
    assert new.random.random() == old.random.random()


def test_views_go_on_sharing_their_memory_and_keep_their_strides():
    new = again(moved(), Thing(9))
    new.theta.zero_()
    assert not new.head.any() and not new.turned.any() and not new.ring[2].any() and new.ring[1].any()
    assert new.wide.stride() == (0, 1) and new.turned.stride() == (12, 1, 4)
    assert new.part.storage_offset() % snapshot.ALIGNED == 100 % snapshot.ALIGNED
    assert new.part.untyped_storage().nbytes() < 1000  # not the whole of what it was cut from


def test_the_old_one_and_the_tensors_that_were_read_are_not_touched_by_the_new_one():
    old = moved()
    tensors, data = snapshot.capture(old)
    new = Thing(9)
    snapshot.restore(new, tensors, data)
    new.theta.zero_()
    assert old.theta.any()


def test_a_leaf_that_wants_gradients_does_so_again():
    old = Thing()
    old.theta.requires_grad_()
    old.head = old.turned = None
    assert again(old, Thing()).theta.requires_grad


def with_history(thing):
    thing.loss = (torch.ones(2, requires_grad=True) * 2.0).sum()


def with_iterator(thing):
    thing.rest = iter([1, 2])


def with_module(thing):
    thing.layer = torch.nn.Linear(1, 1)


def with_local_class(thing):
    class Local:
        pass

    thing.local = Local()


def with_set(thing):
    thing.names = {"a"}


def with_words(thing):
    thing.words = np.array(["a"])


def with_two_types(thing):
    thing.bits = thing.theta.view(torch.int32)


def with_two_names(thing):
    thing.tree = {"a": {"b": [1]}, "a.b": [2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_history, "loss is a Tensor with a history of gradients"),
        (with_iterator, "rest is a list_iterator"),
        (with_module, "layer is of <class 'torch.nn"),
        (with_local_class, "local is of .*Local"),
        (with_set, "names is a set"),
        (with_words, "words is a ndarray"),
        (with_two_types, "views of one memory with two types"),
        (with_two_names, "two things are called tree.a.b"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_by_name(change, message):
    thing = Thing()
    change(thing)
    with pytest.raises(TypeError, match=message):
        snapshot.capture(thing)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os:system", "unknown here"),
        ("builtins:eval", "unknown here"),
        ("subprocess:Popen", "unknown here"),
        ("coopgym.algorithms.optim:Missing", "unknown here"),
        ("coopgym.algorithms.optim:clip", "unknown here"),
        ("coopgym.algorithms.optim:torch.Tensor", "unknown here"),
    ],
)
def test_only_classes_of_the_package_are_made_again(name, message):
    tensors, data = snapshot.capture(moved())
    text = json.dumps(data).replace("coopgym.algorithms.optim:Adam", name)
    with pytest.raises(ValueError, match=message):
        snapshot.restore(Thing(), tensors, json.loads(text))


def test_a_game_or_function_that_a_new_learner_lacks_is_refused():
    tensors, data = snapshot.capture(moved())
    fresh = Thing()
    fresh.game = coopgym.game("SLCD-v1", max_steps=3)
    with pytest.raises(ValueError, match=r"game is the numpy game SLCD-v1 .* which a new learner does not have"):
        snapshot.restore(fresh, tensors, data)
    fresh.game, fresh.rule = coopgym.game("SLCD-v1"), None
    with pytest.raises(ValueError, match="abs_rule, which a new learner does not have"):
        snapshot.restore(fresh, tensors, data)


@pytest.mark.parametrize("lost", ["theta", "generators.0", "part"])
def test_a_snapshot_that_lacks_a_tensor_is_refused(lost):
    tensors, data = snapshot.capture(moved())
    del tensors[lost]
    with pytest.raises(ValueError, match="does not describe a Thing"):
        snapshot.restore(Thing(), tensors, data)
