"""Runs another program in the foreground, in place of the command that was typed: it gets the signals."""

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

HANDED_ON = (signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs the program to its end; its exit code, or as a shell has it, 128 and the signal that has ended it.

    Ctrl-C is the program's own affair: the terminal sends it to both, and some ask before they end. What asks
    this process to end (SIGTERM, a closed terminal) asks the program, so that it never stays behind.
    """
    with ExitStack() as restored:
        # Until the program is there, what arrives is kept.
        waiting: list[int] = []
        ask: Callable[[int], None] = waiting.append
        for number in HANDED_ON:
            restored.callback(signal.signal, number, signal.signal(number, lambda given, _: ask(given)))
        restored.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, lambda *_: None))
        program = subprocess.Popen(command, env=dict(environment))
        ask = program.send_signal
        for given in waiting:
            program.send_signal(given)
        code = program.wait()
        return code if code >= 0 else 128 - code
