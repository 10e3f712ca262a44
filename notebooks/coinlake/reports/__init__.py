"""The reports: from gold frames to one page that opens offline. A module each: `read` the frames, `build` it.

    from coinlake.reports import price_averages
    gold = price_averages.read(lake)
    price_averages.build(gold, built_at=..., run_id=...)

live_market is of another kind: what the page of `coinlake watch` shows, as plain data.
A report is imported when it is asked for. Beside them: data (what the reports read), page (how a report is drawn).
"""

__all__ = ["coins", "live_market", "market_trends", "pipeline_health", "price_averages"]
