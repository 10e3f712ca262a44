"""Session, catalog and place belong together: asked at once, and nothing of somebody else's is ever erased."""

import dataclasses
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from coinlake import Lakehouse, delta, lakehouse, schema
from coinlake.delta import Merged
from coinlake.errors import ConfigurationError, StorageError

CATALOG = "spark_catalog"
FEW = (schema.RESPONSES, schema.FEAR_GREED, schema.MARKET_DAILY)
MOOD = (date(2026, 8, 1), 71, "Greed", datetime(2026, 8, 1, 1), "a.json")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Folders for lakes with a few of the tables."""
    monkeypatch.setattr(lakehouse, "TABLES", FEW)
    return tmp_path


@pytest.fixture
def lake(spark, place):
    return Lakehouse.create(CATALOG, str(place / "lake"), spark)


def feel(lake, *rows, table=schema.FEAR_GREED) -> Merged:
    fields = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    return lake.table(table).merge(lake.spark.createDataFrame(list(rows), fields))


def moods(lake) -> list[tuple]:
    return [tuple(row) for row in lake.table(schema.FEAR_GREED).read().orderBy("date").collect()]


@pytest.mark.both_sessions
def test_every_table_stands_below_the_lake_and_says_what_it_is(spark, tmp_path):
    lake = Lakehouse.create(CATALOG, str(tmp_path / "lake"), spark)
    for table in schema.TABLES:
        assert (tmp_path / "lake" / "tables" / table.schema / table.name / "_delta_log").is_dir()
        described = spark.sql(f"DESCRIBE {table.full_name(CATALOG)}").collect()
        found = {row["col_name"]: row["comment"] for row in described}
        assert {column.name: column.comment for column in table.columns}.items() <= found.items()
    properties = spark.sql(f"DESCRIBE DETAIL {lake.table(schema.COIN_PRICES).name}").first()["properties"]
    rules = {f"{delta.RULE}{name}": condition for name, condition in schema.COIN_PRICES.checks.items()}
    assert ({"delta.enableChangeDataFeed": "true"} | rules).items() <= properties.items()
    assert lake.table(schema.COIN_PRICES).version() == 0


def test_two_lakes_in_one_server_keep_their_own_rows(spark, lake, place):
    feel(lake, MOOD)
    # The other session names its own tables in the catalog that both share.
    other = Lakehouse.create(CATALOG, str(place / "a lake, (the other)"), spark.newSession())
    assert moods(other) == []
    assert moods(lake) == [MOOD]
    assert feel(other, MOOD, (date(2026, 8, 2), *MOOD[1:])) == Merged(2, 0, 1)
    assert (lake.table(schema.FEAR_GREED).version(), len(moods(lake))) == (1, 1)
    assert len(spark.table(schema.FEAR_GREED.full_name(CATALOG)).collect()) == 2
    Lakehouse.open(CATALOG, lake.path, spark).name_tables()
    assert len(spark.table(schema.FEAR_GREED.full_name(CATALOG)).collect()) == 1


def test_rows_that_a_catalog_keeps_survive_a_lake_that_wants_their_name(spark, lake, place):
    name = schema.MARKET_DAILY.full_name(CATALOG)
    spark.sql(f"DROP TABLE {name}")
    spark.sql(f"CREATE TABLE {name} (value INT) USING delta")
    spark.sql(f"INSERT INTO {name} VALUES (7)")
    for way in (lambda: Lakehouse.create(CATALOG, str(place / "other"), spark), lake.name_tables):
        with pytest.raises(StorageError, match=f"{name} is a table whose rows the catalog {CATALOG} keeps"):
            way()
        assert [row["value"] for row in spark.table(name).collect()] == [7]
        spark.sql(f"ALTER SCHEMA {CATALOG}.raw_data SET DBPROPERTIES ('{lakehouse.NOTED}' = 'nowhere')")
    spark.sql(f"DROP TABLE {name}")


def test_names_are_given_again_whatever_the_lake_is_called(spark, place):
    lake = Lakehouse.create(CATALOG, str(place / "hourly"), spark)
    name = schema.FEAR_GREED.full_name(CATALOG)
    spark.sql(f"DROP TABLE {name}")
    Lakehouse.create(CATALOG, lake.path, spark)
    assert not spark.catalog.tableExists(name)
    lake.name_tables()
    assert spark.catalog.tableExists(name)
    # Spark hides the value of a property in which it finds `url`.
    assert lake._noted() == lake._note()


def test_a_lake_that_is_set_up_asks_spark_nothing(lake, monkeypatch):
    monkeypatch.setattr(lakehouse.runtime, "spark", Refusing)
    Lakehouse.create(CATALOG, lake.path)
    Lakehouse.open(CATALOG, lake.path)


def test_a_reader_makes_no_table(spark, place):
    lake = Lakehouse.open(CATALOG, str(place / "empty"), spark)
    assert not (place / "empty").exists()
    with pytest.raises(
        StorageError, match=r"There is no table cleaned_data\.fear_greed in .*Run notebook 00_setup"
    ):
        lake.table(schema.FEAR_GREED).read()


def test_a_table_that_differs_from_its_description_is_named_with_the_way_out(spark, lake):
    name = schema.FEAR_GREED.full_name(CATALOG)
    spark.sql(f"ALTER TABLE {name} ADD COLUMN mood STRING")
    with pytest.raises(StorageError) as refusal:
        Lakehouse.create(CATALOG, lake.path, spark)
    assert "cleaned_data.fear_greed has a column mood that coinlake.schema does not describe" in str(refusal.value)
    assert f"Delete {lake.path}/tables and {lake.path}/checkpoints" in str(refusal.value)


def test_other_comments_are_accepted_and_other_rules_are_not(spark, lake, monkeypatch):
    column, *rest = schema.FEAR_GREED.columns
    table = dataclasses.replace(
        schema.FEAR_GREED, columns=(dataclasses.replace(column, comment="in other words"), *rest)
    )
    monkeypatch.setattr(lakehouse, "TABLES", (schema.RESPONSES, table))
    spark.sql(f"DROP TABLE {table.full_name(CATALOG)}")
    Lakehouse.create(CATALOG, lake.path, spark).name_tables()
    stricter = dataclasses.replace(table, checks={"value_in_range": "value BETWEEN 1 AND 99"})
    monkeypatch.setattr(lakehouse, "TABLES", (schema.RESPONSES, stricter))
    with pytest.raises(StorageError, match=r"fear_greed enforces .* not .*BETWEEN 1 AND 99"):
        Lakehouse.create(CATALOG, lake.path, spark)


def test_a_lake_that_was_deleted_is_made_again(spark, lake, place):
    feel(lake, MOOD)
    folder = Path(lake.path)
    folder.rename(place / "moved away")
    assert moods(Lakehouse.create(CATALOG, str(folder), spark)) == []


class Refusing:
    """A session that must not be asked anything."""

    def __getattr__(self, name):
        raise AssertionError(f"the session was asked for {name}")


@pytest.mark.parametrize("way", [Lakehouse.create, Lakehouse.open])
def test_on_databricks_a_lake_is_a_volume_of_its_own_catalog(monkeypatch, way):
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    with pytest.raises(
        ConfigurationError, match=r"lake/simulated is no volume.*/Volumes/coinlake_dev/raw_data/lake"
    ):
        way("coinlake_dev", "lake/simulated", Refusing())
    with pytest.raises(
        ConfigurationError, match="a volume of the catalog coinlake_prod, but catalog=coinlake_dev"
    ):
        way("coinlake_dev", "/Volumes/coinlake_prod/raw_data/lake", Refusing())


def test_a_reader_of_unity_catalog_asks_for_the_tables_it_reads_and_for_nothing_else():
    class Analyst:
        """May SELECT from aggregated_data, and is refused everything else."""

        seen: ClassVar[list[str]] = []

        @property
        def read(self):
            return self

        def table(self, name):
            assert name.startswith("coinlake_dev.aggregated_data."), name
            self.seen.append(name)

        def sql(self, text):
            raise AssertionError(f"PERMISSION_DENIED: {text}")

    lake = Lakehouse.open("coinlake_dev", "/Volumes/coinlake_dev/raw_data/lake", Analyst())
    lake.table(schema.MARKET_DAILY).read()
    assert Analyst.seen == ["coinlake_dev.aggregated_data.market_daily"]


def test_names_that_are_no_identifiers_are_quoted():
    lake = Lakehouse.open("dev-analytics", "/Volumes/dev-analytics/raw_data/lake", Refusing())
    assert lake.table(schema.FEAR_GREED).name == "`dev-analytics`.cleaned_data.fear_greed"
    assert delta.ddl("dev-analytics", schema.FX_RATES).startswith(
        "CREATE TABLE IF NOT EXISTS `dev-analytics`.cleaned_data.fx_rates (\n"
    )
    assert schema.quoted_name("a`b", "c") == "`a``b`.c"
    assert schema.quoted_text("it's \\ there") == r"'it\'s \\ there'"


def test_the_ddl_for_a_catalog_that_keeps_the_files_names_no_location():
    statement = delta.ddl("coinlake_dev", schema.FX_RATES)
    assert statement.startswith("CREATE TABLE IF NOT EXISTS coinlake_dev.cleaned_data.fx_rates (\n")
    assert "rate DOUBLE NOT NULL COMMENT 'units of currency for one unit of base_currency'" in statement
    assert "'delta.constraints.rate_positive' = 'rate > 0'" in statement
    assert "LOCATION" not in statement


def test_a_table_of_an_older_release_gets_the_columns_that_it_lacks(spark, place, monkeypatch, capsys):
    whole = schema.FEAR_GREED.columns
    few = tuple(column for column in whole if column.name != "file")
    older = dataclasses.replace(schema.FEAR_GREED, columns=few, rank=("fetched_at",))
    with monkeypatch.context() as patch:
        patch.setattr(lakehouse, "TABLES", (older,))
        feel(Lakehouse.create(CATALOG, str(place / "lake"), spark), MOOD[:-1], table=older)
    lake = Lakehouse.create(CATALOG, str(place / "lake"), spark)
    assert "cleaned_data.fear_greed is of an older release: columns (file string" in capsys.readouterr().out
    assert moods(lake) == [(*MOOD[:-1], None)]
    Lakehouse.create(CATALOG, str(place / "lake"), spark)
    assert capsys.readouterr().out == ""
