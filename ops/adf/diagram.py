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
# Steps of a calculation, not of the work: arrows go through them as if they were not there.
HIDDEN = {"SetVariable", "AppendVariable"}
SUCCEEDED = ("Succeeded",)
BEGIN, END = "<!-- diagram: python -m ops.adf diagram -->", "<!-- end of diagram -->"


def mermaid(factory) -> str:
    """A flowchart: a box for each pipeline with its activities, an arrow for each dependency, call and trigger."""
    lines, links = ["flowchart LR"], []
    for name, document in factory.pipelines.items():
        activities = document["properties"].get("activities") or []
        lines.append(f"  subgraph {name}")
        lines += [f"    {line}" for line in _nodes(name, activities)]
        lines.append("  end")
        links += _links(name, activities)
    for name, resource in factory.resources["trigger"].items():
        entries = resource.properties.get("pipelines") or [resource.properties["pipeline"]]
        lines.append(f'  {name}(["{name}"])')
        links += [f"{name} ==> {entry['pipelineReference']['referenceName']}" for entry in entries]
    return "\n".join([*lines, *(f"  {link}" for link in links)]) + "\n"


def put_into(text: str, diagram: str) -> str:
    """A Markdown text with the diagram between its two marks."""
    block = f"{BEGIN}\n```mermaid\n{diagram}```\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL)


def _nodes(pipeline, activities, prefix=""):
    for activity in activities:
        if activity["type"] not in HIDDEN:
            opening, closing = SHAPES.get(activity["type"], ("[", "]"))
            label = f"{prefix}{activity['name']}<br/><small>{activity['type']}</small>"
            yield f'{_id(pipeline, activity)}{opening}"{label}"{closing}'
        for path, inner in inner_activities(activity):
            yield from _nodes(pipeline, inner, "else: " if "False" in path else "")


def _links(pipeline, activities):
    by_name = {activity["name"]: activity for activity in activities}
    for activity in activities:
        if activity["type"] in HIDDEN:
            continue
        for parent, conditions in _followed(activity, by_name):
            words = " or ".join(conditions).lower()
            arrow = "-->" if conditions == SUCCEEDED else f"-. {words} .->"
            yield f"{_id(pipeline, by_name[parent])} {arrow} {_id(pipeline, activity)}"
        if activity["type"] == "ExecutePipeline":
            yield f"{_id(pipeline, activity)} ==> {activity['typeProperties']['pipeline']['referenceName']}"
        for _, inner in inner_activities(activity):
            names = {child["name"]: child for child in inner}
            for child in inner:
                if child["type"] not in HIDDEN and not _followed(child, names):
                    yield f"{_id(pipeline, activity)} --- {_id(pipeline, child)}"
            yield from _links(pipeline, inner)


def _followed(activity, by_name):
    """What an activity follows: {visible activity: conditions}, as pairs; through hidden ones to those before."""
    found = {}
    for dependency in activity.get("dependsOn") or []:
        parent = by_name[dependency["activity"]]
        conditions = tuple(dependency.get("dependencyConditions") or SUCCEEDED)
        if parent["type"] not in HIDDEN:
            found[parent["name"]] = conditions
            continue
        for name, earlier in _followed(parent, by_name):
            found.setdefault(name, earlier if conditions == SUCCEEDED else conditions)
    return list(found.items())


def _id(pipeline, activity):
    return re.sub(r"\W", "_", f"{pipeline}__{activity['name']}")
