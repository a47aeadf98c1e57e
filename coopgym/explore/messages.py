"""What the page may say to the server: strict types, finite numbers, bounds; anything else is refused in one line."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coopgym.envs.reward import KINDS, RewardMode

MAX_BODY = 16 * 1024  # bytes of a message; forty agents' actions are below two thousand
SHOWN = 60  # characters of a refused value that are said again
M = TypeVar("M", bound="Message")

Number = Annotated[float, Field(ge=0.0, le=1e12)]
Seat = Annotated[str, Field(max_length=60)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
CURES = {
    "session": "give the token that /api/new gave",
    "game": "give an id of the catalogue, e.g. TrustDilemma-v1",
    "options": 'give {"phase": ..., "tension": ...}, each only where the game has it',
    "seed": "give a whole number from 0 to 4294967295",
    "kind": f"give one of {', '.join(KINDS)}",
    "mutuality": "give a number from 0 to 1",
    "mode": 'give {"kind": ..., "mutuality": ...}',
    "actions": "give one finite number from 0 for each agent",
    "count": "give a whole number of steps from 1 to 1000",
    "seats": 'give one name for each agent: "you" or a policy that the game offers',
}


class Message(BaseModel):
    """The base of all: unknown entries, wrong types, nan and infinity are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Mode(Message):
    """The reward mode: its kind, and how far it is from private [0..1]."""

    kind: Literal["private", "integrated", "cooperative"] = "private"
    mutuality: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0

    @property
    def reward(self) -> RewardMode:
        """The same as the reward layer knows it."""
        return RewardMode(self.kind, self.mutuality)


class New(Message):
    """Open a game with a person in every seat."""

    game: Annotated[str, Field(max_length=60)]
    options: dict[Literal["phase", "tension"], Annotated[str, Field(max_length=40)]] = {}
    seed: Seed = 0
    mode: Mode = Mode()


class Held(Message):
    """About a session that is open."""

    session: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Step(Held):
    """Play ``count`` steps; ``actions`` [endowment units] are the sliders', for the seats in which a person sits."""

    actions: Annotated[list[Number], Field(max_length=64)]
    count: Annotated[int, Field(ge=1, le=1000)] = 1


class Reset(Held):
    """Start the episode anew from a seed; the same seats, the same reward mode."""

    seed: Seed = 0


class Switch(Held):
    """Look at the episode under another reward mode."""

    mode: Mode


class Seats(Held):
    """Who plays each agent: "you" or the name of a policy."""

    seats: Annotated[list[Seat], Field(max_length=64)]


def read(kind: type[M], body: bytes) -> M:
    """The message in a body of JSON; ValueError in one line that names the value, the rule and the cure."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as refused:
        raise ValueError(_line(refused.errors(include_url=False)[0])) from None


def _line(error: Any) -> str:
    """One line for the first thing that is wrong."""
    where, rule = [str(part) for part in error["loc"]], error["msg"].splitlines()[0]
    if error["type"] == "json_invalid":
        return f"the message is not JSON: {error['ctx']['error']}; send one JSON object"[:300]
    name = ascii(".".join(where))[1:-1][:SHOWN] or "the message"
    value = "" if error["type"] == "missing" else f"={ascii(error['input'])[:SHOWN]}"
    known = [CURES[part] for part in where if part in CURES]
    return f"{name}{value}: {rule}; {known[-1] if known else 'send only the entries that the message has'}"
