-- Currencies that prices are quoted in.
CREATE TABLE aggregated_data.dim_currency (
    currency_key INT NOT NULL,
    currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_dim_currency PRIMARY KEY (currency_key),
    CONSTRAINT ck_dim_currency_kind_known CHECK (kind IN ('fiat', 'crypto', 'commodity'))
);
