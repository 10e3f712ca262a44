"""What a table is: columns with units, a key, rules; and the columns that many tables share."""

from dataclasses import dataclass, field

from coinlake.schema.names import quoted_name

RAW = "raw_data"
CLEANED = "cleaned_data"
AGGREGATED = "aggregated_data"
SCHEMAS = {
    RAW: "Bronze: what the API answered, byte for byte, and the log of every request.",
    CLEANED: "Silver: typed, checked, one row per natural key.",
    AGGREGATED: "Gold: the star schema, the aggregates that reports read, and the pipeline's own records.",
}
# How long texts from outside may be, in units of UTF-16: so wide are the warehouse's columns.
LONGEST_ID, LONGEST_SYMBOL, LONGEST_NAME, LONGEST_LABEL, LONGEST_SOURCE = 200, 100, 400, 50, 16


@dataclass(frozen=True)
class Column:
    """One column: its Spark SQL type, what it means (with the unit), and whether it may be NULL."""

    name: str
    type: str
    comment: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One Delta table: where it stands, its columns, the key that makes a row unique, and its rules.

    `checks` maps the name of a Delta CHECK constraint to its SQL condition;
    `partition` names the partition column of tables that every run writes to: it rewrites the newest only;
    `rank` orders rows with the same key when pages overlap: the greatest wins, whatever arrives first.
    `reaches` names the column whose greatest value tells how far a table of silver reaches (freshness).
    """

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: dict[str, str] = field(default_factory=dict)
    partition: str | None = None
    rank: tuple[str, ...] = ()
    reaches: str | None = None

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def ddl(self) -> str:
        """The columns as createDataFrame and readers take them."""
        return ", ".join(f"`{column.name}` {column.type}" for column in self.columns)

    @property
    def qualified_name(self) -> str:
        """The name within a catalog: schema.table."""
        return f"{self.schema}.{self.name}"

    def full_name(self, catalog: str) -> str:
        """The name in SQL, catalog.schema.table, quoted where that is needed."""
        return quoted_name(catalog, self.schema, self.name)


def required(name: str, type: str, comment: str) -> Column:
    """A column that is never NULL."""
    return Column(name, type, comment, required=True)


def settles(instant: str, days: int) -> tuple[str, ...]:
    """The rank of a value that one response after the other repeats.

    Younger than `days` it may still be revised: the latest response wins. Older than that it has settled: the
    first response that has it so wins, and the next ones need not write it again.
    """
    settled = f"{instant} < fetched_at - INTERVAL {days} DAYS"
    return (settled, f"IF({settled}, -1, 1) * unix_micros(fetched_at)", "file")


COIN_ID = required("coin_id", "STRING", "CoinGecko's id of the coin, for example bitcoin")
VS_CURRENCY = required("vs_currency", "STRING", "currency of prices, caps and volumes, for example usd")
FILE = Column("file", "STRING", "raw response that this row comes from: path below landing/")
FETCHED_AT = required("fetched_at", "TIMESTAMP", "UTC instant at which the raw response arrived")
DATE = required("date", "DATE", "UTC day: the interval (date 00:00, next day 00:00]")
SNAPSHOT_AT = required("snapshot_at", "TIMESTAMP", "UTC instant at which the response arrived")
COIN_KEY = required("coin_key", "BIGINT", "version of the coin that was valid then: dim_coin.coin_key")
CURRENCY_KEY = required("currency_key", "INT", "dim_currency.currency_key")
DATE_KEY = required("date_key", "INT", "dim_date.date_key, yyyymmdd")
PERIOD = required("period", "STRING", "partition: year and month, yyyy-MM")
