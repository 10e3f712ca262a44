"""What sql/warehouse may say, what is refused, and what DuckDB is told."""

import pytest

from coinlake.warehouse import TsqlError
from coinlake.warehouse.sql import portable_tsql, scripts
from tests.support import maxdop

SQL_FILES = sorted(scripts.FOLDER.rglob("*.sql"))

TABLE = "CREATE TABLE s.t ({})"
SELECT = "SELECT {} AS y FROM s.t"
MERGE = "MERGE INTO s.t AS t USING s.u AS u ON t.x = u.x {};"
TEXT = "COLLATE Latin1_General_100_BIN2"

REFUSED = {
    # statements that sqlglot passes over in silence, or that DuckDB cannot do
    "IF OBJECT_ID('s.t') IS NULL BEGIN CREATE TABLE s.t (x INT NULL) END": "IfBlock",
    "IF NOT EXISTS (SELECT 1 FROM s.t) SELECT 1": "IfBlock",
    "DECLARE @x INT = 1": "Declare",
    "SET XACT_ABORT ON": "Set is not portable",
    "EXEC s.p": "Execute",
    "CREATE PROCEDURE s.p AS SELECT 1": "CREATE PROCEDURE is not portable",
    "CREATE FUNCTION s.f() RETURNS INT AS BEGIN RETURN 1 END": "CREATE FUNCTION is not portable",
    "GRANT SELECT ON s.t TO reader": "Grant",
    "BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW END CATCH": "f.sql: ",
    "BEGIN TRANSACTION": "Transaction",
    "CREATE CLUSTERED COLUMNSTORE INDEX i ON s.t": "CLUSTERED is not portable",
    "CREATE NONCLUSTERED INDEX i ON s.t (x)": "CREATE NONCLUSTERED INDEX is not portable",
    "CREATE INDEX i ON s.t (x)": "Index is not portable",
    "CREATE TABLE #t (x INT NULL)": "temporary table",
    "CREATE TABLE IF NOT EXISTS s.t (x INT NULL)": "EXISTS is not portable",
    "CREATE VIEW s.v AS SELECT 1 AS x": "CREATE OR ALTER VIEW",
    "CREATE OR REPLACE VIEW s.v AS SELECT 1 AS x": "OR REPLACE is not T-SQL",
    "ALTER TABLE s.t WITH CHECK ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES s.u(x)": "AddConstraint",
    "SELECT x INTO s.u FROM s.t": "INTO is not portable",
    "INSERT INTO s.t (x) VALUES (1) ON CONFLICT DO NOTHING": "OnConflict",
    MERGE.format("WHEN MATCHED THEN UPDATE SET y = u.y OUTPUT $action"): "OUTPUT",
    MERGE.format("WHEN NOT MATCHED BY SOURCE THEN DELETE"): "SOURCE is not portable",
    "SELECT x FROM s.t; SELECT x FROM s.t": "2 statements in a batch",
    "SELEC x FROM s.t": "f.sql: ",
    "": "0 statements in a batch",
    # types
    TABLE.format("x INTT NULL"): "type INTT is not portable",
    TABLE.format("x STRING NULL"): "type TEXT is not portable",
    TABLE.format("x BOOLEAN NULL"): "type BOOLEAN is not portable",
    TABLE.format("x TINYINT NULL"): "type UTINYINT is not portable",
    TABLE.format("x DATETIME NULL"): "type DATETIME is not portable",
    TABLE.format("x DECIMAL(50, 2) NULL"): "within T-SQL's limits",
    TABLE.format("x DECIMAL(10, 12) NULL"): "more decimals than digits",
    TABLE.format("x DECIMAL NULL"): "must be stated",
    TABLE.format("x DATETIME2(9) NULL"): "within T-SQL's limits",
    TABLE.format("x DATETIME2 NULL"): "must be stated",
    TABLE.format("x FLOAT NULL"): "must be stated",
    TABLE.format("x REAL NULL"): "must be stated",
    TABLE.format("x FLOAT(24) NULL"): "within T-SQL's limits",
    TABLE.format(f"x NVARCHAR(4001) {TEXT} NULL"): "within T-SQL's limits",
    TABLE.format(f"x NVARCHAR {TEXT} NULL"): "must be stated",
    TABLE.format(f"x VARCHAR(10) {TEXT} NULL"): "type VARCHAR(10) is not portable",
    # columns and constraints
    TABLE.format("x INT"): "column x: say NULL or NOT NULL",
    TABLE.format("x NVARCHAR(10) NULL"): "column x: text needs COLLATE",
    TABLE.format("x NVARCHAR(10) COLLATE Latin1_General_CI_AS NULL"): "column x: text needs COLLATE",
    TABLE.format("open INT NULL"): "write [open]",
    TABLE.format("x INT IDENTITY(1, 1) NOT NULL"): "GeneratedAsIdentity",
    TABLE.format("x INT NOT NULL PRIMARY KEY"): "PrimaryKeyColumnConstraint",
    TABLE.format("x INT NOT NULL DEFAULT 0"): "name it: CONSTRAINT … DEFAULT 0",
    TABLE.format("x INT NOT NULL CHECK (x > 0)"): "name it: CONSTRAINT … CHECK",
    TABLE.format("x INT NOT NULL, PRIMARY KEY (x)"): "name it: CONSTRAINT … PRIMARY KEY",
    TABLE.format("x INT NOT NULL, CONSTRAINT pk PRIMARY KEY CLUSTERED (x)"): "ClusteredColumnConstraint",
    TABLE.format("x INT NOT NULL, INDEX i (x)"): "not portable T-SQL",
    "CREATE TABLE t (x INT NULL)": "table t: name its schema",
    # queries
    "SELECT x FROM t": "table t: name its schema",
    "SELECT * FROM s.t": "name the columns",
    "SELECT x FROM s.t LIMIT 1": "LIMIT is not T-SQL",
    "SELECT x FROM s.t QUALIFY ROW_NUMBER() OVER (ORDER BY x) = 1": "QUALIFY",
    "SELECT t.x FROM s.t AS t JOIN s.u AS u USING (x)": "USING",
    "SELECT t.x FROM s.t AS t NATURAL JOIN s.u AS u": "METHOD",
    "SELECT t.x FROM s.t AS t, s.u AS u": "INNER JOIN or LEFT JOIN",
    "SELECT t.x FROM s.t AS t CROSS APPLY s.f(t.x) AS u": "CROSS APPLY",
    "SELECT x FROM s.t WITH (NOLOCK)": "hints belong in sql/azure",
    "SELECT x FROM s.t WHERE is_final": "a value is no condition",
    "SELECT x FROM s.t WHERE NOT is_final": "a value is no condition",
    "SELECT x FROM s.t WHERE x > 1 AND is_final": "a value is no condition",
    "SELECT x FROM s.t WHERE x ILIKE 'a'": "ILike",
    "SELECT SUM(x) FILTER (WHERE x > 1) AS y FROM s.t": "Filter",
    "SELECT x FROM s.t GROUP BY ALL": "ALL is not portable",
    SELECT.format("x > 1"): "a comparison is no value",
    SELECT.format("TRUE"): "Boolean",
    SELECT.format("x::INT"): "CAST(x AS type)",
    SELECT.format("x || 'a'"): "write CONCAT",
    SELECT.format("x + 'a'"): "write CONCAT",
    SELECT.format("'é'"): "write N'é'",
    SELECT.format("x / 2"): "CAST one side AS FLOAT(53)",
    SELECT.format("CAST(x AS DECIMAL(9, 2)) / 2"): "CAST one side AS FLOAT(53)",
    SELECT.format("CAST(x AS FLOAT(53)) / y"): "NULLIF",
    SELECT.format("CAST(x AS FLOAT(53)) / 0"): "NULLIF",
    SELECT.format("x % 2"): "Mod",
    SELECT.format("@x"): "Parameter",
    SELECT.format("{'a': 1}"): "function STRUCT",
    # functions
    SELECT.format("NOW()"): "function NOW",
    SELECT.format("GETDATE()"): "function CURRENT_TIMESTAMP",
    SELECT.format("SYSDATETIME()"): "function CURRENT_TIMESTAMP",
    SELECT.format("DATE_TRUNC('day', x)"): "function DATE_TRUNC",
    SELECT.format("DATEADD(DAY, 1, x)"): "function DATE_ADD",
    SELECT.format("DATEDIFF(DAY, x, z)"): "function DATEDIFF",
    SELECT.format("ISNULL(x, 0)"): "write COALESCE",
    SELECT.format("IIF(x > 1, 1, 0)"): "FALSE is not portable",
    SELECT.format("LEN(x)"): "function LENGTH",
    SELECT.format("AVG(x)"): "function AVG",
    SELECT.format("TRY_CAST(x AS INT)"): "write CAST",
    SELECT.format("CONVERT(INT, x)"): "write CAST",
    SELECT.format("s.f(x)"): "function F",
}

