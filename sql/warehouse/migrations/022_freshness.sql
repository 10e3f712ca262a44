-- How far each table reaches, against what was promised.
CREATE TABLE aggregated_data.freshness (
    table_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    as_of DATETIME2(6) NULL,
    rows BIGINT NOT NULL,
    sla_hours FLOAT(53) NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_freshness PRIMARY KEY (table_name)
);
