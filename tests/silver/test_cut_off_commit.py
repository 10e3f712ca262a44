"""A commit on a volume that is cut off between bodies and meta file: silver waits for the meta file."""

from datetime import UTC, datetime

import pytest

from coinlake import api, schema, silver
from coinlake.api import Attempt, Request
from coinlake.bronze import LandingZone
from coinlake.bronze.landing_zone import META
from coinlake.files import Volume
from coinlake.sources import endpoint_of
from tests.support.silver_lake import SilverLake

RUN = "20260812T142200Z-0123abcd"
URL = "https://api.coingecko.com/api/v3/coins/list"
BODY = b'[{"id":"bitcoin","symbol":"btc","name":"Bitcoin"}]'
FILE = f"endpoint=coins_list/date=2026-08-12/run={RUN}/p0001.json"


class CutOff(Volume):
    def move(self, source, target):
        if META in target.parts:
            raise KeyboardInterrupt
        super().move(source, target)


def test_silver_takes_in_a_run_when_its_commit_is_completed(spark, tmp_path):
    at = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
    judged = api.classify(endpoint_of("coins_list"), 200, BODY)
    folder = tmp_path / "a lake of {2026} [a]"
    lake = SilverLake(spark, folder)
    with (
        pytest.raises(KeyboardInterrupt),
        LandingZone(folder, CutOff()).begin(RUN, simulated=False) as gathering,
    ):
        gathering.add(Attempt(Request(endpoint_of("coins_list"), 1, URL), 1, 200, {}, BODY, at, 1, judged), "live")
        gathering.commit()
    assert (folder / "landing" / FILE).exists()

    lake.stream("coins_list")
    assert lake.rows(schema.COIN_LIST) == []
    assert [reasons for reasons, _, _ in lake.quarantined(FILE)] == [["uncommitted"]]

    assert LandingZone(folder, Volume()).recover() == [f"run {RUN}: completed"]
    lake.stream("coins_list")
    silver.replay_uncommitted(lake.lakehouse)
    assert lake.rows(schema.COIN_LIST, "coin_id") == [("bitcoin",)]
    assert lake.rows(schema.QUARANTINE, "file", where="replayed_at IS NULL") == []
