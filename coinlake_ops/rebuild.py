"""Makes a layer of a lake again from the one below, beside the old one; compares; puts it in its place.

What is made stands in <lake>/rebuild, a lake of its own with links to what it is made from. `swap` says how it
takes its place, and what a crash leaves.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
from pyspark.sql import SparkSession

from coinlake import delta, gold, observability, schema, silver, warehouse
from coinlake.errors import CoinlakeError, brought_up_to_date_by
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table, quoted_text
from coinlake.warehouse import DuckDBWarehouse
from coinlake_ops import parameter_files, swap
from coinlake_ops.lake_lock import only_worker
from coinlake_ops.verification import CATALOG, require_folder

SILVER, GOLD, WAREHOUSE, ALL = LAYERS = ("silver", "gold", "warehouse", "all")
# What a layer consists of, below the lake.
PLACES = {
    SILVER: (f"tables/{schema.RAW}", f"tables/{schema.CLEANED}", "checkpoints"),
    GOLD: (f"tables/{schema.AGGREGATED}",),
    WAREHOUSE: ("warehouse.duckdb",),
}
# What it is made from.
MADE_FROM = {
    SILVER: ("landing", "landing_meta"),
    GOLD: (f"tables/{schema.RAW}", f"tables/{schema.CLEANED}", "steps"),
    WAREHOUSE: PLACES[GOLD],
}
# What comes from the runs themselves, whose oldest records housekeeping puts away: the old rows are taken over.
KEPT = (schema.RUN_STEPS, schema.PIPELINE_RUNS)


def rebuild(lake: Path, layer: str, session: Callable[[], SparkSession], say: Callable[[str], None]) -> None:
    """Make a layer, or all of them, again; says what differs from the old one before it changes places with it.

    After silver alone, the next run makes gold anew from it. Raises CoinlakeError where a run is at work, the
    lake is a volume, or a layer below is damaged: then everything stays as it was.
    """
    if layer not in LAYERS:
        raise CoinlakeError(f"There is no layer {layer!r} to make again. There are: {', '.join(LAYERS)}.")
    layers = (SILVER, GOLD, WAREHOUSE) if layer == ALL else (layer,)
    require_folder(lake)
    with only_worker(lake, waits=False):
        swap.discard(lake)
        new = _beside(lake, layers)
        spark = session()
        old_lake = Lakehouse(spark, CATALOG, str(lake))
        new_lake = Lakehouse.create(CATALOG, str(new), spark)
        if SILVER in layers:
            say("Silver is made again from landing/, beside the old one.")
            _make_silver(new_lake)
        if GOLD in layers:
            say("Gold is made again from silver, beside the old one.")
            _make_gold(old_lake, new_lake)
        if WAREHOUSE in layers:
            say("The warehouse is made again from gold, beside the old one.")
            _make_warehouse(new_lake)
        for name in layers:
            for line in _differences(name, old_lake, new_lake):
                say(line)
        swap.decide(lake, [place for name in layers for place in PLACES[name]])
        say("What was made has taken its place.")
        if layer == SILVER:
            say(f"Gold takes it in with the next run: {brought_up_to_date_by(str(lake))}")


def _beside(lake: Path, layers: tuple[str, ...]) -> Path:
    """The folder of the new lake, with links to what its layers are made from and is not made again itself."""
    new = swap.beside(lake)
    made = {place for layer in layers for place in PLACES[layer]}
    for name in sorted({name for layer in layers for name in MADE_FROM[layer]} - made):
        if (lake / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).symlink_to(lake / name)
    return new


def _make_silver(lake: Lakehouse) -> None:
    silver.load_responses(lake)
    silver.stream_all(lake)
    silver.replay_uncommitted(lake)


def _make_gold(old: Lakehouse, new: Lakehouse) -> None:
    gold.build(new)
    reporting = observability.Step("rebuild", observability.new_run_id(), new.path, {})
    observability.load_steps(new, reporting)
    for table in KEPT:
        now = new.table(table)
        try:
            before = old.table(table).read().toArrow()
        except Exception:
            # The old table is damaged, however Spark says so: the records that are left as files are all there is.
            continue
        rows = new.spark.createDataFrame(before)
        now.merge(rows.join(now.read().select(*table.key), list(table.key), "left_anti"))
    observability.update_metrics(new, float(parameter_files.load()["freshness_sla_hours"]))


def _make_warehouse(lake: Lakehouse) -> None:
    target = DuckDBWarehouse(Path(lake.path, "warehouse.duckdb"))
    warehouse.verify(lake, target, warehouse.load(lake, target, observability.new_run_id()))


def _differences(layer: str, old: Lakehouse, new: Lakehouse) -> list[str]:
    """A line for each table: rows added, removed and changed against the old one."""
    if layer == WAREHOUSE:
        return _differences_of_warehouse(Path(old.path), Path(new.path))
    lines = []
    for table in _tables(layer):
        rows = new.table(table).read()
        try:
            found = delta.compare(table, rows, old.table(table).read())
        except Exception:
            # However Spark says it: the new one was read, as it was made.
            lines.append(
                f"  {table.qualified_name}: the old one cannot be read; the new one has {rows.count():,} rows"
            )
            continue
        lines.append(_in_words(table, found.missing, found.extra, found.differing + found.repeated))
    return lines


def _differences_of_warehouse(old: Path, new: Path) -> list[str]:
    lines = []
    with duckdb.connect() as connection:
        for name, lake in (("made", new), ("stored", old)):
            path = quoted_text(str(lake / PLACES[WAREHOUSE][0]))
            try:
                connection.execute(f"ATTACH {path} AS {name} (READ_ONLY)")
            except duckdb.Error:
                return ["  the warehouse: the old one cannot be read"]
        for table in warehouse.LOADED:
            keys, columns = (", ".join(f'"{column}"' for column in of) for of in (table.key, table.column_names))
            sides = (
                f"(SELECT {keys}, row({columns}) AS {name}_row FROM {name}.{table.qualified_name})"
                for name in ("made", "stored")
            )
            try:
                found = connection.execute(
                    f"SELECT count(*) FILTER (stored_row IS NULL), count(*) FILTER (made_row IS NULL), "
                    f"count(*) FILTER (made_row IS NOT NULL AND stored_row IS NOT NULL "
                    f"AND made_row IS DISTINCT FROM stored_row) FROM {' FULL JOIN '.join(sides)} USING ({keys})"
                ).fetchall()
            except duckdb.Error:
                lines.append(f"  {table.qualified_name} in the warehouse: the old one cannot be read")
                continue
            added, removed, changed = found[0]
            lines.append(_in_words(table, added, removed, changed, " in the warehouse"))
    return lines


def _tables(layer: str) -> tuple[Table, ...]:
    schemas = (schema.RAW, schema.CLEANED) if layer == SILVER else (schema.AGGREGATED,)
    return tuple(table for table in schema.TABLES if table.schema in schemas and table is not schema.GOLD_PROGRESS)


def _in_words(table: Table, added: int, removed: int, changed: int, where: str = "") -> str:
    return f"  {table.qualified_name}{where}: {added:,} rows added, {removed:,} removed, {changed:,} changed"
