"""The one module that knows where the code runs: Databricks, a Spark Connect client, or a session of its own.

A notebook calls `platform.spark()` and the rest of this module, and never asks.
"""

import atexit
import importlib.metadata
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from coinlake import java
from coinlake.errors import CoinlakeError

REPOSITORY = Path(__file__).resolve().parents[2]

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
    # With so few tasks there is nothing to adapt, and each stage would be planned again, as a job of its own.
    "spark.sql.adaptive.enabled": "false",
    # Writing and compiling Java for each query takes longer than interpreting it over some ten thousand rows;
    # `compiled` is for the others.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Statistics of the files' sizes for Delta's log: nobody reads them here.
    "spark.databricks.delta.fileSizeHistogramMetrics.enabled": "false",
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
    else a local session with Delta, quiet, in UTC. Raises CoinlakeError with the remedy if the server does
    not answer, no fitting Java is found, or Delta's jars were never fetched.
    """
    if is_databricks():
        return _injected("spark") or SparkSession.builder.getOrCreate()
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
    before = {name: session.conf.get(name) for name in COMPILED}
    try:
        for name, value in COMPILED.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            session.conf.set(name, value)


def is_databricks() -> bool:
    """Whether this is a Databricks cluster or Databricks serverless compute."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ or os.environ.get("IS_SERVERLESS") == "TRUE"


def dbutils():
    """Databricks' `dbutils`, or None anywhere else."""
    return _injected("dbutils")


def widgets() -> dict[str, str] | None:
    """The notebook's Databricks widgets, name -> text; None where there are no widgets."""
    utilities = dbutils()
    return None if utilities is None else dict(utilities.widgets.getAll())


def finish(result: str) -> None:
    """Ends a notebook with a result for its caller: on Databricks, where Data Factory or a job gave parameters.

    Whoever runs the cells by hand passes none, and goes on to the exercises; so does everyone elsewhere.
    """
    if widgets():
        dbutils().notebook.exit(result)


def resolve_path(path: str) -> str:
    """An absolute path or URI: a relative path counts from the repository's root, wherever the notebook runs.

    The environment variable COINLAKE_HOME puts another folder in the root's place.
    Absolute paths (/Volumes/... among them) and URIs (abfss://, dbfs:/, file:/) are returned as they are.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return path
    return str(Path(os.environ.get("COINLAKE_HOME", REPOSITORY)) / Path(path).expanduser())


def show(html: str) -> None:
    """Displays a piece of HTML below the cell."""
    display_html = _injected("displayHTML")
    if display_html is None:
        from IPython.display import HTML, display

        display(HTML(html))
    else:
        display_html(html)


def prepare_environment() -> None:
    """Sets what Spark's scripts and Python workers read from the environment.

    Raises CoinlakeError if no fitting Java is found.
    """
    os.environ["JAVA_HOME"] = str(java.find().home())
    os.environ["SPARK_HOME"] = str(spark_home())
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable


def java_options() -> list[str]:
    """The options of the JVM: a short start, Spark's quiet log, and the class archive where one was made.

    The C1 compiler, called for early, and the serial collector start fastest; they cost throughput in work of
    many minutes.
    """
    log_settings = Path(__file__).with_name("log4j2.properties").as_uri()
    options = [
        "-XX:TieredStopAtLevel=1",
        "-XX:CompileThresholdScaling=0.2",
        "-XX:+UseSerialGC",
        # Room from the beginning: a heap and a class space that grow by and by are collected again and again.
        "-Xms1200m",
        "-Xmn600m",
        "-XX:MetaspaceSize=256m",
        # C1 alone reserves 48 MB for compiled code: a dozen MERGEs fill it, and Spark ends with an error.
        "-XX:ReservedCodeCacheSize=240m",
        f"-Dlog4j2.configurationFile={log_settings}",
    ]
    archive = class_archive(java.find())
    return [*options, f"-XX:SharedArchiveFile={archive}"] if archive.exists() else options


def class_archive(chosen: java.Java) -> Path:
    """Where the archive of loaded classes (AppCDS) of this Java build and these jars is, once it was made."""
    jars = sorted((spark_home() / "jars").glob("*.jar"))
    described = [(jar.name, jar.stat().st_size, jar.stat().st_mtime_ns) for jar in jars]
    key = sha256(repr((chosen.build, described)).encode()).hexdigest()[:12]
    return Path(sys.prefix) / "share" / "coinlake" / f"classes-{key}.jsa"


def spark_home() -> Path:
    """The installed pyspark package, whose folder `jars` is every session's class path."""
    import pyspark

    return Path(pyspark.__file__).parent


def delta_version() -> str:
    """The version of Delta that requirements.txt pins."""
    return importlib.metadata.version("delta-spark")


def require_delta_jars() -> None:
    """Raises CoinlakeError if the jars of the pinned Delta are not beside Spark's own."""
    jars = spark_home() / "jars"
    if not list(jars.glob(f"delta-spark_*-{delta_version()}.jar")):
        raise CoinlakeError(
            f"Delta {delta_version()} is not in {jars}. Fetch it once, with network: "
            "python -m coinlake_ops.spark_server fetch-jars"
        )


def _local_session() -> SparkSession:
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    require_delta_jars()
    prepare_environment()
    warehouse = tempfile.mkdtemp(prefix="coinlake-warehouse-")
    atexit.register(shutil.rmtree, warehouse, ignore_errors=True)
    confs = SPARK_CONFS | {
        "spark.sql.warehouse.dir": warehouse,
        "spark.driver.extraJavaOptions": " ".join(java_options()),
    }
    return SparkSession.builder.config(map=confs).getOrCreate()


def _client(remote: str) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    address = urlsplit(remote)
    try:
        socket.create_connection((address.hostname, address.port or 15002), timeout=5).close()
    except OSError as problem:
        raise CoinlakeError(
            f"No Spark server answers at {address.hostname}:{address.port} (SPARK_REMOTE): {problem}. "
            "It has ended; start the run or `make lab` again, or unset SPARK_REMOTE for a local session."
        ) from None
    session = SparkSession.builder.remote(remote).getOrCreate()
    # PySpark would ask a server that was killed for ten minutes more; half a minute is enough on one machine.
    session.client.set_retry_policies([DefaultPolicy(max_retries=8, max_backoff=5000)])
    return session


def _injected(name: str):
    """What the platform put into the notebook's namespace under this name, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    namespace = shell.user_ns if shell else vars(sys.modules["__main__"])
    return namespace.get(name)


def _live_in_utc() -> None:
    # Python shows collected timestamps in the process's own zone; on Databricks that is UTC.
    os.environ["TZ"] = "UTC"
    time.tzset()
