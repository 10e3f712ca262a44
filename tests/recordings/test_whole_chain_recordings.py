"""The whole chain on real answers: every recording is replayed through the notebooks 00 to 08.

What every table must hold is computed here from the JSON in plain Python (tests/support/expected_silver and
expected_gold) and compared whole; nothing of it is known beforehand, so that any folder of recordings will do.
"""

import hashlib
import json
import math
from collections import Counter
from datetime import UTC, datetime
from functools import cached_property

import duckdb
import pytest

from coinlake import schema
from coinlake.bronze import LandingZone
from coinlake.currencies import CODES, CURRENCIES
from coinlake.warehouse import LOADED
from coinlake_ops import batch, notebooks, parameter_files
from coinlake_ops.dev import lake_contents as lakes
from tests.support import expected_gold, expected_silver, recorded_tape, recordings, silver_lake
from tests.support.expected_silver import Answer
from tests.support.expected_tables import ExpectedTables

pytestmark = [recordings.needed, pytest.mark.slow]

# 08 writes these after 05 has loaded the warehouse.
WRITTEN_AFTER_THE_LOAD = {"run_steps", "pipeline_runs"}
PAST_THE_LANDING = {"__top_": "coins_markets", "__global_": "global", "__fng_": "fear_greed"}


class Chain:
    """The lake after one run over all recordings, and what its tables must hold."""

    def __init__(self, spark, lake, recorded, torn):
        self.spark, self.lake = spark, lake
        self.recorded, self.torn = recorded, torn
        self._read = {}

    @cached_property
    def lines(self) -> list[dict]:
        """The lines of the landing's log that the replay wrote."""
        landing = LandingZone(self.lake)
        files = {answer.file for answer in self.torn}
        return [line for run in landing.runs() for line in landing.lines(run) if line["file"] not in files]

    @cached_property
    def answers(self) -> list[Answer]:
        """The recordings that are data, with the files that they were landed in, and the torn bodies."""
        landed = {(line["endpoint"], line["fetched_at"]): line for line in self.lines}
        found = []
        for each in (each for each in self.recorded if each.content is not None):
            line = landed[each.endpoint, _text(each.moment)]
            found.append(Answer(each.endpoint, line["file"], line["run"], each.moment, each.url, each.content))
        return found + self.torn

    @cached_property
    def data(self) -> list[Answer]:
        """The answers that are data."""
        return [answer for answer in self.answers if answer not in self.torn]

    def rows(self, table) -> list[dict]:
        """What the Delta table holds, JSON read."""
        if table.name not in self._read:
            self._read[table.name] = self._rows(table)
        return self._read[table.name]

    def _rows(self, table) -> list[dict]:
        found = lakes.records(self.spark, self.lake, table)
        for row in found:
            if row.get("rescued"):
                row["rescued"] = json.loads(row["rescued"])
        return found

    @cached_property
    def expected(self) -> ExpectedTables:
        """What the tables must hold."""
        return ExpectedTables(self.data, self.keys)

    @cached_property
    def versions(self) -> dict[str, list[dict]]:
        return {
            coin_id: its
            for (coin_id,), its in expected_gold.grouped(self.rows(schema.DIM_COIN), "coin_id").items()
        }

    def keys(self, coin_id: str, at: datetime, vs_currency: str) -> dict[str, int]:
        """The keys of the star; which number a version has is the star's own affair."""
        (version,) = (each for each in self.versions[coin_id] if each["valid_from"] <= at < each["valid_to"])
        (currency,) = (each.key for each in CURRENCIES if each.code == vs_currency)
        return {"coin_key": version["coin_key"], "currency_key": currency}


@pytest.fixture(scope="module")
def chain(spark, standing_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    tape, lake = folder / "tape", folder / "lake"
    recorded = recorded_tape.everything()
    recorded_tape.record(recorded, tape)
    torn = _let_torn_bodies_pass(lake)
    values = parameter_files.load("local", ["source=replay", f"tape_path={tape}", f"lake_path={lake}"])
    batch.execute(batch.Run(values, "the-recordings", batch.silent), standing_server)
    return Chain(spark, lake, recorded, torn)


def _let_torn_bodies_pass(lake) -> list[Answer]:
    """Lands broken bodies as data, as if the landing had not looked: silver must."""
    torn = []
    for word, endpoint in PAST_THE_LANDING.items():
        for path in recordings.files("malformed", f"*{word}*"):
            moment = datetime(2017, 1, 1, 0, 0, len(torn), tzinfo=UTC)
            run = f"{moment:%Y%m%dT%H%M%SZ}-{len(torn):08x}"
            file = silver_lake.put(lake, endpoint, run, path.read_bytes())
            silver_lake.log(lake, endpoint, file, _text(moment), silver_lake.URLS[endpoint])
            torn.append(Answer(endpoint, file, run, moment, "", path.read_bytes().decode()))
    return torn


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def assert_holds(found: list[dict], expected: list[dict], key: tuple[str, ...], tolerance: float = 0.0) -> None:
    """Both are the same rows: the same keys, once each, and the same values."""

    def by_key(rows):
        keyed = {tuple(row[name] for name in key): row for row in rows}
        assert len(keyed) == len(rows), f"{len(rows) - len(keyed)} rows repeat a key"
        return keyed

    mine, theirs = by_key(found), by_key(expected)
    missing, extra = theirs.keys() - mine.keys(), mine.keys() - theirs.keys()
    assert not missing and not extra, (
        f"{len(missing)} rows are missing, such as {list(missing)[:3]}; "
        f"{len(extra)} should not be there, such as {list(extra)[:3]}"
    )
    different = [
        (each, name, row[name], theirs[each][name])
        for each, row in mine.items()
        for name in theirs[each]
        if not _same(row[name], theirs[each][name], tolerance)
    ]
    assert not different, f"{len(different)} values differ (key, column, found, expected): {different[:5]}"


def _same(one, other, tolerance: float) -> bool:
    if one == other:
        return True
    if not tolerance or not isinstance(one, float) or not isinstance(other, float):
        return False
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)


