-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.price_averages_daily;
GO
CREATE TABLE staging.price_averages_daily (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    date DATE NULL,
    [close] FLOAT(53) NULL,
    average_7d FLOAT(53) NULL,
    days_7d INT NULL,
    average_30d FLOAT(53) NULL,
    days_30d INT NULL,
    average_90d FLOAT(53) NULL,
    days_90d INT NULL,
    average_200d FLOAT(53) NULL,
    days_200d INT NULL,
    cross_30d_90d NVARCHAR(4) COLLATE Latin1_General_100_BIN2 NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
