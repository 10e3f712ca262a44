"""The OpenLineage events of a lake as one page: which notebook read and wrote what.

One HTML file with one SVG, styles inside, no script and no request to anywhere.
"""

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coinlake import schema
from coinlake.errors import CoinlakeError

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 248, 30, 84, 12, 24
LONGEST = 32
STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c2333; --paper: #ffffff; --line: #9aa4b8; --data: #e8eef9; --step: #fdf1dc;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9f0; --paper: #12161f; --line: #5b667d; --data: #1f2a3f; --step: #3a2f1b; }
}
body { margin: 24px; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
.wide { overflow-x: auto; }
h1 { line-height: 1.2; }
svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
svg rect { stroke: var(--line); } svg .data { fill: var(--data); } svg .step { fill: var(--step); }
svg path { fill: none; stroke: var(--line); stroke-width: 1.3; }
table { border-collapse: collapse; } td, th { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; }
"""


@dataclass(frozen=True)
class Event:
    """One notebook's part of a run: what it read and wrote."""

    step: str
    time: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def events(lake: Path, run_id: str = "") -> tuple[str, list[Event]]:
    """The run and its events, in the order of the steps; the newest run when none is named.

    Raises CoinlakeError when the lake has no lineage, or no such run.
    """
    folder = lake / "lineage"
    runs = sorted((path for path in folder.glob("*") if path.is_dir()), key=_newest)
    if not runs:
        raise CoinlakeError(f"There is no lineage in {folder}. Run the pipeline first: coinlake run")
    chosen = folder / run_id if run_id else runs[-1]
    if chosen not in runs:
        raise CoinlakeError(f"{folder} has no run {run_id}. The newest is {runs[-1].name}.")
    return chosen.name, [_event(path) for path in sorted(chosen.glob("*.json"))]


def page(run_id: str, events: Iterable[Event]) -> str:
    """The page of one run."""
    events = list(events)
    described = {table.qualified_name: table.comment for table in schema.TABLES}
    rows = "\n".join(
        f"<tr><td>{html.escape(event.step)}</td><td>{_names(event.inputs)}</td><td>{_names(event.outputs)}</td></tr>"
        for event in events
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Lineage of run {html.escape(run_id)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Where the data of this run comes from</h1>\n"
        f"<p>Run {html.escape(run_id)}: {len(events)} notebooks. Blue boxes are data, yellow ones notebooks; rest "
        f'on a box to read what it holds.</p>\n<div class="wide">\n{_graph(events, described)}\n</div>\n'
        '<h2>The same as a table</h2>\n<div class="wide">\n<table>\n'
        f"<tr><th>Notebook</th><th>Reads</th><th>Writes</th></tr>\n{rows}\n</table>\n</div>\n</body>\n</html>\n"
    )


def columns(events: Iterable[Event]) -> dict[str, int]:
    """Every node -> its column: data stands right of what writes it, a step right of what it reads.

    A table that a step both reads and writes stands where the first step that writes it puts it; data that no
    earlier step of this run has written stands just left of the first step that reads it.
    """
    place: dict[str, int] = {}
    for event in events:
        step = f"step {event.step}"
        read = [f"data {name}" for name in event.inputs if name not in event.outputs]
        place[step] = 1 + max((place[name] for name in read if name in place), default=0)
        for name in read:
            place.setdefault(name, place[step] - 1)
        for name in event.outputs:
            place.setdefault(f"data {name}", place[step] + 1)
    return place


def _graph(events: list[Event], described: dict[str, str]) -> str:
    place = columns(events)
    rows: dict[int, int] = {}
    corner = {}
    for node, column in place.items():
        row = rows.get(column, 0)
        rows[column] = row + 1
        corner[node] = (MARGIN + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y))
    width = 2 * MARGIN + max(rows) * (BOX_WIDTH + GAP_X) + BOX_WIDTH
    height = 2 * MARGIN + max(rows.values()) * (BOX_HEIGHT + GAP_Y)
    lines = [_line(corner[a], corner[b]) for a, b in _edges(events)]
    boxes = [_box(node, *corner[node], described) for node in place]
    label = "Graph of notebooks and the data they read and write"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">\n' + "\n".join([*lines, *boxes]) + "\n</svg>"
    )


def _edges(events: Iterable[Event]) -> list[tuple[str, str]]:
    found = []
    for event in events:
        found += [(f"data {name}", f"step {event.step}") for name in event.inputs if name not in event.outputs]
        found += [(f"step {event.step}", f"data {name}") for name in event.outputs]
    return list(dict.fromkeys(found))


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT / 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT / 2
    bend = GAP_X / 2
    return f'<path d="M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"/>'


def _box(node: str, x: int, y: int, described: dict[str, str]) -> str:
    kind, _, name = node.partition(" ")
    shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    title = html.escape(f"{name}: {described[name]}" if name in described else name)
    return (
        f'<g><title>{title}</title><rect class="{kind}" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
        f'rx="5"/><text x="{x + 10}" y="{y + 20}">{html.escape(shown)}</text></g>'
    )


def _event(path: Path) -> Event:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Event(
        step=document["job"]["name"],
        time=document["eventTime"],
        inputs=tuple(entry["name"] for entry in document["inputs"]),
        outputs=tuple(entry["name"] for entry in document["outputs"]),
    )


def _newest(run: Path) -> tuple[str, str]:
    times = [_event(path).time for path in run.glob("*.json")]
    return max(times, default=""), run.name


def _names(names: Iterable[str]) -> str:
    return "<br>".join(html.escape(name) for name in names)
