"""The way from a row back to the answers: rows of one table after the other, each found by its table's origins."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from coinlake import bronze, instants, schema, warehouse
from coinlake.errors import LandingError, StorageError
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake_ops.bi import views
from coinlake_ops.trace.origins import ORIGINS, OWN, VIEWS, Origin
from coinlake_ops.trace.questions import REPORTING, WAREHOUSE, Question

# What is known of an answer, from raw_data.responses.
OF_ANSWER = ("landing_run", "endpoint", "page", "attempt", "url", "status", "file", "sha256", "outcome", "source")


@dataclass(frozen=True)
class Answer:
    """A raw response: its line of the response log, how many rows came from it, and what is wrong with its bytes.

    `file` is relative to landing/, or to landing_errors/ where the answer is no data, and None where it has no
    body. `problem` is None where the bytes have the SHA-256 of the log.
    """

    landing_run: str
    endpoint: str
    page: int
    attempt: int
    url: str
    status: int
    file: str | None
    sha256: str | None
    outcome: str
    source: str
    fetched_at: str
    rows: int
    problem: str | None = None


@dataclass(frozen=True)
class Node:
    """Rows of a table on the way: how many, and what they are to those before; what they are made from, or the
    answers that they come from, or the word for what else made them. `unknown` says what cannot be followed."""

    table: str
    words: str
    rows: int
    nodes: tuple["Node", ...] = ()
    answers: tuple[Answer, ...] = ()
    own: str | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trail:
    """A row, its values, and the way back from it. `problems` says what does not agree on that way."""

    name: str
    key: Mapping[str, str]
    row: Mapping[str, Any]
    node: Node
    problems: tuple[str, ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether every way ends with bytes that are those of the log, or with what is no answer."""
        return not self.problems


def follow(lake: Lakehouse, question: Question) -> Trail:
    """The trail of a row. Reads the lake, and the warehouse in its file where that is asked; writes nothing.

    Raises StorageError when there is no such row, or no such table yet.
    """
    key = {name: _text(value) for name, value in question.key.items()}
    name = f"{question.place}.{question.name}"
    if question.table is None:
        row = _row_of_warehouse(lake, question)
        view = VIEWS[question.name]
        columns = {column.name: column.type for one in view.origins for column in one.table.columns}
        named = (*view.key, *view.also)
        made = lake.spark.createDataFrame(
            [tuple(_from_text(columns[column], row[column]) for column in named)],
            ", ".join(f"{column} {columns[column]}" for column in named),
        )
        node = Node(name, "the row", 1, nodes=_Walk(lake).back(made, view.origins))
        return _judged(Trail(name, key, row, node))
    stored = lake.table(question.table).read()
    made = stored.where(_is_the_row(question)).select(*question.table.column_names)
    row = _only_row(lake, question, made)
    node = _Walk(lake).node(question.table, "the row", made, rows=1)
    if question.place != WAREHOUSE:
        return _judged(Trail(name, key, row, node))
    held = _row_of_warehouse(lake, question)
    different = [column for column in row if row[column] != held[column]]
    said = f"{name} is not the row of gold, it differs in {', '.join(different)}: run notebook 05 again."
    node = Node(name, "the row", 1, nodes=(replace(node, words="the row of gold"),))
    return _judged(Trail(name, key, held, node, (said,) if different else ()))


def sources(lake: Lakehouse, made: DataFrame, origin: Origin) -> DataFrame:
    """The rows of the origin's table that the rows `made` are made from."""
    source = lake.table(origin.table).read().alias("source")
    return source.join(made.alias("made"), F.expr(origin.on), "left_semi")


