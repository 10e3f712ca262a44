"""The words for what happened to a coin, and the pages that say them."""

import pandas as pd
import pytest

from coinlake.reports import coins, live_market
from coinlake.reports.data import event_words
from tests.support.live_rows import coin, event


@pytest.mark.parametrize(
    ("kind", "value", "reference", "told"),
    [
        ("record_high", 101.0, 100.0, "has a new record high: $101.00, before $100.00"),
        ("peg_lost", 0.95, 1.0, "left its peg: it closed at $0.950, usual is $1.00"),
        ("peg_regained", 1.0, 1.0, "is back at its peg: it closed at $1.00"),
        ("volume_anomaly", 4e9, 1e9, "was traded for $4.00\u00a0B in a day, 4.0 times the usual"),
        ("volume_anomaly", 4e9, float("nan"), "was traded for $4.00\u00a0B in a day"),
        ("trend_up", 51.0, 50.0, "closed above its 200-day average: $51.00 against $50.00"),
        ("trend_down", 49.0, 50.0, "closed below its 200-day average: $49.00 against $50.00"),
        ("entered", 240.0, 250.0, "came among the largest coins, at rank 240"),
        ("left", 249.0, 250.0, "is no longer among the largest coins; it was last at rank 249"),
        ("left", float("nan"), 250.0, "is no longer among the largest coins"),
        ("entered", None, None, "came among the largest coins"),
    ],
)
def test_every_kind_of_event_has_its_words(kind, value, reference, told):
    assert event_words.told(kind, value, reference, "usd") == told


def test_the_page_of_coins_and_the_live_page_say_the_same():
    row = event("peg_lost", 2, 0.91, 1.0, "tether")
    of_coins = coins.events(pd.DataFrame([row]), pd.DataFrame({"coin_id": ["tether"], "name": ["Tether"]}), "eur")
    assert of_coins["told"].tolist() == ["Tether left its peg: it closed at €0.910, usual is €1.00"]
    live = live_market.build(live_market.Rows([coin("tether")], [row], []), "eur")
    assert live["events"] == [
        {
            "key": "tether peg_lost 2026-08-12T12:22:00",
            "when": "12 Aug 2026 12:22 UTC",
            "who": "Tether",
            "what": "left its peg: it closed at €0.910, usual is €1.00",
        }
    ]
