-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.candle_weekly;
GO
CREATE TABLE staging.candle_weekly (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    week DATE NULL,
    [open] FLOAT(53) NULL,
    high FLOAT(53) NULL,
    low FLOAT(53) NULL,
    [close] FLOAT(53) NULL,
    samples INT NULL,
    days INT NULL,
    is_complete BIT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
