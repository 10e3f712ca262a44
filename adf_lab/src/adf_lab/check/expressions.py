"""Expressions: they parse, functions and arguments fit, and what they refer to is there when they run."""

from adf_lab.check.finding import Finding, strings
from adf_lab.expressions import ANY, Call, ExpressionError, Interpolation, check_expression, parse, references
from adf_lab.structure import inner_activities, is_active, own_type_properties

LONGEST = 8192
KINDS_OF_TYPE = {
    "string": frozenset({"string"}),
    "securestring": frozenset({"string"}),
    "int": frozenset({"integer"}),
    "integer": frozenset({"integer"}),
    "float": frozenset({"float", "integer"}),
    "bool": frozenset({"boolean"}),
    "boolean": frozenset({"boolean"}),
    "array": frozenset({"array"}),
}
WANTED = {
    ("IfCondition", "expression"): frozenset({"boolean"}),
    ("Until", "expression"): frozenset({"boolean"}),
    ("Filter", "condition"): frozenset({"boolean"}),
    ("Filter", "items"): frozenset({"array"}),
    ("ForEach", "items"): frozenset({"array"}),
    ("Switch", "on"): frozenset({"string", "integer", "boolean"}),
    ("Wait", "waitTimeInSeconds"): frozenset({"integer", "string"}),
}
PLACES = {
    "pipeline": {"pipeline", "variables", "activity", "item"},
    "dataset": {"dataset"},
    "linkedService": {"linkedservice"},
    "trigger": {"trigger"},
}
SCOPE_FUNCTIONS = set().union(*PLACES.values())


def bad_expressions(factory):
    """Everything that can be found wrong with an expression before it runs."""
    for folder in PLACES:
        for resource in factory.resources[folder].values():
            checker = _Resource(factory, resource)
            yield from checker.pipeline() if folder == "pipeline" else checker.flat()


class _Resource:
    """The expressions of one resource."""

    def __init__(self, factory, resource):
        self.resource = resource
        self.place = resource.folder
        properties = resource.properties
        own = {name: spec.get("type") for name, spec in (properties.get("parameters") or {}).items()}
        self.declared = {
            "parameters": own,
            "dataset": own,
            "linkedservice": own,
            "variables": {name: spec.get("type") for name, spec in (properties.get("variables") or {}).items()},
            "globalparameters": {
                name: spec.get("type")
                for _, specifications in factory.global_parameter_files
                for name, spec in specifications.items()
                if isinstance(spec, dict)
            },
        }

    def flat(self):
        """The expressions of a resource without activities."""
        for path, text in strings(self.resource.properties, "properties"):
            yield from self.expression(path, text, visible=None, in_loop=False)

    def pipeline(self):
        """The expressions of a pipeline, activity by activity."""
        activities = self.resource.properties.get("activities") or []
        yield from self.group(activities, "properties.activities", frozenset(), False)

    def group(self, activities, path, outer, in_loop):
        """The activities of one list; `outer` are those that have ended before the list begins."""
        names = {activity.get("name") for activity in activities}
        for index, activity in enumerate(activities):
            if not is_active(activity):
                continue
            place = f"{path}[{index}]"
            visible = outer | _before(activity, activities)
            yield from self.activity(activity, place, visible, in_loop)
            loops = in_loop or activity.get("type") == "ForEach"
            for inner_path, inner in inner_activities(activity):
                yield from self.group(inner, f"{place}.{inner_path}", visible, loops)
        for index, activity in enumerate(activities):
            for number, dependency in enumerate(activity.get("dependsOn") or []):
                if dependency.get("activity") not in names:
                    yield self.finding(
                        f"{path}[{index}].dependsOn[{number}]",
                        f"'{dependency.get('activity')}' is not an activity beside this one: correct the name.",
                    )

    def activity(self, activity, path, visible, in_loop):
        """The expressions of one activity itself."""
        own = {**activity, "typeProperties": own_type_properties(activity)}
        kind = activity.get("type")
        if kind == "Until":
            visible = visible | {inner.get("name") for _, group in inner_activities(activity) for inner in group}
        for place, text in strings(own, path):
            is_condition = kind == "Filter" and ".typeProperties.condition" in place
            yield from self.expression(place, text, visible, in_loop or is_condition)
        for (wanted_type, name), wanted in WANTED.items():
            if kind == wanted_type and name in own["typeProperties"]:
                yield from self.result(f"{path}.typeProperties.{name}", own["typeProperties"][name], wanted)

    def result(self, path, value, wanted):
        """A property whose expression must give a value of a certain kind."""
        text = value.get("value") if isinstance(value, dict) else value
        if not isinstance(text, str):
            return
        kinds = check_expression(text, self.kinds).kinds
        if not kinds & wanted:
            yield self.finding(
                path,
                f"the expression gives {' or '.join(sorted(kinds))}: it must give {' or '.join(sorted(wanted))}.",
            )

    def expression(self, path, text, visible, in_loop):
        """One text."""
        if len(text) > LONGEST and text.startswith("@"):
            yield self.finding(path, f"the expression has {len(text)} characters: the limit is {LONGEST}.")
        for problem in check_expression(text, self.kinds).problems:
            yield self.finding(path, problem)
        try:
            tree = parse(text)
        except ExpressionError:
            return
        for name in sorted(_scope_functions(tree) - PLACES[self.place]):
            yield self.finding(path, f"{name}() has no value in a {self.place}: pass it in as a parameter.")
        if "item" in _scope_functions(tree) and self.place == "pipeline" and not in_loop:
            yield self.finding(path, "item() has a value only inside a ForEach or the condition of a Filter.")
        for reference in references(tree):
            yield from self.reference(path, reference, visible)

    def reference(self, path, reference, visible):
        """One reference: declared, and for an activity ended before."""
        if not reference.name:
            return
        if reference.scope == "activity":
            if visible is not None and reference.name.lower() not in {str(name).lower() for name in visible}:
                yield self.finding(
                    path,
                    f"activity('{reference.name}') has not ended here: depend on it, directly or through others.",
                )
            return
        declared = self.declared[reference.scope]
        if reference.name.lower() not in map(str.lower, declared):
            what = {"globalparameters": "global parameter", "variables": "variable"}.get(
                reference.scope, "parameter"
            )
            known = ", ".join(declared) or "none"
            yield self.finding(path, f"there is no {what} '{reference.name}' (there are: {known}): declare it.")

    def kinds(self, reference):
        """The kinds of a declared name."""
        if reference.scope == "activity" or reference.keys:
            return ANY
        for name, kind in self.declared[reference.scope].items():
            if name.lower() == reference.name.lower():
                return KINDS_OF_TYPE.get(str(kind).lower(), ANY)
        return ANY

    def finding(self, path, message):
        return Finding(self.resource.file, path, message)


def _before(activity, activities):
    """The names of the activities that have ended when an activity begins."""
    by_name = {other.get("name"): other for other in activities}
    waiting, before = [activity], set()
    while waiting:
        for dependency in waiting.pop().get("dependsOn") or []:
            name = dependency.get("activity")
            if name in by_name and name not in before:
                before.add(name)
                waiting.append(by_name[name])
    return frozenset(before)


def _scope_functions(tree):
    """The names of the scope functions that a tree calls, in lower case."""
    if isinstance(tree, Interpolation):
        return set().union(*map(_scope_functions, tree.parts))
    if isinstance(tree, Call):
        own = {tree.name.lower()} & SCOPE_FUNCTIONS
        return own.union(*map(_scope_functions, tree.arguments))
    if hasattr(tree, "target"):
        return _scope_functions(tree.target) | _scope_functions(tree.key)
    return set()
