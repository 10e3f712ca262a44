"""What Spark and Delta say of damage, in words."""

import pytest

from coinlake.errors import damage, full_disk, in_words

PARQUET = (
    "[FAILED_READ_FILE.FILE_NOT_EXIST] Error while reading file file:/data/my%20lake/tables/cleaned_data/"
    "coin_prices/period=2026-08/part-00000.snappy.parquet. File does not exist.\n\nJVM stacktrace:\norg.apache…"
)


def test_a_missing_file_names_table_and_command():
    said = (
        "cleaned_data.coin_prices: a file of this table in /data/my lake/tables is missing or damaged. Nothing is "
        "lost, the table can be made again: coinlake rebuild silver --lake '/data/my lake'"
    )
    assert damage(PARQUET) == said
    assert in_words("SparkException", PARQUET) == said


def test_the_layer_is_that_of_the_table():
    text = PARQUET.replace("cleaned_data/coin_prices", "aggregated_data/dim_coin").replace("my%20lake", "lake")
    assert damage(text).endswith("coinlake rebuild gold --lake /data/lake")


def test_what_we_raised_in_a_worker_of_the_server_is_found_in_its_text():
    text = (
        "[STREAM_FAILED] Query … terminated:\n  File x.py\ncoinlake.errors.StorageError: table: key twice.\n  at …"
    )
    assert damage(text) == "table: key twice."


@pytest.mark.parametrize(
    "text",
    [
        "[TABLE_OR_VIEW_NOT_FOUND] The table cannot be found.",
        "[FAILED_READ_FILE.FILE_NOT_EXIST] file:/data/lake/landing/endpoint=global/p0001.json does not exist",
        "[CAST_OVERFLOW] file:/data/lake/tables/cleaned_data/coin_prices/part-0.parquet",
    ],
)
def test_other_errors_are_not_taken_for_damage(text):
    assert damage(text) is None
    assert in_words("SparkException", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "[Errno 28] No space left on device: '/lake/steps/date=2026-08-12/r1/.04_build_gold.json.17'",
        "[TASK_WRITE_FAILED] Task failed while writing rows to file:/lake/tables/cleaned_data/coin_prices.\n\n"
        "JVM stacktrace:\nCaused by: java.io.IOException: No space left on device",
        "/lake/warehouse.duckdb, dim_coin: IO Error: Could not write file: Disk quota exceeded",
    ],
)
def test_a_full_disk_is_said_with_what_to_do(text):
    said = (
        "The disk of the lake, or that of temporary files, is full: free some space, and run again. "
        "Nothing is lost: what was being written is completed or made again then."
    )
    assert (full_disk(text), in_words("OSError", text)) == (said, said)
    assert full_disk("[Errno 13] Permission denied") is None
