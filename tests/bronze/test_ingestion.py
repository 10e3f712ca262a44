import json
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from coinlake import api, bronze, instants, sources
from coinlake.api import Request
from coinlake.bronze import LandingZone, Settings, ingest, plan_requests, request_plan, resolve_as_of
from coinlake.bronze.request_plan import requests_for_coins, run_id
from coinlake.clocks import VirtualClock
from coinlake.errors import CoinlakeError
from coinlake.sources import SOURCES, endpoint_of
from tests.support.planted import API_KEY as KEY
from tests.support.scripted_api import Reply, ScriptedApi

AS_OF = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
ROOT = "https://api.coingecko.com/api/v3"
GLOBAL, LIST = f"{ROOT}/global", f"{ROOT}/coins/list"
CHART = Reply(200, b'{"prices":[]}')
ASKED = ("coins_markets", "global", "coins_list", "coins_market_chart", "fear_greed", "fx_rates", "weather_daily")


@pytest.fixture(autouse=True)
def these_sources(monkeypatch):
    """What a run asks here does not depend on which sources are added to the package."""
    monkeypatch.setattr(sources, "SOURCES", {name: sources.SOURCES[name] for name in ASKED})


def markets(page=1, per_page=2, root=ROOT):
    return api.request_url(
        endpoint_of("coins_markets"), root=root, vs_currency="usd", per_page=per_page, page=page
    )


def chart(coin_id, root=ROOT):
    return api.request_url(
        endpoint_of("coins_market_chart"), root=root, coin_id=coin_id, vs_currency="usd", days=365
    )


def page_of(*ids):
    return Reply(200, json.dumps([{"id": name} for name in ids]).encode())


def script_of_two_coins(changes=None):
    replies = {
        markets(): [page_of("bitcoin", "ether")],
        GLOBAL: [Reply(200, b'{"data":{}}')],
        LIST: [Reply(200, b"[]")],
        chart("bitcoin"): [CHART],
        chart("ether"): [CHART],
    }
    return replies | (changes or {})


def go_live(lake, script, group="market", start=AS_OF, **settings):
    """One live ingestion over a script; gives summary, what was said, the fake."""
    said = []
    clock = VirtualClock(start)
    api = ScriptedApi(script, clock)
    given = {"coins": 2, "history_coins": 2, **settings}
    chosen = Settings(lake_path=str(lake), source="live", **given)
    try:
        return ingest(group, chosen, say=said.append, adapter=api, clock=clock), said, api
    except CoinlakeError as problem:
        problem.said, problem.api = said, api
        raise


def outcomes(lake):
    landing = LandingZone(lake)
    return [
        (line["endpoint"], line["page"], line["attempt"], line["error"])
        for run in landing.runs()
        for line in landing.lines(run)
    ]


# Planning


def test_the_plan_of_a_market_run():
    settings = Settings("lake", coins=501, history_coins=3)
    assert plan_requests("market", settings, AS_OF) == request_plan.RequestPlan(
        requests=(
            Request(endpoint_of("coins_markets"), 1, markets(1, 167)),
            Request(endpoint_of("coins_markets"), 2, markets(2, 167)),
            Request(endpoint_of("coins_markets"), 3, markets(3, 167)),
            Request(endpoint_of("global"), 1, GLOBAL),
            Request(endpoint_of("coins_list"), 1, LIST),
        ),
        charts=3,
    )


@pytest.mark.parametrize(
    ("coins", "pages", "length"), [(1, 1, 1), (100, 1, 100), (250, 1, 250), (251, 2, 126), (20_000, 80, 250)]
)
def test_pages_are_few_and_equally_long(coins, pages, length):
    settings = Settings("lake", coins=coins, history_coins=0)
    asked = [
        request
        for request in plan_requests("market", settings, AS_OF).requests
        if request.endpoint.name == "coins_markets"
    ]
    assert (len(asked), settings.page_length) == (pages, length)


def test_what_is_asked_once_a_day_is_not_asked_again():
    asked = {api.same_question(url) for url in (GLOBAL, LIST, chart("bitcoin"), markets(1, 2))}
    settings = Settings("lake", coins=2, history_coins=2)
    assert plan_requests("market", settings, AS_OF, asked) == request_plan.RequestPlan(
        requests=(Request(endpoint_of("coins_markets"), 1, markets()), Request(endpoint_of("global"), 1, GLOBAL)),
        charts=1,
        skipped=("coins_list",),
    )
    coins = ["bitcoin", "ether", "ether", "doge"]
    assert requests_for_coins(SOURCES["coins_market_chart"], coins, settings, asked) == [
        Request(endpoint_of("coins_market_chart"), 1, chart("ether"))
    ]


