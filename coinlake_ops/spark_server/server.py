"""The standing Spark Connect server: started for a run, a lesson or a test, and ended with whoever started it."""

import contextlib
import fcntl
import json
import os
import secrets
import select
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from coinlake import project_files, runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.lake_lock import this_process
from coinlake_ops.spark_server.logs import last_words

MAIN_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
STARTED = r"Spark Connect server started at: \S*:(\d+)"
# Run by its path, so that it is a small process: as a module it would import the package, and Spark with it.
SUPERVISOR = Path(__file__).with_name("supervisor.py")
SECONDS_TO_START = 90
SECONDS_TO_STOP = 15


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
    _supervisor: subprocess.Popen[bytes] = field(repr=False)

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
        _end(self._supervisor)

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
    _make_private(folder)
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
    (folder / "server.json").write_text(json.dumps({"pid": supervisor.pid, "port": port, "for": this_process()}))
    return Server(f"sc://localhost:{port}", token, supervisor.pid, log, supervisor)


def _make_private(folder: Path) -> None:
    """Makes the folder of a server, for its owner only; warns where others may come at it or at the lake.

    What is no folder, or holds one where a file must be, is made again: nothing in it is worth keeping.
    """
    wrong = [folder] if folder.exists() and not folder.is_dir() else []
    wrong += [folder / name for name in ("lock", "server.json", "server.log") if (folder / name).is_dir()]
    for path in wrong:
        path.unlink() if path.is_file() else shutil.rmtree(path)
        print(f"{path} was damaged, and is made again", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)
    if folder.stat().st_mode & 0o077:
        print(
            f"Warning: other users of this machine may read {folder}, and that cannot be changed here. It holds "
            "what Spark says of the data: choose another LAKE_PATH if that matters.",
            file=sys.stderr,
        )
    if warning := others_may_write(folder.parent):
        print(f"Warning: {warning}", file=sys.stderr)


def others_may_write(folder: Path) -> str:
    """What is wrong with a folder that every user of this machine may write to; empty if nothing is."""
    mode = folder.stat().st_mode
    if not mode & stat.S_IWOTH or mode & stat.S_ISVTX:
        return ""
    return (
        f"every user of this machine may write to {folder}, and so change what tables and reports say. "
        f"Forbid it: chmod -R o-w {shlex.quote(str(folder))}"
    )


def stop(lake: str | Path) -> bool:
    """Ends the server of a lake, whoever started it; returns whether there was one."""
    folder = Path(lake).resolve() / "spark_server"
    try:
        pid = json.loads((folder / "server.json").read_text())["pid"]
        with _lock(folder):
            return False
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        # A note that is cut tells nothing; the server it was of ends with the process that it runs for.
        return False
    except CoinlakeError:
        os.kill(pid, signal.SIGTERM)
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    return True


def _command(work: Path, java_options: tuple[str, ...]) -> list[str]:
    confs = runtime.SPARK_CONFS | {
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.local.dir": str(work / "local"),
        "spark.jars.ivy": str(work / "ivy"),
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
        *("--driver-java-options", runtime.option_line(options)),
        "spark-internal",
    ]


def _environment(token: str) -> dict[str, str]:
    environment = runtime.spark_environment() | {
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        # foreachBatch runs in a Python worker of the server and imports coinlake there.
        "PYTHONPATH": str(project_files.IMPORTED_FROM),
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
                        f"A Spark server of this lake runs already ({folder}), for {_started_for(folder)}. Let "
                        f"that end, or end the server with: coinlake server stop --lake {folder.parent}"
                    ) from None
            time.sleep(0.1)
        yield file.fileno()


def _started_for(folder: Path) -> str:
    """Which process a server runs for, as it noted; another one when it has just gone or not yet come."""
    try:
        return str(json.loads((folder / "server.json").read_text())["for"])
    except (FileNotFoundError, ValueError, KeyError):
        return "another process"


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    """Closes the pipe that keeps the supervisor, and waits until it has ended the server."""
    assert supervisor.stdin and supervisor.stdout  # it was started with both
    supervisor.stdin.close()
    supervisor.wait()
    supervisor.stdout.close()


def _wait_until_it_answers(supervisor: subprocess.Popen[bytes], log: Path) -> int:
    assert supervisor.stdout
    ready, _, _ = select.select([supervisor.stdout], [], [], SECONDS_TO_START)
    port = supervisor.stdout.readline().strip() if ready else b""
    if port:
        return int(port)
    _end(supervisor)
    problem = "ended at once" if ready else f"did not answer within {SECONDS_TO_START} s"
    try:
        said = last_words(log.read_text(errors="replace"))
    except OSError as error:
        said = f"its log cannot be read: {error.strerror}"
    raise CoinlakeError(
        f"The Spark server {problem}. Its last words: {said}\n"
        f"All of them: {log}. `coinlake doctor` checks Java, jars, memory and disk."
    )
