"""The runs of a study as columns: a million of them fit in memory, and every analysis is array arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.algorithms.record import NO_MODE
from coopgym.algorithms.registry import FAMILIES
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.study import identity, twins
from coopgym.study.records import FAILED, Records
from coopgym.study.schema import RUNS

NAMED = (  # columns of an identity that are listed here already
    "kind", "algorithm", "variant", "game", "game_options", "reward_mode", "mutuality", "seed",
)  # fmt: skip
COLUMNS = (
    "run_id", "kind", "algorithm", "variant", "paradigm", "game", "game_options", "report", "reward_mode", "mutuality",
    "seed", "horizon", "status", "reason", "welfare", "rate", "final_trust", "length", "best_constant_welfare",
    "team_reward", *(name for name in identity.COLUMNS if name not in NAMED),
)  # fmt: skip
CORNER = 0.02  # a mean rate within this of 0 or 1 is at an end of the range


@dataclass(frozen=True)
class Runs:
    """Columns ``[K]``. player, game: with what differs in brackets (see ``coopgym.study.identity``): rows of one
    player, game and mode are repeats; game_id: the game's name alone; mode: label of the reward mode; base: its kind;
    mutuality: 0 for the private mode; family: of the paradigm; rate: mean over agents; NaN where there is no number.
    repeat: the run is that of another mode under a second name (see ``coopgym.study.twins``), and that one is here.
    team: it was trained on the sum of all agents' rewards, whatever the mode."""

    run_id: np.ndarray
    kind: np.ndarray
    player: np.ndarray
    family: np.ndarray
    game: np.ndarray
    game_id: np.ndarray
    game_options: np.ndarray
    report: np.ndarray
    mode: np.ndarray
    base: np.ndarray
    mutuality: np.ndarray
    seed: np.ndarray
    horizon: np.ndarray
    status: np.ndarray
    reason: np.ndarray
    welfare: np.ndarray
    rate: np.ndarray
    final_trust: np.ndarray
    length: np.ndarray
    best_constant: np.ndarray
    repeat: np.ndarray
    team: np.ndarray

    def __len__(self) -> int:
        return len(self.run_id)

    def where(self, mask: np.ndarray) -> Runs:
        """Those that a mask ``[K]`` chooses."""
        return Runs(*(getattr(self, column.name)[mask] for column in fields(self)))

    @property
    def learners(self) -> Runs:
        """Those that were trained."""
        return self.where(self.kind == "learner")

    @property
    def distinct(self) -> Runs:
        """Without repeats."""
        return self.where(~self.repeat)

    def repeated(self) -> set[tuple[str, str]]:
        """(game, mode) of which every run is a repeat: that mode asks nothing that another has not asked."""
        (games, first), (modes, second) = coded(self.game), coded(self.mode)
        there, fresh = (np.zeros((len(games), len(modes)), dtype=bool) for _ in range(2))
        there[first, second] = True
        fresh[first[~self.repeat], second[~self.repeat]] = True
        return {(games[g], modes[m]) for g, m in np.argwhere(there & ~fresh)}

    @property
    def modes(self) -> list[str]:
        """Labels of reward modes: the pure ones, then others by kind and mutuality."""
        there = self.where(self.base != NO_MODE)
        labels, places = coded(there.mode)
        first = np.searchsorted(np.sort(places), np.arange(len(labels)))
        first = np.argsort(places, kind="stable")[first]
        order = np.lexsort(np.stack([there.mutuality[first], [KINDS.index(base) for base in there.base[first]]]))
        return [labels[i] for i in order]

    @property
    def reports(self) -> dict[str, int]:
        """The report of each game, which is its class; by name."""
        names, places = coded(self.game)
        report = np.zeros(len(names), dtype=int)
        report[places] = self.report
        return dict(zip(names, report.tolist(), strict=True))

    @property
    def games(self) -> list[str]:
        """Names, by report."""
        reports = self.reports
        return sorted(reports, key=lambda name: (reports[name], name))


def load(*places: Records) -> Runs:
    """All runs of one or several folders of records, each once. ValueError naming a part that is damaged."""
    tables = [_of_place(records) for records in places]
    folders = [
        records.folder.name for records, table in zip(places, tables, strict=True) for _ in range(len(table))
    ] if len(places) > 1 else None  # fmt: skip
    return columns(pa.concat_tables(tables), folders)


