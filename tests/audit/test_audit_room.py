"""``coopgym.audit`` is a package and a function."""

from __future__ import annotations

import sys
from types import ModuleType

import coopgym
import coopgym.audit.landscape


def test_the_package_can_be_called(monkeypatch):
    behaviour = ModuleType("coopgym.audit.behaviour")
    behaviour.audit = lambda policies, game, **options: (policies, game, options)
    monkeypatch.setitem(sys.modules, behaviour.__name__, behaviour)
    assert coopgym.audit("TitForTat", "SLCD-v1", seed=3) == ("TitForTat", "SLCD-v1", {"seed": 3})
    assert coopgym.audit is sys.modules["coopgym.audit"]
    assert coopgym.audit.landscape is sys.modules["coopgym.audit.landscape"]
