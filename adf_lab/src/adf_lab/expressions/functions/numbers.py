"""Math functions. Source: control-flow-expression-language-functions, "Math functions".

Two integers give an integer of 64 bits, anything else a float. Integer division cuts off towards zero.
"""

import math
import operator
import random

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import function
from adf_lab.expressions.values import in_64_bits, kind_of

LARGEST_RANGE = 100_000


def _arithmetic(name, compute):
    @function(f"{name}(first: number, second: number) -> number")
    def body(first, second):
        result = compute(first, second)
        return in_64_bits(result) if isinstance(result, int) else result

    return body


def _quotient(first, second):
    if second == 0:
        raise ExpressionError("div was given a divisor of 0.")
    if isinstance(first, float) or isinstance(second, float):
        return first / second
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def _remainder(first, second):
    if second == 0:
        raise ExpressionError("mod was given a divisor of 0.")
    if isinstance(first, float) or isinstance(second, float):
        return math.nan if math.isinf(first) else math.fmod(first, second)
    return first - second * _quotient(first, second)


for _name, _compute in [
    ("add", operator.add),
    ("sub", operator.sub),
    ("mul", operator.mul),
    ("div", _quotient),
    ("mod", _remainder),
]:
    _arithmetic(_name, _compute)


@function("max(numbers+: number|array) -> number")
def largest(*numbers):
    """The largest of several numbers or of one array."""
    return _extreme("max", max, numbers)


@function("min(numbers+: number|array) -> number")
def smallest(*numbers):
    """The smallest of several numbers or of one array."""
    return _extreme("min", min, numbers)


def _extreme(name, choose, numbers):
    """The extreme of one array or several numbers; a float among them makes it a float."""
    if len(numbers) == 1 and isinstance(numbers[0], list):
        numbers = numbers[0]
    if not numbers:
        raise ExpressionError(f"{name} was given an empty array.")
    for number in numbers:
        if kind_of(number) not in ("integer", "float"):
            raise ExpressionError(f"{name} was given {kind_of(number)}: all must be numbers.")
    return choose(map(float, numbers) if any(isinstance(number, float) for number in numbers) else numbers)


@function("rand(minimum: integer, maximum: integer) -> integer")
def rand(minimum, maximum):
    """A random integer from minimum to maximum - 1."""
    if minimum > maximum:
        raise ExpressionError(f"rand was given the minimum {minimum} above the maximum {maximum}.")
    return random.randrange(minimum, maximum) if minimum < maximum else minimum


@function("range(start: integer, count: integer) -> array")
def integer_range(start, count):
    """So many integers from a start on, at most 100,000."""
    if not 0 <= count <= LARGEST_RANGE:
        raise ExpressionError(f"range was given the count {count}: it must be between 0 and {LARGEST_RANGE:,}.")
    if start + count > 2**31:
        raise ExpressionError(f"range of {count} integers from {start} leaves the integers of 32 bits.")
    return list(range(start, start + count))
