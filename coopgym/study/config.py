"""A study's configuration: a file, checked whole before anything is trained, and the cells that it asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from coopgym.algorithms import registry
from coopgym.algorithms.evaluation import DRAWN_EPISODES, EVALUATIONS
from coopgym.envs.catalogue import list_games
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.extras import explained
from coopgym.mechanisms import checks
from coopgym.study import formats
from coopgym.study.cells import UNSEEDED, Cell, Excluded, of_game
from coopgym.study.options import (
    ALL,
    Options,
    by_game,
    by_learner,
    check_name,
    check_settings,
    check_trained,
    full_name,
    game_name,
    learner,
    make,
    settings_of,
    with_place,
)
from coopgym.study.sentences import sentence

with explained("coopgym.study"):
    from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

CROWD = 8  # a game of more agents is a crowd, and may have a budget of its own
REPORTS = {f"TR-{report}": report for report in (1, 2, 3, 4)}  # classes of games, by report
KIND_GROUPS = {f"{kind}s": kind for kind in registry.KINDS}  # learners, oracles, heuristics, constants
NO_VARIANT = "it has none of the variants' hyperparameters"
SHOWN = 5  # errors that are told at once
Steps = Annotated[int, Field(ge=1, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Strict(BaseModel):
    """Nothing unknown and nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Share(Strict):
    """Environment steps of a replica: in any game, in a crowd, and in games by name."""

    steps: Steps | None = None
    crowd: Steps | None = None
    games: dict[str, Steps] = {}

    def checked(self, version: str, games: list[str], where: str = "budget") -> dict[str, int]:
        """``games`` by their full names; ValueError for one that the study does not play, or that stands twice."""
        names = [game_name(name, version, games, f"{where}.games") for name in self.games]
        with_place(lambda: names and checks.once("games", names), where)
        return dict(zip(names, self.games.values(), strict=True))

    def of(self, game: str, agents: int) -> int | None:
        """Steps in a game, or None where nothing is said about it."""
        return self.games.get(game) or (self.crowd if agents > CROWD else None) or self.steps


