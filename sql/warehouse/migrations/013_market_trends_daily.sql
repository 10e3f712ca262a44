-- How each coin moves: returns, volatility, drawdown and trend; complete days only.
CREATE TABLE aggregated_data.market_trends_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    date DATE NOT NULL,
    [close] FLOAT(53) NOT NULL,
    market_cap FLOAT(53) NULL,
    return_1d FLOAT(53) NULL,
    return_7d FLOAT(53) NULL,
    return_30d FLOAT(53) NULL,
    return_90d FLOAT(53) NULL,
    index_100 FLOAT(53) NULL,
    average_50d FLOAT(53) NULL,
    above_average_50d BIT NULL,
    volatility_30d FLOAT(53) NULL,
    drawdown FLOAT(53) NOT NULL,
    [cross] NVARCHAR(6) COLLATE Latin1_General_100_BIN2 NULL,
    trend NVARCHAR(8) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_market_trends_daily PRIMARY KEY (coin_id, vs_currency, date),
    CONSTRAINT ck_market_trends_daily_cross_known CHECK ([cross] IN ('golden', 'death')),
    CONSTRAINT ck_market_trends_daily_trend_known CHECK (trend IN ('up', 'down', 'sideways')),
    CONSTRAINT ck_market_trends_daily_drawdown_not_positive CHECK (drawdown <= 0)
);
