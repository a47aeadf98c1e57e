"""All that a learner is at one moment as named tensors and plain data, and a learner made to be that again.

The walk knows no learner: it follows attributes, entries of lists and dicts, and fields, and names each thing by its
path (``optimisers.actor.first``). What is one object stays one object: an optimiser moves the very parameters that play
reads, random streams stay shared, and tensors that share memory go on sharing it, with the same strides, so that every
kernel adds in the same order as before. Nothing that is read back is ever run.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import is_torch

PLAIN = (type(None), bool, int, float, str)
KINDS = (
    "tensor", "generator", "array", "scalar", "stream", "slice", "range", "size", "dtype", "list", "tuple", "deque",
    "named", "dict", "object", "method", "class", "given",
)  # fmt: skip
ALIGNED = 64  # elements: a part of a memory block is kept from a multiple of it, so that alignment stays as it was


def capture(learner: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors by name, data that JSON can hold) which say all that ``learner`` is.

    The tensors are the learner's own memory, not copies: write them before it goes on. Raises TypeError for something
    that has no place in a file, such as an open iterator or a tensor with a history of gradients.
    """
    walk = _Capture(type(learner))
    root: dict[str, Any] = walk.node(learner, "")
    return walk.spans(), root


def restore(learner: Any, tensors: dict[str, Tensor], data: dict[str, Any], device: torch.device | str = "cpu") -> None:
    """Make a freshly built ``learner`` what another was at ``capture``; its tensors on a GPU go to ``device``.

    Its games and functions are those it was built with; everything else is set to what was kept, also where it was
    only made after the start. Raises ValueError where what was kept does not fit; the learner is of no use then.
    """
    fresh = _Capture(type(learner))
    fresh.node(learner, "")
    try:
        _Restore(fresh, tensors, torch.device(device)).node(data, "")
    except (KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise ValueError(f"it does not describe a {type(learner).__name__}: {error}") from error


class _Capture:
    """The walk over a learner. Every object is described where it is first met, and named by that path elsewhere."""

    def __init__(self, learner: type) -> None:
        self.homes = {"coopgym", learner.__module__.partition(".")[0]}  # whose classes may be made again
        self.objects: dict[str, Any] = {}  # by path
        self._paths: dict[int, str] = {}  # by identity; ``objects`` keeps all alive, so no identity is used twice
        self._blocks: dict[tuple[torch.device, int], str] = {}
        self._views: dict[str, list[tuple[Tensor, dict[str, Any]]]] = {}  # by block: tensors and what is said of them
        self._loose: dict[str, Tensor] = {}

    def node(self, value: Any, path: str) -> Any:
        """The description of one value."""
        if type(value) in PLAIN:
            return value
        if isinstance(value, torch.device):
            return {"device": value.type}
        if isinstance(value, torch.dtype):
            return {"dtype": str(value).removeprefix("torch.")}
        if id(value) in self._paths:
            return {"same": self._paths[id(value)]}
        if path in self.objects:
            raise TypeError(f"two things are called {path}; a checkpoint cannot tell them apart")
        self._paths[id(value)], self.objects[path] = path, value
        if isinstance(value, (Tensor, torch.Generator, np.ndarray, np.generic, np.random.Generator)):
            return self._numbers(value, path)
        if isinstance(value, (list, tuple, dict, deque, slice, range)):
            return self._container(value, path)
        return self._object(value, path)

    def spans(self) -> dict[str, Tensor]:
        """The kept part of each memory block, flat, and all that stands for itself; offsets count from that part on."""
        blocks = {}
        for name, views in self._views.items():
            first = min(view.storage_offset() for view, _ in views)
            first -= first % ALIGNED
            ends = [_end(view) for view, _ in views]
            blocks[name] = torch.as_strided(views[0][0].detach(), (max(ends) - first,), (1,), first)
            for view, about in views:
                about["offset"] = view.storage_offset() - first
        return {**blocks, **self._loose}

    def _numbers(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, Tensor):
            return {"tensor": self._tensor(value, path)}
        if isinstance(value, torch.Generator):
            self._loose[path] = value.get_state()
            return {"generator": value.device.type}
        if isinstance(value, np.random.Generator):
            return {"stream": value.bit_generator.state}
        if value.dtype.kind not in "biuf":
            raise _refusal(value, path)
        self._loose[path] = torch.from_numpy(np.array(value))
        return {"scalar" if isinstance(value, np.generic) else "array": list(value.shape)}

    def _tensor(self, value: Tensor, path: str) -> dict[str, Any]:
        if type(value) is not Tensor or value.layout is not torch.strided or value.grad_fn is not None:
            raise _refusal(value, path)
        about: dict[str, Any] = {
            "shape": list(value.shape),
            "stride": list(value.stride()),
            "offset": value.storage_offset(),
        }
        about |= {"device": value.device.type, "gradient": value.requires_grad}
        if not value.numel():
            self._loose[path] = value.detach().reshape(-1)
            return about
        name = self._blocks.setdefault((value.device, value.untyped_storage().data_ptr()), path)
        views = self._views.setdefault(name, [])
        if views and views[0][0].dtype != value.dtype:
            raise TypeError(f"{path} and {name} are views of one memory with two types; a checkpoint cannot hold that")
        views.append((value, about))
        about["memory"] = name
        return about

    def _container(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, (slice, range)):
            return {type(value).__name__: [value.start, value.stop, value.step]}
        if type(value) is torch.Size:
            return {"size": list(value)}
        if type(value) is dict:
            pairs = enumerate(value.items())
            return {"dict": [[self.node(k, f"{path}#{i}"), self.node(v, _below(path, k))] for i, (k, v) in pairs]}
        entries = [self.node(entry, _below(path, i)) for i, entry in enumerate(value)]
        if type(value) is deque:
            return {"deque": [value.maxlen, entries]}
        if type(value) in (list, tuple):
            return {type(value).__name__: entries}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {"named": [self._name(type(value), path), entries]}
        raise _refusal(value, path)

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, MethodType):
            return {"method": [self.node(value.__self__, _below(path, "self")), value.__func__.__name__]}
        if isinstance(value, type):
            return {"class": self._name(value, path)}
        if isinstance(value, (Game, FunctionType)):
            return {"given": label(value)}
        if not (_frozen(type(value)) or hasattr(value, "__dict__")):
            raise _refusal(value, path)
        name = self._name(type(value), path)
        names = [x.name for x in dataclasses.fields(value)] if _frozen(type(value)) else list(vars(value))
        return {"object": [name, {name: self.node(getattr(value, name), _below(path, name)) for name in names}]}

    def _name(self, kind: type, path: str) -> str:
        if kind.__module__.partition(".")[0] not in self.homes or "<locals>" in kind.__qualname__:
            raise TypeError(f"{path} is of {kind}, which a checkpoint cannot hold: it is not a class of the package")
        return f"{kind.__module__}:{kind.__qualname__}"


