"""What the reports read: frames of gold, the universe of coins, how fresh the data is."""

from coinlake.reports.data import frames, freshness, queries, universe
from coinlake.reports.data.frames import Frames
from coinlake.reports.data.universe import Universe

__all__ = ["Frames", "Universe", "frames", "freshness", "queries", "universe"]
