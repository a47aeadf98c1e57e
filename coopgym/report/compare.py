"""Several folders of records side by side: a line for each design, differences paired by seed, a table, a picture."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coopgym.algorithms.record import finite
from coopgym.extras import explained, explains
from coopgym.files import write_own
from coopgym.statistics import TEAM, adjust, mean_interval, sign_flip_p, welch_p
from coopgym.study import twins
from coopgym.study.identity import FOLDER, Configuration, Labels, configuration, labels, repeats
from coopgym.study.records import Records
from coopgym.study.stored import places_in, saved_runs
from coopgym.study.summary import Estimate, cooperation_rate

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("welfare", "share_of_best", "cooperation", "trust", "length")
BOUNDS = {"cooperation": (0.0, 1.0), "trust": (0.0, 1.0)}  # of means
CHANGES = {name: (low - high, high - low) for name, (low, high) in BOUNDS.items()}  # of differences of means
PLACE = "place"  # the key of a row that names its folder
LEVEL = 0.05
Row = Mapping[str, Any]
Design = tuple[Configuration, list[Row]]


@dataclass(frozen=True)
class Line:
    """The repeats of one configuration: what they are, and the mean of each of ``MEASURES`` over runs that ended well.

    game, algorithm: with what differs in brackets. folder: where the runs are. left_out: runs that diverged or failed.
    welfare [payoff, sum over agents and steps], share_of_best [of the best constant policy's welfare], cooperation
    [mean share of the endowment contributed], trust [mean over pairs at the end], length [steps]. team: trained on the
    sum of all agents' rewards, whatever the mode.
    """

    game: str
    algorithm: str
    reward_mode: str
    folder: str
    runs: int
    left_out: int
    means: Mapping[str, Estimate | None]
    team: bool = False

    @property
    def name(self) -> str:
        """The algorithm, marked where it is trained on the sum of all agents' rewards."""
        return f"{self.algorithm}{TEAM if self.team else ''}"


@dataclass(frozen=True)
class Difference:
    """A measure of one design less that of the design of the first folder that it is compared with.

    of, against: the two lines, by their names. pairs: seeds that both have; where there is none, the difference is that
    of the means, without an interval, and p is Welch's. low, high: 95% interval over pairs; p: exact, of the null that
    the signs of the paired differences are arbitrary; adjusted: p after Holm's correction over all differences; found:
    whether it is at most 5%.
    """

    game: str
    reward_mode: str
    measure: str
    of: str
    against: str
    pairs: int
    difference: float
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None = None
    found: bool = False


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found: folders, lines, differences against the first folder, and notes on what is not paired."""

    folders: tuple[str, ...]
    lines: tuple[Line, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    _rows: tuple[tuple[tuple[str, str, str], Row], ...] = field(default=(), repr=False, compare=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row a line, as a pandas DataFrame; an interval's ends in columns of their own.

        Raises:
            ImportError: pandas is not installed.
        """
        with explained("a table"):
            import pandas as pd
        return pd.DataFrame(self.rows()).astype({"pairs": "Int64"})

    def rows(self) -> list[dict[str, Any]]:
        """The same as plain dicts; the welfare's difference stands in the line that it is of."""
        changes = {(x.game, x.reward_mode, x.of): x for x in self.differences if x.measure == "welfare"}
        found = []
        for line in self.lines:
            names = ("game", "algorithm", "reward_mode", "folder", "runs", "left_out")
            row: dict[str, Any] = {name: getattr(line, name) for name in names}
            for name, mean in line.means.items():
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), _ends(mean), strict=True))
            change = changes.get(_key(line))
            row |= {
                column: getattr(change, name, None)
                for column, name in (
                    ("against", "against"), ("pairs", "pairs"), ("welfare_difference", "difference"),
                    ("welfare_difference_low", "low"), ("welfare_difference_high", "high"), ("p", "p"),
                    ("p_holm", "adjusted"),
                )
            }  # fmt: skip
            found.append(row)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        told = {
            "folders": list(self.folders),
            "lines": [asdict(line) for line in self.lines],
            "differences": [asdict(each) for each in self.differences],
            "notes": list(self.notes),
        }
        return {name: _plain(value) for name, value in told.items()}

    def to_csv(self, path: str | Path) -> Path:
        """Write ``rows`` as CSV, with a heading, and return where it is; OverwriteError for a file of somebody else."""
        text = io.StringIO()
        rows = self.rows()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        target, content = Path(path), text.getvalue().encode()
        heading = content[: content.index(b"\n")]
        write_own(target, content, lambda there: there.startswith(heading))
        return target

    def to_json(self, path: str | Path) -> Path:
        """Write ``to_dict`` as JSON, and return where it is; OverwriteError for a file of somebody else."""
        target = Path(path)
        content = json.dumps(self.to_dict(), indent=1, allow_nan=False).encode()
        write_own(target, content, lambda there: there.startswith(b'{\n "folders"'))
        return target

    def singles(self, line: Line, measure: str) -> list[float]:
        """The measure of each run of a line."""
        return [x for key, row in self._rows if key == _key(line) and (x := _value(measure, row)) is not None]

    @explains("a picture")
    def plot(self, path: str | Path) -> Path:
        """Save a picture, of the kind that the ending of ``path`` says, and return where it is.

        A row of panels for each game: welfare as a share of the best constant policy's, cooperation and trust, a line
        for each design; bars are 95% intervals over seeds, small dots single runs.
        """
        from coopgym.report.compare_plot import plot

        return plot(self, path)