class _Restore:
    """The way back. Objects of the same class at the same path are filled in place; what is missing is made."""

    def __init__(
        self,
        fresh: _Capture,
        tensors: dict[str, Tensor],
        device: torch.device,
    ) -> None:
        self.fresh, self.homes, self.device = fresh.objects, fresh.homes, device
        self.given = {label(x): x for x in fresh.objects.values() if isinstance(x, Game)}
        self.tensors = tensors
        self.made: dict[str, Any] = {}
        self.memory: dict[str, torch.UntypedStorage] = {}

    def node(self, node: Any, path: str) -> Any:
        """The value that was described."""
        if type(node) in PLAIN:
            return node
        ((kind, content),) = node.items()
        if kind == "same":
            return self.made[content]
        if kind == "device":
            return self._on(content)
        if kind not in KINDS:
            raise TypeError(f"{path} is of an unknown kind {kind!r}")
        self.made[path] = made = getattr(self, f"_{kind}")(content, path)
        return made

    def _on(self, kind: str) -> torch.device:
        return self.device if kind == self.device.type else torch.device(kind)

    def _tensor(self, about: dict[str, Any], path: str) -> Tensor:
        name, device = about.get("memory", path), self._on(about["device"])
        if name not in self.memory:  # a copy: the file's own memory is neither aligned nor ours to change
            self.memory[name] = self.tensors[name].to(device, copy=True).untyped_storage()
        empty = torch.empty(0, dtype=self.tensors[name].dtype, device=device)
        made = empty.set_(self.memory[name], about["offset"], about["shape"], about["stride"])
        return made.requires_grad_(about["gradient"])

    def _dtype(self, name: str, path: str) -> torch.dtype:
        found = getattr(torch, name)
        if not isinstance(found, torch.dtype):
            raise TypeError(f"{path} is no type of numbers")
        return found

    def _generator(self, kind: str, path: str) -> torch.Generator:
        generator = torch.Generator(self._on(kind))
        generator.set_state(self.tensors[path].clone())
        return generator

    def _array(self, shape: list[int], path: str) -> np.ndarray:
        return np.array(self.tensors[path].numpy()).reshape(shape)

    def _scalar(self, shape: list[int], path: str) -> Any:
        return self._array(shape, path)[()]

    def _stream(self, state: dict[str, Any], path: str) -> np.random.Generator:
        maker = getattr(np.random, state["bit_generator"])
        if not issubclass(maker, np.random.BitGenerator):
            raise TypeError(f"{path} is not a random stream")
        generator = np.random.Generator(maker())
        generator.bit_generator.state = state
        return generator

    def _slice(self, ends: list[int | None], path: str) -> slice:
        return slice(*ends)

    def _range(self, ends: list[int], path: str) -> range:
        return range(*ends)

    def _size(self, shape: list[int], path: str) -> torch.Size:
        return torch.Size(shape)

    def _entries(self, nodes: list[Any], path: str) -> list[Any]:
        return [self.node(node, _below(path, i)) for i, node in enumerate(nodes)]

    def _list(self, nodes: list[Any], path: str) -> list[Any]:
        self.made[path] = made = []  # before its entries, which may lead back to it
        made += self._entries(nodes, path)
        return made

    def _tuple(self, nodes: list[Any], path: str) -> tuple[Any, ...]:
        return tuple(self._entries(nodes, path))

    def _deque(self, content: list[Any], path: str) -> deque[Any]:
        longest, nodes = content
        return deque(self._entries(nodes, path), longest)

    def _named(self, content: list[Any], path: str) -> Any:
        name, nodes = content
        kind = self._class(name, path)
        if not (issubclass(kind, tuple) and len(kind._fields) == len(nodes)):  # type: ignore[attr-defined]
            raise TypeError(f"{path} is not a {name}")
        return tuple.__new__(kind, self._entries(nodes, path))

    def _dict(self, pairs: list[list[Any]], path: str) -> dict[Any, Any]:
        self.made[path] = made = {}
        for i, (k, v) in enumerate(pairs):
            name = self.node(k, f"{path}#{i}")
            made[name] = self.node(v, _below(path, name))
        return made

    def _object(self, content: list[Any], path: str) -> Any:
        name, parts = content
        kind, there = self._class(name, path), self.fresh.get(path)
        frozen = _frozen(kind)
        # a bare object is enough: __init__ would play, draw or allocate
        self.made[path] = made = there if type(there) is kind and not frozen else object.__new__(kind)
        values = {key: self.node(node, _below(path, key)) for key, node in parts.items()}
        if not frozen:
            vars(made).clear()
        for key, value in values.items():
            object.__setattr__(made, key, value)
        return made

    def _method(self, content: list[Any], path: str) -> Any:
        owner = self.node(content[0], _below(path, "self"))
        return MethodType(getattr(type(owner), content[1]), owner)

    def _class(self, name: str, path: str) -> type:
        """A class of this package, or of the learner's own, that is already loaded."""
        module, _, inner = name.partition(":")
        found: Any = sys.modules.get(module)
        for part in inner.split("."):
            found = getattr(found, part, None)
        ours = module.partition(".")[0] in self.homes
        # by its own name: what a module of the package has imported is not the package's
        if not (ours and isinstance(found, type) and (found.__module__, found.__qualname__) == (module, inner)):
            raise TypeError(f"{path} is of a class {name!r}, which is unknown here")
        return found

    def _given(self, name: str, path: str) -> Any:
        there = self.fresh.get(path)
        if there is not None and label(there) == name:
            return there
        if name not in self.given:
            raise TypeError(f"{path} is {name}, which a new learner does not have")
        return self.given[name]


def label(value: Any) -> str:
    """What a thing that is never stored is called: a game with its hash and library, a function with its home."""
    if isinstance(value, Game):
        return f"the {'torch' if is_torch(value.endowment) else 'numpy'} game {value.id} {value.hash}"
    return f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _below(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)


def _end(view: Tensor) -> int:
    """One past the last element of its memory that a view reaches."""
    return (
        int(view.storage_offset())
        + sum(int(n - 1) * int(s) for n, s in zip(view.shape, view.stride(), strict=True))
        + 1
    )


def _frozen(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def _refusal(value: Any, path: str) -> TypeError:
    history = " with a history of gradients" if isinstance(value, Tensor) and value.grad_fn is not None else ""
    return TypeError(
        f"{path} is a {type(value).__name__}{history}, which a checkpoint cannot hold; keep tensors, numbers, text, "
        "lists, dicts, random generators and objects of the package"
    )
