import gzip
import io
import traceback
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import requests
import urllib3

from coinlake import api
from coinlake.api import Attempt, Client, Endpoint, Request, session
from coinlake.api.client import ordered_wait
from coinlake.api.responses import Classification
from coinlake.api.tiers import choose_tier
from coinlake.clocks import VirtualClock
from coinlake.errors import CoinlakeError
from coinlake.runtime import Secret
from tests.support.planted import API_KEY as KEY
from tests.support.scripted_api import Reply, ScriptedApi

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
URL = "https://api.coingecko.com/api/v3/global"
# The client asks whatever it is given: it needs no endpoint of coinlake.sources.
GLOBAL = Endpoint("global", "market", "https://api.coingecko.com/api/v3", "/global", dict, holds=("data", dict))
ASK = Request(GLOBAL, 1, URL)
DATA = Reply(200, b'{"data":{}}')
BUSY = Reply(503, b"")


def talk(*replies, url=URL, script=None, **options):
    """A client over scripted replies, its fake and its clock."""
    clock = VirtualClock(START)
    api = ScriptedApi(script or {url: replies}, clock)
    settings = {"requests_per_minute": 60_000, **options}
    return Client(session(api), clock, **settings), api, clock


def outcomes(attempts):
    return [(attempt.number, attempt.status, attempt.classification.error) for attempt in attempts]


def test_an_answer_with_its_bytes_headers_and_times():
    headers = {"Content-Type": "text/html", "Set-Cookie": "secret", "CF-Cache-Status": "HIT", "Age": "12"}
    asking, api, _ = talk(Reply(200, b'{"data": {}}\n', headers, takes=0.8125))
    [attempt] = asking.fetch(ASK)
    assert attempt == Attempt(
        request=ASK,
        number=1,
        status=200,
        headers={"age": "12", "cf-cache-status": "HIT", "content-type": "text/html"},
        body=b'{"data": {}}\n',
        fetched_at=START + timedelta(seconds=0.8125),
        elapsed_ms=812,
        classification=Classification(),
    )
    assert api.sent[0].headers["User-Agent"].startswith("coinlake/")
    assert api.sent[0].headers["User-Agent"] != requests.utils.default_user_agent()


def test_the_body_is_kept_after_decoding():
    asking, _, _ = talk(Reply(200, gzip.compress(b'{"data":{}}'), {"content-encoding": "gzip"}))
    [attempt] = asking.fetch(ASK)
    assert (attempt.body, attempt.headers) == (b'{"data":{}}', {"content-encoding": "gzip"})


def test_it_asks_again_until_data_comes():
    asking, api, _ = talk(BUSY, requests.ConnectionError("x"), requests.Timeout("y"), Reply(200, b"{"), DATA)
    assert outcomes(asking.fetch(ASK)) == [
        (1, 503, "503 Service Unavailable"),
        (2, 0, "0 connection failed"),
        (3, 0, "0 answer timed out"),
        (4, 200, "200 body is not one whole JSON document"),
        (5, 200, None),
    ]
    assert api.left_over() == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_asked_once(status):
    asking, _, clock = talk(Reply(status, b'{"error":"no"}'))
    assert outcomes(asking.fetch(ASK)) == [(1, status, f"{status} no")]
    assert clock.now() == START


def test_attempts_are_limited_by_the_client_and_by_the_request():
    assert len(talk(*[BUSY] * 3, attempts=3)[0].fetch(ASK)) == 3
    assert len(talk(*[BUSY] * 2, attempts=3)[0].fetch(Request(GLOBAL, 1, URL, attempts=2))) == 2


def test_waits_double_up_to_the_cap_with_a_seeded_jitter():
    def waits(seed):
        asking, _, clock = talk(*[BUSY] * 9, attempts=9, seed=seed)
        moments = [attempt.fetched_at for attempt in asking.fetch(ASK)]
        assert clock.now() == moments[-1]
        return [(later - one).total_seconds() for one, later in pairwise(moments)]

    ceilings = [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(ceiling / 2 <= wait <= ceiling for wait, ceiling in zip(waits(7), ceilings, strict=True))
    assert waits(7) == waits(7)
    assert waits(7) != waits(8)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "119"}, 119),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "Wed, 12 Aug 2026 14:22:30 GMT"}, 30),
        ({"Retry-After": "Wed, 12 Aug 2026 14:00:00 GMT"}, 0),
        ({"x-ratelimit-reset": "2026-08-12 14:23:00 +0000"}, 60),
        ({"x-ratelimit-reset": "2026-08-12 16:23:00 +0200"}, 60),
        ({"Retry-After": "5", "x-ratelimit-reset": "2026-08-12 14:23:00 +0000"}, 5),
        ({"Retry-After": "soon", "x-ratelimit-reset": "2026-08-12 14:23:00 +0000"}, 60),
    ],
)
def test_a_wait_that_the_server_names_is_obeyed_exactly(headers, seconds):
    asking, _, clock = talk(Reply(429, b"", headers), DATA)
    asking.fetch(ASK)
    assert clock.now() - START == pytest.approx(timedelta(seconds=seconds), abs=timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": "-5"},
        {"retry-after": "soon"},
        {"retry-after": "１"},
        {"x-ratelimit-reset": "1786545490"},
    ],
)
def test_a_wait_that_cannot_be_understood_is_none(headers):
    assert ordered_wait(headers, START) is None


