"""Portable T-SQL: the subset that means the same on Azure SQL Database and on DuckDB, and its translation.

sqlglot parses far more than it can translate, and what it cannot translate it often drops in silence
(`IF …` becomes an empty statement, BIT a bit string, FLOAT four bytes).
So nothing is translated that is not listed here: PORTABLE names every kind of syntax node with the parts it
may have, FUNCTIONS and TYPES name the rest, and everything else is refused with the way out.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from coinlake.errors import CoinlakeError

# Text is compared by code point, as Spark and DuckDB do; a server's default would ignore case and accents.
COLLATION = "Latin1_General_100_BIN2"

# Kinds of syntax node -> the parts of it that may be filled in.
PORTABLE: dict[type[exp.Expr], str] = {
    # statements
    exp.Create: "this kind expression replace",
    exp.Alter: "this kind actions",
    exp.Drop: "tables kind exists",
    exp.TruncateTable: "expressions",
    exp.Insert: "this expression",
    exp.Update: "this expressions where",
    exp.Delete: "this where",
    exp.Merge: "this using on whens",
    exp.Whens: "expressions",
    exp.When: "matched condition then",
    # definitions
    exp.Schema: "this expressions",
    exp.ColumnDef: "this kind constraints",
    exp.ColumnConstraint: "this kind",
    exp.NotNullColumnConstraint: "allow_null",
    exp.CollateColumnConstraint: "this",
    exp.DefaultColumnConstraint: "this",
    exp.CheckColumnConstraint: "this",
    exp.Constraint: "this expressions",
    exp.PrimaryKey: "expressions include",
    exp.ForeignKey: "expressions reference",
    exp.Reference: "this",
    exp.IndexParameters: "",
    exp.DataType: "this expressions kind",
    exp.DataTypeParam: "this",
    exp.Var: "this",
    # queries
    exp.Select: "expressions distinct from_ joins where group having order limit with_",
    exp.Distinct: "",
    exp.With: "expressions",
    exp.CTE: "this alias",
    exp.Union: "this expression distinct",
    exp.From: "this",
    exp.Table: "this db alias",
    exp.TableAlias: "this",
    exp.Subquery: "this alias",
    exp.Join: "this on kind side",
    exp.Where: "this",
    exp.Group: "expressions",
    exp.Having: "this",
    exp.Order: "expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Window: "this partition_by order over",
    # values
    exp.Alias: "this alias",
    exp.Column: "this table",
    exp.Identifier: "this quoted",
    exp.Literal: "this is_string",
    exp.National: "this",
    exp.Null: "",
    exp.Placeholder: "",
    exp.Parameter: "this",
    exp.Neg: "this",
    exp.Paren: "this",
    exp.Tuple: "expressions",
    exp.Values: "expressions",
    exp.Add: "this expression",
    exp.Sub: "this expression",
    exp.Mul: "this expression",
    exp.Div: "this expression typed",
    # conditions
    exp.And: "this expression",
    exp.Or: "this expression",
    exp.Not: "this",
    exp.Exists: "this",
    exp.EQ: "this expression",
    exp.NEQ: "this expression",
    exp.LT: "this expression",
    exp.LTE: "this expression",
    exp.GT: "this expression",
    exp.GTE: "this expression",
    exp.Is: "this expression",
    exp.NullSafeEQ: "this expression",
    exp.NullSafeNEQ: "this expression",
    exp.Between: "this low high",
    exp.In: "this expressions",
}

# Functions that give the same on both. Not among them: AVG (whole numbers in T-SQL), DATEADD (a DATE becomes
# a TIMESTAMP on DuckDB), LEN (drops trailing blanks), ROUND, string + string (use CONCAT).
FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Cast: "this to",
    exp.Case: "this ifs default",
    exp.If: "this true",
    exp.Coalesce: "this expressions",
    exp.Nullif: "this expression",
    exp.Abs: "this",
    exp.Upper: "this",
    exp.Lower: "this",
    exp.Concat: "expressions safe coalesce",
    exp.Count: "this big_int",
    exp.Star: "",
    exp.Sum: "this",
    exp.Min: "this",
    exp.Max: "this",
    exp.RowNumber: "",
    exp.Lag: "this offset",
}
UTC_NOW = "SYSUTCDATETIME"

# Variables that a session declares before the batch.
VARIABLES = {"load_id"}

# Types -> the pattern of their parameters, and the type that holds the same on DuckDB.
TYPES: dict[exp.DType, tuple[str, str]] = {
    exp.DType.INT: (r"", "INTEGER"),
    exp.DType.BIGINT: (r"", "BIGINT"),
    exp.DType.BIT: (r"", "BOOLEAN"),
    exp.DType.DATE: (r"", "DATE"),
    exp.DType.DATETIME2: (r"6", "TIMESTAMP"),
    exp.DType.FLOAT: (r"53", "DOUBLE"),
    exp.DType.DECIMAL: (r"([1-9]|[12]\d|3[0-8]),\d+", "DECIMAL"),
    exp.DType.NVARCHAR: (r"[1-9]\d{0,2}|[1-3]\d{3}|4000|MAX", "VARCHAR"),
}

# What sqlglot accepts and T-SQL does not (or not always): the tree no longer shows it, the words do.
FOREIGN_WORDS = {
    TokenType.LIMIT: "LIMIT is not T-SQL; use TOP or OFFSET … FETCH",
    TokenType.REPLACE: "OR REPLACE is not T-SQL; write CREATE OR ALTER",
    TokenType.DCOLON: "x::type is not T-SQL; write CAST(x AS type)",
    TokenType.DPIPE: "|| joins strings only on some servers; write CONCAT",
}
FOREIGN_NAMES = {
    "NOLOCK": "hints belong in sql/azure",
    "ISNULL": "ISNULL cuts to the type of its first argument; write COALESCE",
    "TRY_CAST": "TRY_CAST hides bad values; write CAST",
    "CONVERT": "write CAST",
}

# Reserved words of T-SQL that could pass for the name of a column or table: they stand in brackets.
_RESERVED_WORDS = """
    ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE CHECK
    CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE
    CONTINUE CONVERT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR
    DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DENY DESC DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE
    END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR FOREIGN FREETEXT
    FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITYCOL IDENTITY_INSERT IF
    IN INDEX INNER INSERT INTERSECT INTO IS JOIN KEY KILL LEFT LIKE LINENO LOAD MERGE NATIONAL NOCHECK
    NONCLUSTERED NOT NULL NULLIF OF OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR
    ORDER OUTER OVER PERCENT PIVOT PLAN PRECISION PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT
    RECONFIGURE REFERENCES REPLICATION RESTORE RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT
    ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS
    SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL
    UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WITHIN
    WRITETEXT
