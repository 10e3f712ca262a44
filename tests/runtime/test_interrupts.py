"""A cell that is interrupted: what it had asked Spark for ends with it, whatever thread asked."""

import os

import pytest
from jupyter_client.manager import KernelManager

from coinlake_ops import notebooks

BEGIN = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from coinlake import autoloader, runtime
spark = runtime.spark()
"""
# Hours of work for both cores, asked for by two threads; the one that hears of the interrupt only waits for them.
JOBS = """
ask = lambda _: spark.range(10**12).selectExpr("sum(sqrt(id))").collect()
with ThreadPoolExecutor() as pool:
    asked = pool.map(ask, range(2))
    print("at work", flush=True)
    list(asked)
"""
STREAM = """
query = spark.readStream.format("rate").load().writeStream.format("noop").start()
print("at work", flush=True)
query.awaitTermination()
"""


@pytest.fixture
def cells(standing_server):
    """Runs one cell after another in a kernel that is a client of the server; returns what the cell printed."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(notebooks.FOLDER), env=os.environ | standing_server.environment)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    try:

        def run(source, *, interrupt=False):
            request = client.execute(source, stop_on_error=False)
            printed = ""
            while True:
                message = client.get_iopub_msg(timeout=60)
                if message["parent_header"].get("msg_id") != request:
                    continue
                printed += message["content"].get("text", "") + message["content"].get("ename", "")
                if interrupt and "at work" in printed:
                    manager.interrupt_kernel()
                    interrupt = False
                if message["content"].get("execution_state") == "idle":
                    return printed

        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_jobs_of_all_threads_and_streams_end_with_the_cell(cells):
    assert cells(BEGIN) == ""
    assert cells(JOBS, interrupt=True) == "at work\nKeyboardInterrupt"
    assert cells("print(spark.range(3).count())") == "3\n"
    assert cells(STREAM, interrupt=True) == "at work\nKeyboardInterrupt"
    assert cells("print(spark.streams.active)") == "[]\n"
