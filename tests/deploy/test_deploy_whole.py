"""The whole deployment: from nothing, again, past failures at every call, through drift, and back to nothing."""

import re
from collections import Counter

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import deployment
from tests.support import environment
from tests.support.fake_workspace import DEPLOYER
from tests.support.internet import Answer, Killed

IDS = re.compile(r"\b[wpcda7]\d{4,}\b|\b1\d{3}\b")


def quietly(_line):
    pass


def applied(root) -> int:
    return deployment.apply(deployment.parts(environment.clients(root)), quietly)


def differences(root) -> int:
    found = deployment.plan(deployment.parts(environment.clients(root)), quietly)
    assert found.unseen == ()
    return found.changes


def ids_of_what_is_there(workspace) -> set[str]:
    kinds = ("warehouses", "pools", "clusters", "jobs", "dashboards", "alerts")
    folders = {str(one["object_id"]) for one in workspace["objects"].values()}
    return folders.union(*(workspace[kind] for kind in kinds))


def shape(net):
    """Everything that there is, but for the ids and instants that differ from one order of calls to another."""
    state = net.state()
    workspace = state["workspace"]
    factory = next(one for one in state["arm"]["resources"].values() if one["type"].endswith("/factories"))
    return {
        "resources": {
            id_: {name: value for name, value in one["properties"].items() if name != "createMode"}
            for id_, one in state["arm"]["resources"].items()
            if one is not factory
        },
        "global parameters": IDS.sub("id", str(factory["properties"]["globalParameters"])),
        "factory": factory["children"],
        "objects": {
            path: (one["object_type"], "" if path.endswith(".deployed.json") else one.get("content"))
            for path, one in workspace["objects"].items()
        },
        "counts": {
            name: len(workspace[name])
            for name in ("warehouses", "pools", "clusters", "principals", "jobs", "dashboards")
        },
        # What the deployer holds as the maker of an object is nobody's concern.
        "permissions": sorted(
            (place.partition("/")[0], given)
            for place, held in workspace["permissions"].items()
            if (given := sorted(item for item in held.items() if item != (DEPLOYER, "CAN_MANAGE")))
            and place.rpartition("/")[2] in ids_of_what_is_there(workspace)
        ),
        "scopes": workspace["scopes"],
        "dashboards": [
            (one["display_name"], one["serialized_dashboard"], id_ in workspace["published"])
            for id_, one in workspace["dashboards"].items()
        ],
        "alerts": [
            {name: value for name, value in one.items() if name not in ("id", "warehouse_id")}
            for one in workspace["alerts"].values()
        ],
        "unity": workspace["unity"],
        "database": state["database"],
    }


def test_an_empty_group_becomes_a_running_pipeline_and_a_second_apply_changes_nothing(net, root):
    assert applied(root) > 60
    made = shape(net)
    assert made["counts"] == {
        "warehouses": 1,
        "pools": 1,
        "clusters": 1,
        "principals": 1,
        "jobs": 2,
        "dashboards": 2,
    }
    assert made["factory"]["triggers"]["tr_daily"]["state"] == "Started"
    assert made["factory"]["triggers"]["tr_hourly"]["state"] == "Stopped"

    net.calls.clear()
    assert applied(root) == 0
    assert net.changing == []
    assert shape(net) == made


def test_users_of_the_database_are_made_by_their_ids_without_asking_the_directory(deployed, root):
    net, clients = deployed, environment.clients(root)
    assert net.fakes["database"].state["sids"] == {
        "coinlake-engineers": (environment.DEV.engineers_group_id, True),
        "coinlake-analysts": (environment.DEV.analysts_group_id, True),
        "adf-coinlake-dev": (clients.factory_application_id, False),
        "dbac-coinlake-dev": (clients.access_connector_application_id, False),
    }


