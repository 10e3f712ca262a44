"""Silver: landed responses become typed, checked rows, one per natural key; the rest goes to quarantine."""

from coinlake.silver.expectations import EXPECTATIONS
from coinlake.silver.streams import (
    SOURCES,
    Counts,
    judged,
    load_responses,
    reader_options,
    replay_uncommitted,
    stream_all,
    stream_endpoint,
    with_response,
)

__all__ = [
    "EXPECTATIONS",
    "SOURCES",
    "Counts",
    "judged",
    "load_responses",
    "reader_options",
    "replay_uncommitted",
    "stream_all",
    "stream_endpoint",
    "with_response",
]
