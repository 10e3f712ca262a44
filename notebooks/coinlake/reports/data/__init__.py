"""What the reports read: frames of gold, the universe of coins, how fresh the data is."""

from coinlake.reports.data import event_words, frames, freshness, queries, universe
from coinlake.reports.data.frames import Frames
from coinlake.reports.data.universe import Universe

__all__ = ["Frames", "Universe", "event_words", "frames", "freshness", "queries", "universe"]
