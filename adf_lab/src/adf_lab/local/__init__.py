"""Runs pipelines on this machine: a mapping says which folder, DuckDB file or address stands for a linked service.

    with local_executors(factory, read_mapping("adf.local.yml")) as executors:
        run = Engine(factory.pipelines, executors).run("pl_main")

It needs the extra `adf-lab[local]`.
"""

from adf_lab.local.choosing import local_executors, refuse_what_cannot_run
from adf_lab.local.mapping import FILE, Mapping, file_of, read_mapping

__all__ = ["FILE", "Mapping", "file_of", "local_executors", "read_mapping", "refuse_what_cannot_run"]