def test_a_server_that_asks_to_stay_away_ends_the_run():
    asking, _, clock = talk(Reply(429, b"", {"Retry-After": "3599"}))
    [attempt] = asking.fetch(ASK)
    assert attempt.classification == Classification("429 Too Many Requests (asks to wait 3,599 s)", 429, stop=True)
    assert clock.now() == START


def test_the_exhausted_quota_ends_the_run_at_once():
    body = b'{"status":{"error_code":10006,"error_message":"limit"}}'
    [attempt] = talk(Reply(429, body, {"Retry-After": "10"}))[0].fetch(ASK)
    assert attempt.classification == Classification("10006 limit", 10006, stop=True)


def test_requests_keep_the_pace():
    asking, _, _ = talk(
        DATA, BUSY, Reply(429, b"", {"Retry-After": "0"}), DATA, Reply(200, b'{"data":{}}', takes=20), DATA,
        requests_per_minute=5, first_wait=1,
    )  # fmt: skip
    moments = [attempt.fetched_at for _ in range(4) for attempt in asking.fetch(ASK)]
    # The fifth takes 20 s, longer than a turn: the sixth goes at once.
    assert [round((moment - START).total_seconds()) for moment in moments] == [0, 12, 24, 36, 68, 68]


def test_credits_are_spent_by_2xx_answers_and_then_nothing_is_sent():
    asking, api, _ = talk(Reply(429, b"", {"Retry-After": "0"}), Reply(200, b"{"), DATA, credits=2)
    assert outcomes(asking.fetch(ASK)) == [
        (1, 429, "429 Too Many Requests"),
        (2, 200, "200 body is not one whole JSON document"),
        (3, 200, None),
    ]
    [refused] = asking.fetch(ASK)
    assert refused.classification == Classification("0 out of credits: this month's budget is used up", stop=True)
    assert (refused.status, refused.body, len(api.sent)) == (0, None, 3)


def test_a_call_that_was_not_heard_to_its_end_costs_a_credit_and_one_that_never_left_does_not():
    lost = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted."))
    unheard = [requests.ConnectTimeout("x"), requests.ConnectionError("y"), requests.ReadTimeout("z"), lost]
    asking, _, _ = talk(*unheard, credits=2)
    seen = [(attempt.classification.error, asking.credits) for attempt in asking.attempts(ASK)]
    assert seen == [
        ("0 connection timed out", 2),
        ("0 connection failed", 2),
        ("0 answer timed out", 1),
        ("0 connection lost", 0),
        ("0 out of credits: this month's budget is used up", 0),
    ]


def test_credits_that_are_kept_are_not_spent():
    asking, api, _ = talk(DATA, DATA, credits=4)
    kept = [attempt.classification.error for _ in range(2) for attempt in asking.attempts(ASK, keep=3)]
    assert kept == [None, "0 out of credits: this month's budget is used up"]
    assert [attempt.classification.error for attempt in asking.attempts(ASK)] == [None]
    assert (asking.credits, api.left_over()) == (2, [])


def test_each_attempt_is_told_before_it_is_sent_at_the_moment_of_its_turn():
    asking, api, _ = talk(BUSY, DATA, requests_per_minute=5)
    told = []
    for attempt in asking.attempts(ASK, before=lambda attempt: told.append((attempt, len(api.sent)))):
        assert told[-1][1] == attempt.number - 1
    cut_off = Classification("0 cut off while the answer was awaited", retry=True)
    assert told == [
        (Attempt(ASK, number, 0, {}, None, START + timedelta(seconds=12 * (number - 1)), 0, cut_off), number - 1)
        for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("seconds_ago", "waits"), [(0, 12), (0.4, 11.6), (11, 1), (12, 0), (86_400, 0), (-3600, 12)]
)
def test_the_pace_goes_on_from_the_last_call_of_another_client(seconds_ago, waits):
    """Also where the clock was set back meanwhile."""
    last_call = START - timedelta(seconds=seconds_ago)
    asking, _, clock = talk(DATA, DATA, requests_per_minute=5, last_call=last_call)
    asking.fetch(ASK)
    assert (clock.now() - START).total_seconds() == pytest.approx(waits)
    asking.fetch(ASK)
    assert (clock.now() - START).total_seconds() == pytest.approx(waits + 12)


