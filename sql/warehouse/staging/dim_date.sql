-- Generated from the migrations by coinlake sql generate: edit those instead.

DROP TABLE IF EXISTS staging.dim_date;
GO
CREATE TABLE staging.dim_date (
    date_key INT NULL,
    date DATE NULL,
    year INT NULL,
    quarter INT NULL,
    month INT NULL,
    month_name NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    iso_week INT NULL,
    day_of_week INT NULL,
    day_name NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NULL,
    is_weekend BIT NULL,
    is_deleted BIT NOT NULL,
    load_id INT NOT NULL
);
