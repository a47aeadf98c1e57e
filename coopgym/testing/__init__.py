"""Checks of any game, the catalogue's or a user's own: ``coopgym.testing.check(game)``."""

from coopgym.testing.check import check

__all__ = ["check"]
