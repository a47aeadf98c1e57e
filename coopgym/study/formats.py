"""Text of a study's file as plain data: TOML or YAML, by the suffix. Nothing in a file is ever run."""

from __future__ import annotations

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


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"this is not TOML: {error}; {START}") from None


def _yaml(text: str) -> Any:
    """By PyYAML's safe loader; a key that stands twice is refused, as it is in TOML."""
    try:
        import yaml  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise ValueError(f"YAML needs the module 'yaml', which is not installed; {CURE}") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain data, and every key once."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
            twice = next((key for i, key in enumerate(keys) if key in keys[:i]), None)
            if twice is not None:
                raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands twice", node.start_mark)
            return super().construct_mapping(node, deep)

    try:
        found = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"this is not YAML: {' '.join(str(error).split())}; {START}") from None
    if not isinstance(found, dict):
        raise ValueError(f"this is not a study: it holds {type(found).__name__}, not fields; {START}")
    return found


MERGE = "tag:yaml.org,2002:merge"
FORMATS: dict[str, Callable[[str], Any]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
