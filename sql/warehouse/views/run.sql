-- One row per run of the pipeline, with its UTC day.
CREATE OR ALTER VIEW reporting.run
AS
SELECT
    run.run_id,
    CAST(run.started_at AS DATE) AS date,
    run.status,
    run.started_at,
    run.ended_at,
    run.seconds,
    run.steps,
    run.rows_read,
    run.rows_written,
    run.rows_rejected
FROM aggregated_data.pipeline_runs AS run;
