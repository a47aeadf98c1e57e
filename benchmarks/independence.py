"""What it costs that a replica's bits do not depend on its companions: all learners with and without, in one process.

    OMP_NUM_THREADS=1 python benchmarks/independence.py [--replicas 1,6] [--rounds 3] [--out FILE]

"with" is what ``coopgym.train`` does. "without" calls PyTorch's functions as they are (``coopgym.numerics`` says which
differ). Iterations of both alternate; a figure is the least processor time of one iteration, in milliseconds.
What is in the file of results stays there unless it is measured again.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from timing import machine
from torch import Tensor

import coopgym
from coopgym import numerics
from coopgym.algorithms.learner import Learner, Problem
from coopgym.algorithms.memory import keep_freed_memory
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode

GAMES = {"MeanFieldAC": "AppleAppStore-v1"}  # which needs three agents
GAME = "TrustDilemma-v1"
MODES = ("private", "integrated", "cooperative")


def plain_pointwise(function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """The function as it is."""
    return function(*arguments)


def plain_products(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The product as it is."""
    return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)


def plain_product(x: Tensor, matrix: Tensor) -> Tensor:
    """One product of all rows."""
    return x @ matrix


@contextmanager
def without() -> Iterator[None]:
    """PyTorch's functions as they are."""
    names = {"pointwise": plain_pointwise, "products": plain_products}
    with mock.patch.multiple(numerics, **names):
        yield


def learner(name: str, replicas: int) -> Learner:
    """A learner with its default settings."""
    found = algorithm(name, "learner")
    game = coopgym.game(GAMES.get(name, GAME))
    modes = tuple(RewardMode.of(MODES[r % 3]) for r in range(replicas))
    problem = Problem(game, modes, tuple(range(replicas)), game.default_observability, torch.device("cpu"))
    assert found.settings is not None
    made: Learner = found.build(problem, found.settings())
    return made


def measured(name: str, replicas: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of an iteration with and without; the first of each is not counted."""
    careful, plain = learner(name, replicas), learner(name, replicas)
    least = {"with": float("inf"), "without": float("inf")}
    for i in range(rounds + 1):
        for key, made in (("with", careful), ("without", plain)):
            start = time.process_time()
            if key == "with":
                made.iterate(i / 100)
            else:
                with without():
                    made.iterate(i / 100)
            if i:
                least[key] = min(least[key], 1000.0 * (time.process_time() - start))
    return {
        "algorithm": name, "game": GAMES.get(name, GAME), "replicas": replicas, "ms_with": round(least["with"], 2),
        "ms_without": round(least["without"], 2), "ratio": round(least["with"] / least["without"], 3), "rounds": rounds,
    }  # fmt: skip


def main() -> None:
    """Measure, print a line each, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", default="1,6")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--algorithms", default=",".join(coopgym.list_algorithms("learner")))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "independence.json")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    rows = json.loads(asked.out.read_text())["rows"] if asked.out.exists() else []
    for name in asked.algorithms.split(","):
        for replicas in map(int, asked.replicas.split(",")):
            row = measured(name, replicas, asked.rounds)
            rows = [x for x in rows if (x["algorithm"], x["replicas"]) != (name, replicas)] + [row]
            print(
                "{algorithm:20s} {replicas:3d} {ms_without:9.2f} {ms_with:9.2f} {ratio:6.3f}".format(**row), flush=True
            )
            rows.sort(key=lambda x: (x["algorithm"], x["replicas"]))
            asked.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
