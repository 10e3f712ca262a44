"""What does the work of an activity on this machine: one executor for each type of activity that adf/ uses.

    with LocalWorld(factory, values) as world:
        engine = Engine(factory.pipelines, local_executors(world), global_parameters=world.parameters)

An executor takes an ActivityCall and returns the output that Data Factory would show, or raises
ActivityFailure. What it does not know, it refuses by name: it never guesses.
"""

from coinlake_ops.factory.executors.registry import EXECUTORS, local_executors
from coinlake_ops.factory.executors.world import LocalWorld

__all__ = ["EXECUTORS", "LocalWorld", "local_executors"]
