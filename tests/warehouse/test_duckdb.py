"""Loads into a DuckDB file: exact, all or nothing, and never in a reader's way."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from coinlake import warehouse
from coinlake.errors import DamagedWarehouse, WarehouseError
from coinlake.schema import DIM_COIN, DIM_CURRENCY, FACT_PRICE_DAILY, PIPELINE_RUNS, RUN_STEPS
from coinlake.warehouse import LOADED, DuckDBWarehouse, TsqlError, loading
from coinlake.warehouse.duckdb import DuckDBSession
from coinlake.warehouse.sql import scripts
from tests.support.warehouse_contract import CHANGES, Exactness, Log, Migrations, Views
from tests.support.warehouse_rows import change, contents, fact, key, load, row, star


class TestExactness(Exactness):
    pass


class TestLog(Log):
    pass


class TestViews(Views):
    pass


class TestRules:
    def refused(self, warehouse, *changes):
        before = warehouse.path.read_bytes()
        with pytest.raises(WarehouseError) as refusal:
            load(warehouse, *changes)
        assert warehouse.path.read_bytes() == before
        return str(refusal.value)

    def test_a_key_that_leads_nowhere(self, loaded):
        message = self.refused(loaded, change(FACT_PRICE_DAILY, fact("solana", 77)))
        assert "merge/fact_price_daily" in message
        assert 'key "coin_key: 77" does not exist' in message

    def test_a_missing_value(self, loaded):
        coin = row(DIM_COIN, coin_key=3, coin_id="solana", name=None)
        assert 'NOT NULL constraint failed: dim_coin."name"' in self.refused(loaded, change(DIM_COIN, coin))

    def test_a_rule_of_the_table(self, loaded):
        message = self.refused(loaded, change(FACT_PRICE_DAILY, fact("bitcoin", 1, low=9.0, high=8.0)))
        assert 'CHECK constraint failed on table "fact_price_daily"' in message

    def test_a_text_that_is_too_long(self, loaded):
        message = self.refused(loaded, change(DIM_COIN, row(DIM_COIN, coin_key=3, name="a" * 401)))
        assert "staging.dim_coin" in message
        assert '(length("name") <= 400)' in message

    def test_two_rows_of_one_key(self, loaded):
        twins = [row(DIM_CURRENCY, currency_key=7, currency=code) for code in ("eur", "chf")]
        assert 'duplicate key "7"' in self.refused(loaded, change(DIM_CURRENCY, *twins))

    def test_a_deleted_dimension_that_facts_still_use(self, loaded):
        message = self.refused(loaded, change(DIM_COIN, deleted=[key(DIM_COIN, coin_key=1)]))
        assert "still referenced" in message

    def test_rows_that_get_lost_on_the_way(self, loaded, monkeypatch):
        stage = DuckDBSession.stage

        def lossy(session, sent, load_id):
            stage(session, sent, load_id)
            session._connection.execute(f"DELETE FROM staging.{sent.table.name} WHERE coin_key = 3")

        monkeypatch.setattr(DuckDBSession, "stage", lossy)
        coins = [row(DIM_COIN, coin_key=n, coin_id=str(n)) for n in (3, 4)]
        message = self.refused(loaded, change(DIM_COIN, *coins))
        assert message.startswith("staging.dim_coin has 1 rows of 2 that were sent")


class TestMigrations(Migrations):
    def test_nothing_is_outdated_after_a_load(self, loaded):
        applied = warehouse.state(loaded).applied
        assert warehouse.outdated(applied) == []
        assert set(applied) == {scripts.name(path) for path in (*scripts.migrations(), *scripts.repeatables())}

    def test_runs_that_were_loaded_before_more_states_were_known_stay(self, embedded, folder):
        """As a warehouse of the first release meets the next one."""
        newer = [folder / "migrations" / name for name in ("025_run_steps.sql", "026_pipeline_runs.sql")]
        texts = [path.read_text() for path in newer]
        for path in newer:
            path.unlink()
        steps = [row(RUN_STEPS, step=name, message="no") for name in ("01_a", "02_b")]
        load(embedded, change(RUN_STEPS, *steps), change(PIPELINE_RUNS, row(PIPELINE_RUNS)))
        before = contents(embedded, RUN_STEPS), contents(embedded, PIPELINE_RUNS)
        for path, text in zip(newer, texts, strict=True):
            path.write_text(text)
        load(embedded)
        assert (contents(embedded, RUN_STEPS), contents(embedded, PIPELINE_RUNS)) == before
        load(
            embedded,
            change(RUN_STEPS, row(RUN_STEPS, step="01_a", status="interrupted")),
            change(PIPELINE_RUNS, row(PIPELINE_RUNS, status="incomplete")),
        )
        assert [line["status"] for line in contents(embedded, RUN_STEPS)] == ["interrupted", "succeeded"]
        assert [line["status"] for line in contents(embedded, PIPELINE_RUNS)] == ["incomplete"]

    def test_a_migration_that_fails_leaves_the_warehouse_as_it_was(self, loaded, folder):
        (folder / "migrations" / "900_wrong.sql").write_text("CREATE TABLE control.wrong (x INTT NULL)")
        before = loaded.path.read_bytes()
        with pytest.raises(TsqlError, match="migrations/900_wrong: not portable"):
            load(loaded)
        assert loaded.path.read_bytes() == before


class TestPublishing:
    def test_a_failure_at_any_step_leaves_the_old_file(self, loaded, monkeypatch):
        before = loaded.path.read_bytes()
        steps = count(1)
        fatal = 0

        def failing(original):
            def step(*arguments, **named):
                if next(steps) == fatal:
                    raise OSError(f"no more after step {fatal}")
                return original(*arguments, **named)

            return step

        for name in ("execute", "query", "stage", "settle_keys"):
            monkeypatch.setattr(DuckDBSession, name, failing(getattr(DuckDBSession, name)))
        monkeypatch.setattr(os, "fsync", failing(os.fsync))
        monkeypatch.setattr(Path, "replace", failing(Path.replace))
        for fatal in count(1):  # noqa: B007  the steps read it
            steps = count(1)
            try:
                load(loaded, *CHANGES)
                break
            except OSError:
                if loaded.path.read_bytes() != before:
                    break
            assert [path.name for path in loaded.path.parent.iterdir()] == ["warehouse.duckdb"]
        # The very last step makes the rename last through a power cut: by then the new file is in place.
        assert fatal == next(steps) - 1 > 20
        monkeypatch.undo()
        assert [found["coin_id"] for found in contents(loaded, FACT_PRICE_DAILY)] == ["bitcoin", "solana"]

    @pytest.mark.parametrize("last_step", ["loading._log", "duckdb._sync"])
    def test_a_killed_load_leaves_the_old_file_and_the_next_one_works(self, loaded, last_step):
        before = loaded.path.read_bytes()
        program = (
            "import os, sys; sys.path[:0] = sys.argv[2:]\n"
            "from coinlake.warehouse import DuckDBWarehouse, duckdb, loading\n"
            "from tests.support.warehouse_contract import CHANGES\n"
            f"{last_step} = lambda *_: os._exit(9)\n"
            "loading.load_changes(DuckDBWarehouse(sys.argv[1]), CHANGES, 'killed')\n"
        )
        folder = str(Path(__file__).parents[2])
        killed = subprocess.run([sys.executable, "-c", program, loaded.path, folder], timeout=60)
        assert killed.returncode == 9
        assert loaded.path.with_name(".warehouse.duckdb.loading").exists()
        assert loaded.path.read_bytes() == before
        load(loaded, *CHANGES)
        assert [found["coin_id"] for found in contents(loaded, FACT_PRICE_DAILY)] == ["bitcoin", "solana"]
        assert list(loaded.path.parent.glob(".*.loading*")) == []
        # Nothing of the killed load is left, not even its number.
        started = loaded.query("SELECT load_id FROM control.load_started ORDER BY load_id")
        assert started["load_id"].tolist() == [1, 2]

    def test_a_reader_keeps_what_it_opened_and_the_next_one_gets_the_new(self, loaded):
        question = "SELECT coin_id FROM aggregated_data.fact_price_daily ORDER BY coin_id"
        with loaded.reading() as reader:
            load(loaded, *CHANGES)
            old = reader.query(question)["coin_id"].to_pylist()
            new = loaded.query(question)["coin_id"].tolist()
        assert (old, new) == (["bitcoin", "ethereum"], ["bitcoin", "solana"])

    def test_a_reader_in_another_process_does_not_stop_a_load(self, loaded):
        program = (
            "import duckdb, sys\n"
            "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
            "for line in sys.stdin:\n"
            "    print(connection.execute('SELECT max(coin_id) FROM aggregated_data.dim_coin').fetchone()[0])\n"
            "    sys.stdout.flush()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, loaded.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as reader:

            def ask() -> str:
                reader.stdin.write("?\n")
                reader.stdin.flush()
                return reader.stdout.readline().strip()

            assert ask() == "ethereum"
            load(loaded, *CHANGES)
            assert ask() == "ethereum"
            reader.stdin.close()
        assert loaded.query("SELECT MAX(coin_id) AS last FROM aggregated_data.dim_coin")["last"][0] == "solana"

    def test_only_one_load_at_a_time(self, loaded):
        with loaded.writing(), pytest.raises(WarehouseError, match="Another load of"):
            load(DuckDBWarehouse(loaded.path), *CHANGES)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def bad_block(content: bytes) -> bytes:
    """The first block behind the three headers, of 4 KiB each, overwritten in its middle."""
    place = 3 * 4096 + 1000
    return content[:place] + bytes(range(64)) + content[place + 64 :]


@pytest.mark.parametrize("damage", [half, bad_block, lambda content: b"", lambda content: b"not a database"])
def test_a_damaged_file_is_made_again_and_that_is_said(loaded, monkeypatch, capsys, damage):
    intact = [contents(loaded, table) for table in LOADED]
    loaded.path.write_bytes(damage(loaded.path.read_bytes()))
    asked = []

    def all_or_nothing(lake, positions):
        asked.append(dict(positions))
        yield from star(bitcoin=63_000.0, ethereum=1_800.0)

    monkeypatch.setattr(loading, "gold_changes", all_or_nothing)
    assert warehouse.load(None, loaded, "again")
    # The last time with nothing that the warehouse would hold already.
    assert asked[-1] == {}
    assert [contents(loaded, table) for table in LOADED] == intact
    assert capsys.readouterr().out == (
        f"{loaded} was cut, or something else has written into it: it is made again from gold\n"
    )


def test_who_only_reads_a_damaged_file_is_told_what_makes_it_again(loaded):
    loaded.path.write_bytes(loaded.path.read_bytes()[:5000])
    with pytest.raises(DamagedWarehouse) as problem:
        loaded.query("SELECT COUNT(*) AS coins FROM aggregated_data.dim_coin")
    assert str(problem.value).endswith(f"coinlake rebuild warehouse --lake {loaded.path.parent}")
