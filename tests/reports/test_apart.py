"""Coins that are pegged or copies stand apart: medians and counts are over free coins alone."""

from tests.support import gold_frames
from tests.support.built_reports import built


def test_pegged_coins_and_copies_stand_apart_and_nowhere_else():
    tables = gold_frames.gold(coins=6, days=120, copies={"dogecoin": "bitcoin"})
    trends, averages = built("market_trends", tables), built("price_averages", tables)
    apart = trends.sections["apart"]
    assert apart.finding == "Tether is pegged and Dogecoin is a copy"
    assert "copy of Bitcoin" in apart.table
    assert "4 free coins of the 6 largest" in trends.kicker
    assert trends.sections["ranking"].figure["data"][0]["y"] == ["XRP", "ETH", "BTC", "SOL"]
    for section in (*trends.sections.values(), *averages.sections.values()):
        told = section.table + section.finding + section.alt
        assert ("Tether" in told or "Dogecoin" in told) == (section.key == "apart"), section.key
    assert averages.headline == "2 of 4 coins trade above their 90-day average"


def test_where_no_coin_is_free_the_page_is_about_all():
    trends = built("market_trends", gold_frames.gold(coins=4, pegged=True))
    assert "4 coins" in trends.kicker
    assert trends.sections["apart"].missing.startswith("No coin of the largest is pegged")
