-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.quarantine_daily;
GO
CREATE TABLE staging.quarantine_daily (
    date DATE NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    reason NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    records INT NULL,
    replayed INT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
