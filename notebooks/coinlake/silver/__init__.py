"""Silver: landed responses become typed, checked rows, one per natural key; the rest goes to quarantine."""

from coinlake.silver.judging import judged, with_response
from coinlake.silver.quarantine import Replay, Waiting, replay_quarantine, replay_uncommitted
from coinlake.silver.streams import (
    Counts,
    load_responses,
    reader_options,
    require_landed,
    stream_all,
    stream_endpoint,
)
from coinlake.silver.verification import verify

__all__ = [
    "Counts",
    "Replay",
    "Waiting",
    "judged",
    "load_responses",
    "reader_options",
    "replay_quarantine",
    "replay_uncommitted",
    "require_landed",
    "stream_all",
    "stream_endpoint",
    "verify",
    "with_response",
]
