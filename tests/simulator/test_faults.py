"""Trouble on the way, and the two doors: a requests adapter and an HTTP server."""

import json
import socket
import threading
from datetime import timedelta

import pytest
import requests

from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, HOSTS, ConnectionDropped, Exchange, SimulatorAdapter
from coinlake_ops import cli, simulated_api

AGENT = {"User-Agent": "coinlake-tests/1.0"}
LIST = "https://api.coingecko.com/api/v3/simple/supported_vs_currencies?page={}"


def outcomes(exchange, attempt, requests_made=400, at=DEFAULT_AS_OF):
    """What happens to that attempt of many requests: status and body, or dropped."""
    seen = []
    for number in range(requests_made):
        try:
            answer = exchange.answer("GET", LIST.format(number), AGENT, at, attempt)
            seen.append((answer.status, answer.headers, answer.body))
        except ConnectionDropped:
            seen.append(("dropped", {}, b""))
    return seen


def is_good(outcome):
    status, _, body = outcome
    return status == 200 and body.startswith(b'["btc"') and body.endswith(b'"sats"]')


@pytest.fixture(scope="module")
def exchanges():
    return {
        profile: Exchange(DEFAULT_SEED, coins=60, faults=profile) for profile in ("none", "typical", "hostile")
    }


def test_nothing_goes_wrong_by_default(exchanges):
    assert all(map(is_good, outcomes(exchanges["none"], 1)))


def test_typical_trouble_is_over_with_the_third_attempt(exchanges):
    good = [sum(map(is_good, outcomes(exchanges["typical"], attempt))) for attempt in (1, 2, 3)]
    assert 340 < good[0] < 385
    assert good[0] < good[1] < good[2] == 400


def test_typical_trouble_has_no_end_of_the_month(exchanges):
    assert not any(b"10006" in body for _, _, body in outcomes(exchanges["typical"], 1, 1500))


def test_hostile_trouble_is_of_every_kind(exchanges):
    seen = outcomes(exchanges["hostile"], 1, 1500)
    limits = [headers for status, headers, _ in seen if status == 429]
    assert any("retry-after" in headers for headers in limits)
    assert any("x-ratelimit-reset" in headers for headers in limits)
    assert any(not {"retry-after", "x-ratelimit-reset"} & set(headers) for headers in limits)
    assert {status for status, _, _ in seen} >= {200, 429, 500, 502, 503, "dropped"}
    assert any(b"10006" in body for _, _, body in seen)
    assert any(status == 200 and body.startswith(b'{"status"') for status, _, body in seen)
    assert any(status == 200 and body == b"" for status, _, body in seen)
    assert any(
        status == 200 and body.startswith(b'["btc"') and not body.endswith(b"]") for status, _, body in seen
    )
    assert any(status == 500 and body.startswith(b"<html>") for status, _, body in seen)
    assert any(body == b"error code: 1015" for _, _, body in seen)
    assert all(map(is_good, outcomes(exchanges["hostile"], 5)))


def test_trouble_repeats_itself_for_the_same_seed_and_hour(exchanges):
    first = outcomes(exchanges["hostile"], 1)
    assert outcomes(Exchange(DEFAULT_SEED, coins=60, faults="hostile"), 1) == first
    other_seed = outcomes(Exchange(3, coins=60, faults="hostile"), 1)
    other_hour = outcomes(exchanges["hostile"], 1, at=DEFAULT_AS_OF + timedelta(hours=1))
    for other in (other_seed, other_hour):
        assert [is_good(outcome) for outcome in other] != [is_good(outcome) for outcome in first]


def test_an_unknown_profile_is_named():
    with pytest.raises(ValueError, match="'nasty' is not one of none, typical, dirty, hostile"):
        Exchange(DEFAULT_SEED, coins=10, faults="nasty")


@pytest.fixture
def session(exchanges):
    session = requests.Session()
    session.headers.update(AGENT)
    SimulatorAdapter.mount(session, exchanges["typical"], simulated_api.FixedClock(DEFAULT_AS_OF))
    yield session
    session.close()


def test_a_session_speaks_to_the_simulation(session, exchanges):
    response = session.get("https://api.coingecko.com/api/v3/ping")
    assert response.json() == {"gecko_says": "(V3) To the Moon!"}
    assert response.ok
    url = "https://api.coingecko.com/api/v3/ping"
    assert response.content == exchanges["typical"].answer("GET", url, AGENT, DEFAULT_AS_OF).body
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert timedelta(milliseconds=100) < response.elapsed < timedelta(seconds=1)


