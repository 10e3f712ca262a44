"""What ran: the step log, its lineage, and the metrics made of both; and the alerts."""

from coinlake.observability import alerts
from coinlake.observability.metrics import METRIC_SOURCES, load_steps, update_metrics
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

__all__ = [
    "BY_HAND",
    "METRIC_SOURCES",
    "SITTING",
    "Step",
    "alerts",
    "begin",
    "close_unfinished",
    "load_steps",
    "new_run_id",
    "read_record",
    "read_records",
    "record_path",
    "refuse_too_many_rejected",
    "step_result",
    "update_metrics",
]
