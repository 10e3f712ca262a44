"""What ran: the step log, its lineage, and the metrics made of both; and the alerts."""

from coinlake.observability import alerts
from coinlake.observability.metrics import METRIC_SOURCES, closes_of_two_sources, load_steps, update_metrics
from coinlake.observability.steps import (
    BY_HAND,
    SITTING,
    Step,
    begin,
    close_unfinished,
    new_run_id,
    read_record,
    read_records,
    record_path,
    refuse_too_many_rejected,
    step_result,
)
from coinlake.observability.verification import verify

__all__ = [
    "BY_HAND",
    "METRIC_SOURCES",
    "SITTING",
    "Step",
    "alerts",
    "begin",
    "close_unfinished",
    "closes_of_two_sources",
    "load_steps",
    "new_run_id",
    "read_record",
    "read_records",
    "record_path",
    "refuse_too_many_rejected",
    "step_result",
    "update_metrics",
    "verify",
]