class _Walk:
    """One way back through a lake. A file is read once, however many ways lead to it."""

    def __init__(self, lake: Lakehouse):
        self.lake = lake
        self._zone = bronze.LandingZone(lake.path)
        self._problems: dict[tuple[str | None, ...], str | None] = {}

    def node(self, table: Table, words: str, made: DataFrame, rows: int | None = None) -> Node:
        """The rows `made` of a table, and all that is behind them."""
        origins = ORIGINS.get(table.name, ())
        if table is schema.RESPONSES:
            answers = self._answers(made.withColumn("rows", F.lit(1)))
            return Node(table.qualified_name, words, len(answers), answers=answers)
        if table.schema == schema.CLEANED:
            answers, unknown = self._answers_of(made)
            counted = sum(answer.rows for answer in answers) + sum(unknown.values())
            nodes = self.back(made, origins)
            lacking = tuple(f"the response log names no answer for {file}" for file in sorted(unknown))
            return Node(table.qualified_name, words, counted, nodes, answers, unknown=lacking)
        counted = made.count() if rows is None else rows
        nodes = self.back(made, origins) if counted else ()
        own = OWN.get(table.name)
        lacking = () if nodes or own or not counted else ("nothing that it is made from is there any more",)
        return Node(table.qualified_name, words, counted, nodes, own=own, unknown=lacking)

    def back(self, made: DataFrame, origins: Iterable[Origin]) -> tuple[Node, ...]:
        """What these rows are made from; an origin that has no row for them is left out."""
        found = (self.node(origin.table, origin.words, sources(self.lake, made, origin)) for origin in origins)
        return tuple(node for node in found if node.rows)

    def _answers_of(self, made: DataFrame) -> tuple[tuple[Answer, ...], dict[str, int]]:
        """The answers that rows of silver name in `file`; files that the log does not know, with their rows."""
        counted = made.groupBy("file").agg(F.count("*").alias("rows"))
        landed = self.lake.table(schema.RESPONSES).read().where("outcome = 'landed'").alias("log")
        found = counted.alias("made").join(landed, F.expr("log.file = made.file"), "left")
        rows = _with_text(found.select("log.*", "made.rows", F.col("made.file").alias("named"))).collect()
        unknown = {str(row["named"]): row["rows"] for row in rows if row["landing_run"] is None}
        return self._checked(row for row in rows if row["landing_run"] is not None), unknown

    def _answers(self, responses: DataFrame) -> tuple[Answer, ...]:
        return self._checked(_with_text(responses).collect())

    def _checked(self, rows: Iterable[Row]) -> tuple[Answer, ...]:
        answers = []
        for row in rows:
            known = {name: row[name] for name in OF_ANSWER}
            problem = self._problem(known)
            answers.append(Answer(**known, fetched_at=row["fetched_text"], rows=row["rows"], problem=problem))
        return tuple(sorted(answers, key=lambda each: (each.fetched_at, each.endpoint, each.page, each.attempt)))

    def _problem(self, known: dict[str, Any]) -> str | None:
        """What is wrong with the bytes of an answer; None where they are those of the log."""
        if known["file"] is None:
            return None
        place = (known["outcome"], known["file"], known["sha256"])
        if place not in self._problems:
            self._problems[place] = self._compare(known)
        return self._problems[place]

    def _compare(self, known: dict[str, Any]) -> str | None:
        if known["sha256"] is None:
            return f"{known['file']}: the response log holds no SHA-256, so nobody knows whether it has changed."
        try:
            self._zone.read({**known, "run": known["landing_run"]})
        except LandingError as problem:
            return str(problem)
        return None


