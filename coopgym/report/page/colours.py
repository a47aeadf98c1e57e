"""What a reward mode looks like in every chart: its colour runs from the private one's to its kind's by mutuality."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.report.plots import COLOURS, FAINT

SYMBOLS = {"private": "circle", "integrated": "square", "cooperative": "diamond"}
OTHER = "x"


def colour(mode: str, alpha: float = 1.0) -> str:
    """Of a label such as ``integrated`` or ``integrated(0.5)``, as CSS."""
    kind, mutuality = _parts(mode)
    if kind not in COLOURS:
        return _css(_rgb(FAINT), alpha)
    near, far = _rgb(COLOURS["private"]), _rgb(COLOURS[kind])
    return _css([round(a + mutuality * (b - a)) for a, b in zip(near, far, strict=True)], alpha)


def symbol(mode: str) -> str:
    """Marker of a mode's kind, so that colour is never all that tells modes apart."""
    return SYMBOLS.get(_parts(mode)[0], OTHER)


def _parts(mode: str) -> tuple[str, float]:
    kind, _, rest = mode.partition("(")
    try:
        return kind, min(1.0, max(0.0, float(rest.rstrip(")")))) if rest else 1.0
    except ValueError:
        return kind, 1.0


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _css(rgb: Sequence[int], alpha: float) -> str:
    return f"rgba({','.join(map(str, rgb))},{alpha:g})" if alpha < 1.0 else "#" + "".join(f"{x:02x}" for x in rgb)