"""
RESERVED = frozenset(_RESERVED_WORDS.split())

_CONDITIONS = (
    exp.And, exp.Or, exp.Not, exp.Exists, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In,
)  # fmt: skip


class TsqlError(CoinlakeError):
    """A T-SQL statement that is not in the portable subset, with the reason and the way out."""


def batches(text: str) -> list[str]:
    """The batches of a T-SQL file: its parts between lines that say GO."""
    return [batch.strip() for batch in re.split(r"(?im)^[ \t]*GO[ \t]*$", text) if batch.strip()]


def read(path: Path) -> list[str]:
    """The batches of one file. Raises TsqlError, with the remedy, when the file is not there."""
    try:
        return batches(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TsqlError(
            f"The warehouse's SQL is missing: {path}. The folder sql/ must stand beside notebooks/, "
            "as in the repository."
        ) from None


def parse(batch: str, where: str) -> exp.Expr:
    """The syntax tree of one batch, which is one statement of the portable subset.

    `where` names the file in messages. Raises TsqlError with every objection.
    """
    try:
        statements = [tree for tree in sqlglot.parse(batch, read="tsql") if tree is not None]
        tokens = sqlglot.tokenize(batch, read="tsql")
    except SqlglotError as problem:
        first_line = str(problem).partition("\n")[0]
        raise TsqlError(f"{where}: not readable as T-SQL: {first_line}") from None
    if len(statements) != 1:
        raise TsqlError(f"{where}: {len(statements)} statements in a batch; put a line GO between them.")
    objections = dict.fromkeys((*_foreign_words(tokens), *_objections(statements[0])))
    if objections:
        lines = "\n  ".join(objections)
        raise TsqlError(
            f"{where}: not portable T-SQL:\n  {lines}\n"
            "Say it with what coinlake/warehouse/tsql.py lists, or move it to sql/azure."
        )
    return statements[0]


def to_duckdb(batch: str, where: str) -> str:
    """One batch of portable T-SQL as DuckDB's SQL with the same meaning; raises TsqlError for any other."""
    tree = parse(batch, where).transform(_for_duckdb, copy=False)
    return tree.sql("duckdb", copy=False, unsupported_level=sqlglot.ErrorLevel.RAISE)


