"""What stands in the pipelines of a factory."""

from adf_lab import all_activities


def activities(factory):
    """Pairs (pipeline, activity) of every activity of a factory."""
    for name, document in factory.pipelines.items():
        for _, activity in all_activities(document["properties"]["activities"]):
            yield name, activity
