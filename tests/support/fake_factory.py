"""The objects inside a Data Factory, with the checks that the service makes on every write."""

from tests.support.internet import Answer, Request

KINDS = {"linkedservices": "LinkedService", "datasets": "Dataset", "pipelines": "Pipeline", "triggers": "Trigger"}
PAGE = 2
# What a run of a pipeline is, one after the other.
RUN = ["Queued", "InProgress", "InProgress", "Succeeded"]


class FakeFactory:
    """One factory among the resources of a subscription."""

    def __init__(self, resources: dict, factory_id: str):
        self._resources = resources
        self._id = factory_id

    def handle(self, request: Request, kind: str, name: str | None, verb: str | None) -> Answer:
        if self._id.lower() not in self._resources:
            return _error(404, "ResourceNotFound", f"{self._id} was not found.")
        if request.query.get("api-version") != "2018-06-01":
            return _error(400, "InvalidApiVersionParameter", "The api-version is not valid.")
        if kind == "pipelineruns":
            return self._run(name)
        if kind not in KINDS:
            return _error(404, "InvalidResourceType", f"There is no type {kind}.")
        objects = self._objects(kind)
        if name is None:
            return self._page(request, kind, objects)
        if request.method == "GET":
            return self._one(kind, name)
        if verb == "createRun":
            return self._start_run(name)
        if verb:
            return self._switch(name, verb)
        return self._put(request, kind, name) if request.method == "PUT" else self._delete(kind, name)

    def _start_run(self, name: str) -> Answer:
        if name not in self._objects("pipelines"):
            return _error(404, "PipelineNotFound", f"{name} was not found.")
        runs = self._objects("runs")
        run_id = f"run-{len(runs) + 1}"
        runs[run_id] = {"runId": run_id, "pipelineName": name, "status": "Queued", "states": [*RUN]}
        return Answer(200, {"runId": run_id})

    def _run(self, run_id: str) -> Answer:
        if run_id not in self._objects("runs"):
            return _error(404, "PipelineRunNotFound", f"{run_id} was not found.")
        held = self._objects("runs")[run_id]
        held["status"] = held["states"].pop(0) if held["states"] else held["status"]
        message = "Operation on target ingest failed" if held["status"] == "Failed" else ""
        return Answer(
            200, {"runId": run_id, "status": held["status"], "message": message, "durationInMs": 600_000}
        )

    def _objects(self, kind: str) -> dict:
        return self._resources[self._id.lower()]["children"].setdefault(kind, {})

    def _page(self, request: Request, kind: str, objects: dict) -> Answer:
        first = int(request.query.get("skip", "0"))
        names = sorted(objects)[first : first + PAGE]
        page = {"value": [self._one(kind, name).document for name in names]}
        if first + PAGE < len(objects):
            url = f"https://management.azure.com{self._id}/{kind}?api-version=2018-06-01&skip={first + PAGE}"
            page["nextLink"] = url
        return Answer(200, page)

    def _one(self, kind: str, name: str) -> Answer:
        if name not in self._objects(kind):
            return _error(404, f"{KINDS[kind]}NotFound", f"{name} was not found.")
        held = self._objects(kind)[name]
        added = {"lastPublishTime": "2026-11-26T00:00:00Z"} if kind == "pipelines" else {}
        added |= {"runtimeState": held["state"]} if kind == "triggers" else {}
        document = {"id": f"{self._id}/{kind}/{name}", "name": name, "etag": "0000"}
        return Answer(200, document | {"properties": held["properties"] | added})

    def _put(self, request: Request, kind: str, name: str) -> Answer:
        before, properties = self._objects(kind).get(name), request.json["properties"]
        if before and before.get("state") == "Started":
            return _error(
                400, "TriggerEnabledCannotUpdate", f"Cannot update enabled trigger {name}: stop it first."
            )
        for wanted, target in references(properties):
            if target not in self._objects(wanted):
                return _error(
                    400, "BadRequest", f"{name} refers to {KINDS[wanted]} {target}, which does not exist."
                )
        if "type" not in properties and kind != "pipelines":
            return _error(400, "BadRequest", f"{name} has no type.")
        self._objects(kind)[name] = {"properties": properties, "state": "Stopped"}
        return self._one(kind, name)

    def _delete(self, kind: str, name: str) -> Answer:
        if name not in self._objects(kind):
            return Answer(204)
        if self._objects(kind)[name]["state"] == "Started":
            return _error(400, "TriggerEnabledCannotDelete", f"Cannot delete enabled trigger {name}.")
        for other_kind in KINDS:
            for other, held in self._objects(other_kind).items():
                if (kind, name) in references(held["properties"]):
                    message = f"{name} cannot be deleted since it is referenced by {other}."
                    return _error(400, "DocumentReferenced", message)
        del self._objects(kind)[name]
        return Answer(200)

    def _switch(self, name: str, verb: str) -> Answer:
        trigger = self._objects("triggers").get(name)
        if trigger is None:
            return _error(404, "TriggerNotFound", f"{name} was not found.")
        trigger["state"] = "Started" if verb == "start" else "Stopped"
        return Answer(200)


def references(value) -> set[tuple[str, str]]:
    """(kind, name) of everything that a document refers to."""
    found = set()
    if isinstance(value, dict):
        kind = str(value.get("type", "")).removesuffix("Reference").lower() + "s"
        if "referenceName" in value and kind in KINDS:
            found.add((kind, value["referenceName"]))
        for part in value.values():
            found |= references(part)
    elif isinstance(value, list):
        for part in value:
            found |= references(part)
    return found


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})
