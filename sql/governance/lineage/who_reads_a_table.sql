-- Which tables, notebooks, jobs and dashboards read a table, and who ran them, in the last 30 days.
-- Parameter: table, for example coinlake_dev.aggregated_data.fact_price_daily.
SELECT
    target_table_full_name,
    entity_type,
    entity_id,
    created_by,
    COUNT(*) AS reads,
    MAX(event_time) AS last_read_at
FROM system.access.table_lineage
WHERE source_table_full_name = :table
    AND event_date > CURRENT_DATE() - INTERVAL 30 DAYS
GROUP BY ALL
ORDER BY last_read_at DESC;