def column_type(column: exp.ColumnDef) -> exp.DataType:
    """The type of a column's definition; raises TsqlError for a column without one."""
    if column.kind is None:
        raise TsqlError(f"Column {column.name} has no type: computed columns are not portable.")
    return column.kind


def type_name(kind: exp.DataType) -> str:
    """A T-SQL type as it is written: NVARCHAR(200)."""
    parameters = ", ".join(_parameters(kind))
    return f"{kind.this.value}({parameters})" if parameters else kind.this.value


def quoted(name: str) -> str:
    """A column or table name as T-SQL wants it: reserved words in brackets."""
    return f"[{name}]" if name.upper() in RESERVED else name


def _foreign_words(tokens: list[sqlglot.Token]) -> Iterator[str]:
    for token in tokens:
        if token.token_type in FOREIGN_WORDS:
            yield FOREIGN_WORDS[token.token_type]
        elif token.token_type != TokenType.IDENTIFIER and token.text.upper() in FOREIGN_NAMES:
            yield f"{token.text.upper()}: {FOREIGN_NAMES[token.text.upper()]}"


def _objections(tree: exp.Expr) -> Iterator[str]:
    for node in tree.walk():
        parts = PORTABLE.get(type(node)) if type(node) in PORTABLE else FUNCTIONS.get(type(node))
        if isinstance(node, exp.Anonymous) and node.name.upper() == UTC_NOW and not node.expressions:
            continue
        if parts is None:
            yield _unknown(node)
            continue
        for part, value in node.args.items():
            if value and part not in parts.split():
                yield f"{_shown(node)}: {part.upper().strip('_')} is not portable here"
        for rule in _RULES.get(type(node), ()):
            yield from rule(node)
        if isinstance(node, _CONDITIONS) and not _is_condition_place(node):
            yield f"{_shown(node)}: a comparison is no value in T-SQL; write CASE WHEN … THEN 1 ELSE 0 END"


def _unknown(node: exp.Expr) -> str:
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        return f"{_shown(node)}: function {name.upper()} is not known to mean the same on both"
    return f"{_shown(node)}: {type(node).__name__} is not portable"


def _shown(node: exp.Expr) -> str:
    text = node.sql("tsql", unsupported_level=sqlglot.ErrorLevel.IGNORE) or type(node).__name__
    return text if len(text) <= 60 else text[:57] + "…"


def _check_create(node: exp.Create) -> Iterator[str]:
    kind = node.args["kind"]
    if kind not in {"SCHEMA", "TABLE", "VIEW"}:
        yield f"CREATE {kind} is not portable"
    if kind == "VIEW" and not node.args.get("replace"):
        yield "CREATE VIEW fails when the view is there; write CREATE OR ALTER VIEW"
    if kind == "TABLE" and not isinstance(node.this, exp.Schema):
        yield "CREATE TABLE needs its columns; SELECT INTO and CTAS are not portable"


