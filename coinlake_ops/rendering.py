"""Renders the pages of the reports from executed notebooks, and reports/README.md with its pictures.

A page holds what the notebook's cells tagged `page` show; code, lesson and exercises stay in the notebook.
"""

import copy
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from coinlake.commit_points import commit_point
from coinlake.errors import CoinlakeError, brought_up_to_date_by
from coinlake.reports.data import freshness
from coinlake.reports.page import (
    PAGES,
    PART_MIME,
    PLOTLY_MIME,
    TEMPLATES,
    context,
    document,
    findings,
    start_page,
    style,
)
from coinlake_ops.notebooks import BESIDE, REPORTS

PICTURES = {
    "market_trends": ("performance", "drawdown"),
    "price_averages": ("bitcoin", "distance"),
    "pipeline_health": ("timeline", "durations"),
}
PICTURE_WIDTH = 880
_START_PAGE = threading.Lock()
TITLE_ROOM = 44  # pixels that a notebook's figure has above the page's, for its title


def render_last_run(lake: Path, to: Path, pictures: bool = True) -> str:
    """Render the reports of a lake's last run into the lake and into the folder `to`; says what it wrote.

    Raises CoinlakeError when no run has executed the report notebooks, or when a picture cannot be drawn.
    """
    executed = last_run(lake)
    for name, notebook in executed.items():
        page = render(notebook, lake / "reports" / f"{name}.html")
        beside = page.with_name(f"{BESIDE.get(notebook.stem)}.html")
        for file in (page, beside) if beside.exists() else (page,):
            for made in (file, file.with_suffix(".json")):
                _write(to / made.name, made.read_text(encoding="utf-8"))
        _write(to / "index.html", page.with_name("index.html").read_text(encoding="utf-8"))
    readme = publish(executed, to, pictures)
    return f"{readme} and {len(executed)} pages, from the run {next(iter(executed.values())).parent.name}"


def render(executed: Path, to: Path) -> Path:
    """Write the page of one executed report notebook to the file `to`, and return it.

    Beside it stand its findings as JSON, the page that the notebook shows beside the report, where it does, and
    index.html, which leads to all pages of the folder.

    Raises CoinlakeError when the notebook shows no report, for example because it failed on the way.
    """
    from nbconvert.exporters import TemplateExporter

    notebook = _read(executed)
    exporter = TemplateExporter(
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        extra_template_paths=[str(TEMPLATES)],
        template_file="index.html.j2",
    )
    # As in coinlake's own environment, so that both ways to the page give the same bytes.
    exporter.environment.trim_blocks = exporter.environment.lstrip_blocks = True
    parts = parts_of(notebook, exporter.environment.filters["markdown2html"])
    page = _context(executed, parts)
    html, _ = exporter.from_notebook_node(notebook, resources={"page": page})
    _write_findings(to, parts)
    for name in BESIDE.values():
        beside = parts_of(notebook, tag=name)
        if beside:
            _write_findings(to.with_name(f"{name}.html"), beside)
            _write(to.with_name(f"{name}.html"), document(beside))
    # Notebooks of one run are rendered side by side, and each writes the start page of their folder.
    with _START_PAGE:
        found = [_read_json(path) for path in _findings_in(to.parent)]
        _write(to.with_name("index.html"), start_page(found))
    return _write(to, html)


