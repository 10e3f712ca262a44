"""A report: cards, banner and sections, shown piece by piece in a notebook or as one page that opens offline.

A notebook shows the pieces (`report.opening()`, `report.show("drawdown")`, `report.closing()`). Each comes in
several forms: plotly's JSON for JupyterLab, HTML for viewers without it, text for a terminal, and the piece of the
page itself under PART_MIME. nbconvert puts the last into the page (templates/report/index.html.j2);
`report.html()` makes the same page, to the byte, where there is no nbconvert, as on Databricks with `displayHTML`.
"""

import base64
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from coinlake import instants, project_files
from coinlake.errors import CoinlakeError
from coinlake.reports.page import charts, formats, plain_charts, style

Value = TypeVar("Value")

TEMPLATES = Path(__file__).with_name("templates")
PART_MIME = "application/vnd.coinlake.part+json"
PLOTLY_MIME = "application/vnd.plotly.v1+json"
PLOTLY_BUNDLE = "plotly-finance-2.35.2.min.js"

# The pages that stand in one folder, by file name without its ending.
PAGES = {
    "index": "All reports",
    "coins": "Coins",
    "market_trends": "Market trends",
    "price_averages": "Price averages",
    "pipeline_health": "Pipeline health",
}

NEWS = 12  # events in a list of the start page

SLA_HOURS = 26.0  # when the table freshness does not say: a day and what a run needs


@dataclass(frozen=True)
class Banner:
    """What stands below the headline: a state for the colour, a word in bold, and the facts.

    For live data the page states the age anew whenever it is opened: how long ago `closed` was, at `closes_at`,
    against `sla_hours`. It never calls itself fresher than it was built.
    """

    state: str
    word: str
    text: str
    closes_at: datetime | None = None
    sla_hours: float = SLA_HOURS
    closed: str = "the last day closed"


@dataclass(frozen=True)
class Card:
    """One number at the top: its label, the value, a note below and a sparkline."""

    label: str
    value: str
    note: str | Markup = ""
    spark: str | Markup = ""


@dataclass(frozen=True)
class Section:
    """One finding and what it rests on: a figure with its table behind it, or a table alone.

    `finding` is computed, at most 75 characters; `subtitle` says what is drawn, its unit and its universe;
    `source` is what its numbers have beyond the page's own; `alt` tells the figure's values to who cannot see it;
    `missing` says why there is nothing to draw; `data` is what the page's own script draws from, as JSON.
    `query` is SQL that gives the figure's rows from gold, `tables` what it reads.
    """

    key: str
    nav: str
    finding: str
    subtitle: str
    source: str = ""
    alt: str = ""
    figure: charts.Figure | None = None
    table: str | Markup = ""
    wide: bool = True
    missing: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    tables: Sequence[str] = ()


def missing(key: str, nav: str, why: str) -> Section:
    """A section that has nothing to draw yet, and says what it needs."""
    return Section(key=key, nav=nav, finding=f"{nav}: nothing to draw yet", subtitle="", missing=why)


def attempt(otherwise: Value, make: Callable[..., Value], *values: Any) -> Value:
    """What `make` makes of the values; where it fails, `otherwise`, and a warning that says why.

    One coin, or one part of a page, must not take the whole page with it.
    """
    try:
        return make(*values)
    except Exception as problem:
        warnings.warn(f"{make.__name__} failed: {type(problem).__name__}: {problem}", stacklevel=2)
        return otherwise


@dataclass(frozen=True)
class Part:
    """A piece of a report as a notebook shows it: `notebook_html`, and above it the figure if there is one."""

    text: str
    payload: dict[str, Any]
    notebook_html: Markup
    figure: charts.Figure | None = None

    def __repr__(self) -> str:
        return self.text

    def outputs(self) -> list[dict[str, Any]]:
        """What a cell that shows the part has as its outputs: media type -> content.

        Of the forms of one output a notebook shows a single one, so a figure has an output of its own.
        """
        shown = {"text/plain": self.text, "text/html": str(self.notebook_html)}
        if not self.figure:
            return [shown | {PART_MIME: self.payload}]
        # Where no plotly figure can be shown, its title and what it says are.
        told = _in_notebook(_render("told", finding=self.text, alt=self.payload["alt"]))
        figure = {
            "text/plain": self.text,
            "text/html": str(told),
            PLOTLY_MIME: self.figure,
            PART_MIME: self.payload,
        }
        return [figure, shown]

    def _ipython_display_(self) -> None:
        # Whoever asks for this has IPython; a page that is made without a notebook need not wait for it.
        from IPython.display import display

        for output in self.outputs():
            display(output, raw=True)


