"""Audits: what a game tempts agents to do (``audit.landscape``), and what policies do (``coopgym.audit(...)``).

The package is the function too: calling it is calling ``coopgym.audit.behaviour.audit``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from coopgym.extras import explains


class Room(ModuleType):
    """This package's module, which can be called."""

    @explains("coopgym.audit")
    def __call__(self, policies: Any, game: Any, *arguments: Any, **options: Any) -> Any:
        """``coopgym.audit.behaviour.audit`` of the same arguments; it is imported when it is first asked for."""
        return importlib.import_module("coopgym.audit.behaviour").audit(policies, game, *arguments, **options)


sys.modules[__name__].__class__ = Room
