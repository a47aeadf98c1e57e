"""A study's configuration: a file, checked whole before anything is trained, and the cells that it asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from coopgym.algorithms import registry
from coopgym.algorithms.evaluation import DRAWN_EPISODES
from coopgym.envs.catalogue import entry, list_games
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.mechanisms import checks
from coopgym.study import formats
from coopgym.study.cells import UNSEEDED, Cell, Excluded, of_game

CROWD = 8  # a game of more agents is a crowd, and may have a budget of its own
REPORTS = {f"TR-{report}": report for report in (1, 2, 3, 4)}  # classes of games, by report
KIND_GROUPS = {f"{kind}s": kind for kind in registry.KINDS}  # learners, oracles, heuristics, constants
Steps = Annotated[int, Field(ge=1, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Options = dict[str, Any]


class Strict(BaseModel):
    """Nothing unknown and nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Share(Strict):
    """Environment steps of a replica: in any game, in a crowd, and in games by name."""

    steps: Steps | None = None
    crowd: Steps | None = None
    games: dict[str, Steps] = {}

    @field_validator("games")
    @classmethod
    def _names(cls, games: dict[str, int]) -> dict[str, int]:
        return {_full(name): steps for name, steps in games.items()}

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
        return {registry.algorithm(name, "learner").name: share for name, share in shares.items()}

    def of_cell(self, algorithm: str, game: str, agents: int) -> int:
        """Steps of each replica: what is said of the algorithm goes before what is said of all."""
        own = self.algorithms.get(algorithm, Share()).of(game, agents)
        return own or self.of(game, agents) or self.steps


def _modes(value: Any) -> list[RewardMode]:
    """Reward modes, each once: names as ``RewardMode.of`` takes them, and tables ``{kind, mutuality = [...]}``."""
    given = [value] if isinstance(value, (str, dict)) else value
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
        raise ValueError(f"{table} is no sweep; give {{kind = 'integrated', mutuality = [0.0, 0.5, 1.0]}}")
    modes = [RewardMode(table["kind"], mutuality) for mutuality in table["mutuality"]]
    return [mode if mode.mutuality else RewardMode("private") for mode in modes]


def _seeds(value: Any) -> Any:
    """Which seeds: those of a list, each once, or so many from 0 on."""
    if isinstance(value, list):
        return list(dict.fromkeys(value))
    return list(range(checks.whole("seeds", value, 1, 10_000)))


class EvaluationPlan(Strict):
    """points: of the evaluation curve; episodes: of the stochastic policy in a record."""

    points: Annotated[int, Field(ge=1, le=200)] = 20
    episodes: Annotated[int, Field(ge=1, le=1_000_000)] = DRAWN_EPISODES