TRANSLATED = {
    "CREATE SCHEMA s": "CREATE SCHEMA s",
    f"""CREATE TABLE s.t (
        x BIT NOT NULL CONSTRAINT df_t_x DEFAULT 0,
        [open] FLOAT(53) NULL,
        name NVARCHAR(10) {TEXT} NOT NULL,
        note NVARCHAR(MAX) {TEXT} NULL,
        made_at DATETIME2(6) NOT NULL CONSTRAINT df_t_made_at DEFAULT SYSUTCDATETIME(),
        amount DECIMAL(38, 18) NULL,
        CONSTRAINT pk_t PRIMARY KEY (x, name),
        CONSTRAINT fk_t_u FOREIGN KEY (x) REFERENCES s.u(x),
        CONSTRAINT ck_t_open CHECK ([open] > 0)
    )""": "CREATE TABLE s.t (x BOOLEAN NOT NULL CONSTRAINT df_t_x DEFAULT 0, "
    '"open" DOUBLE, name TEXT NOT NULL CHECK (LENGTH(name) <= 10), note TEXT, '
    "made_at TIMESTAMP NOT NULL CONSTRAINT df_t_made_at DEFAULT NOW() AT TIME ZONE 'UTC', amount DECIMAL(38, 18), "
    "CONSTRAINT pk_t PRIMARY KEY (x, name), CONSTRAINT fk_t_u FOREIGN KEY (x) REFERENCES s.u (x), "
    'CONSTRAINT ck_t_open CHECK ("open" > 0))',
    "ALTER TABLE s.t ADD y BIT NULL": "ALTER TABLE s.t ADD COLUMN y BOOLEAN",
    "DROP TABLE IF EXISTS s.t": "DROP TABLE IF EXISTS s.t",
    "CREATE OR ALTER VIEW s.v AS SELECT x FROM s.t": "CREATE OR REPLACE VIEW s.v AS SELECT x FROM s.t",
    "SELECT TOP (2) x, N'é' AS y FROM s.t WHERE b = 1 ORDER BY x": "SELECT x, 'é' AS y FROM s.t WHERE b = 1 "
    "ORDER BY x NULLS FIRST LIMIT 2",
    "SELECT CAST(x AS FLOAT(53)) / NULLIF(y, 0) AS z": "SELECT CAST(x AS DOUBLE) / NULLIF(y, 0) AS z",
    "UPDATE s.t SET x = ? WHERE y = SYSUTCDATETIME()": "UPDATE s.t SET x = ? WHERE y = NOW() AT TIME ZONE 'UTC'",
    MERGE.format("WHEN MATCHED AND t.y IS DISTINCT FROM u.y THEN UPDATE SET y = u.y"): (
        "MERGE INTO s.t AS t USING s.u AS u ON t.x = u.x "
        "WHEN MATCHED AND t.y IS DISTINCT FROM u.y THEN UPDATE SET y = u.y"
    ),
}


