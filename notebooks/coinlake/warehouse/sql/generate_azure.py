"""Writes sql/azure/procedures from sql/warehouse/merge: part of `coinlake sql generate`.

Data Factory can copy rows and call a procedure, no more. The procedure does what `loading.load` does, with the
very statements of the load files: run by the factory or by notebook 05, a merge is the same text.
"""

from pathlib import Path
from textwrap import indent

from coinlake.schema import Table
from coinlake.warehouse import LOADED
from coinlake.warehouse.sql import portable_tsql, scripts

PROCEDURE = scripts.AZURE / "procedures" / "merge_staged.sql"

HEAD = """\
-- Generated from sql/warehouse/merge by coinlake sql generate: edit those files instead.

-- Merges what Data Factory copied into staging (its rows have load_id 0), all tables or none, and notes it in
-- control.load_log. @tables is the pipeline's list as JSON; each of its tables was copied as a whole.
-- Called again after an answer that got lost, it finds nothing to merge and changes nothing.
CREATE OR ALTER PROCEDURE control.merge_staged
    @run_id NVARCHAR(100),
    @tables NVARCHAR(MAX)
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;
    DECLARE @granted INT;
    DECLARE @load_id INT;
    DECLARE @rows INT;
    DECLARE @wanted TABLE (name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY);
    DECLARE @done TABLE (
        name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY,
        staged INT NOT NULL,
        merged INT NOT NULL,
        deleted INT NOT NULL
    );

    BEGIN TRANSACTION;
    EXEC @granted = sp_getapplock
        @Resource = N'coinlake.load',
        @LockMode = 'Exclusive',
        @LockOwner = 'Transaction',
        @LockTimeout = 0;
    IF @granted < 0
        THROW 51000, N'Another load is under way. Wait until it has ended and load again.', 1;

    INSERT INTO @wanted (name)
    SELECT DISTINCT JSON_VALUE(entry.value, '$.sink.table')
    FROM OPENJSON(@tables) AS entry;

    SELECT @load_id = 1 + MAX(known.load_id)
    FROM (
        SELECT 0 AS load_id
        UNION ALL
        SELECT load_id FROM control.load_started
        UNION ALL
        SELECT load_id FROM control.load_log
    ) AS known;
    INSERT INTO control.load_started (load_id, run_id) VALUES (@load_id, @run_id);
"""
STAGE = """
    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'{table}')
    BEGIN
        UPDATE staging.{table} SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'{table}', @@ROWCOUNT, 0, 0);
    END;
"""
CHECK = """
    IF NOT EXISTS (SELECT 1 FROM @done WHERE staged > 0)
    BEGIN
        ROLLBACK TRANSACTION;
        RETURN;
    END;
"""
MERGE = """
    IF EXISTS (SELECT 1 FROM @done WHERE name = N'{table}')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'{table}' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.{table})
            THROW 51001, N'staging.{table} is empty, and aggregated_data.{table} is not: copy the table first.', 1;
{mark_missing}
{merge}
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'{table}';
    END;
"""
DELETE = """
    IF EXISTS (SELECT 1 FROM @done WHERE name = N'{table}')
    BEGIN
{delete}
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'{table}';
        DELETE FROM staging.{table} WHERE load_id = @load_id;
    END;
"""
FOOT = """
    INSERT INTO control.load_log (
        load_id,
        table_name,
        delta_table_id,
        delta_version,
        delta_committed_at,
        is_full,
        rows_staged,
        rows_merged,
        rows_deleted,
        run_id
    )
    SELECT @load_id, name, N'copied by Data Factory', 0, '1970-01-01', 1, staged, merged, deleted, @run_id
    FROM @done;
    COMMIT TRANSACTION;
END;
"""


def procedure_sql(tables: tuple[Table, ...] = LOADED) -> str:
    """The procedure: all merges, parents first, then all deletes, children first."""
    stages, merges, deletes = [], [], []
    for table in tables:
        mark_missing, merge, delete = (
            indent(_without_comments(batch), " " * 8)
            for batch in portable_tsql.read(scripts.merge_file(table.name))
        )
        stages.append(STAGE.format(table=table.name))
        merges.append(MERGE.format(table=table.name, mark_missing=mark_missing, merge=merge))
        deletes.append(DELETE.format(table=table.name, delete=delete))
    return "".join([HEAD, *stages, CHECK, *merges, *reversed(deletes), FOOT])


def write(path: Path = PROCEDURE) -> None:
    """Write the file anew."""
    path.write_text(procedure_sql(), encoding="utf-8")


def _without_comments(batch: str) -> str:
    return "\n".join(line for line in batch.splitlines() if not line.startswith("--")).strip()