def _check_column(node: exp.ColumnDef) -> Iterator[str]:
    kinds = [constraint.args["kind"] for constraint in node.args["constraints"]]
    if not any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds):
        yield f"column {node.name}: say NULL or NOT NULL; without it a setting of the connection decides"
    collations = [kind.this.name for kind in kinds if isinstance(kind, exp.CollateColumnConstraint)]
    if column_type(node).this == exp.DType.NVARCHAR and collations != [COLLATION]:
        yield f"column {node.name}: text needs COLLATE {COLLATION}, or servers compare it differently"


def _check_column_constraint(node: exp.ColumnConstraint) -> Iterator[str]:
    kind = node.args["kind"]
    if not isinstance(kind, exp.NotNullColumnConstraint | exp.CollateColumnConstraint) and not node.this:
        yield f"{_shown(node)}: name it: CONSTRAINT … {_shown(node)}"


def _check_schema(node: exp.Schema) -> Iterator[str]:
    for element in node.expressions:
        if isinstance(element, exp.PrimaryKey | exp.ForeignKey | exp.CheckColumnConstraint):
            yield f"{_shown(element)}: name it: CONSTRAINT … {_shown(element)}"


def _check_type(node: exp.DataType) -> Iterator[str]:
    written = str(node.args.get("kind") or type_name(node))
    if node.this not in TYPES:
        yield f"type {written} is not portable; there are {', '.join(kind.value for kind in TYPES)}"
    elif not re.fullmatch(TYPES[node.this][0], ",".join(_parameters(node))):
        yield f"type {written}: its precision or length must be stated and within T-SQL's limits"
    elif node.this == exp.DType.DECIMAL and int(_parameters(node)[0]) < int(_parameters(node)[1]):
        yield f"type {written}: more decimals than digits"


def _check_parameter(node: exp.Parameter) -> Iterator[str]:
    if node.name not in VARIABLES:
        yield f"Parameter @{node.name} is not known here; there is @{', @'.join(sorted(VARIABLES))}"


def _check_var(node: exp.Var) -> Iterator[str]:
    if not isinstance(node.parent, exp.DataTypeParam | exp.Parameter):
        yield f"{node.name} is not known here"


def _check_star(node: exp.Star) -> Iterator[str]:
    if not isinstance(node.parent, exp.Count):
        yield "*: name the columns; a new one must not change what readers get"


def _check_identifier(node: exp.Identifier) -> Iterator[str]:
    if not node.args.get("quoted") and node.name.upper() in RESERVED:
        yield f"{node.name} is a reserved word of T-SQL; write [{node.name}]"


def _check_table(node: exp.Table) -> Iterator[str]:
    common = {cte.alias for cte in node.root().find_all(exp.CTE)}
    is_schema = isinstance(node.parent, exp.Create) and node.parent.args["kind"] == "SCHEMA"
    if not node.db and not is_schema and node.name not in common:
        yield f"table {node.name}: name its schema; the default differs (dbo, main)"
    if isinstance(node.this, exp.Identifier) and node.this.args.get("temporary"):
        yield f"table #{node.name}: a temporary table is seen by one connection only; use a staging table"


def _check_join(node: exp.Join) -> Iterator[str]:
    if not node.args.get("on"):
        yield f"{_shown(node)}: say INNER JOIN or LEFT JOIN, and ON"


def _check_division(node: exp.Div) -> Iterator[str]:
    operands = [node.this.unnest(), node.expression.unnest()]
    if not any(isinstance(operand, exp.Cast) and operand.to.this == exp.DType.FLOAT for operand in operands):
        yield f"{_shown(node)}: T-SQL drops the remainder of whole numbers; CAST one side AS FLOAT(53)"
    divisor = operands[1].this if isinstance(operands[1], exp.Cast) else operands[1]
    if not isinstance(divisor, exp.Nullif) and not (isinstance(divisor, exp.Literal) and float(divisor.this)):
        yield f"{_shown(node)}: dividing by 0 is an error in T-SQL and not on DuckDB; use NULLIF(…, 0)"


