"""A picture of a factory in mermaid, made from its JSON: what triggers what, what follows what."""

import re

from adf_lab.shape import refuse_misshapen, refuse_misshapen_trigger
from adf_lab.structure import all_activities, inner_activities
from adf_lab.triggers import pipelines_of

__all__ = ["HIDDEN", "MARKS", "mermaid", "overview", "put_into"]

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
# The first mark says by which command the picture is made again.
MARKS = re.compile(r"(<!-- diagram: [^\n]* -->\n).*?(<!-- end of diagram -->)", re.DOTALL)


def mermaid(factory) -> str:
    """A flowchart: a box for each pipeline with its activities, an arrow for each dependency, call and trigger."""
    _refuse_misshapen(factory)
    lines, links = ["flowchart LR"], []
    for name, document in factory.pipelines.items():
        activities = document["properties"].get("activities") or []
        lines.append(f"  subgraph {_box(name)}")
        lines += [f"    {line}" for line in _nodes(name, activities)]
        lines.append("  end")
        links += _links(name, activities)
    return _flowchart([*lines, *_triggers(factory)], [*links, *_fired(factory)])


def overview(factory) -> str:
    """A flowchart of a few boxes: what fires which pipeline, and which pipelines that one calls, in order."""
    _refuse_misshapen(factory)
    lines, links = ["flowchart LR", *_triggers(factory)], _fired(factory)
    for name, document in factory.pipelines.items():
        lines.append(f"  {_box(name)}")
        called: dict[str, list[str]] = {}
        for _, activity in all_activities(document["properties"].get("activities") or []):
            if activity["type"] == "ExecutePipeline":
                other = activity["typeProperties"]["pipeline"]["referenceName"]
                called.setdefault(other, []).append(activity["name"])
        links += [f"{_slug(name)} -- {', '.join(names)} --> {_slug(other)}" for other, names in called.items()]
    return _flowchart(lines, links)


def put_into(text: str, diagram: str) -> str:
    """A Markdown text with the diagram between its two marks."""
    return MARKS.sub(lambda marks: f"{marks[1]}```mermaid\n{diagram}```\n{marks[2]}", text)


def _refuse_misshapen(factory):
    for name, document in factory.pipelines.items():
        refuse_misshapen(name, document)
    for name, resource in factory.resources["trigger"].items():
        refuse_misshapen_trigger(name, resource.document)


def _triggers(factory):
    return [f'  {_slug(name)}(["{name}"])' for name in factory.resources["trigger"]]


def _fired(factory):
    return [
        f"{_slug(name)} ==> {_slug(pipeline)}"
        for name, resource in factory.resources["trigger"].items()
        for pipeline in pipelines_of(resource.document)
    ]


def _flowchart(lines, links):
    return "\n".join([*lines, *(f"  {link}" for link in links)]) + "\n"


def _box(name):
    return name if _slug(name) == name else f'{_slug(name)}["{name}"]'


def _slug(name):
    return re.sub(r"\W", "_", name)


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
            called = activity["typeProperties"]["pipeline"]["referenceName"]
            yield f"{_id(pipeline, activity)} ==> {_slug(called)}"
        for _, inner in inner_activities(activity):
            names = {child["name"]: child for child in inner}
            for child in inner:
                if child["type"] not in HIDDEN and not _followed(child, names):
                    yield f"{_id(pipeline, activity)} --- {_id(pipeline, child)}"
            yield from _links(pipeline, inner)


def _followed(activity, by_name, known=None):
    """What an activity follows: {visible activity: conditions}, as pairs; through hidden ones to those before.

    What stands nowhere, and a hidden circle, is left out. `known` keeps the answers for hidden activities.
    """
    known = {} if known is None else known
    found = {}
    for dependency in activity.get("dependsOn") or []:
        parent = by_name.get(dependency["activity"])
        if parent is None:
            continue
        conditions = tuple(dependency.get("dependencyConditions") or SUCCEEDED)
        if parent["type"] not in HIDDEN:
            found[parent["name"]] = conditions
            continue
        if parent["name"] not in known:
            known[parent["name"]] = []
            known[parent["name"]] = _followed(parent, by_name, known)
        for name, earlier in known[parent["name"]]:
            found.setdefault(name, earlier if conditions == SUCCEEDED else conditions)
    return list(found.items())


def _id(pipeline, activity):
    return _slug(f"{pipeline}__{activity['name']}")
