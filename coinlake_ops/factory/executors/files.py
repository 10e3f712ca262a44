"""Delete. Source: azure-docs, delete-activity."""

import shutil

from adf_lab import ActivityFailure
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown


def delete(world, activity):
    """Delete the folder that a dataset names, with all that is in it; a folder that is missing is an error."""
    properties = activity.type_properties
    refuse_unknown(f"Delete '{activity.name}'", properties, ("dataset", "enableLogging", "storeSettings"))
    if not (properties.get("storeSettings") or {}).get("recursive"):
        raise not_supported(f"Delete '{activity.name}': without recursive")
    folder = world.location(world.factory.resolve_dataset(properties["dataset"]))
    if folder == world.lake:
        raise ActivityFailure("BadRequest", f"{folder} is the lake itself: name a folder in it.")
    if not folder.is_dir():
        raise ActivityFailure("UserErrorFileNotFound", f"There is no folder {folder}.")
    count = sum(path.is_file() for path in folder.rglob("*"))
    shutil.rmtree(folder)
    return {"datasetName": properties["dataset"]["referenceName"], "filesDeleted": count, "recursive": True}
