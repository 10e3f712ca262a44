"""`coinlake trace`: what can be asked, what every table is made from, and how a trail is told."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from coinlake import project_files, schema
from coinlake.errors import ConfigurationError
from coinlake_ops import cli, trace
from coinlake_ops.bi import views

COLUMNS = {table.name: {column.name for column in table.columns} for table in schema.TABLES}


def test_a_question_is_a_table_and_its_whole_key():
    found = trace.ask("fact_price_daily", ["date=2026-08-01", "coin_id=bitcoin", "vs_currency=usd"])
    key = {"coin_id": "bitcoin", "vs_currency": "usd", "date": date(2026, 8, 1)}
    assert found == trace.Question("aggregated_data", "fact_price_daily", schema.FACT_PRICE_DAILY, key)
    assert trace.ask(
        "aggregated_data.fact_price_daily", ["coin_id=a=b", "vs_currency=usd", "date=2026-08-01"]
    ).key["coin_id"] == ("a=b")
    hour = trace.ask("warehouse.candle_hourly", ["coin_id=x", "vs_currency=usd", "hour=2026-08-01T16:00+02:00"])
    assert (hour.place, hour.table) == ("warehouse", schema.CANDLE_HOURLY)
    assert hour.key["hour"] == datetime(2026, 8, 1, 14, tzinfo=UTC)
    assert trace.ask("dim_coin", ["coin_key=7"]).key == {"coin_key": 7}
    where = ("latitude=47.37", "longitude=8.5", "date=2026-08-01")
    assert trace.ask("weather_daily", where).key["latitude"] == 47.37
    now = trace.ask("reporting.coin_now", ["coin_id=x", "vs_currency=usd"])
    assert now == trace.Question("reporting", "coin_now", None, {"coin_id": "x", "vs_currency": "usd"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fact_price_dayly"], "There is no table fact_price_dayly. Did you mean fact_price_daily?"),
        (["cleaned_data.fact_price_daily"], "Did you mean"),
        (["warehouse.coin_prices"], "There is no table warehouse.coin_prices."),
        (["reporting.coin_dy"], "Did you mean reporting.coin_day"),
        (["nothing"], "The tables are responses, coin_snapshots,"),
        (["dim_coin", "7"], "'7' is no part of a key. Write it as COLUMN=VALUE."),
        (["dim_coin", "coin_key=7", "coin_key=8"], "coin_key is given twice."),
        (["dim_coin", "coin_key=seven"], "coin_key=seven is no BIGINT value. Write it like coin_key=1"),
        (["fear_greed", "date=yesterday"], "date=yesterday is no DATE value. Write it like date=2026-08-01"),
        (["global"], "There is no table global."),
        (
            ["candle_hourly", "coin_id=x", "date=2026-08-01"],
            "A row of candle_hourly is found by coin_id, vs_currency, hour: hour, vs_currency missing; date not "
            "part of the key. Write: coinlake trace candle_hourly coin_id=… vs_currency=… hour=2026",
        ),
    ],
)
def test_a_wrong_question_ends_with_2_and_says_what_to_write(words, said, capsys):
    with pytest.raises(ConfigurationError) as refused:
        trace.ask(words[0], words[1:])
    assert said in str(refused.value)
    assert cli.main(["trace", *words]) == cli.WRONG_CALL
    assert said in capsys.readouterr().err


def test_every_table_says_what_its_rows_are_made_from():
    silent = [
        table.name
        for table in schema.TABLES
        if not (trace.ORIGINS.get(table.name) or trace.OWN.get(table.name) or "file" in COLUMNS[table.name])
    ]
    assert silent == []
    assert {*trace.ORIGINS, *trace.OWN} <= {*COLUMNS}
    assert not trace.ORIGINS.keys() & trace.OWN.keys()
    # The log of loads is the warehouse's own.
    of_reporting = {
        path.stem
        for path in project_files.path("sql/warehouse/views").iterdir()
        if "reporting." in path.read_text()
    }
    assert of_reporting - {"load_history"} == trace.VIEWS.keys()


def test_every_view_has_the_columns_that_its_origins_need():
    for name, view in trace.VIEWS.items():
        assert {*view.key, *view.also} <= {column.name for column in views.view(name).columns}, name


def test_no_table_is_made_from_itself():
    def above(name, seen=()):
        assert name not in seen, seen
        for origin in trace.ORIGINS.get(name, ()):
            above(origin.table.name, (*seen, name))

    for table in schema.TABLES:
        above(table.name)


def answer(number, problem=None):
    return trace.Answer(
        landing_run="20260801T142200Z-0000000a",
        endpoint="global",
        page=number,
        attempt=1,
        url="https://api.coingecko.com/api/v3/global",
        status=200,
        file=f"endpoint=global/p{number}.json",
        sha256="ab",
        outcome="landed",
        source="simulated",
        fetched_at="2026-08-01T14:22:00.000Z",
        rows=number,
        problem=problem,
    )


def trail(*answers, problems=()):
    totals = trace.Node("cleaned_data.market_totals", "the whole market", 10, answers=answers)
    own = trace.Node("aggregated_data.dim_date", "the day", 1, own="the calendar")
    node = trace.Node("aggregated_data.market_daily", "the row", 1, nodes=(totals, own))
    row = {"date": "2026-08-01", "coins": 3, "median_index": None}
    return trace.Trail("aggregated_data.market_daily", {"date": "2026-08-01"}, row, node, problems)


def test_a_trail_is_told_as_a_short_tree():
    assert trace.in_words(trail(*map(answer, (1, 2, 3, 4)))).splitlines() == [
        "aggregated_data.market_daily  date=2026-08-01",
        "  coins = 3",
        "├─ cleaned_data.market_totals: 10 rows, the whole market",
        *(
            line
            for number in (1, 2, 3)
            for line in (
                f"│  ├─ landing/endpoint=global/p{number}.json  ({number} row{'s' if number > 1 else ''})",
                "│  │  https://api.coingecko.com/api/v3/global",
                "│  │  fetched 2026-08-01T14:22:00.000Z by run 20260801T142200Z-0000000a, status 200, simulated",
                "│  │  sha256 ab, verified",
            )
        ),
        "│  └─ and 1 more answers (--json lists all)",
        "└─ aggregated_data.dim_date: 1 row, the day",
        "   └─ made by the calendar",
        "",
        "Every file has the SHA-256 that the response log holds.",
    ]


def test_what_a_terminal_would_obey_is_shown():
    named = replace(trail(answer(1)), key={"coin_id": "a\x1b[2Jb"}, row={"name": "\u202eniocti\nB \x9b31m é 😀"})
    assert trace.in_words(named).splitlines()[:2] == [
        r"aggregated_data.market_daily  coin_id=a\x1b[2Jb",
        r"  name = \u202eniocti\nB \x9b31m é 😀",
    ]


def test_what_does_not_agree_is_told_and_is_in_the_json():
    broken = trail(answer(1, "p1.json has changed"), problems=("p1.json has changed",))
    told = trace.in_words(broken).splitlines()
    assert "   │  sha256 ab, NOT VERIFIED" in told or "│     sha256 ab, NOT VERIFIED" in told
    assert told[-1] == "✗ p1.json has changed"
    found = trace.as_json(broken)
    assert (found["is_whole"], found["problems"]) == (False, ["p1.json has changed"])
    assert found["made_from"]["nodes"][0]["answers"][0]["sha256"] == "ab"
    assert (found["table"], found["key"], found["row"]["coins"]) == (
        "aggregated_data.market_daily",
        {"date": "2026-08-01"},
        3,
    )
