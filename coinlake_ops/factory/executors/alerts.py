"""A webhook on this machine: it keeps every alert that is posted to it, one JSON object a line."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class AlertServer(ThreadingHTTPServer):
    """Takes POSTs on a free port of 127.0.0.1 and appends them to a file."""

    daemon_threads = True

    def __init__(self, file: Path):
        self.file = file
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """Where alerts are posted to."""
        return f"http://127.0.0.1:{self.server_address[1]}/alert"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AlertServer

    def do_POST(self):
        """Keep one alert."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        alert = {"received_at": datetime.now(UTC).isoformat(timespec="seconds")} | json.loads(body)
        self.server.file.parent.mkdir(parents=True, exist_ok=True)
        with self.server.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(alert) + "\n")
        answer = b'{"status": "noted"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format, *arguments):
        """Say nothing: the run's own tree tells."""
