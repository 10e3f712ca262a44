"""A Databricks workspace that keeps what it is told, and refuses what the real one refuses."""

import base64
import json
import re
from email.message import Message

from tests.support import tokens
from tests.support.fake_unity_catalog import FakeUnityCatalog, SqlError
from tests.support.internet import Answer, Request

DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
MANAGEMENT = "https://management.core.windows.net/"
SCIM = "/api/2.0/preview/scim/v2/ServicePrincipals"
DEPLOYER = "deployer@example.org"
# What whoever makes an object gets on it.
CREATORS = {
    "warehouses": ("warehouses", "IS_OWNER"),
    "pools": ("instance-pools", "CAN_MANAGE"),
    "clusters": ("clusters", "CAN_MANAGE"),
    "dashboards": ("dashboards", "CAN_MANAGE"),
    "alerts": ("alertsv2", "CAN_MANAGE"),
}
# Source: Azure Databricks documentation, "Access control lists".
LEVELS = {
    "directories": {"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"},
    "notebooks": {"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"},
    "files": {"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"},
    "jobs": {"CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE"},
    "clusters": {"CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"},
    "instance-pools": {"CAN_ATTACH_TO", "CAN_MANAGE"},
    "warehouses": {"CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE", "IS_OWNER"},
    "dashboards": {"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"},
    "alertsv2": {"CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"},
}
# What lies in the workspace's tree -> what the Permissions API calls it.
PLACED = {"DIRECTORY": "directories", "NOTEBOOK": "notebooks", "FILE": "files"}
RUNTIMES = ("17.3.x-scala2.13", "18.x-scala2.13", "19.x-scala2.13")


