"""The Delta tables: made from their descriptions, checked against them, and merged into."""

import dataclasses
import itertools
from datetime import datetime
from pathlib import Path

import pytest

from coinlake import delta, schema
from coinlake.delta import Merged, tables
from coinlake.errors import CoinlakeError

CATALOG = "spark_catalog"


FEW = (schema.RESPONSES, schema.COIN_PRICES, schema.MARKET_TOTALS, schema.FEAR_GREED, schema.GOLD_PROGRESS)


@pytest.fixture
def lake(spark, tmp_path, monkeypatch):
    """A lake with a few of the tables."""
    monkeypatch.setattr(tables, "TABLES", FEW)
    path = str(tmp_path / "lake")
    delta.ensure(spark, CATALOG, path)
    return path


def hour(number, day=1):
    return datetime(2026, 8, day, number)


def prices(spark, *rows):
    """Rows of coin_prices from (coin, observed_at, price, source, fetched_at, file)."""
    return spark.createDataFrame(
        [
            {
                "coin_id": coin,
                "vs_currency": "usd",
                "observed_at": observed_at,
                "granularity": "hourly",
                "period": f"{observed_at:%Y-%m}",
                "price": price,
                "market_cap": None,
                "total_volume": None,
                "source": source,
                "fetched_at": fetched_at,
                "file": file,
            }
            for coin, observed_at, price, source, fetched_at, file in rows
        ],
        schema=", ".join(f"{column.name} {column.type}" for column in schema.COIN_PRICES.columns),
    )


def stored(spark, table=schema.COIN_PRICES, *columns):
    columns = columns or ("coin_id", "observed_at", "price", "source", "fetched_at", "file")
    rows = delta.read(spark, CATALOG, table).select(*columns).orderBy(*columns[:2]).collect()
    return [tuple(row) for row in rows]


def merge(spark, *rows, **options):
    return delta.merge_changes(spark, CATALOG, schema.COIN_PRICES, prices(spark, *rows), **options)


def test_every_table_stands_below_the_lake_and_says_what_it_is(spark, tmp_path):
    delta.ensure(spark, CATALOG, str(tmp_path / "lake"))
    for table in schema.TABLES:
        assert (tmp_path / "lake" / "tables" / table.schema / table.name / "_delta_log").is_dir()
        found = {
            row["col_name"]: row["comment"] for row in spark.sql(f"DESCRIBE {table.qualified(CATALOG)}").collect()
        }
        assert {column.name: column.comment for column in table.columns}.items() <= found.items()
    properties = spark.sql(f"DESCRIBE DETAIL {schema.COIN_PRICES.qualified(CATALOG)}").first()["properties"]
    expected = tables.PROPERTIES | {
        f"delta.constraints.{name}": condition for name, condition in schema.COIN_PRICES.checks.items()
    }
    assert expected.items() <= properties.items()
    assert delta.version(spark, CATALOG, schema.COIN_PRICES) == 0


