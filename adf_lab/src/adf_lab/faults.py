"""Failures on demand: an executor that refuses to work for some activities, so that failure paths can be tried."""

import inspect
from collections import Counter

from adf_lab.engine import ActivityFailure
from adf_lab.errors import AdfLabError
from adf_lab.structure import active_types


def parse_faults(texts):
    """`NAME` or `NAME:N` as {activity: number of attempts that fail}; without a number all of them."""
    faults: dict[str, int | None] = {}
    for text in texts:
        name, colon, number = text.rpartition(":")
        if colon and number.isdigit():
            faults[name] = int(number)
        else:
            faults[text] = None
    return faults


def with_faults(executors, faults, pipelines):
    """Executors that fail for the named activities; AdfLabError if a name is not that of such an activity."""
    known = {name for name, kind in active_types(pipelines) if kind in executors}
    for name in faults:
        if name not in known:
            raise AdfLabError(
                f"There is no activity '{name}' that can be made to fail; there are: {', '.join(sorted(known))}."
            )
    failed: Counter[str] = Counter()

    def failing(executor):
        async def execute_async(call):
            refuse(call)
            return await executor(call)

        def execute(call):
            refuse(call)
            return executor(call)

        return execute_async if inspect.iscoroutinefunction(executor) else execute

    def refuse(call):
        if call.name in faults and (faults[call.name] is None or failed[call.name] < faults[call.name]):
            failed[call.name] += 1
            raise ActivityFailure("InjectedFailure", f"'{call.name}' was made to fail.")

    return {kind: failing(executor) for kind, executor in executors.items()}
