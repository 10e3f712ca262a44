-- One row per load into this warehouse and table that it changed; a load without a table broke off.
CREATE OR ALTER VIEW reporting.load_history
AS
SELECT
    started.load_id,
    started.run_id,
    started.started_at,
    entry.loaded_at,
    entry.table_name,
    entry.is_full,
    entry.rows_staged,
    entry.rows_merged,
    entry.rows_deleted
FROM control.load_started AS started
LEFT JOIN control.load_log AS entry ON entry.load_id = started.load_id;
