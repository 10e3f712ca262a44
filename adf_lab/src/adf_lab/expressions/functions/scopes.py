"""What an expression can reach. Sources: control-flow-system-variables; parameterize-linked-services.

`pipeline()`, `variables('x')`, `activity('x')`, `item()`, `trigger()`, `triggerBody()`, `dataset()`,
`linkedService()`.
"""

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import function


@function("pipeline() -> object", needs_context=True)
def pipeline(context):
    """System properties, parameters and global parameters of the run."""
    return {
        **context.system,
        "parameters": context.parameters,
        "globalParameters": context.global_parameters,
    }


@function("variables(name: string) -> any", needs_context=True)
def variables(context, name):
    """The value of a variable."""
    return _named("variable", context.variables, name)


@function("activity(name: string) -> object", needs_context=True)
def activity(context, name):
    """Output, status and error of an activity that has ended."""
    return _named("activity", context.activities, name)


def _named(what, values, name):
    if name in values:
        return values[name]
    for key, value in values.items():
        if key.lower() == name.lower():
            return value
    raise ExpressionError(f"There is no {what} '{name}' here; there are: {', '.join(values) or 'none'}.")


@function("item() -> any", needs_context=True)
def item(context):
    """The current element of the loop."""
    if context.item is MISSING:
        raise ExpressionError("item() has a value only inside a ForEach or the condition of a Filter.")
    return context.item


@function("trigger() -> object", needs_context=True)
def trigger(context):
    """Times and outputs of the trigger; for use in the parameters of a trigger."""
    return _scope("trigger", context.trigger)


@function("triggerBody() -> any", needs_context=True)
def trigger_body(context):
    """What an event has brought: `trigger().outputs.body` (azure-docs, how-to-create-event-trigger)."""
    value = _scope("triggerBody", context.trigger)
    try:
        return value["outputs"]["body"]
    except KeyError:
        raise ExpressionError("triggerBody() has a value only in triggers of events.") from None


@function("dataset() -> object", needs_context=True)
def dataset(context):
    """The parameters of the dataset that holds the expression."""
    return _scope("dataset", context.dataset)


@function("linkedService() -> object", needs_context=True)
def linked_service(context):
    """The parameters of the linked service that holds the expression."""
    return _scope("linkedService", context.linked_service)


def _scope(name, value):
    if value is MISSING:
        raise ExpressionError(f"{name}() has no value in this place.")
    return value


class _Missing:
    """The mark of a scope that has no value; null is a value."""

    def __repr__(self):
        return "MISSING"


MISSING = _Missing()
