import errno
import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from coinlake import api
from coinlake.api import Attempt, Request, responses
from coinlake.bronze import LandingZone
from coinlake.bronze.landing_zone import STAGING
from coinlake.errors import ConfigurationError, LandingError
from coinlake.files import LocalFolder, Volume
from coinlake.sources import endpoint_of
from tests.support import volume

RUN = "20260812T142200Z-0123abcd"
AS_OF = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
MARKETS = "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&page=1"
PAGE = b'[ {"id":"bitcoin", "current_price":1.10}]\n'
GLOBAL = b'{"data":{}}'
BODY = f"endpoint=coins_markets/date=2026-08-12/run={RUN}/p0001.json"


def attempt(endpoint="coins_markets", body=PAGE, *, url=MARKETS, page=1, number=1, status=200, at=AS_OF):
    asked = endpoint_of(endpoint)
    classification = responses.no_answer("connection failed") if status == 0 else api.classify(asked, status, body)
    headers = {"age": "12"}
    return Attempt(Request(asked, page, url), number, status, headers, body, at, 812, classification)


def land(landing, run=RUN, attempts=(), source="live"):
    with landing.begin(run, simulated=source == "simulated") as gathering:
        for one in attempts or [attempt()]:
            gathering.add(one, source)
        gathering.commit()


