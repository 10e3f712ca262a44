-- One row per notebook that a pipeline run executed.
CREATE TABLE aggregated_data.run_steps (
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    step NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at DATETIME2(6) NOT NULL,
    ended_at DATETIME2(6) NOT NULL,
    seconds FLOAT(53) NOT NULL,
    rows_read BIGINT NULL,
    rows_written BIGINT NULL,
    rows_rejected BIGINT NULL,
    table_versions NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    parameters NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    code_hash NVARCHAR(12) COLLATE Latin1_General_100_BIN2 NULL,
    message NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_run_steps PRIMARY KEY (run_id, step),
    CONSTRAINT ck_run_steps_status_known CHECK (status IN ('succeeded', 'failed'))
);