def test_a_second_lake_takes_the_place_of_the_first_and_the_first_can_come_back(spark, lake, tmp_path):
    merge(spark, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    delta.ensure(spark, CATALOG, str(tmp_path / "other"))
    assert stored(spark) == []
    delta.ensure(spark, CATALOG, lake)
    assert stored(spark) == [("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")]
    delta.ensure(spark, CATALOG, lake)
    assert delta.version(spark, CATALOG, schema.COIN_PRICES) == 1


def test_a_table_that_differs_from_its_description_is_named_with_the_way_out(spark, lake):
    name = schema.FEAR_GREED.qualified(CATALOG)
    spark.sql(f"ALTER TABLE {name} ADD COLUMN mood STRING")
    with pytest.raises(CoinlakeError) as refusal:
        delta.ensure(spark, CATALOG, lake)
    assert "cleaned_data.fear_greed has a column mood that coinlake.schema does not describe" in str(refusal.value)
    assert f"Delete {lake}/tables and {lake}/checkpoints" in str(refusal.value)
    spark.sql(f"DROP TABLE {name}")
    with pytest.raises(CoinlakeError, match="has a column mood"):
        delta.ensure(spark, CATALOG, lake)


def test_other_comments_are_accepted_and_other_rules_are_not(spark, lake, monkeypatch):
    column, *rest = schema.FEAR_GREED.columns
    table = dataclasses.replace(
        schema.FEAR_GREED, columns=(dataclasses.replace(column, comment="in other words"), *rest)
    )
    monkeypatch.setattr(tables, "TABLES", (schema.RESPONSES, table))
    spark.sql(f"DROP TABLE {table.qualified(CATALOG)}")
    delta.ensure(spark, CATALOG, lake)
    stricter = dataclasses.replace(table, checks={"value_in_range": "value BETWEEN 1 AND 99"})
    monkeypatch.setattr(tables, "TABLES", (*schema.TABLES[:-1], stricter))
    spark.sql(f"DROP TABLE {table.qualified(CATALOG)}")
    with pytest.raises(CoinlakeError, match=r"fear_greed enforces .* not .*BETWEEN 1 AND 99"):
        delta.ensure(spark, CATALOG, lake)


def test_the_ddl_for_a_catalog_that_keeps_the_files_names_no_location():
    statement = delta.ddl("coinlake_dev", schema.FX_RATES)
    assert statement.startswith("CREATE TABLE IF NOT EXISTS coinlake_dev.cleaned_data.fx_rates (\n")
    assert "rate DOUBLE NOT NULL COMMENT 'units of currency for one unit of base_currency'" in statement
    assert "'delta.constraints.rate_positive' = 'rate > 0'" in statement
    assert "LOCATION" not in statement


def test_merge_inserts_updates_and_commits_nothing_when_nothing_differs(spark, lake):
    first = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    other = ("ether", hour(1), 2.0, "sparkline", hour(2), "a")
    assert merge(spark, first, other) == Merged(2, 0, 1)
    assert merge(spark, first, other) == Merged(0, 0, 1)
    assert merge(spark) == Merged(0, 0, 1)
    newer = ("bitcoin", hour(1), 1.5, "sparkline", hour(3), "b")
    third = ("tether", hour(1, day=2), 3.0, "sparkline", hour(3), "b")
    assert merge(spark, newer, third) == Merged(1, 1, 2)
    assert stored(spark) == [newer, other, third]


def test_any_order_of_arrival_gives_the_same_rows(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "TABLES", FEW)
    pages = [
        [("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"), ("ether", hour(1), 2.0, "sparkline", hour(2), "a")],
        [("bitcoin", hour(1), 1.5, "sparkline", hour(4), "b"), ("ether", hour(1), 2.0, "sparkline", hour(4), "b")],
        [("bitcoin", hour(1), 1.5, "sparkline", hour(2, day=2), "c")],
        [("bitcoin", hour(1), 1.5, "sparkline", hour(3, day=2), "d")],
        [("ether", hour(1), 2.5, "market_chart", hour(1), "e")],
    ]
    expected = [
        # c is the first response in which the hour is more than a day old
        ("bitcoin", hour(1), 1.5, "sparkline", hour(2, day=2), "c"),
        ("ether", hour(1), 2.5, "market_chart", hour(1), "e"),
    ]
    orders = [pages[::-1], [pages[2], pages[4], pages[0], pages[3], pages[1]]]
    for number, order in enumerate(orders):
        delta.ensure(spark, CATALOG, str(tmp_path / f"lake{number}"))
        for page in order:
            merge(spark, *page)
        assert stored(spark) == expected
    delta.ensure(spark, CATALOG, str(tmp_path / "at once"))
    assert merge(spark, *itertools.chain(*pages)) == Merged(2, 0, 1)
    assert stored(spark) == expected


def test_small_files_are_compacted_from_time_to_time(spark, lake, monkeypatch):
    monkeypatch.setattr(tables, "COMPACT_EVERY_VERSIONS", 3)

    def files():
        return spark.sql(f"DESCRIBE DETAIL {schema.COIN_PRICES.qualified(CATALOG)}").first()["numFiles"]

    rows = [("bitcoin", hour(number), 1.0, "sparkline", hour(9), "a") for number in range(4)]
    assert [merge(spark, row).version for row in rows[:3]] == [1, 2, 4]
    assert files() == 1
    assert merge(spark, rows[3]).version == 5
    assert stored(spark) == rows


def test_commits_read_from_the_log_are_those_of_deltas_own_history(spark, lake, monkeypatch):
    monkeypatch.setattr(tables, "COMPACT_EVERY_VERSIONS", 2)
    for number in range(2):
        merge(spark, ("bitcoin", hour(number), 1.0, "sparkline", hour(9), "a"))
    log = Path(lake, "tables", "cleaned_data", "coin_prices", "_delta_log")
    # A log may hold compacted entries beside the others.
    (log / f"{0:020}.{3:020}.compacted.json").touch()

    def commits(count):
        return tables.newest_commits(spark, CATALOG, schema.COIN_PRICES, count)

    read = commits(9)
    assert [(commit.version, commit.operation) for commit in read] == [
        (3, "OPTIMIZE"),
        (2, "MERGE"),
        (1, "WRITE"),
        (0, "CREATE TABLE"),
    ]
    assert commits(1) == read[:1]
    for elsewhere in (None, f"{lake}/elsewhere"):
        monkeypatch.setattr(tables, "_lake_of", lambda *_, lake=elsewhere: lake)
        assert commits(9) == read
        assert commits(1) == read[:1]


def test_a_version_is_that_of_the_tables_which_a_session_reads(spark, lake, tmp_path):
    merge(spark, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    # Two notebooks of one Spark server share its catalog, which holds the lake that was opened last.
    other = spark.newSession()
    path = str(tmp_path / "a lake, (the other)")
    delta.ensure(other, CATALOG, path)
    assert tables._lake_of(spark, CATALOG) == path
    assert stored(spark) == []
    assert delta.version(spark, CATALOG, schema.COIN_PRICES) == 0
    assert delta.version(other, CATALOG, schema.COIN_PRICES) == 0


def test_where_limits_the_search_for_stored_rows(spark, lake):
    row = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(spark, row)
    assert merge(spark, row, where="t.period = '2026-08'") == Merged(0, 0, 1)


def test_maps_are_compared_whatever_the_order_of_their_keys(spark, lake):
    def totals(caps):
        return spark.createDataFrame(
            [(hour(1), hour(1), 1, 1, caps, {"usd": 1.0}, {"btc": 50.0}, None, None, "a")],
            schema=", ".join(f"{column.name} {column.type}" for column in schema.MARKET_TOTALS.columns),
        )

    def merge_totals(caps):
        return delta.merge_changes(spark, CATALOG, schema.MARKET_TOTALS, totals(caps))

    assert merge_totals({"usd": 1.0, "eur": 2.0}) == Merged(1, 0, 1)
    assert merge_totals({"eur": 2.0, "usd": 1.0}) == Merged(0, 0, 1)
    assert merge_totals({"eur": 2.5, "usd": 1.0}) == Merged(0, 1, 2)


def test_a_table_without_rank_takes_what_comes(spark, lake):
    def merge_progress(*rows):
        frame = spark.createDataFrame(list(rows), "table_name STRING, version BIGINT")
        return delta.merge_changes(spark, CATALOG, schema.GOLD_PROGRESS, frame)

    assert merge_progress(("coin_prices", 3), ("fx_rates", 1)) == Merged(2, 0, 1)
    assert merge_progress(("coin_prices", 2)) == Merged(0, 1, 2)
    assert stored(spark, schema.GOLD_PROGRESS, "table_name", "version") == [("coin_prices", 2), ("fx_rates", 1)]


def test_changes_since_a_version(spark, lake):
    def changes(since):
        feed = delta.changes_since(spark, CATALOG, schema.COIN_PRICES, since)
        return sorted((row["_change_type"], row["coin_id"], row["price"]) for row in feed.collect())

    assert changes(-1) == []
    merge(spark, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    merge(spark, ("bitcoin", hour(1), 1.5, "sparkline", hour(3), "b"))
    assert changes(-1) == [
        ("insert", "bitcoin", 1.0),
        ("update_postimage", "bitcoin", 1.5),
        ("update_preimage", "bitcoin", 1.0),
    ]
    assert changes(1) == [("update_postimage", "bitcoin", 1.5), ("update_preimage", "bitcoin", 1.0)]
    assert changes(2) == []
    with pytest.raises(CoinlakeError, match=r"coin_prices is at version 2, but its changes were read up to 7"):
        changes(7)


def test_delta_itself_refuses_what_breaks_a_rule(spark, lake):
    insert = f"INSERT INTO {schema.FEAR_GREED.qualified(CATALOG)} VALUES "
    with pytest.raises(Exception, match="value_in_range"):
        spark.sql(insert + "(DATE'2026-08-01', 101, 'Greed', TIMESTAMP'2026-08-01', 'a')")
    with pytest.raises(Exception, match="classification"):
        spark.sql(insert + "(DATE'2026-08-01', 71, NULL, TIMESTAMP'2026-08-01', 'a')")
