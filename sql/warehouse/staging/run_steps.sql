-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.run_steps;
GO
CREATE TABLE staging.run_steps (
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    step NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    started_at DATETIME2(6) NULL,
    ended_at DATETIME2(6) NULL,
    seconds FLOAT(53) NULL,
    rows_read BIGINT NULL,
    rows_written BIGINT NULL,
    rows_rejected BIGINT NULL,
    table_versions NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    parameters NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    code_hash NVARCHAR(12) COLLATE Latin1_General_100_BIN2 NULL,
    message NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
