-- The columns that a column was computed from, in the last 30 days.
-- Parameters: table, for example coinlake_dev.aggregated_data.price_averages_daily, and column.
SELECT
    source_table_full_name,
    source_column_name,
    MAX(event_time) AS last_written_at
FROM system.access.column_lineage
WHERE target_table_full_name = :table
    AND target_column_name = :column
    AND event_date > CURRENT_DATE() - INTERVAL 30 DAYS
GROUP BY ALL
ORDER BY source_table_full_name, source_column_name;