def _of_place(records: Records) -> pa.Table:
    parts = list(records.tables("runs", pa.schema([RUNS.field(column) for column in COLUMNS]), strict=True))
    if not parts:
        raise FileNotFoundError(f"there are no records in {records.store.url!r}; make some with `coopgym study run`")
    return _once(pa.concat_tables(parts))


def _once(table: pa.Table) -> pa.Table:
    """The last of all rows of a run, but a failed one only where there is no other."""
    failed = pc.equal(table["status"], FAILED).to_numpy()
    order = np.concatenate([np.flatnonzero(failed), np.flatnonzero(~failed)])  # failed ones first: others come later
    coded = table["run_id"].combine_chunks().dictionary_encode()
    last = np.empty(len(coded.dictionary), dtype=np.intp)
    last[coded.indices.to_numpy()[order]] = order  # of those that go to one place, the last one stays
    return table.take(np.sort(last))


def columns(table: pa.Table, folders: Sequence[str | None] | None = None) -> Runs:
    """Columns of a table that has those of COLUMNS. folders: of each row, where there are several."""
    players, games = _identified(table, folders)
    text = {name: _text(table[name]) for name in COLUMNS if table.schema.field(name).type == pa.string()}
    number = {name: _number(table[name]) for name in COLUMNS if pa.types.is_primitive(table.schema.field(name).type)}
    mutuality = np.where(np.isnan(number["mutuality"]), 1.0, number["mutuality"])
    mutuality[np.isin(text["reward_mode"], ("private", NO_MODE))] = 0.0
    found = Runs(
        run_id=text["run_id"], kind=text["kind"], player=players,
        family=_mapped(text["paradigm"], lambda word: FAMILIES.get(word, "none")), game=games, game_id=text["game"],
        game_options=text["game_options"], report=np.nan_to_num(number["report"]).astype(int),
        mode=_labels(text["reward_mode"], mutuality), base=text["reward_mode"],
        mutuality=mutuality, seed=number["seed"], horizon=number["horizon"], status=text["status"],
        reason=text["reason"], welfare=number["welfare"], rate=_means(table["rate"]),
        final_trust=number["final_trust"], length=number["length"], best_constant=number["best_constant_welfare"],
        repeat=np.zeros(len(table), dtype=bool), team=number["team_reward"] == 1.0,
    )  # fmt: skip
    return replace(found, repeat=_repeats(found, found.team))


def _identified(table: pa.Table, folders: Sequence[str | None] | None) -> tuple[np.ndarray, np.ndarray]:
    """Labels ``[K]`` of players and of games: found for each distinct configuration, and handed to its rows."""
    names = [name for name in (*identity.COLUMNS, "status") if name != "seed"]
    table = table.append_column(identity.FOLDER, pa.array(folders or [None] * len(table), type=pa.string()))
    which = np.zeros(len(table), dtype=np.intp)
    for name in (*names, identity.FOLDER):
        words = table[name].combine_chunks().dictionary_encode()
        codes = words.indices.fill_null(len(words.dictionary)).to_numpy()
        which = np.unique(which * (len(words.dictionary) + 1) + codes, return_inverse=True)[1]
    first = np.unique(which, return_index=True)[1]
    distinct = table.take(first).select([*names, identity.FOLDER]).to_pylist()
    named = identity.labels(distinct)
    found = (np.array([of(row) for row in distinct], dtype=object) for of in (named.player, named.game))
    players, games = (np.asarray(each[which]) for each in found)
    return players, games


def _repeats(runs: Runs, team: np.ndarray) -> np.ndarray:
    """Which runs ``[K]`` have the problem of an earlier mode whose run with the same player, game and seed is here."""
    coding = [coded(words) for words in (runs.game, runs.game_options, runs.mode, runs.player)]
    (games, options, modes, _), (game, option, mode, player) = zip(*coding, strict=True)
    _, problem, which = np.unique(
        key((game, len(games)), (option, len(options)), (mode, len(modes)), (team.astype(int), 2)),
        return_index=True, return_inverse=True,
    )  # fmt: skip
    known = {label: i for i, label in enumerate(modes)}
    firsts = np.array([known.get(_first(runs, k, bool(team[k])), len(modes)) for k in problem])[which]
    other = np.asarray(firsts != mode)
    if not other.any():
        return other
    seeds = np.unique(np.nan_to_num(runs.seed, nan=-1.0), return_inverse=True)[1]
    place = (game, len(games)), (option, len(options)), (player, len(coding[3][0])), (seeds, len(seeds))
    return other & np.isin(key(*place, (firsts, len(modes) + 1)), key(*place, (mode, len(modes) + 1)))


