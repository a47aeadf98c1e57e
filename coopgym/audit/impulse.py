"""What follows when one agent defects, or gives, for a few steps: retaliation, forgiveness, gifts returned."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.bench import Bench
from coopgym.audit.effort import step_of
from coopgym.audit.measures import mean, ratio
from coopgym.audit.traces import Plan, Traces
from coopgym.audit.trust import breach_and_sweep

SOON = 10  # steps within which an answer counts as one
CALM = 5  # steps for which it must stay small to be over
LASTING = 10  # steps after the strongest answer that must be played before it counts as lasting
TAIL = 10  # last steps in which what is left of it is measured
ROOM = 0.02  # least shock that has an effect worth dividing by [rate]
UNMOVED, RECIPROCAL, GROWING = 0.05, 0.3, 1.5  # thresholds of the kinds
KINDS = ("unconditional", "weak", "reciprocal", "grim", "inverse", "chaotic")


@dataclass(frozen=True, eq=False)
class Impulses:
    """Answers of j to shocks of i, ``[R, N(i), N(j), Q]`` where Q runs over shocks; NaN for j = i and unaudited i.

    Everything is measured over the steps that are played both with the shock and without it: the end of an episode is
    not taken for an answer, nor for the end of one.

    shocks ``[Q, 4]``: sign (-1: defection, 1: gift), size asked for [rate], span and start [steps]. response
    ``[R, N, N, Q, T]``: u_j(perturbed) - u_j(undisturbed) from t0 on, NaN behind the end, of which j = i is the own
    recovery. size ``[R, N, Q]`` [rate]: the shock that there was room for, by which what follows is divided. observed
    ``[R, N, Q]``: steps from t0 on that are played both ways, in some episode.

    answer [1]: the largest change in the shock's direction within 10 steps after t0, 1 for tit-for-tat, 0 for one who
    does not care; inverse: the same in the other direction; NaN where no step after t0 is played. area [rate x steps]:
    sum of all changes in the shock's direction. half_life [steps]: from the strongest answer to the first step from
    which it stays at or below half for 5 steps; inf: it does not, though 10 steps or more are played after the
    strongest answer; NaN where fewer are, and for answers below 0.05. residual [1]: mean |response| in the last 10
    steps that are played, the first 10 after t0 left out, over the strongest; NaN where fewer than 5 are left, and for
    answers below 0.05. late [1]: that mean over the shock. interrupted: the answers whose half_life is not known
    because the episode ended.

    punisher ``[R, N]`` [payoff]: of the partner that answers i's first defection most, P_j - P_j had it played on as if
    nothing had happened; negative: it pays for punishing. unseen ``[R, N]`` [1]: the mean answer of i's partners to the
    same defection where they are shown the trust there would be without it: what is left is a reaction to actions.
    """

    shocks: np.ndarray
    response: np.ndarray
    size: np.ndarray
    observed: np.ndarray
    answer: np.ndarray
    inverse: np.ndarray
    area: np.ndarray
    half_life: np.ndarray
    residual: np.ndarray
    late: np.ndarray
    interrupted: np.ndarray
    punisher: np.ndarray
    unseen: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name; of each agent j as the one who answers, the mean over shocks of all others."""
        bad = self.shocks[:, 0] < 0
        retaliation, gratitude = (_over(self.answer[..., rows]) for rows in (bad, ~bad))
        return {
            "retaliation": retaliation, "punishment_area": _over(self.area[..., bad]),
            "forgiveness": _over(_finite(self.half_life[..., bad])), "residual": _over(self.residual[..., bad]),
            "unforgiving": _over(_share(self.half_life[..., bad])), "inverse_response": _over(self.inverse[..., bad]),
            "gratitude": gratitude, "negativity": ratio(retaliation, gratitude, ROOM),
            "contrition": self.contrition, "punisher_payoff": self.punisher, "retaliation_to_actions": self.unseen,
            **self.kinds(),
        }  # fmt: skip

    @property
    def interrupted_share(self) -> float:
        """Share of the answers to a defection, of all pairs and replicas, that the end of the episode cut short."""
        bad = self.shocks[:, 0] < 0
        answered = self.interrupted[..., bad] | ~np.isnan(self.half_life[..., bad])
        return float(self.interrupted[..., bad].sum() / max(1, answered.sum()))

    @property
    def contrition(self) -> np.ndarray:
        """How far i itself is from its undisturbed rates in the 10 steps after a defection, over the shock ``[R, N]``.

        Positive: it goes on giving less, as after being punished; negative: it makes up for it.
        """
        bad = self.shocks[:, 0] < 0
        own = np.stack([self._after(i) for i in range(self.response.shape[1])], 1)
        return np.asarray(mean(own[..., bad], -1))

    def mean_answers(self, steps: int) -> dict[str, np.ndarray]:
        """Changes of rates over the shock's size ``[R, steps]`` from t0 on, after the first shock of each sign.

        defection and gift: of partners, mean over all pairs; own_defection, own_gift: of those who were shocked.
        """
        same, curves = np.eye(self.size.shape[1], dtype=bool), {}
        for name, sign in (("defection", -1.0), ("gift", 1.0)):
            q = int(np.flatnonzero(self.shocks[:, 0] == sign)[0])
            size = self.size[:, :, None, q, None]
            scaled = np.where(size > ROOM, self.response[..., q, :steps] / np.maximum(size, ROOM), np.nan)
            curves[f"answer_{name}"] = mean(scaled[:, ~same], 1)
            curves[f"answer_own_{name}"] = mean(scaled[:, same], 1)
        return curves

    def _after(self, i: int) -> np.ndarray:
        """``[R, Q]``."""
        spans = self.shocks[:, 2].astype(int)
        rows = [-mean(self.response[:, i, i, q, d : d + SOON], -1) for q, d in enumerate(spans)]
        return ratio(np.stack(rows, -1), self.size[:, i], ROOM)

    def kinds(self) -> dict[str, np.ndarray]:
        """Shares of pairs and defections that are answered in each of six ways, ``[R]``; read with the numbers.

        chaotic: the change at the end is 1.5 times the largest soon after; inverse: partners give more; unconditional:
        answer below 0.05; grim: 0.3 or more and never forgiven; reciprocal: 0.3 or more and forgiven; weak: others.
        Strong answers that are interrupted by the end of the episode are of no known kind and are left out.
        """
        bad = self.shocks[:, 0] < 0
        answer, inverse = self.answer[..., bad], self.inverse[..., bad]
        strong, over = answer >= RECIPROCAL, np.isfinite(self.half_life[..., bad])
        chaotic = self.late[..., bad] > GROWING * np.maximum(np.maximum(answer, inverse), UNMOVED)
        turned = (inverse >= UNMOVED) & (inverse > answer)
        unknown = strong & self.interrupted[..., bad]
        cases = [chaotic, turned, answer < UNMOVED, unknown, strong & ~over, strong]
        names = ["chaotic", "inverse", "unconditional", "", "grim", "reciprocal"]
        kind = np.where(np.isnan(answer), "", np.select(cases, names, "weak"))
        known = (kind != "").sum((1, 2, 3))
        return {f"{name}_answers": ratio((kind == name).sum((1, 2, 3)), known) for name in KINDS}


