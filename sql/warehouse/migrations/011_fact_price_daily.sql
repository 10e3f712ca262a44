-- One row per coin, currency and UTC day.
CREATE TABLE aggregated_data.fact_price_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    date DATE NOT NULL,
    period NVARCHAR(7) COLLATE Latin1_General_100_BIN2 NOT NULL,
    coin_key BIGINT NOT NULL,
    currency_key INT NOT NULL,
    date_key INT NOT NULL,
    [open] FLOAT(53) NOT NULL,
    high FLOAT(53) NOT NULL,
    low FLOAT(53) NOT NULL,
    [close] FLOAT(53) NOT NULL,
    average FLOAT(53) NOT NULL,
    samples INT NOT NULL,
    market_cap FLOAT(53) NULL,
    total_volume FLOAT(53) NULL,
    is_complete BIT NOT NULL,
    [file] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_fact_price_daily PRIMARY KEY (coin_id, vs_currency, date),
    CONSTRAINT fk_fact_price_daily_dim_coin FOREIGN KEY (coin_key) REFERENCES aggregated_data.dim_coin(coin_key),
    CONSTRAINT fk_fact_price_daily_dim_currency FOREIGN KEY (currency_key) REFERENCES aggregated_data.dim_currency(currency_key),
    CONSTRAINT fk_fact_price_daily_dim_date FOREIGN KEY (date_key) REFERENCES aggregated_data.dim_date(date_key),
    CONSTRAINT ck_fact_price_daily_low_to_high CHECK (low <= [open]
        AND low <= [close]
        AND [open] <= high
        AND [close] <= high),
    CONSTRAINT ck_fact_price_daily_samples_exist CHECK (samples > 0)
);