class Config(Strict):
    """What a study is: every field of its file.

    games, algorithms: names, ``TR-1`` to ``TR-4`` for the games of a report, ``learners``, ``oracles``, ``heuristics``
    and ``constants`` for all of a kind, ``all``. seeds: how many, or which. hyperparameters, game_options: by name, or
    for ``all``. variants: named sets of hyperparameters; each learner that has them is a cell for each. pieces: number
    of programs that a cell's seeds are cut into. gpus: share of a GPU that a cell asks Ray for.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    description: str = ""
    out: str | None = None
    version: Literal["v1", "v0"] = "v1"
    games: list[str]
    algorithms: list[str]
    reward_modes: Annotated[list[RewardMode], BeforeValidator(_modes)] = _modes(KINDS)
    seeds: Annotated[list[Seed], BeforeValidator(_seeds), Field(min_length=1)] = _seeds(7)
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

    @field_validator("hyperparameters")
    @classmethod
    def _of_learners(cls, given: dict[str, Options]) -> dict[str, Options]:
        for name in given:
            if name != "all":
                registry.algorithm(name, "learner")
        return given

    @property
    def folder(self) -> str:
        """Where records go."""
        return self.out or f"runs/{self.name}"

    def all_games(self) -> list[str]:
        """Full names, each once."""
        found = [name for given in self.games for name in _of_class(given, self.version)]
        return list(dict.fromkeys(found))

    def design(self) -> tuple[list[Cell], list[Excluded]]:
        """The cells, and what has to be left out. ValueError or TypeError for options that nothing can take."""
        cells: list[Cell] = []
        excluded: list[Excluded] = []
        for name in self.all_games():
            options = self._options_of_game(name)
            made = make_game(name, **options)
            for algorithm in self.algorithms:
                reason = registry.algorithm(algorithm).limit(made)
                if reason:
                    excluded.append(Excluded(algorithm, name, reason))
                else:
                    cells += self._cells(algorithm, name, made.n, options)
        self._all_used(cells)
        return cells, excluded

    def _cells(self, algorithm: str, game: str, agents: int, options: Options) -> Iterator[Cell]:
        """Of a learner one for each variant; of anything else one, which is played once and not once a seed."""
        found, modes = registry.algorithm(algorithm), tuple(self.reward_modes)
        if found.kind != "learner":
            yield Cell(algorithm, game, modes if found.by_mode else (), UNSEEDED, 0, options)
            return
        steps, own = self.budget.of_cell(algorithm, game, agents), _settings(algorithm)
        for variant, changed in (self.variants or {"": {}}).items():
            common = {k: v for k, v in self.hyperparameters.get("all", {}).items() if k in own}
            given = common | self.hyperparameters.get(algorithm, {}) | changed
            if set(changed) <= own:
                yield Cell(algorithm, game, modes, tuple(self.seeds), steps, given | options, variant)

    def _options_of_game(self, game: str) -> Options:
        common = of_game(game, self.game_options.get("all", {}))
        return common | self.game_options.get(game, self.game_options.get(game.rpartition("-")[0], {}))

    def _all_used(self, cells: list[Cell]) -> None:
        """What was given for all has to fit somewhere: else it is a slip of the pen."""
        known = set().union(*map(_settings, self.algorithms))
        games = {name for cell in cells for name in of_game(cell.game, self.game_options.get("all", {}))}
        for where, given, allowed in (
            ("hyperparameters.all", self.hyperparameters.get("all", {}), known),
            ("game_options.all", self.game_options.get("all", {}), games),
            *((f"variants.{name}", options, known) for name, options in self.variants.items()),
        ):
            for name in given:
                if name not in allowed:
                    hint = checks.nearest(name, allowed)
                    raise ValueError(f"{where}.{name}: nothing in this study has such an option;{hint} remove it")


def load(path: str | Path) -> Config:
    """The configuration in a TOML or YAML file; ValueError naming the field, its value, the rule and the cure."""
    try:
        kind = formats.suffix(path)
        return parse(Path(path).read_text(encoding="utf-8"), kind)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse(text: str, kind: str = ".toml") -> Config:
    """The same, of the text of such a file; kind: its suffix."""
    found = formats.data(text, kind)
    try:
        return Config.model_validate(found)
    except ValidationError as error:
        raise ValueError("; ".join(dict.fromkeys(_sentence(dict(each)) for each in error.errors()))) from None


def _sentence(error: dict[str, Any]) -> str:
    """Field, value, rule and cure of one thing that is wrong."""
    place = [str(part) for part in error["loc"]]
    rule = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        owner = place[0] if len(place) > 1 else ""
        models: dict[str, type[BaseModel]] = {"budget": Budget, "evaluation": EvaluationPlan}
        known = models.get(owner, Config)
        hint = checks.nearest(place[-1], known.model_fields)
        return f"{'.'.join(place)} is not a field;{hint} the fields are {', '.join(known.model_fields)}"
    if error["type"] == "missing":
        return f"{'.'.join(place)} is missing; every study has to say it"
    value = error["input"]
    name = ".".join(place)
    return rule if rule.startswith(f"{name}=") else f"{name}={value!r}: {rule[:1].lower()}{rule[1:]}"


def _settings(algorithm: str) -> set[str]:
    settings = registry.algorithm(algorithm).settings
    return set() if settings is None else {field.name for field in dataclasses.fields(settings)}


def _of_kind(name: str) -> list[str]:
    if name == "all":
        return registry.list_algorithms()
    if name in KIND_GROUPS:
        return registry.list_algorithms(KIND_GROUPS[name])
    return [registry.algorithm(name).name]


def _of_class(name: str, version: str) -> list[str]:
    if name == "all" or name in REPORTS:
        return list_games(REPORTS.get(name), version)
    return [_full(name, version)]


def _full(name: str, version: str = "v1") -> str:
    """An id with its version: ``version`` where none is given."""
    found, given = entry(name)
    return f"{found.name}-{given if name.endswith(given) else version}"
