"""Replay of past steps: a ring buffer of vector steps for every replica, with samples from each one's own generator."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor


class Replay:
    """The last ``capacity`` vector steps of R replicas with E lanes each, as one tensor ``[R, capacity, E, width]``.

    ``fields`` gives the shape of each named quantity of one step of one lane; they lie side by side in a row, so that a
    sample is one gather. What is stored is raw: rewards are scaled when they are used, with the scale of that time.
    """

    def __init__(
        self, replicas: int, capacity: int, lanes: int, fields: Mapping[str, tuple[int, ...]], device: torch.device
    ) -> None:
        self.fields = dict(fields)
        self.widths = [math.prod(shape) for shape in self.fields.values()]
        self.rows = torch.empty(replicas, capacity, lanes, sum(self.widths), device=device)
        self.place = 0  # of the next vector step
        self.held = 0  # vector steps that can be drawn

    def add(self, **steps: Tensor) -> None:
        """Take in H vector steps, each field ``[R, H, E, *shape]``; the oldest make room."""
        columns = [steps[name].reshape(*steps[name].shape[:3], -1).to(self.rows.dtype) for name in self.fields]
        rows, capacity = torch.cat(columns, -1), self.rows.shape[1]
        rows = rows[:, -capacity:]
        count = rows.shape[1]
        where = (self.place + torch.arange(count, device=rows.device)) % capacity
        self.rows[:, where] = rows
        self.place, self.held = (self.place + count) % capacity, min(self.held + count, capacity)

    def sample(self, generators: Sequence[torch.Generator], count: int) -> dict[str, Tensor]:
        """``count`` steps of each replica, uniformly with replacement from those held: fields ``[R, count, *shape]``.

        All agents of a replica see the same steps, because a critic of all actions needs them together.
        """
        return self.fetch(self.draw(generators, count))

    def draw(self, generators: Sequence[torch.Generator], count: int, span: int = 1) -> Tensor:
        """Where ``count`` steps are, ``[R, count]``, each the first of ``span`` that lie in one lane."""
        choices = max(1, self.held - span + 1) * self.rows.shape[2]
        return torch.stack([torch.randint(choices, (count,), generator=g, device=g.device) for g in generators])

    def fetch(self, drawn: Tensor, names: Iterable[str] | None = None, ahead: Tensor | int = 0) -> dict[str, Tensor]:
        """Fields ``[R, count, *shape]`` (None: all) of what is ``ahead`` (or ``[R, count]``) of steps drawn."""
        replicas, capacity, lanes, width = self.rows.shape
        age = (torch.div(drawn, lanes, rounding_mode="floor") + ahead).clamp_max(max(0, self.held - 1))
        slot = (age + self.place - self.held) % capacity
        first = torch.arange(replicas, device=drawn.device).unsqueeze(-1) * capacity
        index = ((first + slot) * lanes + drawn % lanes).flatten()
        flat = self.rows.reshape(-1, width)
        if names is None:
            parts = dict(zip(self.fields, torch.split(flat.index_select(0, index), self.widths, -1), strict=True))
        else:
            columns = dict(zip(self.fields, torch.split(flat, self.widths, -1), strict=True))
            parts = {name: columns[name].index_select(0, index) for name in names}
        return {name: x.reshape(*drawn.shape, *self.fields[name]) for name, x in parts.items()}
