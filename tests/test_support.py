"""What tests share: it lives in tests/support, and works."""

import ast

import pytest

from coinlake_ops.project import ROOT
from tests.support import planted

TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imported(source: str) -> set[str]:
    """The modules of tests that a source imports, in code or in text that it runs as code."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {"." * node.level + (node.module or "")}
            found |= {f"{node.module}.{name.name}" for name in node.names if node.module == "tests"}
    return {name for name in found if name.startswith(("tests", ".", "conftest")) and name != "tests"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_tests_share_lives_in_tests_support(path):
    assert {name for name in imported(path.read_text(encoding="utf-8")) if not is_shared(name)} == set()


@pytest.mark.parametrize(
    ("source", "shared"),
    [
        ("from tests.support.rows import assert_rows", True),
        ("from tests.support import azure", True),
        ("from tests import support", True),
        ("from tests.warehouse.test_duckdb import load", False),
        ("from tests import conftest", False),
        ("import conftest", False),
        ("def f():\n    from .conftest import built", False),
    ],
)
def test_any_other_import_is_found(source, shared):
    assert [is_shared(name) for name in imported(source)] == [shared]


def is_shared(name: str) -> bool:
    return f"{name}.".startswith("tests.support.")


def test_a_planted_secret_is_found_in_content_and_name(tmp_path):
    secret = "a secret of this test alone"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "server.log").write_bytes(b"\xff\xfe token=" + secret.encode())
    (tmp_path / secret).touch()
    (tmp_path / "clean.log").write_text("nothing")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert planted.leaks(tmp_path, [secret]) == [secret, "logs/server.log"]
    assert planted.leaks(tmp_path, ["another"]) == []