def key(*parts: tuple[np.ndarray, int]) -> np.ndarray:
    """Indices ``[K]``, each with how many there may be, as one number."""
    found = np.zeros(len(parts[0][0]), dtype=np.int64)
    for index, count in parts:
        found = found * count + index
    return found


def _first(runs: Runs, k: int, team: bool) -> str:
    """Label of the first mode that has the problem of run ``k``; its own where there is none before."""
    if runs.base[k] == NO_MODE:
        return str(runs.mode[k])
    kind = RewardMode(runs.base[k], 1.0 if runs.base[k] == "private" else float(runs.mutuality[k]))
    return str(twins.original(runs.game_id[k], runs.game_options[k] or "{}", kind, team) or runs.mode[k])


def _text(column: pa.ChunkedArray) -> np.ndarray:
    """As objects that share their text: a million names of sixteen learners are sixteen strings."""
    coded = column.fill_null("").combine_chunks().dictionary_encode()
    words = np.array(coded.dictionary.to_pylist() or [""], dtype=object)
    return np.asarray(words[coded.indices.to_numpy()])


def _number(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy())


def _means(column: pa.ChunkedArray) -> np.ndarray:
    """Mean of each list; NaN where there is none."""
    lists = column.combine_chunks()
    sizes = pc.list_value_length(lists).fill_null(0).to_numpy()
    values = pc.list_flatten(lists).fill_null(np.nan).to_numpy(zero_copy_only=False)
    sums = np.bincount(np.repeat(np.arange(len(sizes)), sizes), weights=values, minlength=len(sizes))
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), np.nan)


def coded(words: np.ndarray) -> tuple[list[str], np.ndarray]:
    """(distinct words, sorted; the index of each among them): a million of them are hashed and not compared."""
    found = pa.array(words, type=pa.string()).dictionary_encode()
    names = found.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.empty(len(names), dtype=np.intp)
    places[order] = np.arange(len(names))
    return [names[i] for i in order], places[found.indices.to_numpy()]


def _mapped(words: np.ndarray, f: Callable[[str], Any]) -> np.ndarray:
    known, places = coded(words)
    return np.asarray(np.array([f(word) for word in known], dtype=object)[places])


def _labels(kinds: np.ndarray, mutuality: np.ndarray) -> np.ndarray:
    """``integrated``, or ``integrated(0.5)`` where mutuality is not 1."""
    k, first = coded(kinds)
    m, second = np.unique(mutuality, return_inverse=True)
    plain = ("private", NO_MODE)
    names = np.array([[x if x in plain or y == 1.0 else f"{x}({y:g})" for y in m] for x in k], dtype=object)
    return np.asarray(names[first, second])


def _places(words: np.ndarray, known: Sequence[str]) -> np.ndarray:
    """Index of each word in ``known``, -1 where it is not there."""
    index = {name: i for i, name in enumerate(known)}
    return np.asarray(_mapped(words, lambda word: index.get(word, -1)).astype(int))


def strata(runs: Runs, values: np.ndarray, players: Sequence[str], games: Sequence[str]) -> list[list[np.ndarray]]:
    """values ``[K]`` of the runs of each player (outer) in each game (inner); empty where there is no run."""
    a, b, wide = _places(runs.player, players), _places(runs.game, games), len(games)
    key = np.where((a >= 0) & (b >= 0), a * wide + b, -1)
    order = np.lexsort((runs.seed, key))
    bounds = np.searchsorted(key[order], np.arange(len(players) * wide + 1))
    parts = [values[order[bounds[i] : bounds[i + 1]]] for i in range(len(players) * wide)]
    return [parts[i * wide : (i + 1) * wide] for i in range(len(players))]
