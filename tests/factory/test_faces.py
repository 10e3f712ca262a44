"""This project uses adf_lab through its faces, and both pin the same versions."""

import ast
import importlib
import tomllib

import pytest

from coinlake_ops import databricks_runtime
from coinlake_ops.project import ROOT

FACES = (
    "adf_lab",
    "adf_lab.check",
    "adf_lab.cli",
    "adf_lab.diagram",
    "adf_lab.engine",
    "adf_lab.expressions",
    "adf_lab.local",
    "adf_lab.monitor",
    "adf_lab.pages",
    "adf_lab.testing",
    "adf_lab.triggers",
)
USERS = [
    path
    for folder in ("coinlake_ops", "notebooks/coinlake", "tests", "adf/tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "adf_lab" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", USERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_adf_lab_is_used_through_its_faces(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("adf_lab")]
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "adf_lab":
            assert node.module in FACES
            face = importlib.import_module(node.module)
            assert {alias.name for alias in node.names} <= set(face.__all__)


def test_the_lakehouse_knows_nothing_of_the_data_factory():
    assert not [path for path in USERS if path.is_relative_to(ROOT / "notebooks")]


def test_the_pins_of_adf_lab_are_those_of_requirements_txt():
    project = tomllib.loads((ROOT / "adf_lab" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = [*project["dependencies"], *extras["local"], *extras["test"]]
    pins = databricks_runtime.pins()
    assert [text for text in listed if text != f"{text.partition('==')[0]}=={pins[text.partition('==')[0]]}"] == []
