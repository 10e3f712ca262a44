"""The Delta tables: merged into, compacted, asked for their versions and changes."""

import dataclasses
import errno
import itertools
import shlex
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from coinlake import Lakehouse, delta, lakehouse, schema
from coinlake.delta import Merged, log, tables
from coinlake.errors import CoinlakeError, StorageError

CATALOG = "spark_catalog"


# A folder of somebody's lake: nothing in its name is a pattern, a format, an escape, or the end of a name.
ODD_FOLDER = "my `lake` [2026] {a,b} {} * 100%41 #1 it's größe+x=y&z"
FEW = (schema.RESPONSES, schema.COIN_PRICES, schema.MARKET_TOTALS, schema.FEAR_GREED, schema.GOLD_PROGRESS)


@pytest.fixture
def lake(spark, tmp_path, monkeypatch):
    """A lake with a few of the tables."""
    monkeypatch.setattr(lakehouse, "TABLES", FEW)
    return Lakehouse.create(CATALOG, str(tmp_path / ODD_FOLDER), spark)


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


def stored(lake, table=schema.COIN_PRICES, *columns):
    columns = columns or ("coin_id", "observed_at", "price", "source", "fetched_at", "file")
    rows = lake.table(table).read().select(*columns).orderBy(*columns[:2]).collect()
    return [tuple(row) for row in rows]


def merge(lake, *rows, **options):
    return lake.table(schema.COIN_PRICES).merge(prices(lake.spark, *rows), **options)


def test_merge_inserts_updates_and_commits_nothing_when_nothing_differs(spark, lake):
    first = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    other = ("ether", hour(1), 2.0, "sparkline", hour(2), "a")
    assert merge(lake, first, other) == Merged(2, 0, 1)
    assert merge(lake, first, other) == Merged(0, 0, 1)
    assert merge(lake) == Merged(0, 0, 1)
    newer = ("bitcoin", hour(1), 1.5, "sparkline", hour(3), "b")
    third = ("tether", hour(1, day=2), 3.0, "sparkline", hour(3), "b")
    assert merge(lake, newer, third) == Merged(1, 1, 2)
    assert stored(lake) == [newer, other, third]


def test_any_order_of_arrival_gives_the_same_rows(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(lakehouse, "TABLES", FEW)
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
        lake = Lakehouse.create(CATALOG, str(tmp_path / f"lake{number}"), spark)
        for page in order:
            merge(lake, *page)
        assert stored(lake) == expected
    lake = Lakehouse.create(CATALOG, str(tmp_path / "at once"), spark)
    assert merge(lake, *itertools.chain(*pages)) == Merged(2, 0, 1)
    assert stored(lake) == expected


def test_small_files_are_compacted_from_time_to_time(spark, lake, monkeypatch):
    monkeypatch.setattr(tables, "COMPACT_EVERY_VERSIONS", 3)

    def files():
        return spark.sql(f"DESCRIBE DETAIL {lake.table(schema.COIN_PRICES).name}").first()["numFiles"]

    rows = [("bitcoin", hour(number), 1.0, "sparkline", hour(9), "a") for number in range(4)]
    assert [merge(lake, row).version for row in rows[:3]] == [1, 2, 4]
    assert files() == 1
    assert merge(lake, rows[3]).version == 5
    assert stored(lake) == rows


def test_commits_read_from_the_log_are_those_of_deltas_own_history(spark, lake, monkeypatch):
    monkeypatch.setattr(tables, "COMPACT_EVERY_VERSIONS", 2)
    for number in range(2):
        merge(lake, ("bitcoin", hour(number), 1.0, "sparkline", hour(9), "a"))
    log = Path(lake.folder("tables", "cleaned_data", "coin_prices", "_delta_log"))
    # A log may hold compacted entries beside the others.
    (log / f"{0:020}.{3:020}.compacted.json").touch()

    table = lake.table(schema.COIN_PRICES)
    read = table.newest_commits(9)
    assert [(commit.version, commit.operation) for commit in read] == [
        (3, "OPTIMIZE"),
        (2, "WRITE"),
        (1, "WRITE"),
        (0, "CREATE TABLE"),
    ]
    assert table.newest_commits(1) == read[:1]
    history = dataclasses.replace(table, folder=None)
    assert history.newest_commits(9) == read
    assert history.newest_commits(1) == read[:1]


def test_files_read_by_the_log_are_those_that_delta_reads(spark, lake, monkeypatch):
    monkeypatch.setattr(tables, "COMPACT_EVERY_VERSIONS", 4)
    table = lake.table(schema.COIN_PRICES)
    spark.sql(f"ALTER TABLE {table.name} SET TBLPROPERTIES ('delta.checkpointInterval' = '3')")
    bitcoin = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, bitcoin, ("ether", datetime(2026, 7, 31), 2.0, "sparkline", hour(2), "a"))
    merge(lake, (*bitcoin[:2], 1.5, "sparkline", hour(3), "b"))
    assert merge(lake, ("tether", hour(1, day=3), 3.0, "sparkline", hour(2), "c")).version == 5
    assert [path.name[:20] for path in Path(table.folder, "_delta_log").glob("*.checkpoint.parquet")] == [
        f"{3:020}"
    ]
    for version in range(6):
        by_delta = spark.read.option("versionAsOf", version).table(table.name)
        assert sorted(map(tuple, table.read(version).collect())) == sorted(map(tuple, by_delta.collect())), version
    assert table.rows() == 3
    assert table.read().schema.names == by_delta.schema.names == schema.COIN_PRICES.column_names
    # What may hold more than rows of Parquet is left to Delta.
    spark.sql(f"ALTER TABLE {table.name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM {table.name} WHERE coin_id = 'ether'")
    assert log.state(table.folder) is None
    assert sorted(row["coin_id"] for row in table.read().collect()) == ["bitcoin", "tether"]
    assert table.rows() == 2


