"""The course from 00 to 08, cell by cell in this process: in a folder, and on one that refuses what a volume does.

In one process, because there the volume's double sees everything that Python does, silver's batches included. The
warehouse is a file outside the lake: on a volume it would be Azure SQL Database.
"""

import os

import nbformat
import pytest

from coinlake import Lakehouse, schema, warehouse
from coinlake.warehouse import DuckDBWarehouse
from coinlake_ops import notebooks
from coinlake_ops.dev import lake_contents as lakes
from tests.support import volume
from tests.support.rows import assert_rows

CATALOG = "spark_catalog"
SMALL = {"coins": 10, "history_coins": 1, "history_days": 30, "run_id": "r1"}
COMPARED = [table for table in schema.TABLES if table.name not in lakes.ABOUT_RUNS]


def forget(spark):
    """Empties the catalog: a lake in a folder keeps its files, one on a volume had them here."""
    for name in schema.SCHEMAS:
        spark.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def run_course(lake, loaded, monkeypatch):
    """Executes every notebook over the lake at this path, which begins empty; `loaded` is the warehouse's file."""
    monkeypatch.setattr(warehouse, "choose", lambda *_: DuckDBWarehouse(loaded))
    for notebook in notebooks.all_paths():
        values = {"catalog": CATALOG, "lake_path": str(lake)} | SMALL
        names = notebooks.declared_parameters(notebook).keys() & values.keys()
        namespace = {"__name__": "__main__"}
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                exec(cell.source, namespace)
            if "parameters" in cell.metadata.get("tags", []):
                namespace |= {name: values[name] for name in names}


def rows(spark, lake):
    """Table name -> all its rows, sorted; without the tables that record the runs themselves."""
    lakehouse = Lakehouse.open(CATALOG, str(lake), spark)
    return {table.name: lakes.sorted_rows(lakehouse.table(table).read(), table) for table in COMPARED}


# A warning ends no notebook.
@pytest.mark.filterwarnings("default")
@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.skipif("SPARK_REMOTE" in os.environ, reason="a server's processes do not know the double of a volume")
def test_the_whole_chain_runs_on_a_volume_and_leaves_the_same_rows(spark, tmp_path, monkeypatch):
    folder, place = tmp_path / "folder" / "lake", tmp_path / "Volumes" / CATALOG / "raw_data" / "lake"
    forget(spark)
    try:
        with monkeypatch.context() as patch:
            run_course(folder, tmp_path / "folder.duckdb", patch)
        expected = rows(spark, folder)
        forget(spark)
        with monkeypatch.context() as patch:
            place.mkdir(parents=True)
            patch.setenv("COINLAKE_VOLUMES", str(tmp_path / "Volumes"))
            volume.install(patch, tmp_path / "Volumes")
            run_course(place, tmp_path / "volume.duckdb", patch)
            found = rows(spark, place)
    finally:
        forget(spark)
    for table in COMPARED:
        assert_rows(found[table.name], expected[table.name], table.column_names)
    assert all(expected[name] for name in ("responses", "coin_snapshots", "market_daily"))
    landed = ("landing", "landing_errors", "landing_meta")
    assert lakes.files(place, *landed) == lakes.files(folder, *landed)
    for lake in (folder, place):
        records = sorted(path.stem for path in lake.glob("steps/date=*/r1/*.json"))
        assert records == [notebook.stem for notebook in notebooks.all_paths()]
    assert not (place / "tables").exists()