@dataclass
class Report:
    """A report: what is at its top, its sections by key, and where its numbers come from.

    `kicker` is the line above the headline, `now` says what is known since the last close; `sources` are pairs
    of label and text.
    `ranges` hold the same report over its last days only, by their number: the sections that look back on a
    period, which the page shows when the reader chooses that range. The charts of a `plain` page need no script.
    `script` is the file below templates/ of a page that draws by itself. `news` are events up to the instant
    `as_of`, newest first, for the start page: at, coin_id, told. `versions` are those of the tables, by full name.
    """

    name: str
    title: str
    origin: str
    kicker: Sequence[str]
    headline: str
    lead: str
    banner: Banner
    cards: Sequence[Card]
    sources: Sequence[tuple[str, str | Markup]]
    built_at: datetime
    now: str = ""
    sections: dict[str, Section] = field(default_factory=dict)
    ranges: dict[int, "Report"] = field(default_factory=dict)
    plain: bool = False
    script: str = ""
    news: Sequence[Mapping[str, str]] = ()
    as_of: datetime | None = None
    versions: Mapping[str, int] = field(default_factory=dict)

    def add(self, section: Section) -> None:
        """Append a section; raises ValueError when its key is taken."""
        if section.key in self.sections:
            raise ValueError(f"Report {self.name} has a section {section.key} already.")
        self.sections[section.key] = section

    def attempt(self, key: str, nav: str, make: Callable[..., Section], *values: Any) -> None:
        """Append the section that `make` makes of the values; one that fails says so and ends no report."""
        unable = missing(key, nav, "It could not be drawn from what gold holds; the notebook says why.")
        section = attempt(unable, make, *values)
        self.add(section if attempt(None, self._chart, section) is not None else unable)

    def opening(self) -> Part:
        """Headline, banner and cards."""
        payload: dict[str, Any] = {
            "part": "opening",
            "name": self.name,
            "title": self.title,
            "origin": self.origin,
            "built_at": f"{self.built_at:%Y-%m-%dT%H:%M:%SZ}",
            "headline": self.headline,
            "lead": self.lead,
            "script": self.script,
            "news": list(self.news),
            "as_of": f"{self.as_of:%Y-%m-%dT%H:%M:%SZ}" if self.as_of else "",
            "html": _render("opening", report=self),
        }
        payload["ranges"] = self._other_ranges(payload, lambda report: report.opening())
        shown = Markup("<style>{}</style>").format(Markup(_css())) + _in_notebook(payload["html"])
        return Part(f"{self.headline}\n{self.lead}", payload, shown)

    def show(self, key: str) -> Part:
        """One section by its key. Raises CoinlakeError when there is none of this name."""
        if key not in self.sections:
            raise CoinlakeError(
                f"Report {self.name} has no section {key!r}. There are: {', '.join(self.sections)}."
            )
        section = self.sections[key]
        payload: dict[str, Any] = {
            "part": "section",
            "key": key,
            "nav": section.nav,
            "finding": section.finding,
            "alt": section.alt,
            "missing": section.missing,
            "html": _render("section", section=section, chart=self._chart(section), read=self._read(section)),
        }
        payload["ranges"] = self._other_ranges(
            payload, lambda report: report.show(key) if key in report.sections else None
        )
        titled = section.figure and style.merged(
            section.figure,
            {
                "layout": {
                    "title": {"text": charts.words(section.finding), "font": {"size": 17}},
                    "margin": {"t": section.figure["layout"]["margin"]["t"] + 44},
                    "height": section.figure["layout"]["height"] + 44,
                }
            },
        )
        below = "caption" if section.figure else "section"
        shown = _in_notebook(_render(below, section=section, chart="", read=self._read(section)))
        return Part(section.missing or section.finding, payload, shown, titled)

    def _chart(self, section: Section) -> Markup:
        """The figure of a section as its page holds it, or the data for one; empty when it has neither."""
        if not section.figure:
            return _chart("data", key=section.key, data=_json(section.data)) if section.data else Markup("")
        if self.plain:
            return _chart("plain", section=section, drawing=plain_charts.drawn(section.figure))
        return _chart("plot", section=section, figure_json=_json(charts.short(section.figure)))

    def _read(self, section: Section) -> str:
        """The tables that a section's query reads, with the versions that the page was made of."""
        names = [f"aggregated_data.{table}" for table in section.tables]
        return ", ".join(
            f"{name}, version {self.versions[name]}" if name in self.versions else name for name in names
        )

    def closing(self) -> Part:
        """Where the numbers come from."""
        payload = {"part": "closing", "html": _render("closing", report=self)}
        text = "\n".join(f"{label}: {Markup(words).striptags()}" for label, words in self.sources)
        return Part(text, payload, _in_notebook(payload["html"]))

    def whole(self) -> Part:
        """All parts as one: a notebook shows the opening, and the page is made of its payload's `parts`."""
        parts = [self.opening(), *(self.show(key) for key in self.sections), self.closing()]
        payload = {"part": "whole", "parts": [part.payload for part in parts]}
        return Part(parts[0].text, payload, parts[0].notebook_html)

    def _other_ranges(
        self, payload: Mapping[str, Any], part_of: Callable[["Report"], Part | None]
    ) -> dict[str, str]:
        """The HTML of a part in each range where it is another: days as text -> HTML."""
        parts = {str(days): part_of(report) for days, report in self.ranges.items()}
        return {
            days: part.payload["html"]
            for days, part in parts.items()
            if part is not None and part.payload["html"] != payload["html"]
        }

    def html(self) -> str:
        """The whole page as one file that needs nothing else.

        On Databricks, `displayHTML(report.html())` shows it below a cell (not verified on a workspace).
        """
        return document(self.whole().payload["parts"])