def impulses(bench: Bench) -> Impulses:
    """Shock every audited seat."""
    shocks = _shocks(bench)
    forced = _forced(bench, shocks)
    found, _ = disturbed(bench)
    response, size, observed = _responses(bench, shocks, found)
    after = np.arange(response.shape[-1])
    direction = np.nan_to_num(shocks[:, 0, None] * response)
    soon = (after >= 1) & (after <= SOON)
    played = (size > ROOM) & (observed > 1)
    scaled = np.where(played, size, np.nan)[:, :, None]
    answer = np.where(soon, direction, 0.0).max(-1) / scaled
    inverse = np.where(soon, -direction, 0.0).max(-1) / scaled
    half, peak, left = _fading(response, observed)
    moved = peak / scaled >= UNMOVED
    half, residual = (np.where(moved, x, np.nan) for x in (half, ratio(left, peak)))
    others = ~np.eye(bench.game.n, dtype=bool)[:, :, None]
    pairs = [np.where(others, x, np.nan) for x in (answer, inverse, half, residual, left / scaled)]
    area = np.where(others, np.maximum(direction, 0.0).sum(-1), np.nan) + 0.0 * scaled
    first = int(np.flatnonzero(shocks[:, 0] < 0)[0])
    unseen = _unseen(bench, shocks, first, forced[:, first], size)
    result = Impulses(
        shocks=shocks, response=response, size=size, observed=observed, answer=pairs[0], inverse=pairs[1], area=area,
        half_life=pairs[2], residual=pairs[3], late=pairs[4], interrupted=moved & others & np.isnan(half),
        punisher=_punisher(bench, forced[:, first], pairs[0][..., first], found, len(shocks), first), unseen=unseen,
    )  # fmt: skip
    result.undefined.update(_reasons(bench, result))
    return result


