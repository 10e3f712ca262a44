"""What does the work of an activity on this machine: one executor for each type of activity that adf/ uses.

    with LocalWorld(factory, values) as world:
        engine = Engine(factory.pipelines, local_executors(world), global_parameters=world.parameters)

An executor takes an ActivityCall and returns the output that Data Factory would show, or raises
ActivityFailure. What it does not know, it refuses by name: it never guesses.
"""

from functools import partial

from coinlake_ops.factory.executors import copying, files, notebooks, sql, web
from coinlake_ops.factory.executors.world import LocalWorld

EXECUTORS = {
    "Copy": copying.copy,
    "DatabricksNotebook": notebooks.run_notebook,
    "Delete": files.delete,
    "Lookup": sql.lookup,
    "SqlServerStoredProcedure": sql.call_procedure,
    "WebActivity": web.call,
}

__all__ = ["EXECUTORS", "LocalWorld", "local_executors"]


def local_executors(world):
    """A table of executors, by type of activity, that work in a LocalWorld."""
    return {kind: partial(execute, world) for kind, execute in EXECUTORS.items()}
