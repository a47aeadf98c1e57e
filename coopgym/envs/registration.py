"""The forty ids in the registries of Gymnasium and PettingZoo, for ``gymnasium.make`` and ``pettingzoo.make``.

Gymnasium 1 loads no entry points by itself: ``import coopgym`` registers, and so does ``gymnasium.make`` of
``"coopgym:coopgym/TrustDilemma-v1"``. The entry point in the group ``gymnasium.envs`` serves tools that look there.
"""

from __future__ import annotations

import importlib

import gymnasium
from gymnasium.envs import registration as gymnasium_registry

from coopgym.envs import catalogue

NAMESPACE = "coopgym"


def register_all() -> None:
    """Register what is missing, in both registries; a second call changes nothing."""
    register_gymnasium()
    register_pettingzoo()


def register_gymnasium() -> None:
    """``coopgym/<Name>-v1`` and ``-v0`` for ``gymnasium.make`` and ``gymnasium.make_vec``."""
    for id in game_ids():
        if f"{NAMESPACE}/{id}" not in gymnasium_registry.registry:
            gymnasium.register(
                id=id if gymnasium_registry.current_namespace == NAMESPACE else f"{NAMESPACE}/{id}",
                entry_point="coopgym.envs.joint:JointEnv",
                vector_entry_point="coopgym.envs.vector:make_vec",
                kwargs={"game": id},
            )


def register_pettingzoo() -> None:
    """The same ids for ``pettingzoo.make("parallel", ...)`` and ``("aec", ...)``, where PettingZoo has a registry."""
    try:
        registry = importlib.import_module("pettingzoo.env_registry.registration")
    except ModuleNotFoundError:  # before PettingZoo 1.27
        return
    for kind, known in (("parallel", registry.parallel_registry), ("aec", registry.aec_registry)):
        for id in game_ids():
            if f"{NAMESPACE}/{id}" not in known:
                maker = f"coopgym.envs.{kind}:make_{kind}"
                registry.register(kind, f"{NAMESPACE}/{id}", entry_point=maker, kwargs={"game": id})


def game_ids() -> list[str]:
    """All ids of the catalogue, the released versions first, so that v1 is the latest."""
    return catalogue.list_games(version="v0") + catalogue.list_games(version="v1")
