"""The sources as they are found, ordered and asked; what is asked depends only on what a source names."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import pytest

from coinlake import schema, sources
from coinlake.bronze import Settings, plan_requests
from coinlake.sources import SOURCES

AS_OF = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)

MODULE = """
from coinlake import schema
from coinlake.api import Endpoint
from coinlake.sources.source import Source, Target

SOURCE = Source(
    endpoint=Endpoint(name="tides", group="context", root="https://tides.example", path="/tides", shape=list),
    schema="height DOUBLE",
    essential="height",
    rows=lambda records: records,
    expectations=(),
    targets=(Target(schema.WEATHER_DAILY),),
)
"""


def test_the_sources_in_the_order_in_which_they_are_asked():
    assert list(SOURCES) == [
        "coins_markets",
        "global",
        "coins_list",
        "coins_market_chart",
        "coin_categories",
        "fear_greed",
        "fx_rates",
        "weather_daily",
    ]
    assert sources.groups() == ("market", "context")
    assert [source.name for source in sources.of_group("context")] == ["fear_greed", "fx_rates", "weather_daily"]


def test_a_file_is_enough_for_a_source_to_be_found(tmp_path, monkeypatch):
    (tmp_path / "tides.py").write_text(MODULE)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    assert list(sources.discover()) == [*list(SOURCES)[:6], "fx_rates", "tides", "weather_daily"]


def test_sources_that_write_to_the_same_table_run_one_after_the_other(monkeypatch):
    assert sources.one_after_the_other() == [
        ["coins_markets", "coins_market_chart"],
        ["global"],
        ["coins_list"],
        ["coin_categories"],
        ["fear_greed"],
        ["fx_rates"],
        ["weather_daily"],
    ]
    both = tuple(sources.Target(table) for table in (schema.COIN_LIST, schema.COIN_SNAPSHOTS))
    monkeypatch.setitem(sources.SOURCES, "fx_rates", replace(SOURCES["fx_rates"], targets=both))
    assert sources.one_after_the_other() == [
        ["coins_markets", "coins_market_chart", "coins_list", "fx_rates"],
        ["global"],
        ["coin_categories"],
        ["fear_greed"],
        ["weather_daily"],
    ]


def test_categories_are_asked_once_a_day():
    [request] = SOURCES["coin_categories"].requests(Settings("lake", plan="pro"), AS_OF)
    assert (request.endpoint.name, request.page) == ("coin_categories", 1)
    assert request.url == "https://pro-api.coingecko.com/api/v3/coins/categories"
    assert plan_requests("market", Settings("lake"), AS_OF).requests[-1].endpoint == request.endpoint
    assert request.endpoint.once_a_day


@dataclass(frozen=True)
class Watched(Settings):
    """Settings that note which of them are looked at."""

    def __getattribute__(self, name):
        if name in {item.name for item in fields(Settings)}:
            SEEN.add(name)
        return super().__getattribute__(name)


SEEN: set[str] = set()


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_names_the_settings_that_its_requests_depend_on(source):
    settings = Watched("lake")
    SEEN.clear()
    source.requests(settings, AS_OF)
    if source.for_coins:
        source.for_coins(settings, ["bitcoin"])
    assert set(source.settings) == SEEN
