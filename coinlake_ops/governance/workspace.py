"""Who may do what to the objects of the workspace: the list that a deployment applies and `access` prints.

What runs as the pipeline's identity (files, job, machines) is changed by the platform group alone: whoever can
change it, or start it with other parameters, acts with the pipeline's rights.
Source: Azure Databricks documentation, "Access control lists"; what lies in /Shared every user may manage.
"""

from collections.abc import Iterator, Mapping

# The kind of object -> what the Permissions API calls it.
OBJECTS = {
    "folder": "directories",
    "notebook": "notebooks",
    "file": "files",
    "job": "jobs",
    "cluster": "clusters",
    "instance pool": "instance-pools",
    "SQL warehouse": "warehouses",
    "dashboard": "dashboards",
    "alert": "alertsv2",
}
# What runs as the pipeline's identity, and the permissions with which one decides what it does.
RUNS_AS_THE_PIPELINE = ("folder", "notebook", "file", "job", "cluster", "alert")
CHANGES_WHAT_RUNS = {"CAN_EDIT", "CAN_MANAGE", "CAN_MANAGE_RUN", "CAN_RESTART", "IS_OWNER"}


def permissions(principals: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The kind of object -> principal -> permission.

    `principals` are the names of platform, engineers and analysts, and the application id of the pipeline's
    identity. Workspace administrators may do everything besides.
    """
    platform, engineers, analysts, pipeline = (
        principals[role] for role in ("platform", "engineers", "analysts", "pipeline")
    )
    return {
        "folder": {platform: "CAN_MANAGE", pipeline: "CAN_READ", engineers: "CAN_READ"},
        # What lies in the folder has its permissions and none of its own.
        "notebook": {},
        "file": {},
        "alert": {},
        "job": {platform: "CAN_MANAGE", pipeline: "CAN_MANAGE_RUN", engineers: "CAN_VIEW", analysts: "CAN_VIEW"},
        "cluster": {platform: "CAN_MANAGE", pipeline: "CAN_RESTART"},
        "instance pool": {platform: "CAN_MANAGE", pipeline: "CAN_ATTACH_TO"},
        "SQL warehouse": {
            **{platform: "CAN_MANAGE", engineers: "CAN_USE", analysts: "CAN_USE"},
            # For the alerts, which ask with its rights.
            pipeline: "CAN_USE",
        },
        "dashboard": {platform: "CAN_MANAGE", engineers: "CAN_READ", analysts: "CAN_READ"},
    }


def scope_readers(principals: Mapping[str, str], environment: str) -> dict[str, str]:
    """Principal -> permission on the secret scope. In production no person reads the pipeline's secrets."""
    engineers = {principals["engineers"]: "READ"} if environment == "dev" else {}
    return {principals["pipeline"]: "READ"} | engineers


def matrix(principals: Mapping[str, str], environment: str) -> Iterator[tuple[str, str, list[str]]]:
    """(principal, kind of object, permission in a list) of everyone who may do anything to an object."""
    given = permissions(principals) | {"secret scope": scope_readers(principals, environment)}
    for principal in principals.values():
        for kind, levels in given.items():
            if principal in levels:
                yield principal, kind, [levels[principal]]
