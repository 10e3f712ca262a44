"""Recorded bodies, errors and broken ones among them, go through tape and replay byte for byte."""

import hashlib
from datetime import UTC, datetime, timedelta

from coinlake import bronze, sources
from coinlake.bronze import LandingZone, Settings, ingest
from tests.support import recorded_tape, recordings

pytestmark = recordings.needed

FOLDERS = recorded_tape.FOLDERS | dict.fromkeys(recorded_tape.BROKEN_FOLDERS, "coins_markets")
START = datetime(2026, 8, 12, tzinfo=UTC)


def test_every_recording_comes_out_of_a_replay_as_it_went_in(tmp_path):
    expected = []
    for folder, endpoint in FOLDERS.items():
        for path in recordings.files(folder):
            body = path.read_bytes()
            moment = START + timedelta(minutes=len(expected))
            url = f"{sources.endpoint_of(endpoint).root}/recorded/{len(expected)}"
            status = 429 if folder.startswith("errors") else 200
            added = bronze.add_recording(
                tmp_path / "tape",
                endpoint=endpoint,
                url=url,
                fetched_at=moment.isoformat(),
                status=status,
                bodies=[body],
            )
            assert added is not None
            digest = hashlib.sha256(body).hexdigest()
            expected.append((endpoint, url, moment.strftime("%Y-%m-%dT%H:%M:00.000Z"), status, digest))
    for group in ("market", "context"):
        settings = Settings(str(tmp_path / "lake"), source="replay", tape_path=str(tmp_path / "tape"))
        ingest(group, settings, say=lambda line: None)

    landing = LandingZone(tmp_path / "lake")
    lines = [line for run in landing.runs() for line in landing.lines(run)]
    kept = ("endpoint", "url", "fetched_at", "status", "sha256")
    assert sorted(tuple(line[name] for name in kept) for line in lines) == sorted(expected)
    for line in lines:
        assert hashlib.sha256(landing.read(line)).hexdigest() == line["sha256"]
    assert {line["outcome"] for line in lines if line["status"] != 200} <= {"error"}
