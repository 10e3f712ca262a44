"""Logical functions. Source: control-flow-expression-language-functions, "Logical functions".

`and`, `or`, `if` and `coalesce` evaluate an argument only when its value is needed.
"""

import operator

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import find, function
from adf_lab.expressions.values import collation_key, equal, kind_of


@function("and(conditions+: boolean) -> boolean", lazy=True)
def all_true(*conditions):
    """Whether all conditions are true; nothing after the first false one is evaluated."""
    return all(_boolean("and", index, condition()) for index, condition in enumerate(conditions))


@function("or(conditions+: boolean) -> boolean", lazy=True)
def any_true(*conditions):
    """Whether any condition is true; nothing after the first true one is evaluated."""
    return any(_boolean("or", index, condition()) for index, condition in enumerate(conditions))


@function("if(condition: boolean, then: any, otherwise: any) -> any", lazy=True)
def choose(condition, then, otherwise):
    """One of two values; only that one is evaluated."""
    return then() if _boolean("if", 0, condition()) else otherwise()


@function("coalesce(values+: any) -> any", lazy=True)
def coalesce(*values):
    """The first value that is not null."""
    return next((found for found in (value() for value in values) if found is not None), None)


def _boolean(name, index, value):
    find(name).check_kind(index, value)
    return value


@function("not(condition: boolean) -> boolean")
def negate(condition):
    """The opposite."""
    return not condition


@function("equals(first: any, others+: any) -> boolean")
def equals(first, *others):
    """Whether values are equal. Whole and floating numbers compare by value, texts mind case."""
    return all(_same(first, other) for other in others)


def _same(left, right):
    if {kind_of(left), kind_of(right)} == {"integer", "float"}:
        return float(left) == float(right)
    return equal(left, right)


def _comparison(name, compare):
    @function(f"{name}(first: number|string, second: number|string) -> boolean")
    def body(first, second):
        if isinstance(first, str) != isinstance(second, str):
            raise ExpressionError(f"{name} was given {kind_of(first)} and {kind_of(second)}: convert one of them.")
        if isinstance(first, str):
            return compare(collation_key(first), collation_key(second))
        return compare(first, second)

    return body


for _name, _compare in [
    ("greater", operator.gt),
    ("greaterOrEquals", operator.ge),
    ("less", operator.lt),
    ("lessOrEquals", operator.le),
]:
    _comparison(_name, _compare)
