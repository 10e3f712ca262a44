"""A picture of a factory in mermaid, made from its JSON: what triggers what, what follows what."""

import re

from ops.adf.structure import inner_activities

SHAPES = {
    "ExecutePipeline": ("[[", "]]"),
    "ForEach": ("[/", "/]"),
    "IfCondition": ("{{", "}}"),
    "Switch": ("{{", "}}"),
    "Fail": ("((", "))"),
}
BEGIN, END = "<!-- diagram: python -m ops.adf diagram -->", "<!-- end of diagram -->"


def mermaid(factory) -> str:
    """A flowchart: a box for each pipeline with its activities, an arrow for each dependency, call and trigger."""
    lines = ["flowchart LR"]
    links = []
    for name, document in factory.pipelines.items():
        lines.append(f"  subgraph {name}")
        activities = document["properties"].get("activities") or []
        lines += [f"    {line}" for activity in activities for line in _nodes(name, activity)]
        lines.append("  end")
        links += _links(name, activities)
    for name, resource in factory.resources["trigger"].items():
        entries = resource.properties.get("pipelines") or [resource.properties["pipeline"]]
        lines.append(f'  {name}(["{name}"])')
        links += [f"{name} ==> {entry['pipelineReference']['referenceName']}" for entry in entries]
    return "\n".join([*lines, *(f"  {link}" for link in links)]) + "\n"


def _nodes(pipeline, activity, prefix=""):
    opening, closing = SHAPES.get(activity["type"], ("[", "]"))
    label = f"{prefix}{activity['name']}<br/><small>{activity['type']}</small>"
    yield f'{_id(pipeline, activity)}{opening}"{label}"{closing}'
    for path, inner in inner_activities(activity):
        for child in inner:
            yield from _nodes(pipeline, child, "else: " if "False" in path else "")


def _links(pipeline, activities):
    for activity in activities:
        for dependency in activity.get("dependsOn") or []:
            parent = next(other for other in activities if other["name"] == dependency["activity"])
            conditions = dependency.get("dependencyConditions") or ["Succeeded"]
            arrow = "-->" if set(conditions) == {"Succeeded"} else f"-. {' or '.join(conditions).lower()} .->"
            yield f"{_id(pipeline, parent)} {arrow} {_id(pipeline, activity)}"
        if activity["type"] == "ExecutePipeline":
            yield f"{_id(pipeline, activity)} ==> {activity['typeProperties']['pipeline']['referenceName']}"
        for _, inner in inner_activities(activity):
            firsts = [child for child in inner if not child.get("dependsOn")]
            yield from (f"{_id(pipeline, activity)} --- {_id(pipeline, child)}" for child in firsts)
            yield from _links(pipeline, inner)


def _id(pipeline, activity):
    return re.sub(r"\W", "_", f"{pipeline}__{activity['name']}")


def put_into(text: str, diagram: str) -> str:
    """A Markdown text with the diagram between its two marks."""
    block = f"{BEGIN}\n```mermaid\n{diagram}```\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL)
