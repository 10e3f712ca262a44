-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.dim_coin;
GO
CREATE TABLE staging.dim_coin (
    coin_key BIGINT NULL,
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    symbol NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    max_supply FLOAT(53) NULL,
    valid_from DATETIME2(6) NULL,
    valid_to DATETIME2(6) NULL,
    is_current BIT NULL,
    first_seen_at DATETIME2(6) NULL,
    kind NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    original_id NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
