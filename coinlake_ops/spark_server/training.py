"""Does once what the notebooks do, on one small file, so that the class archive knows the classes they need.

SPARK_REMOTE=... python -m coinlake_ops.spark_server.training FOLDER

A process of its own, started by class_archive.py: what it loads is what the server's classes are loaded for.
"""

import sys
from pathlib import Path

from pyspark.sql import functions as F
from pyspark.sql.window import Window

from coinlake import autoloader, runtime

SCHEMA = "id string, price double, seen timestamp"


def train(folder: Path) -> None:
    """Streams a JSON file into a Delta table by MERGE, then reads, aggregates and maintains the table."""
    spark = runtime.spark()
    landing, table = folder / "landing", f"delta.`{folder / 'table'}`"
    landing.mkdir()
    (landing / "page.json").write_text('[{"id":"bitcoin","price":1.5,"seen":"2026-08-12T14:22:00Z","more":[1]}]')
    spark.createDataFrame([], SCHEMA).write.format("delta").save(str(folder / "table"))

    def merge(batch, _):
        batch.createOrReplaceTempView("batch")
        batch.sparkSession.sql(
            f"MERGE INTO {table} AS t USING batch AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * "
            "WHEN NOT MATCHED THEN INSERT *"
        ).collect()

    autoloader.run_available_now(
        spark,
        str(landing),
        lambda coins: (
            coins.where("corrupt IS NULL AND _rescued_data IS NOT NULL")
            .select("id", "price", "seen")
            .writeStream.foreachBatch(merge)
        ),
        checkpoint=str(folder / "checkpoint"),
        schema=SCHEMA,
        mode="rescue",
        corrupt_column="corrupt",
    )

    by_day = Window.partitionBy("id").orderBy(F.col("seen").cast("long")).rangeBetween(-6 * 86400, 0)
    averages = spark.table(table).withColumn("average", F.avg("price").over(by_day))
    averages.groupBy("id").agg(F.max("average"), F.count("*")).orderBy("id").toPandas()
    spark.sql(f"DESCRIBE HISTORY {table}").collect()
    spark.sql(f"OPTIMIZE {table}").collect()


if __name__ == "__main__":
    train(Path(sys.argv[1]))
