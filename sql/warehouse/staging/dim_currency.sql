-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.dim_currency;
GO
CREATE TABLE staging.dim_currency (
    currency_key INT NULL,
    currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
