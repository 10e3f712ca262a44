"""Bronze: what the API answered, byte for byte. A run asks, and lands whole or not at all."""

from coinlake.bronze.ingestion import KEY_NAME, SMALLEST_MARKET, Summary, ingest, resolve_as_of
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
    "Summary",
    "add_recording",
    "ingest",
    "plan_requests",
    "resolve_as_of",
    "verify",
]
