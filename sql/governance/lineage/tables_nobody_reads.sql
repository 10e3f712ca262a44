-- Tables of a catalog that nothing has read in the last 90 days: candidates for a question, not for deletion.
-- Parameter: catalog, for example coinlake_dev.
SELECT
    existing.table_schema,
    existing.table_name,
    existing.last_altered
FROM system.information_schema.tables AS existing
LEFT ANTI JOIN system.access.table_lineage AS lineage
    ON lineage.source_table_full_name
        = CONCAT_WS('.', existing.table_catalog, existing.table_schema, existing.table_name)
    AND lineage.event_date > CURRENT_DATE() - INTERVAL 90 DAYS
WHERE existing.table_catalog = :catalog
    AND existing.table_schema <> 'information_schema'
ORDER BY existing.table_schema, existing.table_name;
