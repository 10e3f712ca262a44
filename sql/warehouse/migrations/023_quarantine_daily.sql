-- Quarantined records per day, table and reason.
CREATE TABLE aggregated_data.quarantine_daily (
    date DATE NOT NULL,
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reason NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    records INT NOT NULL,
    replayed INT NOT NULL,
    CONSTRAINT pk_quarantine_daily PRIMARY KEY (date, table_name, reason)
);
