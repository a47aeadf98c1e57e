"""How close a prediction lies to a documented series: errors and determination, never a correlation alone."""

from __future__ import annotations

import numpy as np


def fit(predicted: np.ndarray, documented: np.ndarray) -> dict[str, float]:
    """rmse, mae, bias, mape (percent), r2 = 1 - residual over total squares, and Pearson r, over all entries."""
    y, truth = np.ravel(predicted), np.ravel(documented)
    error = y - truth
    return {
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(abs(error).mean()),
        "bias": float(error.mean()),
        "mape": float(100.0 * (abs(error) / abs(truth)).mean()),
        "r2": float(1.0 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()),
        "r": float(np.corrcoef(y, truth)[0, 1]) if y.std() > 0 else float("nan"),
    }


def skill(rmse: float, reference: float) -> float:
    """1 - RMSE / RMSE of the reference: above 0 where the prediction beats it."""
    return 1.0 - rmse / reference