def test_what_is_new_is_appended_where_nobody_else_can_write_it_meanwhile(spark, lake, monkeypatch):
    def operations():
        return [commit.operation for commit in lake.table(schema.COIN_PRICES).newest_commits(9)]

    bitcoin = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, bitcoin)
    assert merge(lake, bitcoin, ("ether", hour(1), 2.0, "sparkline", hour(2), "a")) == Merged(1, 0, 2)
    assert merge(lake, (*bitcoin[:2], 1.5, "sparkline", hour(3), "b")) == Merged(0, 1, 3)
    monkeypatch.setattr(tables, "MOST_HELD", 1)
    more = [(coin, hour(2), 2.0, "sparkline", hour(3), "b") for coin in ("bitcoin", "ether")]
    assert merge(lake, *more) == Merged(2, 0, 4)
    monkeypatch.undo()

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(tables.fcntl, "flock", no_locks)
    assert merge(lake, ("tether", hour(1), 3.0, "sparkline", hour(2), "c")) == Merged(1, 0, 5)
    assert operations() == ["MERGE", "MERGE", "MERGE", "WRITE", "WRITE", "CREATE TABLE"]
    spark.conf.unset("spark.databricks.delta.merge.materializeSource")


def test_two_who_write_the_same_new_key_write_it_once(spark, lake):
    merge(lake, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    with ThreadPoolExecutor(2) as pool:
        rows = [("ether", hour(1), 2.0, "sparkline", hour(2), name) for name in "ab"]
        done = list(pool.map(lambda row: merge(lake, row), rows))
    assert sorted((merged.inserted, merged.updated) for merged in done) in ([(0, 0), (1, 0)], [(0, 1), (1, 0)])
    assert [row[0] for row in stored(lake)] == ["bitcoin", "ether"]


def test_where_limits_the_search_for_stored_rows(spark, lake):
    row = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, row)
    assert merge(lake, row, where="t.period = '2026-08'") == Merged(0, 0, 1)


@pytest.mark.both_sessions
def test_maps_are_compared_whatever_the_order_of_their_keys(spark, lake):
    def totals(caps):
        return spark.createDataFrame(
            [(hour(1), hour(1), 1, 1, caps, {"usd": 1.0}, {"btc": 50.0}, None, None, "a")],
            schema=", ".join(f"{column.name} {column.type}" for column in schema.MARKET_TOTALS.columns),
        )

    def merge_totals(caps):
        return lake.table(schema.MARKET_TOTALS).merge(totals(caps))

    assert merge_totals({"usd": 1.0, "eur": 2.0}) == Merged(1, 0, 1)
    assert merge_totals({"eur": 2.0, "usd": 1.0}) == Merged(0, 0, 1)
    assert merge_totals({"eur": 2.5, "usd": 1.0}) == Merged(0, 1, 2)