class FakeWorkspace:
    """One workspace with a metastore; `groups` are those that the account knows."""

    def __init__(self, host: str, groups, runtimes=RUNTIMES):
        self.host = host
        self.runtimes = runtimes
        self.metastore = "m1"
        self.metastore_privileges = [
            "CREATE_CATALOG",
            "CREATE_STORAGE_CREDENTIAL",
            "CREATE_SERVICE_CREDENTIAL",
            "CREATE_EXTERNAL_LOCATION",
        ]
        self.catalog = FakeUnityCatalog(set(groups))
        self.state = {
            "clock": 1_000,
            "entered": False,
            "objects": {
                "/": {"object_type": "DIRECTORY", "object_id": 1},
                "/Shared": {"object_type": "DIRECTORY", "object_id": 2},
            },
            "warehouses": {},
            "pools": {},
            "clusters": {},
            "principals": {},
            # What was given directly. Every user may manage what lies in /Shared: "Access control lists".
            "permissions": {
                "directories/1": {"admins": "CAN_MANAGE"},
                "directories/2": {"users": "CAN_MANAGE"},
            },
            "scopes": {},
            "jobs": {},
            "job_runs": [],
            "dashboards": {},
            "published": {},
            "alerts": {},
            "unity": self.catalog.state,
        }

    def answers(self, host: str) -> bool:
        return host == self.host

    def handle(self, request: Request) -> Answer:
        self.catalog.state = self.state["unity"]
        if request.path == "/.well-known/databricks-config":
            return Answer(404, {})
        who = tokens.claims(request.headers.get("Authorization"))
        if who.get("aud") != DATABRICKS:
            return _error(401, "UNAUTHENTICATED", "The token is not for Databricks.")
        if not self._lets_in(request, who):
            return _error(403, "PERMISSION_DENIED", "User not authorized.")
        try:
            return self._route(request)
        except Missing as missing:
            return _error(404, "RESOURCE_DOES_NOT_EXIST", str(missing))

    def _lets_in(self, request: Request, who: dict[str, str]) -> bool:
        """Whoever has entered before; at first, whoever proves a right on the workspace's Azure resource.

        Source: Azure Databricks documentation, "Get Microsoft Entra ID tokens for service principals": the headers
        are needed until the service principal is a user of the workspace. MicrosoftDocs/azure-docs #80900.
        """
        if not self.state["entered"]:
            resource = request.headers.get("X-Databricks-Azure-Workspace-Resource-Id", "")
            management = request.headers.get("X-Databricks-Azure-SP-Management-Token")
            proved = (
                "upn" in who
                or tokens.claims(f"Bearer {management}" if management else None).get("aud") == MANAGEMENT
            )
            self.state["entered"] = proved and "/providers/Microsoft.Databricks/workspaces/" in resource
        return self.state["entered"]

    def _route(self, request: Request) -> Answer:
        for pattern, method in self._ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match:
                return method(self, request, *match.groups())
        raise AssertionError(f"the fake workspace does not know {request}")

    # Files and notebooks

    def _status(self, request: Request) -> Answer:
        return Answer(200, self._object(request.query["path"]))

    def _list(self, request: Request) -> Answer:
        path = request.query["path"]
        self._object(path)
        inside = [self._object(other) for other in self.state["objects"] if other.rpartition("/")[0] == path]
        return Answer(200, {"objects": inside} if inside else {})

    def _mkdirs(self, request: Request) -> Answer:
        parts = request.json["path"].strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            path = "/" + "/".join(parts[:depth])
            if path not in self.state["objects"]:
                self.state["objects"][path] = {"object_type": "DIRECTORY", "object_id": self._tick()}
            if self.state["objects"][path]["object_type"] != "DIRECTORY":
                return _error(400, "RESOURCE_ALREADY_EXISTS", f"{path} is no folder.")
        return Answer(200, {})

    def _import(self, request: Request) -> Answer:
        fields = _fields(request)
        path, kind, content = fields["path"], fields.get("format", "SOURCE"), fields["content"]
        if path.rpartition("/")[0] not in self.state["objects"]:
            return _error(400, "RESOURCE_DOES_NOT_EXIST", f"The parent folder of {path} does not exist.")
        if path in self.state["objects"] and fields.get("overwrite") != "true":
            return _error(400, "RESOURCE_ALREADY_EXISTS", f"{path} already exists.")
        if kind == "JUPYTER":
            if path.endswith(".ipynb"):
                return _error(400, "INVALID_PARAMETER_VALUE", "a JUPYTER import takes a path without .ipynb")
            if "cells" not in json.loads(content):
                return _error(400, "INVALID_PARAMETER_VALUE", "The content is no notebook.")
        elif kind != "AUTO":
            return _error(400, "INVALID_PARAMETER_VALUE", f"{kind} makes a notebook of a plain file.")
        held = self.state["objects"].get(path)
        object_type = "NOTEBOOK" if kind == "JUPYTER" else "FILE"
        if held and held["object_type"] != object_type:
            return _error(400, "INVALID_PARAMETER_VALUE", f"{path} is a {held['object_type']}.")
        now = self._tick()
        text = base64.b64encode(content).decode()
        self.state["objects"][path] = {
            "object_type": object_type,
            "content": text,
            "modified_at": now,
            "object_id": held["object_id"] if held else now,
        }
        return Answer(200, {})

    def _export(self, request: Request) -> Answer:
        held = self._held(request.query["path"])
        return Answer(
            200, content=base64.b64decode(held["content"]), headers={"Content-Type": "application/octet-stream"}
        )

    def _delete_object(self, request: Request) -> Answer:
        path = request.json["path"]
        held = self._held(path)
        inside = [other for other in self.state["objects"] if other.startswith(f"{path}/")]
        if held["object_type"] == "DIRECTORY" and inside and not request.json.get("recursive"):
            return _error(400, "DIRECTORY_NOT_EMPTY", f"{path} is not empty.")
        for gone in [path, *inside]:
            del self.state["objects"][gone]
        return Answer(200, {})

    def _object(self, path: str) -> dict:
        held = self._held(path)
        return {"path": path, **{name: value for name, value in held.items() if name != "content"}}

    def _held(self, path: str) -> dict:
        if path not in self.state["objects"]:
            raise Missing(f"Path ({path}) doesn't exist.")
        return self.state["objects"][path]

    # What computes

    def _warehouses(self, request: Request) -> Answer:
        if request.method == "GET":
            return Answer(200, {"warehouses": list(self.state["warehouses"].values())})
        if any(held["name"] == request.json["name"] for held in self.state["warehouses"].values()):
            return _error(400, "RESOURCE_ALREADY_EXISTS", "There is a warehouse of this name.")
        return self._new("warehouses", "w", "id", request.json)

    def _warehouse(self, request: Request, id_: str, edit: str | None) -> Answer:
        held = _there(self.state["warehouses"], id_)
        if edit:
            held.update(request.json)
        elif request.method == "DELETE":
            del self.state["warehouses"][id_]
        return Answer(200, {})

    def _statement(self, request: Request) -> Answer:
        _there(self.state["warehouses"], request.json["warehouse_id"])
        try:
            columns, rows = self.catalog.run(request.json["statement"])
        except SqlError as error:
            status = {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": str(error)}}
            return Answer(200, {"statement_id": "s1", "status": status})
        schema = {"columns": [{"name": name} for name in columns], "column_count": len(columns)}
        manifest = {"schema": schema, "total_chunk_count": 1, "total_row_count": len(rows)}
        result = {"data_array": rows} if rows else {}
        return Answer(
            200,
            {"statement_id": "s1", "status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": result},
        )

    def _pools(self, request: Request, verb: str) -> Answer:
        pools = self.state["pools"]
        if verb == "list":
            return Answer(200, {"instance_pools": list(pools.values())})
        if verb == "create":
            return self._new("pools", "p", "instance_pool_id", request.json)
        held = _there(pools, request.json["instance_pool_id"])
        if verb == "edit":
            if held["node_type_id"] != request.json["node_type_id"]:
                return _error(400, "INVALID_PARAMETER_VALUE", "The node type of a pool cannot be changed.")
            held.update(request.json)
        else:
            del pools[request.json["instance_pool_id"]]
        return Answer(200, {})

    def _clusters(self, request: Request, verb: str) -> Answer:
        clusters = self.state["clusters"]
        if verb == "list":
            return Answer(200, {"clusters": list(clusters.values())})
        if verb == "spark-versions":
            return Answer(200, {"versions": [{"key": key, "name": key} for key in self.runtimes]})
        if verb in ("create", "edit"):
            if request.json["spark_version"] not in self.runtimes:
                return _error(400, "INVALID_PARAMETER_VALUE", "Spark version is not known.")
            _there(self.state["pools"], request.json["instance_pool_id"])
            if request.json["single_user_name"] not in self._application_ids():
                return _error(400, "INVALID_PARAMETER_VALUE", "The single user does not exist.")
        if verb == "create":
            return self._new("clusters", "c", "cluster_id", request.json)
        held = _there(clusters, request.json["cluster_id"])
        if verb == "edit":
            held.update(request.json)
        else:
            del clusters[request.json["cluster_id"]]
        return Answer(200, {})

    # Who

    def _principals(self, request: Request) -> Answer:
        held = self.state["principals"]
        if request.method == "POST":
            if request.json["applicationId"] in self._application_ids():
                return _error(409, "RESOURCE_ALREADY_EXISTS", "There is such a service principal.")
            return self._new("principals", "7", "id", request.json)
        wanted = re.search(r'applicationId eq "(.+)"', request.query.get("filter", ""))
        found = [one for one in held.values() if not wanted or one["applicationId"] == wanted[1]]
        start = int(request.query.get("startIndex", 1))
        return Answer(200, {"Resources": found[start - 1 :], "totalResults": len(found), "startIndex": start})

    def _principal(self, request: Request, id_: str) -> Answer:
        _there(self.state["principals"], id_)
        if request.method == "DELETE":
            del self.state["principals"][id_]
            return Answer(204)
        self.state["principals"][id_] = request.json | {"id": id_}
        return Answer(200, {})

    def _groups(self, request: Request) -> Answer:
        [name] = re.findall(r'displayName eq "(.+)"', request.query["filter"])
        found = [{"displayName": name, "id": "1"}] if name in self.catalog.groups else []
        start = int(request.query.get("startIndex", 1))
        return Answer(200, {"Resources": found[start - 1 :], "totalResults": len(found), "startIndex": start})

    def _metastore(self, request: Request) -> Answer:
        return Answer(200, {"metastore_id": self.metastore} if self.metastore else {})

    def _metastore_grants(self, request: Request, metastore: str) -> Answer:
        privileges = [{"privilege": privilege} for privilege in self.metastore_privileges]
        return Answer(
            200, {"privilege_assignments": [{"principal": request.query["principal"], "privileges": privileges}]}
        )

    def _me(self, request: Request) -> Answer:
        return Answer(200, {"userName": DEPLOYER})

    def _permissions(self, request: Request, kind: str, id_: str) -> Answer:
        """Source: Databricks REST API, Permissions: PUT replaces what was given directly, and nothing else."""
        if kind in PLACED.values():
            place = next((path for path in self.state["objects"] if self.securable(path) == f"{kind}/{id_}"), None)
            if place is None:
                raise Missing(f"{kind} {id_}")
        else:
            place = None
            _there(self.state[{"instance-pools": "pools", "alertsv2": "alerts"}.get(kind, kind)], id_)
        held = self.state["permissions"].setdefault(f"{kind}/{id_}", {})
        if request.method == "PUT":
            given = {}
            for entry in request.json["access_control_list"]:
                who = entry.get("group_name") or entry.get("service_principal_name") or entry["user_name"]
                if who not in self._known() | {DEPLOYER}:
                    return _error(404, "RESOURCE_DOES_NOT_EXIST", f"Principal {who} does not exist.")
                if entry["permission_level"] not in LEVELS[kind]:
                    return _error(
                        400, "INVALID_PARAMETER_VALUE", f"{entry['permission_level']} is not for {kind}."
                    )
                given[who] = entry["permission_level"]
            if kind in ("jobs", "warehouses") and [*given.values()].count("IS_OWNER") != 1:
                return _error(400, "INVALID_PARAMETER_VALUE", f"One of {kind} must have exactly one owner.")
            held = self.state["permissions"][f"{kind}/{id_}"] = given
        inherited = self.effective(place.rpartition("/")[0] or "/") if place else {"admins": {"CAN_MANAGE"}}
        listed = [self._entry(who, level, False) for who, level in held.items()]
        listed += [self._entry(who, level, True) for who, levels in inherited.items() for level in sorted(levels)]
        return Answer(200, {"object_id": f"/{kind}/{id_}", "access_control_list": listed})

    def effective(self, path: str) -> dict[str, set[str]]:
        """Who has which permissions on a file or folder: its own and those of every folder above it."""
        found: dict[str, set[str]] = {}
        while True:
            for who, level in self.state["permissions"].get(self.securable(path), {}).items():
                found.setdefault(who, set()).add(level)
            if path == "/":
                return found
            path = path.rpartition("/")[0] or "/"

    def securable(self, path: str) -> str:
        held = self.state["objects"][path]
        return f"{PLACED[held['object_type']]}/{held['object_id']}"

    def _may_read(self, application_id: str, path: str) -> bool:
        return path not in self.state["objects"] or bool({application_id, "users"} & {*self.effective(path)})

    def _entry(self, who: str, level: str, inherited: bool) -> dict:
        field = "service_principal_name" if who in self._application_ids() else "group_name"
        field = "user_name" if "@" in who else field
        return {field: who, "all_permissions": [{"permission_level": level, "inherited": inherited}]}

    def _tick(self) -> int:
        self.state["clock"] += 1
        return self.state["clock"]

    def _application_ids(self) -> set[str]:
        return {one["applicationId"] for one in self.state["principals"].values()}

    def _known(self) -> set[str]:
        return self._application_ids() | self.catalog.groups

    # Secrets

    def _scopes(self, request: Request, verb: str) -> Answer:
        scopes = self.state["scopes"]
        if verb == "list":
            return Answer(200, {"scopes": [held["scope"] for held in scopes.values()]})
        name = request.json["scope"]
        if verb == "delete":
            _there(scopes, name)
            del scopes[name]
            return Answer(200, {})
        if name in scopes:
            return _error(400, "RESOURCE_ALREADY_EXISTS", f"Scope {name} exists already.")
        if request.json["scope_backend_type"] != "AZURE_KEYVAULT":
            return _error(400, "INVALID_PARAMETER_VALUE", "Only scopes on a Key Vault are expected here.")
        vault = request.json["backend_azure_keyvault"]
        shown = {"name": name, "backend_type": "AZURE_KEYVAULT", "keyvault_metadata": vault}
        scopes[name] = {"scope": shown, "acls": {"deployer": "MANAGE"}}
        return Answer(200, {})

    def _acls(self, request: Request, verb: str) -> Answer:
        given = request.query if request.method == "GET" else request.json
        acls = _there(self.state["scopes"], given["scope"])["acls"]
        if verb == "list":
            items = [{"principal": who, "permission": level} for who, level in acls.items()]
            return Answer(200, {"items": items})
        if given["principal"] not in self._known():
            return _error(404, "RESOURCE_DOES_NOT_EXIST", f"Principal {given['principal']} does not exist.")
        if verb == "put":
            acls[given["principal"]] = given["permission"]
        else:
            del acls[given["principal"]]
        return Answer(200, {})

    # Jobs

    def _jobs(self, request: Request, verb: str) -> Answer:
        jobs = self.state["jobs"]
        if verb == "list":
            name = request.query.get("name")
            listed = [held for held in jobs.values() if name in (None, held["settings"]["name"])]
            return Answer(200, {"jobs": [{"job_id": held["job_id"]} for held in listed]} if listed else {})
        if verb == "create":
            refusal = self._bad_job(request.json)
            job_id = len(jobs) + self.state["clock"]
            if refusal is None:
                jobs[str(job_id)] = {"job_id": job_id, "settings": request.json}
                self.state["permissions"][f"jobs/{job_id}"] = {DEPLOYER: "IS_OWNER"}
            return refusal or Answer(200, {"job_id": job_id})
        job_id = str(request.query.get("job_id") or request.json["job_id"])
        held = _there(jobs, job_id)
        if verb == "get":
            [who] = held["settings"]["run_as"].values()
            return Answer(200, held | {"settings": _shown_job(held["settings"]), "run_as_user_name": who})
        if verb == "reset":
            refusal = self._bad_job(request.json["new_settings"])
            held["settings"] = request.json["new_settings"]
            return refusal or Answer(200, {})
        del jobs[job_id]
        return Answer(200, {})

    def _job_runs(self, request: Request) -> Answer:
        """The runs of a job, the newest first. Source: Databricks REST API, Jobs 2.2, runs/list."""
        job_id = int(request.query["job_id"])
        runs = [run for run in reversed(self.state["job_runs"]) if run["job_id"] == job_id]
        return Answer(200, {"runs": runs} if runs else {})

    def _bad_job(self, settings: dict) -> Answer | None:
        if settings["run_as"]["service_principal_name"] not in self._application_ids():
            return _error(400, "INVALID_PARAMETER_VALUE", "The service principal of run_as does not exist.")
        environments = {one["environment_key"] for one in settings.get("environments", [])}
        clusters = {one["job_cluster_key"]: one["new_cluster"] for one in settings.get("job_clusters", [])}
        for cluster in clusters.values():
            _there(self.state["pools"], cluster["instance_pool_id"])
            if cluster["spark_version"] not in self.runtimes:
                return _error(400, "INVALID_PARAMETER_VALUE", "Spark version is not known.")
            profile = cluster.get("spark_conf", {}).get("spark.databricks.cluster.profile")
            if (cluster["num_workers"] == 0) != (profile == "singleNode"):
                return _error(
                    400, "INVALID_PARAMETER_VALUE", "A cluster without workers is a single node, and says so."
                )
        refusal = _bad_parameters(settings) or _bad_dependencies(settings) or _bad_continuous(settings)
        if refusal:
            return _error(400, "INVALID_PARAMETER_VALUE", refusal)
        for task in settings["tasks"]:
            if "run_job_task" in task:
                job_id = task["run_job_task"]["job_id"]
                if not isinstance(job_id, int) or str(job_id) not in self.state["jobs"]:
                    return _error(400, "INVALID_PARAMETER_VALUE", f"There is no job {job_id} to run.")
            if "notebook_task" not in task:
                continue
            path = task["notebook_task"]["notebook_path"].removeprefix("/Workspace")
            if not self._may_read(settings["run_as"]["service_principal_name"], path):
                return _error(400, "INVALID_PARAMETER_VALUE", f"{settings['run_as']} cannot read {path}.")
            if self.state["objects"].get(path, {}).get("object_type") != "NOTEBOOK":
                return _error(400, "INVALID_PARAMETER_VALUE", f"There is no notebook {path}.")
            if task.get("environment_key") not in environments and task.get("job_cluster_key") not in clusters:
                return _error(400, "INVALID_PARAMETER_VALUE", "The environment is not known.")
            if not all(
                isinstance(value, str) for value in task["notebook_task"].get("base_parameters", {}).values()
            ):
                return _error(400, "MALFORMED_REQUEST", "Parameters must be texts.")
        return None

    # Dashboards

    def _dashboards(self, request: Request) -> Answer:
        held = self.state["dashboards"]
        if request.method == "GET":
            shown = ("dashboard_id", "display_name", "update_time")
            return Answer(200, {"dashboards": [{name: one[name] for name in shown} for one in held.values()]})
        refusal = self._bad_dashboard(request.json)
        folder = request.json["parent_path"].removeprefix("/Workspace")
        if self.state["objects"].get(folder, {}).get("object_type") != "DIRECTORY":
            return _error(400, "RESOURCE_DOES_NOT_EXIST", f"Path ({folder}) doesn't exist.")
        if any(one["display_name"] == request.json["display_name"] for one in held.values()):
            return _error(409, "ALREADY_EXISTS", "There is a dashboard of this name in the folder.")
        if refusal is None:
            answer = self._new("dashboards", "d", "dashboard_id", request.json)
            id_ = answer.document["dashboard_id"]
            held[id_]["update_time"] = self._instant()
        return refusal or Answer(200, held[id_])

    def _dashboard(self, request: Request, id_: str) -> Answer:
        held = _there(self.state["dashboards"], id_)
        if request.method == "DELETE":
            del self.state["dashboards"][id_]
            self.state["published"].pop(id_, None)
            return Answer(200, {})
        if request.method == "PATCH":
            refusal = self._bad_dashboard(request.json)
            if refusal is not None:
                return refusal
            held.update(request.json | {"update_time": self._instant()})
        return Answer(200, held | {"serialized_dashboard": _shown_dashboard(held["serialized_dashboard"])})

    def _published(self, request: Request, id_: str) -> Answer:
        _there(self.state["dashboards"], id_)
        if request.method == "POST":
            _there(self.state["warehouses"], request.json["warehouse_id"])
            self.state["published"][id_] = request.json | {"revision_create_time": self._instant()}
        return Answer(200, _there(self.state["published"], id_))

    def _bad_dashboard(self, document: dict) -> Answer | None:
        _there(self.state["warehouses"], document["warehouse_id"])
        content = json.loads(document["serialized_dashboard"])
        queries = " ".join("".join(dataset["queryLines"]) for dataset in content["datasets"])
        unqualified = re.findall(r"(?:FROM|JOIN) (\w+\.\w+)(?!\S)", queries)
        if unqualified:
            return _error(400, "INVALID_PARAMETER_VALUE", f"{', '.join(unqualified)}: the catalog is missing.")
        return None

    def _instant(self) -> str:
        self._tick()
        return f"2026-12-01T00:00:00.{self.state['clock']:09}Z"

    # Alerts

    def _alerts(self, request: Request) -> Answer:
        """Source: Databricks REST API, Alerts V2; a list gives two at a time."""
        held = self.state["alerts"]
        if request.method == "GET":
            first, every = int(request.query.get("page_token", "0")), list(held.values())
            more = {"next_page_token": str(first + 2)} if first + 2 < len(every) else {}
            return Answer(200, {"alerts": [self._shown_alert(one) for one in every[first : first + 2]]} | more)
        folder = request.json["parent_path"].removeprefix("/Workspace")
        if self.state["objects"].get(folder, {}).get("object_type") != "DIRECTORY":
            return _error(400, "RESOURCE_DOES_NOT_EXIST", f"Path ({folder}) doesn't exist.")
        refusal = self._bad_alert(request.json)
        if refusal is not None:
            return refusal
        answer = self._new("alerts", "a", "id", request.json)
        return Answer(200, self._shown_alert(held[answer.document["id"]]))

    def _alert(self, request: Request, id_: str) -> Answer:
        held = _there(self.state["alerts"], id_)
        if request.method == "DELETE":
            del self.state["alerts"][id_]
            return Answer(200, {})
        if request.method == "PATCH":
            changed = {name: request.json[name] for name in request.query["update_mask"].split(",")}
            refusal = self._bad_alert(held | changed)
            if refusal is not None:
                return refusal
            held.update(changed)
        return Answer(200, self._shown_alert(held))

    def _bad_alert(self, alert: dict) -> Answer | None:
        _there(self.state["warehouses"], alert["warehouse_id"])
        who = alert["run_as"]["service_principal_name"]
        if who not in self._application_ids():
            return _error(400, "INVALID_PARAMETER_VALUE", "The service principal of run_as does not exist.")
        if "CAN_USE" not in self.state["permissions"][f"warehouses/{alert['warehouse_id']}"].get(who, ""):
            return _error(403, "PERMISSION_DENIED", f"{who} may not use the warehouse.")
        for table in re.findall(r"FROM (\S+)", alert["query_text"]):
            if table not in self.state["unity"]["table"]:
                return _error(400, "BAD_REQUEST", f"[TABLE_OR_VIEW_NOT_FOUND] {table} cannot be found.")
        if f" AS {alert['evaluation']['source']['name']}\n" not in alert["query_text"]:
            return _error(400, "INVALID_PARAMETER_VALUE", "The column is not in the query's result.")
        return None

    def _shown_alert(self, held: dict) -> dict:
        evaluation = {"state": "OK", "last_evaluated_at": "2026-12-01T06:00:00Z"} | held["evaluation"]
        return {"lifecycle_state": "ACTIVE", "owner_user_name": DEPLOYER} | held | {"evaluation": evaluation}

    # Unity Catalog past SQL

    def _credentials(self, request: Request) -> Answer:
        credentials = self.state["unity"]["credentials"]
        name = request.json["name"]
        if name in credentials:
            return _error(409, "ALREADY_EXISTS", f"Credential {name} exists already.")
        if request.json.get("purpose") not in ("STORAGE", "SERVICE"):
            return _error(400, "INVALID_PARAMETER_VALUE", "purpose must be STORAGE or SERVICE.")
        credentials[name] = request.json | {"owner": "deployer"}
        return Answer(200, credentials[name])

    def _credential(self, request: Request, name: str) -> Answer:
        held = _there(self.state["unity"]["credentials"], name)
        if request.method == "PATCH":
            if request.json.get("owner") not in (None, *self._known()):
                return _error(404, "PRINCIPAL_DOES_NOT_EXIST", "The new owner does not exist.")
            held.update(request.json)
        elif request.method == "DELETE":
            if any(one["credential"] == name for one in self.state["unity"]["locations"].values()):
                return _error(400, "INVALID_STATE", "The credential is used by an external location.")
            del self.state["unity"]["credentials"][name]
            grants = self.state["unity"]["grants"]
            for place in [place for place in grants if place.startswith(f"service credential {name} to ")]:
                del grants[place]
        return Answer(200, held)

    def _catalog(self, request: Request, name: str) -> Answer:
        _there(self.state["unity"]["catalog"], name)
        if request.method == "DELETE":
            if request.query.get("force") != "true":
                return _error(400, "INVALID_STATE", f"Catalog {name} is not empty.")
            return self._dropped(self.catalog.drop_catalog, name)
        return Answer(200, {"name": name})

    def _dropped(self, drop, name: str) -> Answer:
        try:
            drop(name)
        except SqlError as error:
            return _error(400, "INVALID_STATE", str(error))
        return Answer(200, {})

    def _location(self, request: Request, name: str) -> Answer:
        held = _there(self.state["unity"]["locations"], name)
        if request.method == "DELETE":
            return self._dropped(self.catalog.drop_location, name)
        held.update({field: value for field, value in request.json.items() if field in ("comment", "owner")})
        return Answer(200, {"name": name} | held)

    def _function(self, request: Request, name: str) -> Answer:
        held = _there(self.state["unity"]["function"], name)
        if request.method == "GET":
            return Answer(200, {"full_name": name, "owner": held["owner"]})
        if request.json["owner"] not in self._known():
            return _error(404, "PRINCIPAL_DOES_NOT_EXIST", "The new owner does not exist.")
        held["owner"] = request.json["owner"]
        return Answer(200, {"full_name": name, "owner": held["owner"]})

    def _new(self, kind: str, prefix: str, id_name: str, document: dict) -> Answer:
        id_ = f"{prefix}{self._tick()}"
        self.state[kind][id_] = document | {id_name: id_}
        if kind in CREATORS:
            self.state["permissions"][f"{CREATORS[kind][0]}/{id_}"] = {DEPLOYER: CREATORS[kind][1]}
        return Answer(200, {id_name: id_})

    _ROUTES = (
        (r"/api/2\.0/workspace/get-status", _status),
        (r"/api/2\.0/workspace/list", _list),
        (r"/api/2\.0/workspace/mkdirs", _mkdirs),
        (r"/api/2\.0/workspace/import", _import),
        (r"/api/2\.0/workspace/export", _export),
        (r"/api/2\.0/workspace/delete", _delete_object),
        (r"/api/2\.0/sql/warehouses", _warehouses),
        (r"/api/2\.0/sql/warehouses/([^/]+)(/edit)?", _warehouse),
        (r"/api/2\.0/sql/statements", _statement),
        (r"/api/2\.1/unity-catalog/external-locations/([^/]+)", _location),
        (r"/api/2\.1/unity-catalog/catalogs/([^/]+)", _catalog),
        (r"/api/2\.1/unity-catalog/functions/([^/]+)", _function),
        (r"/api/2\.0/instance-pools/(\w+)", _pools),
        (r"/api/2\.\d/clusters/([\w-]+)", _clusters),
        (re.escape(SCIM), _principals),
        (re.escape(SCIM) + r"/([^/]+)", _principal),
        (r"/api/2\.0/preview/scim/v2/Me", _me),
        (r"/api/2\.0/preview/scim/v2/Groups", _groups),
        (r"/api/2\.1/unity-catalog/metastore_summary", _metastore),
        (r"/api/2\.1/unity-catalog/effective-permissions/metastore/([^/]+)", _metastore_grants),
        (r"/api/2\.0/permissions/([\w-]+)/([^/]+)", _permissions),
        (r"/api/2\.0/secrets/scopes/(\w+)", _scopes),
        (r"/api/2\.0/secrets/acls/(\w+)", _acls),
        (r"/api/2\.\d/jobs/(\w+)", _jobs),
        (r"/api/2\.\d/jobs/runs/list", _job_runs),
        (r"/api/2\.0/lakeview/dashboards", _dashboards),
        (r"/api/2\.0/lakeview/dashboards/([^/]+)", _dashboard),
        (r"/api/2\.0/lakeview/dashboards/([^/]+)/published", _published),
        (r"/api/2\.0/alerts", _alerts),
        (r"/api/2\.0/alerts/([^/]+)", _alert),
        (r"/api/2\.1/unity-catalog/credentials", _credentials),
        (r"/api/2\.1/unity-catalog/credentials/([^/]+)", _credential),
    )


KINDS_OF_TASKS = {"notebook_task", "condition_task", "run_job_task"}
OPERATORS = {"EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"}


def _bad_parameters(settings: dict) -> str | None:
    """Of a job's parameters: names, texts, and that what tasks refer to is one of them.

    Source: Azure Databricks documentation, "Configure job parameters", "Dynamic value references".
    """
    names = [one["name"] for one in settings.get("parameters", [])]
    if len(names) != len({*names}) or not all(re.fullmatch(r"[\w.-]+", name) for name in names):
        return "Names of parameters hold letters, digits, _ - . and are there once."
    if not all(isinstance(one["default"], str) for one in settings.get("parameters", [])):
        return "The defaults of parameters must be texts."
    used = set(re.findall(r"\{\{job\.parameters\.([^}]+)\}\}", json.dumps(settings["tasks"])))
    return f"There is no parameter {', '.join(sorted(used - {*names}))}." if used - {*names} else None


def _bad_dependencies(settings: dict) -> str | None:
    """Of tasks: one kind each, what they wait for, and that an outcome is that of a condition.

    Source: Databricks REST API, Jobs 2.2, create: TaskDependency, ConditionTask.
    """
    kinds = {task["task_key"]: KINDS_OF_TASKS & {*task} for task in settings["tasks"]}
    done: set[str] = set()
    for task in settings["tasks"]:
        key = task["task_key"]
        if len(kinds[key]) != 1:
            return f"{key} must be of one kind."
        for one in task.get("depends_on", []):
            if one["task_key"] not in kinds:
                return f"{key} depends on an unknown task."
            if "outcome" in one and (
                kinds[one["task_key"]] != {"condition_task"} or one["outcome"] not in ("true", "false")
            ):
                return f"{key} waits for an outcome that {one['task_key']} does not have."
        if "condition_task" in task and task["condition_task"]["op"] not in OPERATORS:
            return f"{key} compares in a way that there is not."
        if "condition_task" in task and {"environment_key", "job_cluster_key", "libraries"} & {*task}:
            return f"{key} needs no machine."
    left = {
        task["task_key"]: {one["task_key"] for one in task.get("depends_on", [])} for task in settings["tasks"]
    }
    while left:
        ready = {key for key, waits in left.items() if waits <= done}
        if not ready:
            return f"{', '.join(left)} wait for one another."
        done |= ready
        left = {key: waits for key, waits in left.items() if key not in ready}
    return None


def _bad_continuous(settings: dict) -> str | None:
    """Of a continuous job. Source: Azure Databricks documentation, "Run jobs continuously"."""
    if "continuous" not in settings:
        return None
    if {"schedule", "trigger"} & {*settings} or settings.get("max_concurrent_runs", 1) != 1:
        return "A continuous job has one run at a time and no other trigger."
    if any(task.get("depends_on") for task in settings["tasks"]):
        return "You cannot use task dependencies with a continuous job."
    if any("max_retries" in task for task in settings["tasks"]):
        return "You cannot use retry policies in a continuous job."
    return None


def _shown_job(settings: dict) -> dict:
    """A job as jobs/get gives it: with what nobody set, and in an order of its own.

    Source: databricks/cli #3027 and the fields of the SDK's JobSettings.
    """
    added = {
        "email_notifications": {"no_alert_for_skipped_runs": False},
        "webhook_notifications": {},
        "timeout_seconds": 0,
        "performance_target": "PERFORMANCE_OPTIMIZED",
    }
    tasks = [
        {"email_notifications": {}, "retry_on_timeout": False}
        | task
        | {"depends_on": task.get("depends_on", [])[::-1]}
        for task in reversed(settings["tasks"])
    ]
    written = {name: value for name, value in settings.items() if name != "run_as"}
    for one in settings.get("job_clusters", []):
        # JSON leaves out a number of 0.
        cluster = {name: value for name, value in one["new_cluster"].items() if value != 0}
        written["job_clusters"] = [one | {"new_cluster": cluster}]
    return added | written | {"tasks": tasks}


def _shown_dashboard(serialized: str) -> str:
    """A dashboard as Lakeview gives it: with the settings and kinds of pages that nobody set."""
    content = json.loads(serialized)
    pages = [{"pageType": "PAGE_TYPE_CANVAS"} | page for page in content.get("pages", [])]
    return json.dumps(content | {"pages": pages, "uiSettings": {"theme": {"widgetHeaderAlignment": "LEFT"}}})


class Missing(Exception):
    """Something that is asked for by its id and is not there."""


def _there(held: dict, id_: str) -> dict:
    if id_ not in held:
        raise Missing(f"{id_} does not exist.")
    return held[id_]


def _fields(request: Request) -> dict:
    """The fields of an import, from its JSON body or its multipart form."""
    kind = request.headers.get("Content-Type", "")
    if not kind.startswith("multipart/"):
        fields = request.json
        return fields | {
            "content": base64.b64decode(fields["content"]),
            "overwrite": str(fields.get("overwrite")).lower(),
        }
    header = Message()
    header["Content-Type"] = kind
    fields: dict = {}
    for part in request.body.split(b"--" + header.get_param("boundary").encode())[1:-1]:
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)[1].decode()
        value = body.removesuffix(b"\r\n")
        fields[name] = value if name == "content" else value.decode()
    return fields


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error_code": code, "message": message})
