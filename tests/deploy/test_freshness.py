"""What fresher numbers cost: the page shows what the arithmetic gives, and the arithmetic is what it says."""

from coinlake_ops.azure import freshness
from coinlake_ops.project import ROOT

PAGE = (ROOT / "coinlake_ops" / "azure" / "FRESHNESS.md").read_text(encoding="utf-8")


def test_the_page_shows_what_the_arithmetic_gives():
    shown = PAGE.partition("<!-- freshness -->\n")[2].partition("\n<!-- /freshness -->")[0]
    assert shown == freshness.table()
    assert freshness.bus_rows() in PAGE


def test_the_line_goes_through_what_was_measured():
    assert {coins: freshness.cpu(coins) for coins in freshness.MEASURED} == freshness.MEASURED
    assert [freshness.pages(coins) for coins in (1, 250, 251, 5_000, 20_000)] == [1, 1, 2, 20, 80]


def test_an_hourly_run_asks_and_costs_by_the_hour():
    hourly, repeated, stream = freshness.ways(5_000)
    assert hourly.requests == 720 * 20
    assert round(hourly.dollars, 6) == round(720 * freshness.seconds(5_000) / 3600 * 3 * 0.45, 6)
    assert stream.requests == 30 * 24 * 60 * 20
    runs = 30 * 24 * 3600 / (freshness.seconds(5_000) + 120)
    assert repeated.requests == round(runs * 20)
    awake = 720 * 0.5 * 0.52
    assert round(repeated.dollars) == round(round(runs) * freshness.seconds(5_000) / 3600 * 6 * 0.45 + awake)
    assert round(stream.dollars, 6) == round(freshness.machines(5_000) * 720 * (0.27 + 0.30) + awake, 6)


def test_more_coins_cost_more_and_more_often_is_younger():
    dollars = [[way.dollars for way in freshness.ways(coins)] for coins in freshness.COINS]
    assert all(list(way) == sorted(way) for way in zip(*dollars, strict=True))
    for coins in freshness.COINS:
        hourly, again, stream = (way.age for way in freshness.ways(coins))
        assert stream < again < hourly


def test_a_bus_pays_from_little_more_than_a_message_a_second():
    assert [messages for messages, files, events in freshness.bus() if events < files] == [2, 10, 100, 1_000]
