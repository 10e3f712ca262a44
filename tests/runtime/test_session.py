"""The session that every notebook gets."""

import socket
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from coinlake import parameters, project_files, runtime
from coinlake.errors import ConfigurationError
from coinlake.runtime import session


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("lake/simulated", str(project_files.PACKAGE.parents[1] / "lake/simulated")),
        ("/tmp/lake", "/tmp/lake"),
        ("/Volumes/coinlake_dev/raw_data/lake", "/Volumes/coinlake_dev/raw_data/lake"),
    ],
)
def test_relative_paths_count_from_the_repository(path, resolved, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert runtime.resolve_path(path) == resolved


@pytest.mark.parametrize("address", ["abfss://lake@account.dfs.core.windows.net/coinlake", "dbfs:/lake"])
def test_an_address_is_refused_wherever_a_lake_is_named(address):
    with pytest.raises(ConfigurationError, match=r"is an address, and a lake is a folder.*/Volumes/"):
        runtime.resolve_path(address)
    with pytest.raises(ConfigurationError, match=r"lake_path: .*is an address, and a lake is a folder"):
        parameters.check({"lake_path": address})


def test_a_question_mark_is_refused_wherever_a_lake_is_named(monkeypatch):
    with pytest.raises(ConfigurationError, match=r"what now\? has a question mark .* choose another folder"):
        parameters.check({"lake_path": "lake/what now?"})
    monkeypatch.setenv("COINLAKE_HOME", "/home/ann/what now?")
    with pytest.raises(ConfigurationError, match=r"what now\?/lake has a question mark"):
        runtime.resolve_path("lake")


def test_a_checkout_has_its_files_beside_notebooks():
    assert project_files.path("notebooks/coinlake") == project_files.PACKAGE
    assert project_files.path("sql/warehouse/migrations/001_control.sql").is_file()
    assert project_files.path("reports/assets").is_dir()


def test_an_installed_package_has_copies_of_its_own_and_works_in_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(project_files, "IS_INSTALLED", True)
    monkeypatch.delenv("COINLAKE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert project_files.path("sql/warehouse") == project_files.PACKAGE / "packaged" / "sql" / "warehouse"
    assert runtime.resolve_path("lake/simulated") == str(tmp_path / "lake/simulated")


def test_another_home_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    assert runtime.resolve_path("lake/simulated") == str(tmp_path / "lake/simulated")


def test_a_server_that_does_not_answer_is_named(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("SPARK_REMOTE", f"sc://localhost:{port}")
    with pytest.raises(ConfigurationError, match=rf"No Spark server answers at localhost:{port}.*SPARK_REMOTE"):
        runtime.spark()


def test_the_session_has_the_confs_of_the_house(spark):
    named = ["spark.sql.session.timeZone", "spark.sql.shuffle.partitions", "spark.sql.mapKeyDedupPolicy"]
    assert {name: spark.conf.get(name) for name in named} == {name: runtime.SPARK_CONFS[name] for name in named}


@pytest.mark.both_sessions
def test_queries_are_compiled_within_the_block_only(spark, monkeypatch):
    def confs():
        return {name: spark.conf.get(name) for name in session.COMPILED}

    interpreted = {name: runtime.SPARK_CONFS[name] for name in session.COMPILED}
    assert confs() == interpreted
    with pytest.raises(ConfigurationError), runtime.compiled(spark):
        assert confs() == session.COMPILED
        with runtime.compiled(spark):
            assert confs() == session.COMPILED
        assert confs() == session.COMPILED
        raise ConfigurationError("a query failed")
    assert confs() == interpreted
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    with runtime.compiled(spark):
        assert confs() == interpreted


def test_a_delta_table_is_merged_and_read_back(spark, tmp_path):
    path = str(tmp_path / "coins")
    spark.createDataFrame([("bitcoin", 1), ("tether", 3)], "id string, rank int").write.format("delta").save(path)
    spark.sql(
        f"MERGE INTO delta.`{path}` AS t USING (SELECT 'tether' AS id, 2 AS rank) AS s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET *"
    )
    rows = spark.read.format("delta").load(path).orderBy("id").collect()
    assert [tuple(row) for row in rows] == [("bitcoin", 1), ("tether", 2)]
    # Hadoop's checksums would stand beside every file, hidden by a dot.
    assert not list(Path(path).rglob(".*"))


@pytest.mark.both_sessions
def test_collected_timestamps_are_in_utc(spark):
    [row] = spark.range(1).select(F.lit("2026-08-12T14:22:00Z").cast("timestamp").alias("at")).collect()
    assert row["at"].isoformat() == "2026-08-12T14:22:00"
