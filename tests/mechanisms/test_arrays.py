"""The shim: every function means the same on NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.mechanisms.arrays import NUMPY, is_torch, namespace, to_numpy

torch = pytest.importorskip("torch")
X = np.random.default_rng(0).uniform(0.1, 2.0, (3, 4))
M = np.random.default_rng(1).uniform(-1.0, 1.0, (3, 4, 4))
CALLS = {
    "exp": lambda xp, x, m: xp.exp(x),
    "log": lambda xp, x, m: xp.log(x),
    "log1p": lambda xp, x, m: xp.log1p(x),
    "tanh": lambda xp, x, m: xp.tanh(x),
    "sqrt": lambda xp, x, m: xp.sqrt(x),
    "power": lambda xp, x, m: xp.power(x, 0.75),
    "where": lambda xp, x, m: xp.where(x > 1, x, 0.5),
    "maximum": lambda xp, x, m: xp.maximum(xp.maximum(x, 1.0), x[0]),
    "minimum": lambda xp, x, m: xp.minimum(xp.minimum(x, 1.0), x[0]),
    "abs": lambda xp, x, m: xp.abs(m),
    "isfinite": lambda xp, x, m: xp.isfinite(x),
    "sum": lambda xp, x, m: xp.sum(m, -2),
    "sum_both": lambda xp, x, m: xp.sum_both(m),
    "amin": lambda xp, x, m: xp.amin(m),
    "amax": lambda xp, x, m: xp.amax(m),
    "all": lambda xp, x, m: xp.all(m > -0.5),
    "concat": lambda xp, x, m: xp.concat([x, x]),
    "concat_rows": lambda xp, x, m: xp.concat_rows([m, m]),
    "swap": lambda xp, x, m: xp.swap(m),
    "broadcast": lambda xp, x, m: xp.broadcast(x, (2, 3, 4)),
    "take_diagonal": lambda xp, x, m: xp.take_diagonal(m),
    "matvec": lambda xp, x, m: xp.matvec(m, x),
    "asarray": lambda xp, x, m: xp.asarray([1.0, 2.0], x),
    "cast": lambda xp, x, m: xp.cast(x > 1, x),
    "single": lambda xp, x, m: xp.single(x),
    "copy": lambda xp, x, m: xp.copy(x),
    "zeros": lambda xp, x, m: xp.zeros((2, 2), x),
}


def test_every_function_is_compared():
    assert set(CALLS) == set(vars(NUMPY)) - {"name"}


@pytest.mark.parametrize("name", CALLS)
def test_same_meaning(name):
    x, m = torch.as_tensor(X), torch.as_tensor(M)
    ours, theirs = CALLS[name](namespace(X), X, M), CALLS[name](namespace(x), x, m)
    assert is_torch(theirs)
    assert not is_torch(ours)
    assert str(theirs.dtype).removeprefix("torch.") == str(ours.dtype)
    np.testing.assert_allclose(to_numpy(theirs), ours, rtol=1e-7)
