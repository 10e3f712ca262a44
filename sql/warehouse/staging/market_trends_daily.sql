-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.market_trends_daily;
GO
CREATE TABLE staging.market_trends_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    date DATE NULL,
    [close] FLOAT(53) NULL,
    market_cap FLOAT(53) NULL,
    return_1d FLOAT(53) NULL,
    return_7d FLOAT(53) NULL,
    return_30d FLOAT(53) NULL,
    return_90d FLOAT(53) NULL,
    index_100 FLOAT(53) NULL,
    average_50d FLOAT(53) NULL,
    above_average_50d BIT NULL,
    volatility_30d FLOAT(53) NULL,
    drawdown FLOAT(53) NULL,
    [cross] NVARCHAR(6) COLLATE Latin1_General_100_BIN2 NULL,
    trend NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
