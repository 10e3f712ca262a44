"""A lake to try silver on: lands answers, takes them in, and looks at the rows that came of them."""

import json
from pathlib import Path

from coinlake import Lakehouse, bronze, schema, silver
from coinlake.bronze import LandingZone
from coinlake.silver import streams
from coinlake_ops.dev.fuzz import log, put

CATALOG = "spark_catalog"
URLS = {
    "coins_markets": "/coins/markets?vs_currency=usd&sparkline=true",
    "coins_market_chart": "/coins/bitcoin/market_chart?vs_currency=usd&days=365",
    "coins_list": "/coins/list",
    "coin_categories": "/coins/categories",
    "global": "/global",
    "fear_greed": "/fng/?limit=0",
    "fx_rates": "/2026-08-01..2026-08-12?base=USD",
    "weather_daily": "/archive?latitude=47.37&longitude=8.54",
}


class SilverLake:
    """The silver tables of a lake below `path`, and the files that this object has landed."""

    def __init__(self, spark, path: Path):
        self.spark, self.path = spark, path
        self.lakehouse = Lakehouse.create(CATALOG, str(path), spark)

    def land(self, endpoint: str, body, fetched_at: str, url: str = "", headers=None) -> str:
        """Lands a body (bytes, or what becomes JSON) and its line of the log; returns its path below landing/."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        run = bronze.add_recording(
            self.path,
            endpoint=endpoint,
            url=url or URLS[endpoint],
            fetched_at=fetched_at,
            bodies=[content],
            headers=headers,
        )
        (line,) = LandingZone(self.path).lines(run)
        assert line["outcome"] == "landed", line["error"]
        return line["file"]

    def put(self, endpoint: str, name: str, body: bytes) -> str:
        """Writes a body that no log names; returns its path below landing/."""
        return put(self.path, endpoint, name, body)

    def log(self, endpoint: str, file: str, fetched_at: str, url: str = "") -> None:
        """Writes the line of the log for a body that `put` wrote."""
        log(self.path, endpoint, file, fetched_at, url or URLS[endpoint])

    def stream_all(self) -> dict[str, silver.Counts]:
        """Runs every stream, the log's first; returns their counts."""
        log = silver.load_responses(self.lakehouse)
        return {streams.LOG_FOLDER: log} | silver.stream_all(self.lakehouse)

    def stream(self, endpoint: str) -> silver.Counts:
        """Runs the endpoint's stream; the log's first."""
        silver.load_responses(self.lakehouse)
        return silver.stream_endpoint(self.lakehouse, endpoint)

    def rows(self, table, *columns: str, where: str = "true") -> list[tuple]:
        """Rows of a table as tuples of these columns (all, if none is named), sorted."""
        frame = self.lakehouse.table(table).read().where(where)
        found = frame.select(*(columns or table.column_names)).collect()
        return sorted((tuple(row) for row in found), key=repr)

    def version(self, table) -> int:
        """The Delta version of a table."""
        return self.lakehouse.table(table).version()

    def quarantined(self, *files: str) -> list[tuple]:
        """(reasons, copies, record) of what was rejected of these files; the record as JSON, where it is."""
        listed = ", ".join(f"'{file}'" for file in files)
        rows = self.rows(schema.QUARANTINE, "reasons", "copies", "record", where=f"file IN ({listed})")
        return [(reasons, copies, _parsed(record)) for reasons, copies, record in rows]


def _parsed(record: str):
    try:
        return json.loads(record)
    except ValueError:
        return record