def test_the_plan_of_a_context_run():
    settings = Settings("lake", history_days=10, fx_currencies="eur, CHF,usd,eur")
    before_the_day_is_settled = datetime(2026, 8, 13, 0, 30, tzinfo=UTC)
    expected = request_plan.RequestPlan(
        requests=(
            Request(endpoint_of("fear_greed"), 1, "https://api.alternative.me/fng/?limit=11"),
            Request(
                endpoint_of("fx_rates"),
                1,
                "https://api.frankfurter.dev/v1/2026-08-02..2026-08-12?base=USD&symbols=EUR,CHF",
            ),
            Request(
                endpoint_of("weather_daily"),
                1,
                api.request_url(
                    endpoint_of("weather_daily"),
                    latitude=47.37,
                    longitude=8.54,
                    start="2026-08-02",
                    end="2026-08-11",
                ),
            ),
        )
    )
    assert plan_requests("context", settings, AS_OF) == expected
    assert plan_requests("context", settings, before_the_day_is_settled) == expected
    assert plan_requests("context", settings, AS_OF + timedelta(days=1)) != expected


def test_without_foreign_currencies_no_rates_are_asked():
    requests = plan_requests("context", Settings("lake", fx_currencies="usd"), AS_OF).requests
    assert [request.endpoint.name for request in requests] == ["fear_greed", "weather_daily"]


@pytest.mark.parametrize(
    ("group", "settings", "words"),
    [
        ("market", {"history_days": 366}, "the plan keyless sees 365 days back"),
        ("market", {"plan": "free"}, "no plan 'free'"),
        ("context", {"fx_currencies": "euro"}, "fx_currencies: 'euro' is not a currency code"),
    ],
)
def test_settings_that_nothing_can_be_asked_with(group, settings, words):
    with pytest.raises(CoinlakeError, match=words):
        plan_requests(group, Settings("lake", **settings), AS_OF)


def test_settings_are_taken_from_the_parameters_of_a_notebook():
    given = {"lake_path": "lake/x", "coins": 7, "environment": "local", "run_id": "r"}
    assert Settings.of(given) == Settings("lake/x", coins=7)


def test_a_pro_key_sees_further_back():
    assert plan_requests("market", Settings("lake", plan="pro", history_days=4000), AS_OF).charts == 50


def test_run_ids_tell_apart_what_changes_the_answers_and_nothing_else():
    base = Settings("lake")
    same = [Settings("other", secret_scope="s", tape_path="t", fx_currencies="eur", as_of="+1h")]
    different = [
        Settings("lake", seed=1),
        Settings("lake", coins=100),
        Settings("lake", history_days=30),
        Settings("lake", faults="hostile"),
        Settings("lake", plan="demo"),
        Settings("lake", source="live"),
    ]
    ids = [run_id("market", settings, AS_OF) for settings in (base, *same, *different)]
    assert ids[0] == ids[1]
    assert len({*ids, run_id("context", base, AS_OF), run_id("market", base, AS_OF + timedelta(hours=1))}) == 9
    assert all(one.startswith("20260812T142200Z-") and len(one) == 25 for one in ids)


# Live


def test_a_live_run_asks_everything_and_lands_it(tmp_path):
    summary, said, api = go_live(tmp_path, script_of_two_coins())
    assert str(summary) == "5 requests: 5 landed, 0 lost"
    assert summary.bytes == 75
    assert api.left_over() == []
    assert outcomes(tmp_path) == [
        ("coins_markets", 1, 1, None),
        ("global", 1, 1, None),
        ("coins_list", 1, 1, None),
        ("coins_market_chart", 1, 1, None),
        ("coins_market_chart", 2, 1, None),
    ]
    assert said[0] == "up to 5 calls, 5 a minute: a minute"
    assert said[1] == "  coins_markets         1       0 ms          36 bytes  200"
    assert len(said) == 6
    [run] = summary.runs
    assert run.startswith("20260812T142200Z-")
    assert [line["fetched_at"][14:19] for line in LandingZone(tmp_path).lines(run)] == [
        "22:00", "22:12", "22:24", "22:36", "22:48",
    ]  # fmt: skip


