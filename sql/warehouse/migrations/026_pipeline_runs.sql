-- A run may be running, interrupted or incomplete, too: made anew with its rows, as run_steps was.
CREATE TABLE control.kept_pipeline_runs (
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at DATETIME2(6) NOT NULL,
    ended_at DATETIME2(6) NOT NULL,
    seconds FLOAT(53) NOT NULL,
    steps INT NOT NULL,
    rows_read BIGINT NULL,
    rows_written BIGINT NULL,
    rows_rejected BIGINT NULL
);
GO
INSERT INTO control.kept_pipeline_runs (
    run_id, status, started_at, ended_at, seconds, steps, rows_read, rows_written, rows_rejected
)
SELECT run_id, status, started_at, ended_at, seconds, steps, rows_read, rows_written, rows_rejected
FROM aggregated_data.pipeline_runs;
GO
DROP TABLE aggregated_data.pipeline_runs;
GO
CREATE TABLE aggregated_data.pipeline_runs (
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at DATETIME2(6) NOT NULL,
    ended_at DATETIME2(6) NOT NULL,
    seconds FLOAT(53) NOT NULL,
    steps INT NOT NULL,
    rows_read BIGINT NULL,
    rows_written BIGINT NULL,
    rows_rejected BIGINT NULL,
    CONSTRAINT pk_pipeline_runs PRIMARY KEY (run_id),
    CONSTRAINT ck_pipeline_runs_status_known CHECK (
        status IN ('running', 'succeeded', 'failed', 'interrupted', 'incomplete')
    )
);
GO
INSERT INTO aggregated_data.pipeline_runs (
    run_id, status, started_at, ended_at, seconds, steps, rows_read, rows_written, rows_rejected
)
SELECT run_id, status, started_at, ended_at, seconds, steps, rows_read, rows_written, rows_rejected
FROM control.kept_pipeline_runs;
GO
DROP TABLE control.kept_pipeline_runs;
