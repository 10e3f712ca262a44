"""The cells of a notebook, as its kernel runs them: Jupyter's and Databricks' are both IPython's."""

import contextlib
from collections.abc import Callable
from typing import Any

from coinlake.runtime.databricks import shell


def after_each_cell(call: Callable[[BaseException | None], None]) -> Callable[[], None] | None:
    """Call `call` after each cell from now on, the present one included, with the error that ended it or None.

    Returns what ends this; None where there are no cells, and nothing is ever called.
    """
    ipython = shell()
    if ipython is None:
        return None

    def after(result: Any) -> None:
        call(result.error_before_exec or result.error_in_exec)

    def stop() -> None:
        with contextlib.suppress(ValueError):
            ipython.events.unregister("post_run_cell", after)

    ipython.events.register("post_run_cell", after)
    return stop
