"""A package is used through its face, `__all__` of its `__init__`, by other packages, coinlake_ops and notebooks.

Inside a package, modules import one another as they like. A package inside a package has a face of its own.
"""

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from coinlake_ops.project import ROOT

PLACES = {"coinlake": ROOT / "notebooks", "coinlake_ops": ROOT}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))


def modules() -> dict[str, Path]:
    """Every module of coinlake and coinlake_ops by its name, packages too."""
    found = {}
    for package, place in PLACES.items():
        for path in sorted((place / package).rglob("*.py")):
            parts = path.relative_to(place).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def face(package: str) -> list[str] | None:
    """The names in `__all__` of a package; None if it has none."""
    found = getattr(importlib.import_module(package), "__all__", None)
    return None if found is None else list(found)


MODULES = modules()
PACKAGES = [name for name, path in MODULES.items() if path.name == "__init__.py"]
# Of coinlake itself the packages are the rooms: whoever is outside may enter the hall.
FACES = {name: names for name in PACKAGES if "." in name and (names := face(name)) is not None}
SOURCES = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()} | {
    path.stem: "\n".join(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    )
    for path in NOTEBOOKS
}


def trespasses(module: str, source: str) -> Iterator[str]:
    """What a module takes from inside of a package that it is no part of."""
    tree = ast.parse(source)
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from _entered(module, name.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from _entered(module, node.module)
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                if whole in FACES:
                    bound[name.asname or name.name] = whole
                elif name.name not in FACES.get(node.module, [name.name]) and _is_outside(module, node.module):
                    yield whole
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            package = bound[node.value.id]
            if _is_outside(module, package) and node.attr not in FACES[package] and not node.attr.startswith("__"):
                yield f"{package}.{node.attr}"


def _entered(module: str, name: str) -> Iterator[str]:
    """The name of a module, if it lies behind a face that is not the module's own."""
    behind = [package for package in FACES if name.startswith(f"{package}.")]
    if name not in FACES and any(_is_outside(module, package) for package in behind):
        yield name


def _is_outside(module: str, package: str) -> bool:
    top = ".".join(package.split(".")[:2])
    return not f"{module}.".startswith(f"{top}.")


@pytest.mark.parametrize("package", [name for name in PACKAGES if name.startswith("coinlake.")])
def test_every_package_of_coinlake_has_a_face(package):
    assert package in FACES


@pytest.mark.parametrize("package", FACES)
def test_every_name_of_a_face_exists_and_is_named_once(package):
    found = importlib.import_module(package)
    missing = [
        name
        for name in FACES[package]
        if not hasattr(found, name) and not importlib.util.find_spec(f"{package}.{name}")
    ]
    assert missing == []
    assert len(set(FACES[package])) == len(FACES[package])


@pytest.mark.parametrize("package", FACES)
def test_every_public_name_that_a_face_imports_is_shown(package):
    imported = {
        name.asname or name.name
        for node in ast.parse(SOURCES[package]).body
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{package}.")
        for name in node.names
        if name.name != "*"
    }
    assert {name for name in imported if not name.startswith("_")} - set(FACES[package]) == set()


@pytest.mark.parametrize("module", SOURCES)
def test_nobody_reaches_behind_a_face(module):
    assert list(trespasses(module, SOURCES[module])) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from coinlake.delta.tables import merge_changes", ["coinlake.delta.tables"]),
        ("import coinlake.delta.tables", ["coinlake.delta.tables"]),
        ("def f():\n    from coinlake.delta import tables", ["coinlake.delta.tables"]),
        ("from coinlake import delta\ndelta.tables.ensure()", ["coinlake.delta.tables"]),
        ("from coinlake.reports.page.formats import money", ["coinlake.reports.page.formats"]),
        ("from coinlake.reports.page import formats\nfrom coinlake import delta\ndelta.Merged", []),
        ("from coinlake.schema import TABLES\nfrom coinlake.errors import CoinlakeError", []),
    ],
)
def test_a_trespass_is_found(source, found):
    assert list(trespasses("coinlake_ops.batch", source)) == found
    assert list(trespasses("coinlake.delta.change_feed", source)) == [
        name for name in found if not name.startswith("coinlake.delta")
    ]