def test_a_table_without_rank_takes_what_comes(spark, lake):
    def merge_progress(*rows):
        rows = [(*row, "an id") for row in rows]
        frame = spark.createDataFrame(rows, "table_name STRING, version BIGINT, table_id STRING")
        return lake.table(schema.GOLD_PROGRESS).merge(frame)

    assert merge_progress(("coin_prices", 3), ("fx_rates", 1)) == Merged(2, 0, 1)
    assert merge_progress(("coin_prices", 2)) == Merged(0, 1, 2)
    assert stored(lake, schema.GOLD_PROGRESS, "table_name", "version") == [("coin_prices", 2), ("fx_rates", 1)]


def test_changes_since_a_version(spark, lake):
    def changes(since, until=None):
        feed = delta.changes_since(lake.table(schema.COIN_PRICES), since, until)
        return sorted((row["_change_type"], row["coin_id"], row["price"]) for row in feed.collect())

    assert changes(-1) == []
    merge(lake, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    merge(lake, ("bitcoin", hour(1), 1.5, "sparkline", hour(3), "b"))
    assert changes(-1) == [
        ("insert", "bitcoin", 1.0),
        ("update_postimage", "bitcoin", 1.5),
        ("update_preimage", "bitcoin", 1.0),
    ]
    assert changes(1) == [("update_postimage", "bitcoin", 1.5), ("update_preimage", "bitcoin", 1.0)]
    assert changes(2) == []
    assert changes(-1, until=1) == [("insert", "bitcoin", 1.0)]
    assert changes(1, until=1) == []
    with pytest.raises(CoinlakeError, match=r"coin_prices is at version 2, but its changes were read up to 7"):
        changes(7)


def test_changes_read_by_the_log_are_those_that_delta_feeds(spark, lake):
    table = lake.table(schema.COIN_PRICES)
    by_delta = dataclasses.replace(table, folder=None)
    bitcoin = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, bitcoin, ("ether", datetime(2026, 7, 31), 2.0, "sparkline", hour(2), "a"))
    merge(
        lake, (*bitcoin[:2], 1.5, "sparkline", hour(3), "b"), ("tether", hour(1), 3.0, "sparkline", hour(3), "b")
    )
    table.replace(
        prices(spark, ("dai", hour(1), 4.0, "sparkline", hour(3), "c")), F.col("coin_id").isin("ether", "dai")
    )
    spark.sql(f"OPTIMIZE {table.name}")
    spark.sql(f"DELETE FROM {table.name} WHERE coin_id = 'tether'")
    newest = table.version()
    assert [commit.operation for commit in table.newest_commits(5)] == [
        "DELETE",
        "OPTIMIZE",
        "WRITE",
        "MERGE",
        "WRITE",
    ]
    for since in range(newest + 1):
        read, fed = (
            sorted(map(repr, delta.changes_since(stored, since).collect())) for stored in (table, by_delta)
        )
        assert read == fed, since
        assert log.changed_files(table.folder, since, newest) is not None
    assert log.changed_files(table.folder, -1, newest) is None


def test_a_feed_and_a_version_do_not_see_what_is_written_later(spark, lake):
    first = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, first)
    table = lake.table(schema.COIN_PRICES)
    feed, pinned = delta.changes_since(table, -1), table.read(1)
    merge(lake, ("bitcoin", hour(1), 1.5, "sparkline", hour(3), "b"))
    merge(lake, ("ether", hour(1), 2.0, "sparkline", hour(3), "b"))
    assert [row["price"] for row in feed.collect()] == [1.0]
    assert [row["price"] for row in pinned.collect()] == [1.0]
    for version, prices_then in enumerate(([], [1.0], [1.5], [1.5, 2.0])):
        assert sorted(row["price"] for row in table.read(version).collect()) == prices_then