def test_a_plan_changes_nothing(net, root):
    empty = net.state()
    assert differences(root) > 60
    assert net.changing == []
    assert net.state() == empty


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.whole])])
def test_a_failure_at_any_call_is_made_good_by_the_next_apply(net, root, every):
    """The state that a killed deployment leaves is the one before the call it died at, or the one after it.

    One deployment shows all of these states; from each of them a new one must reach the same end.
    """
    seen = []

    def remember(_request):
        state = net.state()
        if not seen or seen[-1] != state:
            seen.append(state)

    net.before = remember
    applied(root)
    made = shape(net)
    net.before = lambda _request: None
    assert len(seen) > 60

    for number, state in list(enumerate(seen))[::every]:
        net.restore(state)
        applied(root)
        assert shape(net) == made, f"after a failure at change {number}"


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_killed_deployment_leaves_what_it_had_done(net, root, share):
    applied(root)
    total, made = len(net.calls), shape(net)
    net.restore(environment.internet().state())
    left = round(total * share)

    def die(_request):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    net.before = die
    with pytest.raises(Killed):
        applied(root)
    net.before = lambda _request: None
    applied(root)
    assert shape(net) == made


def test_every_kind_of_call_that_is_refused_stops_with_its_name(net, root):
    """A refusal at the first call of every kind: it says where, and shows no secret."""
    kinds = []
    net.before = lambda request: kinds.append(_kind(request)) if _kind(request) not in kinds else None
    applied(root)
    empty = environment.internet().state()
    for kind in kinds:
        net.restore(empty)
        net.before = lambda request, kind=kind: _refusal(request) if _kind(request) == kind else None
        if kind.endswith("databricks-config"):
            continue
        with pytest.raises(CoinlakeError) as refused:
            applied(root)
        assert re.match(r"(\w+), (comparing|create|update)", str(refused.value)), kind
        assert environment.KEY not in str(refused.value)
    net.before = lambda _request: None
    net.restore(empty)
    assert applied(root) > 60


def _kind(request) -> str:
    """The method and the path without the names in it; of SQL its first words, of ARM the last provider."""
    if "/providers/" in request.path:
        return f"{request.method} {request.path.rpartition('/providers/')[2].split('/')[0]}"
    path = re.sub(r"\b(?:[wpcda7]?\d{4,}|[0-9a-f-]{36})\b", "…", request.path)
    words = request.json["statement"].split()[:2] if path.endswith("/sql/statements") else []
    return " ".join([request.method, request.host, "/".join(path.split("/")[:11]), *words])


def _refusal(request):
    if request.host == "management.azure.com":
        message = f"The client does not have authorization to perform action 'x/{request.method}' over scope '/s'."
        return Answer(403, {"error": {"code": "AuthorizationFailed", "message": message}})
    if request.host.endswith("vault.azure.net"):
        if "Authorization" not in request.headers:
            return None
        return Answer(403, {"error": {"code": "Forbidden", "message": "Caller is not authorized."}})
    return Answer(403, {"error_code": "PERMISSION_DENIED", "message": "User has no such privilege."})


