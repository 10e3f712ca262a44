"""The one module that knows where the code runs: Databricks, a Spark Connect client, or a session of its own.

A notebook calls `platform.spark()` and the rest of this module, and never asks.
"""

import atexit
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from coinlake import process_environment, project_files
from coinlake.errors import ConfigurationError
from coinlake.runtime.databricks import injected, is_databricks
from coinlake.runtime.interrupts import end_work_with_cell
from coinlake.runtime.jvm import java_options, option_line, require_delta_jars, spark_environment

# What a session on a laptop is made with; the standing server starts with the same.
SPARK_CONFS = {
    "spark.app.name": "coinlake",
    "spark.master": "local[2]",
    "spark.driver.memory": "1536m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # The sample is small: the defaults (200, 50 and 10,000 tasks) would cost more than the work.
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    # Of a few partitions all are looked at together: the first one alone would be a job of its own.
    "spark.sql.limit.initialNumPartitions": "100",
    # With so few tasks there is nothing to adapt, and each stage would be planned again, as a job of its own.
    "spark.sql.adaptive.enabled": "false",
    # Writing and compiling Java for each query takes longer than interpreting it over some ten thousand rows;
    # `compiled` is for the others.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Statistics of the files' sizes for Delta's log: nobody reads them here.
    "spark.databricks.delta.fileSizeHistogramMetrics.enabled": "false",
    # A merge hands Delta rows that it holds already (delta.tables), which need not be copied first.
    "spark.databricks.delta.merge.materializeSource": "none",
    # Delta keeps what it knows of 10,000 tables, some 2 MB of each, where a long session sees many lakes.
    "spark.databricks.delta.delta.log.cacheSize": "60",
    # What Spark's page would show: nobody looks at it here.
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
    "spark.ui.retainedTasks": "100",
    "spark.sql.ui.retainedExecutions": "10",
    # Hadoop would put a checksum file beside each file, and change the rights of both by a program of its own.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    # A JSON object may name a field twice; the last one counts, as in Spark's JSON reader.
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
}
# How Spark works by default: it writes and compiles Java for each query.
COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


def spark() -> SparkSession:
    """The Spark session of this notebook.

    On Databricks the session that is there; with SPARK_REMOTE set, a client of that Spark Connect server;
    else a local session with Delta, quiet, in UTC. Raises ConfigurationError with the remedy if the server does
    not answer, no fitting Java is found, or Delta's jars were never fetched.
    """
    if is_databricks():
        return injected("spark") or SparkSession.builder.getOrCreate()
    _live_in_utc()
    # An error is raised, and whoever catches it knows what to say; PySpark would log it as JSON besides.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
    remote = os.environ.get("SPARK_REMOTE")
    return _client(remote) if remote else _local_session()


@contextmanager
def compiled(session: SparkSession) -> Iterator[None]:
    """Within the block the session's queries are compiled on a laptop, too; Databricks compiles always.

    For queries that compute much for each row, or over many rows: a window over 200 days adds 200 numbers a row.
    """
    if is_databricks():
        yield
        return
    with settings(session, COMPILED):
        yield


@contextmanager
def settings(session: SparkSession, confs: Mapping[str, str]) -> Iterator[None]:
    """Within the block the session has these settings, and afterwards those that it had before."""
    before = {name: session.conf.get(name) for name in confs}
    try:
        for name, value in confs.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, earlier in before.items():
            if earlier is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, earlier)


def resolve_path(path: str) -> str:
    """The absolute folder: a relative path counts from `project_files.home()`, wherever the notebook runs.

    Raises ConfigurationError for no name at all; for an address such as abfss://...: landing, checkpoints and the
    step log are files; for the home of a user whom this machine does not have; and for a folder with a question
    mark in its name, below which DuckDB cannot keep the warehouse's file.
    """
    if not path.strip():
        raise ConfigurationError("It is empty, and a lake is a folder. Name one, such as lake/simulated.")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        raise ConfigurationError(
            f"{path} is an address, and a lake is a folder. On Databricks take a volume, such as "
            "/Volumes/<catalog>/raw_data/lake, which may stand on that storage; elsewhere a folder of the machine."
        )
    try:
        resolved = str(project_files.home() / Path(path).expanduser())
    except RuntimeError:
        raise ConfigurationError(
            f"{path} is in the home of a user whom this machine does not have. Write the folder out."
        ) from None
    if "?" in resolved:
        raise ConfigurationError(
            f"{resolved} has a question mark in its name, which DuckDB, the warehouse, takes for the end of a "
            "file's name. Any other character will do: choose another folder."
        )
    return resolved


def _local_session() -> SparkSession:
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    require_delta_jars()
    environment = spark_environment()
    process_environment.take_over()
    os.environ.update(environment)
    folder = tempfile.mkdtemp(prefix="coinlake-session-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    confs: dict[str, bool | float | int | str | None] = {
        **SPARK_CONFS,
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.jars.ivy": f"{folder}/ivy",
        "spark.driver.extraJavaOptions": option_line(java_options()),
    }
    session = SparkSession.builder.config(map=confs).getOrCreate()
    end_work_with_cell(session, session.sparkContext.cancelAllJobs)
    return session


def _client(remote: str) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    process_environment.take_over()
    address = urlsplit(remote)
    try:
        socket.create_connection((address.hostname, address.port or 15002), timeout=5).close()
    except OSError as problem:
        raise ConfigurationError(
            f"No Spark server answers at {address.hostname}:{address.port} (SPARK_REMOTE): {problem}. "
            "It has ended; start the run or `coinlake lab` again, or unset SPARK_REMOTE for a local session."
        ) from None
    session = SparkSession.builder.remote(remote).getOrCreate()
    # PySpark would ask a server that was killed for ten minutes more; half a minute is enough on one machine.
    session.client.set_retry_policies([DefaultPolicy(max_retries=8, max_backoff=5000)])  # type: ignore[operator]  # typed as the classic session's, which has none
    end_work_with_cell(session, session.interruptAll)
    return session


def _live_in_utc() -> None:
    # Python shows collected timestamps in the process's own zone; on Databricks that is UTC.
    os.environ["TZ"] = "UTC"
    time.tzset()
