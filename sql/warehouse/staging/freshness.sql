-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.freshness;
GO
CREATE TABLE staging.freshness (
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    as_of DATETIME2(6) NULL,
    rows BIGINT NULL,
    sla_hours FLOAT(53) NULL,
    version BIGINT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
