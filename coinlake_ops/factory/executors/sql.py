"""Lookup and SqlServerStoredProcedure on the warehouse file.

Sources: azure-docs, control-flow-lookup-activity, transform-data-using-stored-procedure.
"""

import json
from datetime import UTC, datetime

from adf_lab import ActivityFailure, lookup_output
from coinlake import warehouse
from coinlake.errors import CoinlakeError
from coinlake.warehouse import Change, DuckDBWarehouse, Position
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown

MOST_ROWS = 5000
# Rows that Data Factory copied bear no number until the procedure gives them that of its load.
UNNUMBERED = 0
# A copy does not know which version of the Delta table it read; a later load then takes the whole table.
COPIED = Position("copied by Data Factory", 0, datetime(1970, 1, 1))


def warehouse_of(world, linked_service):
    """The warehouse on this machine that a linked service stands for."""
    if linked_service["type"] != "AzureSqlDatabase":
        raise not_supported(f"{linked_service['name']}: databases of type {linked_service['type']}")
    return DuckDBWarehouse(world.lake / "warehouse.duckdb")


def lookup(world, activity):
    """The rows that a query of the warehouse gives, at most 5,000."""
    properties = activity.type_properties
    refuse_unknown(f"Lookup '{activity.name}'", properties, ("source", "dataset", "firstRowOnly"))
    source = properties["source"]
    if source["type"] != "AzureSqlSource":
        raise not_supported(f"Lookup '{activity.name}' in a {source['type']}")
    refuse_unknown("AzureSqlSource", source, ("type", "sqlReaderQuery", "queryTimeout"))
    dataset = world.factory.resolve_dataset(properties["dataset"])
    try:
        with warehouse_of(world, dataset["linkedService"]).reading() as session:
            if session is None:
                raise ActivityFailure("SqlOperationFailed", "There is no warehouse yet: load it first.")
            rows = session.query(source["sqlReaderQuery"], activity.name).to_pylist()
    except CoinlakeError as error:
        raise ActivityFailure("SqlOperationFailed", str(error)) from None
    # As JSON: a decimal is a number there, an instant a text.
    plain = json.loads(json.dumps(rows[:MOST_ROWS], default=_json_value))
    return lookup_output(plain, properties.get("firstRowOnly", True))


def call_procedure(world, activity):
    """Call one of the procedures that are known here; as in Azure it gives no rows."""
    properties = activity.type_properties
    known = ("storedProcedureName", "storedProcedureParameters")
    refuse_unknown(f"SqlServerStoredProcedure '{activity.name}'", properties, known)
    name = properties["storedProcedureName"].replace("[", "").replace("]", "").lower()
    if name not in PROCEDURES:
        raise not_supported(f"The procedure {name}")
    given = properties.get("storedProcedureParameters") or {}
    values = {parameter: specification["value"] for parameter, specification in given.items()}
    target = warehouse_of(world, world.factory.resolve_linked_service(activity.linked_service))
    try:
        with world.warehouse_lock:
            PROCEDURES[name](target, **values)
    except CoinlakeError as error:
        raise ActivityFailure("SqlOperationFailed", str(error)) from None
    return {}


def merge_staged(target, run_id, tables):
    """What sql/azure/procedures/merge_staged.sql does: merge what was copied into staging, in one transaction.

    `tables` is the list of the pipeline as JSON; each of its tables is taken as whole. Where nothing was copied
    at all, as when this is called again after an answer that got lost, nothing changes; a table that alone has
    no copied rows is refused unless it is empty already.
    """
    wanted = {entry["sink"]["table"] for entry in json.loads(tables)}
    with target.reading() as session:
        if session is None:
            raise ActivityFailure("SqlOperationFailed", "There is no warehouse yet: copy a table first.")
        changes = [_staged(session, table) for table in warehouse.LOADED if table.name in wanted]
        missing = [
            change.table.name for change in changes if not change.rows.num_rows and _has_rows(session, change)
        ]
    if not any(change.rows.num_rows for change in changes):
        return
    if missing:
        raise ActivityFailure(
            "SqlOperationFailed", f"staging has no copied rows of {', '.join(missing)}: copy the tables first."
        )
    warehouse.load_changes(target, changes, run_id)


def _staged(session, table):
    columns = ", ".join([*table.column_names, "is_deleted"])
    select = f"SELECT {columns} FROM staging.{table.name} WHERE load_id = {UNNUMBERED}"
    return Change(table, COPIED, True, session.query(select, f"staging.{table.name}"))


def _has_rows(session, change):
    rows = session.query(f"SELECT TOP (1) 1 AS one FROM aggregated_data.{change.table.name}", change.table.name)
    return rows.num_rows > 0


def _json_value(value):
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    return float(value) if value % 1 else int(value)


PROCEDURES = {"control.merge_staged": merge_staged}
