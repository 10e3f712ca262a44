-- One row per load that began: each marks its rows in staging with a number of its own.
-- A load that is not in load_log broke off and left the warehouse as it was.
CREATE TABLE control.load_started (
    load_id INT NOT NULL,
    run_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at DATETIME2(6) NOT NULL CONSTRAINT df_load_started_started_at DEFAULT SYSUTCDATETIME(),
    CONSTRAINT pk_load_started PRIMARY KEY (load_id)
);
