"""Errors for a library that is not installed, and for a pickle that nobody has said to trust."""

from __future__ import annotations

import os
from typing import Any

from coopgym.extras import installed, sentence


def need_trust(path: Any, library: str, trust: bool) -> None:
    """Raise ValueError unless ``trust`` is True: the files of ``library`` are pickles.

    Raises:
        ValueError: With the one sentence that a user has to know before saying trust=True.
    """
    if trust is not True:
        raise ValueError(
            f"{os.fspath(path)!r} is a file of {library}, and loading it runs whatever code it holds; only if you "
            "trust who made it, say trust=True (--trust on the command line), as in "
            "coopgym.policy(path, game, trust=True)"
        )


def need(module: str, wanted_by: str) -> None:
    """ImportError in one line, with the extra to install, unless ``module`` is there."""
    if not installed(module):
        raise ModuleNotFoundError(sentence(module, wanted_by), name=module)
