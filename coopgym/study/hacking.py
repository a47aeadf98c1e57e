"""Signs that a reward was served at the expense of what it was meant for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from coopgym.study.identity import labels, repeats
from coopgym.study.summary import Estimate, estimate, own_reward
from coopgym.study.twins import distinct

Row = Mapping[str, Any]
WATCHED = ("welfare", "final_trust", "least_payoff")


@dataclass(frozen=True)
class Hacking:
    """Policies trained on ``mode`` less those trained on ``reference``, same algorithm and game, paired by seed.

    gained: in the reward of ``mode``, summed over agents [reward]; changes, by name: welfare [payoff], final_trust, and
    least_payoff, that of the agent who has least [payoff]; all with 95% t intervals over seeds. fell: names of
    what fell while the reward rose, both with intervals that exclude 0: empty is no sign of anything.
    """

    game: str
    algorithm: str
    mode: str
    reference: str
    seeds: int
    gained: Estimate
    changes: dict[str, Estimate]
    fell: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        return asdict(self)


def by_cell(rows: Iterable[Row]) -> dict[tuple[str, str], dict[str, dict[Any, Row]]]:
    """(game, algorithm) -> mode -> seed -> row, where names say all that differs: see ``coopgym.study.identity``."""
    known = list(rows)
    named = labels(known)
    cells: dict[tuple[str, str], dict[str, dict[Any, Row]]] = {}
    for own in repeats(known).values():
        game, algorithm, mode = named.cell(own[0])
        cells.setdefault((game, algorithm), {})[mode] = {row["seed"]: row for row in own}
    return cells


def hacking(rows: Iterable[Row], reference: str = "private") -> list[Hacking]:
    """One for each algorithm, game and mode beside ``reference``, from rows of ``audits``.

    Runs of a mode that repeat those of another are left out: see ``coopgym.study.twins``.
    """
    found = []
    for (game, algorithm), modes in by_cell(distinct(rows)).items():
        base = modes.get(reference, {})
        for mode, cell in modes.items():
            pairs = [(cell[seed], base[seed]) for seed in cell if seed in base]
            if mode != reference and pairs:
                found.append(_one(game, algorithm, mode, reference, pairs))
    return found


def _one(game: str, algorithm: str, mode: str, reference: str, pairs: list[tuple[Row, Row]]) -> Hacking:
    gained = estimate([_return(own, own) - _return(own, other) for own, other in pairs])
    changes = {
        name: estimate([_watched(own, name) - _watched(other, name) for own, other in pairs]) for name in WATCHED
    }
    rose = gained.low is not None and gained.low > 0.0
    fell = tuple(name for name, x in changes.items() if rose and x.high is not None and x.high < 0.0)
    return Hacking(game, algorithm, mode, reference, len(pairs), gained, changes, fell)


def _return(mode_of: Row, of: Row) -> float:
    """What the policy of one run earns in the reward mode of another."""
    kinds = {f"reward_{kind}": of[f"return_{kind}"] for kind in ("private", "integrated", "cooperative")}
    return own_reward({"reward_mode": mode_of["reward_mode"], "mutuality": mode_of["mutuality"], **kinds})


def _watched(row: Row, name: str) -> float:
    return float(min(row["payoff_by_agent"]) if name == "least_payoff" else row[name])
