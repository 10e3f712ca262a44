"""What a run takes over from an earlier one: a rerun from the failed activity.

Source: azure-docs, monitor-visually ("Rerun pipelines and activities"). Control activities run again; inside them,
as outside, an activity that has succeeded keeps its output if all that it depends on is as it was.
"""

import json

from adf_lab.engine.dependencies import parents
from adf_lab.engine.secrets import MASK

AS_IT_WAS = {"Succeeded", "Skipped", "Inactive"}


def by_iteration(records):
    """The records of activity runs that stand at one place, by the iterations in which they ran."""
    found: dict = {}
    for record in records:
        found.setdefault(record["iteration"], []).append(record)
    return found


def known_before(activities, earlier):
    """The records of a group's activities in the earlier run, of those that depend on nothing that runs anew.

    `earlier` are the records of one iteration at the place where the group stands.
    """
    records = {record["activityName"]: record for record in earlier}
    parents_of = {activity["name"]: parents(activity) for activity in activities}
    anew = {name for name in parents_of if name not in records or records[name]["status"] not in AS_IT_WAS}
    grows = bool(records)
    while grows:
        more = {name for name, needed in parents_of.items() if name not in anew and not anew.isdisjoint(needed)}
        anew |= more
        grows = bool(more)
    return {name: records[name] for name in parents_of if name in records and anew.isdisjoint(parents_of[name])}


def kept_output(record, run):
    """Whether an activity run can take over the output of its earlier record.

    Not if that has failed, was for another item, or is masked, for what is secured is kept nowhere.
    """
    return (
        record is not None
        and record["status"] == "Succeeded"
        and record["activityType"] == run.type
        and record["item"] == json.loads(json.dumps(run.item, default=str))
        and MASK not in json.dumps([record["item"], record["output"]], ensure_ascii=False)
    )