def test_a_second_run_at_the_same_instant_fetches_nothing(tmp_path):
    first, _, _ = go_live(tmp_path, script_of_two_coins())
    before = sorted(tmp_path.rglob("*"))
    summary, said, api = go_live(tmp_path, {})
    assert (summary.already_landed, summary.asked, api.sent, said) == (first.runs, 0, [], [])
    assert first.moment == summary.moment == AS_OF
    assert str(summary) == f"nothing to ask: run {first.runs[0]} is landed already"
    assert sorted(tmp_path.rglob("*")) == before


def test_an_hour_later_only_what_changes_is_asked(tmp_path):
    go_live(tmp_path, script_of_two_coins())
    later = {
        markets(): [page_of("ether", "solana")],
        GLOBAL: [Reply(200, b'{"data":{}}')],
        chart("solana"): [CHART],
    }
    summary, said, api = go_live(tmp_path, later, start=AS_OF + timedelta(hours=1))
    assert (summary.asked, summary.skipped, api.left_over()) == (3, ("coins_list",), [])
    assert said[0] == "up to 2 calls, 5 a minute: seconds"


def test_pages_end_with_a_short_one(tmp_path):
    script = {
        markets(1, 250): [page_of(*(f"coin{number}" for number in range(250)))],
        markets(2, 250): [page_of("last")],
        GLOBAL: [Reply(200, b'{"data":{}}')],
        LIST: [Reply(200, b"[]")],
    }
    summary, _, api = go_live(tmp_path, script, coins=1000, history_coins=0)
    assert (summary.asked, api.left_over()) == (4, [])


def test_ids_from_the_network_make_no_other_address(tmp_path):
    rows = [{"id": "../../ping?x=1"}, {"id": ".."}, {"id": None}, {"id": 7}, {}, None, "x", {"id": "bitcoin"}]
    script = script_of_two_coins() | {markets(1, 9): [Reply(200, json.dumps(rows).encode())]}
    script[f"{ROOT}/coins/..%2F..%2Fping%3Fx%3D1/market_chart?vs_currency=usd&days=365"] = [
        Reply(404, b'{"error":"coin not found"}')
    ]
    summary, said, _ = go_live(tmp_path, script, coins=9, history_coins=9)
    assert [line["error"] for line in summary.lost] == ["404 coin not found"]
    assert sum(path.name.startswith("p000") for path in tmp_path.rglob("*")) == 5
    assert said[-1].startswith("lost: coins_market_chart page 1, https://api.coingecko.com/api/v3/coins/..%2F")


def test_a_lost_chart_is_counted_and_not_fatal(tmp_path):
    script = script_of_two_coins({chart("bitcoin"): [Reply(404, b'{"error":"coin not found"}')]})
    summary, _, _ = go_live(tmp_path, script)
    assert (summary.landed, summary.rejected, summary.errors) == (4, 1, 1)
    assert str(summary) == "5 requests: 4 landed, 1 lost; failed attempts: 1"


def test_without_the_first_page_the_run_ends_and_can_be_made_again(tmp_path):
    script = {markets(): [Reply(500, b"<html>We're sorry")] * 5}
    with pytest.raises(
        CoinlakeError, match=r"read whole: 500 We're sorry\n.*: 0 answers, run .*\nRun again later"
    ):
        go_live(tmp_path, script)
    assert outcomes(tmp_path) == [("coins_markets", 1, number, "500 We're sorry") for number in range(1, 6)]
    # The same instant again, as a scheduler's retry has it: a further run asks what is still missing.
    summary, _, _ = go_live(tmp_path, script_of_two_coins())
    assert (summary.landed, len(LandingZone(tmp_path).runs())) == (5, 2)


def test_without_a_network_it_says_so(tmp_path):
    with pytest.raises(CoinlakeError, match=r"read whole: 0 connection failed\n.*\nCheck the network"):
        go_live(tmp_path, {markets(): [requests.ConnectionError("no route")] * 5})


def test_a_lost_later_page_is_counted(tmp_path):
    script = {
        markets(1, 126): [page_of(*(f"coin{number}" for number in range(126)))],
        markets(2, 126): [Reply(404, b"")],
        GLOBAL: [Reply(200, b'{"data":{}}')],
        LIST: [Reply(200, b"[]")],
    }
    summary, _, _ = go_live(tmp_path, script, coins=251, history_coins=0)
    assert [(line["endpoint"], line["page"]) for line in summary.lost] == [("coins_markets", 2)]


