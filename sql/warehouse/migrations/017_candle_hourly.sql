-- Open, high, low and close of each hour, from hourly prices and snapshots.
CREATE TABLE aggregated_data.candle_hourly (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    hour DATETIME2(6) NOT NULL,
    period NVARCHAR(7) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [open] FLOAT(53) NOT NULL,
    high FLOAT(53) NOT NULL,
    low FLOAT(53) NOT NULL,
    [close] FLOAT(53) NOT NULL,
    samples INT NOT NULL,
    CONSTRAINT pk_candle_hourly PRIMARY KEY (coin_id, vs_currency, hour),
    CONSTRAINT ck_candle_hourly_low_to_high CHECK (low <= [open]
        AND low <= [close]
        AND [open] <= high
        AND [close] <= high)
);
