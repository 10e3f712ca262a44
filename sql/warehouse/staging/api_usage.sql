-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.api_usage;
GO
CREATE TABLE staging.api_usage (
    date DATE NULL,
    endpoint NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL,
    source NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    attempts INT NULL,
    landed INT NULL,
    errors INT NULL,
    rate_limited INT NULL,
    credits INT NULL,
    bytes BIGINT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