def _shocks(bench: Bench) -> np.ndarray:
    """``[Q, 4]``: sign, size, span, start."""
    fine, horizon = bench.effort, bench.game.horizon
    rows = [
        (sign, size, min(span, horizon), step_of(start, horizon))
        for start in fine.shock_starts for span in fine.shock_spans for size in fine.shocks for sign in (-1.0, 1.0)
    ]  # fmt: skip
    return np.array(rows)


def _forced(bench: Bench, shocks: np.ndarray) -> np.ndarray:
    """Rates ``[S, Q, R, E, T, N]``."""
    base = bench.subject.base.rates
    forced = np.full((len(bench.seats), len(shocks), *base.shape), np.nan)
    for s, i in enumerate(bench.seats):
        for q, (sign, size, span, start) in enumerate(shocks):
            when = slice(int(start), int(start + span))
            shocked = np.clip(base[..., when, i] + sign * size, 0.0, 1.0)
            forced[s, q, ..., when, i] = np.where(bench.subject.base.alive[..., when], shocked, np.nan)
    return forced


def disturbed(bench: Bench) -> tuple[Traces, Traces]:
    """What happens after all shocks ``[S x Q]``, and in the breaches and sweeps of ``trust``, played side by side."""
    found: tuple[Traces, Traces] = bench.once("disturbed", _disturbed)
    return found


def _disturbed(bench: Bench) -> tuple[Traces, Traces]:
    forced = _forced(bench, _shocks(bench))
    shocks, others = forced.reshape(-1, *forced.shape[2:]), breach_and_sweep(bench)
    both = np.concatenate([shocks, np.broadcast_to(others, (len(others), *shocks.shape[1:]))])
    found = bench.subject.trace(Plan(both))
    return found.part(slice(None, len(shocks))), found.part(slice(len(shocks), None))


