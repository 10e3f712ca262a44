-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.quarantine_daily (date, table_name, reason, is_deleted, load_id)
SELECT target.date, target.table_name, target.reason, 1, @load_id
FROM aggregated_data.quarantine_daily AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.quarantine_daily AS source
    WHERE source.load_id = @load_id
        AND source.date = target.date
        AND source.table_name = target.table_name
        AND source.reason = target.reason
);
GO
MERGE INTO aggregated_data.quarantine_daily AS target
USING (
    SELECT
        date,
        table_name,
        reason,
        records,
        replayed
    FROM staging.quarantine_daily
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.date = target.date
        AND source.table_name = target.table_name
        AND source.reason = target.reason
WHEN MATCHED AND (
    target.records IS DISTINCT FROM source.records
    OR target.replayed IS DISTINCT FROM source.replayed
) THEN
    UPDATE SET
        records = source.records,
        replayed = source.replayed
WHEN NOT MATCHED THEN
    INSERT (
        date,
        table_name,
        reason,
        records,
        replayed
    ) VALUES (
        source.date,
        source.table_name,
        source.reason,
        source.records,
        source.replayed
    );
GO
DELETE FROM aggregated_data.quarantine_daily
WHERE EXISTS (
    SELECT 1
    FROM staging.quarantine_daily AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.date = quarantine_daily.date
        AND source.table_name = quarantine_daily.table_name
        AND source.reason = quarantine_daily.reason
);
