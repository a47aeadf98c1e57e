"""Numbers of many trials, shaped to stand beside vectors and matrices of actors."""

from __future__ import annotations

import numpy as np

from coopgym.mechanisms.arrays import Array


def vectors(x: Array | float) -> np.ndarray:
    """``[...]`` to ``[..., 1]``, to stand beside actions; a number stays one."""
    array: np.ndarray = np.asarray(x, dtype=float)
    return array if array.ndim == 0 else array[..., None]


def matrices(x: Array | float) -> np.ndarray:
    """``[...]`` to ``[..., 1, 1]``, to stand beside D; a number stays one."""
    array: np.ndarray = np.asarray(x, dtype=float)
    return array if array.ndim == 0 else array[..., None, None]
