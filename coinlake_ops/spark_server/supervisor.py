"""Runs one command that must not outlive the process that asked for it.

    python supervisor.py LOG READY PATIENCE PID_FILE COMMAND...

The asking process holds the other end of this process's standard input. When it ends, in whatever way
(kill -9 too), the kernel closes that pipe, the read below returns and the command is told to end; after
PATIENCE seconds it is killed. PID_FILE, which others wrote about the command, is deleted before that. What the
command has started and left behind ends with it. Should this process itself be killed, Linux ends the
command (PDEATHSIG).
The command's output goes to the file LOG, which only its owner may read; a secret that the command has in its
environment is left out of it. The first line that matches the regular expression READY is
answered with its first group, on standard output.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

TOKEN = b"SPARK_CONNECT_AUTHENTICATE_TOKEN"
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_supervisor() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _private(path: str, flags: int) -> int:
    """Opens a file that only its owner may read, also if it is there already."""
    file = os.open(path, flags, 0o600)
    os.fchmod(file, 0o600)
    return file


def _end(command: subprocess.Popen, patience: float) -> None:
    command.terminate()
    try:
        command.wait(patience)
    except subprocess.TimeoutExpired:
        command.kill()


def supervise(log: Path, ready: str, patience: float, pid_file: Path, arguments: list[str]) -> int:
    """Runs the command to its end and returns its exit code."""

    def end() -> None:
        pid_file.unlink(missing_ok=True)
        _end(command, patience)

    # Inherited files stay open in the command: the lock of the server's folder lives as long as either.
    command = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        close_fds=False,
        preexec_fn=_die_with_supervisor,
        process_group=0,
    )

    def wait_for_the_parents_end() -> None:
        os.read(0, 1)
        end()

    token = os.environb.get(TOKEN, b"")

    def keep_log() -> None:
        announced = False
        try:
            with open(log, "wb", buffering=0, opener=_private) as file:
                for line in command.stdout or ():
                    file.write(line.replace(token, b"***") if token else line)
                    found = None if announced else re.search(ready, line.decode(errors="replace"))
                    if found:
                        announced = True
                        print(found.group(1), flush=True)
        except OSError:
            # The disk is full, or nobody waits for the answer: a command that is not listened to would block.
            end()

    threading.Thread(target=wait_for_the_parents_end, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
    reader = threading.Thread(target=keep_log)
    reader.start()
    code = command.wait()
    # A stream's Python worker would ask the server that is gone for many minutes more.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    reader.join()
    return code


if __name__ == "__main__":
    log, ready, patience, pid_file, *arguments = sys.argv[1:]
    sys.exit(supervise(Path(log), ready, float(patience), Path(pid_file), arguments))
