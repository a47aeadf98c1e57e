"""Audits of games that are shorter than what is tried in them."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "PublicGoods-v1", "GiftExchange-v1"])
@pytest.mark.parametrize("steps", [1, 2, 4, 5, 6])
def test_what_a_short_episode_has_no_room_for_is_undefined_with_its_reason(game, steps):
    found = coopgym.audit("TitForTat", coopgym.game(game, max_steps=steps))
    for family in found.families.values():
        for name, value in family.measures().items():
            assert name in found.undefined or not np.isnan(value).all(), name
    lost = game == "TrustDilemma-v1"  # two who pass a breach to and fro lose their trust, and the game is over
    assert ("trust_recovery" in found.undefined) == (steps <= 5 or lost)
