-- Each coin's calendar months, in the quoted currency and, through ECB rates, in others.
CREATE TABLE aggregated_data.coin_monthly (
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    month DATE NOT NULL,
    average FLOAT(53) NOT NULL,
    [close] FLOAT(53) NOT NULL,
    high FLOAT(53) NOT NULL,
    low FLOAT(53) NOT NULL,
    return_1m FLOAT(53) NULL,
    days INT NOT NULL,
    is_complete BIT NOT NULL,
    CONSTRAINT pk_coin_monthly PRIMARY KEY (coin_id, vs_currency, month)
);