@explains("coopgym.compare")
def compare(folders: str | Path | Iterable[str | Path]) -> Comparison:
    """Put what several folders hold side by side, and pair by seed what differs only in what differs between them.

    Args:
        folders: Folders of ``coopgym train``, ``ablate`` or ``study run``, or folders of such folders. Of one folder
            the designs in it are compared.

    Returns:
        A line for each configuration, which is never averaged with another: see ``coopgym.study.identity``.

    Raises:
        FileNotFoundError: A folder is not there, or holds no run.
    """
    given = [folders] if isinstance(folders, str | Path) else list(folders)
    if not given:
        raise ValueError("folders=[]: there is nothing to compare; give at least one folder")
    places = list(dict.fromkeys(str(place) for each in given for place in _places(each)))
    names = _names(places)
    rows = [row | {PLACE: name} for place, name in zip(places, names, strict=True) for row in _runs(place)]
    known = _apart(_once(rows))
    designs, named = list(repeats(known).items()), labels(known)
    sides = _sides(designs, named, names)
    lines = {own: _line(own, runs, named) for own, runs in designs}
    found = [
        change
        for other in sides[1:]
        for one, two in matched(sides[0], other)
        for change in _differences(one, two, lines)
    ]
    raw = [k for k, each in enumerate(found) if each.p is not None]
    corrected = adjust(np.array([found[k].p for k in raw], dtype=np.float64), "holm").tolist()
    for k, p in zip(raw, corrected, strict=True):
        found[k] = Difference(**{**asdict(found[k]), "adjusted": p, "found": p <= LEVEL})
    ordered = sorted(lines.values(), key=lambda line: (line.game, line.algorithm))
    kept = tuple((_key(lines[own]), row) for own, runs in designs for row in runs if row["status"] == "ok")
    notes = [*_notes(sides, found, lines), *_repeats(kept, lines)]
    return Comparison(tuple(names), tuple(ordered), tuple(found), tuple(notes), kept)


def matched(first: Sequence[Design], second: Sequence[Design]) -> list[tuple[Design, Design]]:
    """Designs of two sides that correspond: each is the other's nearest, in the same game and mode, of one algorithm.

    Where no algorithm (or no mode) of a game is on both sides and each side has one, that is what differs, and those
    two correspond. Where two are equally near, none does.
    """
    return [
        (first[i], second[j])
        for i, j in itertools.product(range(len(first)), range(len(second)))
        if _nearest(first[i], second, first) == j and _nearest(second[j], first, second) == i
    ]


