"""The kernels of this very Python in which notebooks are executed, and those that are kept for the next time.

A kernel that is kept has its imports done and its session open: its notebook begins at once when it comes again.
"""

import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

from coinlake import process_environment
from coinlake_ops import project
from coinlake_ops.kernels import send

# All that cells have defined is gone, and the next cell is the first one again.
FORGET = "get_ipython().reset(new_session=True)"
SECONDS_TO_FORGET = 10


class PrivateKernel(AsyncKernelManager):
    """A kernel of this very Python, whatever kernels this machine's Jupyter knows; not started yet.

    It talks through Unix sockets, which nobody else on the network or the machine can read, and works in the
    folder `works_in`. `environment` is what it gets on top of the variables that everything gets which is started
    here; `log` is the file that it writes to. `end` it, or let `KeptKernels` do that.
    """

    def __init__(self, works_in: Path, log: Path, environment: Mapping[str, str], **traits: Any):
        super().__init__(**traits)
        self._folder = tempfile.TemporaryDirectory(prefix="coinlake-", dir=_folder_for_sockets())
        self._works_in, self._log = works_in, log
        self._environment = process_environment.own() | {
            # It works in the notebooks' folder: relative paths go on counting from where this process does.
            "COINLAKE_HOME": str(project.home()),
            # Neither start-up files of this machine's user, nor a need to write into their home.
            "IPYTHONDIR": f"{self._folder.name}/ipython",
            **environment,
        }
        self._clients: list[Any] = []
        self.transport = "ipc"
        self.ip = f"{self._folder.name}/kernel"
        self.connection_file = f"{self._folder.name}/connection.json"
        self._kernel_spec = KernelSpec(**get_kernel_dict())

    def client(self, **options: Any) -> Any:
        """A client of the kernel, which is remembered, so that `hang_up` ends it."""
        self._clients.append(super().client(**options))
        return self._clients[-1]

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        # What a kernel says of itself is for its developers; what a cell prints goes another way.
        # Its folder is set here: papermill would change that of this whole process, runs side by side or not.
        with self._log.open("wb") as log:
            return await super()._async_pre_start_kernel(
                **options | {"stderr": os.dup(log.fileno()), "cwd": str(self._works_in), "env": self._environment}
            )

    def hang_up(self) -> None:
        """End the clients of the kernel, which itself stays."""
        while self._clients:
            self._clients.pop().stop_channels()

    def forget(self) -> bool:
        """Let the kernel be as if no notebook had run in it; whether it lives and has done so."""

        async def forget() -> bool:
            if not (self.has_kernel and await self.is_alive()):
                return False
            client = self.client()
            client.start_channels()
            answer = await client.execute(FORGET, silent=True, reply=True, timeout=SECONDS_TO_FORGET)
            return bool(answer["content"]["status"] == "ok")

        try:
            return bool(run_sync(forget)())
        except (RuntimeError, TimeoutError):
            return False
        finally:
            self.hang_up()

    def end(self) -> None:
        """End the kernel, and with it what only it needed."""

        async def end() -> None:
            try:
                if self.has_kernel and await self.is_alive():
                    await self.shutdown_kernel(now=False)
            finally:
                await self.cleanup_resources()

        try:
            run_sync(end)()
        finally:
            self.hang_up()
            self._folder.cleanup()


class KeptKernels:
    """Kernels that wait for the next run of their notebook, one for each of these names."""

    def __init__(self, names: frozenset[str]):
        self._names = names
        self._waiting: dict[str, PrivateKernel] = {}

    def take(self, name: str) -> PrivateKernel | None:
        """The kernel that waits for the notebook, which is the caller's now; None where none does."""
        return self._waiting.pop(name, None)

    def give(self, name: str, kernel: PrivateKernel) -> bool:
        """Keep a kernel whose notebook has come to its end; whether it is kept, else the caller ends it."""
        if name not in self._names or name in self._waiting or not kernel.forget():
            return False
        self._waiting[name] = kernel
        return True

    def end(self) -> None:
        """End all that wait, at once: there is nothing that they would have to put away."""
        send(list(self._waiting.values()), signal.SIGKILL)
        while self._waiting:
            self._waiting.popitem()[1].end()


def _folder_for_sockets() -> str:
    """The folder of temporary files, or the system's one where its name leaves no room for that of a socket.

    A Unix socket's path has at most 103 bytes on macOS and 107 on Linux; a kernel's needs 28 below this folder.
    """
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= 75 else "/tmp"
