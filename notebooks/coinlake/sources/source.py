"""What a source is: how an endpoint is asked, and how its answers become rows of silver."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pyspark.sql import Column, DataFrame

from coinlake.api import Endpoint, Request, Tier
from coinlake.schema import Table

REJECT, WARN = "reject", "warn"


class Settings(Protocol):
    """What of a run's settings (bronze.Settings) the requests are made of."""

    @property
    def coins(self) -> int: ...  # noqa: D102
    @property
    def history_coins(self) -> int: ...  # noqa: D102
    @property
    def history_days(self) -> int: ...  # noqa: D102
    @property
    def vs_currency(self) -> str: ...  # noqa: D102
    @property
    def fx_currencies(self) -> str: ...  # noqa: D102
    @property
    def latitude(self) -> float: ...  # noqa: D102
    @property
    def longitude(self) -> float: ...  # noqa: D102
    @property
    def api_plan(self) -> Tier: ...  # noqa: D102
    @property
    def page_length(self) -> int: ...  # noqa: D102


class Expectation(NamedTuple):
    """What must be true of a row: the name of its breach, the condition in words and as SQL, and the severity.

    A row keeps it when the expression is true; false and NULL both break it. Severity `reject` sends the record
    to quarantine with the name as the reason; `warn` lets it pass and notes the name in the row's `warnings`.
    """

    name: str
    condition: str
    expression: str
    severity: str


def as_they_are(rows: DataFrame) -> DataFrame:
    """The accepted rows themselves."""
    return rows


@dataclass(frozen=True)
class Target:
    """A table that accepted rows go to: how they become its rows, and where it is searched for stored ones.

    search: an aggregate over the judged rows that gives a SQL condition on the target, as `t`.
    with_stored: what to make of stored and new rows together, where a new row does not simply replace one.
    """

    table: Table
    rows: Callable[[DataFrame], DataFrame] = as_they_are
    search: Callable[[], Column] | None = None
    with_stored: Callable[[DataFrame, DataFrame], DataFrame] | None = None


@dataclass(frozen=True, kw_only=True)
class Stream:
    """How landed records become rows of silver.

    schema: fields of a record, as DDL. essential: the field without which a body that speaks of an error is one.
    rows: records -> rows to be judged by the expectations; they are those of the first target's table.
    targets: the tables that the accepted rows are upserted into.
    """

    schema: str
    essential: str
    rows: Callable[[DataFrame], DataFrame]
    expectations: tuple[Expectation, ...]
    targets: tuple[Target, ...]

    @property
    def table(self) -> Table:
        """The table whose rows are judged."""
        return self.targets[0].table


def no_requests(settings: Settings, as_of: datetime) -> list[Request]:
    """Nothing that could be asked before the coins are known."""
    return []


@dataclass(frozen=True, kw_only=True)
class Source(Stream):
    """Everything of one endpoint but the columns of its tables, which stand in coinlake.schema.

    requests: what a run at an instant asks. for_coins: what it asks of coins, given their ids, largest first.
    settings: names of the settings that requests and answers depend on: they are part of a run's id.
    lists_coins: its answers name the coins, largest first; without its first page there is no market to speak of.
    order: when it is asked among the sources of its group; those of the same order go by name.
    """

    endpoint: Endpoint
    requests: Callable[[Settings, datetime], list[Request]] = no_requests
    for_coins: Callable[[Settings, Iterable[str]], list[Request]] | None = None
    settings: tuple[str, ...] = ()
    lists_coins: bool = False
    order: int = 100

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    @property
    def group(self) -> str:
        """The endpoint's group."""
        return self.endpoint.group
