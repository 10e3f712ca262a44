-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.market_events;
GO
CREATE TABLE staging.market_events (
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    happened_at DATETIME2(6) NULL,
    value FLOAT(53) NULL,
    reference FLOAT(53) NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