@pytest.mark.parametrize("path", SQL_FILES, ids=scripts.name)
def test_every_file_parses_with_microsofts_parser_and_is_portable(path):
    assert maxdop.faults(path) == ""
    for batch in portable_tsql.read(path):
        portable_tsql.to_duckdb(batch, path.name)


@pytest.mark.parametrize("batch", REFUSED)
def test_what_is_not_portable_is_refused_and_says_why(batch):
    with pytest.raises(TsqlError) as refusal:
        portable_tsql.to_duckdb(batch, "f.sql")
    assert str(refusal.value).startswith("f.sql: ")
    assert REFUSED[batch] in str(refusal.value)


@pytest.mark.parametrize("batch", TRANSLATED)
def test_portable_statements_mean_the_same_on_duckdb(batch):
    assert portable_tsql.to_duckdb(batch, "f.sql") == TRANSLATED[batch]


def test_every_objection_is_named_at_once():
    with pytest.raises(TsqlError) as refusal:
        portable_tsql.to_duckdb("SELECT AVG(x) / 2 AS y FROM t", "f.sql")
    assert str(refusal.value).splitlines() == [
        "f.sql: not portable T-SQL:",
        "  AVG(x) / 2: T-SQL drops the remainder of whole numbers; CAST one side AS FLOAT(53)",
        "  table t: name its schema; the default differs (dbo, main)",
        "  AVG(x): function AVG is not known to mean the same on both",
        "Say it with what coinlake/warehouse/tsql.py lists, or move it to sql/azure.",
    ]


def test_batches_end_at_a_line_that_says_go():
    assert portable_tsql.batches("SELECT 1\nGO\n\n  go  \nSELECT 'GO'\nGO\n") == ["SELECT 1", "SELECT 'GO'"]


def test_a_missing_file_says_where_the_folder_belongs(tmp_path):
    with pytest.raises(TsqlError, match=r"none\.sql.*sql/ must stand beside notebooks/"):
        portable_tsql.read(tmp_path / "none.sql")
