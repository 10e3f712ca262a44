-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.market_daily;
GO
CREATE TABLE staging.market_daily (
    date DATE NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    coins INT NULL,
    advancers INT NULL,
    decliners INT NULL,
    coins_with_average_50d INT NULL,
    share_above_average_50d FLOAT(53) NULL,
    median_return_1d FLOAT(53) NULL,
    median_index FLOAT(53) NULL,
    median_drawdown FLOAT(53) NULL,
    median_volatility_30d FLOAT(53) NULL,
    tracked_market_cap FLOAT(53) NULL,
    bitcoin_share FLOAT(53) NULL,
    total_market_cap FLOAT(53) NULL,
    bitcoin_dominance FLOAT(53) NULL,
    fear_greed_value INT NULL,
    fear_greed_classification NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL,
    coins_with_return_1d INT NULL,
    coins_with_volatility_30d INT NULL,
    coins_with_market_cap INT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
