"""Evaluating expressions in a context."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite

from adf_lab.expressions import functions  # noqa: F401 (registers all functions)
from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.functions.scopes import MISSING
from adf_lab.expressions.registry import find
from adf_lab.expressions.syntax import Access, Call, Interpolation, Literal, parse
from adf_lab.expressions.values import float_text, is_content, kind_of, to_text

LONGEST_QUOTE = 200


def utc_now():
    """The clock of this machine."""
    return datetime.now(UTC)


@dataclass
class Context:
    """Everything that an expression can refer to.

    `system` holds the properties of `pipeline()` besides the parameters: RunId, Pipeline, TriggerTime, …
    `activities` maps a name to `{"output", "status", "error"?}`. `now` gives the current time as an aware
    datetime or an Instant.
    """

    parameters: Mapping = field(default_factory=dict)
    global_parameters: Mapping = field(default_factory=dict)
    variables: Mapping = field(default_factory=dict)
    activities: Mapping = field(default_factory=dict)
    system: Mapping = field(default_factory=dict)
    item: object = MISSING
    trigger: object = MISSING
    dataset: object = MISSING
    linked_service: object = MISSING
    now: Callable = utc_now


def evaluate(text, context):
    """The value of a JSON string value; ExpressionError if it cannot be evaluated.

    A number that JSON cannot hold becomes its text: `NaN`, `Infinity` or `-Infinity`.
    """
    try:
        value = _value(parse(text), context)
    except ExpressionError as error:
        raise ExpressionError(f"{error} (in: {_shortened(text)})") from None
    return float_text(value) if isinstance(value, float) and not isfinite(value) else value


def _shortened(text):
    """The expression, in one line, as far as it is needed to find it."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def evaluate_tree(value, context):
    """A JSON value with every expression in it evaluated.

    Strings are expressions by their at-sign; `{"value": …, "type": "Expression"}` is replaced by its value.
    """
    if isinstance(value, str):
        return evaluate(value, context)
    if isinstance(value, list):
        return [evaluate_tree(item, context) for item in value]
    if isinstance(value, dict):
        if is_expression(value):
            return evaluate_tree(value["value"], context)
        return {name: evaluate_tree(member, context) for name, member in value.items()}
    return value


def is_expression(value):
    """Whether a JSON value is the object form of an expression."""
    return isinstance(value, dict) and value.get("type") == "Expression" and "value" in value


def _value(tree, context):
    match tree:
        case Literal(value):
            return value
        case Interpolation(parts):
            return "".join(to_text(_value(part, context)) for part in parts)
        case Access():
            return _selected(tree, context)
        case Call(name, arguments):
            return _call(find(name), arguments, context)


def _call(function, arguments, context):
    function.check_count(len(arguments))
    if function.lazy:
        return function.body(*[_deferred(argument, context) for argument in arguments])
    values = [_value(argument, context) for argument in arguments]
    for index, value in enumerate(values):
        function.check_kind(index, value)
    return function.body(context, *values) if function.needs_context else function.body(*values)


def _deferred(argument, context):
    return lambda: _value(argument, context)


def _selected(tree, context):
    """What a chain of accesses selects; a `?` behind null ends the whole chain with null."""
    accesses = []
    while isinstance(tree, Access):
        accesses.append(tree)
        tree = tree.target
    value = _value(tree, context)
    for access in reversed(accesses):
        if value is None and access.optional:
            return None
        value = _member(value, _value(access.key, context), access.optional)
    return value


def _member(target, key, optional):
    """A property of an object (any case) or an item of an array; `?` makes what is missing null."""
    if isinstance(target, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(target):
            return target[key]
        if optional:
            return None
        raise ExpressionError(f"An array of {len(target)} items has no item {key}.")
    if not isinstance(target, Mapping) or not isinstance(key, str):
        raise ExpressionError(
            f"The property '{to_text(key)}' cannot be read from a value of kind {_kind(target)}."
        )
    if key in target:
        return target[key]
    for name, value in target.items():
        if name.lower() == key.lower():
            return value
    if optional:
        return None
    available = "content" if is_content(target) else ", ".join(target) or "none"
    raise ExpressionError(f"There is no property '{key}'; there are: {available}.")


def _kind(value):
    return "object" if isinstance(value, Mapping) else kind_of(value)
