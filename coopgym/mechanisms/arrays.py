"""The one array shim: about twenty functions with the same meaning on NumPy arrays and torch tensors.

Mechanisms are written once against it: ``xp = namespace(actions)`` picks the library of the array at hand.
torch is never imported from here unless a torch tensor is handed in (or asked for by name).

Legend used in every docstring of the package: ``...`` any leading batch axes, ``N`` agents, ``T`` steps.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor; both have the operators, shapes and dtypes used here


def _matvec(matrix: Any, vector: Any) -> Any:
    if matrix.ndim == 2 and vector.ndim == 1:  # one game: plain BLAS beats every batched form
        return matrix @ vector
    if matrix.shape[-1] == 1:
        return matrix[..., 0] * vector
    return np.matmul(matrix, vector[..., None])[..., 0]


def _numpy_asarray(x: Any, like: np.ndarray) -> np.ndarray:
    return np.asarray(x, dtype=like.dtype)


NUMPY = SimpleNamespace(
    name="numpy",
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    tanh=np.tanh,
    sqrt=np.sqrt,
    power=np.power,
    where=np.where,
    maximum=np.maximum,
    minimum=np.minimum,
    abs=np.abs,
    isfinite=np.isfinite,
    sum=lambda x, axis=-1: np.add.reduce(x, axis=axis),
    sum_both=lambda x: np.add.reduce(x, axis=(-2, -1)),
    amin=lambda x, axis=-1: np.minimum.reduce(x, axis=axis),
    amax=lambda x, axis=-1: np.maximum.reduce(x, axis=axis),
    all=lambda x, axis=-1: np.logical_and.reduce(x, axis=axis),
    concat=lambda xs: np.concatenate(xs, axis=-1),
    concat_rows=lambda xs: np.concatenate(xs, axis=-2),
    swap=lambda x: np.swapaxes(x, -1, -2),
    broadcast=np.broadcast_to,
    take_diagonal=lambda x: x.diagonal(0, -2, -1),
    matvec=_matvec,
    asarray=_numpy_asarray,
    cast=lambda x, like: x.astype(like.dtype),
    single=lambda x: np.asarray(x, dtype=np.float32),
    copy=lambda x: np.array(x, copy=True),
    zeros=lambda shape, like: np.zeros(shape, dtype=like.dtype),
)


def _torch_shim() -> SimpleNamespace:
    import torch

    from coopgym import numerics

    def maximum(x: Any, y: Any) -> Any:
        return torch.maximum(x, y) if isinstance(y, torch.Tensor) else torch.clamp_min(x, y)

    def minimum(x: Any, y: Any) -> Any:
        return torch.minimum(x, y) if isinstance(y, torch.Tensor) else torch.clamp_max(x, y)

    return SimpleNamespace(
        name="torch",
        exp=torch.exp,
        log=torch.log,
        log1p=torch.log1p,
        tanh=torch.tanh,
        sqrt=torch.sqrt,
        power=numerics.power,
        where=torch.where,
        maximum=maximum,
        minimum=minimum,
        abs=torch.abs,
        isfinite=torch.isfinite,
        sum=lambda x, axis=-1: torch.sum(x, dim=axis),
        sum_both=lambda x: torch.sum(x, dim=(-2, -1)),
        amin=lambda x, axis=-1: torch.amin(x, dim=axis),
        amax=lambda x, axis=-1: torch.amax(x, dim=axis),
        all=lambda x, axis=-1: torch.all(x, dim=axis),
        concat=lambda xs: torch.cat(xs, dim=-1),
        concat_rows=lambda xs: torch.cat(xs, dim=-2),
        swap=lambda x: x.transpose(-1, -2),
        broadcast=lambda x, shape: x.expand(shape),
        take_diagonal=lambda x: torch.diagonal(x, dim1=-2, dim2=-1),
        # a product and a sum fuse into one kernel under torch.compile; a batched matmul of 2x2 blocks does not
        matvec=lambda matrix, vector: (matrix * vector.unsqueeze(-2)).sum(-1),
        asarray=lambda x, like: torch.as_tensor(x, dtype=like.dtype, device=like.device),
        cast=lambda x, like: x.to(like.dtype),
        single=lambda x: x.to(torch.float32),
        copy=lambda x: x.clone(),
        zeros=lambda shape, like: torch.zeros(shape, dtype=like.dtype, device=like.device),
    )


_torch: SimpleNamespace | None = None


def namespace(x: Array) -> SimpleNamespace:
    """The shim for the library that ``x`` belongs to."""
    if type(x) is np.ndarray or isinstance(x, (np.ndarray, np.generic, float, int)):  # the first test is the fast one
        return NUMPY
    global _torch  # noqa: PLW0603 - filled once; torch.compile traces a global, not a cache
    if _torch is None:
        _torch = _torch_shim()
    return _torch


def is_torch(x: Any) -> bool:
    """True for a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def to_numpy(x: Array) -> np.ndarray:
    """``x`` as a NumPy array (a copy off the device for a tensor)."""
    return x.detach().cpu().numpy() if is_torch(x) else np.asarray(x)
