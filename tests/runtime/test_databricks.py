"""What Databricks puts into a notebook, and what the code does with it."""

import sys
import types

import pytest

from coinlake import runtime


@pytest.fixture
def notebook(monkeypatch):
    """The namespace of a notebook, as Databricks fills it."""
    namespace = {}
    shell = types.SimpleNamespace(user_ns=namespace)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    return namespace


def test_widgets_are_read_where_there_are_some(notebook):
    assert runtime.widgets() is None
    values = {"lake_path": "/Volumes/lake", "coins": "100"}
    notebook["dbutils"] = types.SimpleNamespace(widgets=types.SimpleNamespace(getAll=lambda: values))
    assert runtime.widgets() == values


def test_databricks_session_is_the_injected_one(notebook, monkeypatch):
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    notebook["spark"] = object()
    assert runtime.is_databricks()
    assert runtime.spark() is notebook["spark"]


def test_html_goes_through_databricks_own_function_there(notebook):
    shown = []
    notebook["displayHTML"] = shown.append
    runtime.show("<b>coin</b>")
    assert shown == ["<b>coin</b>"]
