"""Fingerprints against probes whose play is known."""

from __future__ import annotations

import numpy as np
import pytest
from players import GAME, always, tit_for_tat

import coopgym
from coopgym.audit.behaviour import audit


def test_the_corners_are_a_giver_a_defector_and_tit_for_tat():
    found = audit(always(0.5), GAME, measures=["fingerprint"]).fingerprint
    own = coopgym.evaluate(0.5, GAME, 1).payoffs[0, 0]
    for (x, y), partner in {(1.0, 0.0): 1.0, (0.0, 1.0): 0.0, (0.0, 0.0): 0.5}.items():
        k = int(np.flatnonzero(np.isclose(found.x, x) & np.isclose(found.y, y))[0])
        expected = coopgym.evaluate([0.5, partner], GAME, 1).payoffs[0, 0]
        assert found.payoffs[0, k] == pytest.approx(expected / own)
    assert len(found.x) == 6 * 7 / 2


def test_a_constant_earns_more_the_more_its_probe_gives_and_tit_for_tat_pays_it_back():
    constant, answering = (audit(p, GAME, measures=["fingerprint"]).fingerprint for p in (always(0.5), tit_for_tat()))
    edge = constant.y == 0.0
    assert (np.diff(constant.payoffs[0, edge]) > 0.0).all()
    assert answering.payoffs[0, -1] < constant.payoffs[0, -1]  # against a giver it gives all, which is too much
