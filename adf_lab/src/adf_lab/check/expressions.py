"""Expressions: they parse, functions and arguments fit, and what they refer to is there when they run."""

from adf_lab.check.finding import finding, note, objects, strings
from adf_lab.expressions import (
    ANY,
    Call,
    Context,
    ExpressionError,
    Interpolation,
    check_expression,
    evaluate,
    is_expression,
    kind_of,
    parse,
    references,
)
from adf_lab.spelling import misspelled, suggestion
from adf_lab.structure import all_activities, inner_activities, is_active, own_type_properties

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
# A condition may be a text that reads true or false, such as a parameter of the type string.
CONDITION = frozenset({"boolean", "string"})
WANTED = {
    ("IfCondition", "expression"): CONDITION,
    ("Until", "expression"): CONDITION,
    ("Filter", "condition"): CONDITION,
    ("Filter", "items"): frozenset({"array"}),
    ("ForEach", "items"): frozenset({"array"}),
    ("Switch", "on"): frozenset({"string", "integer", "boolean"}),
    ("Wait", "waitTimeInSeconds"): frozenset({"integer", "string"}),
}
PLACES = {
    "pipeline": {"pipeline", "variables", "activity", "item"},
    "dataset": {"dataset"},
    "linkedService": {"linkedservice"},
    "trigger": {"trigger", "triggerbody"},
}
SCOPE_FUNCTIONS = set().union(*PLACES.values())
RULE_ABOUT = {
    "syntax": "expression-syntax",
    "function": "unknown-function",
    "arguments": "function-arguments",
    "kind": "expression-kind",
}
# Texts that people write for people.
PROSE = {"name", "description", "annotations", "folder"}
# Sources: azure-docs, control-flow-system-variables, control-flow-expression-language-functions.
OF_PIPELINE = [
    *("DataFactory", "Pipeline", "RunId", "GroupId", "TriggerType", "TriggerId", "TriggerName", "TriggerTime"),
    *("TriggeredByPipelineName", "TriggeredByPipelineRunId", "parameters", "globalParameters"),
]
OF_ACTIVITY = ["output", "error", "status", "Duration", "ExecutionStartTime", "ExecutionEndTime"]
# What only the given kinds of trigger have; in lower case.
OF_TRIGGER = {
    "windowstarttime": {"TumblingWindowTrigger"},
    "windowendtime": {"TumblingWindowTrigger"},
    "scheduledtime": {"ScheduleTrigger", "TumblingWindowTrigger"},
    "body": {"BlobEventsTrigger", "CustomEventsTrigger"},
}
METADATA = {
    *("childitems", "columncount", "contentmd5", "exists", "itemname", "itemtype", "lastmodified", "size"),
    *("structure", "created"),
}


def bad_expressions(factory):
    """Everything that can be found wrong with an expression before it runs."""
    for folder in PLACES:
        for resource in factory.resources[folder].values():
            checker = Expressions(factory, resource)
            yield from checker.pipeline() if folder == "pipeline" else checker.flat()


