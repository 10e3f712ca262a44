-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.pipeline_runs (run_id, is_deleted, load_id)
SELECT target.run_id, 1, @load_id
FROM aggregated_data.pipeline_runs AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.pipeline_runs AS source
    WHERE source.load_id = @load_id
        AND source.run_id = target.run_id
);
GO
MERGE INTO aggregated_data.pipeline_runs AS target
USING (
    SELECT
        run_id,
        status,
        started_at,
        ended_at,
        seconds,
        steps,
        rows_read,
        rows_written,
        rows_rejected
    FROM staging.pipeline_runs
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.run_id = target.run_id
WHEN MATCHED AND (
    target.status IS DISTINCT FROM source.status
    OR target.started_at IS DISTINCT FROM source.started_at
    OR target.ended_at IS DISTINCT FROM source.ended_at
    OR target.seconds IS DISTINCT FROM source.seconds
    OR target.steps IS DISTINCT FROM source.steps
    OR target.rows_read IS DISTINCT FROM source.rows_read
    OR target.rows_written IS DISTINCT FROM source.rows_written
    OR target.rows_rejected IS DISTINCT FROM source.rows_rejected
) THEN
    UPDATE SET
        status = source.status,
        started_at = source.started_at,
        ended_at = source.ended_at,
        seconds = source.seconds,
        steps = source.steps,
        rows_read = source.rows_read,
        rows_written = source.rows_written,
        rows_rejected = source.rows_rejected
WHEN NOT MATCHED THEN
    INSERT (
        run_id,
        status,
        started_at,
        ended_at,
        seconds,
        steps,
        rows_read,
        rows_written,
        rows_rejected
    ) VALUES (
        source.run_id,
        source.status,
        source.started_at,
        source.ended_at,
        source.seconds,
        source.steps,
        source.rows_read,
        source.rows_written,
        source.rows_rejected
    );
GO
DELETE FROM aggregated_data.pipeline_runs
WHERE EXISTS (
    SELECT 1
    FROM staging.pipeline_runs AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.run_id = pipeline_runs.run_id
);
