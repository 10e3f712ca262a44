"""Which activities, branches and outcomes of a factory its tests have seen.

activities  each active activity: it has run
branches    each way that an IfCondition or a Switch can take
outcomes    each outcome that an activity can have by its place and its policy: succeeded, failed, skipped, and
            either of the first two after a retry. Work can fail, and so can what holds or calls work.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from adf_lab.engine import CONTROL_ACTIVITIES, parents, walk
from adf_lab.errors import AdfLabError
from adf_lab.factory import Factory
from adf_lab.shape import refuse_misshapen
from adf_lab.structure import inner_activities, is_active

KINDS = ("activities", "branches", "outcomes")


class Point(NamedTuple):
    """Something that a test can see of an activity: that it `ran`, a branch of it, or an outcome."""

    pipeline: str
    activity: str
    kind: str
    what: str

    def __str__(self) -> str:
        missing = {
            "activities": "has never run",
            "branches": f"has never chosen {self.what}",
            "outcomes": f"was never {self.what}",
        }
        return f"{self.pipeline}: {self.activity} {missing[self.kind]}"


@dataclass
class Coverage:
    """The points of factories, by the folder of each, and those that runs have seen."""

    points: dict[str, list[Point]] = field(default_factory=dict)
    seen: dict[str, set[Point]] = field(default_factory=dict)

    def add_factory(self, factory: Factory) -> None:
        """Count what a factory has."""
        root = str(factory.root.resolve())
        if root not in self.points:
            self.points[root] = list(_points(factory))
            self.seen.setdefault(root, set())

    def add_run(self, factory: Factory, run) -> None:
        """Count what a Run has seen."""
        definitions = {(pipeline, activity["name"]): activity for pipeline, activity, _ in _activities(factory)}
        self.seen[str(factory.root.resolve())] |= {
            Point(one.pipeline, one.name, kind, what)
            for one in walk(run.record.activities)
            if (one.pipeline, one.name) in definitions
            for kind, what in _seen(one, definitions[one.pipeline, one.name])
        }

    def merge(self, data: dict) -> None:
        """Count what another process has seen, by its `as_dict`."""
        for root, (points, seen) in data.items():
            self.points.setdefault(root, [Point(*point) for point in points])
            self.seen.setdefault(root, set()).update(Point(*point) for point in seen)

    def as_dict(self) -> dict:
        """All of it as JSON data."""
        return {
            root: [list(map(list, points)), sorted(map(list, self.seen[root]))]
            for root, points in self.points.items()
        }

    def missing(self) -> list[Point]:
        """The points that no run has seen, in the order of the factories."""
        return [point for root, points in self.points.items() for point in points if point not in self.seen[root]]

    def told(self) -> list[str]:
        """What no run has seen, as lines: of what has never run only that."""
        missing = self.missing()
        idle = {(point.pipeline, point.activity) for point in missing if point.kind == "activities"}
        ran = {
            point.pipeline
            for points in self.points.values()
            for point in points
            if (point.pipeline, point.activity) not in idle
        }
        lines = [
            str(point) if point.pipeline in ran else f"{point.pipeline} has never run"
            for point in missing
            if point.kind == "activities" or (point.pipeline, point.activity) not in idle
        ]
        return list(dict.fromkeys(lines))

    def percent(self) -> float:
        """The share of the points that were seen, in percent; 100 if there are none."""
        total = sum(map(len, self.points.values()))
        return 100.0 * (total - len(self.missing())) / total if total else 100.0

    def table(self) -> list[str]:
        """For each factory its folder, a line for each pipeline with what was seen of it, and one for all."""
        return [line for root in self.points for line in [_shown(root), *self._table(root)]]

    def _table(self, root):
        points, seen = self.points[root], self.seen[root]
        names = list(dict.fromkeys(point.pipeline for point in points))
        width = max(len(name) for name in [*names, "all pipelines"])
        yield _line("pipeline", width, KINDS, "seen")
        for name in names:
            yield _counts(name, width, [point for point in points if point.pipeline == name], seen)
        yield _counts("all pipelines", width, points, seen)


def _shown(root):
    """A folder from where one stands, if it lies below."""
    path = Path(root)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _line(name, width, cells, share):
    return f"{name:<{width}}" + "".join(f"{cell:>12}" for cell in cells) + f"{share:>7}"


def _counts(name, width, points, seen):
    cells = []
    for kind in KINDS:
        own = [point for point in points if point.kind == kind]
        cells.append(f"{sum(point in seen for point in own)}/{len(own)}" if own else "-")
    # Rounded down, so that only all of it is 100.
    share = f"{100 * sum(point in seen for point in points) // len(points)} %" if points else "-"
    return _line(name, width, cells, share)


# --- what there is ---------------------------------------------------------------------------------------


def _points(factory):
    for pipeline, activity, group in _activities(factory):
        for kind, what in _possible(activity, group):
            yield Point(pipeline, activity["name"], kind, what)


def _activities(factory):
    """Each active activity with its pipeline and those that it stands among; none where it cannot run."""
    for pipeline, document in factory.pipelines.items():
        try:
            refuse_misshapen(pipeline, document)
        except AdfLabError:
            continue
        for activity, group in _with_group(document["properties"].get("activities") or []):
            yield pipeline, activity, group


def _with_group(group):
    """Each active activity, and those that it stands among."""
    group = [activity for activity in group if is_active(activity)]
    for activity in group:
        yield activity, group
        for _, inner in inner_activities(activity):
            yield from _with_group(inner)


def _possible(activity, group):
    yield "activities", "run"
    for branch in _branches(activity):
        yield "branches", branch
    if activity["type"] != "Fail":
        yield "outcomes", "Succeeded"
    if _can_fail(activity):
        yield "outcomes", "Failed"
    if (activity.get("policy") or {}).get("retry"):
        yield "outcomes", "Succeeded after a retry"
        yield "outcomes", "Failed after a retry"
    if any(map(_can_fail, _ancestors(activity, {other["name"]: other for other in group}, set()))):
        yield "outcomes", "Skipped"


def _branches(activity):
    if activity["type"] == "IfCondition":
        return ["true", "false"]
    if activity["type"] == "Switch":
        return [*(f"'{case['value']}'" for case in _cases(activity)), "the default"]
    return []


def _cases(activity):
    return (activity.get("typeProperties") or {}).get("cases") or []


def _can_fail(activity):
    """Work and containers of work can fail; variables are set by expressions, which the checker looks at."""
    if activity["type"] in ("Fail", "ExecutePipeline") or activity["type"] not in CONTROL_ACTIVITIES:
        return True
    return any(_can_fail(inner) for _, group in inner_activities(activity) for inner in group if is_active(inner))


def _ancestors(activity, by_name, known):
    for name in parents(activity):
        if name in by_name and name not in known:
            known.add(name)
            yield by_name[name]
            yield from _ancestors(by_name[name], by_name, known)


# --- what was seen ---------------------------------------------------------------------------------------


def _seen(run, definition):
    """The kinds and names of the points that an activity run has seen."""
    yield "outcomes", run.status
    if run.status == "Skipped":
        return
    yield "activities", "run"
    if len(run.attempts) > 1:
        yield "outcomes", f"{run.status} after a retry"
    branch = _branch(run, definition)
    if branch:
        yield "branches", branch


def _branch(run, definition):
    """The branch that a choice has taken; None if it has taken none, or nobody may know which."""
    if not isinstance(run.input, dict):
        return None
    if run.type == "IfCondition":
        return "true" if run.input["expression"] else "false"
    if run.type == "Switch":
        known = [case["value"] for case in _cases(definition)]
        return f"'{run.input['on']}'" if run.input["on"] in known else "the default"
    return None
