"""What every warehouse holds to, whatever it is kept in: test classes to inherit from.

They take two fixtures: `embedded`, a warehouse that does not exist yet, and `loaded`, one of two coins.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from coinlake import schema
from coinlake.errors import WarehouseError
from coinlake.schema import DIM_COIN, FACT_PRICE_DAILY
from coinlake.warehouse import LOADED, Position, loading
from coinlake.warehouse.sql import scripts
from tests.support.warehouse_rows import FACT, change, contents, fact, key, load, row, star

# One coin comes, another goes.
CHANGES = (
    change(DIM_COIN, row(DIM_COIN, coin_key=3, coin_id="solana"), deleted=[key(DIM_COIN, coin_key=2)]),
    change(
        FACT_PRICE_DAILY,
        fact("solana", 3),
        deleted=[key(FACT_PRICE_DAILY, coin_id="ethereum", vs_currency="usd", date=date(2026, 8, 12))],
    ),
)


class Exactness:
    """What is loaded is what was sent, to the last digit."""

    def test_a_first_load_holds_what_was_sent(self, embedded):
        assert load(embedded, *star(bitcoin=63_000.0, ethereum=1_800.0)) == [
            ("dim_coin", True, 2, 2, 0),
            ("dim_date", True, 1, 1, 0),
            ("dim_currency", True, 1, 1, 0),
            ("fact_price_daily", True, 2, 2, 0),
        ]
        prices = {"bitcoin": 63_000.0, "ethereum": 1_800.0}
        assert contents(embedded, FACT_PRICE_DAILY) == [
            fact(coin, n, **dict.fromkeys(("open", "high", "low", "close", "average"), price))
            for n, (coin, price) in enumerate(prices.items(), 1)
        ]

    def test_values_survive_to_the_last_digit(self, embedded):
        coins = [
            row(
                DIM_COIN,
                coin_key=2**63 - 1,
                coin_id="ベビードージ",
                symbol="$0XÄ'\"",
                name="Ünïcode 🐕 — \t\\",
                max_supply=1.7976931348623157e308,
                valid_from=datetime(1900, 1, 1),
                valid_to=datetime(9999, 12, 31),
            ),
            row(
                DIM_COIN,
                coin_key=-(2**63),
                coin_id="Case",
                symbol="",
                name="a" * 400,
                max_supply=5e-324,
                valid_from=datetime(2026, 8, 12, 14, 22, 0, 123457),
                is_current=False,
            ),
            row(DIM_COIN, coin_key=0, coin_id="case", symbol=" x ", name="b", max_supply=0.1 + 0.2),
        ]
        load(embedded, change(DIM_COIN, *coins, full=True))
        assert contents(embedded, DIM_COIN) == sorted(coins, key=lambda coin: coin["coin_key"])

    def test_decimals_are_exact(self, loaded):
        number = Decimal("12345678901234567890.123456789012345678")
        with loaded.writing() as session:
            session.execute("CREATE TABLE staging.money (amount DECIMAL(38, 18) NULL)", "test")
            session.execute("INSERT INTO staging.money (amount) VALUES (?)", "test", [number])
            session.execute("INSERT INTO staging.money (amount) VALUES (?)", "test", [number.copy_negate()])
            found = session.query(
                "SELECT SUM(amount) AS total, MAX(amount) AS greatest FROM staging.money"
            ).to_pylist()
        assert found == [{"total": Decimal(0), "greatest": number}]

    def test_rows_are_inserted_updated_and_deleted(self, loaded):
        changes = [
            change(DIM_COIN, row(DIM_COIN, coin_key=3, coin_id="solana", name="Solana"), version=2),
            change(
                FACT_PRICE_DAILY,
                fact("solana", 3),
                fact("bitcoin", 1, market_cap=None, total_volume=5.0),
                deleted=[key(FACT_PRICE_DAILY, coin_id="ethereum", vs_currency="usd", date=date(2026, 8, 12))],
                version=2,
            ),
        ]
        assert load(loaded, *changes) == [("dim_coin", False, 1, 1, 0), ("fact_price_daily", False, 3, 2, 1)]
        assert contents(loaded, FACT_PRICE_DAILY) == [fact("bitcoin", 1, total_volume=5.0), fact("solana", 3)]
        assert [coin["coin_id"] for coin in contents(loaded, DIM_COIN)] == ["bitcoin", "ethereum", "solana"]

    def test_a_value_that_becomes_null_and_one_that_stops_being_null(self, loaded):
        first = row(DIM_COIN, coin_key=1, coin_id="bitcoin", name="bitcoin", symbol="BTC", max_supply=None)
        second = row(DIM_COIN, coin_key=1, coin_id="bitcoin", name="bitcoin", symbol=None, max_supply=21e6)
        for coin in (first, second):
            assert load(loaded, change(DIM_COIN, coin)) == [("dim_coin", False, 1, 1, 0)]
            assert contents(loaded, DIM_COIN)[0] == coin

    def test_the_same_rows_again_update_nothing(self, loaded):
        before = contents(loaded, FACT_PRICE_DAILY)
        again = star(bitcoin=63_000.0, ethereum=1_800.0)
        assert [done[2:] for done in load(loaded, *again)] == [(2, 0, 0), (1, 0, 0), (1, 0, 0), (2, 0, 0)]
        assert contents(loaded, FACT_PRICE_DAILY) == before

    def test_a_full_load_drops_what_gold_no_longer_has(self, loaded):
        done = load(loaded, *star(bitcoin=64_000.0))
        assert done == [
            ("dim_coin", True, 1, 0, 1),
            ("dim_date", True, 1, 0, 0),
            ("dim_currency", True, 1, 0, 0),
            ("fact_price_daily", True, 1, 1, 1),
        ]
        assert [(found["coin_id"], found["close"]) for found in contents(loaded, FACT_PRICE_DAILY)] == [
            ("bitcoin", 64_000.0)
        ]
        assert [coin["coin_id"] for coin in contents(loaded, DIM_COIN)] == ["bitcoin"]

    def test_a_fact_moves_to_another_version_of_its_coin_and_the_old_version_goes(self, loaded):
        changes = [
            change(
                DIM_COIN,
                row(DIM_COIN, coin_key=9, coin_id="bitcoin", name="Bitcoin"),
                deleted=[key(DIM_COIN, coin_key=1)],
            ),
            change(FACT_PRICE_DAILY, fact("bitcoin", 9)),
        ]
        assert load(loaded, *changes) == [("dim_coin", False, 2, 1, 1), ("fact_price_daily", False, 1, 1, 0)]
        assert [coin["coin_key"] for coin in contents(loaded, DIM_COIN)] == [2, 9]
        assert contents(loaded, FACT_PRICE_DAILY)[0]["coin_key"] == 9

    def test_pairs_that_leave_the_correlations_go(self, embedded):
        table = schema.CORRELATION_90D
        pairs = [row(table, coin_a="a", coin_b=other, vs_currency="usd", correlation=-0.5) for other in "bcd"]
        load(embedded, change(table, *pairs, full=True))
        gone = key(table, coin_a="a", coin_b="c", vs_currency="usd")
        assert load(embedded, change(table, deleted=[gone])) == [("correlation_90d", False, 1, 0, 1)]
        assert contents(embedded, table) == [pairs[0], pairs[2]]

    def test_a_load_says_which_partitions_it_touched(self, loaded):
        table = schema.FACT_MARKET_SNAPSHOT
        rows = [
            row(
                table,
                coin_id="bitcoin",
                coin_key=1,
                snapshot_at=datetime(2026, month, 1),
                period=f"2026-{month:02}",
            )
            | FACT
            for month in (3, 1, 2)
        ]
        (first,) = loading.load_changes(loaded, [change(table, *rows)], "a-run")
        assert first.partitions == ("2026-01", "2026-02", "2026-03")
        (second,) = loading.load_changes(loaded, [change(table, rows[0], deleted=[rows[2]])], "a-run")
        assert second.partitions == ("2026-02", "2026-03")
        (third,) = loading.load_changes(loaded, [change(DIM_COIN, row(DIM_COIN, coin_key=3))], "a-run")
        assert third.partitions is None

    def test_every_table_takes_a_row_of_its_own(self, embedded):
        parents = star(bitcoin=1.0)[:3]
        keys = FACT | {"coin_key": 1}
        rows = [
            row(table, **{name: keys[name] for name in keys.keys() & set(table.column_names)})
            for table in LOADED[3:]
        ]
        load(embedded, *parents, *map(change, LOADED[3:], rows))
        for table, one in zip(LOADED[3:], rows, strict=True):
            assert contents(embedded, table) == [one]

    def test_staging_is_empty_after_a_load(self, loaded):
        with loaded.reading() as session:
            for table in LOADED:
                counted = session.query(f"SELECT COUNT(*) AS answer FROM staging.{table.name}")
                assert counted.to_pylist() == [{"answer": 0}]


class Log:
    """The warehouse says what was loaded, when and how far."""

    def test_the_log_says_how_far_each_table_is_loaded(self, loaded):
        load(loaded, change(DIM_COIN, row(DIM_COIN, coin_key=1, coin_id="bitcoin"), version=5), run="second")
        positions = loading.state(loaded).positions
        assert positions["dim_coin"] == Position("id of dim_coin", 5, datetime(2026, 8, 12, 15, 5))
        assert positions["dim_date"] == Position("id of dim_date", 1, datetime(2026, 8, 12, 15, 1))
        log = loaded.query(
            "SELECT load_id, table_name, delta_version, is_full, rows_staged, rows_merged, rows_deleted, run_id "
            "FROM control.load_log WHERE table_name = 'dim_coin' ORDER BY load_id"
        )
        assert log.values.tolist() == [
            [1, "dim_coin", 1, True, 2, 2, 0, "first"],
            [2, "dim_coin", 5, False, 1, 1, 0, "second"],
        ]

    def test_the_moment_of_a_load_is_noted_in_utc(self, embedded):
        before = datetime.now(UTC).replace(tzinfo=None)
        load(embedded, *star(bitcoin=1.0))
        noted = embedded.query("SELECT MIN(loaded_at) AS first, MAX(loaded_at) AS last FROM control.load_log")
        assert before <= noted["first"][0] <= noted["last"][0] <= datetime.now(UTC).replace(tzinfo=None)

    def test_a_warehouse_that_is_not_there_holds_nothing_and_says_so(self, embedded):
        assert loading.state(embedded) == loading.State()
        with pytest.raises(WarehouseError, match="does not exist yet; notebook 05 makes it"):
            embedded.query("SELECT name FROM reporting.coin_now")


class Views:
    """What people read."""

    def test_the_newest_snapshot_of_each_coin(self, loaded):
        facts, now = schema.FACT_MARKET_SNAPSHOT, schema.MARKET_NOW
        snapshots = [
            row(
                facts,
                **{"coin_id": coin, "coin_key": n, "snapshot_at": datetime(2026, 8, 12, hour), **FACT},
                circulating_supply=supply,
            )
            for coin, n, hour, supply in (
                ("bitcoin", 1, 9, 1.0),
                ("bitcoin", 1, 11, 3.0),
                ("bitcoin", 1, 10, 2.0),
                ("ethereum", 2, 9, 4.0),
            )
        ]
        newest = [
            row(now, coin_id=coin, vs_currency="usd", name=coin.title(), snapshot_at=datetime(2026, 8, 12, hour))
            for coin, hour in (("bitcoin", 11), ("ethereum", 9))
        ]
        load(loaded, change(facts, *snapshots), change(now, *newest))
        columns = "name, kind, snapshot_at, circulating_supply"
        found = loaded.query(f"SELECT {columns} FROM reporting.coin_now ORDER BY name")
        assert found.values.tolist() == [
            ["Bitcoin", "free", datetime(2026, 8, 12, 11), 3.0],
            ["Ethereum", "free", datetime(2026, 8, 12, 9), 4.0],
        ]

    def test_what_happened_to_coins_under_their_newest_names(self, loaded):
        event = row(schema.MARKET_EVENTS, coin_id="bitcoin", vs_currency="usd", kind="left", value=3.0)
        load(loaded, change(schema.MARKET_EVENTS, event))
        found = loaded.query("SELECT name, kind, happened_at, date, value FROM reporting.coin_event")
        happened_at = event["happened_at"]
        assert found.values.tolist() == [["bitcoin", "left", happened_at, happened_at.date(), 3.0]]

    def test_complete_days_with_their_trend_and_averages(self, loaded):
        trend = row(schema.MARKET_TRENDS_DAILY, coin_id="bitcoin", vs_currency="usd", return_1d=0.05)
        averages = row(schema.PRICE_AVERAGES_DAILY, coin_id="bitcoin", vs_currency="usd", average_7d=2.0)
        load(
            loaded,
            change(FACT_PRICE_DAILY, fact("ethereum", 2, is_complete=False)),
            change(schema.PRICE_AVERAGES_DAILY, averages),
            change(schema.MARKET_TRENDS_DAILY, trend),
        )
        found = loaded.query("SELECT name, date, [close], return_1d, average_7d FROM reporting.coin_day")
        assert found.values.tolist() == [["bitcoin", date(2026, 8, 12), 63_000.0, 0.05, 2.0]]

    def test_months_and_days_of_the_market(self, loaded):
        month = row(schema.COIN_MONTHLY, coin_id="bitcoin", vs_currency="usd", month=date(2026, 8, 1), average=2.5)
        day = row(schema.MARKET_DAILY, vs_currency="usd", coins=8, advancers=2)
        load(loaded, change(schema.COIN_MONTHLY, month), change(schema.MARKET_DAILY, day))
        months = loaded.query("SELECT name, currency_name, month, average FROM reporting.coin_month")
        assert months.values.tolist() == [["bitcoin", "x", date(2026, 8, 1), 2.5]]
        days = loaded.query("SELECT coins, share_advancing FROM reporting.market_day")
        assert days.values.tolist() == [[8, 0.25]]


class Migrations:
    """Files of sql/warehouse that are new, changed or edited."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """A copy of sql/warehouse that may be changed."""
        copy = tmp_path / "sql"
        for path in scripts.FOLDER.rglob("*.sql"):
            target = copy / path.relative_to(scripts.FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text())
        monkeypatch.setattr(scripts, "FOLDER", copy)
        return copy

    def test_a_new_migration_runs_once_and_keeps_the_rows(self, loaded, folder):
        migration = folder / "migrations" / "900_note.sql"
        migration.write_text("CREATE TABLE control.note (x INT NOT NULL, CONSTRAINT pk_note PRIMARY KEY (x))")
        assert loading.outdated(loading.state(loaded).applied) == [migration]
        before = contents(loaded, FACT_PRICE_DAILY)
        load(loaded)
        assert contents(loaded, FACT_PRICE_DAILY) == before
        assert loaded.query("SELECT COUNT(*) AS answer FROM control.note")["answer"].tolist() == [0]
        assert loading.outdated(loading.state(loaded).applied) == []

    def test_a_changed_view_is_made_anew(self, loaded, folder):
        view = folder / "views" / "coin_now.sql"
        view.write_text("CREATE OR ALTER VIEW reporting.coin_now AS SELECT coin_id FROM aggregated_data.dim_coin")
        load(loaded)
        assert sorted(loaded.query("SELECT coin_id FROM reporting.coin_now")["coin_id"]) == ["bitcoin", "ethereum"]

    def test_an_edited_migration_is_refused(self, loaded, folder):
        migration = folder / "migrations" / scripts.migrations()[6].name
        migration.write_text(migration.read_text() + "-- edited\n")
        with pytest.raises(WarehouseError, match=f"{migration.name}: changed after this warehouse was built"):
            load(loaded)
