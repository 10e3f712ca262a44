-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.correlation_90d;
GO
CREATE TABLE staging.correlation_90d (
    coin_a NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    coin_b NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    date DATE NULL,
    correlation FLOAT(53) NULL,
    days INT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
