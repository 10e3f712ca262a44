"""What the pipeline does with Delta tables, in a session of its own, on a lake in blob storage: prints JSON.

`python lakehouse.py LAKE`, with the settings of Spark as JSON on standard input; without LAKE it only fetches the
jars that the settings name, which Java can do as long as it still trusts the world's certificates.
"""

import json
import sys
from datetime import UTC, date, datetime

from pyspark.sql import SparkSession

from coinlake import delta, runtime, schema
from coinlake.schema import FX_RATES

CATALOG = "spark_catalog"


def begin(settings: dict[str, str]) -> SparkSession:
    """A session with the pipeline's own settings and these."""
    runtime.prepare_environment()
    return SparkSession.builder.config(map=runtime.SPARK_CONFS | settings).getOrCreate()


def main(lake: str, settings: dict[str, str]) -> dict:
    """Make a table, merge the same rows twice, read them and their changes."""
    schema.TABLES = schema.TABLES = (FX_RATES,)
    session = begin(settings)
    delta.ensure(session, CATALOG, lake)
    instant = datetime(2026, 8, 12, tzinfo=UTC)
    rows = [(date(2026, 8, day), "usd", "eur", 0.9, instant, "f") for day in (10, 11)]
    frame = session.createDataFrame(rows, ", ".join(f"{one.name} {one.type}" for one in FX_RATES.columns))
    merged = [tuple(delta.merge_changes(session, CATALOG, FX_RATES, frame)) for _ in range(2)]
    read = delta.read(session, CATALOG, FX_RATES).orderBy("date").select("date", "rate").collect()
    changes = delta.changes_since(session, CATALOG, FX_RATES, -1).count()
    location = session.sql(f"DESCRIBE DETAIL {FX_RATES.qualified(CATALOG)}").first()["location"]
    rates = [[str(row["date"]), row["rate"]] for row in read]
    return {"merged": merged, "rates": rates, "changes": changes, "location": location}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if sys.argv[1:]:
        print(json.dumps(main(sys.argv[1], given)))
    else:
        begin(given).stop()
