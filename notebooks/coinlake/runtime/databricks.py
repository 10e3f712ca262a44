"""What Databricks puts into a notebook: its session, `dbutils`, widgets; and how to do without them."""

import os
import sys
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
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    namespace = shell.user_ns if shell else vars(sys.modules["__main__"])
    return namespace.get(name)