def test_the_exhausted_quota_stops_the_run_after_landing_what_came(tmp_path):
    quota = Reply(429, b'{"status":{"error_code":10006,"error_message":"You\'ve reached 10,000 calls limit."}}')
    script = script_of_two_coins({LIST: [quota]})
    with pytest.raises(CoinlakeError) as caught:
        go_live(tmp_path, script)
    [run] = LandingZone(tmp_path).runs()
    assert str(caught.value) == (
        "The credits of August 2026 are used up, plan keyless.\n"
        "CoinGecko says: 10006 You've reached 10,000 calls limit.\n"
        "2 are counted in landing_meta.\n"
        "The month turns on 2026-09-01 at 00:00 UTC, in 19 days; then the same run goes on.\n"
        f"Until then: make report renders what is there, source=replay with tape_path={tmp_path} plays what is "
        "landed again; source=simulated asks nobody. If your plan has more, set credits_per_month.\n"
        f"What did answer is landed: 2 answers, run {run}."
    )
    assert [request.url for request in caught.value.api.sent] == [markets(), GLOBAL, LIST]
    assert [error for *_, error in outcomes(tmp_path)] == [None, None, "10006 You've reached 10,000 calls limit."]


def test_history_waits_for_the_next_month_and_that_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.setenv("COINLAKE_COINGECKO_API_KEY", KEY)
    budget = {"plan": "demo", "credits_per_month": 5}
    script = script_of_two_coins({chart("ether"): []})
    summary, said, _ = go_live(tmp_path, script, **budget)
    assert str(summary) == "4 requests: 4 landed, 0 lost; 1 wait until 2026-09-01"
    assert said[0] == (
        "up to 4 calls, 30 a minute: seconds; 4 of the 5 credits left this month\n"
        "1 request waits until 2026-09-01 00:00 UTC, when the month turns: the last tenth of its credits (1) is "
        "not spent on history"
    )
    # What was kept serves the present, as far as it reaches; then the month is over, before anything is sent.
    with pytest.raises(CoinlakeError, match=r"used up, plan demo.\n5 of 5 are counted.*\n.*\n.*\n.*: 1 answers"):
        go_live(tmp_path, {markets(): [page_of("bitcoin")]}, start=AS_OF + timedelta(hours=1), **budget)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CoinlakeError) as caught:
        go_live(tmp_path, {}, start=datetime(2026, 8, 31, 22, 30, tzinfo=UTC), **budget)
    assert (caught.value.said, caught.value.api.sent, sorted(tmp_path.rglob("*"))) == ([], [], before)
    assert str(caught.value) == (
        "The credits of August 2026 are used up, plan demo.\n"
        "5 of 5 are counted in landing_meta.\n"
        "The month turns on 2026-09-01 at 00:00 UTC, in 1 h 30 min; then the same run goes on.\n"
        f"Until then: make report renders what is there, source=replay with tape_path={tmp_path} plays what is "
        "landed again; source=simulated asks nobody; plan=keyless is counted separately. If your plan has "
        "more, set credits_per_month."
    )
    # In the new month the coin that had to wait comes first.
    script = script_of_two_coins({chart("bitcoin"): []})
    summary, *_ = go_live(tmp_path, script, start=datetime(2026, 9, 1, 1, tzinfo=UTC), **budget)
    assert (summary.landed, summary.deferred) == (4, 1)


def test_another_plan_has_another_months_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("COINLAKE_COINGECKO_API_KEY", KEY)
    go_live(tmp_path, script_of_two_coins(), plan="demo", credits_per_month=6)
    pro = "https://pro-api.coingecko.com/api/v3"
    rest = {markets(root=pro): [page_of("bitcoin")], f"{pro}/global": [Reply(200, b'{"data":{}}')]}
    rest |= {f"{pro}/coins/list": [Reply(200, b"[]")], chart("bitcoin", pro): [CHART]}
    later = AS_OF + timedelta(seconds=49)
    summary, said, _ = go_live(tmp_path, rest, start=later, plan="pro", credits_per_month=6)
    assert (summary.landed, said[0].split("; ")[1]) == (4, "5 of the 6 credits left this month")


def test_a_run_spans_the_turn_of_the_month_and_both_months_count_their_own(tmp_path):
    """At five calls a minute two of the five are made in the old month."""
    start = datetime(2026, 8, 31, 23, 59, 40, tzinfo=UTC)
    go_live(tmp_path, script_of_two_coins(), start=start)
    landing = LandingZone(tmp_path)
    assert [landing.spending(start + timedelta(minutes=minutes)).credits for minutes in (0, 1)] == [2, 3]


