"""The live page in a browser: numbers that change, age that turns stale by itself, search, pins, phone."""

import time

import pytest

from coinlake.reports import live_market
from coinlake.reports.page import live_page
from coinlake_ops.watch import LivePage
from tests.support.browser import DESKTOP, LOOKS, PHONE
from tests.support.live_rows import coin, event, hour

pytestmark = LOOKS
ARRIVED = "2026-08-12T14:22:00.000Z"
EVIL = "<img src=x onerror=alert(1)>"
NAMES = ["bitcoin", "ethereum", "tether", "pepe"]


def market(turn=1, coins=NAMES, events=(), **changes):
    """What the watch publishes after a turn: prices rise by a dollar a turn."""
    rows = [
        coin(name, price=1000.0 * (9 - place) + turn, market_cap_rank=place, market_cap=1e9, return_24h=0.01)
        for place, name in enumerate(coins, start=1)
    ]
    hours = [hour(name, ago, 8000.0 + ago * turn % 7) for name in coins for ago in range(1, 24)]
    shown = live_market.build(live_market.Rows(rows, events, hours))
    return {"turn": turn, "arrived_at": ARRIVED, "problem": "", "latency": {}} | shown | changes


@pytest.fixture
def seen():
    return []


@pytest.fixture
def live(seen):
    with LivePage(live_page("The market now", "Simulated market.", every=60), seen.append) as live:
        live.publish(**market())
        yield live


@pytest.fixture
def visit(browser, live):
    """Opens the page in a window whose clock the test moves; nothing may be said on its console."""
    contexts, said = [], []

    def open_page(clock=ARRIVED, **window):
        context = browser.new_context(**({"viewport": DESKTOP} | window))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.clock.install(time=clock)
        page.goto(live.address)
        page.locator("#rows tr").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def cells(page, row):
    return [text.strip() for text in page.locator("#rows tr").nth(row).locator("th, td").all_inner_texts()]


def names(page):
    return page.locator("#rows tr:visible .name").all_inner_texts()


def wait_until(condition):
    """For what another thread does; a test that fails waits ten seconds."""
    last = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.02)


def test_a_number_changes_on_the_screen_after_a_turn_and_the_watch_hears_of_it(visit, live, seen):
    page = visit()
    assert cells(page, 0) == ["☆Bitcoin BIT", "$8,001", "n/a", "+1.0%", "n/a", "", "n/a", "1", ""]
    before = page.locator("#rows tr").first.locator("path").get_attribute("d")
    live.publish(**market(turn=2, coins=["bitcoin", "pepe", "ethereum"]))
    page.locator("#rows td.price", has_text="$8,002").wait_for()
    assert names(page) == ["Bitcoin", "Pepe", "Ethereum"]
    assert page.inner_text("h1") == "All 3 coins have risen in 24 hours"
    assert page.locator("#rows tr").first.locator("path").get_attribute("d") != before
    page.clock.run_for(100)
    wait_until(lambda: seen == [1, 2] or seen == [2])


def test_the_age_counts_and_turns_stale_by_itself(visit, live):
    page = visit()
    assert page.inner_text("#state") == "Now: 0 s old, prices of 12 Aug 2026 14:22 UTC. Simulated market."
    page.clock.run_for(150_000)
    assert page.inner_text("#word") == "Now:"
    page.clock.run_for(1_000)
    assert page.inner_text("#state").startswith("Stale: 2 min 31 s old, ")
    assert page.locator("#state.stale").count() == 1
    assert page.title() == "Stale · The market now"
    live.publish(**market(turn=2, arrived_at="2026-08-12T14:24:30.000Z"))
    page.locator("#state.fresh").wait_for()
    assert page.title() == "The market now"


def test_a_turn_that_failed_is_shown_until_one_succeeds(visit, live):
    page = visit()
    assert page.is_hidden("#problem")
    live.publish(problem="Turn 2 failed: no network")
    page.locator("#problem", has_text="Turn 2 failed: no network").wait_for()
    assert page.inner_text("#rows td.price >> nth=0") == "$8,001"
    live.publish(**market(turn=3))
    page.locator("#problem").wait_for(state="hidden")


def test_events_come_in_at_the_top_and_are_read_out_once(visit, live):
    page = visit()
    feed = page.locator("#feed")
    assert feed.inner_text() == "Nothing yet."
    assert (feed.get_attribute("aria-live"), page.locator("[aria-live]").count()) == ("polite", 1)
    first = event("trend_up", 3, 8000.0, 7000.0)
    live.publish(**market(turn=2, events=[first]))
    page.locator("#feed strong").wait_for()
    page.evaluate("document.querySelector('#feed li').dataset.mine = 'yes'")
    live.publish(**market(turn=3, events=[first, event("entered", 1, 3.0, 250.0, "tether")]))
    page.locator("#feed strong", has_text="Tether").wait_for()
    assert feed.inner_text().split("\n") == [
        "12 Aug 2026 13:22 UTCTether came among the largest coins, at rank 3.",
        "12 Aug 2026 11:22 UTCBitcoin closed above its 200-day average: $8,000 against $7,000.",
    ]
    assert page.locator("#feed li").last.get_attribute("data-mine") == "yes"
    live.publish(**market(turn=4))
    page.locator("#feed .none").wait_for()
    assert feed.inner_text() == "Nothing yet."


def test_names_from_outside_are_text(visit, live):
    page = visit()
    evil = market(turn=2, coins=["bitcoin"], headline=EVIL, problem=EVIL, events=[])
    evil["coins"][0] |= {"name": EVIL, "symbol": EVIL, "price": EVIL}
    evil["events"] = [{"key": EVIL, "when": EVIL, "who": EVIL, "what": EVIL}]
    live.publish(**evil)
    page.locator("#rows .name", has_text="onerror").wait_for()
    assert page.locator("img").count() == 0
    assert page.inner_text("h1") == EVIL


def test_coins_are_found_and_pinned_by_keyboard_and_stay_so(visit, live):
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("TET")
    assert names(page) == ["Tether"]
    assert page.inner_text("#found") == "1 of 4 coins"
    live.publish(**market(turn=2))
    page.locator("#rows td.price", has_text="$6,002").wait_for()
    assert names(page) == ["Tether"]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pin Tether"
    page.focus("#search")
    page.keyboard.press("Escape")
    assert names(page) == ["Tether", "Bitcoin", "Ethereum", "Pepe"]
    page.reload()
    page.locator("#rows button[aria-pressed=true]").wait_for()
    assert names(page) == ["Tether", "Bitcoin", "Ethereum", "Pepe"]


def test_two_hundred_turns_leave_as_many_elements_as_one(visit, live):
    page = visit()
    events = [event("entered", number, 1.0, 250.0, f"coin-{number}") for number in range(live_market.EVENTS + 10)]
    live.publish(**market(turn=2, events=events))
    page.locator("#feed strong").first.wait_for()
    count = "document.getElementsByTagName('*').length"
    before = page.evaluate(count)
    for turn in range(3, 203):
        shown = events[turn % 10 :][: live_market.EVENTS]
        live.publish(**market(turn=turn, coins=NAMES[turn % 4 :] + NAMES[: turn % 4], events=shown))
    page.locator("#rows td.price", has_text="$8,202").wait_for()
    assert page.evaluate(count) == before


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_its_window(visit, window, theme):
    page = visit(viewport=window, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    price = page.locator("#rows td.price").first.bounding_box()
    assert price["x"] + price["width"] <= window["width"]
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[theme]
