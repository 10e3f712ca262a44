"""Permissions on objects of the workspace: read, compared exactly, and replaced.

Source: Databricks REST API, Permissions: what is set replaces what was given directly; what is inherited stays.
"""

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.iam import AccessControlRequest, AccessControlResponse, PermissionLevel

from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.desired_state import Item
from coinlake_ops.governance import workspace as workspace_access

SUFFIX = " permissions"


def item(clients: Clients, kind: str, name: str) -> Item:
    """Who should have which permission on an object, as an item: its kind is `<kind> permissions`."""
    return Item(f"{kind}{SUFFIX}", name, workspace_access.permissions(principals(clients))[kind])


def principals(clients: Clients) -> dict[str, str]:
    """Who has which role: the names of three groups, and the application id of the pipeline's identity."""
    environment = clients.environment
    return {
        "platform": environment.platform_group,
        "engineers": environment.engineers_group,
        "analysts": environment.analysts_group,
        "pipeline": clients.factory_application_id,
    }


def live(clients: Clients, kind: str, name: str, object_id: str) -> list[Item]:
    """The permissions given directly on an object, as `item` has them; none, where nobody has any.

    Left out are the owner, whom every job and warehouse has, and who is deploying, an administrator anyway.
    """
    given = {
        who: level.value
        for who, _, level in _direct(clients.needed_workspace(), kind, object_id)
        if level is not PermissionLevel.IS_OWNER and who != clients.deployer
    }
    return [Item(f"{kind}{SUFFIX}", name, given)] if given else []


def give(workspace: WorkspaceClient, wanted: Item, object_id: str) -> None:
    """Give exactly these permissions, to groups and to service principals by their application ids."""
    kind = wanted.kind.removesuffix(SUFFIX)
    entries = [
        AccessControlRequest(permission_level=level, **{field: who})
        for who, field, level in _direct(workspace, kind, object_id)
        if level is PermissionLevel.IS_OWNER
    ]
    for who, level in wanted.content.items():
        field = "service_principal_name" if _is_application(who) else "group_name"
        entries.append(AccessControlRequest(permission_level=PermissionLevel(level), **{field: who}))
    workspace.permissions.set(workspace_access.OBJECTS[kind], object_id, access_control_list=entries)


def _direct(workspace: WorkspaceClient, kind: str, object_id: str) -> list[tuple[str, str, PermissionLevel]]:
    """(who, the field that names them, permission) of everyone who was given one on the object itself."""
    entries = workspace.permissions.get(workspace_access.OBJECTS[kind], object_id).access_control_list or []
    return [
        (*_principal(entry), needed(permission.permission_level, "known level in a permission"))
        for entry in entries
        for permission in entry.all_permissions or []
        if not permission.inherited
    ]


def _principal(entry: AccessControlResponse) -> tuple[str, str]:
    for field in ("group_name", "service_principal_name", "user_name"):
        if name := getattr(entry, field):
            return name, field
    raise AssertionError(f"a permission of nobody: {entry}")


def _is_application(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4
