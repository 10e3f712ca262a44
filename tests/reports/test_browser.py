"""The pages in a browser: every figure drawn, nothing fetched, no word on the console, no sideways scrolling.

Skipped where there is no Chromium. With COINLAKE_AXE set to an axe.min.js, its accessibility rules are asked too.
"""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from coinlake.reports.page import formats
from tests.support import gold_frames
from tests.support.browser import DESKTOP, LOOKS, PHONE
from tests.support.built_reports import MODULES, built

pytestmark = LOOKS


@pytest.fixture(scope="module")
def files(reports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(report.html(), encoding="utf-8")
    tables = gold_frames.gold(coins=6, days=250, young={"dogecoin": 3})
    (folder / "coins.html").write_text(built("coins", tables).html(), encoding="utf-8")
    empty = built("market_trends", gold_frames.empty())
    (folder / "empty.html").write_text(empty.html(), encoding="utf-8")
    return folder


class Visit:
    """One page in one window, with what it asked for and said."""

    def __init__(self, browser, path, at="", **window):
        self.context = browser.new_context(**window)
        self.page = self.context.new_page()
        self.requests, self.said = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(path.as_uri() + at)

    def draw_all(self):
        """Bring each figure into view until it is drawn."""
        for plot in self.page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
            plot.locator(".main-svg").first.wait_for()
        return self.page.locator(".plot:has(.main-svg), .plain").count()

    def js(self, code):
        return self.page.evaluate(code)


@pytest.fixture
def visit(browser, files):
    visits = []

    def open_page(name, at="", **window):
        visits.append(Visit(browser, files / f"{name}.html", at, **({"viewport": DESKTOP} | window)))
        return visits[-1]

    yield open_page
    for one in visits:
        one.context.close()


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", MODULES)
def test_all_figures_are_drawn_and_nothing_is_fetched(visit, reports, name, window):
    seen = visit(name, viewport=window)
    assert seen.draw_all() == sum(section.figure is not None for section in reports[name].sections.values())
    assert seen.requests == [seen.page.url]
    assert seen.said == []
    assert seen.js("document.documentElement.scrollWidth - innerWidth") == 0


CUT = """() => [...document.querySelectorAll('.plot, .plain')].flatMap(plot => {
    const box = plot.getBoundingClientRect();
    return [...plot.querySelectorAll('.annotation-text, .xtick text, .ytick text, .bartext, b, span')]
        .map(text => [text.textContent, text.getBoundingClientRect()])
        .filter(([, r]) => r.width)
        .filter(([, r]) => r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1)
        .map(([text]) => `${plot.id}: ${text}`);
})"""
COVERED = """() => [...document.querySelectorAll('.plot, .row, .lines')].flatMap(plot => {
    const notes = [...plot.querySelectorAll('.annotation-text, .row > b, .text, .tick')]
        .map(text => [text.textContent, text.getBoundingClientRect()]);
    const meet = (r, s) =>
        r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 3 && s.top < r.bottom - 3;
    return notes.flatMap(([a, r], i) => notes.slice(i + 1).filter(([, s]) => meet(r, s))
        .map(([b]) => `${plot.id}: ${a} covers ${b}`));
})"""


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", MODULES)
def test_no_text_of_a_chart_is_cut_or_covers_another_label(visit, name, window):
    seen = visit(name, viewport=window)
    seen.draw_all()
    assert seen.js(CUT) == []
    assert seen.js(COVERED) == []


def test_the_theme_button_changes_page_and_charts(visit):
    seen = visit("market_trends", color_scheme="light")
    seen.draw_all()
    ink = "getComputedStyle(document.body).backgroundColor"
    line = "document.querySelector('#plot-performance .main-svg').style.background"
    assert (seen.js("getComputedStyle(document.documentElement).backgroundColor"), seen.js(line)) == (
        "rgb(255, 255, 255)",
        "rgb(255, 255, 255)",
    )
    assert seen.js(ink)
    seen.page.click("button.theme")
    assert seen.js("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 24, 29)"
    assert seen.js(line) == "rgb(20, 24, 29)"
    assert seen.page.inner_text("button.theme") == "Light"


def test_a_range_changes_charts_and_findings_and_stands_in_the_address(visit, reports):
    seen = visit("market_trends")
    seen.draw_all()
    month, whole = reports["market_trends"].ranges[30], reports["market_trends"]
    assert month.headline != whole.headline

    def told(report):
        return [report.headline, *(section.finding for section in report.sections.values() if not section.missing)]

    def shown():
        return [heading.inner_text() for heading in seen.page.locator("h1, main h2").all()]

    assert shown() == told(whole)
    seen.page.click("button[data-days='30']")
    assert seen.page.url.endswith("market_trends.html#?days=30")
    followed = {key: section.finding for key, section in whole.sections.items()}
    followed |= {key: section.finding for key, section in month.sections.items()}
    assert shown() == [month.headline, *followed.values()]
    assert seen.js("document.querySelector('#plot-performance').layout.xaxis.range") == [
        "2026-07-12",
        "2026-08-11",
    ]
    assert seen.js("document.querySelector('#plot-performance').layout.yaxis.title.text").startswith("12 Jul 2026")
    assert seen.page.get_attribute("button[data-days='30']", "aria-pressed") == "true"
    seen.page.click("nav a[href='#drawdown']")
    assert seen.page.url.endswith("market_trends.html#drawdown?days=30")
    seen.page.reload()
    assert shown() == [month.headline, *followed.values()]
    seen.page.click("button[data-days='']")
    assert seen.page.url.endswith("market_trends.html#drawdown")
    assert shown() == told(whole)
    assert seen.js("document.querySelector('#plot-performance').layout.xaxis.range[0]") == "2025-08-12"
    assert seen.said == []


@pytest.mark.parametrize(
    ("name", "key", "head", "number"),
    [
        ("market_trends", "drawdown", "series,date,value", 3 * 365),
        ("market_trends", "ranking", "series,coin,value", 8),
        ("price_averages", "weeks", "series,date,open,high,low,close", 52),
        ("market_trends", "months", "Coin,Total,Aug ’26", 9),
        ("pipeline_health", "flow", "Layer,Read,Written,Rejected", 5),
    ],
)
def test_a_section_is_saved_as_a_file(visit, reports, name, key, head, number):
    seen = visit(name)
    with seen.page.expect_download() as saved:
        seen.page.click(f"[data-csv='{key}']")
    lines = saved.value.path().read_text(encoding="utf-8").splitlines()
    assert saved.value.suggested_filename == f"{key}.csv"
    assert lines[0].startswith(head) and len(lines) == 1 + number
    if key == "ranking":
        (bars,) = reports[name].sections[key].figure["data"]
        expected = [f"change,{coin},{value}" for coin, value in zip(bars["y"], bars["customdata"], strict=True)]
        assert lines[1:] == expected
    assert seen.said == []


def test_without_scripts_findings_and_tables_remain(visit, reports):
    seen = visit("market_trends", java_script_enabled=False)
    drawn = [section for section in reports["market_trends"].sections.values() if not section.missing]
    told = [heading.inner_text() for heading in seen.page.locator("main h2").all()]
    assert told == [section.finding for section in drawn]
    assert not seen.page.is_visible(".ranges")
    assert seen.page.is_visible("noscript strong")
    assert not seen.page.is_visible("#plot-performance")
    assert seen.page.is_visible("#movers table")


def test_a_page_of_health_that_is_opened_later_says_how_old_it_is(browser, tmp_path):
    tables = gold_frames.gold(coins=2, days=40, source="live")
    ages = tables["freshness"].assign(as_of=pd.Timestamp("2026-08-12 14:00"))
    html = built("pipeline_health", tables | {"freshness": ages}).html()
    (tmp_path / "health.html").write_text(html, encoding="utf-8")
    seen = Visit(browser, tmp_path / "health.html")
    said = seen.page.inner_text(".banner strong")
    seen.context.close()
    assert said.startswith("Stale: the last run ended ") and said.endswith(" days ago, promised are 26 h.")
    assert "All data is as fresh as promised." in html


def test_an_empty_page_says_so_and_has_no_range_buttons(visit):
    seen = visit("empty")
    assert seen.said == []
    assert seen.page.is_visible("text=No data yet.")
    assert seen.page.locator("button:visible").count() == 1


MEETING = """() => {
    const boxes = kind => [...document.querySelectorAll(kind)].map(e => [e, e.getBoundingClientRect()])
        .filter(([e, r]) => r.width && r.height && e.checkVisibility());
    const words = boxes('main h2, main .sub, main summary, main table');
    return boxes('.plot .main-svg').flatMap(([svg, r]) => words
        .filter(([, s]) => r.top < s.bottom - 1 && s.top < r.bottom - 1)
        .filter(([, s]) => r.left < s.right - 1 && s.left < r.right - 1)
        .map(([e]) => `${svg.closest('.plot').id} covers ${e.textContent.slice(0, 40)}`));
}"""
SIZES = """() => [...document.querySelectorAll('.plot')].map(plot => {
    const [box, svg] = [plot, plot.querySelector('.main-svg')].map(e => e.getBoundingClientRect());
    return [plot.id, Math.round(box.width - svg.width), Math.round(box.height - svg.height)];
}).filter(([, width, height]) => width || height)"""


@pytest.mark.parametrize("name", MODULES)
def test_on_paper_no_chart_covers_words_and_all_are_light(visit, name):
    seen = visit(name, color_scheme="dark")
    seen.draw_all()
    seen.page.emulate_media(media="print", color_scheme="dark")
    seen.js("dispatchEvent(new Event('beforeprint'))")
    assert seen.js(MEETING) == []
    assert seen.js(SIZES) == []
    lines = seen.js("[...document.querySelectorAll('.plot .main-svg:first-child')].map(e => e.style.background)")
    assert set(lines) <= {"rgb(255, 255, 255)"}
    seen.js("dispatchEvent(new Event('afterprint'))")
    pages = len(re.findall(rb"/Type\s*/Page[^s]", seen.page.pdf(format="A4")))
    assert 3 <= pages <= 9


@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("name", ["market_trends", "price_averages"])
def test_every_finding_and_the_decisive_columns_can_be_seen(visit, reports, name, width):
    seen = visit(name, viewport={"width": width, "height": 900})
    seen.draw_all()
    assert seen.js(MEETING) == []
    assert seen.js("document.documentElement.scrollWidth - innerWidth") == 0
    cut = "e => e.clientWidth && e.scrollWidth > e.clientWidth + 1"
    assert (
        seen.js(f"[...document.querySelectorAll('h1, h2, .lead, .now, .sub, .card p')].filter({cut}).length") == 0
    )
    hidden = "e => e.getBoundingClientRect().right > innerWidth"
    assert width == 390 or seen.js(f"[...document.querySelectorAll('nav li')].filter({hidden}).length") == 0
    if name == "price_averages":
        seen_to = "document.querySelector('#table thead th:nth-child(3)').getBoundingClientRect().right"
        assert seen.js(seen_to) <= width


NAMES = "[...document.querySelectorAll('table.coins tbody tr:not([hidden]) .name')].map(e => e.textContent)"
LARGEST = ["Bitcoin", "Ethereum", "Tether", "Solana", "XRP", "Dogecoin"]


def test_the_table_of_coins_is_sorted_searched_and_kept_as_a_watch_list(visit):
    seen = visit("coins")
    assert seen.js(NAMES) == LARGEST
    seen.page.click("th button:text-is('Price')")
    assert seen.js(NAMES) == ["Bitcoin", "Ethereum", "Solana", "Tether", "XRP", "Dogecoin"]
    seen.page.click("th button:text-is('Price')")
    assert seen.js(NAMES) == ["Dogecoin", "XRP", "Tether", "Solana", "Ethereum", "Bitcoin"]
    # What is not known stands last in both directions.
    for _ in range(2):
        seen.page.click("th button:text-is('30 d')")
        assert seen.js(NAMES)[-1] == "Dogecoin"
    seen.page.fill(".tools input", "eth")
    assert sorted(seen.js(NAMES)) == ["Ethereum", "Tether"]
    assert seen.page.inner_text(".tools [role=status]") == "2 of 6 coins"
    seen.page.fill(".tools input", "")
    seen.page.click("[aria-label='Watch Solana']")
    seen.page.reload()
    seen.page.click("[data-does=watched]")
    assert seen.js(NAMES) == ["Solana"]
    with seen.page.expect_download() as saved:
        seen.page.click("[data-does=save]")
    head, row = saved.value.path().read_text(encoding="utf-8").splitlines()
    told = dict(zip(head.split(","), row.split(","), strict=True))
    assert saved.value.suggested_filename == "coins_usd.csv"
    assert (told["coin_id"], told["price"], told["volume_ratio"], told["high"]) == ("solana", "151.5", "1.5", "")
    assert seen.said == []


def test_the_address_names_coins_and_the_page_draws_them(visit):
    seen = visit("coins", "#bitcoin")
    headings = "[...document.querySelectorAll('#coin_view h2, #coin_view h3')].map(e => e.textContent)"
    assert seen.js(headings) == [
        "Bitcoin",
        "Price with averages of 30 and 200 days",
        "By the hour, UTC; the last one so far",
        "Below the highest close shown",
        "Volume of a day",
        "Weeks: open, high, low, close",
        "Months",
        "Events",
        "About the data",
    ]
    assert seen.page.inner_text("#coin_view .readout >> nth=0").startswith("11 Aug 2026: close $64,000, 30 days $")
    seen.page.focus("#coin_view svg")
    seen.page.keyboard.press("ArrowLeft")
    assert seen.page.inner_text("#coin_view .readout >> nth=0").startswith("10 Aug 2026: close $")
    assert seen.page.inner_text("#coin_view .readout >> nth=1") == "12 Aug 12:00: price $66,240"
    assert "250 days with a close since 5 Dec 2025, none missing." in seen.page.inner_text("#coin_view")
    seen.page.select_option("#coin_view select", "solana")
    assert seen.page.url.endswith("#bitcoin,solana")
    assert seen.js(headings)[:3] == [
        "Bitcoin and Solana",
        "5 Dec 2025 = 100, log scale",
        "Below the highest close shown",
    ]
    assert not seen.page.is_visible("#all_coins")
    seen.page.click("#coin_view .crumbs a")
    assert seen.page.is_visible("#all_coins") and not seen.page.is_visible("#coin_view")
    assert (seen.requests, seen.said) == ([seen.requests[0]], [])


def test_the_averages_that_the_page_draws_are_golds(visit):
    tables = gold_frames.gold(coins=6, days=250, young={"dogecoin": 3})
    own = tables["price_averages_daily"].query("coin_id == 'ethereum'").iloc[-1]
    told = visit("coins", "#ethereum").page.inner_text("#coin_view .readout >> nth=0")
    shown = [formats.money(own[column]) for column in ("close", "average_30d", "average_200d")]
    assert told.startswith("11 Aug 2026: close {}, 30 days {}, 200 days {} ".format(*shown))


def test_a_search_on_any_page_leads_to_the_coin(visit):
    seen = visit("market_trends")
    seen.page.fill(".pages input", "eth")
    seen.page.press(".pages input", "Enter")
    seen.page.wait_for_url("**/coins.html?find=eth#ethereum")
    assert seen.page.inner_text("#coin_view h2") == "Ethereum"
    assert seen.said == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("at", ["", "#bitcoin", "#dogecoin", "#bitcoin,ethereum,tether,solana,ripple"])
def test_coins_fit_every_screen(visit, at, width, theme):
    seen = visit("coins", at, viewport={"width": width, "height": 900}, color_scheme=theme)
    assert seen.js("document.documentElement.scrollWidth - innerWidth") == 0
    cut = "e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1"
    wide = f"[...document.querySelectorAll('h1, h2, h3, .lead, .sub, .card p, .readout, .chip')].filter({cut})"
    assert seen.js(f"{wide}.map(e => e.textContent)") == []
    outside = """[...document.querySelectorAll('#coin_view svg')].flatMap(svg => {
        const box = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll('text')].map(text => [text, text.getBoundingClientRect()]);
        return texts.flatMap(([a, r], i) => [
            ...(r.left < box.left - 1 || r.right > box.right + 1 ? [`${a.textContent} is cut`] : []),
            ...texts.slice(i + 1).filter(([, s]) => r.left < s.right - 1 && s.left < r.right - 1
                && r.top < s.bottom - 3 && s.top < r.bottom - 3)
                .map(([b]) => `${a.textContent} covers ${b.textContent}`)]);
    })"""
    assert seen.js(outside) == []
    assert seen.said == []


def test_without_scripts_all_coins_are_in_a_table(visit):
    seen = visit("coins", "#bitcoin", java_script_enabled=False)
    assert seen.page.is_visible("table.coins") and seen.page.locator("table.coins tbody tr").count() == 6


@pytest.mark.skipif("COINLAKE_AXE" not in os.environ, reason="COINLAKE_AXE does not name an axe.min.js")
@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*MODULES, "empty", "coins", "coins#bitcoin,ethereum"])
def test_axe_finds_no_violation(visit, name, theme, window):
    # The page's own policy would keep the tool out.
    name, _, coins = name.partition("#")
    seen = visit(name, coins and f"#{coins}", viewport=window, color_scheme=theme, bypass_csp=True)
    seen.draw_all()
    seen.page.add_script_tag(content=Path(os.environ["COINLAKE_AXE"]).read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = seen.page.evaluate("tags => axe.run({runOnly: tags})", tags)
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found["violations"]] == []
