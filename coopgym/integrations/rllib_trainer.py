"""RLlib as a trainer of ablations: one run for each reward mode and seed, recorded like our own."""

from __future__ import annotations

import logging
import os


def start(processors: int = 1) -> bool:
    """Start Ray on this machine, without its dashboard and with the least memory; False if it was there before."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        return False
    ray.init(
        num_cpus=processors, include_dashboard=False, object_store_memory=100 * 2**20, logging_level=logging.ERROR,
        log_to_driver=False,
    )  # fmt: skip
    return True
