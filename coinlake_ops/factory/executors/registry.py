"""Which executor does the work of which type of activity."""

from functools import partial

from coinlake_ops.factory.executors import copying, files, jobs, sql, web

EXECUTORS = {
    "Copy": copying.copy,
    "DatabricksJob": jobs.run_job,
    "Delete": files.delete,
    "Lookup": sql.lookup,
    "SqlServerStoredProcedure": sql.call_procedure,
    "WebActivity": web.call,
}


def local_executors(world):
    """A table of executors, by type of activity, that work in a LocalWorld."""
    return {kind: partial(execute, world) for kind, execute in EXECUTORS.items()}
