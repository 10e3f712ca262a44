"""The JVM of a laptop: its options, its class archive, Delta's jars."""

import importlib.metadata
import os
import pwd
import shlex
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from coinlake import process_environment
from coinlake.errors import ConfigurationError
from coinlake.runtime.java import Java, find_java


def spark_environment() -> dict[str, str]:
    """The environment variables for Spark's scripts and Python workers: this process's own, and what they need.

    Raises ConfigurationError if no fitting Java is found, or if this user has no name.
    """
    require_user()
    return process_environment.own() | {
        "JAVA_HOME": str(find_java().home()),
        "SPARK_HOME": str(spark_home()),
        # Nothing is there: settings of this machine do not count.
        "SPARK_CONF_DIR": str(spark_home() / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def require_user() -> str:
    """The name of the user whom this process belongs to.

    Raises ConfigurationError if the machine knows none, as in a container that was started with just some number:
    Hadoop, which Spark stands on, does not start then.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        number, group = os.getuid(), os.getgid()
        raise ConfigurationError(
            f"This machine has no user {number}, and Spark does not start for a user without a name. Give it one, "
            "for example when the image is built: "
            f"echo 'coinlake:x:{number}:{group}::/tmp:/bin/sh' >> /etc/passwd"
        ) from None


def option_line(options: Sequence[str]) -> str:
    """Java options as one text, from which Spark reads the same options again, whatever characters they have."""
    return shlex.join(options)


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
    archive = class_archive(find_java())
    return [*options, f"-XX:SharedArchiveFile={archive}"] if archive.exists() else options


def class_archive(chosen: Java) -> Path:
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
    """Raises ConfigurationError if the jars of the pinned Delta are not beside Spark's own."""
    jars = spark_home() / "jars"
    if not list(jars.glob(f"delta-spark_*-{delta_version()}.jar")):
        raise ConfigurationError(
            f"Delta {delta_version()} is not in {jars}. Fetch it once, with network: coinlake setup fetch-jars"
        )