def document(parts: Sequence[Mapping[str, Any]]) -> str:
    """The page around the parts of one report; a part `prose` holds HTML alone."""
    return _environment().get_template("page.html.j2").render(page=context(parts))


def findings(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a page says, as data: report, title, source, built_at, headline, lead, and each section's finding."""
    opening = next(part for part in parts if part["part"] == "opening")
    sections = {
        part["key"]: part["finding"] for part in parts if part["part"] == "section" and not part["missing"]
    }
    return {
        "report": opening["name"],
        "title": opening["title"],
        "source": opening["origin"],
        **{name: opening[name] for name in ("built_at", "headline", "lead")},
        "findings": sections,
        **({name: opening[name] for name in ("as_of", "news")} if opening["as_of"] else {}),
    }


def start_page(found: Sequence[Mapping[str, Any]]) -> str:
    """The page from which a folder of reports is read, from what `findings` gives of each.

    What a report knows as news stands there in two lists: what happened after `since`, the instant up to which the
    page before knew of events, and what else happened in the week.
    """
    order = list(PAGES)
    pages = [
        page | {"built": formats.instant(instants.parse(page["built_at"]))}
        for page in sorted(map(dict, found), key=lambda page: order.index(page["report"]))
    ]
    known: dict[str, Any] = next((page for page in pages if page.get("news")), {})
    since = known.get("since", "")
    told = [one | {"when": formats.instant(instants.parse(one["at"]))} for one in known.get("news", [])]
    new = [one for one in told if since and one["at"] > since]
    earlier = [one for one in told if not (since and one["at"] > since)]
    changed = {"In the seven days before" if since else "In the last seven days": earlier}
    if since:
        changed = {f"Since the page before, of {formats.instant(instants.parse(since))}": new} | changed
    return (
        _environment()
        .get_template("start.html.j2")
        .render(pages=pages, changed=changed if told else {}, most=NEWS, css=_css())
    )


def live_page(title: str, origin_word: str, *, every: float) -> str:
    """The page of the market now: empty until the stream that it listens to fills it, /events beside its address.

    `origin_word` says whose prices these are, empty for live ones; `every` are the seconds between two turns.
    """
    script = _text("live.js")
    return (
        _environment()
        .get_template("live.html.j2")
        .render(
            title=title,
            origin_word=origin_word,
            every=f"{every:g}",
            css=_css() + _text("live.css"),
            script=script,
            policy=_policy([script]) + "; connect-src 'self'",
        )
    )


def context(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What templates/page.html.j2 needs to put the parts into a page.

    Raises CoinlakeError when the parts do not begin with a report's opening.
    """
    opening = next((part for part in parts if part["part"] == "opening"), None)
    if opening is None:
        raise CoinlakeError(
            "These parts hold no opening of a report, so there is no page. "
            "Show report.opening() in a cell tagged page, and execute the notebook."
        )
    sections = [part for part in parts if part["part"] == "section"]
    drawn = [part for part in sections if not part["missing"]]
    ranges: dict[str, dict[str, str]] = {}
    for key, part in [("opening", opening), *((part["key"], part) for part in drawn)]:
        for days, html in part["ranges"].items():
            ranges.setdefault(days, {})[key] = html
    scripts = {"page": _text("report.js")}
    if opening["script"]:
        scripts["own"] = _text(opening["script"])
    if any('class="plot' in part["html"] for part in drawn):
        scripts["plotly"] = plotly_js()
    return {
        "opening": opening,
        "body": [part for part in parts if part["part"] != "opening" and not part.get("missing")],
        "drawn": drawn,
        "missing": [part for part in sections if part["missing"]],
        "scripts": {name: Markup(script) for name, script in scripts.items()},
        "policy": _policy(scripts.values()),
        "css": Markup(_css()),
        "palette": Markup(_json(style.TO_DARK)),
        "layout": Markup(_json(style.layout())),
        "pages": PAGES,
        "ranges": list(ranges),
        "ranges_json": _json(ranges),
    }


@cache
def plotly_js() -> str:
    """plotly.js: the finance bundle of this repository, or the full one of the plotly package elsewhere."""
    bundle = project_files.path(f"reports/assets/{PLOTLY_BUNDLE}")
    if bundle.exists():
        return bundle.read_text(encoding="utf-8")
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _policy(scripts: Any) -> str:
    """The page's Content-Security-Policy: no request at all, and no script but these."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:"


def _chart(macro: str, **values: Any) -> Markup:
    return Markup(_render(macro, **values))


def _render(macro: str, **values: Any) -> str:
    return str(getattr(_environment().get_template("parts.html.j2").module, macro)(**values))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["instant"] = formats.instant
    environment.filters["words"] = lambda text: Markup(charts.words(text))
    return environment


def _in_notebook(html: str) -> Markup:
    # JupyterLab would set what stands between two dollar signs as a formula.
    return Markup('<div class="rep mathjax_ignore">{}</div>').format(Markup(html))


@cache
def _css() -> str:
    return _variables() + _text("report.css")


def _variables() -> str:
    """The colours of both themes as CSS variables."""
    light, dark = ("".join(f"--{name}:{pair[theme]};" for name, pair in style.COLOURS.items()) for theme in (0, 1))
    dark += "--card:#1c222a;--mix:42%;color-scheme:dark;"
    return (
        f".rep{{{light}--card:#f6f8fa;--mix:60%;color-scheme:light}}\n"
        f"@media screen and (prefers-color-scheme:dark)"
        f"{{.rep.page:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{.rep.page[data-theme=dark],body[data-jp-theme-light=false] .rep{{{dark}}}}}\n"
    )


@cache
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _json(value: Any) -> Markup:
    """JSON that can stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c")) if value else Markup("")
