"""`coinlake watch`: the pipeline again and again over one Spark server, and a page that shows the market now."""

from coinlake_ops.watch.command import interval_among, run
from coinlake_ops.watch.live_page import LivePage
from coinlake_ops.watch.records import Records
from coinlake_ops.watch.schedule import Schedule, Turn, interval, pace
from coinlake_ops.watch.turns import Watch

__all__ = ["LivePage", "Records", "Schedule", "Turn", "Watch", "interval", "interval_among", "pace", "run"]