def _nearest(one: Design, others: Sequence[Design], own: Sequence[Design]) -> int | None:
    """The place of the only nearest of the others."""
    cost = {
        k: one[0].differing(other[0])
        for k, other in enumerate(others)
        if _base(other) == _base(one) and all(_same(name, one, other, own, others) for name in ("algorithm", "mode"))
    }
    least = [k for k, x in cost.items() if x == min(cost.values())]
    return least[0] if len(least) == 1 else None


def _same(name: str, one: Design, other: Design, own: Sequence[Design], others: Sequence[Design]) -> bool:
    """Whether two designs agree in a fact, or it is what differs between their sides."""
    if _fact(name, one) == _fact(name, other):
        return True
    mine, theirs = ({_fact(name, x) for x in side if _base(x) == _base(one)} for side in (own, others))
    return len(mine) == len(theirs) == 1


def _fact(name: str, design: Design) -> Any:
    own = design[0]
    return own.algorithm if name == "algorithm" else (own.reward_mode, own.mutuality)


def _base(design: Design) -> str:
    """The game without its version."""
    return str(design[0].game).rpartition("-")[0]


def _sides(designs: Sequence[Design], named: Labels, folders: Sequence[str]) -> list[list[Design]]:
    """What stands against each other: folders; of one folder, designs by what differs."""

    def side(design: Design) -> Any:
        if len(folders) > 1:
            return design[1][0][PLACE]
        game, player = named.game(design[1][0]), named.player(design[1][0])
        return game.partition(" [")[2], design[0].game, player.partition(" [")[2]

    groups: dict[Any, list[Design]] = {name: [] for name in folders} if len(folders) > 1 else {}
    if not groups:  # in one folder the order is that of the names, whatever the parts are called
        designs = sorted(designs, key=lambda design: named.cell(design[1][0]))
    for design in designs:
        groups.setdefault(side(design), []).append(design)
    return list(groups.values())


def _differences(one: Design, two: Design, lines: Mapping[Configuration, Line]) -> list[Difference]:
    """Of every measure, the second design less the first."""
    first, second = lines[one[0]], lines[two[0]]
    found = []
    for measure in MEASURES:
        a, b = ({row["seed"]: x for row in runs if (x := _value(measure, row)) is not None} for _, runs in (one, two))
        if not a or not b:
            continue
        seeds = [seed for seed in a if seed in b]
        if seeds:
            values = [b[seed] - a[seed] for seed in seeds]
            mean, low, high = _ends(_mean(values, CHANGES.get(measure)))
            p = sign_flip_p(values) if len(values) > 1 else None
        else:
            mean, low, high = float(np.mean(list(b.values())) - np.mean(list(a.values()))), None, None
            p = min(1.0, 2.0 * min(welch_p(list(a.values()), list(b.values()))))
            p = p if min(len(a), len(b)) > 1 else None
        found.append(
            Difference(
                second.game, second.reward_mode, measure, second.algorithm, _against(first, second), len(seeds), mean,
                low, high, p,
            )
        )  # fmt: skip
    return found


def _against(first: Line, second: Line) -> str:
    """The name of the first line, with game and mode where these are what differs."""
    game = f" on {first.game}" if first.game != second.game else ""
    mode = f", {first.reward_mode}" if first.reward_mode != second.reward_mode else ""
    return f"{first.algorithm}{game}{mode}"


def _notes(
    sides: Sequence[list[Design]], found: Sequence[Difference], lines: Mapping[Configuration, Line]
) -> list[str]:
    notes = []
    if len(sides) > 1:
        used = {(x.game, x.reward_mode, x.of) for x in found}
        others = [lines[own] for side in sides[1:] for own, _ in side]
        alone = [line for line in others if _key(line) not in used]
        if alone:
            names = ", ".join(f"{line.name} on {line.game} ({line.reward_mode})" for line in alone[:4])
            more = f" and {len(alone) - 4} more" if len(alone) > 4 else ""
            notes.append(f"without a counterpart to be compared with: {names}{more}")
    bare = {(x.of, x.game) for x in found if not x.pairs}
    if bare:
        notes.append(
            f"{len(bare)} designs share no seed with their counterpart: their differences are of means, unpaired"
        )
    seeds = max((x.pairs for x in found), default=0)
    tests = sum(x.p is not None for x in found)
    if tests and 2.0 ** (1 - seeds) * tests > LEVEL:
        notes.append(f"with {seeds} pairs and {tests} tests no difference can pass at the 5% level: read its interval")
    lost = sum(line.left_out for line in lines.values())
    if lost:
        notes.append(f"{lost} runs diverged or failed and are in no mean")
    return notes


