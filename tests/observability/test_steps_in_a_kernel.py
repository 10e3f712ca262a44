"""The record of a step as a real kernel's cells leave it: nobody but the notebook's own code is there."""

import os
import signal
from datetime import date

import pytest
from jupyter_client.manager import KernelManager

from coinlake import observability
from coinlake_ops import notebooks

pytestmark = pytest.mark.processes


@pytest.fixture
def cells(tmp_path):
    """Runs one cell after another in a kernel, in which a step of the run r1 has begun."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(notebooks.FOLDER))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)

        def run(source, *, interrupt_when=None):
            request = client.execute(source, stop_on_error=False)
            if interrupt_when is not None:
                while client.get_iopub_msg(timeout=60)["content"].get("text") != f"{interrupt_when}\n":
                    pass
                manager.interrupt_kernel()
            while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != request:
                pass
            return reply["content"]["status"]

        run.kernel = manager
        run(f"lake_path: str = {str(tmp_path)!r}\nrun_id: str = 'r1'")
        run("from coinlake import observability\nstep = observability.begin('03_stream_to_silver', globals())")
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def noted(tmp_path):
    """State and message of each step that left a record, in the order of run and step."""

    def read():
        records = observability.read_records(str(tmp_path), date.min)
        return [(record["status"], record["message"]) for record in records]

    return read


def test_a_record_follows_the_cells(cells, noted):
    assert noted() == [("running", None)]
    assert cells("1 / 0") == "error"
    assert noted() == [("failed", "ZeroDivisionError: division by zero")]
    assert cells("this is no Python") == "error"
    assert noted()[0][1].startswith("SyntaxError: ")
    cells("from coinlake.errors import StorageError")
    assert noted() == [("running", None)]
    cells("raise StorageError('The table is gone.\\n\\nJVM stacktrace:\\nat org.apache')")
    assert noted() == [("failed", "The table is gone.")]
    cells("step.end(rows_read=1, rows_written=1)")
    assert noted() == [("succeeded", None)]
    assert cells("raise ValueError('an exercise')") == "error"
    assert noted() == [("succeeded", None)]


def test_who_interrupts_a_cell_interrupts_the_step(cells, noted):
    assert cells("import time\nprint('at work')\ntime.sleep(600)", interrupt_when="at work") == "error"
    assert noted() == [("interrupted", "A person interrupted it.")]


def test_a_notebook_that_is_begun_again_begins_its_record_again(cells, noted):
    cells("run_id = 'r2'\nagain = observability.begin('03_stream_to_silver', globals())")
    assert noted() == [("interrupted", "A person interrupted it."), ("running", None)]
    cells("1 / 0")
    assert noted()[1][0] == "failed"
    cells("again.end(rows_read=0, rows_written=0)")
    assert noted() == [("interrupted", "A person interrupted it."), ("succeeded", None)]


def test_a_kernel_that_is_killed_leaves_a_step_that_the_next_run_closes(cells, noted, tmp_path):
    os.kill(cells.kernel.provisioner.pid, signal.SIGKILL)
    assert noted() == [("running", None)]
    observability.close_unfinished(str(tmp_path), observability.read_records(str(tmp_path), date.min))
    assert noted() == [("interrupted", "A later run found it unfinished: it was cut off, and could not say why.")]
