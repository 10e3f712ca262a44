"""The session that every notebook gets."""

from pathlib import Path

from pyspark.sql import functions as F

from coinlake import platform


def test_the_session_has_the_confs_of_the_house(spark):
    runtime = ["spark.sql.session.timeZone", "spark.sql.shuffle.partitions", "spark.sql.mapKeyDedupPolicy"]
    assert {name: spark.conf.get(name) for name in runtime} == {
        name: platform.SPARK_CONFS[name] for name in runtime
    }


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


def test_collected_timestamps_are_in_utc(spark):
    [row] = spark.range(1).select(F.lit("2026-08-12T14:22:00Z").cast("timestamp").alias("at")).collect()
    assert row["at"].isoformat() == "2026-08-12T14:22:00"
