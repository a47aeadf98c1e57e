"""Folders of records that never ran, for the tests of reports: an ordinary study, and one full of bad texts."""

from __future__ import annotations

import numpy as np
from study.synthetic import field, row

from coopgym.study.records import Records

MODES = ("private", "integrated", "cooperative")
LEVELS = {"IPPO": 0.9, "MAPPO": 0.8, "COMA": 0.6}
FAMILIES = {"MAPPO": "CTDE", "COMA": "CTDE"}
GAMES = {"LoyaltyTeam-v1": 3, "GiftExchange-v1": 4}
HOSTILE = (
    "<script>window.ran = 1</script>", '"><img src=x onerror="window.ran = 2">', "</script><svg onload=window.ran=3>",
    "\U0001f921 \u202egnirts desrever\u202c \u05e9\u05dc\u05d5\u05dd", "=HYPERLINK(1)", "<a href='https://example.org'>x</a>",
    "{{ 7 * 7 }} %{x} $x$ &amp; \x00\x1b\ud800", "'" * 3 + "\\", "A" * 500,
)  # fmt: skip


def study(folder, seeds=6, modes=MODES, games=GAMES, levels=LEVELS):
    """Runs and curves of three learners in two games under three reward modes; one of them diverged, one failed."""
    rows = [each for mode in modes for each in field(levels, games, mode, seeds, families=FAMILIES)]
    for each in rows:
        each |= {"efficiency_best_constant": each["welfare"] / each["best_constant_welfare"], "env_steps": 1000}
    rows[0] |= {"status": "diverged", "diverged_at": 3}
    rows[-1] |= {"status": "failed", "reason": "no memory", "welfare": None}
    return write(folder, rows)


def hostile(folder):
    """Texts that would run, turn or break a page; numbers that are missing, huge or not finite."""
    rows = []
    for k, text in enumerate(HOSTILE):
        for seed in range(2):
            for mode in ("private", "integrated"):
                rows.append(row(text, text, mode, seed, 0.5 + 0.1 * k, reason=text, device=text, source_revision=text))
                rows[-1] |= {"hyperparameters_hash": text, "package_version": text, "variant": text or None}
    rows[0] |= {"welfare": 1e308}
    rows[1] |= {"welfare": float("nan"), "rate": None, "final_trust": float("inf")}
    rows[2] |= {"status": "failed", "welfare": None, "payoff": None, "best_constant_welfare": None}
    rows.append({"run_id": "bare", "algorithm": "Bare", "game": "Bare-v1", "reward_mode": "private", "status": "ok"})
    return write(folder, rows)


def write(folder, rows):
    """The tables ``runs`` and ``curves`` of some rows, each with a curve that rises to its welfare."""
    rows = [{name: _storable(x) for name, x in each.items()} for each in rows]
    learned = [r for r in rows if r.get("kind") == "learner" and r.get("welfare") is not None and r["welfare"] < 1e30]
    records = Records(folder)
    records.write("runs", "part", rows)
    records.write("curves", "part", [_curve(each) for each in learned])
    return folder


def _storable(x):
    return x.encode("utf-8", "replace").decode() if isinstance(x, str) else x


def _curve(run):
    steps = np.linspace(0, 1000, 11)
    return {
        "run_id": run["run_id"], "metric": "welfare_eval", "agent": -1, "unit": "payoff",
        "env_steps": steps.astype(int), "updates": np.arange(11), "value": run["welfare"] * (1 - np.exp(-steps / 200)),
    }  # fmt: skip
