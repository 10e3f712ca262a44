"""What a platform puts into a notebook: Databricks its session, `dbutils`, widgets; IPython its start-up files."""

import os
import sys
from collections.abc import Mapping
from typing import Any


def is_databricks() -> bool:
    """Whether this is a Databricks cluster or Databricks serverless compute."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ or os.environ.get("IS_SERVERLESS") == "TRUE"


def dbutils() -> Any:
    """Databricks' `dbutils`, or None anywhere else."""
    return injected("dbutils")


def widgets() -> dict[str, str] | None:
    """The notebook's Databricks widgets, name -> text; None where there are no widgets."""
    utilities = dbutils()
    return None if utilities is None else dict(utilities.widgets.getAll())


def finish(result: str) -> None:
    """Ends a notebook with a result for its caller: on Databricks, where Data Factory or a job gave parameters.

    Whoever runs the cells by hand passes none, and goes on to the exercises; so does everyone elsewhere.
    """
    if widgets():
        dbutils().notebook.exit(result)


def show(html: str) -> None:
    """Displays a piece of HTML below the cell."""
    display_html = injected("displayHTML")
    if display_html is None:
        from IPython.display import HTML, display

        display(HTML(html))  # type: ignore[no-untyped-call]  # IPython annotates neither
    else:
        display_html(html)


def injected(name: str) -> Any:
    """What the platform put into the notebook's namespace under this name, or None."""
    ipython = shell()
    namespace = ipython.user_ns if ipython else vars(sys.modules["__main__"])
    return namespace.get(name)


def start_up_names(namespace: Mapping[str, Any]) -> set[str]:
    """The names that hold what stood there before the first cell, as IPython's start-up files leave it."""
    ipython = shell()
    before = ipython.user_ns_hidden if ipython else {}
    return {name for name, value in namespace.items() if name in before and before[name] is value}


def shell() -> Any:
    """The IPython that runs the cells, Jupyter's or Databricks'; None where there are no cells."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
