"""Where the data came from: an OpenLineage event for each step, which any lineage tool can draw.

Source: OpenLineage, object model 2-0-2 (RunEvent) and the facets DatasetVersion and ErrorMessage.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from coinlake import files, instants

PRODUCER = "https://github.com/coinlake/coinlake"
SPECIFICATION = "https://openlineage.io/spec"
NAMESPACE = "coinlake"

START, COMPLETE, FAIL, ABORT = "START", "COMPLETE", "FAIL", "ABORT"


def event(
    kind: str,
    at: datetime,
    run_id: str,
    step: str,
    *,
    reads: Iterable[str] = (),
    writes: Mapping[str, int | None] | None = None,
    message: str | None = None,
) -> dict[str, Any]:
    """A RunEvent: START, COMPLETE, FAIL or ABORT of a step of a pipeline run.

    `reads` names the inputs; `writes` maps each output to its Delta version, None where there is no version;
    `message` is what went wrong.
    """
    run: dict[str, Any] = {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run_id}/{step}")), "facets": {}}
    if message is not None:
        error = {"message": message, "programmingLanguage": "Python"}
        run["facets"]["errorMessage"] = _facet("1-0-1", "ErrorMessageRunFacet", error)
    return {
        "eventType": kind,
        "eventTime": instants.to_text(at),
        "producer": PRODUCER,
        "schemaURL": f"{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": run,
        "job": {"namespace": NAMESPACE, "name": step, "facets": {}},
        "inputs": [_dataset(name) | {"inputFacets": {}} for name in reads],
        "outputs": [_dataset(name, version) | {"outputFacets": {}} for name, version in (writes or {}).items()],
    }


def keep(lake: Path, run_id: str, step: str, content: Mapping[str, Any]) -> None:
    """Puts a step's newest event in the place of the one before: a START that stays is a step that was cut off."""
    files.write_json(lake / "lineage" / run_id / f"{step}.json", content)


def _dataset(name: str, version: int | None = None) -> dict[str, Any]:
    facets = {}
    if version is not None:
        facets["version"] = _facet("1-0-1", "DatasetVersionDatasetFacet", {"datasetVersion": str(version)})
    return {"namespace": NAMESPACE, "name": name, "facets": facets}


def _facet(version: str, name: str, content: dict[str, Any]) -> dict[str, Any]:
    schema = f"{SPECIFICATION}/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": schema} | content
