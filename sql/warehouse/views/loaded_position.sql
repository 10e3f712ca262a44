-- How far each table of gold is loaded: its newest line in the load log.
CREATE OR ALTER VIEW control.loaded_position
AS
SELECT
    entry.table_name,
    entry.delta_table_id,
    entry.delta_version,
    entry.delta_committed_at
FROM control.load_log AS entry
INNER JOIN (
    SELECT
        table_name,
        MAX(load_id) AS load_id
    FROM control.load_log
    GROUP BY table_name
) AS newest
    ON newest.table_name = entry.table_name
        AND newest.load_id = entry.load_id;
