"""The table of functions: what each takes and gives, and how a call is checked.

A function is declared by its signature in one line, `name(parameter: kinds, ...) -> kind`:
`substring(text: string, start: integer, length?: integer) -> string`. A `?` after the name makes a parameter
optional, a `+` lets it repeat, `|` separates kinds, `any` takes everything, `number` is integer or float.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.values import in_64_bits, kind_of
from adf_lab.spelling import suggestion

ANY = frozenset({"null", "boolean", "integer", "float", "string", "array", "object"})
KIND_NAMES = {"any": ANY, "number": frozenset({"integer", "float"})}
SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<parameters>.*)\) -> (?P<result>[\w|]+)")
PARAMETER = re.compile(r"(?P<name>\w+)(?P<mark>[?+]?): (?P<kinds>[\w|]+)")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function and the kinds of value that it takes."""

    name: str
    kinds: frozenset[str]
    optional: bool
    repeats: bool


@dataclass(frozen=True)
class Function:
    """A function of the language.

    `lazy` functions get their arguments unevaluated (as functions without parameters); functions that
    `need_context` get the Context before their arguments.
    """

    name: str
    signature: str
    parameters: tuple[Parameter, ...]
    result: frozenset[str]
    body: Callable
    lazy: bool
    needs_context: bool

    @property
    def least(self):
        """The smallest number of arguments."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def most(self):
        """The largest number of arguments; None if there is none."""
        repeats = self.parameters and self.parameters[-1].repeats
        return None if repeats else len(self.parameters)

    def parameter(self, index):
        """The parameter that the argument at an index belongs to."""
        return self.parameters[min(index, len(self.parameters) - 1)]

    def check_count(self, count):
        """Refuse a wrong number of arguments with an ExpressionError."""
        if count < self.least or (self.most is not None and count > self.most):
            raise ExpressionError(f"{self.name} was given {count} arguments: it is {self.signature}.")

    def check_kind(self, index, value):
        """Refuse an argument of a wrong kind, or an integer of more than 64 bits, with an ExpressionError."""
        kinds = self.parameter(index).kinds
        if type(value) is int and kinds != ANY:
            in_64_bits(value)
        if kind_of(value) not in kinds:
            raise ExpressionError(
                f"{self.name} was given {kind_of(value)} as argument {index + 1}: it is {self.signature}."
            )


FUNCTIONS: dict[str, Function] = {}


def function(signature, lazy=False, needs_context=False):
    """Register the decorated Python function under its signature."""

    def register(body):
        match = SIGNATURE.fullmatch(signature)
        if not match:
            raise ValueError(f"not a signature: {signature}")
        parameters = tuple(
            Parameter(
                name=found["name"],
                kinds=_kinds(found["kinds"]),
                optional=found["mark"] == "?",
                repeats=found["mark"] == "+",
            )
            for found in PARAMETER.finditer(match["parameters"])
        )
        entry = Function(match["name"], signature, parameters, _kinds(match["result"]), body, lazy, needs_context)
        FUNCTIONS[entry.name.lower()] = entry
        return body

    return register


def find(name):
    """The function with a name, in any case; ExpressionError if there is none."""
    try:
        return FUNCTIONS[name.lower()]
    except KeyError:
        known = (known.name for known in FUNCTIONS.values())
        raise ExpressionError(f"'{name}' is not a function of Data Factory{suggestion(name, known)}") from None


def _kinds(text):
    kinds: frozenset[str] = frozenset()
    for name in text.split("|"):
        kinds |= KIND_NAMES.get(name, frozenset({name}))
    return kinds
