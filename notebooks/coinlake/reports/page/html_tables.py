"""HTML tables, heat maps and sparklines: readable by screen readers, printable, and in both themes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from coinlake.reports.page import formats


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[Markup]], kind: str = "") -> Markup:
    """A table whose first column names the row; cells come from the functions below."""
    rows = [list(row) for row in rows]
    # Words stand left, and so do their headers; numbers stand right.
    left = [part.startswith(('<td class="text"', '<td class="wrap"')) for part in rows[0]] if rows else []
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="text"') if i < len(left) and left[i] else "", header
        )
        for i, header in enumerate(headers)
    )
    body = Markup("\n").join(Markup("<tr>{}</tr>").format(Markup("").join(row)) for row in rows)
    # Scrolls on its own on a phone; a scrolling box must be reachable by the keyboard.
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table class="{kind}">'
        "<caption>{caption}</caption><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    ).format(caption=caption, kind=kind, head=head, body=body)


def name_cell(name: str, symbol: str = "") -> Markup:
    """The row's head: a name and, in small, a symbol; on a phone the symbol stands for both."""
    if not symbol:
        return Markup('<th scope="row">{}</th>').format(name)
    return Markup('<th scope="row"><span class="name">{}</span> <span class="symbol">{}</span></th>').format(
        name, symbol
    )


def cell(text: str | Markup, kind: str = "") -> Markup:
    """A cell with text."""
    return Markup('<td class="{}">{}</td>').format(kind, text) if kind else Markup("<td>{}</td>").format(text)


def change(value: float | None, decimals: int = 1) -> Markup:
    """A change with arrow, sign and colour, as words in a line."""
    text, mark = formats.percent(value, decimals), formats.arrow(value, decimals)
    if not mark:
        return escape(text)
    kind = "up" if mark == "▲" else "down"
    return Markup('<span class="{}"><span class="mark" aria-hidden="true">{}</span>{}</span>').format(
        kind, mark, text
    )


def heat(value: float | None, text: str, full: float) -> Markup:
    """A cell coloured by its value: up in blue, down in orange, in full strength from `full` on."""
    if not formats.is_known(value):
        return Markup('<td class="none">{}</td>').format(text)
    strength = round(min(abs(value) / full, 1.0), 3)
    kind = "heat up" if value >= 0 else "heat down"
    return Markup('<td class="{}" style="--k:{}">{}</td>').format(kind, f"{strength:g}", text)


class Line(NamedTuple):
    """A small line without axes: `up` if it ends at or above its start, else `down`; an SVG path, and its end."""

    kind: str
    path: str
    end: tuple[str, str]


def line(values: Iterable[float | None], width: int = 110, height: int = 24) -> Line | None:
    """The line through the values that are known, in a box of pixels; None where there are fewer than two."""
    listed = list(values)
    points = [(i, float(value)) for i, value in enumerate(listed) if formats.is_known(value)]
    if len(points) < 2:
        return None
    lowest = min(value for _, value in points)
    span = (max(value for _, value in points) - lowest) or 1.0
    step = (width - 6) / (len(listed) - 1)
    places = [
        (f"{2 + i * step:.1f}", f"{height - 3 - (value - lowest) / span * (height - 6):.1f}")
        for i, value in points
    ]
    kind = "up" if points[-1][1] >= points[0][1] else "down"
    return Line(kind, "M" + "L".join(f"{x} {y}" for x, y in places), places[-1])


def sparkline(values: Iterable[float | None], width: int = 110, height: int = 24, neutral: bool = False) -> Markup:
    """A small line without axes: blue if it ends at or above its start, orange below; decoration only.

    A `neutral` one is grey: more is neither better nor worse.
    """
    drawn = line(values, width, height)
    if drawn is None:
        return Markup("")
    kind = "neutral" if neutral else drawn.kind
    return Markup(
        '<svg class="spark {}" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true">'
        '<path d="{}"/><circle cx="{}" cy="{}" r="2"/></svg>'
    ).format(kind, width, height, width, height, drawn.path, *drawn.end)