DRIFT = {
    "a view edited": lambda net: net.fakes["database"].state["waiting"].append("views/coin"),
    "a member who left": lambda net: net.fakes["database"].state["members"]["coinlake_analyst"].clear(),
    "a stranger's grant": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["grants"]
        .update({"schema coinlake_dev.cleaned_data to coinlake-analysts": ["SELECT"]})
    ),
    "a grant taken away": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["grants"]
        .pop("schema coinlake_dev.aggregated_data to coinlake-analysts")
    ),
    "a mask on a table of the pipeline": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["masks"]
        .update({"coinlake_dev.raw_data.responses.headers": {"function": "coinlake_dev.policies.for_operators"}})
    ),
    "a filter on a table of the pipeline": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["filters"]
        .update(
            {
                "coinlake_dev.raw_data.responses": {
                    "function": "coinlake_dev.policies.only_landed",
                    "columns": ["outcome"],
                }
            }
        )
    ),
    "a view without its filter": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["view"]["coinlake_dev.shared_data.responses"]
        .update({"query": "SELECT * FROM `coinlake_dev`.`raw_data`.`responses`"})
    ),
    "a credential of another connector": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["credentials"]["coinlake_dev_sql"]
        .update({"azure_managed_identity": {"access_connector_id": "/other"}})
    ),
    "a loader who left": lambda net: net.fakes["database"].state["members"]["coinlake_loader"].clear(),
    "a tag changed": lambda net: (
        net.fakes["workspace"].state["unity"]["tags"]["catalog coinlake_dev"].update({"project": "other"})
    ),
    "a comment changed": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["table"]["coinlake_dev.raw_data.responses"]["columns"]
        .update({"url": "?"})
    ),
    "an owner changed": lambda net: (
        net.fakes["workspace"].state["unity"]["schema"]["coinlake_dev.raw_data"].update({"owner": "somebody"})
    ),
    "a function loosened": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["function"]["coinlake_dev.policies.only_landed"]
        .update({"body": "true"})
    ),
    "a function that whoever deployed last still owns": lambda net: (
        net.fakes["workspace"]
        .state["unity"]["function"]["coinlake_dev.policies.only_landed"]
        .update({"owner": "deployer"})
    ),
    "a notebook edited": lambda net: (
        net.fakes["workspace"]
        .state["objects"]["/coinlake/notebooks/04_build_gold"]
        .update({"modified_at": 1, "content": "e30="})
    ),
    "a file deleted": lambda net: (
        net.fakes["workspace"].state["objects"].pop("/coinlake/sql/warehouse/views/a.sql")
    ),
    "a job edited": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))["settings"].update(
        {"max_concurrent_runs": 5}
    ),
    "a job on a schedule of somebody's": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))[
        "settings"
    ].update({"schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC"}}),
    "a task of somebody's": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))["settings"][
        "tasks"
    ].append({"task_key": "mine", "depends_on": []}),
    "a task without its retries": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))[
        "settings"
    ]["tasks"][3].update({"max_retries": 9}),
    "a decision turned round": lambda net: _task(net, "load_is_wanted")["condition_task"].update(
        {"op": "NOT_EQUAL"}
    ),
    "a task that waits for less": lambda net: _task(net, "finished")["depends_on"].pop(),
    "a parameter with another default": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))[
        "settings"
    ]["parameters"][0].update({"default": "elsewhere"}),
    "a job that somebody lets repeat itself": lambda net: [*net.fakes["workspace"].state["jobs"].values()][1][
        "settings"
    ]["continuous"].update({"pause_status": "UNPAUSED"}),
    "a comment of a location": lambda net: (
        net.fakes["workspace"].state["unity"]["locations"]["coinlake_dev_lake"].update({"comment": "somebody's"})
    ),
    "a permission on the folder": lambda net: _permissions(net, "directories", "/coinlake").update(
        {"coinlake-engineers": "CAN_EDIT"}
    ),
    "an engineer's permission on a notebook": lambda net: _give(
        net, "notebooks", "/coinlake/notebooks/04_build_gold", {"coinlake-engineers": "CAN_EDIT"}
    ),
    "a person's permission on a module": lambda net: _give(
        net, "files", "/coinlake/notebooks/coinlake/schema/table.py", {"anna@example.org": "CAN_MANAGE"}
    ),
    "a group's permission on a folder of the package": lambda net: _give(
        net, "directories", "/coinlake/notebooks/coinlake", {"coinlake-analysts": "CAN_EDIT"}
    ),
    "a stranger who loads": lambda net: net.fakes["database"].state["members"]["coinlake_loader"].add("anna"),
    "a stranger's permission on the job": lambda net: _permissions(net, "jobs").update(
        {"coinlake-analysts": "CAN_MANAGE_RUN"}
    ),
    "a person's permission on the export cluster": lambda net: _permissions(net, "clusters").update(
        {"anna@example.org": "CAN_MANAGE"}
    ),
    "a job that runs as somebody": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))[
        "settings"
    ].update({"run_as": {"user_name": "anna@example.org"}}),
    "a dashboard with the publisher's rights": lambda net: next(
        iter(net.fakes["workspace"].state["published"].values())
    ).update({"embed_credentials": True}),
    "a dashboard edited": lambda net: next(iter(net.fakes["workspace"].state["dashboards"].values())).update(
        {"serialized_dashboard": '{"datasets": []}'}
    ),
    "a dashboard that nobody sees": lambda net: net.fakes["workspace"].state["published"].clear(),
    "a draft that nobody sees": lambda net: next(iter(net.fakes["workspace"].state["dashboards"].values())).update(
        {"update_time": "2026-12-02T00:00:00Z"}
    ),
    "an alert that is paused": lambda net: _alert(net)["schedule"].update({"pause_status": "PAUSED"}),
    "an alert that fires too late": lambda net: _alert(net)["evaluation"]["threshold"]["value"].update(
        {"double_value": 9.0}
    ),
    "an alert that somebody else gets": lambda net: _alert(net)["evaluation"]["notification"].update(
        {"subscriptions": [{"user_email": "x@example.org"}]}
    ),
    "an alert with somebody's rights": lambda net: _alert(net).update({"run_as": {"user_name": "anna"}}),
    "a person's permission on an alert": lambda net: _permissions_of(net, "alertsv2", "alerts").update(
        {"anna@example.org": "CAN_EDIT"}
    ),
    "a job that fails in silence": lambda net: next(iter(net.fakes["workspace"].state["jobs"].values()))[
        "settings"
    ]["email_notifications"].pop("on_failure"),
    "a warehouse made larger": lambda net: next(iter(net.fakes["workspace"].state["warehouses"].values())).update(
        {"cluster_size": "Large"}
    ),
    "a pool that stays warm": lambda net: next(iter(net.fakes["workspace"].state["pools"].values())).update(
        {"min_idle_instances": 2}
    ),
    "a cluster that never stops": lambda net: next(iter(net.fakes["workspace"].state["clusters"].values())).update(
        {"autotermination_minutes": 0}
    ),
    "a scope on another vault": lambda net: (
        net.fakes["workspace"]
        .state["scopes"]["coinlake"]["scope"]
        .update({"keyvault_metadata": {"resource_id": "x", "dns_name": "https://other.vault.azure.net/"}})
    ),
    "a reader of secrets": lambda net: (
        net.fakes["workspace"].state["scopes"]["coinlake"]["acls"].update({"coinlake-analysts": "READ"})
    ),
    "a public storage account": lambda net: _resource(net, "Microsoft.Storage/storageAccounts")[
        "properties"
    ].update({"allowBlobPublicAccess": True}),
    "an alert switched off": lambda net: _resource(net, "Microsoft.Insights/metricAlerts")["properties"].update(
        {"enabled": False}
    ),
    "a password for the database": lambda net: _resource(net, "Microsoft.Sql/servers")["properties"][
        "administrators"
    ].update({"azureADOnlyAuthentication": False}),
    "a log switched off": lambda net: _log(net, "AuditEvent").update({"enabled": False}),
    "an alert of the factory that somebody else gets": lambda net: _resource(
        net, "Microsoft.Insights/actionGroups"
    )["properties"]["emailReceivers"].append(
        {"name": "x", "emailAddress": "x@example.org", "useCommonAlertSchema": True}
    ),
    "a rule that deletes the lake": lambda net: _resource(
        net, "Microsoft.Storage/storageAccounts/managementPolicies"
    )["properties"]["policy"]["rules"][0]["definition"]["filters"].update({"prefixMatch": ["lake/"]}),
    "a role taken away": lambda net: net.fakes["arm"].resources.pop(
        _resource(net, "Microsoft.Authorization/roleAssignments")["id"].lower()
    ),
    "a container deleted": lambda net: net.fakes["arm"].resources.pop(
        _resource(net, "Microsoft.Storage/storageAccounts/blobServices/containers")["id"].lower()
    ),
    "a trigger stopped": lambda net: _factory(net)["triggers"]["tr_daily"].update({"state": "Stopped"}),
    "a trigger started": lambda net: _factory(net)["triggers"]["tr_hourly"].update({"state": "Started"}),
    "a running trigger edited": lambda net: _factory(net)["triggers"]["tr_daily"]["properties"]["typeProperties"][
        "recurrence"
    ].update({"interval": 7}),
    "a pipeline edited": lambda net: _factory(net)["pipelines"]["pl_main"]["properties"].update(
        {"concurrency": 9}
    ),
    "a pipeline nobody knows": lambda net: _factory(net)["pipelines"].update(
        {"pl_old": {"properties": {"activities": []}, "state": ""}}
    ),
    "a running trigger nobody knows": lambda net: _factory(net)["triggers"].update(
        {"tr_old": {"properties": {"type": "ScheduleTrigger"}, "state": "Started"}}
    ),
    "a global parameter changed": lambda net: _resource(net, "Microsoft.DataFactory/factories")["properties"][
        "globalParameters"
    ]["coins"].update({"value": 1}),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_drift_is_seen_and_repaired(deployed, root, drift):
    net = deployed
    made = shape(net)
    DRIFT[drift](net)
    assert differences(root) > 0
    applied(root)
    assert shape(net) == made
    assert differences(root) == 0


