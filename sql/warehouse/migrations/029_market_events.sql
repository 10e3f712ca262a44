-- What happened to coins: records, lost pegs, unusual volumes, turns of the trend, entries and exits.
CREATE TABLE aggregated_data.market_events (
    vs_currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    coin_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    kind NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    happened_at DATETIME2(6) NOT NULL,
    value FLOAT(53) NULL,
    reference FLOAT(53) NULL,
    CONSTRAINT pk_market_events PRIMARY KEY (vs_currency, coin_id, kind, happened_at),
    CONSTRAINT ck_market_events_kind_known CHECK (kind IN (
        'record_high', 'peg_lost', 'peg_regained', 'volume_anomaly', 'trend_up', 'trend_down', 'entered', 'left'
    ))
);