class Expressions:
    """The expressions of one resource, and what they may refer to.

    One cause is told once: what is missing, at its first place; what is read too early, once an activity.
    """

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
        self.has_global_parameters = any(True for _ in factory.global_parameter_files)
        self.activities: dict[str, dict] = {}
        if self.place == "pipeline":
            for _, activity in all_activities(properties.get("activities") or []):
                self.activities.setdefault(_lower(activity), activity)
        self.told = set()

    def flat(self):
        """The expressions of a resource without activities."""
        for path, text in strings(_without_prose(self.resource.properties), "properties"):
            yield from self.expression(path, text, visible=None, in_loop=False)

    def pipeline(self):
        """The expressions of a pipeline, activity by activity."""
        activities = self.resource.properties.get("activities") or []
        yield from self.group(activities, "properties.activities", frozenset(), False)

    def group(self, activities, path, outer, in_loop):
        """The activities of one list; `outer` are those that have ended before the list begins."""
        names = {activity.get("name") for activity in activities}
        before = _all_before(activities)
        for index, activity in enumerate(activities):
            place = f"{path}[{index}]"
            for number, dependency in enumerate(activity.get("dependsOn") or []):
                if dependency.get("activity") not in names:
                    name = str(dependency.get("activity"))
                    self.told.add(("activity", name.lower()))
                    others = map(str, names - {activity.get("name")})
                    remedy = suggestion(name, others, ": correct the name.")
                    yield self.finding(
                        "unknown-dependency",
                        f"{place}.dependsOn[{number}]",
                        f"'{name}' is not an activity beside this one{remedy}",
                    )
        for index, activity in enumerate(activities):
            if not is_active(activity):
                continue
            place = f"{path}[{index}]"
            visible = outer | before[activity.get("name")]
            yield from self.activity(activity, place, visible, in_loop)
            loops = in_loop or activity.get("type") == "ForEach"
            for inner_path, inner in inner_activities(activity):
                yield from self.group(inner, f"{place}.{inner_path}", visible, loops)

    def activity(self, activity, path, visible, in_loop):
        """The expressions of one activity itself."""
        own = _without_prose({**activity, "typeProperties": own_type_properties(activity)})
        kind = activity.get("type")
        if kind == "Until":
            visible = visible | _names_inside(activity)
        for place, text in strings(own, path):
            is_condition = kind == "Filter" and ".typeProperties.condition" in place
            yield from self.expression(place, text, visible, in_loop or is_condition, activity)
        for (wanted_type, name), wanted in WANTED.items():
            if kind == wanted_type and name in own["typeProperties"]:
                yield from self.result(f"{path}.typeProperties.{name}", own["typeProperties"][name], wanted)
        if kind == "Until":
            yield from self.until(activity, f"{path}.typeProperties.expression")

    def until(self, activity, path):
        """A loop whose condition is false and stays so."""
        text = _text((activity.get("typeProperties") or {}).get("expression"))
        try:
            tree = parse(text) if isinstance(text, str) else None
            found = list(references(tree)) if tree else []
            variables = {one.name for one in found}
            known = all(one.scope == "variables" and one.name in self.declared["variables"] for one in found)
            set_somewhere = {
                (other.get("typeProperties") or {}).get("variableName") for other in self.activities.values()
            }
            if tree is None or not known or variables & set_somewhere or _functions(tree) & CHANGING:
                return
            value = evaluate(text, Context(variables={name: self.initial(name) for name in variables}))
        except ExpressionError:
            return
        if value is False or value == "false":
            reason = (
                f"no activity sets {', '.join(map(repr, sorted(variables)))}" if variables else "it is constant"
            )
            yield self.finding(
                "endless-until",
                path,
                f"the condition is false and stays so ({reason}): the loop ends only by its time-out.",
            )

    def initial(self, name):
        """The value of a variable before it is set."""
        specification = self.resource.properties["variables"][name]
        empty = {"boolean": False, "bool": False, "integer": 0, "array": []}
        return specification.get("defaultValue", empty.get(str(specification.get("type")).lower(), ""))

    def result(self, path, value, wanted):
        """A property whose expression must give a value of a certain kind."""
        text = _text(value)
        if not isinstance(text, str):
            return
        kinds = check_expression(text, self.kinds).kinds
        if not kinds & wanted:
            yield self.finding(
                "expression-kind",
                path,
                f"the expression gives {' or '.join(sorted(kinds))}: it must give {' or '.join(sorted(wanted))}.",
            )

    def expression(self, path, text, visible, in_loop, activity=None):
        """One text."""
        if len(text) > LONGEST and text.startswith("@"):
            message = f"the expression has {len(text)} characters: the limit is {LONGEST}."
            yield self.finding("expression-length", path, message)
        for problem in check_expression(text, self.kinds).problems:
            yield self.finding(RULE_ABOUT[problem.about], path, problem.message)
        try:
            tree = parse(text)
        except ExpressionError:
            return
        called = _functions(tree) & SCOPE_FUNCTIONS
        for name in sorted(called - PLACES[self.place]):
            message = f"{name}() has no value in a {self.place}: pass it in as a parameter."
            yield self.finding("expression-place", path, message)
        if "item" in called and self.place == "pipeline" and not in_loop:
            message = "item() has a value only inside a ForEach or the condition of a Filter."
            yield self.finding("expression-place", path, message)
        for reference in references(tree):
            if reference.scope == "activity":
                yield from self.of_activity(path, reference, visible, activity)
            elif reference.scope in self.declared:
                yield from self.of_declared(path, reference)
            elif reference.scope in PLACES[self.place]:
                yield from self.of_system(path, reference)

    def of_activity(self, path, reference, visible, activity):
        """A reference to an activity: it exists, has ended before, and has what is read of it."""
        if not reference.name or visible is None:
            return
        name = reference.name.lower()
        known = self.activities.get(name)
        if known is None:
            if self.first("activity", name):
                names = [str(other.get("name")) for other in self.activities.values()]
                remedy = suggestion(reference.name, names, ": correct the name.")
                message = f"the pipeline has no activity '{reference.name}'{remedy}"
                yield self.finding("unknown-activity", path, message)
            return
        if name not in visible:
            if self.first("order", name, id(activity)):
                message = (
                    f"activity('{reference.name}') has not ended here: depend on it, directly or through others."
                )
                yield self.finding("activity-order", path, message)
            return
        yield from self.of_output(path, reference, known)

    def of_output(self, path, reference, activity):
        """What is read of an activity: of its own, and of the outputs that are known."""
        if not reference.keys:
            return
        key, *more = reference.keys
        meant = misspelled(key, OF_ACTIVITY) if key.lower() not in map(str.lower, OF_ACTIVITY) else None
        if meant:
            message = f"activity('{reference.name}') has no '{key}': did you mean '{meant}'?"
            yield self.finding("unknown-output", path, message)
        if key.lower() != "output" or not more or reference.is_optional:
            return
        properties, read = activity.get("typeProperties") or {}, more[0].lower()
        if activity.get("type") == "Lookup":
            first_only = properties.get("firstRowOnly", True)
            if first_only is True and read in ("value", "count"):
                message = (
                    f"'{reference.name}' looks up its first row only: read output.firstRow, or set "
                    "firstRowOnly to false."
                )
                yield self.finding("unknown-output", path, message)
            if first_only is False and read == "firstrow":
                message = f"'{reference.name}' looks up all rows (firstRowOnly is false): read output.value[0]."
                yield self.finding("unknown-output", path, message)
        fields = properties.get("fieldList")
        if activity.get("type") == "GetMetadata" and isinstance(fields, list) and read in METADATA:
            asked = {str(field).lower() for field in fields}
            if read not in asked and not any(field.startswith(("@", "{")) for field in asked):
                message = f"'{reference.name}' does not ask for {more[0]}: add it to its fieldList."
                yield self.finding("unknown-output", path, message)

    def of_declared(self, path, reference):
        """A reference to a parameter, a variable or a global parameter: it is declared."""
        declared = self.declared[reference.scope]
        if not reference.name or reference.name.lower() in map(str.lower, declared):
            return
        if not self.first(reference.scope, reference.name.lower()):
            return
        if reference.scope == "globalparameters" and not self.has_global_parameters:
            yield note(self.resource.file, path, f"'{reference.name}': the factory has no global parameters here.")
            return
        rule, what = {
            "globalparameters": ("unknown-global-parameter", "global parameter"),
            "variables": ("unknown-variable", "variable"),
        }.get(reference.scope, ("unknown-parameter", "parameter"))
        remedy = suggestion(
            reference.name, declared, f" (there are: {', '.join(declared) or 'none'}): declare it."
        )
        yield self.finding(rule, path, f"there is no {what} '{reference.name}'{remedy}")

    def of_system(self, path, reference):
        """What pipeline(), trigger() and triggerBody() have themselves."""
        if reference.scope == "pipeline" and reference.name:
            if reference.name.lower() in map(str.lower, OF_PIPELINE):
                return
            if meant := misspelled(reference.name, OF_PIPELINE):
                message = f"pipeline() has no '{reference.name}': did you mean '{meant}'?"
                yield self.finding("unknown-system-variable", path, message)
            elif not reference.is_optional:
                yield note(self.resource.file, path, f"whether pipeline() has '{reference.name}'.")
        kind = self.resource.properties.get("type")
        names = [str(name).lower() for name in (reference.name, *reference.keys)]
        name = {"trigger": names[1] if names[0] == "outputs" and len(names) > 1 else names[0]}.get(
            reference.scope, "body" if reference.scope == "triggerbody" else ""
        )
        if kind not in OF_TRIGGER.get(name, {kind}):
            whose = " or ".join(sorted(OF_TRIGGER[name]))
            shown = "triggerBody()" if reference.scope == "triggerbody" else f"trigger() … {name}"
            yield self.finding("trigger-field", path, f"{shown} is there in a {whose} only, this is a {kind}.")

    def kinds(self, reference):
        """The kinds of a declared name."""
        if reference.scope not in self.declared or reference.keys:
            return ANY
        for name, kind in self.declared[reference.scope].items():
            if name.lower() == reference.name.lower():
                return KINDS_OF_TYPE.get(str(kind).lower(), ANY)
        return ANY

    def kinds_of(self, value):
        """The kinds that a JSON value, or the expression in it, can have."""
        value = value["value"] if is_expression(value) else value
        return check_expression(value, self.kinds).kinds if isinstance(value, str) else frozenset({kind_of(value)})

    def first(self, *cause):
        """Whether a cause has not been told yet; it counts as told from now on."""
        is_first = cause not in self.told
        self.told.add(cause)
        return is_first

    def finding(self, rule, path, message):
        """A finding in this resource."""
        return finding(rule, self.resource.file, path, message)


