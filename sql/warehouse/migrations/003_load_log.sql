-- One row per load and table that it changed: the next load starts after delta_version.
CREATE TABLE control.load_log (
    load_id INT NOT NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    delta_table_id NVARCHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
    delta_version BIGINT NOT NULL,
    delta_committed_at DATETIME2(6) NOT NULL,
    is_full BIT NOT NULL,
    rows_staged BIGINT NOT NULL,
    rows_merged BIGINT NOT NULL,
    rows_deleted BIGINT NOT NULL,
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    loaded_at DATETIME2(6) NOT NULL CONSTRAINT df_load_log_loaded_at DEFAULT SYSUTCDATETIME(),
    CONSTRAINT pk_load_log PRIMARY KEY (load_id, table_name),
    CONSTRAINT ck_load_log_rows_not_negative CHECK (rows_staged >= 0
        AND rows_merged >= 0
        AND rows_deleted >= 0)
);
