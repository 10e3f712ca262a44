"""Layers that are made again beside the old ones, and the proof that a lake is what it should be."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake import Lakehouse, gold, observability, schema, silver, warehouse
from coinlake.errors import WarehouseError
from coinlake.warehouse import DuckDBWarehouse
from coinlake_ops import rebuild, swap, verification
from coinlake_ops.dev.lake_contents import contents, files
from tests.support.silver_lake import CATALOG, SilverLake

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)
CHECKS = [
    ("landing", "bodies against the response log, by SHA-256"),
    *(("silver", f"{table.name} against landing") for table in schema.TABLES if table.schema != schema.AGGREGATED),
    ("gold", "watermarks against silver's versions"),
    *(
        ("gold", f"{name} against its formula")
        for name in (
            *("dim_date", "dim_coin", "dim_currency", "fact_market_snapshot", "fact_price_daily"),
            *("price_averages_daily", "market_trends_daily", "coin_monthly", "candle_hourly", "candle_weekly"),
            *("market_daily", "correlation_90d", "market_now", "market_events"),
        )
    ),
    ("warehouse", "every table against gold as it was loaded"),
]


@dataclass
class Played:
    """A lake that a small market was played into, and its session."""

    spark: object
    path: Path

    @property
    def lakehouse(self) -> Lakehouse:
        return Lakehouse(self.spark, CATALOG, str(self.path))

    def verify(self) -> list[verification.Check]:
        found = []
        verification.verify(self.path, lambda: self.spark, found.append)
        return found

    def rebuild(self, layer: str) -> list[str]:
        said = []
        rebuild.rebuild(self.path, layer, lambda: self.spark, said.append)
        return said


def coin(name: str, price: float | None) -> dict:
    return {
        "id": name,
        "symbol": name[:3],
        "name": name.title(),
        "current_price": price,
        "market_cap": 1e9,
        "market_cap_rank": 1,
        "last_updated": "2026-08-12T11:59:00.000Z",
        "sparkline_in_7d": {"price": [1.0 + hour / 100 for hour in range(168)]},
    }


def chart(factor: float) -> dict:
    days = [int((NOON.replace(hour=0) - timedelta(days=day)).timestamp() * 1000) for day in range(40, -1, -1)]
    return {
        "prices": [[day, factor + place] for place, day in enumerate(days)],
        "market_caps": [],
        "total_volumes": [],
    }


def market_days() -> dict:
    return {"data": [{"timestamp": str(int(NOON.timestamp())), "value": "40", "value_classification": "Fear"}]}


@pytest.fixture(scope="module")
def _played(spark, tmp_path_factory):
    lake = SilverLake(spark, tmp_path_factory.mktemp("played") / "lake")
    lake.land("coins_markets", [coin("bitcoin", 2.5), coin("odd", None)], "2026-08-12T11:30:00Z")
    lake.land("coins_markets", [coin("bitcoin", 2.6)], "2026-08-12T12:00:00Z")
    lake.land("coins_market_chart", chart(100.0), "2026-08-12T12:00:00Z")
    lake.land("coins_list", [{"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"}], "2026-08-12T12:00:00Z")
    lake.land("fear_greed", market_days(), "2026-08-12T12:00:00Z")
    lake.stream_all()
    gold.build(lake.lakehouse)
    observability.update_metrics(lake.lakehouse, 26.0)
    warehouse.load(lake.lakehouse, DuckDBWarehouse(lake.path / "warehouse.duckdb"), "first")
    return lake.path


@pytest.fixture
def played(spark, _played, tmp_path):
    """A copy of a lake, of which no table is known to the session."""
    path = tmp_path / "a lake"
    shutil.copytree(_played, path)
    return Played(spark, path)


@pytest.mark.whole
def test_all_layers_are_made_again_with_the_same_rows_and_proved(played):
    before = contents(played.spark, played.path)
    said = played.rebuild("all")
    assert [
        line
        for line in said
        if line.startswith("  ") and not line.endswith(": 0 rows added, 0 removed, 0 changed")
    ] == []
    assert len([line for line in said if line.startswith("  ")]) == len(schema.TABLES) - 1 + len(warehouse.LOADED)
    assert not swap.beside(played.path).exists()
    assert contents(played.spark, played.path) == before

    tables = files(played.path, "tables", "checkpoints", "landing")
    found = played.verify()
    assert [(check.layer, check.what) for check in found] == CHECKS
    assert [check.problems for check in found if not check.is_ok] == []
    assert files(played.path, "tables", "checkpoints", "landing") == tables

    # The checkpoints know the landed files under their own names: nothing is read again.
    lake = Lakehouse.create(CATALOG, str(played.path), played.spark)
    assert sum(silver.stream_all(lake).values(), silver.Counts()).read == 0
    assert not gold.plan(lake).has_changes
    assert warehouse.load(lake, warehouse.choose(lake.path), "again") == []


def test_what_differs_is_found_and_named_with_what_mends_it(played):
    lake, spark = played.lakehouse, played.spark
    averages, listed = lake.table(schema.PRICE_AVERAGES_DAILY), lake.table(schema.COIN_LIST)
    spark.sql(f"UPDATE {averages.name} SET close = 1 WHERE date = '2026-08-01'")
    spark.sql(f"DELETE FROM {averages.name} WHERE date = '2026-08-02'")
    spark.sql(f"INSERT INTO {averages.name} SELECT * FROM {averages.name} WHERE date = '2026-08-03'")
    spark.sql(f"DELETE FROM {listed.name}")
    watermarks = lake.table(schema.GOLD_PROGRESS).name
    spark.sql(f"UPDATE {watermarks} SET version = {listed.version()} WHERE table_name = 'coin_list'")
    shutil.rmtree(played.path / "tables" / "cleaned_data" / "weather_daily")
    (played.path / "warehouse.duckdb").write_bytes(b"not a database")

    found = {check.what: check for check in played.verify() if not check.is_ok}
    day = '{{"coin_id":"bitcoin","vs_currency":"usd","date":"2026-08-0{}"}}'
    assert {what: check.problems for what, check in found.items()} == {
        "coin_list against landing": ('1 rows are missing: {"coin_id":"bitcoin"}',),
        "weather_daily against landing": (
            f"There is no table cleaned_data.weather_daily in {played.path}/tables/cleaned_data/weather_daily. "
            "Run notebook 00_setup with this lake_path, then the notebooks that fill the table.",
        ),
        "price_averages_daily against its formula": (
            f"1 rows are missing: {day.format(2)}",
            f"1 rows have other values: {day.format(1)}",
            f"1 keys are there more than once: {day.format(3)}",
        ),
        "every table against gold as it was loaded": (
            f"{played.path}/warehouse.duckdb is damaged (its file: IO Error: The file "
            f'"{played.path}/warehouse.duckdb" exists, but it is not a valid DuckDB database file!). Nothing is '
            f"lost, it can be made again from gold: coinlake rebuild warehouse --lake '{played.path}'",
        ),
    }
    quoted = f"--lake '{played.path}'"
    assert {what: check.mend for what, check in found.items()} == {
        "coin_list against landing": f"coinlake rebuild silver {quoted}",
        "weather_daily against landing": f"coinlake rebuild silver {quoted}",
        "price_averages_daily against its formula": f"coinlake rebuild gold {quoted}",
        "every table against gold as it was loaded": f"coinlake rebuild warehouse {quoted}",
    }


@pytest.mark.whole
def test_a_damaged_layer_is_made_again_and_what_it_is_made_from_stays(played):
    before = contents(played.spark, played.path)
    entry = Path(played.lakehouse.table(schema.FACT_PRICE_DAILY).folder, "_delta_log", f"{1:020}.json")
    entry.write_text("{")
    below = files(played.path, "tables/raw_data", "tables/cleaned_data", "checkpoints", "landing")
    said = played.rebuild("gold")
    rows = len(before["fact_price_daily"])
    assert [line for line in said if "fact_price_daily" in line] == [
        f"  aggregated_data.fact_price_daily: the old one cannot be read; the new one has {rows} rows"
    ]
    assert contents(played.spark, played.path) == before
    assert files(played.path, "tables/raw_data", "tables/cleaned_data", "checkpoints", "landing") == below


def test_a_rebuild_that_stops_on_the_way_leaves_all_as_it_was(played, monkeypatch):
    before = files(played.path, "tables", "checkpoints", "landing", "warehouse.duckdb")
    monkeypatch.setattr(rebuild, "_make_warehouse", lambda lake: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        played.rebuild("warehouse")
    assert swap.beside(played.path).exists()
    assert files(played.path, "tables", "checkpoints", "landing", "warehouse.duckdb") == before
    monkeypatch.undo()
    said = played.rebuild("warehouse")
    assert [
        line for line in said if line.startswith("  ") and ": 0 rows added, 0 removed, 0 changed" not in line
    ] == []
    assert not swap.beside(played.path).exists()
    # What gold has written since it was loaded is no fault of the warehouse.
    lake = played.lakehouse
    played.spark.sql(f"DELETE FROM {lake.table(schema.CANDLE_WEEKLY).name}")
    with pytest.raises(WarehouseError, match="candle_weekly: gold has 0 rows"):
        warehouse.verify(lake, warehouse.choose(lake.path))
    rows = warehouse.verify(lake, warehouse.choose(lake.path), as_loaded=True).set_index("table")["rows"]
    assert rows["candle_weekly"] > 0
