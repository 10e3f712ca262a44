"""Figures as HTML that needs no script and no chart library: rows of bars and points, lines over days, points.

They are drawn from the figures that a notebook shows, so that both say the same. Places are shares of the width
and colours those of the theme, so that one drawing serves every screen, paper, and a page without scripts.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from coinlake.reports.page import formats, style

MARKS = 5  # at most so many steps of an axis
Axis = Mapping[str, Any]


def drawn(figure: Mapping[str, Any]) -> Markup:
    """The figure as HTML: rows where its y axis names categories, lines where its x axis has days, else points."""
    layout = figure["layout"]
    if layout["yaxis"].get("type") == "category":
        return _rows(figure)
    return _lines(figure) if isinstance(layout["xaxis"]["range"][0], str) else _points(figure)


def _rows(figure: Mapping[str, Any]) -> Markup:
    axis = figure["layout"]["xaxis"]
    names: list[str] = figure["layout"]["yaxis"].get("categoryarray") or list(
        dict.fromkeys(name for trace in figure["data"] for name in trace["y"])
    )
    marks: dict[str, list[Markup]] = {name: [] for name in names}
    reached = dict.fromkeys(names, 0.0)
    for trace in figure["data"]:
        texts = trace.get("text") or [""] * len(trace["x"])
        told = trace.get("customdata") or [""] * len(trace["x"])
        colours = trace["marker"]["color"]
        for place, (name, value) in enumerate(zip(trace["y"], trace["x"], strict=True)):
            colour = colours if isinstance(colours, str) else colours[place]
            hint = " ".join(filter(None, (f"{value:,g}", trace["name"], told[place])))
            if trace["type"] == "bar":
                start = trace["base"][place] if "base" in trace else reached[name]
                reached[name] = start + value
                marks[name].append(_bar(axis, start, reached[name], colour, hint))
                if texts[place]:
                    marks[name].append(_text(axis, reached[name], texts[place]))
            else:
                shape = trace["marker"]["symbol"]
                place_ = _share(axis, value)
                marks[name].append(
                    Markup('<i class="point {}" style="left:{}%;color:{}" title="{}"></i>').format(
                        shape, place_, _variable(colour), hint
                    )
                )
    for note in figure["layout"].get("annotations", []):
        marks[note["y"]].append(_text(axis, note["x"], note["text"]))
    grid = Markup("").join(
        Markup('<i class="grid" style="left:{}%"></i>').format(_share(axis, tick)) for tick in _ticks(axis)
    )
    lines = Markup("\n").join(
        Markup('<div class="row"><b>{}</b><span class="track">{}{}</span></div>').format(
            Markup(name), grid, Markup("").join(marks[name])
        )
        for name in names
    )
    below = Markup("").join(
        Markup('<span class="tick" style="left:{}%">{}</span>').format(_share(axis, tick), _number(tick))
        for tick in _ticks(axis)
    )
    return Markup(
        '{}\n<div class="row axis"><b></b><span class="track">{}</span></div>\n'
        '<div class="row axis"><b></b><span class="title">{}</span></div>'
    ).format(lines, below, axis["title"]["text"])


def _bar(axis: Axis, start: float, end: float, colour: str, hint: str) -> Markup:
    left, right = _share(axis, start), _share(axis, end)
    return Markup('<i class="amount" style="left:{}%;width:{}%;background:{}" title="{}"></i>').format(
        left, round(right - left, 2), _variable(colour), hint
    )


def _text(axis: Axis, value: float, text: str) -> Markup:
    return Markup('<span class="text" style="left:{}%">{}</span>').format(_share(axis, value), text)


def _lines(figure: Mapping[str, Any]) -> Markup:
    """Lines in a box of 100 by 100 that is stretched, with words beside it that are not."""
    layout = figure["layout"]
    low, high = layout["yaxis"]["range"]
    first, last = map(pd.Timestamp, layout["xaxis"]["range"])

    def across(date: str) -> float:
        return round(100 * ((pd.Timestamp(date) - first) / (last - first)), 2)

    def down(value: float) -> float:
        return round(100 - 100 * (value - low) / (high - low), 2)

    paths, words = [], []
    for trace in figure["data"]:
        points = [(across(x), down(y)) for x, y in zip(trace["x"], trace["y"], strict=True) if y is not None]
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        colour = _variable(trace["line"]["color"])
        if trace.get("fill") and len(points) > 1:
            paths.append(
                Markup('<path class="area" style="fill:{}" d="M{} 100L{}L{} 100Z"/>').format(
                    colour, f"{points[0][0]:g}", path, f"{points[-1][0]:g}"
                )
            )
        kind = "dotted" if trace["line"].get("dash") else "line"
        # A line of one point is a dot: its caps are round.
        path = path if len(points) > 1 else f"{path}h0"
        paths.append(Markup('<path class="{}" style="stroke:{}" d="M{}"/>').format(kind, colour, path))
    for shape in layout.get("shapes", []):
        paths.append(
            Markup('<path class="dashed" style="stroke:{}" d="M0 {y}H100"/>').format(
                _variable(shape["line"]["color"]), y=f"{down(shape['y0']):g}"
            )
        )
    for note in layout.get("annotations", []):
        left = note["x"] * 100 if note.get("xref") == "paper" else across(note["x"])
        words.append(
            Markup('<span class="text{}" style="left:{}%;top:{}%;color:{}">{}</span>').format(
                " ends" if left > 50 else "",
                left,
                down(note["y"]),
                _variable(note["font"]["color"]),
                Markup(note["text"]),
            )
        )
    for tick in _ticks(layout["yaxis"]):
        paths.append(Markup('<path class="grid" d="M0 {y}H100"/>').format(y=f"{down(tick):g}"))
        words.append(Markup('<span class="mark" style="top:{}%">{}</span>').format(down(tick), _number(tick)))
    for date in pd.date_range(first, last, periods=min(3, (last - first).days + 1)):
        left = across(f"{date:%Y-%m-%d}")
        words.append(Markup('<span class="tick" style="left:{}%">{}</span>').format(left, f"{date.day} {date:%b}"))
    return Markup(
        '<p class="title">{}</p>\n<div class="lines">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none">{}</svg>{}</div>'
    ).format(layout["yaxis"]["title"]["text"], Markup("").join(paths), Markup("").join(words))


def _points(figure: Mapping[str, Any]) -> Markup:
    """Points between two axes of fractions; each tells its name to the pointer, some have it beside them."""
    across, up = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
    parts = [
        Markup(
            '<i class="grid-up" style="left:{place}%"></i><span class="tick" style="left:{place}%">{text}</span>'
        ).format(place=_share(across, tick), text=formats.percent(tick, 0, sign=False))
        for tick in _ticks(across)
    ]
    parts += [
        Markup(
            '<i class="grid-across" style="top:{place}%"></i><span class="mark" style="top:{place}%">{text}</span>'
        ).format(place=round(100 - _share(up, tick), 2), text=formats.percent(tick, 0))
        for tick in _ticks(up)
    ]
    for trace in figure["data"]:
        for x, y, name in zip(trace["x"], trace["y"], trace["text"], strict=True):
            hint = f"{name}: {formats.percent(y, 0)}, {formats.percent(x, 0, sign=False)}"
            parts.append(
                Markup('<i class="point" style="left:{}%;top:{}%;color:{}" title="{}"></i>').format(
                    _share(across, x), round(100 - _share(up, y), 2), _variable(trace["marker"]["color"]), hint
                )
            )
    for note in figure["layout"]["annotations"]:
        parts.append(
            Markup('<span class="text ends" style="left:{}%;top:{}%">{}</span>').format(
                _share(across, note["x"]), round(100 - _share(up, note["y"]), 2), Markup(note["text"])
            )
        )
    return Markup(
        '<p class="title">{}</p>\n<div class="lines points">{}</div>\n<p class="title below">{}</p>'
    ).format(up["title"]["text"], Markup("").join(parts), across["title"]["text"])


def _share(axis: Axis, value: float) -> float:
    """Where a value lies between both ends of its axis, in per cent of the width."""
    low, high = axis["range"]
    place = math.log10(value) if axis.get("type") == "log" else value
    return round(100 * (place - low) / (high - low), 2)


def _ticks(axis: Axis) -> list[float]:
    """Round numbers along an axis."""
    low, high = axis["range"]
    if axis.get("type") == "log":
        return [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    rough = (high - low) / MARKS
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(decade * factor for factor in (1, 2, 5, 10) if decade * factor >= rough * 0.999)
    return [round(place * step, 10) for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _number(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "K")):
        if value >= size:
            return f"{value / min(size, 1e3 if letter == 'K' else size):g}{letter}"
    return formats.count(value) if float(value).is_integer() else f"{value:g}"


_NAMES = {light: name for name, (light, _) in style.COLOURS.items()}


def _variable(colour: str) -> str:
    return f"var(--{_NAMES[colour]})"