def tree(path: Path) -> dict[str, bytes]:
    """Every file below the folder with its bytes."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.fixture(params=[LocalFolder, Volume])
def storage(request, tmp_path, monkeypatch):
    """What keeps the files below tmp_path, which is a volume for the second one."""
    if request.param is Volume:
        monkeypatch.setenv("COINLAKE_VOLUMES", str(tmp_path.parent))
        volume.install(monkeypatch, tmp_path)
    assert type(LandingZone(tmp_path)._storage) is request.param
    return request.param


def a_day_later(lake):
    """Lets the time pass after which a run that nobody writes into counts as interrupted on a volume."""
    for path in (lake / STAGING).rglob("*"):
        os.utime(path, (0, 0))


def a_full_run():
    midnight = AS_OF.replace(day=13, hour=0)
    return [
        attempt(body=b"<html>Bad Gateway", status=502),
        attempt(body=None, number=2, status=0),
        attempt(number=3),
        attempt("global", b'{"error":"late"}', url="https://api.coingecko.com/api/v3/global", at=midnight),
        attempt("global", GLOBAL, url="https://api.coingecko.com/api/v3/global", number=2, at=midnight),
    ]


def test_a_run_lands_byte_for_byte_with_one_line_per_attempt(tmp_path, storage):
    land(LandingZone(tmp_path), attempts=a_full_run())
    files = tree(tmp_path)
    meta = files.pop(f"landing_meta/date=2026-08-12/run={RUN}.jsonl")
    assert files == {
        f"landing_errors/endpoint=coins_markets/date=2026-08-12/run={RUN}/p0001-a1.txt": b"<html>Bad Gateway",
        f"landing/endpoint=coins_markets/date=2026-08-12/run={RUN}/p0001.json": PAGE,
        f"landing_errors/endpoint=global/date=2026-08-13/run={RUN}/p0001-a1.json": b'{"error":"late"}',
        f"landing/endpoint=global/date=2026-08-13/run={RUN}/p0001.json": GLOBAL,
    }
    lines = [json.loads(line) for line in meta.splitlines()]
    assert lines[2] == {
        "run": RUN,
        "endpoint": "coins_markets",
        "page": 1,
        "attempt": 3,
        "method": "GET",
        "url": MARKETS,
        "status": 200,
        "fetched_at": "2026-08-12T14:22:00.000Z",
        "elapsed_ms": 812,
        "headers": {"age": "12"},
        "file": f"endpoint=coins_markets/date=2026-08-12/run={RUN}/p0001.json",
        "bytes": len(PAGE),
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "content_encoding": "identity",
        "outcome": "landed",
        "error": None,
        "source": "live",
    }
    nothing = ("file", "bytes", "sha256", "content_encoding")
    assert [(line["attempt"], line["status"], line["outcome"], line["error"]) for line in lines] == [
        (1, 502, "error", "502 Bad Gateway"),
        (2, 0, "error", "0 connection failed"),
        (3, 200, "landed", None),
        (1, 200, "error", "200 late"),
        (2, 200, "landed", None),
    ]
    assert [lines[1][name] for name in nothing] == [None] * 4


def test_what_is_landed_can_be_read_and_is_checked(tmp_path):
    landing = LandingZone(tmp_path)
    land(landing, attempts=a_full_run())
    lines = landing.lines(RUN)
    bodies = [landing.read(line) for line in lines if line["file"]]
    assert bodies == [b"<html>Bad Gateway", PAGE, b'{"error":"late"}', GLOBAL]
    landing.body_path(lines[2]).write_bytes(PAGE + b" ")
    with pytest.raises(LandingError, match="has changed since it was landed"):
        landing.read(lines[2])
    landing.body_path(lines[2]).unlink()
    with pytest.raises(LandingError, match="is missing, but run 20260812T142200Z-0123abcd has landed it"):
        landing.read(lines[2])


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "endpoint=x/../../../y", None])
def test_a_meta_line_cannot_point_out_of_the_lake(tmp_path, file):
    line = {"run": RUN, "outcome": "landed", "file": file, "sha256": ""}
    with pytest.raises(LandingError, match="names no file of this lake"):
        LandingZone(tmp_path).read(line)


def test_a_run_is_never_written_again(tmp_path, storage):
    landing = LandingZone(tmp_path)
    land(landing)
    before = tree(tmp_path)
    with pytest.raises(LandingError, match=r"is landed in .* already"):
        land(landing, attempts=[attempt(body=b"[]")])
    assert tree(tmp_path) == before


def test_a_file_that_stands_in_the_way_is_never_overwritten(tmp_path):
    in_the_way = tmp_path / "landing" / "endpoint=coins_markets" / "date=2026-08-12" / f"run={RUN}"
    in_the_way.mkdir(parents=True)
    with pytest.raises(LandingError, match=rf"run={RUN} stands there already, .*: move it away, and run again"):
        land(LandingZone(tmp_path))
    in_the_way.rmdir()
    assert LandingZone(tmp_path).recover() == [f"run {RUN}: completed"]


@pytest.mark.parametrize("storage", [Volume], indirect=True)
def test_a_body_that_stands_in_the_way_on_a_volume_is_never_overwritten(tmp_path, storage):
    place = LandingZone(tmp_path).body_path({"outcome": "landed", "file": BODY, "run": RUN})
    storage().write(place, b"of somebody else")
    with pytest.raises(LandingError, match=r"p0001.json stands there already, .*: move it away, and run again"):
        land(LandingZone(tmp_path))
    assert (place.read_bytes(), LandingZone(tmp_path).runs()) == (b"of somebody else", [])
    place.unlink()
    assert LandingZone(tmp_path).recover() == [f"run {RUN}: completed"]


def test_without_commit_nothing_stays(tmp_path, storage):
    landing = LandingZone(tmp_path)
    with pytest.raises(ZeroDivisionError), landing.begin(RUN, simulated=False) as gathering:
        gathering.add(attempt(), "live")
        assert tree(tmp_path / "landing") == {}
        raise ZeroDivisionError
    assert tree(tmp_path) == {}


class Killed(BaseException):
    """The process is gone: nothing runs any more."""


def mortal(storage, lives, when):
    """The storage of a process that dies before or after its n-th operation, or while it writes."""

    is_dead = False

    def count():
        nonlocal lives, is_dead
        lives -= 1
        is_dead = lives < 0

    class Mortal(storage):
        def _operate(self, operation, *arguments):
            if is_dead:
                raise Killed
            if when != "after":
                count()
            if is_dead:
                if when == "during" and operation.startswith("write"):
                    self._write_half(operation, *arguments)
                raise Killed
            getattr(super(), operation)(*arguments)
            if when == "after":
                count()
            if is_dead:
                raise Killed

        def _write_half(self, operation, path, content):
            # Renamed when it is whole, on a folder of this machine.
            is_renamed = storage is LocalFolder and operation == "write"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.with_name(f".{path.name}") if is_renamed else path).write_bytes(content[: len(content) // 2])

        def write_new(self, path, content):
            self._operate("write_new", path, content)

        def write(self, path, content):
            self._operate("write", path, content)

        def move(self, source, target):
            self._operate("move", source, target)

        def remove(self, folder):
            self._operate("remove", folder)

    return Mortal()


# 4 bodies, meta and journal are written, and with that it is decided; 4 folders and the meta file are moved, and
# the staging folder is removed. A folder of this machine writes meta and journal beside their names first; on a
# volume a new file and a move are writes, too.
BEFORE_DECISION = {LocalFolder: 4 + 2 + 2, Volume: 2 * 4 + 1 + 1}
AFTER_DECISION = {LocalFolder: 4 + 1 + 1, Volume: 2 * (4 + 1) + 1}
# Who dies before the first file is written leaves nothing to discard; who dies after the last of these steps has
# decided.
NOT_DISCARDED = {
    (LocalFolder, "before"): 1,
    (Volume, "before"): 2,
    (LocalFolder, "after"): 1,
    (Volume, "after"): 1,
}


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_run_killed_at_any_step_is_completed_or_discarded(tmp_path, storage, when):
    """Cut at the n-th file operation for every n, then come back as a new process, a day later."""
    whole = tmp_path / "whole"
    land(LandingZone(whole), attempts=a_full_run())
    outcomes = []
    for lives in range(100):
        lake = tmp_path / f"cut{lives}"
        try:
            land(LandingZone(lake, mortal(storage, lives, when)), attempts=a_full_run())
        except Killed:
            pass
        else:
            break
        a_day_later(lake)
        outcomes += LandingZone(lake).recover()
        is_landed = LandingZone(lake).has(RUN)
        assert tree(lake) == (tree(whole) if is_landed else {})
        if not is_landed:
            land(LandingZone(lake), attempts=a_full_run())
            assert tree(lake) == tree(whole)
    decided, undecided = AFTER_DECISION[storage], BEFORE_DECISION[storage] - NOT_DISCARDED.get((storage, when), 0)
    assert lives == BEFORE_DECISION[storage] + decided
    assert outcomes == [f"run {RUN}: discarded"] * undecided + [f"run {RUN}: completed"] * decided


def test_recovery_itself_may_be_killed(tmp_path, storage):
    whole = tmp_path / "whole"
    land(LandingZone(whole), attempts=a_full_run())
    with pytest.raises(Killed):
        decided = BEFORE_DECISION[storage]
        land(LandingZone(tmp_path / "cut", mortal(storage, decided + 1, "during")), attempts=a_full_run())
    for lives in (1, 0, 2):
        with pytest.raises(Killed):
            LandingZone(tmp_path / "cut", mortal(storage, lives, "during")).recover()
    assert LandingZone(tmp_path / "cut").recover() == [f"run {RUN}: completed"]
    assert tree(tmp_path / "cut") == tree(whole)


def test_meta_is_the_last_thing_to_appear(tmp_path, storage):
    class Watching(storage):
        def move(self, source, target):
            assert not list(tmp_path.glob("landing_meta/*/*"))
            super().move(source, target)

    land(LandingZone(tmp_path, Watching()), attempts=a_full_run())
    assert LandingZone(tmp_path).has(RUN)


def test_a_run_that_another_process_gathers_is_left_alone(tmp_path):
    landing = LandingZone(tmp_path)
    with landing.begin(RUN, simulated=False) as gathering:
        gathering.add(attempt(), "live")
        other = LandingZone(tmp_path)
        assert other.recover() == []
        with pytest.raises(LandingError, match="Another process lands run"):
            land(other)
        land(other, run="20260812T142200Z-ffffffff")
        gathering.commit()
    assert landing.runs() == [RUN, "20260812T142200Z-ffffffff"]


@pytest.mark.parametrize("storage", [Volume], indirect=True)
def test_of_two_jobs_that_gather_a_run_on_a_volume_the_first_to_commit_lands_it(tmp_path, storage):
    landing = LandingZone(tmp_path)
    with (
        pytest.raises(LandingError, match=f"Another job has landed run {RUN} in .* meanwhile"),
        landing.begin(RUN, simulated=False) as gathering,
    ):
        gathering.add(attempt(), "live")
        other = LandingZone(tmp_path)
        assert other.recover() == []
        land(other, run="20260812T142200Z-ffffffff")
        land(other)
        before = tree(tmp_path)
        gathering.commit()
    assert landing.runs() == [RUN, "20260812T142200Z-ffffffff"]
    landed = {path: content for path, content in before.items() if not path.startswith(STAGING)}
    assert tree(tmp_path) == landed


@pytest.mark.parametrize("storage", [Volume], indirect=True)
def test_a_process_that_meets_a_commit_under_way_on_a_volume_helps_it_along(tmp_path, storage):
    class Helped(Volume):
        def move(self, source, target):
            notes.extend(LandingZone(tmp_path).recover())
            super().move(source, target)

    notes = []
    land(LandingZone(tmp_path, Helped()), attempts=a_full_run())
    assert notes == [f"run {RUN}: completed"]
    land(LandingZone(tmp_path / "alone"), attempts=a_full_run())
    alone = tree(tmp_path / "alone")
    assert {path: found for path, found in tree(tmp_path).items() if not path.startswith("alone/")} == alone


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full: free some space"), (errno.EROFS, "the disk is read-only")],
)
@pytest.mark.parametrize("when", ["body", "commit"])
def test_a_disk_that_refuses_gives_a_clear_error_and_shows_nothing(tmp_path, storage, number, words, when):
    class Refusing(storage):
        def write_new(self, path, content):
            is_now = path.suffix == ".jsonl" if when == "commit" else "landing_errors" in path.parts
            if is_now:
                raise OSError(number, "no")
            super().write_new(path, content)

        def write(self, path, content):
            if when == "commit" and path.suffix == ".jsonl":
                raise OSError(number, "no")
            super().write(path, content)

    with pytest.raises(LandingError, match=f"Run {RUN} could not be landed in .*: {words}.* and run again"):
        land(LandingZone(tmp_path, Refusing()), attempts=a_full_run())
    assert tree(tmp_path) == {}


def test_a_disk_full_in_the_middle_of_the_moves_is_completed_later(tmp_path, storage):
    class Refusing(storage):
        def move(self, source, target):
            if "landing_meta" in target.parts:
                raise OSError(errno.ENOSPC, "no")
            super().move(source, target)

    with pytest.raises(LandingError, match="the disk is full"):
        land(LandingZone(tmp_path, Refusing()))
    assert LandingZone(tmp_path).runs() == []
    assert LandingZone(tmp_path).recover() == [f"run {RUN}: completed"]
    assert LandingZone(tmp_path).read(LandingZone(tmp_path).lines(RUN)[0]) == PAGE


def test_a_lake_path_that_cannot_be_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LandingError, match="a file stands where a folder is needed"):
        land(LandingZone(tmp_path / "file"))


@pytest.mark.parametrize(
    ("first", "second"), [("simulated", "live"), ("live", "simulated"), ("replay", "simulated")]
)
def test_simulated_and_real_data_never_share_a_lake(tmp_path, first, second):
    land(LandingZone(tmp_path), source=first)
    before = tree(tmp_path)
    with pytest.raises(ConfigurationError, match=r"data must not join it. Set lake_path to another folder"):
        land(LandingZone(tmp_path), run="20260813T142200Z-0123abcd", source=second)
    assert tree(tmp_path) == before


def test_replayed_and_live_data_may_share_a_lake(tmp_path):
    land(LandingZone(tmp_path), source="live")
    land(LandingZone(tmp_path), run="20260813T142200Z-0123abcd", source="replay")
    assert LandingZone(tmp_path).is_simulated() is False


def test_what_was_asked_on_a_data_day(tmp_path):
    landing = LandingZone(tmp_path)
    chart = "https://api.coingecko.com/api/v3/coins/{}/market_chart?vs_currency=usd&days=365"
    body = b'{"prices":[]}'
    for day, hour, minute, coin, status in [
        (12, 0, 44, "yesterday", 200),
        (12, 0, 45, "bitcoin", 200),
        (12, 9, 0, "lost", 500),
        (13, 0, 44, "ethereum", 200),
        (13, 0, 45, "tomorrow", 200),
    ]:
        run = f"202608{day}T{hour:02}{minute:02}00Z-0123abcd"
        land(landing, run, [attempt("coins_market_chart", body, url=chart.format(coin), status=status)])
    asked = landing.asked(date(2026, 8, 12))
    assert {path for _, path, _ in asked} == {
        "/api/v3/coins/bitcoin/market_chart",
        "/api/v3/coins/ethereum/market_chart",
    }


def test_the_newest_answer_of_an_endpoint(tmp_path):
    landing = LandingZone(tmp_path)
    land(landing, "20260812T142200Z-ffffffff", [attempt(), attempt(page=2, body=b"[]")])
    assert landing.newest("coins_markets") == landing.lines("20260812T142200Z-ffffffff")[1]
    land(landing, "20260812T152200Z-00000000", [attempt(), attempt(page=2, status=500)])
    assert landing.newest("coins_markets") == landing.lines("20260812T152200Z-00000000")[0]
    assert landing.newest("global") is None
    assert landing.newest("global", "coins_markets") == landing.newest("coins_markets")


def test_credits_are_the_coingecko_answers_of_the_month(tmp_path):
    landing = LandingZone(tmp_path)
    july = datetime(2026, 7, 31, 23, 59, 59, tzinfo=UTC)
    land(
        landing,
        "20260731T235900Z-0123abcd",
        [attempt(at=july), attempt(page=2, at=july + timedelta(seconds=2))],
    )
    land(
        landing,
        "20260812T142200Z-0123abcd",
        [
            attempt(status=429, body=b""),
            attempt(status=200, body=b'{"error":"costs all the same"}', number=2),
            attempt(number=3),
            attempt("fear_greed", b'{"data":[]}'),
        ],
    )
    land(landing, "20260901T000000Z-0123abcd", [attempt(at=datetime(2026, 9, 1, tzinfo=UTC))])
    months = {7: 1, 8: 3, 9: 1, 10: 0}
    assert {month: landing.spending(datetime(2026, month, 5, tzinfo=UTC)).credits for month in months} == months


def test_a_call_counts_in_the_month_in_which_it_was_made_whatever_the_run_is_as_of(tmp_path):
    landing = LandingZone(tmp_path)
    land(landing, "20260501T000000Z-0123abcd", [attempt(at=AS_OF), attempt(page=2, body=b"{", at=AS_OF)])
    months = {5: 0, 8: 2}
    assert {month: landing.spending(datetime(2026, month, 5, tzinfo=UTC)).credits for month in months} == months


def test_calls_that_may_have_been_answered_count_and_each_host_has_its_own(tmp_path):
    landing = LandingZone(tmp_path)
    pro = "https://pro-api.coingecko.com/api/v3/coins/markets?page=1"
    late = replace(unheard(attempt(number=3)), classification=responses.no_answer("answer timed out"))
    land(landing, RUN, [attempt(url=pro), attempt(status=0, body=None, page=2), late])
    used = {root: landing.spending(AS_OF, root).credits for root in ("", api.COINGECKO, api.COINGECKO_PRO)}
    assert used == {"": 2, api.COINGECKO: 1, api.COINGECKO_PRO: 1}


def test_the_last_call_is_when_it_was_sent_and_of_coingecko(tmp_path):
    landing = LandingZone(tmp_path)
    assert landing.spending(AS_OF).last_call is None
    later = AS_OF + timedelta(minutes=9)
    land(
        landing,
        "20260812T142200Z-ffffffff",
        [attempt(at=later), attempt("fear_greed", b'{"data":[]}', at=later + timedelta(hours=1))],
    )
    land(landing, "20260812T142500Z-00000000", [attempt()])
    assert landing.spending(AS_OF).last_call == later - timedelta(milliseconds=812)


def test_the_newest_answer_of_each_question(tmp_path):
    landing = LandingZone(tmp_path)
    chart = "https://api.coingecko.com/api/v3/coins/{}/market_chart?vs_currency=usd&days=365"
    body = b'{"prices":[]}'
    for day, coin, status in [(8, "bitcoin", 200), (9, "old", 200), (10, "bitcoin", 200), (11, "bitcoin", 500)]:
        at = AS_OF.replace(day=day)
        run = f"202608{day:02}T142200Z-0123abcd"
        land(landing, run, [attempt("coins_market_chart", body, url=chart.format(coin), status=status, at=at)])
    newest = landing.newest_answers("coins_market_chart", date(2026, 8, 9))
    assert {path: instant for (_, path, _), instant in newest.items()} == {
        "/api/v3/coins/old/market_chart": "2026-08-09T14:22:00.000Z",
        "/api/v3/coins/bitcoin/market_chart": "2026-08-10T14:22:00.000Z",
    }


def test_a_line_of_the_log_that_is_cut_is_named(tmp_path):
    landing = LandingZone(tmp_path)
    land(landing)
    log = tmp_path / "landing_meta/date=2026-08-12" / f"run={RUN}.jsonl"
    log.write_text(log.read_text()[:99])
    for read in (lambda: landing.lines(RUN), landing.is_simulated, lambda: landing.spending(AS_OF)):
        with pytest.raises(
            LandingError, match=rf"run={RUN}.jsonl has a line that is not JSON; .* Restore the file"
        ):
            read()


# What was paid for


def unheard(one):
    """The attempt as it is noted before it is sent."""
    return replace(one, status=0, headers={}, body=None, elapsed_ms=0, classification=responses.cut_off())


def noted(landing, attempts, sent=()):
    """Gather a run whose attempts are noted before they are sent, and commit it; `sent` gets those sent."""
    sent = [] if sent == () else sent
    with landing.begin(RUN, simulated=False) as gathering:
        for one in attempts:
            gathering.note(unheard(one), "live")
            sent.append(one)
            gathering.add(one, "live")
        gathering.commit()


def test_a_noted_run_that_ends_well_lands_like_any_other(tmp_path, storage):
    noted(LandingZone(tmp_path / "noted"), a_full_run())
    land(LandingZone(tmp_path / "plain"), attempts=a_full_run())
    assert tree(tmp_path / "noted") == tree(tmp_path / "plain")


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_of_a_noted_run_that_is_killed_at_any_step_no_call_and_no_answer_is_lost(tmp_path, storage, when):
    asked = [attempt(), attempt("global", b'{"error":"late"}')]
    ends = set()
    for lives in range(100):
        lake, sent = tmp_path / f"cut{lives}", []
        try:
            noted(LandingZone(lake, mortal(storage, lives, when)), asked, sent)
        except Killed:
            pass
        else:
            break
        a_day_later(lake)
        ends |= {note.partition(": ")[2].split(" as ")[0] for note in LandingZone(lake).recover()}
        assert LandingZone(lake).recover() == []
        [*runs] = LandingZone(lake).runs()
        lines = [line for run in runs for line in LandingZone(lake).lines(run)]
        assert len(lines) in (len(sent), len(sent) + 1)
        for line in lines:
            if line["file"]:
                assert line["file"].split("/")[2] == f"run={line['run']}"
                LandingZone(lake).read(line)
        # Every body has its line, and nothing else is left behind.
        bodies = {str(path.relative_to(lake)).partition("/")[2] for path in lake.glob("landing*/endpoint=*/**/p*")}
        assert bodies == {line["file"] for line in lines if line["file"]}
        assert not list(lake.glob("landing_staging/run=*"))
        if runs != [RUN]:
            assert RUN not in runs
            noted(LandingZone(lake), asked)
            assert len(LandingZone(lake).runs()) == len(runs) + 1
    assert {"kept", "completed"} <= ends


def test_what_came_is_kept_whatever_ends_the_run(tmp_path):
    landing = LandingZone(tmp_path)
    with pytest.raises(KeyboardInterrupt), landing.begin(RUN, simulated=False) as gathering:
        gathering.note(unheard(attempt()), "live")
        gathering.add(attempt(), "live")
        late = AS_OF + timedelta(seconds=12)
        gathering.note(unheard(attempt(page=2, at=late)), "live")
        # Another process that asks what was spent sees the calls of the run that is under way.
        assert LandingZone(tmp_path).spending(AS_OF) == (2, late)
        raise KeyboardInterrupt
    [kept] = landing.runs()
    assert kept != RUN and kept[:16] == RUN[:16]
    lines = landing.lines(kept)
    assert [(line["page"], line["status"], line["error"]) for line in lines] == [
        (1, 200, None),
        (2, 0, "0 cut off while the answer was awaited"),
    ]
    assert landing.read(lines[0]) == PAGE
    assert landing.spending(AS_OF).credits == 2
