-- One row per file of sql/warehouse that this warehouse holds.
-- A migration runs once and its text never changes; staging tables and views follow their files.
CREATE TABLE control.schema_version (
    name NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    checksum NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    applied_at DATETIME2(6) NOT NULL CONSTRAINT df_schema_version_applied_at DEFAULT SYSUTCDATETIME(),
    CONSTRAINT pk_schema_version PRIMARY KEY (name)
);
