"""Copy of a Delta table into a staging table of the warehouse.

Sources: azure-docs, connector-azure-databricks-delta-lake, connector-azure-sql-database.
"""

import pyarrow as pa

from adf_lab import ActivityFailure
from coinlake import warehouse
from coinlake.errors import CoinlakeError
from coinlake.warehouse import Change
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown
from coinlake_ops.factory.executors.sql import COPIED, UNNUMBERED, warehouse_of

KNOWN_SOURCE = ("type", "query", "exportSettings")
KNOWN_SINK = ("type", "preCopyScript", "writeBehavior", "sqlWriterUseTableLock", "tableOption")
STAGING = "staging"


def copy(world, activity, source, sink):
    """Run the query on the run's Spark server and insert its rows; returns counts as Data Factory names them."""
    properties = activity.type_properties
    reading, writing = properties["source"], properties["sink"]
    refuse_unknown("AzureDatabricksDeltaLakeSource", reading, KNOWN_SOURCE)
    refuse_unknown("AzureSqlSink", writing, KNOWN_SINK)
    if not properties.get("enableStaging"):
        raise ActivityFailure("UserErrorStagingRequired", "A copy from Delta into SQL needs enableStaging.")
    if writing.get("writeBehavior", "insert") != "insert" or writing.get("tableOption", "none") != "none":
        raise not_supported("AzureSqlSink: another writeBehavior than insert, or tableOption")
    schema, name = sink["typeProperties"]["schema"], sink["typeProperties"]["table"]
    table = next((table for table in warehouse.LOADED if table.name == name), None)
    if schema != STAGING or table is None:
        raise not_supported(f"AzureSqlSink: the table {schema}.{name}")
    rows = world.spark().sql(reading["query"]).toArrow()
    try:
        rows = _as_staged(rows, [*table.column_names, "is_deleted"])
        _insert(world, sink, writing.get("preCopyScript"), Change(table, COPIED, True, rows))
    except CoinlakeError as error:
        raise ActivityFailure("SqlOperationFailed", str(error)) from None
    return {
        "dataRead": rows.nbytes,
        "dataWritten": rows.nbytes,
        "rowsRead": rows.num_rows,
        "rowsCopied": rows.num_rows,
    }


def _insert(world, sink, script, change):
    target = warehouse_of(world, sink["linkedService"])
    # Copies of other tables go on beside this one; the warehouse file takes one writer at a time.
    with world.warehouse_lock:
        if not target.path.exists():
            # In Azure a deployment makes the staging tables; here the first load does.
            warehouse.load_changes(target, [], "migration")
        with target.writing() as session:
            if script:
                session.execute(script, "preCopyScript")
            session.stage(change, UNNUMBERED)


def _as_staged(rows, columns):
    """The columns of a staging table in their order, instants without a zone."""
    missing = [name for name in columns if name not in rows.column_names]
    if missing:
        raise ActivityFailure("UserErrorColumnMissing", f"The query gives no column {', '.join(missing)}.")
    rows = rows.select(columns)
    fields = [
        field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