def _responses(bench: Bench, shocks: np.ndarray, found: Traces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(response ``[R, N, N, Q, T]``, size of the shock that there was, steps played both ways, each ``[R, N, Q]``)."""
    base, n, horizon = bench.subject.base, bench.game.n, bench.game.horizon
    both = found.alive & base.alive[:, None]  # [R, S x Q, E, T]
    change = np.where(both[..., None], found.rates - base.rates[:, None], 0.0).sum(2)
    change = ratio(change, both.sum(2)[..., None])  # means over the episodes that go on, [R, S x Q, T, N]
    change = change.reshape(change.shape[0], len(bench.seats), len(shocks), horizon, n)
    response = np.full((change.shape[0], len(bench.seats), n, len(shocks), horizon), np.nan)
    size, observed = (np.zeros((change.shape[0], len(bench.seats), len(shocks))) for _ in range(2))
    lived = both.any(2).reshape(*size.shape, horizon)
    for q, (_, _, span, start) in enumerate(shocks.astype(int)):
        part = np.moveaxis(change[:, :, q, start:], -1, 2)
        response[:, :, :, q, : horizon - start] = part
        observed[:, :, q] = lived[:, :, q, start:].sum(-1)
        steps = np.maximum(1, lived[:, :, q, start : start + span].sum(-1))
        for s, i in enumerate(bench.seats):
            size[:, s, q] = np.nan_to_num(np.abs(part[:, s, i, :span])).sum(-1) / steps[:, s]
    return bench.everybody(response), bench.everybody(size), bench.everybody(observed)


def _fading(response: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(half-life, largest |response| soon, mean |response| of the last steps), each ``[R, N, N, Q]``."""
    change, after = np.abs(np.nan_to_num(response)), np.arange(response.shape[-1])
    played = np.nan_to_num(observed)[:, :, None, :, None]  # steps from each shock to the end
    soon = np.where((after >= 1) & (after <= SOON), change, 0.0)
    peak, trough = soon.max(-1), soon.argmax(-1)
    large = change > 0.5 * peak[..., None] + 1e-12
    recent = np.stack([np.roll(large, -k, -1) for k in range(CALM)]).any(0)  # within the next steps
    recent |= after > played - CALM  # that there must be
    calm = ~recent & (after > trough[..., None])
    lasting = played[..., 0] - 1 - trough >= LASTING
    half = np.where(calm.any(-1), calm.argmax(-1) - trough, np.where(lasting, np.inf, np.nan))
    tail = (after >= np.maximum(played - TAIL, SOON + 1)) & (after < played)
    left = np.where(tail, change, 0.0).sum(-1) / np.maximum(1, tail.sum(-1))
    return half, peak, np.where(tail.sum(-1) < CALM, np.nan, left)


def _punisher(
    bench: Bench, forced: np.ndarray, answer: np.ndarray, found: Traces, count: int, first: int
) -> np.ndarray:
    """Payoff ``[R, N]`` to the partner that answers most, less what it has if it does not answer at all."""
    subject, seats = bench.subject, bench.seats
    replicas = np.arange(subject.replicas)
    held = forced.copy()  # [S, R, E, T, N]
    strongest = np.nan_to_num(answer[:, seats], nan=-1.0).argmax(-1)  # [R, S]
    for s in range(len(seats)):
        for r in replicas:
            unmoved = np.where(subject.base.alive[r], subject.base.rates[r, ..., strongest[r, s]], np.nan)
            held[s, r, ..., strongest[r, s]] = unmoved
    without = subject.totals(Plan(held)).payoffs
    with_ = found.payoffs.sum(-2)[:, first::count]
    gain = (with_ - without).mean(2)  # [R, S, N]
    return bench.everybody(np.take_along_axis(gain, strongest[..., None], -1)[..., 0])


def _unseen(bench: Bench, shocks: np.ndarray, first: int, forced: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Mean answer ``[R, N]`` to each agent's defection where everybody is shown undisturbed trust and damage."""
    (base, _, shown), start = bench.subject.undisturbed, int(shocks[first, 3])
    if shown is None:
        return np.full((bench.subject.replicas, bench.game.n), np.nan)
    found = bench.subject.trace(Plan(forced, shown=shown))
    both = found.alive & base.alive[:, None]
    fall = np.where(both[..., None], base.rates[:, None] - found.rates, 0.0).sum(2)
    fall = ratio(fall, both.sum(2)[..., None])[..., start + 1 : start + 1 + SOON, :]
    strongest = np.maximum(np.nan_to_num(fall).max(-2, initial=0.0), 0.0)  # [R, S, N]
    own = np.stack([strongest[:, s, i] for s, i in enumerate(bench.seats)], 1)
    answer = (strongest.sum(-1) - own) / (bench.game.n - 1)
    answer = np.where(both.any(2)[..., start + 1 : start + 2].any(-1), answer, np.nan)
    return ratio(bench.everybody(answer), np.nan_to_num(size[..., first]), ROOM)


def _reasons(bench: Bench, found: Impulses) -> dict[str, str]:
    """Why a measure may be NaN in some replica, by name."""
    bad, seats = found.shocks[:, 0] < 0, bench.seats
    possible = (found.size[:, seats] > ROOM) & (found.observed[:, seats] > 1)
    why = "the agents that were shocked have no room for it, or the episode was over"
    of_bad = ("retaliation", "punishment_area", "inverse_response", "retaliation_to_actions")
    reasons = {"contrition": "no step comes after a defection", "negativity": "gifts have no answer that it could be "
               "compared with"}  # fmt: skip
    if not possible[..., bad].all():
        reasons |= dict.fromkeys((*of_bad, "contrition"), why)
    if not possible[..., ~bad].all():
        reasons |= {"gratitude": why, "negativity": why}
    if bench.subject.undisturbed.shown is None:
        reasons["retaliation_to_actions"] = "the trust of all steps is too many numbers to keep"
    # What becomes of an answer: there may be none, it may be cut off, or the shock itself may be impossible.
    lasts = [] if possible[..., bad].all() else [why]
    if found.interrupted[..., bad].any():
        lasts.append("the episode ended while the answer lasted")
    kinds = {f"{kind}_answers": " or ".join(lasts) for kind in KINDS if lasts}
    unmoved = ["nobody answers a defection", *lasts]
    reasons |= {
        "unforgiving": " or ".join(unmoved),
        "forgiveness": " or ".join(["no answer to a defection ends", *lasts]),
    }
    tail = found.observed[:, seats][..., bad] < SOON + 1 + CALM
    ends = ["the episode ends too soon after a defection"] if tail.any() else []
    return reasons | kinds | {"residual": " or ".join([*unmoved[: 1 + (not possible[..., bad].all())], *ends])}


def _over(x: np.ndarray) -> np.ndarray:
    """Mean over shocks and over the agents i that were shocked: ``[R, i, j, Q]`` -> ``[R, j]``."""
    return np.asarray(mean(x, (1, 3)))


def _finite(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, np.nan)


def _share(x: np.ndarray) -> np.ndarray:
    """1 where infinite."""
    return np.where(np.isnan(x), np.nan, np.isinf(x))
