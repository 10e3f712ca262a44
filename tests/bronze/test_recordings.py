import hashlib
from datetime import UTC, datetime

import pytest
import requests

from coinlake import api, bronze
from coinlake.api import Client, Request
from coinlake.bronze import LandingZone, Recording, recordings, replay
from coinlake.clocks import VirtualClock
from coinlake.errors import CoinlakeError
from coinlake.sources import endpoint_of
from coinlake_ops import cli

MARKETS = "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&per_page=1&page={}"
MOMENT = "2026-08-12T14:22:00Z"


def add(path, *bodies, endpoint="coins_markets", url=None, fetched_at=MOMENT, **options):
    url = url or MARKETS.format(1)
    return bronze.add_recording(path, endpoint=endpoint, url=url, fetched_at=fetched_at, bodies=bodies, **options)


def test_bodies_become_the_pages_of_one_run(tmp_path):
    run = add(tmp_path, b'[{"id":"a"}]', b"[]", headers={"Age": "12", "Set-Cookie": "x"})
    lines = LandingZone(tmp_path).lines(run)
    assert run.startswith("20260812T142200Z-")
    kept = ("endpoint", "page", "url", "status", "fetched_at", "headers", "outcome", "source")
    assert [tuple(line[name] for name in kept) for line in lines] == [
        (
            "coins_markets",
            page,
            MARKETS.format(page),
            200,
            "2026-08-12T14:22:00.000Z",
            {"age": "12"},
            "landed",
            "replay",
        )
        for page in (1, 2)
    ]
    assert [LandingZone(tmp_path).read(line) for line in lines] == [b'[{"id":"a"}]', b"[]"]


def test_adding_the_same_again_changes_nothing(tmp_path):
    assert add(tmp_path, b"[]") is not None
    before = sorted(tmp_path.rglob("*"))
    assert add(tmp_path, b"[]") is None
    assert sorted(tmp_path.rglob("*")) == before
    assert add(tmp_path, b"[ ]") is not None
    assert len(LandingZone(tmp_path).runs()) == 2


def test_errors_and_broken_bodies_are_errors_on_a_tape_too(tmp_path):
    add(tmp_path, b'{"error":"x"}', b'[{"id":"a"},{"i', b"<html>", b"[]")
    [run] = LandingZone(tmp_path).runs()
    lines = LandingZone(tmp_path).lines(run)
    assert [(line["outcome"], line["file"].split("/")[-1], line["error"]) for line in lines] == [
        ("error", "p0001-a1.json", "200 x"),
        ("error", "p0002-a1.txt", "200 body is not one whole JSON document"),
        ("error", "p0003-a1.txt", "200 body is not one whole JSON document"),
        ("landed", "p0004.json", None),
    ]


def test_keys_are_left_out_of_addresses_and_headers(tmp_path):
    url = MARKETS.format(1) + "&x_cg_demo_api_key=CG-123456789"
    add(tmp_path, b"[]", url=url, headers={"x-cg-demo-api-key": "CG-123456789"})
    assert all(b"CG-123456789" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "markets"}, "There is no endpoint 'markets'"),
        ({"url": "ftp://host/x"}, "is not a web address"),
        ({"fetched_at": "noon"}, "'noon' is not an instant"),
        ({"status": 20}, "--status 20 is not an HTTP status"),
    ],
)
def test_what_cannot_be_put_on_a_tape(tmp_path, options, words):
    with pytest.raises(CoinlakeError, match=words):
        add(tmp_path, b"[]", **options)
    assert list(tmp_path.iterdir()) == []


def replaying(path, run=None):
    recorded = Recording(path)
    clock = VirtualClock(datetime(2020, 1, 1, tzinfo=UTC))
    adapter = replay.ReplayAdapter(recorded, clock)
    adapter.play(run or LandingZone(path).runs()[0])
    return Client(api.session(adapter), clock, requests_per_minute=60_000), clock


def test_a_tape_answers_what_was_recorded_at_the_recorded_time(tmp_path):
    body = b'[{"id":"a"}]'
    add(tmp_path, body, b"[]", headers={"age": "12", "content-encoding": "gzip"})
    client, clock = replaying(tmp_path)
    swapped = "https://api.coingecko.com/api/v3/coins/markets?page=1&per_page=1&vs_currency=usd"
    [attempt] = client.fetch(Request(endpoint_of("coins_markets"), 1, swapped))
    assert (attempt.status, attempt.body, attempt.headers) == (200, body, {"age": "12"})
    assert attempt.fetched_at == clock.now() == datetime(2026, 8, 12, 14, 22, tzinfo=UTC)


def test_attempts_come_in_recorded_order_and_the_last_repeats(tmp_path):
    url = "https://api.coingecko.com/api/v3/global"
    add(tmp_path, b"", b"<html>", b'{"data":{}}', endpoint="global", url=url)
    client, _ = replaying(tmp_path)
    first = client.fetch(Request(endpoint_of("global"), 1, url))
    again = client.fetch(Request(endpoint_of("global"), 1, url))
    assert [attempt.body for attempt in first] == [b"", b"<html>", b'{"data":{}}']
    assert [attempt.body for attempt in again] == [b'{"data":{}}']


