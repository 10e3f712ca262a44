-- Pearson correlation of daily log returns over the last 90 days, for the largest coins.
CREATE TABLE aggregated_data.correlation_90d (
    coin_a NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    coin_b NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    date DATE NOT NULL,
    correlation FLOAT(53) NOT NULL,
    days INT NOT NULL,
    CONSTRAINT pk_correlation_90d PRIMARY KEY (coin_a, coin_b, vs_currency),
    CONSTRAINT ck_correlation_90d_pair_sorted CHECK (coin_a < coin_b)
);
