"""Who gets the live page and its stream: whoever has the token, on this machine; fifty at once."""

import http.client
import json
import socket
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.watch import LivePage

HTML = "<!DOCTYPE html><title>now</title>"


@pytest.fixture
def seen():
    return []


@pytest.fixture
def page(seen):
    with LivePage(HTML, seen.append) as page:
        yield page


def port_of(page):
    return urlsplit(page.address).port


def ask(page, path, token=True, method="GET", host=None):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(page), timeout=10)
    path += f"{'&' if '?' in path else '?'}token={page.token}" if token else ""
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port_of(page)}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


class Stream:
    """One browser's stream of changes."""

    def __init__(self, page):
        self.connection = http.client.HTTPConnection("127.0.0.1", port_of(page), timeout=30)
        self.connection.request("GET", f"/events?token={page.token}")
        self.answer = self.connection.getresponse()

    def next(self):
        """What the next message says."""
        while not (line := self.answer.readline().decode()).startswith("data: "):
            assert line, "the stream has ended"
        return json.loads(line.removeprefix("data: "))

    def close(self):
        self.answer.close()
        self.connection.close()


def test_the_page_is_for_whoever_has_the_token(page):
    assert parse_qs(urlsplit(page.address).query) == {"token": [page.token]}
    assert len(page.token) >= 32
    status, headers, body = ask(page, "/")
    assert (status, body) == (200, HTML)
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Server" not in headers


@pytest.mark.parametrize("path", ["/", "/events", "/?token=", "/?token=wrong", "/events?token=%C3%BC"])
def test_without_it_nothing_is_told(page, path):
    status, _, body = ask(page, path, token=False)
    assert (status, body) == (403, "403: open the address that coinlake watch has printed, with its token\n")


def test_nobody_marks_a_turn_as_seen_without_it(page, seen):
    assert ask(page, "/seen?turn=1", token=False, method="POST")[0] == 403
    assert ask(page, "/seen?turn=one", method="POST")[0] == 400
    assert ask(page, "/seen?turn=12", method="POST")[0] == 204
    assert seen == [12]


def test_a_name_of_another_machine_does_not_lead_here(page):
    assert ask(page, "/", host="localhost:1")[0] == 200
    assert ask(page, "/", host="example.com")[0] == 403


def test_it_listens_on_this_machine_alone(page):
    assert page._socket.getsockname()[0] == "127.0.0.1"


def test_there_is_nothing_else(page):
    assert ask(page, "/lake")[0] == 404


def test_a_stream_begins_with_what_is_shown_and_goes_on_with_what_changes(page):
    page.publish(turn=1, headline="up")
    stream = Stream(page)
    first = stream.next()
    page.publish(problem="no network")
    assert [first, stream.next()] == [
        {"turn": 1, "headline": "up"},
        {"turn": 1, "headline": "up", "problem": "no network"},
    ]
    stream.close()


def test_fifty_browsers_get_every_turn(page):
    page.publish(turn=0)
    streams = [Stream(page) for _ in range(50)]
    got = []

    def read(stream):
        while (turn := stream.next()["turn"]) < 1:
            pass
        got.append(turn)

    threads = [threading.Thread(target=read, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    page.publish(turn=1)
    for thread in threads:
        thread.join(30)
    assert got == [1] * 50
    assert len(page.streams) == 50
    for stream in streams:
        stream.close()


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CoinlakeError, match=f"port {port} of 127.0.0.1 is not free .*choose another with --port"
        ):
            LivePage(HTML, print, port)