def test_destroy_leaves_nothing_but_the_group_and_the_deleted_vault(deployed, root):
    net = deployed
    assert deployment.destroy(deployment.parts(environment.clients(root)), quietly) > 20
    left = net.state()
    assert left["arm"]["resources"] == {}
    assert left["arm"]["groups"] == {environment.DEV.group_id}
    assert left["arm"]["deleted_vaults"] == {"kv-coinlake-dev"}
    assert Counter(map(len, left["workspace"]["unity"].values())) == {0: len(left["workspace"]["unity"])}
    assert [*left["workspace"]["objects"]] == ["/", "/Shared"]
    assert [
        name
        for name in (
            "warehouses",
            "pools",
            "clusters",
            "principals",
            "scopes",
            "jobs",
            "dashboards",
            "published",
            "alerts",
        )
        if left["workspace"][name]
    ] == []


def test_what_was_destroyed_can_be_made_again(deployed, root):
    net = deployed
    made = shape(net)
    deployment.destroy(deployment.parts(environment.clients(root)), quietly)
    applied(root)
    assert shape(net) == made


def _task(net, key):
    job = next(iter(net.fakes["workspace"].state["jobs"].values()))
    return next(task for task in job["settings"]["tasks"] if task["task_key"] == key)


def _resource(net, kind):
    return next(one for one in net.fakes["arm"].resources.values() if one["type"] == kind)


def _permissions(net, kind, path=""):
    workspace = net.fakes["workspace"].state
    if path:
        return workspace["permissions"][f"{kind}/{workspace['objects'][path]['object_id']}"]
    return workspace["permissions"][f"{kind}/{next(iter(workspace[kind]))}"]


def _alert(net):
    return next(iter(net.fakes["workspace"].state["alerts"].values()))


def _permissions_of(net, kind, place):
    workspace = net.fakes["workspace"].state
    return workspace["permissions"][f"{kind}/{next(iter(workspace[place]))}"]


def _give(net, kind, path, given):
    workspace = net.fakes["workspace"].state
    workspace["permissions"][f"{kind}/{workspace['objects'][path]['object_id']}"] = given


def _log(net, category):
    settings = [one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/diagnosticSettings")]
    return next(log for one in settings for log in one["properties"]["logs"] if log["category"] == category)


def _factory(net):
    return _resource(net, "Microsoft.DataFactory/factories")["children"]