def test_every_simulated_host_is_mounted(session):
    assert all(isinstance(session.get_adapter(f"https://{host}/x"), SimulatorAdapter) for host in HOSTS)


def test_the_adapter_counts_attempts_so_that_a_retry_gets_through(session, exchanges):
    broken = [n for n, outcome in enumerate(outcomes(exchanges["typical"], 1)) if not is_good(outcome)]
    for number in broken[:12]:
        results = []
        for _ in range(3):
            try:
                results.append(session.get(LIST.format(number)).content)
            except requests.exceptions.ConnectionError:
                results.append(None)
        assert results[0] is None or not results[0].endswith(b'"sats"]')
        assert results[2].endswith(b'"sats"]')


def test_the_time_an_answer_takes_is_simulated_too(exchanges):
    def taken():
        session = requests.Session()
        SimulatorAdapter.mount(session, exchanges["none"], simulated_api.FixedClock(DEFAULT_AS_OF))
        return session.get("https://api.coingecko.com/api/v3/ping", headers=AGENT).elapsed

    assert taken() == taken()


@pytest.fixture
def server(exchanges):
    with simulated_api.ApiServer(exchanges["none"], simulated_api.FixedClock(DEFAULT_AS_OF), port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/api/v3/coins/list", "https://api.coingecko.com/api/v3/coins/list"),
        ("/fng/?limit=3", "https://api.alternative.me/fng/?limit=3"),
        ("/v1/latest?symbols=USD", "https://api.frankfurter.dev/v1/latest?symbols=USD"),
        ("/v1/forecast?latitude=1&longitude=2", "https://api.open-meteo.com/v1/forecast?latitude=1&longitude=2"),
    ],
)
def test_the_server_answers_as_the_exchange_does(server, exchanges, path, url):
    response = requests.get(server.address + path, headers=AGENT, timeout=10)
    expected = exchanges["none"].answer("GET", url, AGENT, DEFAULT_AS_OF)
    assert (response.status_code, response.content) == (expected.status, expected.body)
    assert response.headers["etag"] == expected.headers["etag"]
    assert response.headers["content-length"] == str(len(expected.body))


def test_the_server_listens_on_this_machine_only_and_knows_its_paths(server):
    assert server.server_address[0] == "127.0.0.1"
    response = requests.get(server.address + "/elsewhere", headers=AGENT, timeout=10)
    assert response.status_code == 404
    assert "/api/v3/coins/markets" in response.text
    assert requests.post(server.address + "/api/v3/ping", headers=AGENT, timeout=10).status_code == 405


def test_a_paid_key_turns_the_server_into_the_pro_host(server):
    path = server.address + "/api/v3/coins/bitcoin/market_chart?vs_currency=usd&days=max"
    assert requests.get(path, headers=AGENT, timeout=10).status_code == 401
    paid = requests.get(path, headers={**AGENT, "x-cg-pro-api-key": "CG-pro-x"}, timeout=10)
    assert len(paid.json()["prices"]) > 4000


def test_a_dropped_connection_ends_without_an_answer(exchanges):
    dropped = next(
        number for number, (status, _, _) in enumerate(outcomes(exchanges["hostile"], 1)) if status == "dropped"
    )
    with simulated_api.ApiServer(exchanges["hostile"], simulated_api.FixedClock(DEFAULT_AS_OF), port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        path = LIST.format(dropped).removeprefix("https://api.coingecko.com")
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(server.address + path, headers=AGENT, timeout=10)
        server.shutdown()
        thread.join()


def test_a_taken_port_is_said_so(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["api", "--port", str(port), "--coins", "10"]) == 1
    assert f"port {port} of 127.0.0.1 is not free" in capsys.readouterr().err


def test_a_running_clock_runs():
    ticks = iter([100.0, 103.5])
    clock = simulated_api.RunningClock(DEFAULT_AS_OF, lambda: next(ticks))
    assert clock.now() == DEFAULT_AS_OF + timedelta(seconds=3.5)


def test_a_moment_that_is_none_is_refused(capsys):
    assert cli.main(["api", "--as-of", "tomorrow"]) == 2
    assert "write 2026-08-12T14:22:00Z" in capsys.readouterr().err


def test_bodies_are_json_as_the_exchange_writes_it(exchanges):
    body = exchanges["none"].answer("GET", "https://api.coingecko.com/api/v3/global", AGENT, DEFAULT_AS_OF).body
    assert b": " not in body
    assert json.loads(body)["data"]["total_market_cap"]["usd"] > 1e12
