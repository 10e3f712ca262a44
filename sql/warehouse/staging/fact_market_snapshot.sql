-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.fact_market_snapshot;
GO
CREATE TABLE staging.fact_market_snapshot (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    snapshot_at DATETIME2(6) NULL,
    period NVARCHAR(7) COLLATE Latin1_General_100_BIN2 NULL,
    coin_key BIGINT NULL,
    currency_key INT NULL,
    date_key INT NULL,
    price FLOAT(53) NULL,
    market_cap FLOAT(53) NULL,
    market_cap_rank INT NULL,
    total_volume FLOAT(53) NULL,
    high_24h FLOAT(53) NULL,
    low_24h FLOAT(53) NULL,
    return_1h FLOAT(53) NULL,
    return_24h FLOAT(53) NULL,
    return_7d FLOAT(53) NULL,
    return_30d FLOAT(53) NULL,
    circulating_supply FLOAT(53) NULL,
    [file] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
