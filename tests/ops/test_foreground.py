"""Programs that run in place of a command, such as JupyterLab: what ends it ends them, in their own way."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

COMMAND = """
import os, sys
from coinlake_ops import foreground
sys.exit(foreground.run([sys.executable, "-c", sys.argv[1]], os.environ))
"""
# Tells its id, and what it was sent; the second Ctrl-C ends it.
PROGRAM = """
import os, signal, sys
heard = []
def note(number, _):
    heard.append(signal.Signals(number).name)
    print(heard[-1], flush=True)
    if number != signal.SIGINT or len(heard) == 2:
        sys.exit(len(heard))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, note)
print(os.getpid(), flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def command():
    """The command with its program, in a process group of its own as a terminal has it; and the program's id."""
    running = subprocess.Popen(
        [sys.executable, "-c", COMMAND, PROGRAM], stdout=subprocess.PIPE, text=True, process_group=0
    )
    yield running, int(running.stdout.readline())
    running.kill()
    running.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_the_command_ends_the_program(command, number):
    running, _ = command
    running.send_signal(number)
    said, _ = running.communicate(timeout=30)
    assert (said, running.returncode) == (f"{number.name}\n", 1)


def test_ctrl_c_is_the_programs_own_affair(command):
    running, program = command
    for _ in range(2):
        # The terminal sends it to both; the command hears it and goes on.
        running.send_signal(signal.SIGINT)
        subprocess.run(["kill", "-INT", str(program)], check=True)
        assert running.stdout.readline() == "SIGINT\n"
    assert running.wait(timeout=30) == 2


def test_the_exit_code_is_that_of_the_program_or_tells_the_signal():
    code = [
        subprocess.run([sys.executable, "-c", COMMAND, program], timeout=30).returncode
        for program in ("raise SystemExit(7)", "import os; os.kill(os.getpid(), 9)")
    ]
    assert code == [7, 137]