CHANGING = {"utcnow", "guid", "rand", "getfuturetime", "getpasttime"}


def missing_at(factory):
    """Objects of the form of an expression whose value holds none."""
    for folder in PLACES:
        for resource in factory.resources[folder].values():
            for path, value in objects(resource.document):
                text = value.get("value")
                if is_expression(value) and isinstance(text, str) and "(" in text and "@" not in text:
                    message = f"{text[:60]!r} is a plain text: put an @ in front of it."
                    yield finding("missing-at", resource.file, f"{path}.value", message)


def _without_prose(properties):
    return {name: value for name, value in properties.items() if name not in PROSE}


def _text(value):
    return value.get("value") if isinstance(value, dict) else value


def _lower(activity):
    return str(activity.get("name")).lower()


def _names_inside(activity):
    """The names of all activities inside a container, in lower case."""
    return {_lower(inner) for _, group in inner_activities(activity) for _, inner in all_activities(group)}


def _all_before(activities):
    """For each activity of a list the names, in lower case, of those that have ended when it begins.

    What stands inside a container that has ended can be read too.
    """
    by_name = {other.get("name"): other for other in activities}
    ended = {name: {_lower(activity)} | _names_inside(activity) for name, activity in by_name.items()}
    before = {}
    for name in by_name:
        waiting, found = [name], set()
        while waiting:
            for dependency in by_name[waiting.pop()].get("dependsOn") or []:
                parent = dependency.get("activity")
                if parent in by_name and parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        before[name] = frozenset().union(*(ended[parent] for parent in found))
    return before


def _functions(tree):
    """The names of all functions that a tree calls, in lower case."""
    if isinstance(tree, Interpolation):
        return set().union(*map(_functions, tree.parts))
    if isinstance(tree, Call):
        return {tree.name.lower()}.union(*map(_functions, tree.arguments))
    found = set()
    while hasattr(tree, "target"):
        found |= _functions(tree.key)
        tree = tree.target
    return found | _functions(tree) if isinstance(tree, Call) else found
