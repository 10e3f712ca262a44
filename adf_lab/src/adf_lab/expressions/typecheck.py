"""What can be said about an expression before it runs: unknown functions, wrong counts and kinds.

Kinds are known for constants, results of functions and declared parameters; anything else may be of any
kind and is not complained about.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from adf_lab.expressions import functions  # noqa: F401 (registers all functions)
from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.references import Reference, chain, of_scope
from adf_lab.expressions.registry import ANY, find
from adf_lab.expressions.syntax import Access, Call, Interpolation, Literal, parse
from adf_lab.expressions.values import kind_of

BRANCHES = {"if": slice(1, None), "coalesce": slice(None)}
# How many keys stand between the function of a scope and the end of a name in it.
KEYS_OF_NAME = {"parameters": 2, "globalparameters": 2, "dataset": 1, "linkedservice": 1}
WITH_MEMBERS = frozenset({"object", "array", "null"})
EXACT = frozenset({"add", "sub", "mul", "div", "mod", "max", "min"})


@dataclass(frozen=True)
class Problem:
    """What is wrong with an expression: with its `syntax`, a `function`, its `arguments` or a `kind` of value."""

    about: str
    message: str


@dataclass
class Checked:
    """The kinds that an expression can have, and what is wrong with it."""

    kinds: frozenset[str]
    problems: list[Problem]


def check_expression(text, kinds_of_reference=lambda reference: ANY):
    """Check the text of a JSON string value.

    `kinds_of_reference` gives the kinds of a Reference with a name, ANY if they are unknown.
    """
    try:
        tree = parse(text)
    except ExpressionError as error:
        return Checked(ANY, [Problem("syntax", str(error))])
    checker = _Checker(kinds_of_reference)
    return Checked(checker.kinds(tree), checker.problems)


@dataclass
class _Checker:
    kinds_of_reference: Callable[[Reference], frozenset[str]]
    problems: list[Problem] = field(default_factory=list)

    def report(self, about, message):
        """Keep a problem, once."""
        problem = Problem(about, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def kinds(self, tree):
        """The kinds that a tree can evaluate to; problems are collected on the way."""
        match tree:
            case Literal(value):
                return frozenset({kind_of(value)})
            case Interpolation(parts):
                for part in parts:
                    self.kinds(part)
                return frozenset({"string"})
            case Access():
                return self._kinds_of_access(tree)
            case Call():
                return self._kinds_of_call(tree)

    def _kinds_of_access(self, tree):
        base, keys = chain(tree)
        for key in keys:
            self.kinds(key)
        base_kinds = self.kinds(base)
        if not base_kinds & WITH_MEMBERS:
            self.report("kind", f"A value of kind {_shown(base_kinds)} has no properties or items.")
        reference = of_scope(base, keys) if isinstance(base, Call) else None
        # Whatever follows the name, as in variables('x')[0], takes a part of it.
        if reference and reference.name and len(keys) == KEYS_OF_NAME.get(reference.scope):
            return self.kinds_of_reference(reference)
        return ANY

    def _kinds_of_call(self, call):
        argument_kinds = [self.kinds(argument) for argument in call.arguments]
        try:
            function = find(call.name)
        except ExpressionError as error:
            self.report("function", str(error))
            return ANY
        try:
            function.check_count(len(call.arguments))
        except ExpressionError as error:
            self.report("arguments", str(error))
            return ANY
        for index, kinds in enumerate(argument_kinds):
            if not kinds & function.parameter(index).kinds:
                self.report(
                    "arguments",
                    f"{function.name} is given {_shown(kinds)} as argument {index + 1}: {function.signature}.",
                )
        name = function.name.lower()
        if name in BRANCHES:
            return frozenset().union(*argument_kinds[BRANCHES[name]])
        if name in EXACT and all(kinds == {"integer"} for kinds in argument_kinds):
            return frozenset({"integer"})
        reference = of_scope(call, [])
        if reference and reference.scope == "variables" and reference.name:
            return self.kinds_of_reference(reference)
        return function.result


def _shown(kinds):
    return " or ".join(sorted(kinds))
