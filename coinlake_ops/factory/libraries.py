"""The libraries of notebook activities: what the runtime lacks, in the versions of requirements.txt.

Every activity starts a cluster of its own, which has what the activity lists and nothing else (azure-docs,
transform-data-databricks-notebook, "Supported libraries"). One list for all of them, so that they share code.
"""

import json
from pathlib import Path

from adf_lab import Factory, all_activities
from coinlake_ops import databricks_runtime

NOTEBOOK = "DatabricksNotebook"


def libraries() -> list[dict]:
    """The `libraries` of an activity."""
    return [{"pypi": {"package": package}} for package in databricks_runtime.dependencies()]


def write(root: Path) -> None:
    """Write the libraries into every notebook activity below the folder of a factory."""
    for path in sorted((Path(root) / "pipeline").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for _, activity in all_activities(document["properties"]["activities"]):
            if activity["type"] == NOTEBOOK:
                activity["typeProperties"]["libraries"] = libraries()
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def disagreements(factory: Factory) -> list[str]:
    """Notebook activities with other libraries than the pins; each with its remedy."""
    return [
        f"{resource.file}: {path}.typeProperties.libraries of '{activity['name']}' are not the pins of "
        "requirements.txt: coinlake factory parameters"
        for resource in factory.resources["pipeline"].values()
        for path, activity in all_activities(resource.properties["activities"])
        if activity["type"] == NOTEBOOK and activity["typeProperties"].get("libraries") != libraries()
    ]
