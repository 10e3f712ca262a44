"""Charts as plain dictionaries in plotly's figure form: no chart library is needed to make one.

`layout.meta` tells the page's script what it may do with a figure:
`log` (its y axis is logarithmic),
`phone_rows` (keeps its height on a phone), `small` (changes of the layout where the chart is narrow),
`ends` (the traces that have end labels).
"""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from coinlake.reports.page import formats, style

Figure = dict[str, Any]
Trace = dict[str, Any]

LABEL_GAP = 15  # pixels between the middles of two end labels
ROW_HEIGHT = 21  # pixels of one horizontal bar
# The marks of a log axis within one decade: the first set of which at most eight are seen.
LOG_LADDERS = (
    (1, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 8.5, 9, 9.5),
    (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    (1, 1.5, 2, 3, 5, 7),
    (1, 2, 5),
    (1,),
)
OUTLIER = 4  # a bar so many times as long as the next one would press all others flat
DIGITS = 6  # significant digits of every number in a figure
BACKGROUND_DIGITS = 3  # of lines that do not answer to hover: half a pixel


def numbers(values: Iterable[Any], digits: int = DIGITS) -> list[float | None]:
    """Values as JSON can hold them: six significant digits, None for what is not known."""
    return [rounded(value, digits) for value in values]


def rounded(value: Any, digits: int = DIGITS) -> float | int | None:
    """One value with six significant digits, or None."""
    if not formats.is_known(value):
        return None
    if isinstance(value, bool | int):
        return int(value)
    short = float(f"{float(value):.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def days(dates: Iterable[Any]) -> list[str]:
    """Dates as ISO text."""
    return [f"{date:%Y-%m-%d}" for date in dates]


def short(figure: Figure) -> Figure:
    """The figure in fewer words, which the page's script writes out.

    The x of a trace over days in equal steps is `{"from": day, "step": days, "count": n}`, and the layout is only
    what differs from the one that all charts share.
    """
    data = [_with_short_days(trace) for trace in figure["data"]]
    return {"data": data, "layout": style.differing(figure["layout"], style.layout())}


def _with_short_days(trace: Trace) -> Trace:
    dates = trace.get("x")
    if not isinstance(dates, list) or len(dates) < 2 or not isinstance(dates[0], str):
        return trace
    step = (pd.Timestamp(dates[1]) - pd.Timestamp(dates[0])).days
    if dates != days(pd.Timestamp(dates[0]) + pd.Timedelta(days=place * step) for place in range(len(dates))):
        return trace
    return trace | {"x": {"from": dates[0], "step": step, "count": len(dates)}}


def words(text: str) -> str:
    """Text that plotly shall not read as markup."""
    return html.escape(text, quote=False)


def line(series: pd.Series, colour: str, name: str = "", **changes: Any) -> Trace:
    """A line over dates; without a name it is background that does not answer to hover."""
    trace = {
        "type": "scatter",
        "mode": "lines",
        "x": days(series.index),
        "y": numbers(series, DIGITS if name else BACKGROUND_DIGITS),
        "name": words(name),
        "line": {"color": colour, "width": 2 if name else 1},
        "connectgaps": False,
    }
    if not name:
        trace["hoverinfo"] = "skip"
    return style.merged(trace, changes)


def over_time(
    traces: Sequence[Trace],
    ends: Sequence[tuple[int, str]] = (),
    *,
    y_title: str,
    y_range: tuple[float, float] | None = None,
    from_zero: bool = False,
    log: bool = False,
    limits: tuple[float, float] | None = None,
    currency: str = "",
    height: int = 380,
    notes: Sequence[dict[str, Any]] = (),
    **changes: Any,
) -> Figure:
    """Lines over time with labels at their ends.

    `ends` are pairs of trace number and label text; the labels move apart until none covers another.
    A log axis has no place for 0: what is not above it is a gap there. `y_range` is in the unit of the values,
    also on a log axis; without it the range fits the values, but never reaches beyond `limits`: one line that
    collapses must not press all others flat. With a `currency` the axis shows prices in it.
    """
    if log:
        traces = [
            trace | {"y": [value if value and value > 0 else None for value in trace["y"]]} for trace in traces
        ]
    known = [value for trace in traces for value in trace["y"] if value is not None]
    low, high = y_range or _fitted(known, log=log, from_zero=from_zero)
    if limits:
        low, high = max(low, limits[0]), min(high, limits[1])
    axis_range = [math.log10(low), math.log10(high)] if log else [low, high]
    yaxis: dict[str, Any] = {"title": {"text": y_title}, "range": numbers(axis_range)}
    if currency:
        yaxis |= money_axis(currency, low, high)
    if log:
        yaxis |= {"type": "log", "tickmode": "array"} | _log_ticks(low, high)
    margin = {"l": 56, "r": 22 + 8 * max((len(text) for _, text in ends), default=0), "t": 12, "b": 44}
    labels = end_labels(traces, ends, axis_range, log=log, height=height - margin["t"] - margin["b"], yref="y")
    meta = {"log": log, "ends": [number for number, _ in ends]}
    basis = {
        "height": height,
        "margin": margin,
        "xaxis": style.DAY_AXIS | _whole_days(traces),
        "yaxis": yaxis,
        "annotations": [*labels, *notes],
        "meta": meta,
    }
    return {"data": list(traces), "layout": style.layout(**style.merged(basis, changes))}


def end_labels(
    traces: Sequence[Trace],
    ends: Sequence[tuple[int, str]],
    axis_range: Sequence[float],
    *,
    log: bool,
    height: float,
    yref: str,
) -> list[dict[str, Any]]:
    """Labels at the last known point of some traces, pushed apart by `yshift`."""
    points = []
    for number, text in ends:
        trace = traces[number]
        last = max((i for i, value in enumerate(trace["y"]) if value is not None), default=None)
        if last is not None:
            y = math.log10(trace["y"][last]) if log else trace["y"][last]
            points.append((number, text, trace["x"][last], min(max(y, axis_range[0]), axis_range[1])))
    scale = height / ((axis_range[1] - axis_range[0]) or 1)
    shifts = spread([point[3] * scale for point in points], LABEL_GAP)
    return [
        {
            "name": f"end {number}",
            "text": f"<b>{words(text)}</b>",
            "x": x,
            "y": rounded(y),
            "yref": yref,
            "xanchor": "left",
            "xshift": 6,
            "yshift": round(shift, 1),
            "showarrow": False,
            "font": {
                "color": style.WORDS.get(traces[number]["line"]["color"], traces[number]["line"]["color"]),
                "size": 12,
            },
        }
        for (number, text, x, y), shift in zip(points, shifts, strict=True)
    ]


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """How far to move each position so that all are at least `gap` apart, in their order, moving little."""
    order = sorted(range(len(positions)), key=lambda i: (positions[i], i))
    moved = [positions[i] for i in order]
    groups = [(value, 1) for value in moved]  # middle of a group of touching labels, and its size
    i = 1
    while i < len(groups):
        (below, n_below), (above, n_above) = groups[i - 1], groups[i]
        if above - below < gap * (n_below + n_above) / 2 - 1e-9:
            # Two groups that touch become one around their common middle.
            middle = (below * n_below + above * n_above) / (n_below + n_above)
            groups[i - 1 : i + 1] = [(middle, n_below + n_above)]
            i = max(i - 1, 1)
        else:
            i += 1
    places = [middle + gap * (k - (n - 1) / 2) for middle, n in groups for k in range(n)]
    shifts = [0.0] * len(positions)
    for place, i in zip(places, order, strict=True):
        shifts[i] = place - positions[i]
    return shifts


def note(
    text: str, date: pd.Timestamp, y: float, *, above: bool, until: pd.Timestamp, colour: str = style.INK
) -> dict[str, Any]:
    """A short remark with a pointer at one day of a chart; near its end it leans left, off the end labels."""
    leans = (until - date).days < 45
    return {
        "name": "note",
        "text": text,
        "x": f"{date:%Y-%m-%d}",
        "y": rounded(y),
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": colour,
        "ax": -24 if leans else 0,
        "ay": -36 if above else 36,
        "xanchor": "right" if leans else "center",
        "align": "center",
        "font": {"color": style.WORDS.get(colour, colour), "size": 11.5},
    }


def level(y: float, colour: str = style.MUTE, dash: str = "solid", yref: str = "y") -> dict[str, Any]:
    """A horizontal line across the chart."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": yref,
        "y0": y,
        "y1": y,
        "layer": "below",
        "line": {"color": colour, "width": 1, "dash": dash},
    }


def diverging_bars(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    name: str,
    x_title: str,
    texts: Sequence[str] = (),
    **changes: Any,
) -> Figure:
    """Horizontal bars from zero, first on top: up in blue, down in orange; `values` are known fractions.

    A bar more than OUTLIER times as long as the next one is cut, and its text says so with an arrow.
    """
    longest = sorted(map(abs, values), reverse=True)[:2]
    is_cut = len(longest) == 2 and longest[0] > OUTLIER * longest[1] > 0
    most = 1.5 * longest[1] if is_cut else math.inf
    shown = [max(-most, min(most, value)) for value in values]
    if is_cut:
        told = texts or ["" for _ in values]
        texts = [_beyond(value) if abs(value) > most else text for text, value in zip(told, values, strict=True)]
    low, high = min([0, *shown]), max([0, *shown])
    # Room for the numbers beside the bars: a seventh of the width, on a phone more.
    span = (high - low) or 1

    def axis_range(room: float) -> list[float | None]:
        room = room if texts else 0.04
        return numbers([low - (room * span if low < 0 else 0), high + (room * span if high > 0 else 0)])

    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": numbers(shown),
        "y": [words(label) for label in labels],
        "customdata": numbers(values),
        "marker": {"color": [style.UP if value >= 0 else style.DOWN for value in values]},
        "hovertemplate": "%{y} %{customdata:+.1%}<extra></extra>",
        "name": name,
    }
    if texts:
        trace |= {
            "text": list(texts),
            "textposition": "outside",
            "cliponaxis": False,
            "textfont": {"size": 12, "color": style.INK},
        }
    layout = style.layout(
        height=bars_height(len(labels)),
        margin={"l": 60, "r": 16, "t": 4, "b": 48},
        hovermode="closest",
        xaxis={
            "title": {"text": x_title},
            "tickformat": ".0%",
            "range": axis_range(0.26 if is_cut else 0.16),
            "showgrid": True,
            "showline": False,
            "zeroline": True,
            "zerolinecolor": style.MUTE,
            "nticks": 6,
        },
        yaxis={
            "type": "category",
            "range": [len(labels) - 0.4, -0.6],
            "showgrid": False,
            "showline": False,
        },
        meta={"phone_rows": True, "small": {"xaxis": {"range": axis_range(0.4 if is_cut else 0.26)}}},
    )
    return {"data": [trace], "layout": style.merged(layout, changes)}


def bars_height(rows: int) -> int:
    """The height of so many horizontal bars, and of the chart beside them."""
    return 70 + ROW_HEIGHT * rows if rows > 12 else 340


def candles(frame: pd.DataFrame, dates: str, name: str, opacity: float = 1.0) -> Trace:
    """Candles of a frame with open, high, low, close: closed higher in blue, lower in orange."""
    return {
        "opacity": opacity,
        "type": "candlestick",
        "x": days(frame[dates]),
        **{column: numbers(frame[column]) for column in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": style.UP, "width": 1.2}, "fillcolor": style.UP},
        "decreasing": {"line": {"color": style.DOWN, "width": 1.2}, "fillcolor": style.DOWN},
        "name": words(name),
    }


def money_axis(currency: str, low: float, high: float, most: int = 6) -> dict[str, Any]:
    """Marks of a price axis between two prices, written as prices are, and how the pointer's numbers are."""
    prefix = formats.money(0, currency).replace("0.00", "")
    rough = (high - low) / most or abs(high) or 1.0
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(decade * factor for factor in (1, 2, 2.5, 5, 10, 20) if decade * factor >= rough * 0.999)
    ticks = [math.ceil(low / step) * step + place * step for place in range(most + 1)]
    texts = {formats.money(tick, currency): tick for tick in ticks if tick <= high}
    decimals = ",.0f" if high >= 1000 else ",.2f" if high >= 1 else ",.3r"
    return {
        "tickmode": "array",
        "tickvals": numbers(texts.values()),
        "ticktext": list(texts),
        "tickprefix": prefix,  # of the pointer's numbers: texts of marks stand as they are
        "hoverformat": decimals,
    }


def _beyond(value: float) -> str:
    text = formats.percent(value, 0)
    return f"{text} →" if value > 0 else f"← {text}"


def _fitted(known: Sequence[float], *, log: bool, from_zero: bool) -> tuple[float, float]:
    """A range that holds all values with a little room."""
    if not known:
        return (1, 10) if log else (0, 1)
    low, high = min(known), max(known)
    if log:
        low, high = math.log10(low), math.log10(high)
        room = 0.05 * (high - low) or 0.1
        return 10 ** max(low - room, -300), 10 ** min(high + room, 300)
    room = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    if from_zero:
        return (min(low, 0) - (room if low < 0 else 0), max(high, 0) + (room if high > 0 else 0))
    return low - room, high + room


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Round numbers for a log axis, at most eight."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for ladder in LOG_LADDERS:
        steps = (step * 10**decade for decade in decades for step in ladder)
        ticks = [tick for tick in steps if low <= tick <= high]
        if len(ticks) <= 8:
            break
    return {"tickvals": numbers(ticks), "ticktext": [f"{tick:,.15g}" for tick in ticks]}


def _whole_days(traces: Sequence[Trace]) -> dict[str, Any]:
    """The range of dates; a short one gets a mark a day, since half days mean nothing here."""
    dates = [date for trace in traces for date in trace["x"]]
    if not dates:
        return {}
    first, last = pd.Timestamp(min(dates)), pd.Timestamp(max(dates))
    if first == last:
        first, last = first - pd.Timedelta(days=1), last + pd.Timedelta(days=1)
    axis: dict[str, Any] = {"range": days([first, last])}
    return axis | {"dtick": 86_400_000} if (last - first).days <= 8 else axis
