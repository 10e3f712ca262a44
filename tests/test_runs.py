"""What a run consists of, and how it went."""

import itertools

import pytest

from coinlake import schema
from coinlake.schema import STEPS

REFINING = ["01_ingest_market_data", "02_ingest_context_data", "03_stream_to_silver", "04_build_gold"]
REPORTS = ["06_report_price_averages", "07_report_market_trends", "08_report_pipeline_health"]


def test_every_notebook_is_expected_of_a_run_that_sets_up():
    for step in set(STEPS) - {"00_setup"}:
        assert schema.missing_steps(set(STEPS) - {step}) == (step,)
    assert schema.missing_steps({"00_setup"}) == tuple(STEPS)[1:]
    assert schema.missing_steps(set(STEPS)) == ()


def test_data_factory_refines_always_and_reports_or_not():
    assert schema.missing_steps(REFINING) == ()
    assert schema.missing_steps([*REFINING, "05_load_sql"]) == ()
    assert schema.missing_steps([*REFINING, *REPORTS]) == ()
    assert schema.missing_steps([*REFINING, REPORTS[0]]) == (REPORTS[1], REPORTS[2])
    assert schema.missing_steps(["05_load_sql"]) == tuple(REFINING)


def test_a_run_succeeded_only_when_every_step_did():
    states = ("succeeded", "running", "interrupted", "failed")
    for statuses in itertools.product(states, repeat=3):
        assert schema.run_status(statuses) == max(statuses, key=states.index)
        lacking = schema.run_status(statuses, ["04_build_gold"])
        assert lacking == ("incomplete" if set(statuses) == {"succeeded"} else max(statuses, key=states.index))


@pytest.mark.parametrize(
    ("parameters", "by_hand"), [('{"run_id": ""}', True), ('{"run_id": "r1"}', False), ("{}", False)]
)
def test_a_notebook_without_a_run_id_runs_by_hand(parameters, by_hand):
    assert schema.ran_by_hand(parameters) is by_hand
