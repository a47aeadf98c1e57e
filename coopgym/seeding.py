"""Random streams: every generator of this package is derived from a seed and the name of its purpose.

Two purposes never share a stream, whatever the seed. No stream equals what a plain seed gives elsewhere, such as
``numpy.random.default_rng(seed)``, ``gymnasium.utils.seeding.np_random(seed)`` or ``space.seed(seed)``: a user who
seeds an action space and an environment with one number gets two independent streams.
"""

from __future__ import annotations

import hashlib
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

PURPOSES = {
    "game": "hidden parameters and noise of an environment, from the seed of its reset",
    "wrappers": "np_random of many games at once, for whatever is put around them",
    "players": "seeds of the policies that play a game, by their position",
    "policies": "what a policy draws, from the seed given to its reseed()",
    "spaces": "actions and observations sampled from spaces",
    "learners": "initial parameters, exploration and minibatches of a training run",
    "training": "hidden parameters and noise of the games that a run trains in",
    "pools": "seeds of the runs that fill a pool of partners, by their number",
    "runners": "seeds of the parallel runners of another library, by their number",
    "evaluation": "hidden parameters and noise of the games that policies are evaluated in",
    "resampling": "bootstrap and permutation samples, and other draws of statistics",
    "audits": "noise of an audit's games, and seeds of the policies in them",
    "audit_actions": "actions that an audit imposes",
    "solvers": "starting points of a search",
    "probes": "inputs at which a function or a game is tested for a property",
    "testing": "actions of coopgym.testing",
    "validation": "alternatives that the case studies are compared with",
}

SEED_LIMIT = 2**128  # the pool of a SeedSequence; larger seeds could meet the words of a key
INDEX_LIMIT = 2**32
KEYS = {
    name: tuple(np.frombuffer(hashlib.blake2b(f"coopgym {name}".encode(), digest_size=8).digest(), "<u4").tolist())
    for name in PURPOSES
}


def sequence(seed: int | None, purpose: str, *index: int) -> np.random.SeedSequence:
    """The seed sequence of one stream.

    Args:
        seed: Whole number from 0, below 2^128; None: fresh entropy from the operating system.
        purpose: One of ``PURPOSES``.
        index: Whole numbers from 0, below 2^32, that tell apart the streams of one purpose: of an agent, a replica,
            a step.

    Returns:
        A sequence whose spawn key is the key of the purpose, followed by the index.

    Raises:
        ValueError: For a seed or index out of range, or a purpose that is not registered.
        TypeError: For a seed or index that is not a whole number.
    """
    if purpose not in KEYS:
        raise ValueError(f"purpose={purpose!r} of a random stream is not known; choose from {', '.join(PURPOSES)}")
    chosen = None if seed is None else _whole("seed", seed, SEED_LIMIT)
    key = (*KEYS[purpose], *(_whole("index", i, INDEX_LIMIT) for i in index))
    return np.random.SeedSequence(chosen, spawn_key=key)


def bits(seed: int | None, purpose: str, *index: int) -> np.random.PCG64:
    """The bit generator of one stream; arguments and errors as for ``sequence``."""
    return np.random.PCG64(sequence(seed, purpose, *index))


def generator(seed: int | None, purpose: str, *index: int) -> np.random.Generator:
    """The NumPy generator of one stream; arguments and errors as for ``sequence``."""
    return np.random.Generator(bits(seed, purpose, *index))


def integer(seed: int | None, purpose: str, *index: int) -> int:
    """A seed in [0, 2^63) for what takes a number: a policy's ``reseed``, torch, another library.

    Arguments and errors as for ``sequence``.
    """
    return int(sequence(seed, purpose, *index).generate_state(1, np.uint64)[0] >> np.uint64(1))


def entropy() -> int:
    """A fresh seed from the operating system, below 2^128."""
    found = np.random.SeedSequence().entropy
    assert isinstance(found, int)
    return found


def torch_generator(seed: int | None, purpose: str, *index: int, device: Any = "cpu") -> torch.Generator:
    """The torch generator of one stream on a device; other arguments and errors as for ``sequence``."""
    import torch

    return torch.Generator(device).manual_seed(integer(seed, purpose, *index))


def _whole(name: str, value: Any, limit: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r:.100} is not a whole number; give one from 0") from None
    if isinstance(value, (bool, np.bool_)) or not 0 <= number < limit:
        shown = repr(value) if number.bit_length() < 200 else f"a number of {number.bit_length()} bits"
        raise ValueError(f"{name}={shown} is not valid; give a whole number from 0, below 2^{limit.bit_length() - 1}")
    return number
