-- Moving averages of the closing price over calendar windows; complete days only.
CREATE TABLE aggregated_data.price_averages_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    date DATE NOT NULL,
    [close] FLOAT(53) NOT NULL,
    average_7d FLOAT(53) NULL,
    days_7d INT NOT NULL,
    average_30d FLOAT(53) NULL,
    days_30d INT NOT NULL,
    average_90d FLOAT(53) NULL,
    days_90d INT NOT NULL,
    average_200d FLOAT(53) NULL,
    days_200d INT NOT NULL,
    cross_30d_90d NVARCHAR(4) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_price_averages_daily PRIMARY KEY (coin_id, vs_currency, date),
    CONSTRAINT ck_price_averages_daily_cross_known CHECK (cross_30d_90d IN ('up', 'down'))
);
