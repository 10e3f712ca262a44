-- A step may be running or interrupted, too. Not every server can change a CHECK: the table is made anew, with its rows.
CREATE TABLE control.kept_run_steps (
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
    message NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL
);
GO
INSERT INTO control.kept_run_steps (
    run_id, step, status, started_at, ended_at, seconds, rows_read, rows_written, rows_rejected, table_versions,
    parameters, code_hash, message
)
SELECT
    run_id, step, status, started_at, ended_at, seconds, rows_read, rows_written, rows_rejected, table_versions,
    parameters, code_hash, message
FROM aggregated_data.run_steps;
GO
DROP TABLE aggregated_data.run_steps;
GO
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
    CONSTRAINT ck_run_steps_status_known CHECK (status IN ('running', 'succeeded', 'failed', 'interrupted'))
);
GO
INSERT INTO aggregated_data.run_steps (
    run_id, step, status, started_at, ended_at, seconds, rows_read, rows_written, rows_rejected, table_versions,
    parameters, code_hash, message
)
SELECT
    run_id, step, status, started_at, ended_at, seconds, rows_read, rows_written, rows_rejected, table_versions,
    parameters, code_hash, message
FROM control.kept_run_steps;
GO
DROP TABLE control.kept_run_steps;