def test_delta_itself_refuses_what_breaks_a_rule(spark, lake):
    insert = f"INSERT INTO {lake.table(schema.FEAR_GREED).name} VALUES "
    with pytest.raises(Exception, match="value_in_range"):
        spark.sql(insert + "(DATE'2026-08-01', 101, 'Greed', TIMESTAMP'2026-08-01', 'a')")
    with pytest.raises(Exception, match="classification"):
        spark.sql(insert + "(DATE'2026-08-01', 71, NULL, TIMESTAMP'2026-08-01', 'a')")


def fact_rows(spark, *rows):
    """Rows of gold_progress from (table, version, id): a table without a rank."""
    return spark.createDataFrame(rows, "table_name STRING, version BIGINT, table_id STRING")


@pytest.mark.both_sessions
def test_no_write_makes_a_key_stand_there_twice(spark, lake):
    table = lake.table(schema.GOLD_PROGRESS)
    twice = fact_rows(spark, ("a", 1, "x"), ("a", 2, "x"))
    refusal = (
        f"""aggregated_data.gold_progress: the key {{"table_name":"a"}} is there more than once. Nothing was """
        f"written. To make the table again: coinlake rebuild gold --lake {shlex.quote(lake.path)}"
    )
    writes = {
        "first": lambda: table.merge(twice),
        "replace": lambda: table.replace(twice),
        "merge": lambda: table.merge(twice),
    }
    for name, write in writes.items():
        if name == "merge":
            table.merge(fact_rows(spark, ("b", 1, "x")))
        with pytest.raises(StorageError) as problem:
            write()
        assert str(problem.value) == refusal, name
    assert stored(lake, schema.GOLD_PROGRESS, "table_name", "version") == [("b", 1)]


def test_a_row_outside_of_what_is_searched_is_refused(spark, lake):
    first = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, first)
    with pytest.raises(StorageError, match=r"is outside of what was searched for it\. Nothing was written"):
        merge(lake, ("bitcoin", hour(1), 2.0, "sparkline", hour(3), "b"), where="t.period = '2026-09'")
    assert stored(lake) == [first]


def test_a_key_that_stands_there_twice_already_is_found_when_it_is_touched(spark, lake):
    row = ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a")
    merge(lake, row)
    prices(spark, row).writeTo(lake.table(schema.COIN_PRICES).name).append()
    assert merge(lake, ("ether", hour(1), 1.0, "sparkline", hour(2), "a")).inserted == 1
    with pytest.raises(StorageError, match=r'"coin_id":"bitcoin".* is there more than once'):
        merge(lake, ("bitcoin", hour(1), 2.0, "sparkline", hour(3), "b"))


@pytest.mark.parametrize("cut", [lambda text: text[: len(text) // 2], lambda text: ""])
def test_a_newest_log_entry_that_is_cut_names_the_table_and_the_command(spark, lake, cut):
    merge(lake, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    table = lake.table(schema.COIN_PRICES)
    entry = Path(table.folder, "_delta_log", f"{1:020}.json")
    entry.write_text(cut(entry.read_text()))
    for use in (table.read, table.version, lambda: merge(lake, ("x", hour(1), 1.0, "sparkline", hour(2), "a"))):
        with pytest.raises(StorageError) as problem:
            use()
        assert str(problem.value) == (
            "cleaned_data.coin_prices: the newest entries of its log are cut or overwritten. Nothing is lost, the "
            f"table can be made again: coinlake rebuild silver --lake {shlex.quote(lake.path)}"
        )


@pytest.mark.both_sessions
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:100])])
def test_a_data_file_that_is_missing_or_cut_names_the_table_and_the_command(spark, lake, damage):
    merge(lake, ("bitcoin", hour(1), 1.0, "sparkline", hour(2), "a"))
    table = lake.table(schema.COIN_PRICES)
    [data] = Path(table.folder).glob("period=2026-08/*.parquet")
    damage(data)
    with pytest.raises(StorageError) as problem:
        merge(lake, ("bitcoin", hour(1), 2.0, "sparkline", hour(3), "b"))
    assert str(problem.value) == (
        f"cleaned_data.coin_prices: a file of this table in {lake.path}/tables is missing or damaged. Nothing is "
        f"lost, the table can be made again: coinlake rebuild silver --lake {shlex.quote(lake.path)}"
    )
