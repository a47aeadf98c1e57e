"""Saved policies: tensors in safetensors, everything else in JSON beside it, both written atomically."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import torch as tensors
from torch import Tensor

from coopgym.algorithms.foreign import ForeignPolicy, rebuilt
from coopgym.algorithms.network_policy import HEADS, OF_BINS, NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.policy import CallablePolicy, FixedPolicy, Policy, SchedulePolicy, named
from coopgym.algorithms.seating import Seat, SeatPolicy
from coopgym.algorithms.trust_rule import TrustRule
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.files import check_own, write_atomically

FORMAT = "coopgym-policy-1"


def save(saved: Policy, path: Any) -> None:
    """Write a policy to ``path`` + .json and, if it has parameters, ``path`` + .safetensors.

    Raises:
        TypeError: For a policy that is a user's function: that would be code.
        OverwriteError: If a file is there that is not a saved policy.
    """
    stem = _stem(path)
    files = {stem.with_name(stem.name + suffix): data for suffix, data in packed(saved).items()}
    ours = _described_at(stem) is not None
    for place in files:
        check_own(place, lambda content: ours)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for place, data in files.items():
        write_atomically(place, data)


def _described_at(stem: Path) -> dict[str, Any] | None:
    """The description of a policy that was saved under ``stem``, or None."""
    try:
        about = json.loads(stem.with_name(stem.name + ".json").read_bytes())
        return about if about["format"] == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def packed(saved: Policy) -> dict[str, bytes]:
    """What ``save`` writes, by suffix: the numbers first, if there are any, then the description."""
    arrays, files = dict[str, Tensor](), dict[str, bytes]()
    about: dict[str, Any] = {
        "format": FORMAT, "game": saved.game.id, "game_hash": saved.game.hash, "game_options": saved.game.options,
        **_described(saved, arrays),
    }  # fmt: skip
    if arrays:
        files[".safetensors"] = tensors.save(arrays)
        about["sha256"] = hashlib.sha256(files[".safetensors"]).hexdigest()
    text = json.dumps(about, indent=1, sort_keys=True, default=lambda x: np.asarray(x).tolist())
    return files | {".json": text.encode()}


def fingerprint(policy: Policy) -> Any:
    """What tells a policy from another: its name if it has no parameters, else all it is, with their checksum."""
    if isinstance(policy, ForeignPolicy):
        return {"kind": policy.library, "name": policy.name, "sha256": policy.digest()}
    arrays = dict[str, Tensor]()
    about = _described(policy, arrays)
    if not arrays and about["kind"] == "heuristic":
        return policy.name
    return {**about, "sha256": hashlib.sha256(tensors.save(arrays)).hexdigest()}


def _described(saved: Policy, arrays: dict[str, Tensor], key: str = "theta") -> dict[str, Any]:
    """What a policy is, as plain data; its tensors go into ``arrays`` under ``key`` and names that begin with it."""
    if isinstance(saved, CallablePolicy):
        raise TypeError(f"{saved!r} is a function; only constants, heuristics and trained policies can be saved")
    about: dict[str, Any] = {"name": saved.name, "observability": saved.observability}
    if isinstance(saved, ForeignPolicy):
        if saved.recipe is None:
            raise TypeError(
                f"{saved!r} is a model of {saved.library}; save it with that library, and load it by its path"
            )
        arrays.update({f"{key}.{name}": x for name, x in saved.tensors().items()})
        return about | {"kind": "foreign", "library": saved.library, "recipe": saved.recipe, "tensor": key}
    if isinstance(saved, SeatPolicy):
        players = enumerate(saved.seat.players)
        return about | {
            "kind": "seat", "agent": saved.seat.agent, "own": _described(saved.own, arrays, key),
            "players": [_described(p, arrays, f"{key}.{k}") | {"seats": columns} for k, (p, columns) in players],
        }  # fmt: skip
    if isinstance(saved, NetworkPolicy):
        arrays[key] = saved.theta.cpu().contiguous()
        return about | {
            "kind": "network", "head": saved.head, "network": dataclasses.asdict(saved.network),
            "stacked": saved.stacked, "about": saved.about, "tensor": key,
        }  # fmt: skip
    if isinstance(saved, FixedPolicy):
        return about | {"kind": "rates", "rates": saved.rates.tolist()}
    if isinstance(saved, SchedulePolicy):
        return about | {"kind": "schedule", "rates": saved.rates.tolist()}
    if isinstance(saved, TrustRule):
        return about | {"kind": "trust rule", "coefficients": saved.coefficients.tolist()}
    return about | {"kind": "heuristic"}


def load(path: Any, expected: Game | None, sha256: str | None = None, numbers: bool = True) -> Policy:
    """The policy saved under ``path``; see ``load_policy``.

    Args:
        path: With or without suffix, or a folder that ``TrainResult.save`` wrote.
        expected: The game that it must be for.
        sha256: The checksum that a record has for it: of its tensor file if ``numbers``, else of its description.
        numbers: Whether the policy of the record has tensors.
    """
    stem = _stem(path)
    if stem.is_dir():  # what TrainResult.save wrote: all replicas
        stem = stem / "policy"
    described = stem.with_name(stem.name + ".json")
    text = described.read_bytes()
    try:
        about = json.loads(text)
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r:.80}, not {FORMAT!r}")
        same = expected is not None and (expected.id, expected.hash) == (about["game"], about["game_hash"])
        # a user's own game is not in the catalogue: the one at hand is the only way to it
        game = expected if expected is not None and same else make_game(str(about["game"]), **about["game_options"])
        if game.hash != about["game_hash"]:
            raise ValueError(f"its game {game.id} has hash {about['game_hash']}, and this package makes {game.hash}")
        arrays = _arrays(about, stem)
        found = about.get("sha256") if numbers else hashlib.sha256(text).hexdigest()
        if sha256 is not None and found != sha256:
            raise ValueError("its checksum is not that in the record of its run: it is of another run, or was changed")
        loaded = _build(about, game, arrays)
    except (OSError, ImportError):
        raise
    except Exception as error:  # the file may hold anything
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
        raise ValueError(f"{described} is not a readable policy: {reason:.500}; save it again") from error
    if expected is not None and (expected.id, expected.hash) != (game.id, game.hash):
        raise ValueError(f"{described} was saved for {game!r} and not for {expected!r}; load it without a game")
    return loaded


def _arrays(about: dict[str, Any], stem: Path) -> dict[str, Tensor]:
    """The tensors that belong to a description; none where it names no checksum."""
    if "sha256" not in about:
        return {}
    data = stem.with_name(stem.name + ".safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise ValueError("its tensor file has another checksum: damaged, or of another policy")
    return tensors.load(data)


def _build(about: dict[str, Any], game: Game, arrays: dict[str, Tensor]) -> Policy:
    if about["kind"] == "heuristic":  # by its registered name: what a file says is never taken as a path
        return named(about["name"], game)
    if about["kind"] == "rates":
        return FixedPolicy(game, about["rates"], about["name"], about["observability"])
    if about["kind"] == "schedule":
        return SchedulePolicy(game, about["rates"], about["name"])
    if about["kind"] == "trust rule":
        return TrustRule(game, about["coefficients"], about["name"])
    if about["kind"] == "seat":
        players = tuple((_build(p, game, arrays), tuple(p["seats"])) for p in about["players"])
        return SeatPolicy(Seat(game, about["agent"], players), _build(about["own"], game, arrays))
    if about["kind"] == "foreign":
        start = about["tensor"] + "."
        parameters = {name.removeprefix(start): x for name, x in arrays.items() if name.startswith(start)}
        return rebuilt(about["library"], game, about["recipe"], parameters)
    if about["head"] not in (*HEADS.values(), *OF_BINS):
        raise ValueError(f"its head {about['head']!r} is unknown to this package")
    theta = arrays[about.get("tensor", "theta")]
    if theta.dtype != torch.float32 or theta.ndim != 3:
        raise ValueError(f"its parameters are {theta.ndim}-dimensional {theta.dtype}, not 3-dimensional torch.float32")
    if not bool(torch.isfinite(theta).all()):
        raise ValueError("its parameters are not finite")
    network = Network(**{**about["network"], "hidden": tuple(about["network"]["hidden"])})
    return NetworkPolicy(
        game, about["observability"], network, theta, stacked=about["stacked"], about=dict(about["about"]),
        head=about["head"],
    )  # fmt: skip


def _stem(path: Any) -> Path:
    given = Path(path)
    return given.with_suffix("") if given.suffix in (".json", ".safetensors") else given
