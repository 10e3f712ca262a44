-- The market of each day over the coins that have a complete day.
CREATE TABLE aggregated_data.market_daily (
    date DATE NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    coins INT NOT NULL,
    advancers INT NOT NULL,
    decliners INT NOT NULL,
    coins_with_average_50d INT NOT NULL,
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
    CONSTRAINT pk_market_daily PRIMARY KEY (date, vs_currency),
    CONSTRAINT ck_market_daily_fear_greed_in_range CHECK (fear_greed_value BETWEEN 0 AND 100)
);
