"""Gold: the star schema and the aggregates, as functions of silver."""

from coinlake.gold.build import SOURCES, Build, build
from coinlake.gold.star import coin_versions, daily_prices

__all__ = ["SOURCES", "Build", "build", "coin_versions", "daily_prices"]
