-- Open, high, low and close of each ISO week, from fact_price_daily.
CREATE TABLE aggregated_data.candle_weekly (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    week DATE NOT NULL,
    [open] FLOAT(53) NOT NULL,
    high FLOAT(53) NOT NULL,
    low FLOAT(53) NOT NULL,
    [close] FLOAT(53) NOT NULL,
    samples INT NOT NULL,
    days INT NOT NULL,
    is_complete BIT NOT NULL,
    CONSTRAINT pk_candle_weekly PRIMARY KEY (coin_id, vs_currency, week),
    CONSTRAINT ck_candle_weekly_low_to_high CHECK (low <= [open]
        AND low <= [close]
        AND [open] <= high
        AND [close] <= high)
);
