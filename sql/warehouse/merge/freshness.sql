-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.freshness (table_name, is_deleted, load_id)
SELECT target.table_name, 1, @load_id
FROM aggregated_data.freshness AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.freshness AS source
    WHERE source.load_id = @load_id
        AND source.table_name = target.table_name
);
GO
MERGE INTO aggregated_data.freshness AS target
USING (
    SELECT
        table_name,
        as_of,
        rows,
        sla_hours,
        version
    FROM staging.freshness
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.table_name = target.table_name
WHEN MATCHED AND (
    target.as_of IS DISTINCT FROM source.as_of
    OR target.rows IS DISTINCT FROM source.rows
    OR target.sla_hours IS DISTINCT FROM source.sla_hours
    OR target.version IS DISTINCT FROM source.version
) THEN
    UPDATE SET
        as_of = source.as_of,
        rows = source.rows,
        sla_hours = source.sla_hours,
        version = source.version
WHEN NOT MATCHED THEN
    INSERT (
        table_name,
        as_of,
        rows,
        sla_hours,
        version
    ) VALUES (
        source.table_name,
        source.as_of,
        source.rows,
        source.sla_hours,
        source.version
    );
GO
DELETE FROM aggregated_data.freshness
WHERE EXISTS (
    SELECT 1
    FROM staging.freshness AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.table_name = freshness.table_name
);
