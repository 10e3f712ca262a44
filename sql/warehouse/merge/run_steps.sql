-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.run_steps (run_id, step, is_deleted, load_id)
SELECT target.run_id, target.step, 1, @load_id
FROM aggregated_data.run_steps AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.run_steps AS source
    WHERE source.load_id = @load_id
        AND source.run_id = target.run_id
        AND source.step = target.step
);
GO
MERGE INTO aggregated_data.run_steps AS target
USING (
    SELECT
        run_id,
        step,
        status,
        started_at,
        ended_at,
        seconds,
        rows_read,
        rows_written,
        rows_rejected,
        table_versions,
        parameters,
        code_hash,
        message
    FROM staging.run_steps
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.run_id = target.run_id
        AND source.step = target.step
WHEN MATCHED AND (
    target.status IS DISTINCT FROM source.status
    OR target.started_at IS DISTINCT FROM source.started_at
    OR target.ended_at IS DISTINCT FROM source.ended_at
    OR target.seconds IS DISTINCT FROM source.seconds
    OR target.rows_read IS DISTINCT FROM source.rows_read
    OR target.rows_written IS DISTINCT FROM source.rows_written
    OR target.rows_rejected IS DISTINCT FROM source.rows_rejected
    OR target.table_versions IS DISTINCT FROM source.table_versions
    OR target.parameters IS DISTINCT FROM source.parameters
    OR target.code_hash IS DISTINCT FROM source.code_hash
    OR target.message IS DISTINCT FROM source.message
) THEN
    UPDATE SET
        status = source.status,
        started_at = source.started_at,
        ended_at = source.ended_at,
        seconds = source.seconds,
        rows_read = source.rows_read,
        rows_written = source.rows_written,
        rows_rejected = source.rows_rejected,
        table_versions = source.table_versions,
        parameters = source.parameters,
        code_hash = source.code_hash,
        message = source.message
WHEN NOT MATCHED THEN
    INSERT (
        run_id,
        step,
        status,
        started_at,
        ended_at,
        seconds,
        rows_read,
        rows_written,
        rows_rejected,
        table_versions,
        parameters,
        code_hash,
        message
    ) VALUES (
        source.run_id,
        source.step,
        source.status,
        source.started_at,
        source.ended_at,
        source.seconds,
        source.rows_read,
        source.rows_written,
        source.rows_rejected,
        source.table_versions,
        source.parameters,
        source.code_hash,
        source.message
    );
GO
DELETE FROM aggregated_data.run_steps
WHERE EXISTS (
    SELECT 1
    FROM staging.run_steps AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.run_id = run_steps.run_id
        AND source.step = run_steps.step
);