def _check_add(node: exp.Add) -> Iterator[str]:
    if any(isinstance(side, exp.National) or side.is_string for side in (node.this, node.expression)):
        yield f"{_shown(node)}: + joins strings only in T-SQL; write CONCAT"


def _check_literal(node: exp.Literal) -> Iterator[str]:
    if node.is_string and not node.this.isascii():
        yield f"{_shown(node)}: write N{_shown(node)}, or the server's code page eats the letters"


def _check_condition(*parts: str) -> Callable[[exp.Expr], Iterator[str]]:
    def rule(node: exp.Expr) -> Iterator[str]:
        for part in parts:
            value = node.args.get(part)
            if value is not None and not isinstance(value.unnest(), _CONDITIONS):
                yield f"{_shown(value)}: a value is no condition in T-SQL; compare it, for example with = 1"

    return rule


# Each rule takes nodes of the class that it stands under.
_RULES: dict[type[exp.Expr], tuple[Callable[[Any], Iterator[str]], ...]] = {
    exp.Create: (_check_create,),
    exp.Schema: (_check_schema,),
    exp.ColumnDef: (_check_column,),
    exp.ColumnConstraint: (_check_column_constraint,),
    exp.DataType: (_check_type,),
    exp.Parameter: (_check_parameter,),
    exp.Var: (_check_var,),
    exp.Star: (_check_star,),
    exp.Identifier: (_check_identifier,),
    exp.Table: (_check_table,),
    exp.Join: (_check_join, _check_condition("on")),
    exp.Div: (_check_division,),
    exp.Add: (_check_add,),
    exp.Literal: (_check_literal,),
    exp.CheckColumnConstraint: (_check_condition("this"),),
    exp.Where: (_check_condition("this"),),
    exp.Having: (_check_condition("this"),),
    exp.Merge: (_check_condition("on"),),
    exp.When: (_check_condition("condition"),),
    exp.And: (_check_condition("this", "expression"),),
    exp.Or: (_check_condition("this", "expression"),),
    exp.Not: (_check_condition("this"),),
}


def _is_condition_place(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Update):  # SET a = b
        return True
    places = (exp.And, exp.Or, exp.Not, exp.Where, exp.Having, exp.Join, exp.Merge, exp.When, exp.If)
    if isinstance(parent, exp.If):
        return node.arg_key == "this"
    return isinstance(parent, (*places, exp.CheckColumnConstraint))


def _parameters(kind: exp.DataType) -> list[str]:
    return [parameter.name.upper() for parameter in kind.expressions]


def _for_duckdb(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.DataType():
            return _duckdb_type(node)
        case exp.ColumnDef():
            return _duckdb_column(node)
        case exp.National():
            return exp.Literal.string(node.name)
        case exp.Anonymous():
            return exp.AtTimeZone(this=exp.func("now"), zone=exp.Literal.string("UTC"))
        case exp.Ordered() if isinstance(node.parent, exp.PrimaryKey):
            return node.this
    return node


def _duckdb_type(node: exp.DataType) -> exp.DataType:
    name = TYPES[node.this][1]
    parameters = f"({', '.join(_parameters(node))})" if node.this == exp.DType.DECIMAL else ""
    return exp.DataType.build(name + parameters, dialect="duckdb")


def _duckdb_column(node: exp.ColumnDef) -> exp.ColumnDef:
    """The column without what DuckDB does by itself, and with the length that it does not enforce."""
    constraints = [
        constraint
        for constraint in node.args["constraints"]
        if not isinstance(constraint.args["kind"], exp.CollateColumnConstraint)
        and not constraint.args["kind"].args.get("allow_null")
    ]
    kind = column_type(node)
    length = ",".join(_parameters(kind))
    if kind.this == exp.DType.NVARCHAR and length != "MAX":
        limit = exp.LTE(
            this=exp.func("length", exp.column(node.this.copy())), expression=exp.Literal.number(length)
        )
        constraints.append(exp.ColumnConstraint(kind=exp.CheckColumnConstraint(this=limit)))
    node.set("constraints", constraints)
    return node
