-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.coin_monthly;
GO
CREATE TABLE staging.coin_monthly (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    month DATE NULL,
    average FLOAT(53) NULL,
    [close] FLOAT(53) NULL,
    high FLOAT(53) NULL,
    low FLOAT(53) NULL,
    return_1m FLOAT(53) NULL,
    days INT NULL,
    is_complete BIT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
