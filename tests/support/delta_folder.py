"""A Delta table in a folder, written by hand: for what reads logs and files without Spark."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from coinlake.schema import Table

TYPES = {"STRING": pa.string(), "DOUBLE": pa.float64(), "INT": pa.int32(), "TIMESTAMP": pa.timestamp("us")}


def write(lake: Path, table: Table, rows: list[dict]) -> None:
    """Write the rows as the only commit of a table of the lake, a file for each of its partitions."""
    folder = lake / "tables" / table.schema / table.name
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(f"{table.partition}={row[table.partition]}" if table.partition else "", []).append(row)
    fields = [(column.name, TYPES[column.type]) for column in table.columns if column.name != table.partition]
    structure = pa.schema(fields)
    metadata = {"id": table.name, "schemaString": "{}", "configuration": {}}
    actions: list[dict] = [{"protocol": {"minReaderVersion": 1}}, {"metaData": metadata}]
    for number, (partition, its) in enumerate(sorted(groups.items())):
        path = re.sub("^/", "", f"{partition}/part-{number}.parquet")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        values = {name: [row.get(name) for row in its] for name, _ in fields}
        pq.write_table(pa.table(values, structure), folder / path, use_deprecated_int96_timestamps=True)
        actions.append({"add": {"path": path, "stats": json.dumps({"numRecords": len(its)})}})
    (folder / "_delta_log").mkdir(parents=True)
    commit = {"operation": "WRITE", "operationMetrics": {}}
    lines = [json.dumps(action, separators=(",", ":")) for action in (*actions, {"commitInfo": commit})]
    (folder / "_delta_log" / f"{0:020}.json").write_text("\n".join(lines), encoding="utf-8")
