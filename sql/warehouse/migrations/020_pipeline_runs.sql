-- One row per pipeline run.
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
    CONSTRAINT ck_pipeline_runs_status_known CHECK (status IN ('succeeded', 'failed'))
);
