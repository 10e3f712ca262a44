"""Kernels that are kept from one execution of a notebook to the next, with real ones."""

import os
from types import SimpleNamespace

import nbformat
import pytest

from coinlake_ops import notebooks
from coinlake_ops.private_kernels import KeptKernels

pytestmark = pytest.mark.processes

LOOK = """
import os, sys
assert "seen" not in globals(), "the cells before are still there"
seen = was_here = "coinlake_was_here" in sys.modules
sys.modules["coinlake_was_here"] = sys
print(os.getpid(), was_here, wanted)
if wanted == 3:
    raise ValueError("three")
"""


@pytest.fixture
def world(tmp_path):
    """A notebook that says in which process it ran, and whether one ran there before."""
    parameters = nbformat.v4.new_code_cell("wanted: int = 0")
    parameters.metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(LOOK)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "a.ipynb")
    world = SimpleNamespace(kept=KeptKernels(frozenset({"a"})))

    def execute(wanted):
        executed = tmp_path / f"{wanted}.ipynb"
        try:
            notebooks.execute(tmp_path / "a.ipynb", executed, {"wanted": wanted}, kept=world.kept)
        finally:
            last = nbformat.read(executed, as_version=4).cells[-1]
            world.said = last.outputs[0].text.split()
            world.number = last.execution_count
        return int(world.said[0])

    world.execute = execute
    yield world
    world.kept.end()


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_kept_kernel_has_its_imports_and_nothing_else_of_the_last_time(world):
    first = world.execute(1)
    assert world.said[1:] == ["False", "1"]
    number = world.number
    assert world.execute(2) == first
    assert world.said[1:] == ["True", "2"]
    assert world.number == number
    world.kept.end()
    assert not lives(first)


def test_a_kernel_whose_notebook_failed_is_not_kept(world):
    first = world.execute(1)
    with pytest.raises(notebooks.CellFailed, match="three"):
        world.execute(3)
    assert not lives(first)
    assert world.execute(1) != first


def test_only_the_named_ones_are_kept(world):
    world.kept = KeptKernels(frozenset({"b"}))
    assert not lives(world.execute(1))
