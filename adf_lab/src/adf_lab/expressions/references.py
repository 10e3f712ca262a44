"""What an expression refers to, read from its tree without evaluating it."""

from dataclasses import dataclass, replace

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.syntax import Access, Call, Interpolation, Literal, parse

NAMED_BY_ARGUMENT = {"variables", "activity"}
NAMED_BY_PROPERTY = {"dataset", "linkedservice"}
SYSTEM = {"pipeline", "trigger", "triggerbody"}
INSIDE_PIPELINE = {"parameters", "globalparameters"}
WHOLE = None


@dataclass(frozen=True)
class Reference:
    """A reference to something by name.

    `scope` is parameters, globalparameters, variables, activity, dataset, linkedservice, or pipeline, trigger
    and triggerbody for what these have themselves. `name` is WHOLE when the expression takes all of the scope,
    or chooses the name at run time. `keys` are the literal
    property names after the name, up to the first computed one. `is_optional` tells whether any of them is read
    with a `?`.
    """

    scope: str
    name: str | None
    keys: tuple = ()
    is_optional: bool = False


def references(tree):
    """Every reference in a tree."""
    match tree:
        case Interpolation(parts):
            for part in parts:
                yield from references(part)
        case Access():
            base, keys = chain(tree)
            if isinstance(base, Call):
                yield from _of_call(base, keys, _is_optional(tree))
            for key in keys:
                if not isinstance(key, Literal):
                    yield from references(key)
        case Call():
            yield from _of_call(tree, [])


def variables_read(value):
    """The names of the variables that the expressions in a JSON value read, as they are written."""
    if isinstance(value, dict):
        return set().union(*map(variables_read, value.values()))
    if isinstance(value, list):
        return set().union(*map(variables_read, value))
    try:
        found = references(parse(value)) if isinstance(value, str) else ()
    except ExpressionError:
        return set()
    return {reference.name for reference in found if reference.scope == "variables"}


def _is_optional(tree):
    while isinstance(tree, Access):
        if tree.optional:
            return True
        tree = tree.target
    return False


def chain(tree):
    """The value at the start of a chain of accesses, and the keys (trees) that follow."""
    keys: list = []
    while isinstance(tree, Access):
        keys.insert(0, tree.key)
        tree = tree.target
    return tree, keys


def _of_call(call, keys, is_optional=False):
    for argument in call.arguments:
        yield from references(argument)
    reference = of_scope(call, keys)
    if reference:
        yield replace(reference, is_optional=is_optional)


def of_scope(call, keys):
    """The Reference that a call of a scope function with some keys makes; None for other functions."""
    name = call.name.lower()
    names = _literal_names(keys)
    if name in NAMED_BY_ARGUMENT:
        argument = call.arguments[0] if call.arguments else None
        literal = argument.value if isinstance(argument, Literal) and isinstance(argument.value, str) else WHOLE
        return Reference(name, literal, tuple(names))
    if name in NAMED_BY_PROPERTY:
        return Reference(name, names[0] if names else WHOLE, tuple(names[1:]))
    if name == "pipeline" and names and names[0].lower() in INSIDE_PIPELINE:
        return Reference(names[0].lower(), names[1] if len(names) > 1 else WHOLE, tuple(names[2:]))
    if name in SYSTEM:
        return Reference(name, names[0] if names else WHOLE, tuple(names[1:]))
    return None


def _literal_names(keys):
    names = []
    for key in keys:
        if not (isinstance(key, Literal) and isinstance(key.value, str)):
            break
        names.append(key.value)
    return names