def _write_findings(page: Path, parts: Sequence[Mapping[str, Any]]) -> None:
    """The findings of a page as JSON beside it; `since` is up to when the page before it knew of events."""
    found, path = findings(parts), page.with_suffix(".json")
    if "as_of" in found and path.exists():
        before = _read_json(path)
        since = before.get("since" if before.get("as_of") == found["as_of"] else "as_of", "")
        found |= {"since": since} if since else {}
    _write(path, json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def _findings_in(folder: Path) -> list[Path]:
    return [path for name in PAGES if (path := folder / f"{name}.json").exists()]


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _read(executed: Path) -> Any:
    """An executed notebook; raises CoinlakeError, which names what makes it again, where the file was cut."""
    try:
        return nbformat.read(executed, as_version=4)
    except ValueError:
        lake = executed.parents[2]
        raise CoinlakeError(
            f"{executed} is cut or overwritten. The next run executes the notebook again: "
            f"{brought_up_to_date_by(str(lake))}"
        ) from None


def parts_of(notebook: Mapping[str, Any], markdown: Any = None, tag: str = "page") -> list[dict[str, Any]]:
    """What the cells with a tag show, in order: parts of a report, and prose where a text cell has the tag.

    `markdown` turns Markdown into HTML; without it, prose is left out.
    """
    parts = []
    for cell in notebook["cells"]:
        if tag not in cell["metadata"].get("tags", []):
            continue
        if cell["cell_type"] == "markdown" and markdown:
            html = f'<div class="prose">{markdown(cell["source"]).strip()}</div>'
            parts.append({"part": "prose", "html": html})
        for output in cell.get("outputs", []):
            if PART_MIME in output.get("data", {}):
                part = dict(output["data"][PART_MIME])
                parts += part.get("parts", [part | {"figure": output["data"].get(PLOTLY_MIME)}])
    return parts


def last_run(lake: Path) -> dict[str, Path]:
    """The executed report notebooks of the newest run in a lake: report name -> file.

    Raises CoinlakeError when no run has all three.
    """
    runs = [
        folder
        for folder in (lake / "runs").glob("*")
        if all((folder / f"{notebook}.ipynb").exists() for notebook in REPORTS)
    ]
    if not runs:
        raise CoinlakeError(
            f"No run in {lake / 'runs'} has executed the three report notebooks. Try `coinlake run`."
        )
    newest = max(runs, key=lambda folder: max(path.stat().st_mtime for path in folder.glob("*.ipynb")))
    return {name: newest / f"{notebook}.ipynb" for notebook, name in REPORTS.items()}


def publish(executed: Mapping[str, Path], to: Path, pictures: bool = True) -> Path:
    """Write README.md, and the pictures it shows, from executed notebooks; returns the README's path."""
    parts = {name: parts_of(_read(path)) for name, path in executed.items()}
    for name, found in parts.items():
        _context(executed[name], found)
    for notebook in executed.values():
        beside = BESIDE.get(notebook.stem, "")
        if shown := parts_of(_read(notebook), tag=beside):
            parts[beside] = shown
    if pictures:
        for path, figure in _pictures(parts).items():
            draw(figure, to / path)
    return _write(to / "README.md", readme(parts, to))


def readme(parts: Mapping[str, Sequence[Mapping[str, Any]]], to: Path) -> str:
    """The text of reports/README.md: headlines as the pages have them, and the pictures that exist in `to`."""
    openings = {name: next(part for part in found if part["part"] == "opening") for name, found in parts.items()}
    origins = {freshness.ORIGINS[opening["origin"]][0] for opening in openings.values()} - {""}
    lines = ["<!-- Generated by `make report`: do not edit. -->", "# Reports", ""]
    lines += [f"> **{word}**" for word in sorted(origins)] + [""] * bool(origins)
    lines += [
        "Each report is one HTML file that opens without a network. GitHub shows its source instead:",
        "download the file (*Download raw file*), or clone the repository, and open it in a browser.",
        "",
        "| report | says | file |",
        "| --- | --- | ---: |",
    ]
    for name, opening in openings.items():
        page = to / f"{name}.html"
        size = f"{page.stat().st_size / 1e6:.1f} MB" if page.exists() else "not built"
        lines.append(f"| [{_title(opening)}]({name}.html) | {opening['headline']} | {size} |")
    for name, opening in openings.items():
        lines += ["", f"## {_title(opening)}", "", f"**{opening['headline']}.** {opening['lead']}"]
        for part in parts[name]:
            files = [f"img/{name}_{part.get('key')}_{theme}.svg" for theme in ("light", "dark")]
            if part.get("key") in PICTURES.get(name, ()) and all((to / file).exists() for file in files):
                light, dark = files
                lines += [
                    "",
                    f"### {part['finding']}",
                    "",
                    "<picture>",
                    f'  <source media="(prefers-color-scheme: dark)" srcset="{dark}">',
                    f'  <img src="{light}" alt="{_attribute(part["alt"])}" width="{PICTURE_WIDTH}">',
                    "</picture>",
                ]
    lines += [
        "",
        "---",
        "",
        "The pages hold plotly.js 2.35.2 (finance bundle), MIT licence: "
        "[assets/plotly-finance-2.35.2.LICENSE.txt](assets/plotly-finance-2.35.2.LICENSE.txt).",
    ]
    return "\n".join(lines) + "\n"


def draw(figure: Mapping[str, Any], to: Path) -> Path:
    """Write a figure as SVG; kaleido brings the browser that draws it. Raises CoinlakeError without it."""
    import plotly.io

    try:
        svg = plotly.io.to_image(figure, format="svg", width=PICTURE_WIDTH, validate=False)
    except ValueError as error:
        raise CoinlakeError(
            f"The picture {to.name} cannot be drawn: {str(error).strip().splitlines()[0]} "
            "Install the packages of requirements.txt, or use --no-pictures."
        ) from None
    return _write(to, svg.decode("utf-8"))


def _pictures(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Path below the folder -> figure, for each picture in both themes."""
    chosen = {}
    for name, found in parts.items():
        for part in found:
            if part.get("key") in PICTURES.get(name, ()) and part["figure"]:
                # The README's heading says what a notebook's title does.
                figure = copy.deepcopy(part["figure"])
                layout = figure["layout"]
                layout.pop("title", None)
                layout["margin"]["t"] -= TITLE_ROOM
                layout["height"] -= TITLE_ROOM
                chosen[f"img/{name}_{part['key']}_light.svg"] = figure
                chosen[f"img/{name}_{part['key']}_dark.svg"] = style.dark(figure)
    return chosen


def _context(executed: Path, parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    try:
        return context(list(parts))
    except CoinlakeError as error:
        raise CoinlakeError(f"{executed}: {error}") from None


def _title(opening: Mapping[str, Any]) -> str:
    return opening["title"].split(" (")[0]


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _write(path: Path, text: str) -> Path:
    """Write a file whole: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    with commit_point(f"rename {path}"):
        unfinished.replace(path)
    return path
