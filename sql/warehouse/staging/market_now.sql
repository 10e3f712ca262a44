-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.market_now;
GO
CREATE TABLE staging.market_now (
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    snapshot_at DATETIME2(6) NULL,
    symbol NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    price FLOAT(53) NULL,
    market_cap FLOAT(53) NULL,
    market_cap_rank INT NULL,
    rank_change_24h INT NULL,
    return_1h FLOAT(53) NULL,
    return_24h FLOAT(53) NULL,
    return_7d FLOAT(53) NULL,
    return_30d FLOAT(53) NULL,
    volume_24h FLOAT(53) NULL,
    volume_ratio FLOAT(53) NULL,
    high FLOAT(53) NULL,
    high_at DATETIME2(6) NULL,
    distance_from_high FLOAT(53) NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