def test_every_recording_is_landed_byte_for_byte(chain):
    kept = ("endpoint", "url", "fetched_at", "status", "sha256", "outcome")
    expected = [
        (each.endpoint, each.url, _text(each.moment), each.status, each.sha256, outcome)
        for each in chain.recorded
        for outcome in ["error" if each.content is None else "landed"]
    ]
    assert sorted(tuple(line[name] for name in kept) for line in chain.lines) == sorted(expected)
    landing = LandingZone(chain.lake)
    for line in chain.lines:
        assert hashlib.sha256(landing.read(line)).hexdigest() == line["sha256"]


def test_the_response_log_is_a_table(chain):
    kept = ("endpoint", "url", "status", "sha256", "outcome", "landing_run", "file")
    noted = [tuple(line.get(name, line["run"]) for name in kept) for line in chain.lines]
    torn = {answer.file for answer in chain.torn}
    found = [tuple(row[name] for name in kept) for row in chain.rows(schema.RESPONSES) if row["file"] not in torn]
    assert sorted(found, key=repr) == sorted(noted, key=repr)


@pytest.mark.parametrize(
    "name", ["coin_snapshots", "coin_prices", "market_totals", "coin_list", "coin_categories"]
)
def test_silver_of_the_market_is_what_was_said(chain, name):
    _assert_table(chain, name)


@pytest.mark.parametrize("name", ["fear_greed", "fx_rates", "weather_daily"])
def test_silver_of_the_context_is_what_was_said(chain, name):
    _assert_table(chain, name)


def test_what_cannot_be_believed_is_quarantined_with_its_reasons(chain):
    rejects = expected_silver.rejected(chain.answers, CODES)
    found = Counter()
    for row in chain.rows(schema.QUARANTINE):
        facts = (row["table_name"], row["endpoint"], row["file"], row["landing_run"], row["fetched_at"])
        found[(*facts, tuple(row["reasons"]), _canonical(row["record"]))] = row["copies"]
    assert found == expected_silver.repeated(rejects, _canonical)


def _canonical(record) -> str:
    """A record as a text that does not depend on the spelling of numbers or the order of names."""
    if isinstance(record, str):
        try:
            record = json.loads(record)
        except ValueError:
            return record
    plain = json.loads(json.dumps(record), parse_int=float)
    return json.dumps(plain, sort_keys=True)


def test_versions_of_coins_have_keys_of_their_own(chain):
    keys = [row["coin_key"] for row in chain.rows(schema.DIM_COIN)]
    assert len(set(keys)) == len(keys)
    assert min(keys) > 0


STAR = ("dim_coin", "dim_date", "dim_currency", "fact_market_snapshot", "fact_price_daily")
AGGREGATES = (
    *("price_averages_daily", "market_trends_daily", "market_daily", "coin_monthly"),
    *("correlation_90d", "candle_hourly", "candle_weekly", "market_now", "market_events"),
)


@pytest.mark.parametrize("name", STAR)
def test_the_star_is_what_silver_says(chain, name):
    _assert_table(chain, name)


@pytest.mark.parametrize("name", AGGREGATES)
def test_aggregates_are_what_their_definitions_say(chain, name):
    _assert_table(chain, name, tolerance=1e-9)


def _assert_table(chain, name: str, tolerance: float = 0.0) -> None:
    (table,) = (table for table in schema.TABLES if table.name == name)
    key = ("coin_id", "valid_from") if name == "dim_coin" else table.key
    assert_holds(chain.rows(table), getattr(chain.expected, name), key, tolerance)


def test_currencies_are_of_the_kind_that_coingecko_says(chain):
    kinds = {row["currency"]: row["kind"] for row in chain.rows(schema.DIM_CURRENCY)}
    for path in recordings.files("exchange_rates", "*.json"):
        said = {code: rate["type"] for code, rate in json.loads(path.read_bytes())["rates"].items()}
        assert {code: kinds.get(code) for code in said} == said


@pytest.mark.parametrize("table", [table for table in LOADED if table.name not in WRITTEN_AFTER_THE_LOAD])
def test_the_warehouse_holds_what_gold_holds(chain, table):
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    with duckdb.connect(chain.lake / "warehouse.duckdb", read_only=True) as warehouse:
        stored = warehouse.sql(f"SELECT {columns} FROM {table.qualified_name}").to_arrow_table().to_pylist()
    gold = [{name: _without_zone(value) for name, value in row.items()} for row in chain.rows(table)]
    assert_holds([{name: _without_zone(value) for name, value in row.items()} for row in stored], gold, table.key)


def _without_zone(value):
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value


def test_every_row_leads_back_to_a_recording(chain):
    digests = {line["file"]: line["sha256"] for line in chain.lines}
    recorded = {each.sha256 for each in chain.recorded if each.content is not None}
    for table in schema.TABLES:
        if "file" in table.column_names and table not in (schema.RESPONSES, schema.QUARANTINE):
            files = {row["file"] for row in chain.rows(table)}
            assert {digests[file] for file in files} <= recorded, table.name


def test_three_reports_are_there(chain):
    for name in notebooks.REPORTS.values():
        page = (chain.lake / "reports" / f"{name}.html").read_text(encoding="utf-8")
        assert "</html>" in page and "<svg" in page
