"""Bronze: what the API answered, byte for byte. A run asks, and lands whole or not at all."""

from coinlake.bronze.budget import SpendingPlan, plan_spending
from coinlake.bronze.ingestion import (
    KEY_NAME,
    SMALLEST_MARKET,
    Summary,
    ingest,
    plan_ingestion,
    resolve_as_of,
)
from coinlake.bronze.landing_zone import LandingZone, Line
from coinlake.bronze.recordings import Recording, add_recording
from coinlake.bronze.replay import ReplayAdapter
from coinlake.bronze.request_plan import RequestPlan, Settings, plan_requests
from coinlake.bronze.verification import verify

__all__ = [
    "KEY_NAME",
    "SMALLEST_MARKET",
    "LandingZone",
    "Line",
    "Recording",
    "ReplayAdapter",
    "RequestPlan",
    "Settings",
    "SpendingPlan",
    "Summary",
    "add_recording",
    "ingest",
    "plan_ingestion",
    "plan_requests",
    "plan_spending",
    "resolve_as_of",
    "verify",
]