def _repeats(kept: Iterable[tuple[Any, Row]], lines: Mapping[Configuration, Line]) -> list[str]:
    """Which lines repeat which, since two modes are one training problem."""
    pairs = ((lines[configuration(row)], lines[configuration(first)]) for row, first in twins.pairs(r for _, r in kept))
    return twins.notes((line.name, line.game, line.reward_mode, first.reward_mode) for line, first in pairs)


def _line(own: Configuration, runs: Sequence[Row], named: Labels) -> Line:
    good = [row for row in runs if row["status"] == "ok"]
    means = {}
    for measure in MEASURES:
        values = [x for row in good if (x := _value(measure, row)) is not None]
        means[measure] = _mean(values, BOUNDS.get(measure)) if values else None
    team = twins.of_the_sum(runs[0])
    return Line(*named.cell(runs[0]), runs[0][PLACE], len(good), len(runs) - len(good), means, team)


def _mean(values: Sequence[float], bounds: tuple[float, float] | None = None) -> Estimate:
    """With its interval; of one run, without."""
    return Estimate(*(None if math.isnan(x) else x for x in mean_interval(values, bounds=bounds)))  # type: ignore[arg-type]


def _ends(mean: Estimate | None) -> tuple[Any, Any, Any]:
    return (None, None, None) if mean is None else (mean.mean, mean.low, mean.high)


def _key(line: Line) -> tuple[str, str, str]:
    return line.game, line.reward_mode, line.algorithm


def _value(measure: str, row: Row) -> float | None:
    """Of a run that ended well; None where a record does not know it."""
    if row["status"] != "ok":
        return None
    columns = {"welfare": "welfare", "share_of_best": "efficiency_best_constant", "trust": "final_trust"}
    try:
        value = cooperation_rate(row) if measure == "cooperation" else row[columns.get(measure, measure)]
        return float(value) if value is not None and math.isfinite(value) else None
    except (TypeError, ValueError):
        return None


def _once(rows: Sequence[Row]) -> Iterable[Row]:
    """What needs no training is the same in all folders: one of each."""
    seen = set()
    for row in rows:
        own = configuration(row)
        if own.trained or own not in seen:
            yield row
        seen.add(own)


def _apart(rows: Iterable[Row]) -> list[Row]:
    """The same; where a configuration is in several folders, its rows say in which: else what differs tells enough."""
    known = list(rows)
    homes: dict[Configuration, set[str]] = {}
    for row in known:
        homes.setdefault(configuration(row), set()).add(row[PLACE])
    return [{**row, FOLDER: row[PLACE]} if len(homes[configuration(row)]) > 1 else row for row in known]


def _places(folder: str | Path) -> list[str]:
    if "://" in str(folder):
        return [str(folder)]
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}; name one that `coopgym ablate` has written")
    found = [str(place) for place in places_in(Path(folder))]
    if not found:
        raise FileNotFoundError(f"there are no records in {str(folder)!r}; make some with `coopgym ablate`")
    return found


def _names(places: Sequence[str]) -> list[str]:
    """The last part of each path, or as many parts as tell them apart."""
    parts = [Path(place).resolve().parts if "://" not in place else tuple(place.split("/")) for place in places]
    for length in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(own[-length:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    return list(places)


def _runs(place: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]]
    if "://" not in place and (Path(place) / "runs.json").is_file():
        rows = saved_runs(Path(place))
    else:
        rows = Records(place).read("runs")
    if not rows:
        raise FileNotFoundError(f"there are no records in {place!r}; make some with `coopgym ablate`")
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else finite(value)
