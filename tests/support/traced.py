"""What a trail claims, checked without Spark: the answers alone must make the row, in plain Python."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from coinlake import Lakehouse, instants
from coinlake.schema import DIM_COIN, Table
from coinlake_ops import trace
from tests.support.expected_silver import Answer
from tests.support.expected_tables import GOLD, SILVER, ExpectedTables


def question(name: str, key: dict) -> trace.Question:
    """The question for a row, as somebody types it."""
    return trace.ask(name, [f"{column}={value}" for column, value in key.items()])


def answers(node: trace.Node) -> set[trace.Answer]:
    """All answers behind a node."""
    return set(_answers(node))


def _answers(node: trace.Node) -> Iterator[trace.Answer]:
    yield from node.answers
    for each in node.nodes:
        yield from _answers(each)


def answer_of(lake: Path) -> Callable[[dict], Answer]:
    """Makes of a line of the log the answer that landed, read from its file."""

    def answer(line: dict) -> Answer:
        content = json.loads((lake / "landing" / line["file"]).read_bytes())
        moment = instants.parse(line["fetched_at"])
        return Answer(line["endpoint"], line["file"], line["run"], moment, line["url"], content)

    return answer


def no_keys(coin_id: str, at: datetime, vs_currency: str) -> dict[str, int]:
    """Rows without the keys of the star."""
    return {}


def kinds(lake: Lakehouse) -> dict[str, tuple[str, str | None]]:
    """What coins are that are not free, as dim_coin has it: a fact of the current state, by all coins' closes."""
    rows = lake.table(DIM_COIN).collected()
    return {row["coin_id"]: (row["kind"], row["original_id"]) for row in rows if row["kind"] != "free"}


def assert_made_of_its_answers(lake: Lakehouse, table: Table, trail: trace.Trail) -> None:
    """Every answer behind a row of silver or gold is read from its file, and they alone give the row."""
    if table.name == "api_usage":
        assert len(answers(trail.node)) == trail.row["attempts"]
    if table.name not in (*SILVER, *GOLD) or table.name in trace.OWN:
        return
    lines = {each.file: asdict(each) | {"run": each.landing_run} for each in answers(trail.node)}
    said = map(answer_of(Path(lake.path)), lines.values())
    made = getattr(ExpectedTables(said, no_keys, kinds(lake)), table.name)
    key = ("coin_id", "valid_from") if table.name == "dim_coin" else table.key
    (row,) = (each for each in made if all(_plain(each[name]) == trail.row[name] for name in key))
    different = {
        name: (trail.row[name], _plain(value))
        for name, value in row.items()
        if not _same(_read(name, trail.row[name]), _plain(value))
    }
    assert not different, (trail.name, trail.key, different)


def _read(name: str, value):
    return json.loads(value) if name == "rescued" and value else value


def _plain(value):
    """A value of Python as a trail shows it."""
    if isinstance(value, datetime):
        return instants.to_text(value)
    return str(value) if isinstance(value, date) else value


def _same(one, other) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other