def test_a_restart_within_a_second_keeps_the_pace_and_asks_nothing_twice(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go_live(tmp_path, script_of_two_coins({chart("ether"): [KeyboardInterrupt()]}))
    [kept] = LandingZone(tmp_path).runs()
    rest = {markets(): [page_of("bitcoin", "ether")], GLOBAL: [Reply(200, b'{"data":{}}')]}
    rest |= {chart("ether"): [CHART]}
    restart = AS_OF + timedelta(seconds=48.5)
    summary, said, _ = go_live(tmp_path, rest, start=restart, as_of=instants.to_text(AS_OF))
    assert (summary.landed, said[0]) == (3, "up to 3 calls, 5 a minute: seconds")
    [run] = summary.runs
    assert run != kept and run[:16] == kept[:16]
    assert [line["fetched_at"][14:23] for line in LandingZone(tmp_path).lines(run)] == [
        "23:00.000", "23:12.000", "23:24.000",
    ]  # fmt: skip


def test_what_a_run_would_take_is_known_without_asking_or_writing(tmp_path, monkeypatch):
    monkeypatch.delenv("COINLAKE_COINGECKO_API_KEY", raising=False)
    settings = Settings(
        str(tmp_path / "lake"), source="live", plan="demo", coins=500, history_coins=400, credits_per_month=300
    )
    plan = bronze.plan_ingestion("market", settings, clock=VirtualClock(AS_OF))
    assert plan.record() == {
        "plan": "demo",
        "calls": 270,
        "calls_for_history": 266,
        "credits": 270,
        "minutes": 9.0,
        "credits_per_month": 300,
        "credits_used": 0,
        "credits_kept_for_present": 30,
        "deferred": 134,
        "reason": "the last tenth of its credits (30) is not spent on history",
        "month_turns": "2026-09-01T00:00:00.000Z",
    }
    assert not (tmp_path / "lake").exists()
    bronze.add_recording(tmp_path / "t", endpoint="global", url="/global", fetched_at="2026-08-12", bodies=[b"{}"])
    nobody = replace(settings, source="replay", tape_path=str(tmp_path / "t"))
    assert bronze.plan_ingestion("market", nobody, clock=VirtualClock(AS_OF)).calls == 0


def test_a_context_answer_that_is_lost_harms_no_other(tmp_path):
    requests = plan_requests("context", Settings("lake"), AS_OF).requests
    fng, rates, weather = (request.url for request in requests)
    script = {
        fng: [Reply(429, b"", {"retry-after": "3600"})],
        rates: [Reply(200, b'{"rates":{}}')],
        weather: [Reply(200, b'{"daily":{}}')],
    }
    summary, said, _ = go_live(tmp_path, script, group="context")
    assert (summary.landed, summary.rejected) == (2, 1)
    assert said[0] == "up to 3 calls, 60 a minute: seconds"
    later, *_ = go_live(tmp_path, {fng: [Reply(200, b'{"data":[]}')]}, "context", AS_OF + timedelta(hours=1))
    assert (later.landed, later.skipped) == (1, ("fx_rates", "weather_daily"))
    nothing, *_ = go_live(tmp_path, {}, "context", AS_OF + timedelta(hours=2))
    assert (str(nothing), nothing.runs) == ("nothing to ask", [])


def test_ctrl_c_keeps_what_the_network_answered(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go_live(tmp_path, script_of_two_coins({chart("bitcoin"): [KeyboardInterrupt()]}))
    assert [(endpoint, error) for endpoint, *_, error in outcomes(tmp_path)] == [
        ("coins_markets", None),
        ("global", None),
        ("coins_list", None),
        ("coins_market_chart", "0 cut off while the answer was awaited"),
    ]
    rest = {markets(): [page_of("bitcoin", "ether")], GLOBAL: [Reply(200, b'{"data":{}}')]}
    rest |= {chart("bitcoin"): [CHART], chart("ether"): [CHART]}
    summary, *_ = go_live(tmp_path, rest, start=AS_OF + timedelta(minutes=1))
    assert summary.landed == 4


@pytest.mark.parametrize(
    ("plan_name", "host", "header"),
    [
        ("demo", "https://api.coingecko.com/api/v3", "x-cg-demo-api-key"),
        ("pro", "https://pro-api.coingecko.com/api/v3", "x-cg-pro-api-key"),
    ],
)
def test_a_key_is_sent_and_found_nowhere_else(tmp_path, monkeypatch, capsys, caplog, plan_name, host, header):
    monkeypatch.setenv("COINLAKE_COINGECKO_API_KEY", KEY)
    caplog.set_level("DEBUG")
    refused = Reply(401, f'{{"error":"bad key {KEY}"}}'.encode(), {"x-request-id": KEY})
    echoed = Reply(200, f'{{"prices":["{KEY}"]}}'.encode(), {"location": f"https://{KEY}"})
    script = {
        markets(root=host): [page_of("bitcoin", "ether")],
        f"{host}/global": [refused],
        f"{host}/coins/list": [requests.ConnectionError(KEY)] * 5,
        chart("bitcoin", host): [echoed],
        chart("ether", host): [CHART],
    }
    summary, said, _ = go_live(tmp_path / "a", script, plan=plan_name)
    assert (summary.landed, summary.rejected) == (2, 3)
    with pytest.raises(CoinlakeError, match=r"401 bad key \*\*\*\n.*\nThe API does not accept") as caught:
        go_live(tmp_path / "b", {markets(root=host): [refused]}, plan=plan_name)
    assert all(request.headers[header] == KEY for request in caught.value.api.sent)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    names = "".join(str(path) for path in tmp_path.rglob("*"))
    trace = "".join(traceback.format_exception(caught.value))
    streams = "".join(capsys.readouterr())
    assert b"bad key ***" in files
    assert KEY not in "".join(
        [files.decode(), names, trace, streams, caplog.text, repr(summary), *said, *caught.value.said]
    )


def test_a_plan_with_a_key_says_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.delenv("COINLAKE_COINGECKO_API_KEY", raising=False)
    with pytest.raises(CoinlakeError, match="plan=demo needs an API key.*COINLAKE_COINGECKO_API_KEY"):  # noqa: RUF043
        go_live(tmp_path, {}, plan="demo")
    assert not list(tmp_path.rglob("*.jsonl"))


def test_an_interrupted_run_is_reported_and_cleared(tmp_path):
    left_behind = tmp_path / "landing_staging" / "run=20260812T132200Z-0123abcd" / "landing" / "x.json"
    left_behind.parent.mkdir(parents=True)
    left_behind.write_bytes(b"half")
    _, said, _ = go_live(tmp_path, script_of_two_coins())
    assert said[0] == "interrupted run 20260812T132200Z-0123abcd: discarded"
    assert not left_behind.exists()


# Simulated


def simulate(lake, group="market", **settings):
    said = []
    chosen = Settings(lake_path=str(lake), **{"coins": 10, "history_coins": 3, **settings})
    return ingest(group, chosen, say=said.append), said


def bodies(lake):
    return {path.name: path.read_bytes() for path in lake.glob("landing*/**/*") if path.is_file()}


def test_a_simulated_run_is_the_same_anywhere_and_never_waits(tmp_path):
    one, said = simulate(tmp_path / "one")
    other, _ = simulate(tmp_path / "other")
    assert (one.runs, bodies(tmp_path / "one")) == (other.runs, bodies(tmp_path / "other"))
    assert said == ["up to 6 calls, 5 a minute: a minute of simulated time"]
    again, said = simulate(tmp_path / "one")
    assert (again.asked, again.already_landed, said) == (0, one.runs, [])
    fetched = [line["fetched_at"][11:16] for line in LandingZone(tmp_path / "one").lines(one.runs[0])]
    assert fetched == ["14:22"] * 5 + ["14:23"]


def test_the_simulated_clock_moves_in_steps(tmp_path):
    runs = [simulate(tmp_path, as_of=step)[0].runs[0][:16] for step in ("", "+1h", "+1h", "+1d")]
    assert runs == ["20260812T142200Z", "20260812T152200Z", "20260812T162200Z", "20260813T162200Z"]
    assert simulate(tmp_path, "context", as_of="+1h")[0].runs[0][:16] == "20260813T162200Z"


@pytest.mark.parametrize("plan_name", ["demo", "pro"])
def test_a_simulated_plan_needs_no_key(tmp_path, monkeypatch, plan_name):
    monkeypatch.delenv("COINLAKE_COINGECKO_API_KEY", raising=False)
    assert simulate(tmp_path, plan=plan_name)[0].landed == 6


def test_faults_cost_attempts_and_change_no_data(tmp_path):
    calm, _ = simulate(tmp_path / "calm", history_coins=0)
    rough, _ = simulate(tmp_path / "rough", history_coins=10, faults="hostile")
    assert calm.errors == 0
    assert rough.errors > 0
    assert rough.landed == 13
    assert all(json.loads(path.read_bytes()) for path in (tmp_path / "rough" / "landing").rglob("*.json"))


def test_a_simulated_run_that_failed_fails_again_and_says_how_to_go_on(tmp_path):
    hostile = {"history_coins": 10, "faults": "hostile"}
    for hour in range(48):
        at = AS_OF + timedelta(hours=hour)
        try:
            simulate(tmp_path / str(hour), as_of=at.isoformat(), **hostile)
        except CoinlakeError as problem:
            first = problem
            break
    assert str(first).endswith("In the simulated market, go on with as_of=+1h.")
    with pytest.raises(CoinlakeError) as caught:
        simulate(tmp_path / str(hour), as_of=at.isoformat(), **hostile)
    assert str(caught.value) == str(first)
    simulate(tmp_path / str(hour), as_of="+1h", history_coins=0)


# The instant of a run


def test_instants_of_a_run(tmp_path):
    landing = LandingZone(tmp_path)
    now = datetime(2026, 11, 26, 1, 2, 3, 456, tzinfo=UTC)

    def instant(**settings):
        return resolve_as_of("market", Settings("lake", **settings), landing, now)

    assert instant() == AS_OF
    assert instant(source="live") == now.replace(microsecond=0)
    assert instant(as_of="2026-09-01") == datetime(2026, 9, 1, tzinfo=UTC)
    assert instant(as_of="+1h") == AS_OF + timedelta(hours=1)
    with pytest.raises(CoinlakeError, match=r"as_of=\+1h moves the simulated clock, but source=live"):
        instant(source="live", as_of="+1h")


@pytest.mark.parametrize(
    "settings",
    [
        {"as_of": "2206-08-12"},
        {"as_of": "2043-12-31"},
        {"as_of": "2014-12-31T23:59:59Z"},
        {"as_of": "+9999d"},
        {"as_of": "+999999d"},
        {"source": "live", "as_of": "2026-08-12T14:22:01Z"},
    ],
    ids=str,
)
@pytest.mark.parametrize("group", ["market", "context"])
def test_where_nobody_would_answer_nothing_is_asked_and_nothing_lands(tmp_path, group, settings):
    chosen = Settings(lake_path=str(tmp_path), coins=10, history_coins=0, **settings)
    words = (
        r"is in the future"
        if "source" in settings
        else r"no simulated market: it goes from 2015-01-01 until 2043-12-31"
    )
    with pytest.raises(CoinlakeError, match=words):
        ingest(group, chosen, say=print, clock=VirtualClock(AS_OF))
    assert bodies(tmp_path) == {}


def test_a_run_beyond_the_market_is_no_progress(tmp_path):
    url = endpoint_of("global").root
    for at in ("2026-08-12T14:22:00Z", "2206-08-12T00:00:00Z"):
        bronze.add_recording(tmp_path, endpoint="global", url=url, fetched_at=at, bodies=[b"{}"])
    settings = Settings("lake", as_of="+1h")
    assert resolve_as_of("market", settings, LandingZone(tmp_path), AS_OF) == AS_OF + timedelta(hours=1)


@pytest.mark.parametrize("at", [instants.FIRST_SIMULATED, instants.LAST_SIMULATED - timedelta(seconds=1)])
def test_the_simulated_market_answers_from_its_first_to_its_last_instant(tmp_path, at):
    summary, _ = simulate(tmp_path, as_of=at.isoformat(), history_coins=0)
    assert (summary.landed, summary.rejected) == (3, 0)


def test_steps_go_on_from_the_newest_run_and_keep_both_groups_together(tmp_path):
    def land(group, at):
        name = {"market": "global", "context": "fear_greed"}[group]
        bronze.add_recording(tmp_path, endpoint=name, url=endpoint_of(name).root, fetched_at=at, bodies=[b"{}"])

    def step(group, text="+1h"):
        settings = Settings("lake", as_of=text)
        return resolve_as_of(group, settings, LandingZone(tmp_path), AS_OF).strftime("%dT%H")

    land("market", "2026-08-12T14:00:00Z")
    assert (step("market"), step("context")) == ("12T15", "12T15")
    land("context", "2026-08-12T14:00:00Z")
    land("market", "2026-08-12T18:00:00Z")
    assert (step("market"), step("context"), step("context", "+2d")) == ("12T19", "12T18", "14T14")


# Replay


def replay(lake, recorded, group="market", **settings):
    said = []
    chosen = Settings(lake_path=str(lake), source="replay", tape_path=str(recorded), **settings)
    return ingest(group, chosen, say=said.append), said


def facts(lake):
    """Everything the meta lines say, but for the run's own name."""
    landing = LandingZone(lake)
    return [
        {name: value for name, value in line.items() if name not in ("run", "file")}
        for run in landing.runs()
        for line in landing.lines(run)
    ]


def test_a_replayed_lake_has_the_same_bytes_times_and_errors(tmp_path):
    script = script_of_two_coins(
        {
            GLOBAL: [Reply(429, b"slow", {"retry-after": "100"}), Reply(200, b"{"), Reply(200, b'{"data":{}}')],
            chart("ether"): [Reply(404, b'{"error":"coin not found"}', takes=0.125)],
        }
    )
    go_live(tmp_path / "live", script)
    summary, said = replay(tmp_path / "copy", tmp_path / "live")
    assert facts(tmp_path / "copy") == facts(tmp_path / "live")
    assert [line["source"] for line in facts(tmp_path / "copy")] == ["live"] * 7
    assert (summary.landed, summary.rejected, summary.errors) == (4, 1, 3)
    assert said == [f"lost: coins_market_chart page 2, {chart('ether')}: 404 coin not found"]
    again, _ = replay(tmp_path / "copy", tmp_path / "live")
    assert (again.asked, again.already_landed) == (0, summary.runs)


def test_a_recorded_end_of_the_quota_does_not_end_the_replay(tmp_path):
    quota = b'{"status":{"error_code":10006,"error_message":"limit"}}'
    for hour, endpoint, status, body in [
        (1, "global", 429, quota),
        (2, "coins_markets", 500, b""),
        (3, "coins_list", 200, b"[]"),
    ]:
        bronze.add_recording(
            tmp_path / "tape",
            endpoint=endpoint,
            url=f"{ROOT}/{endpoint}",
            fetched_at=f"2026-08-12T0{hour}:00:00Z",
            status=status,
            bodies=[body],
        )
    summary, said = replay(tmp_path / "lake", tmp_path / "tape")
    assert (len(summary.runs), summary.landed, summary.rejected) == (3, 1, 2)
    assert [line.split(": ")[-1] for line in said] == ["10006 limit", "500 Internal Server Error"]


def test_a_tape_plays_up_to_an_instant_and_goes_on_later(tmp_path):
    for day in (12, 13, 14):
        bronze.add_recording(
            tmp_path / "tape", endpoint="global", url=GLOBAL, fetched_at=f"2026-08-{day}", bodies=[b'{"data":{}}']
        )
    first, _ = replay(tmp_path / "lake", tmp_path / "tape", as_of="2026-08-13T00:00:00Z")
    rest, _ = replay(tmp_path / "lake", tmp_path / "tape")
    assert [run[:8] for run in first.runs + rest.runs] == ["20260812", "20260813", "20260814"]
    assert rest.already_landed == first.runs


def test_groups_are_replayed_apart(tmp_path):
    bronze.add_recording(
        tmp_path / "tape", endpoint="global", url=GLOBAL, fetched_at="2026-08-12", bodies=[b'{"data":{}}']
    )
    summary, _ = replay(tmp_path / "lake", tmp_path / "tape", group="context")
    assert summary.runs == []


def test_replay_without_a_tape(tmp_path):
    with pytest.raises(CoinlakeError, match="source=replay needs a tape: set tape_path"):
        replay(tmp_path / "lake", "")
    with pytest.raises(CoinlakeError, match="There is no tape at"):
        replay(tmp_path / "lake", tmp_path / "nowhere")
    with pytest.raises(CoinlakeError, match="source='replayed' is not one of"):
        Settings("lake", source="replayed")


def test_a_tape_has_no_clock_to_move(tmp_path):
    bronze.add_recording(
        tmp_path / "tape", endpoint="global", url=GLOBAL, fetched_at="2026-08-12", bodies=[b'{"data":{}}']
    )
    with pytest.raises(CoinlakeError, match=r"as_of=\+1h moves the simulated clock, but source=replay"):
        replay(tmp_path / "lake", tmp_path / "tape", as_of="+1h")