def _with_text(responses: DataFrame) -> DataFrame:
    text = F.date_format("fetched_at", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
    return responses.withColumn("fetched_text", text)


def _judged(trail: Trail) -> Trail:
    """The trail with all that does not agree on its way."""

    def problems(node: Node) -> Iterable[str]:
        yield from node.unknown
        yield from (answer.problem for answer in node.answers if answer.problem)
        for each in node.nodes:
            yield from problems(each)

    return replace(trail, problems=tuple(dict.fromkeys([*trail.problems, *problems(trail.node)])))


def _is_the_row(question: Question) -> Any:
    condition = F.lit(True)
    for name, value in question.key.items():
        condition = condition & (F.col(name) == F.lit(value))
    return condition


def _only_row(lake: Lakehouse, question: Question, made: DataFrame) -> dict[str, Any]:
    """The row as plain values; raises StorageError that says what there is when it is not there."""
    as_text = F.to_json(F.struct(*made.columns), {"ignoreNullFields": "false"})
    rows = made.select(as_text).collect()
    if not rows:
        raise StorageError(_absent(lake, question))
    assert question.table is not None
    types = {column.name: column.type for column in question.table.columns}
    return {name: _plain(types[name], value) for name, value in json.loads(rows[0][0]).items()}


def _absent(lake: Lakehouse, question: Question) -> str:
    """What to say of a row that is not there: how far the rows of its other columns reach, or near names."""
    assert question.table is not None
    table = lake.table(question.table).read()
    said = f"{question.name} has no row with {_in_words(question.key)}."
    moments = [name for name, value in question.key.items() if isinstance(value, date)]
    others = {name: value for name, value in question.key.items() if name not in moments}
    if moments:
        rows = table.where(_is_the_row(replace(question, key=others)))
        found = rows.agg(
            F.count("*"), F.min(moments[0]).cast("string"), F.max(moments[0]).cast("string")
        ).collect()
        count, first, last = found[0]
        if count:
            return f"{said} Of {_in_words(others) or 'all'} it has {count}, {moments[0]} from {first} to {last}."
    for name, value in others.items():
        known = [str(row[0]) for row in table.select(name).distinct().collect()]
        if str(value) not in known:
            near = get_close_matches(str(value), known, n=3)
            return f"{said} It has no {name}={value}" + (f": did you mean {', '.join(near)}?" if near else ".")
    return said


def _row_of_warehouse(lake: Lakehouse, question: Question) -> dict[str, Any]:
    """The row as the warehouse in the lake's file holds it, as plain values."""
    place = schema.AGGREGATED if question.table else REPORTING
    described = question.table.columns if question.table else views.view(question.name).columns
    where = " AND ".join(f"[{name}] = {_literal(value)}" for name, value in question.key.items())
    select = f"SELECT {', '.join(f'[{column.name}]' for column in described)} FROM {place}.[{question.name}]"
    found = warehouse.choose(lake.path).query(f"{select} WHERE {where}")
    if found.empty:
        raise StorageError(
            f"The warehouse has no row in {place}.{question.name} with {_in_words(question.key)}. "
            "Run notebook 05 when gold has it."
        )
    row = found.iloc[0].to_dict()
    return {column.name: _plain(column.type, row[column.name]) for column in described}


def _plain(kind: str, value: Any) -> Any:
    """A value of a row as JSON has it, the same from Spark and from the warehouse."""
    if value is None or value != value or str(value) == "NaT":
        return None
    if kind == "TIMESTAMP":
        return instants.to_text(instants.parse(str(value)))
    if kind == "DATE":
        return str(value)[:10]
    if kind in ("INT", "BIGINT"):
        return int(value)
    if kind == "BOOLEAN":
        return bool(value)
    return float(value) if kind == "DOUBLE" else value


def _from_text(kind: str, text: Any) -> Any:
    """A plain value as createDataFrame takes it."""
    if kind == "DATE":
        return date.fromisoformat(text)
    return instants.parse(text) if kind == "TIMESTAMP" else text


def _text(value: Any) -> str:
    return instants.to_text(value) if isinstance(value, datetime) else str(value)


def _in_words(key: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in key.items())


def _literal(value: Any) -> str:
    """A value in T-SQL."""
    if isinstance(value, datetime):
        return f"'{value:%Y-%m-%dT%H:%M:%S.%f}'"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value).replace("'", "''")
    return f"N'{text}'" if isinstance(value, str) else f"'{text}'"
