"""Microsoft's tabular engine, as its modeling server for the Model Context Protocol runs it, offline.

The environment variable COINLAKE_TABULAR_ENGINE names the program: `npm install @microsoft/powerbi-modeling-mcp`
puts it into node_modules/.bin/powerbi-modeling-mcp.
"""

import json
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

PROGRAM = os.environ.get("COINLAKE_TABULAR_ENGINE", "")


class TabularEngine:
    """One engine with one model, loaded from a folder of TMDL."""

    def __init__(self, folder: Path):
        self._ids = count(1)
        self._process = subprocess.Popen(
            [PROGRAM, "--start", "--readonly"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        )
        try:
            client = {"name": "tests", "version": "1"}
            self._ask("initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client})
            self._send({"jsonrpc": "2.0", "method": "notifications/initialized", "params": {}})
            self.call("connection", operation="ConnectFolder", folderPath=str(folder))
        except AssertionError:
            self.__exit__()
            raise

    def __enter__(self) -> "TabularEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def call(self, about: str, **request: Any) -> Any:
        """What an operation gives; one that fails is an assertion with the engine's words."""
        answer = self._ask("tools/call", {"name": f"{about}_operations", "arguments": {"request": request}})
        [content] = answer["content"]
        document = json.loads(content["text"])
        # About one thing it answers with data, about several with results.
        found = document.get("data", document.get("results"))
        assert found is not None, f"{about} {request}: {content['text']}"
        return found

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        id_ = next(self._ids)
        self._send({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == id_:
                return answer["result"]
        raise AssertionError("the engine has ended")

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
