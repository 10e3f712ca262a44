-- Coins as they were known over time: a slowly changing dimension of type 2.
CREATE TABLE aggregated_data.dim_coin (
    coin_key BIGINT NOT NULL,
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    symbol NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
    max_supply FLOAT(53) NULL,
    valid_from DATETIME2(6) NOT NULL,
    valid_to DATETIME2(6) NOT NULL,
    is_current BIT NOT NULL,
    first_seen_at DATETIME2(6) NULL,
    CONSTRAINT pk_dim_coin PRIMARY KEY (coin_key),
    CONSTRAINT ck_dim_coin_interval_runs_forward CHECK (valid_from < valid_to)
);
