"""Exercises of notebook 05: a question that two databases understand alike, and a load that happens or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from coinlake.course.answers import same, shown
from coinlake.course.exercise import CHANGE, WRITE, Exercise, Values
from coinlake.errors import CoinlakeError
from coinlake.warehouse.sql import portable_tsql

NAIVE = "SELECT SUM(advancers > decliners) / COUNT(*) AS part FROM reporting.market_day"
# Days as (advancers, decliners), the part of them on which more coins rose, and what it shows.
DAYS: tuple[tuple[list[tuple[int, int]], float | None, str], ...] = (
    ([(5, 1), (1, 5), (2, 3)], 1 / 3, "Whole numbers lose their remainder when they are divided: CAST one side."),
    ([(5, 1), (3, 3)], 0.5, "A day on which as many rose as fell is one on which not more rose."),
    ([], None, "Of no days there is no part: NULL, and no error."),
)


def judge_question(question: Any, values: Values) -> str | None:
    """Lets the translator read the question, and asks it of three small tables."""
    try:
        translated = portable_tsql.to_duckdb(question, "your question")
    except CoinlakeError as refusal:
        return f"The translator refuses it: {str(refusal).splitlines()[1].strip()}."
    for days, expected, words in DAYS:
        with duckdb.connect() as database:
            database.execute("CREATE SCHEMA reporting")
            database.execute("CREATE TABLE reporting.market_day (advancers INTEGER, decliners INTEGER)")
            for day in days:
                database.execute("INSERT INTO reporting.market_day VALUES (?, ?)", day)
            rows = database.execute(translated).fetchall()
        if len(rows) != 1 or not same(rows[0][0], expected):
            return f"{words} It gave {shown(rows)}."
    return None


@contextmanager
def a_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with a price in it, rules, and a row in staging that a broken load has left."""
    with duckdb.connect() as database:
        for statement in (
            "CREATE SCHEMA staging",
            "CREATE SCHEMA target",
            "CREATE TABLE staging.prices (coin_id TEXT, price DOUBLE)",
            "CREATE TABLE target.prices (coin_id TEXT PRIMARY KEY, price DOUBLE CHECK (price >= 0))",
            "CREATE TABLE target.load_log (rows INTEGER CHECK (rows <= 3))",
            "INSERT INTO target.prices VALUES ('bitcoin', 1.0)",
            "INSERT INTO staging.prices VALUES ('left-over', 9.0)",
        ):
            database.execute(statement)
        yield database


BITCOIN = [("bitcoin", 1.0)]
# Rows, how many were sent, prices and log afterwards, whether the load must be refused, and what it shows.
LOADS: tuple[tuple[list[Any], int, list[Any], list[Any], bool, str], ...] = (
    ([("bitcoin", 2.0), ("ether", 3.0)], 2, [("bitcoin", 2.0), ("ether", 3.0)], [(2,)], False, "A usual load:"),
    ([("bitcoin", 2.0)], 2, BITCOIN, [], True, "Of two rows that were sent one got lost, and the load must end:"),
    ([("ether", 3.0), ("bad", -1.0)], 2, BITCOIN, [], True, "A row broke a rule, and nothing may have happened:"),
    (
        [("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)],
        4,
        BITCOIN,
        [],
        True,
        "The log refused its row, and prices without a log are half a load:",
    ),
)


def judge_load(load: Any, values: Values) -> str | None:
    """Lets four loads happen, of which three must not, and looks at both tables after each."""
    for rows, sent, prices, log, is_refused, words in LOADS:
        with a_warehouse() as database:
            problem = None
            try:
                load(database, rows, sent)
            except Exception as error:
                problem = error
            with database.cursor() as reader:
                found = reader.execute("SELECT * FROM target.prices ORDER BY coin_id").fetchall()
                logged = reader.execute("SELECT * FROM target.load_log").fetchall()
        if (found, logged) != (prices, log):
            said = "" if problem is None else f" ({shown(str(problem).splitlines()[0][:60])})"
            return f"{words} prices are {shown(found)}, the log is {logged}{said}."
        if is_refused and problem is None:
            return f"{words} nothing was changed, and nobody was told. Raise an error."
    return None


EXERCISES = (
    Exercise(
        number="05.1",
        kind=CHANGE,
        idea="say it so that two databases mean the same",
        judge=judge_question,
        start=NAIVE,
        hints=(
            "T-SQL adds no truth values: SUM(CASE WHEN … THEN 1 ELSE 0 END).",
            "CAST(the sum AS FLOAT(53)) keeps the remainder; NULLIF(COUNT(*), 0) as divisor gives NULL.",
        ),
        solution='''
            question = """
            SELECT CAST(SUM(CASE WHEN advancers > decliners THEN 1 ELSE 0 END) AS FLOAT(53))
                / NULLIF(COUNT(*), 0) AS part
            FROM reporting.market_day"""
        ''',
    ),
    Exercise(
        number="05.2",
        kind=WRITE,
        idea="stage, count, and merge in one transaction",
        judge=judge_load,
        hints=(
            "DELETE what staging holds, insert the rows, SELECT COUNT(*), and raise an error if it is not `sent`.",
            "Between BEGIN and COMMIT: INSERT OR REPLACE INTO target.prices SELECT * FROM staging.prices, and the "
            "row of the log. After an error: ROLLBACK, and raise it again.",
        ),
        solution="""
            def load(database, rows, sent):
                database.execute("DELETE FROM staging.prices")
                database.executemany("INSERT INTO staging.prices VALUES (?, ?)", rows)
                (staged,) = database.execute("SELECT COUNT(*) FROM staging.prices").fetchone()
                if staged != sent:
                    raise ValueError(f"{sent} rows were sent, {staged} arrived")
                database.execute("BEGIN")
                try:
                    database.execute("INSERT OR REPLACE INTO target.prices SELECT * FROM staging.prices")
                    database.execute("INSERT INTO target.load_log VALUES (?)", [staged])
                    database.execute("COMMIT")
                except Exception:
                    database.execute("ROLLBACK")
                    raise
        """,
    ),
)
