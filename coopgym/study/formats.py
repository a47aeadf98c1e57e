"""Text of a study's file as plain data: TOML or YAML, by the suffix. Nothing in a file is ever run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

START = "see studies/ for files to start from"
CURE = 'pip install "coopgym[study]"'


def suffix(path: str | PurePath) -> str:
    """ ".toml", ".yaml" or ".yml"; ValueError with the cure for any other."""
    found = PurePath(path).suffix.lower()
    if found not in FORMATS:
        raise ValueError(f"it ends in {found!r}, and a study's file ends in {' or '.join(FORMATS)}; {START}")
    return found


def data(text: str, kind: str) -> Any:
    """What the text of such a file says; ValueError where it is none."""
    return FORMATS[kind](text)


def text(content: bytes) -> str:
    """The text of a file that some editors begin with a byte order mark; ValueError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not text in UTF-8 (byte {error.start}); save it as UTF-8") from None


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError(f"this is not TOML: it is nested too deeply; {START}") from None
    except ValueError as error:  # also integers of more digits than Python reads
        raise ValueError(f"this is not TOML: {' '.join(str(error).split())}; {START}") from None


def _yaml(text: str) -> Any:
    """By PyYAML's safe loader; a key that stands twice is refused, as in TOML, and 1e-3 is a number, as in YAML 1.2."""
    try:
        import yaml  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise ValueError(f"YAML needs the module 'yaml', which is not installed; {CURE}") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain data, and every key once."""

        def fetch_flow_collection_start(self, token: Any) -> None:
            if self.flow_level >= DEPTH:  # each level costs as much as all before it
                raise yaml.scanner.ScannerError(None, None, "it is nested too deeply", self.get_mark())
            super().fetch_flow_collection_start(token)

        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            if len(node.value) > ENTRIES:  # each level of merges may be many times the one before
                raise yaml.constructor.ConstructorError(None, None, "its merges have too many entries", node.start_mark)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
            twice = next((key for i, key in enumerate(keys) if key in keys[:i]), None)
            if twice is not None:
                raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands twice", node.start_mark)
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))
    try:
        found = yaml.load(text.removeprefix("\ufeff"), Loader)
    except RecursionError:
        raise ValueError(f"this is not YAML: it is nested too deeply; {START}") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:  # also dates that do not exist
        raise ValueError(f"this is not YAML: {' '.join(str(error).split())}; {START}") from None
    if _size(found) > ENTRIES:
        raise ValueError(f"this is not a study: its aliases stand for more than {ENTRIES:,} values; {START}")
    if not isinstance(found, dict):
        raise ValueError(f"this is not a study: it holds {type(found).__name__}, not fields; {START}")
    return found


FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")  # PyYAML's own wants a point and a sign
DEPTH = 50  # levels of brackets
ENTRIES = 10_000  # values of a file with everything that its aliases stand for


def _size(found: Any) -> int:
    """Values in a nest of lists and tables, aliases counted each time; it stops counting soon after ENTRIES."""
    count, rest = 0, [found]
    while rest and count <= ENTRIES:
        each = rest.pop()
        count += 1
        if isinstance(each, (dict, list, tuple, set)):
            inner = [*each.keys(), *each.values()] if isinstance(each, dict) else list(each)
            count += len(inner)
            rest += inner
    return count


MERGE = "tag:yaml.org,2002:merge"
FORMATS: dict[str, Callable[[str], Any]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
