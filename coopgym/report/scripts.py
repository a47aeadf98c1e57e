"""Episodes that show a mechanism: what the first agent does, what the others do meanwhile, and what to look at.

A script is data. Which one a game gets depends on its own parts, by the words of the catalogue's column "mechanism".
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.mechanisms.base import State

STEPS = 40
TRUST = "trust"


@dataclass(frozen=True)
class Act:
    """From ``start`` (the first step is 1) to ``end`` the first agent gives the rate [share of its endowment].

    A pair of rates runs from the first to the second. words: what it does, after its name.
    """

    start: int
    end: int
    rate: float | tuple[float, float]
    words: str


@dataclass(frozen=True)
class Script:
    """Acts of the first agent; before, between and after them it gives ``level``, as the others always do.

    others: a pair of rates that theirs runs through in the first ``meet`` steps, to stay at the second; None: the
    level. copies: they do what the first agent did a step before, as TitForTat does. watch: the entry of the state to
    look at, "trust" for the trust of the others in an agent. label: its words. mark: where a game, or a mechanism of
    it, keeps the level below which something ends, or levels. moral: what the episode shows.
    """

    acts: tuple[Act, ...]
    moral: str
    level: float = 0.5
    others: tuple[float, float] | None = None
    meet: int = 0
    copies: bool = False
    watch: str = TRUST
    label: str = "trust in"
    mark: str = "exit.threshold"
    steps: int = STEPS

    def rates(self, n: int, steps: int) -> np.ndarray:
        """Rates ``[steps, n]``."""
        first = np.full(max(steps, self.steps) + 1, self.level)
        for act in self.acts:
            first[act.start - 1 : act.end] = np.linspace(*_pair(act.rate), act.end - act.start + 1)
        others = np.full(len(first), self.level)
        if self.others is not None:
            others[: self.meet] = np.linspace(*self.others, self.meet)
            others[self.meet :] = self.others[1]
        if self.copies:
            others[1:] = first[:-1]
        return np.column_stack([first, *[others] * (n - 1)])[:steps]

    def words(self, step: int) -> str:
        """What the first agent does in a step (the first is 1); "" when it does what it always does."""
        return next((act.words for act in self.acts if act.start <= step <= act.end), "")


def _pair(rate: float | tuple[float, float]) -> tuple[float, float]:
    return rate if isinstance(rate, tuple) else (rate, rate)


BREACH = Script(
    (Act(9, 11, 0.2, "holds back"),),
    "Three steps of giving less pay a little at once. Trust falls, and comes back only part of the way: damage to the "
    "first agent's reputation puts a ceiling on it.",
)
LOSS = Script(
    (Act(9, 10, 0.2, "holds back"), Act(24, STEPS, 0.05, "gives almost nothing")),
    "The others copy the first agent a step later. A first breach can be mended, slowly; after the second, trust is "
    "lost and the episode ends.",
    copies=True,
)
SCRIPTS: dict[tuple[str, ...], Script] = {
    ("hidden synergy", "leaking synergy"): Script(
        (Act(1, 24, (0.02, 0.94), "tries a little more"), Act(25, STEPS, 0.27, "settles where it paid best")),
        "The partners raise their efforts together and see payoffs rise and fall; then they go back to the top. Below "
        "the baseline their efforts cost them trust.",
        copies=True,
    ),
    ("running reputation", "lagging reputation"): Script(
        (Act(9, 14, 0.1, "gives little"),),
        "Giving less pays at once. The public reputation of the first agent falls for all to see, and climbs back "
        "slowly.",
        watch="public_reputation", label="reputation of",
    ),
    ("agreement", "released agreement"): Script(
        (
            Act(1, 10, (0.8, 0.55), "comes closer"),
            Act(11, 20, 0.55, "keeps the agreement"),
            Act(21, 25, 0.2, "breaks it and pays"),
        ),
        "Proposals that come close become an agreement. Who leaves it pays three times the distance, each step.",
        others=(0.2, 0.5), meet=10, watch="agreement", label="promise of",
    ),
    ("tiered reputation", "tier modifier"): Script(
        (Act(6, 17, 0.05, "saves its effort"), Act(18, STEPS, 1.0, "gives all to be trusted again")),
        "Saving effort pays for two steps. Then the seller sinks from tier to tier, and each pays less; the others "
        "climb to the premium tier.",
        level=0.65, watch="public_reputation", label="reputation of", mark="thresholds",
    ),
    ("coalition production, loyalty", "coalition modifier"): Script(
        (Act(2, 18, 0.02, "rides free"), Act(19, STEPS, 1.0, "gives all to be let in again")),
        "Riding free costs loyalty, then the place in the coalition, and with it most of the payoff. The way back "
        "takes loyalty earned outside.",
        level=0.9, watch="loyalty", label="loyalty of", mark="membership.exit_threshold",
    ),
    ("team production, loyalty", "collective modifier"): Script(
        (Act(9, 20, 0.05, "rides free"),),
        "Who contributes grows loyal, and to the loyal the others' success is worth more. The free rider loses loyalty "
        "faster than it comes back.",
        level=0.8, watch="loyalty", label="loyalty of",
    ),
    ("team production",): Script(
        (Act(9, 20, 0.0, "rides free"),),
        "The free rider still gets its share of the output and saves the cost: it earns more than before, and the "
        "others earn less.",
        level=0.9,
    ),
    ("reciprocity", "reciprocity modifier"): Script(
        (Act(8, 20, 0.75, "gives more than before"), Act(21, 32, 0.15, "gives less than before")),
        "A rise in effort is worth something to those who trust, until they get used to it. A cut hurts in the same "
        "way, and fades too.",
        level=0.4, watch="memory_mean", label="expectation of",
    ),
}  # fmt: skip


def script(game: Game) -> Script:
    """The script of a game: of the mechanism it is known for, else of how it ends, else a breach of trust."""
    labels = {mechanism.label for mechanism in game.mechanisms}
    fitting = [one for names, one in SCRIPTS.items() if labels.intersection(names)]
    fitting += [LOSS] if game.exit is not None and not game.exit.success else [BREACH]
    return fitting[0]


@dataclass(frozen=True, eq=False)
class Course:
    """A scripted episode as it was played. rates, payoffs ``[T, N]``; states: T + 1 of them, the first before step 1.

    ended: whether a rule of the game ended it with its last step.
    """

    game: Game
    script: Script
    rates: np.ndarray
    payoffs: np.ndarray
    states: tuple[State, ...]
    ended: bool

    @property
    def steps(self) -> int:
        """How many steps were played."""
        return len(self.rates)

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts that have begun, each ending with the episode at the latest."""
        begun = (act for act in self.script.acts if act.start <= self.steps)
        return tuple(replace(act, end=min(act.end, self.steps)) for act in begun)

    @property
    def trust(self) -> np.ndarray:
        """Trust ``[T + 1, N, N]`` of row in column."""
        return np.array([state.trust for state in self.states])

    @property
    def trusted(self) -> np.ndarray:
        """Mean trust of the others in each agent ``[T + 1, N]``."""
        return _of_others(self.trust)

    @property
    def ceiling(self) -> np.ndarray:
        """How far trust in each agent can rise, by the damage to its reputation: ``[T + 1, N]``."""
        return 1.0 - _of_others(np.array([state.damage for state in self.states]))

    @property
    def of_trust(self) -> bool:
        """Whether trust is what to look at: by the script, or since the game lacks what the script would look at."""
        return self.script.watch == TRUST or self.script.watch not in self.states[0].extra

    @property
    def watched(self) -> np.ndarray:
        """What the script looks at, of each agent, in [0, 1]: ``[T + 1, N]``."""
        if self.of_trust:
            return self.trusted
        found = np.array([state.extra[self.script.watch] for state in self.states])
        return found / self.game.endowment if self.script.watch == "agreement" else found

    @property
    def inside(self) -> np.ndarray:
        """Whether each agent belongs to the coalition ``[T + 1, N]``; all do where there is none."""
        everybody = np.ones(self.game.n)
        return np.array([state.extra.get("member", everybody) for state in self.states]) > 0.0

    @property
    def marks(self) -> tuple[float, ...]:
        """Levels of what is watched below which something ends, where the game has them."""
        find = operator.attrgetter(self.script.mark)
        for part in (self.game, *self.game.mechanisms):
            try:
                level = find(part)
            except AttributeError:
                continue
            return level if isinstance(level, tuple) else (float(level),)
        return ()

    @property
    def label(self) -> str:
        """Words before an agent's name for what is watched."""
        return "trust in" if self.of_trust else self.script.label


def _of_others(pairs: np.ndarray) -> np.ndarray:
    n = pairs.shape[-1]
    return np.asarray((pairs.sum(-2) - np.diagonal(pairs, axis1=-2, axis2=-1)) / (n - 1))


def course(game: Game, steps: int | None = None) -> Course:
    """Play the script of a game, by default to its end, through the kernel that everything else plays through."""
    one = script(game)
    rates = one.rates(game.n, min(steps or one.steps, game.horizon))
    played, states, ended = [], [game.reset()], False
    for rate, moment in zip(rates, moments(game, lambda state: _action(game, rates, state)), strict=False):
        played.append((rate, moment.payoffs))
        states.append(moment.after)
        ended = bool(moment.ended)
    shares, payoffs = zip(*played, strict=True)
    return Course(game, one, np.array(shares), np.array(payoffs), tuple(states), ended)


def _action(game: Game, rates: np.ndarray, state: State) -> np.ndarray:
    return np.asarray(rates[min(int(state.time), len(rates) - 1)] * game.endowment)
