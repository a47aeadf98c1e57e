"""Charts of the case studies' own models, from stored numbers: the model, random models, what is documented."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.report.cases import BAND, MODELS, NULL
from coopgym.report.page.drawing import layout
from coopgym.report.page.figures import Figure
from coopgym.report.page.panel import Chart
from coopgym.report.page.strata import short
from coopgym.report.page.words import listed, number
from coopgym.validation.panels import CasePicture, Panel

STROKES = ("solid", "dash")
SHAPES = ("circle-open", "diamond-open", "triangle-up-open")
TAN, GREY = "rgba(230,159,0,0.3)", "rgba(150,150,150,0.3)"  # of BAND and NULL


def chart(picture: CasePicture, own: Panel, group: str) -> Chart:
    """One quantity of a case."""
    data: list[Figure] = []
    if own.bands:
        starts, ends, lows, highs = np.array([(b.start, b.end, b.low, b.high) for b in own.bands]).T
        data.append(ranges(starts, ends, lows, highs))
    data += [_null(own), *_models(own), *_documented(own)]
    title = own.title.replace("\n", " ")
    about = layout(f"{title}, by the model", "" if own.forms else picture.x_label, title)
    if own.forms:
        about["xaxis"] |= {
            "tickvals": own.x.tolist(),
            "ticktext": list(own.forms),
            "range": [-0.5, len(own.forms) - 0.5],
        }
    if own.log:
        about["yaxis"] |= {"type": "log"}
    told = [f"{name} from {number(float(y[0]), 3)} to {number(float(y[-1]), 3)}" for name, y in own.models.items()]
    caption = f"{picture.title}. Grey: 5 to 95% of random models ({picture.null}). Tan, open marks: documented."
    return Chart({"data": data, "layout": about}, f"{title} in {picture.title}: {listed(told)}.", caption, group)


def ranges(starts: Any, ends: Any, lows: Any, highs: Any) -> Figure:
    """Documented ranges as one trace of boxes."""
    x: list[float | None] = []
    y: list[float | None] = []
    for a, b, low, high in zip(*(short(np.asarray(e)) for e in (starts, ends, lows, highs)), strict=True):
        x += [a, b, b, a, a, None]
        y += [low, low, high, high, low, None]
    return {
        "type": "scatter", "mode": "lines", "x": x[:-1], "y": y[:-1], "fill": "toself", "fillcolor": TAN,
        "line": {"width": 1, "color": BAND}, "name": "documented range", "hoverinfo": "skip",
    }  # fmt: skip


def _null(own: Panel) -> Figure:
    """Of random models: a band, or where x is no time a bar for each place."""
    low, high = own.envelope
    name = {"type": "scatter", "name": "random models", "hoverinfo": "skip"}
    if own.forms:
        middle = (low + high) / 2.0
        bar = {"type": "data", "array": short((high - low) / 2.0), "color": NULL, "thickness": 12, "width": 0}
        return name | {
            "mode": "markers",
            "x": short(own.x),
            "y": short(middle),
            "error_y": bar,
            "marker": {"color": NULL},
        }
    x, y = np.concatenate([own.x, own.x[::-1]]), np.concatenate([low, high[::-1]])
    return name | {
        "mode": "lines", "x": short(x), "y": short(y), "fill": "toself", "fillcolor": GREY,
        "line": {"width": 0, "color": NULL},
    }  # fmt: skip


def _models(own: Panel) -> list[Figure]:
    mode = "markers" if own.forms else "lines"
    return [
        {
            "type": "scatter", "mode": mode, "x": short(own.x), "y": short(y), "name": name,
            "line": {"color": colour, "width": 2, "dash": stroke}, "marker": {"color": colour, "size": 10},
        }
        for (name, y), colour, stroke in zip(own.models.items(), MODELS, STROKES, strict=False)
    ]  # fmt: skip


def _documented(own: Panel) -> list[Figure]:
    return [
        {
            "type": "scatter", "mode": "markers", "x": short(x), "y": short(y), "name": name,
            "marker": {"color": BAND, "size": 9, "symbol": shape, "line": {"width": 2}},
        }
        for (name, (x, y)), shape in zip((own.documented or {}).items(), SHAPES, strict=False)
    ]  # fmt: skip