def test_a_body_beyond_the_limit_is_not_kept():
    asking, _, _ = talk(Reply(200, gzip.compress(b" " * 5000), {"content-encoding": "gzip"}), largest_body=4999)
    [attempt] = asking.fetch(ASK)
    assert (attempt.body, attempt.classification.error) == (None, "200 body larger than 4,999 bytes")
    assert attempt.classification.retry is False


def test_a_connection_lost_in_the_middle_keeps_what_came():
    class Breaking(ScriptedApi):
        def send(self, request, **settings):
            answer = super().send(request, **settings)
            answer.raw = urllib3.HTTPResponse(
                io.BytesIO(b" " * 5000), {"content-length": "9000"}, 200, preload_content=False
            )
            return answer

    asking = Client(api.session(Breaking({URL: [DATA]})), VirtualClock(START), requests_per_minute=60, attempts=1)
    [attempt] = asking.fetch(ASK)
    assert (attempt.body, attempt.classification) == (
        b" " * 4096,
        Classification("200 connection lost after 4,096 bytes", 200, retry=True),
    )


def test_a_redirect_to_another_host_is_not_followed():
    away = Reply(302, b"", {"Location": "https://elsewhere.example/api?x_cg_demo_api_key=CG-1&a=1"})
    asking, api, _ = talk(away, key_header="x-cg-demo-api-key", key=Secret(KEY))
    [attempt] = asking.fetch(ASK)
    assert attempt.classification == Classification(
        "302 redirected to https://elsewhere.example/api?a=1, not followed", 302
    )
    assert [request.url for request in api.sent] == [URL]


def test_a_redirect_on_the_same_host_is_followed():
    script = {URL: [Reply(301, b"", {"Location": "/api/v3/global/now"})], f"{URL}/now": [DATA]}
    asking, api, _ = talk(script=script, key_header="x-cg-demo-api-key", key=Secret(KEY))
    [attempt] = asking.fetch(ASK)
    assert (attempt.status, attempt.classification) == (200, Classification())
    assert [request.headers["x-cg-demo-api-key"] for request in api.sent] == [KEY, KEY]


@pytest.mark.parametrize(
    ("plan", "host", "header"),
    [
        ("keyless", "https://api.coingecko.com/api/v3", None),
        ("demo", "https://api.coingecko.com/api/v3", "x-cg-demo-api-key"),
        ("pro", "https://pro-api.coingecko.com/api/v3", "x-cg-pro-api-key"),
    ],
)
def test_each_plan_has_its_host_and_header(plan, host, header):
    chosen = choose_tier(plan)
    url = chosen.root + "/global"
    asking, api, _ = talk(DATA, url=url, key_header=chosen.key_header, key=Secret(KEY))
    asking.fetch(Request(GLOBAL, 1, url))
    assert chosen.root == host
    assert {name for name, value in api.sent[0].headers.items() if KEY in value} == ({header} - {None})
    assert KEY not in api.sent[0].url


def test_pace_and_budget_of_the_plans():
    plans = [api.choose_tier(name) for name in api.TIERS]
    assert {plan.name: (plan.requests_per_minute, plan.credits_per_month) for plan in plans} == {
        "keyless": (5, None),
        "demo": (30, 10_000),
        "pro": (250, None),
    }
    mine = api.choose_tier("demo", requests_per_minute=100, credits_per_month=500)
    assert (mine.requests_per_minute, mine.credits_per_month) == (100, 500)


def test_an_unknown_plan_is_an_error():
    with pytest.raises(CoinlakeError, match="no plan 'free'.*keyless, demo, pro"):  # noqa: RUF043
        api.choose_tier("free")


def test_a_key_that_the_server_repeats_is_not_kept():
    body = b'{"error":"unknown key ' + KEY.encode() + b'"}'
    replies = Reply(404, body, {"x-request-id": KEY}), Reply(200, b'{"data":{"echo":"' + KEY.encode() + b'"}}')
    asking, _, _ = talk(*replies, key_header="x-cg-demo-api-key", key=Secret(KEY))
    [refused] = asking.fetch(ASK)
    assert (refused.body, refused.headers, refused.classification.error) == (
        b'{"error":"unknown key ***"}',
        {"x-request-id": "***"},
        "404 unknown key ***",
    )
    [echoed] = asking.fetch(ASK)
    assert echoed.classification == Classification("200 the answer repeats the API key; kept without it", 200)
    assert KEY.encode() not in echoed.body


def test_the_key_is_in_no_repr_and_no_traceback():
    class Bug(Exception):
        pass

    asking, api, _ = talk(
        requests.ConnectionError(f"header {KEY}"), DATA, Bug("oops"),
        key_header="x-cg-demo-api-key", key=Secret(KEY),
    )  # fmt: skip
    attempts = asking.fetch(ASK)
    with pytest.raises(Bug) as caught:
        asking.fetch(ASK)
    assert api.sent[0].headers["x-cg-demo-api-key"] == KEY
    seen = [repr(attempts), repr(vars(asking)), "".join(traceback.format_exception(caught.value))]
    assert KEY not in "".join(seen)