def test_a_request_that_the_tape_cannot_answer_is_named(tmp_path):
    run = add(tmp_path, b"[]")
    client, _ = replaying(tmp_path)
    with pytest.raises(CoinlakeError, match=rf"has no answer to GET https://.*page=2 in run {run}"):
        client.fetch(Request(endpoint_of("coins_markets"), 2, MARKETS.format(2)))


def test_a_tape_that_has_lost_a_body_says_so(tmp_path):
    add(tmp_path, b"[]")
    next(tmp_path.glob("landing/**/p0001.json")).unlink()
    with pytest.raises(CoinlakeError, match=r"p0001.json is missing"):
        replaying(tmp_path)[0].fetch(Request(endpoint_of("coins_markets"), 1, MARKETS.format(1)))


def test_a_folder_without_recordings_is_no_tape(tmp_path):
    with pytest.raises(CoinlakeError, match="There is no tape at .*/none: it has no folder landing_meta"):  # noqa: RUF043
        Recording(tmp_path / "none")


def test_runs_of_a_tape_by_group_and_up_to_an_instant(tmp_path):
    fng = "https://api.alternative.me/fng/"
    first = add(tmp_path, b"[]", fetched_at="2026-08-12T14:22:00Z")
    add(tmp_path, b'{"data":[]}', endpoint="fear_greed", url=fng, fetched_at="2026-08-12T15:00:00Z")
    second = add(tmp_path, b"[]", fetched_at="2026-08-12T16:00:00Z")
    recorded = Recording(tmp_path)
    assert [run for run, _ in recorded.runs("market")] == [first, second]
    until = datetime(2026, 8, 12, 16, tzinfo=UTC)
    assert [run for run, _ in recorded.runs("market", until)] == [first, second]
    assert [run for run, _ in recorded.runs("market", until.replace(hour=15))] == [first]


def test_requests_with_their_attempts():
    lines = [
        {"endpoint": "global", "page": 1, "url": "https://h/g", "attempt": 1},
        {"endpoint": "global", "page": 1, "url": "https://h/g", "attempt": 2},
        {"endpoint": "coins_list", "page": 1, "url": "https://h/l", "attempt": 1},
    ]
    assert recordings.requests_of(lines) == [
        (Request(endpoint_of("global"), 1, "https://h/g", attempts=2), lines[:2]),
        (Request(endpoint_of("coins_list"), 1, "https://h/l", attempts=1), lines[2:]),
    ]


def test_a_recorded_silence_is_a_connection_error(tmp_path):
    recorded = Recording.__new__(Recording)
    line = {
        "url": "https://h/g",
        "status": 0,
        "error": "0 connection failed",
        "elapsed_ms": 5,
        "fetched_at": MOMENT,
    }
    recorded.path, recorded.lines = tmp_path, lambda run: [line]
    adapter = replay.ReplayAdapter(recorded, VirtualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    adapter.play("any")
    with pytest.raises(requests.ConnectionError, match="0 connection failed"):
        api.session(adapter).get("https://h/g")


def test_the_command_line(tmp_path, capsys):
    (tmp_path / "one.json").write_bytes(b"[]")
    (tmp_path / "two.txt").write_bytes(b"Throttled")
    words = [
        "tape", "add", "--endpoint", "coins_markets", "--url", "/coins/markets?vs_currency=usd&page=3",
        "--fetched-at", MOMENT, "--status", "200", str(tmp_path / "one.json"), str(tmp_path / "two.txt"),
        "--header", "Age: 7", "--to", str(tmp_path / "tape"),
    ]  # fmt: skip
    assert [cli.main(words), cli.main(words)] == [0, 0]
    [run] = LandingZone(tmp_path / "tape").runs()
    assert [line["url"] for line in LandingZone(tmp_path / "tape").lines(run)] == [
        "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&page=3",
        "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&page=4",
    ]
    assert cli.main(["tape", "list", str(tmp_path / "tape")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/tape: run {run} added",
        f"{tmp_path}/tape: it is on the tape already",
        "run                       moment                   endpoint            data errors       bytes",
        f"{run} 2026-08-12T14:22:00.000Z coins_markets          1      1          11",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--header", "nonsense"], "has no colon"),
        (["missing.json"], "The body missing.json cannot be read: No such file or directory"),
    ],
)
def test_the_command_line_says_what_is_wrong(tmp_path, capsys, change, words):
    (tmp_path / "one.json").write_bytes(b"[]")
    words_given = [
        "tape",
        "add",
        "--endpoint",
        "global",
        "--url",
        "/global",
        "--fetched-at",
        MOMENT,
        "--to",
        str(tmp_path),
    ]
    assert cli.main([*words_given, str(tmp_path / "one.json"), *change]) == 1
    assert words in capsys.readouterr().err


def test_bytes_on_a_tape_are_those_given(tmp_path):
    body = bytes(range(256)) * 3
    run = add(tmp_path, body)
    [line] = LandingZone(tmp_path).lines(run)
    assert (LandingZone(tmp_path).read(line), line["sha256"]) == (body, hashlib.sha256(body).hexdigest())
