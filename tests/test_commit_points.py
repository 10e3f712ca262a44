"""Commit points: announced before and after a change to whoever listens, and nothing where nobody does."""

import socket
import threading

import pytest

from coinlake.commit_points import LISTENER, commit_point


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """The two lines that are announced, each answered at once."""
    monkeypatch.chdir(tmp_path)
    lines = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("listener")
        listening.listen()
        monkeypatch.setenv(LISTENER, "listener")

        def listen():
            for _ in range(2):
                told, _ = listening.accept()
                with told:
                    lines.append(told.makefile().readline())
                    told.sendall(b".")

        thread = threading.Thread(target=listen)
        thread.start()
        yield lines
        thread.join()


def test_a_change_waits_for_the_answer_before_and_after(heard):
    with commit_point("append raw_data.responses"):
        heard.append("the change")
    assert heard == ["before append raw_data.responses\n", "the change", "after append raw_data.responses\n"]


def test_where_nobody_listens_only_the_change_happens(monkeypatch):
    monkeypatch.delenv(LISTENER, raising=False)
    done = []
    with commit_point("append raw_data.responses"):
        done.append("the change")
    assert done == ["the change"]


def test_a_change_that_fails_is_not_announced_as_made(heard, monkeypatch):
    with pytest.raises(OSError, match="no space"), commit_point("rename a"):
        raise OSError("no space")
    assert heard == ["before rename a\n"]
    # The other line that is waited for.
    with commit_point("rename b"):
        monkeypatch.delenv(LISTENER)
