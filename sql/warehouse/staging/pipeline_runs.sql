-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.pipeline_runs;
GO
CREATE TABLE staging.pipeline_runs (
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    started_at DATETIME2(6) NULL,
    ended_at DATETIME2(6) NULL,
    seconds FLOAT(53) NULL,
    steps INT NULL,
    rows_read BIGINT NULL,
    rows_written BIGINT NULL,
    rows_rejected BIGINT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
