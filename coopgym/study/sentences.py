"""Turn the errors of pydantic about a study's file into sentences: the field, its value, the rule and the cure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from coopgym.mechanisms import checks

TYPES = {  # kind of pydantic's error: the rule and the cure
    "string_type": "it must be text; write it in quotes",
    "int_type": "it must be a whole number; write one without quotes",
    "int_from_float": "it must be a whole number; write one without a fraction",
    "float_type": "it must be a number; write one without quotes",
    "finite_number": "it must be a finite number; write one",
    "list_type": "it must be a list; write it in square brackets",
    "dict_type": "it must be a table of names and values; write it as {name = value}",
    "model_type": "it must be a table of names and values; write it as {name = value}",
    "too_short": "it is empty; name at least one",
    "string_too_short": "it is empty; write something, or leave the field out",
}
PATTERNS = {
    "name": "it must begin with a letter or digit and go on with letters, digits, '_', '.' or '-'",
    "device": "it must be 'auto', 'cpu', 'cuda' or 'cuda:' and a number",
}


def sentence(error: Mapping[str, Any], fields: Mapping[str, Iterable[str]]) -> str:
    """One thing that is wrong in a study's file.

    Args:
        error: An entry of ``pydantic.ValidationError.errors()``.
        fields: The names of the fields of each table by its name; "" for those of the file itself.

    Returns:
        A sentence in one line.
    """
    place = [str(part) for part in error["loc"] if part != "[key]"]
    name, kind, value = ".".join(place), str(error["type"]), error["input"]
    if kind == "extra_forbidden":
        return unknown(name, place[-1], fields.get(place[0] if len(place) > 1 else "", fields[""]))
    if kind == "missing":
        return f"{name} is missing; every study has to say it"
    if error["loc"] and error["loc"][-1] == "[key]":
        return f"{checks.shown(place[-1])} in {'.'.join(place[:-1])} is no name; names are text"
    rule = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return rule if rule.startswith(f"{name}") else f"{name}={checks.shown(value)}: {rule}"
    if kind == "string_pattern_mismatch":
        rule = PATTERNS.get(name, rule)
    return f"{name or 'the file'}={checks.shown(value)}: {TYPES.get(kind, f'{rule[:1].lower()}{rule[1:]}')}"


def unknown(place: str, name: str, known: Iterable[str]) -> str:
    """A name in a study's file that is no field."""
    names = list(known)
    return f"{place} is not a field;{checks.nearest(name, names)} the fields are {', '.join(names)}"
