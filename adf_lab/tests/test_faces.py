"""The package stands alone, and its sub-packages are used through their faces."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import adf_lab

ROOT = Path(adf_lab.__file__).parent
MODULES = {path.relative_to(ROOT.parent).with_suffix(""): path for path in ROOT.rglob("*.py")}
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
# What pyproject.toml lists, by the names of the modules.
DEPENDENCIES = {"azure", "lxml", "typing_extensions", "tzlocal", "yaml"}
# Of the extra `local`.
LOCAL = {"duckdb", "python_calamine", "sqlglot"}


def imported(path):
    """Pairs (module, name) of everything that a file imports; the name is None for a plain import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", MODULES.values(), ids=map(str, MODULES))
def test_nothing_is_imported_but_this_package_and_its_dependencies(path):
    known = DEPENDENCIES | {"adf_lab"} | set(sys.stdlib_module_names)
    known |= LOCAL if ROOT / "local" in path.parents else set()
    assert {module.partition(".")[0] for module, _ in imported(path)} <= known


@pytest.mark.parametrize("path", MODULES.values(), ids=map(str, MODULES))
def test_a_sub_package_is_used_through_its_face(path):
    for module, name in imported(path):
        parts = module.split(".")
        face = ".".join(parts[:2])
        if face not in FACES or ROOT.parent.joinpath(*parts[:2]) in path.parents:
            continue
        assert module == face, f"{module} is not a face"
        assert name in importlib.import_module(face).__all__, f"{face} does not offer {name}"


@pytest.mark.parametrize("face", FACES)
def test_every_public_name_is_there_and_in_order(face):
    module = importlib.import_module(face)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    # As ruff sorts: constants, classes, the rest.
    ranked = sorted(module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert module.__all__ == ranked


def test_the_plugin_of_pytest_imports_this_package_in_its_fixtures_alone():
    tree = ast.parse((ROOT.parent / "pytest_adf_lab.py").read_text(encoding="utf-8"))
    assert {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)} == {
        "import pytest",
        "from pathlib import Path",
    }
    inside = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert inside == {"pathlib", "adf_lab.testing"}


def test_the_sdk_is_loaded_by_the_checker_alone_and_databases_by_a_run():
    names = sorted({"azure", *LOCAL})
    code = (
        "import sys, adf_lab, adf_lab.cli, adf_lab.testing; "
        f"print([name for name in {names} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded == "[]\n"