def _whole_share(value: Any) -> Any:
    return {"steps": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Budget(Share):
    """The same for all algorithms, and what differs by algorithm: a number of steps, or a table like this one."""

    steps: Steps = 500_000
    algorithms: dict[str, Annotated[Share, BeforeValidator(_whole_share)]] = {}

    @field_validator("algorithms")
    @classmethod
    def _learners(cls, shares: dict[str, Share]) -> dict[str, Share]:
        return {learner(name): share for name, share in shares.items()}

    def for_study(self, version: str, games: list[str], algorithms: list[str]) -> Budget:
        """This budget with full names of games; ValueError as in ``checked``, and for learners that it lacks."""
        shares = {}
        for name, share in self.algorithms.items():
            check_trained(name, algorithms, "budget.algorithms")
            own = share.checked(version, games, f"budget.algorithms.{name}")
            shares[name] = share.model_copy(update={"games": own})
        return self.model_copy(update={"games": self.checked(version, games), "algorithms": shares})

    def check_crowd(self, agents: int) -> None:
        """ValueError for steps of a crowd where the largest game has fewer ``agents``."""
        shares = {"budget": self, **{f"budget.algorithms.{name}": share for name, share in self.algorithms.items()}}
        for where, share in shares.items():
            if share.crowd is not None and agents <= CROWD:
                raise ValueError(
                    f"{where}.crowd={share.crowd}: a crowd is a game of more than {CROWD} agents, and the largest of "
                    f"this study has {agents}; leave it out, or give the steps of a game in {where}.games"
                )

    def of_cell(self, algorithm: str, game: str, agents: int) -> int:
        """Steps of each replica: what is said of the algorithm goes before what is said of all."""
        own = self.algorithms.get(algorithm, Share()).of(game, agents)
        return own or self.of(game, agents) or self.steps


def _modes(value: Any) -> list[RewardMode]:
    """Reward modes, each once: names as ``RewardMode.of`` takes them, and tables ``{kind, mutuality = [...]}``."""
    given = [value] if isinstance(value, (str, dict, RewardMode)) else value
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError("give a list of modes, such as ['private', {kind = 'integrated', mutuality = [0.25, 0.5]}]")
    return list(
        dict.fromkeys(
            mode for each in given for mode in (_sweep(each) if isinstance(each, dict) else [RewardMode.of(each)])
        )
    )


def _sweep(table: dict[str, Any]) -> list[RewardMode]:
    """One mode for each mutuality; 0 is the private mode, whatever the kind."""
    if set(table) != {"kind", "mutuality"} or not isinstance(table["mutuality"], list) or not table["mutuality"]:
        raise ValueError(
            f"{checks.shown(table)} is no sweep; give {{kind = 'integrated', mutuality = [0.0, 0.5, 1.0]}}"
        )
    modes = [RewardMode(table["kind"], mutuality) for mutuality in table["mutuality"]]
    return [mode if mode.mutuality else RewardMode("private") for mode in modes]


def _seeds(value: Any) -> Any:
    """Which seeds: those of a list, each once, or so many from 0 on."""
    return checks.seeds(value)


class EvaluationPlan(Strict):
    """points: of the evaluation curve; episodes: of the stochastic policy in a record."""

    points: Annotated[int, Field(ge=1, le=200)] = EVALUATIONS
    episodes: Annotated[int, Field(ge=1, le=1_000_000)] = DRAWN_EPISODES


class Config(Strict):
    """What a study is: every field of its file.

    games, algorithms: names, ``TR-1`` to ``TR-4`` for the games of a report, ``learners``, ``oracles``, ``heuristics``
    and ``constants`` for all of a kind, ``all``. seeds: how many, or which. hyperparameters, game_options: by name, or
    for ``all``. variants: named sets of hyperparameters; each learner that has them is a cell for each. pieces: number
    of programs that a cell's seeds are cut into. gpus: share of a GPU that a cell asks Ray for.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
    description: str = ""
    out: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")] | None = None
    version: Literal["v1", "v0"] = "v1"
    games: list[str]
    algorithms: list[str]
    reward_modes: Annotated[list[RewardMode], BeforeValidator(_modes)] = _modes(KINDS)
    seeds: Annotated[list[Seed], BeforeValidator(_seeds)] = _seeds(7)
    budget: Budget = Budget()
    evaluation: EvaluationPlan = EvaluationPlan()
    hyperparameters: dict[str, Options] = {}
    variants: dict[str, Options] = {}
    game_options: dict[str, Options] = {}
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    engine: Literal["local", "ray"] = "local"
    workers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    gpus: Annotated[float, Field(ge=0.0, le=64.0)] = 0.0
    pieces: Annotated[int, Field(ge=1, le=10_000)] = 1
    checkpoint_seconds: Annotated[float, Field(ge=0.0, le=1e9)] = 60.0

    @field_validator("games", "algorithms", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        value = [value] if isinstance(value, str) else value
        if value == []:
            raise ValueError("it is empty; name at least one")
        return value

    @field_validator("games")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        for name in names:
            _of_class(name, "v1")
        return names

    @field_validator("algorithms")
    @classmethod
    def _algorithms(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(name for given in names for name in _of_kind(given)))

    @property
    def folder(self) -> str:
        """Where records go."""
        return os.path.expanduser(self.out) if self.out else f"runs/{self.name}"

    def all_games(self) -> list[str]:
        """Full names, each once."""
        found = [name for given in self.games for name in _of_class(given, self.version)]
        return list(dict.fromkeys(found))

    def design(self) -> tuple[list[Cell], list[Excluded]]:
        """The cells, and what has to be left out. ValueError for names and options that nothing in the study has."""
        cells: list[Cell] = []
        excluded: list[Excluded] = []
        games = self.all_games()
        self._all_used(games)
        of_games = by_game(self.game_options, self.version, games, "game_options")
        of_learners = by_learner(self.hyperparameters, self.algorithms)
        largest = 0
        for name in games:
            options = of_game(name, self.game_options.get(ALL, {})) | of_games.get(name, {})
            made = make(name, options, f"game_options of {name}")
            largest = max(largest, made.n)
            for algorithm in self.algorithms:
                reason = registry.algorithm(algorithm).limit(made)
                if reason:
                    excluded.append(Excluded(algorithm, name, reason))
                else:
                    steps = self.budget.of_cell(algorithm, name, made.n)
                    own = of_learners.get(algorithm, {})
                    found = list(self._cells(algorithm, name, made, steps, options, own))
                    cells += found
                    excluded += [] if found else [Excluded(algorithm, name, NO_VARIANT)]
        self.budget.check_crowd(largest)
        return cells, excluded

    def _cells(
        self, algorithm: str, game: str, made: Game, steps: int, options: Options, own: Options
    ) -> Iterator[Cell]:
        """Of a learner one for each variant; of anything else one, which is played once and not once a seed."""
        found, modes = registry.algorithm(algorithm), tuple(self.reward_modes)
        if found.kind != "learner":
            yield Cell(algorithm, game, modes if found.by_mode else (), UNSEEDED, 0, options)
            return
        known = settings_of(algorithm)
        common = {k: v for k, v in self.hyperparameters.get(ALL, {}).items() if k in known}
        for variant, changed in (self.variants or {"": {}}).items():
            if set(changed) <= known:
                layers = {"hyperparameters.all": common, f"hyperparameters.{algorithm}": own}
                given = check_settings(algorithm, layers | {f"variants.{variant}": changed}, made)
                yield Cell(
                    algorithm, game, modes, tuple(self.seeds), steps, given | options, variant,
                    evaluations=self.evaluation.points, episodes=self.evaluation.episodes,
                )  # fmt: skip

    def _all_used(self, games: list[str]) -> None:
        """What was given for all has to fit somewhere: else it is a slip of the pen."""
        each = [settings_of(name) for name in self.algorithms]
        known, for_all = set().union(*each), self.game_options.get(ALL, {})
        of_games = {option for game in games for option in of_game(game, for_all)}
        for where, given, allowed in (
            ("hyperparameters.all", self.hyperparameters.get(ALL, {}), known),
            ("game_options.all", for_all, of_games),
            *((f"variants.{name}", options, known) for name, options in self.variants.items()),
        ):
            for name in given:
                check_name(name, allowed, where, "nothing in this study has such an option")
        for name, options in self.variants.items():
            if not any(set(options) <= own for own in each):
                raise ValueError(
                    f"variants.{name}: no learner of this study has all of {', '.join(options)}; cut it up"
                )


def load(path: str | Path) -> Config:
    """The configuration in a TOML or YAML file; ValueError naming the field, its value, the rule and the cure."""
    try:
        kind = formats.suffix(path)
        return parse(formats.text(Path(path).read_bytes()), kind)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse(text: str, kind: str = ".toml") -> Config:
    """The same, of the text of such a file; kind: its suffix."""
    return of(formats.data(text, kind))


def of(data: Mapping[str, Any]) -> Config:
    """The same, of the data in such a file."""
    try:
        found = Config.model_validate(data)
    except ValidationError as error:
        raise ValueError(_sentences(error)) from None
    budget = found.budget.for_study(found.version, found.all_games(), found.algorithms)
    return found.model_copy(update={"budget": budget})


def _sentences(error: ValidationError) -> str:
    """Everything that is wrong, up to as much as somebody would read."""
    models: dict[str, type[BaseModel]] = {"": Config, "budget": Budget, "evaluation": EvaluationPlan}
    fields = {name: list(model.model_fields) for name, model in models.items()}
    found = list(dict.fromkeys(sentence(dict(each), fields) for each in error.errors(include_url=False)))
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join(found[:SHOWN] + more)


def _of_kind(name: str) -> list[str]:
    if name == "all":
        return registry.list_algorithms()
    if name in KIND_GROUPS:
        return registry.list_algorithms(KIND_GROUPS[name])
    return [registry.algorithm(name).name]


def _of_class(name: str, version: str) -> list[str]:
    if name == "all" or name in REPORTS:
        return list_games(REPORTS.get(name), version)
    return [full_name(name, version)]
