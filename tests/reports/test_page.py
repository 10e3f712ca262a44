"""The page: complete, offline, repeatable, the same by both ways, and honest about whose data it shows."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest
from markupsafe import escape

from coinlake.errors import CoinlakeError
from coinlake.reports.data import freshness
from coinlake.reports.page import page
from coinlake_ops import cli, notebooks, rendering
from coinlake_ops.project import ROOT
from tests.support import executed, gold_frames
from tests.support.built_reports import BUILT_AT, MODULES, built

pytestmark = pytest.mark.slow

BUNDLE_SHA256 = "55655d938260f1d0ffcc92e1aa5347a2e7fead4559eac23e76e08fcdbe495a51"


class Elements(HTMLParser):
    """All start tags of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def without_plotly(html):
    return html.replace(page.plotly_js(), "")


@pytest.mark.parametrize("name", MODULES)
def test_every_section_says_what_it_found_and_where_it_comes_from(reports, name):
    report = reports[name]
    html = re.sub(r'<script type="application/json" id="ranges">.*?</script>', "", report.html(), flags=re.S)
    ids = [attributes["id"] for _, attributes in Elements(html).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawn = [section for section in report.sections.values() if section.figure]
    assert len(re.findall('<div class="pl(?:ot|ain)[ "]', html)) == len(drawn) == html.count("Show the numbers")
    for section in report.sections.values():
        assert not section.missing
        assert section.finding and section.subtitle
        assert "<table" in section.table
        assert f'<a href="#{section.key}">' in html
    said = f"<dt>Source</dt><dd>{dict(report.sources)['Source']}</dd>"
    assert html.count(said) == 1
    for section in drawn:
        assert re.search(r"\d", section.alt), section.key


@pytest.mark.parametrize("name", MODULES)
def test_the_page_needs_nothing_else(reports, name):
    html = reports[name].html()
    policy = next(
        a["content"] for a in Elements(html).all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    own = without_plotly(html)
    assert not re.search(r"\ssrc=|@import|url\(|fetch\(|XMLHttpRequest|<link|<iframe", own)
    outside = {a["href"] for a in Elements(own).all("a") if not a["href"].startswith("#")}
    beside = {"index.html", "coins.html", "market_trends.html", "price_averages.html", "pipeline_health.html"}
    assert outside - beside <= {"https://www.coingecko.com"}
    assert len(own) < 600_000


@pytest.mark.parametrize("name", MODULES)
def test_a_page_of_25_coins_stays_below_its_size(name):
    tables = gold_frames.gold(coins=25, copies={"dogecoin": "bitcoin"})
    size = 200_000 if name == "pipeline_health" else 1_500_000
    assert len(built(name, tables).html().encode()) < size


def test_a_page_without_charts_is_small_and_carries_no_chart_library():
    html = built("market_trends", gold_frames.empty()).html()
    assert page.plotly_js() not in html
    assert len(html) < 60_000


@pytest.mark.parametrize("name", MODULES)
def test_two_builds_and_both_ways_give_the_same_bytes(reports, tables, tmp_path, name):
    again = built(name, tables)
    assert again.html() == reports[name].html()
    rendered = rendering.render(executed.written(again, tmp_path / "n.ipynb"), tmp_path / "reports" / "n.html")
    assert rendered.read_text(encoding="utf-8") == again.html()
    assert "A lesson that stays" not in again.html() and "not answered yet" not in again.html()


def test_the_chart_library_is_the_one_that_was_checked():
    bundle = ROOT / "reports" / "assets" / page.PLOTLY_BUNDLE
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() == BUNDLE_SHA256
    assert "MIT License" in bundle.with_name("plotly-finance-2.35.2.LICENSE.txt").read_text()


def test_prose_joins_the_page_only_with_the_tag(reports, tmp_path):
    import nbformat
    from nbformat.v4 import new_markdown_cell

    notebook = executed.notebook(reports["pipeline_health"])
    notebook.cells.insert(2, new_markdown_cell("A *remark* for readers", metadata={"tags": ["page"]}))
    nbformat.write(notebook, tmp_path / "n.ipynb")
    html = rendering.render(tmp_path / "n.ipynb", tmp_path / "n.html").read_text(encoding="utf-8")
    assert '<div class="prose"><p>A <em>remark</em> for readers</p></div>' in html


def test_a_notebook_that_failed_gives_no_page(tmp_path):
    import nbformat
    from nbformat.v4 import new_notebook

    nbformat.write(new_notebook(), tmp_path / "n.ipynb")
    with pytest.raises(CoinlakeError, match=r"n\.ipynb: These parts hold no opening of a report"):
        rendering.render(tmp_path / "n.ipynb", tmp_path / "n.html")
    assert not (tmp_path / "n.html").exists()


def test_a_figure_is_shown_under_its_title_and_above_its_caption_and_table(reports):
    report = reports["market_trends"]
    section = report.sections["drawdown"]
    figure, below = report.show("drawdown").outputs()
    assert figure["text/plain"] == below["text/plain"] == repr(report.show("drawdown")) == section.finding
    assert figure[page.PLOTLY_MIME]["layout"]["title"]["text"] == section.finding
    assert figure[page.PLOTLY_MIME]["data"] == section.figure["data"]
    assert section.finding in figure["text/html"]
    assert str(escape(section.alt)) in figure["text/html"]
    assert page.PLOTLY_MIME not in below
    for words in (str(escape(section.subtitle)), section.table):
        assert words in below["text/html"]
    assert "<h2" not in below["text/html"]
    json.dumps([figure, below], allow_nan=False)
    with pytest.raises(CoinlakeError, match=r"no section 'drawdwon'\. There are: performance, ranking, drawdown"):
        report.show("drawdwon")


def test_what_has_no_figure_is_shown_in_one_piece(reports):
    [shown] = reports["market_trends"].show("months").outputs()
    section = reports["market_trends"].sections["months"]
    assert page.PLOTLY_MIME not in shown
    for words in (section.finding, section.table):
        assert words in shown["text/html"]


def test_a_notebook_gets_each_output_once_and_no_formula(reports, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    part = reports["market_trends"].show("drawdown")
    part._ipython_display_()
    assert shown == [(output, True) for output in part.outputs()]
    for report in reports.values():
        for piece in (report.opening(), *map(report.show, report.sections), report.closing()):
            for output in piece.outputs():
                # JupyterLab sets what stands between dollar signs as mathematics, but not in here.
                assert '<div class="rep mathjax_ignore">' in output["text/html"]


def test_names_cannot_become_markup(tables):
    coins = tables["dim_coin"].copy()
    coins.loc[coins["coin_id"] == "bitcoin", ["name", "symbol"]] = ["<script>alert(1)</script>", "</script><b>"]
    html = built("market_trends", tables | {"dim_coin": coins}).html()
    assert "<script>alert" not in html
    assert "</script><b>" not in html


def texts(value):
    """Every text inside of dictionaries and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


@pytest.mark.parametrize("name", MODULES)
def test_unseen_characters_of_names_are_shown_nowhere(name, tables):
    coins, steps, market = (tables[table].copy() for table in ("dim_coin", "run_steps", "market_daily"))
    unseen = "\0\a\b\x1b\r\x7f\x9b\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"
    coins["name"], coins["symbol"] = coins["name"] + unseen + "x", unseen
    steps["message"], market["fear_greed_classification"] = unseen + "x", "Greed" + unseen
    report = built(name, tables | {"dim_coin": coins, "run_steps": steps, "market_daily": market})
    parts = [report.opening(), *map(report.show, report.sections), report.closing()]
    shown = [report.html(), *texts([part.outputs() for part in parts])]
    assert {character for text in shown for character in set(text) & set(unseen)} == set()


@pytest.mark.parametrize(
    ("source", "state", "word", "title"),
    [
        ("simulated", "sample", "Simulated market, not real prices.", "Market trends (simulated market)"),
        ("replay", "sample", "Recorded data, not live.", "Market trends (recorded data)"),
        ("live", "fresh", "Fresh: the last day closed 14 h ago, promised are 26 h.", "Market trends"),
    ],
)
def test_the_page_says_whose_market_it_is(source, state, word, title):
    report = built("market_trends", gold_frames.gold(coins=3, days=60, source=source))
    html = report.html()
    assert (report.banner.state, report.banner.word, report.title) == (state, word, title)
    assert f"<title>{title}</title>" in html
    assert f'<meta name="coinlake-source" content="{source}">' in html
    assert ("Simulated market" in report.kicker) == (source == "simulated")
    assert ("Data provided by" in html) == (source != "simulated")
    assert ('data-closes="2026-08-12T00:00:00+00:00"' in html) == (source == "live")


def test_one_simulated_answer_makes_everything_simulated():
    usage = pd.DataFrame({"source": ["live", "simulated", "replay"]})
    assert freshness.origin(usage) == "simulated"
    assert freshness.origin(usage[usage["source"] != "simulated"]) == "replay"
    assert freshness.origin(usage.iloc[:0]) == "unknown"


@pytest.mark.parametrize(
    ("hours", "state"), [(25, "fresh"), (26, "fresh"), (27, "late"), (52, "late"), (53, "stale"), (None, "empty")]
)
def test_freshness_turns_at_the_promise(hours, state):
    assert freshness.state_of(hours, 26.0) == state
    if hours is not None:
        day = pd.Timestamp("2026-08-11")
        now = datetime(2026, 8, 12, tzinfo=UTC) + timedelta(hours=hours)
        assert freshness.banner("live", day, 26.0, now, []).state == state


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("market_trends", "No two days of prices yet: there is no trend to report"),
        ("price_averages", "No prices to average yet"),
        ("pipeline_health", "No pipeline run is recorded yet"),
    ],
)
def test_empty_gold_gives_a_page_that_says_so(name, headline):
    report = built(name, gold_frames.empty())
    html = report.html()
    assert headline in html
    assert "No data yet." in html or "No run yet." in html
    assert "Not drawn yet" in html
    assert all(str(escape(section.missing or section.finding)) in html for section in report.sections.values())
    for key in report.sections:
        assert repr(report.show(key)) == (report.sections[key].missing or "No record is in quarantine")


@pytest.mark.parametrize("days", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("name", ["market_trends", "price_averages"])
def test_young_markets_have_pages_too(name, days):
    report = built(name, gold_frames.gold(coins=4, days=days, fear_greed=False))
    html = report.html()
    assert not re.search(
        r"\b(nan|NaN|NaT|inf|None(?! of))\b", re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    )
    for section in report.sections.values():
        assert section.missing or section.finding


def test_a_coin_of_three_days_among_old_ones_shows_what_is_known(reports):
    movers = reports["market_trends"].sections["movers"].table
    (row,) = re.findall(r"<tr><th[^>]*><span class=\"name\">Pepe.*?</tr>", movers)
    assert row.count("n/a") == 4  # 7, 30 and 90 days, volatility
    assert "1 newer coin starts later." in reports["market_trends"].sections["performance"].subtitle
    table = reports["price_averages"].sections["table"].table
    (row,) = re.findall(r"<tr><th[^>]*><span class=\"name\">Pepe.*?</tr>", table)
    assert "····" in row


def test_readme_headlines_are_the_pages_headlines(reports, tmp_path):
    run = tmp_path / "lake" / "runs" / "r1"
    for notebook, name in notebooks.REPORTS.items():
        executed.written(reports[name], run / f"{notebook}.ipynb")
    assert (
        cli.main(["report", "--lake", str(tmp_path / "lake"), "--to", str(tmp_path / "out"), "--no-pictures"]) == 0
    )
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "> **Simulated market, not real prices.**" in text
    for name, report in reports.items():
        html = (tmp_path / "out" / f"{name}.html").read_text(encoding="utf-8")
        assert (
            html == (tmp_path / "lake" / "reports" / f"{name}.html").read_text(encoding="utf-8") == report.html()
        )
        assert f"| {report.headline} |" in text
        assert f"**{report.headline}.** {report.lead}" in text


@pytest.mark.browser
def test_pictures_are_small_in_both_themes_and_stand_in_the_readme(reports, tmp_path):
    pytest.importorskip("kaleido", reason="kaleido draws the pictures")
    path = executed.written(reports["pipeline_health"], tmp_path / "n.ipynb")
    readme = rendering.publish({"pipeline_health": path}, tmp_path / "out")
    pictures = sorted(picture.name for picture in (tmp_path / "out" / "img").iterdir())
    assert pictures == [
        f"pipeline_health_{key}_{theme}.svg" for key in ("durations", "timeline") for theme in ("dark", "light")
    ]
    for picture in pictures:
        svg = (tmp_path / "out" / "img" / picture).read_text(encoding="utf-8")
        assert len(svg) < 94_000
        assert f"img/{picture}" in readme.read_text(encoding="utf-8")
        assert ("rgb(20, 24, 29)" in svg) == picture.endswith("dark.svg")


def test_findings_stand_beside_the_pages_and_one_page_leads_to_all(reports, tmp_path):
    for name, report in reports.items():
        rendering.render(executed.written(report, tmp_path / f"{name}.ipynb"), tmp_path / "out" / f"{name}.html")
    told = json.loads((tmp_path / "out" / "market_trends.json").read_text(encoding="utf-8"))
    report = reports["market_trends"]
    assert told == {
        "report": "market_trends",
        "title": "Market trends (simulated market)",
        "source": "simulated",
        "built_at": "2026-08-12T14:22:00Z",
        "headline": report.headline,
        "lead": report.lead,
        "findings": {key: section.finding for key, section in report.sections.items()},
    }
    start = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    links = [a["href"] for a in Elements(start).all("a")]
    assert links == [f"{name}.{kind}" for name in MODULES for kind in ("html", "json")]
    assert all(str(escape(one.headline)) in start for one in reports.values())
    assert start.count("Built 12 Aug 2026 14:22 UTC") == len(reports)
    nav = [a["href"] for a in Elements(report.html()).all("a") if a["href"].endswith(".html")]
    assert nav == ["index.html", "coins.html", "market_trends.html", "price_averages.html", "pipeline_health.html"]


def test_pages_that_are_rendered_side_by_side_share_their_start_page(reports, tmp_path):
    def render(name):
        return rendering.render(tmp_path / f"{name}.ipynb", tmp_path / "out" / f"{name}.html")

    for name, report in reports.items():
        executed.written(report, tmp_path / f"{name}.ipynb")
    with ThreadPoolExecutor(max_workers=3) as pool:
        assert [page.stem for page in pool.map(render, reports)] == list(reports)
    start = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert [a["href"] for a in Elements(start).all("a")][::2] == [f"{name}.html" for name in MODULES]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["index.html", *(f"{name}.{kind}" for name in MODULES for kind in ("html", "json"))]
    )


def test_without_a_run_the_command_says_what_to_do(tmp_path, capsys):
    assert cli.main(["report", "--lake", str(tmp_path)]) == 1
    assert "Try `coinlake run`." in capsys.readouterr().err


def test_a_key_can_be_taken_once(reports):
    report = built("pipeline_health", gold_frames.empty())
    with pytest.raises(ValueError, match="has a section flow already"):
        report.add(report.sections["flow"])


def test_the_build_time_is_the_only_thing_that_time_changes(gold):
    module = MODULES["market_trends"]
    one, other = (
        module.build(gold["market_trends"], built_at=BUILT_AT + timedelta(hours=hours)).html() for hours in (0, 1)
    )
    assert one != other
    assert one == other.replace("12 Aug 2026 15:22 UTC", "12 Aug 2026 14:22 UTC")
