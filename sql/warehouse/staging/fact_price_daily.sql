-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.fact_price_daily;
GO
CREATE TABLE staging.fact_price_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    date DATE NULL,
    period NVARCHAR(7) COLLATE Latin1_General_100_BIN2 NULL,
    coin_key BIGINT NULL,
    currency_key INT NULL,
    date_key INT NULL,
    [open] FLOAT(53) NULL,
    high FLOAT(53) NULL,
    low FLOAT(53) NULL,
    [close] FLOAT(53) NULL,
    average FLOAT(53) NULL,
    samples INT NULL,
    market_cap FLOAT(53) NULL,
    total_volume FLOAT(53) NULL,
    is_complete BIT NULL,
    [file] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
