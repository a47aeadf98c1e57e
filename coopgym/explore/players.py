"""Who may sit in a seat: the person, policies that need no training, oracles that answer soon, and a run's policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.algorithms import registry
from coopgym.algorithms.policy import Policy, load_policy
from coopgym.algorithms.seating import check_sight
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game

YOU = "you"
SIMPLE = ("TitForTat", "Random", "Constant_0", "Constant_25", "Constant_50", "Constant_75", "Constant_100")
SOON = {  # games, with the report's parameters, whose oracle was solved within about three seconds
    "Nash": (
        "PlatformEcosystem-v1", "DynamicPartnerSelection-v1", "SynergySearch-v1", "SLCD-v1", "TrustDilemma-v1",
        "RecoveryRace-v1", "RenaultNissan-v1", "ReputationMarket-v1", "TeamProduction-v1", "LoyaltyTeam-v1",
        "CoalitionFormation-v1", "PublicGoods-v1", "ReciprocalDilemma-v1", "GiftExchange-v1", "IndirectReciprocity-v1",
        "AppleAppStore-v1", "PartnerHoldUp-v0", "PlatformEcosystem-v0", "DynamicPartnerSelection-v0",
        "SynergySearch-v0", "SLCD-v0", "TrustDilemma-v0", "RecoveryRace-v0", "RenaultNissan-v0",
    ),
    "SocialOptimum": (
        "DynamicPartnerSelection-v1", "SynergySearch-v1", "SLCD-v1", "RecoveryRace-v1", "RenaultNissan-v1",
        "CooperativeNegotiation-v1", "TeamProduction-v1", "LoyaltyTeam-v1", "CoalitionFormation-v1",
        "ApacheProject-v1", "PublicGoods-v1", "DynamicPartnerSelection-v0", "SynergySearch-v0", "SLCD-v0",
        "RecoveryRace-v0", "RenaultNissan-v0", "CooperativeNegotiation-v0", "TeamProduction-v0",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """A policy of the run that the command line named. ``load`` reads it when somebody sits down."""

    label: str
    game: str
    game_hash: str
    load: Callable[[], Policy]


def saved_in(place: Path) -> list[Saved]:
    """What a run's folder, a folder of such folders, or a saved policy holds; FileNotFoundError where there is none."""
    if not place.is_dir():
        return [_alone(load_policy(place))]
    from coopgym.study.identity import labels
    from coopgym.study.stored import stored  # needs torch, which a page without policies does without

    groups = stored(place)
    named = labels(run for _, group in groups for run in group)
    return [_of_run(folder, group, k, named) for folder, group in groups for k in range(len(group))]


def offered(game: Game, saved: Sequence[Saved] = ()) -> list[dict[str, str]]:
    """The names that a seat of this game takes, each with a label for people."""
    names = [YOU, *SIMPLE, *(name for name in SOON if _soon(name, game))]
    labels = {
        YOU: "You (slider)",
        "SocialOptimum": "Social optimum (of the episode)",
        "Nash": "Nash, each step",
    }
    shown = [{"name": name, "label": labels.get(name) or _spaced(name)} for name in names]
    fits = [(k, each) for k, each in enumerate(saved) if each.game_hash == game.hash]
    return shown + [{"name": f"run:{k}", "label": each.label} for k, each in fits]


def seat(name: str, game: Game, saved: Sequence[Saved] = ()) -> Policy:
    """The policy of an offered name; ValueError naming the choices otherwise."""
    names = [each["name"] for each in offered(game, saved)][1:]
    constant = name.startswith("Constant_") and name in registry.list_algorithms("constant")
    if name not in names and not constant:
        raise ValueError(f"seats: {name!a} does not play {game.id} here; choose {YOU}, {', '.join(names)}")
    if name.startswith("run:"):
        player = saved[int(name.removeprefix("run:"))].load()
    else:
        player = registry.algorithm(name).policy(game)
    check_sight(player)
    return player


def _soon(name: str, game: Game) -> bool:
    return game.id in SOON[name] and game.hash == make_game(game.id).hash


def _spaced(name: str) -> str:
    kind, _, level = name.partition("_")
    return f"{kind} {level} %" if level else kind


def _alone(policy: Policy) -> Saved:
    return Saved(f"Saved: {policy.name}", policy.game.id, policy.game.hash, lambda: policy)


def _of_run(folder: Path, group: Sequence[Any], k: int, named: Any) -> Saved:
    from coopgym.study.stored import policies_of

    run = group[k]
    game, player, mode = named.cell(run)
    options = game.removeprefix(run["game"])  # those that tell this game from others of the same name
    label = f"{player}{options}, {mode} rewards, seed {run['seed']}"
    return Saved(label, run["game"], run["game_hash"], lambda: policies_of(folder, group[k : k + 1])[0])
