-- The tables and files that a table was made from, in the last 30 days.
-- Parameter: table, for example coinlake_dev.aggregated_data.fact_price_daily.
SELECT
    COALESCE(source_table_full_name, source_path) AS source,
    source_type,
    COUNT(*) AS writes,
    MAX(event_time) AS last_written_at
FROM system.access.table_lineage
WHERE target_table_full_name = :table
    AND event_date > CURRENT_DATE() - INTERVAL 30 DAYS
GROUP BY ALL
ORDER BY last_written_at DESC;
