-- One row per calendar day that the facts reach.
CREATE TABLE aggregated_data.dim_date (
    date_key INT NOT NULL,
    date DATE NOT NULL,
    year INT NOT NULL,
    quarter INT NOT NULL,
    month INT NOT NULL,
    month_name NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NOT NULL,
    iso_week INT NOT NULL,
    day_of_week INT NOT NULL,
    day_name NVARCHAR(9) COLLATE Latin1_General_100_BIN2 NOT NULL,
    is_weekend BIT NOT NULL,
    CONSTRAINT pk_dim_date PRIMARY KEY (date_key),
    CONSTRAINT ck_dim_date_quarter_in_year CHECK (quarter BETWEEN 1 AND 4),
    CONSTRAINT ck_dim_date_month_in_year CHECK (month BETWEEN 1 AND 12),
    CONSTRAINT ck_dim_date_day_in_week CHECK (day_of_week BETWEEN 1 AND 7)
);
