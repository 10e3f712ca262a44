"""Files of silver that were cut or are gone: the error says which, and what makes them again."""

import shlex
from pathlib import Path

import pytest

from coinlake import schema, silver
from coinlake.errors import StorageError
from tests.support.silver_lake import SilverLake

LISTED = [{"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"}]


@pytest.fixture
def lake(spark, tmp_path):
    """A lake that has taken in one list of coins, and has another one to take in."""
    lake = SilverLake(spark, tmp_path / "a lake")
    lake.land("coins_list", LISTED, "2026-08-12T12:00:00Z")
    lake.stream("coins_list")
    lake.land("coins_list", LISTED, "2026-08-13T12:00:00Z")
    silver.load_responses(lake.lakehouse)
    return lake


def refusal(lake) -> str:
    with pytest.raises(StorageError) as problem:
        silver.stream_endpoint(lake.lakehouse, "coins_list")
    return str(problem.value)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.both_sessions
def test_a_checkpoint_that_was_cut(lake):
    offsets = lake.path / "checkpoints" / "coins_list" / "offsets" / "0"
    cut(offsets)
    said = (
        f"The stream coins_list cannot go on: {offsets} is cut or overwritten, in which it notes the files that "
        "it has taken in. Nothing is lost, silver can be made again: coinlake rebuild silver "
        f"--lake {shlex.quote(str(lake.path))}"
    )
    assert refusal(lake) == said


@pytest.mark.both_sessions
def test_a_data_file_that_is_gone(lake):
    [data] = (lake.path / "tables" / "cleaned_data" / "coin_list").glob("*.parquet")
    data.unlink()
    assert refusal(lake) == (
        f"cleaned_data.coin_list: a file of this table in {lake.path}/tables is missing or damaged. Nothing is "
        f"lost, the table can be made again: coinlake rebuild silver --lake {shlex.quote(str(lake.path))}"
    )
    assert lake.rows(schema.QUARANTINE) == []


def test_a_log_entry_that_was_cut(lake):
    cut(lake.path / "tables" / "cleaned_data" / "coin_list" / "_delta_log" / f"{1:020}.json")
    assert refusal(lake) == (
        "cleaned_data.coin_list: the newest entries of its log are cut or overwritten. Nothing is lost, the table "
        f"can be made again: coinlake rebuild silver --lake {shlex.quote(str(lake.path))}"
    )
    assert lake.rows(schema.QUARANTINE) == []
