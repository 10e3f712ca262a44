"""From the text of a JSON string value to a syntax tree.

Source: azure-docs, control-flow-expression-language-functions, "Expressions". A value is one of
- `@expression`: the whole text is one expression and keeps its type;
- `text @{expression} text`: string interpolation, always a string;
- `@@text`: the literal `@text`, whatever follows; inside other texts `@@{` stands for `@{`;
- anything else: the literal itself.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.values import in_64_bits


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, number, boolean or null."""

    value: object


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; `name` is as written, functions are found without regard to case."""

    name: str
    arguments: tuple


@dataclass(frozen=True, slots=True)
class Access:
    """A property (`.name`) or an index (`[key]`) of a value; `optional` is the `?` that yields null."""

    target: object
    key: object
    optional: bool


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Literal texts and expressions in turn; the result is their concatenation as text."""

    parts: tuple


TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?![A-Za-z_]))
      | (?P<string>'(?:[^']|'')*')
      | (?P<identifier>[^\W\d]\w*|\$\w*)
      | (?P<symbol>[().,\[\]?])""",
    re.VERBOSE,
)
# Deeper than anybody nests; it keeps every walk through a tree within the stack.
DEEPEST = 100
CONSTANTS = {"true": True, "false": False, "null": None}


@lru_cache(maxsize=4096)
def parse(text):
    """Parse the text of a JSON string value into a tree; ExpressionError names the place of a mistake."""
    if text == "@":
        return Literal(text)
    if text.startswith("@@"):
        return Literal(text[1:])
    if text.startswith("@") and not text.startswith("@{"):
        return _Parser(text[1:]).whole()
    return _interpolation(text)


def _interpolation(text):
    """Split a text at `@{...}`; without any it is one literal."""
    parts, literal, position = [], [], 0
    while position < len(text):
        if text.startswith("@@{", position):
            literal.append("@{")
            position += 3
        elif text.startswith("@{", position):
            end = _end_of_segment(text, position + 2)
            if literal:
                parts.append(Literal("".join(literal)))
                literal = []
            parts.append(_Parser(text[position + 2 : end]).whole())
            position = end + 1
        else:
            literal.append(text[position])
            position += 1
    if not parts:
        return Literal("".join(literal))
    if literal:
        parts.append(Literal("".join(literal)))
    return Interpolation(tuple(parts))


def _end_of_segment(text, start):
    """The position of the brace that closes an interpolation; braces inside quotes do not count."""
    depth, quoted = 0, False
    for position in range(start, len(text)):
        character = text[position]
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return position
            depth -= 1
    raise ExpressionError(f"The interpolation '{text[start - 2 :]}' has no closing brace: add '}}'.")


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text):
        self.text = text
        self.tokens = list(self._tokens(text))
        self.index = self.depth = 0

    @staticmethod
    def _tokens(text):
        position = 0
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise ExpressionError(
                    f"The expression '{text}' has an unexpected character {text[position]!r} at position "
                    f"{position}: texts stand in single quotes, there are no infix operators."
                )
            if match.lastgroup != "space":
                yield match.lastgroup, match.group(), position
            position = match.end()
        yield "end", "end of the expression", position

    def whole(self):
        """Parse one expression and nothing after it."""
        tree = self._expression()
        if self._kind() != "end":
            self._fail("the end of the expression")
        return tree

    def _kind(self):
        return self.tokens[self.index][0]

    def _at(self, symbol):
        kind, text, _ = self.tokens[self.index]
        return kind == "symbol" and text == symbol

    def _next(self):
        token = self.tokens[self.index]
        self.index += 1
        return token

    def _expect(self, symbol):
        if not self._at(symbol):
            self._fail(f"'{symbol}'")
        self.index += 1

    def _fail(self, expected):
        _, text, position = self.tokens[self.index]
        raise ExpressionError(
            f"The expression '{self.text}' has {text} at position {position} where {expected} is expected."
        )

    def _expression(self):
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(f"The expression is nested more than {DEEPEST} deep: split it.")
        tree = self._term()
        self.depth -= 1
        return tree

    def _term(self):
        kind, text, _ = self.tokens[self.index]
        if kind == "string":
            self.index += 1
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            self.index += 1
            return Literal(self._number(text))
        if kind != "identifier":
            self._fail("a function, a text in single quotes or a number")
        self.index += 1
        if text.lower() in CONSTANTS and not self._at("("):
            return Literal(CONSTANTS[text.lower()])
        return self._accesses(Call(text, self._arguments()))

    def _number(self, text):
        if any(character in text for character in ".eE"):
            return float(text)
        return in_64_bits(int(text))

    def _arguments(self):
        self._expect("(")
        arguments = []
        if not self._at(")"):
            arguments.append(self._expression())
            while self._at(","):
                self.index += 1
                arguments.append(self._expression())
        self._expect(")")
        return tuple(arguments)

    def _accesses(self, target):
        while True:
            optional = self._at("?")
            if optional:
                self.index += 1
            if self._at("."):
                self.index += 1
                if self._kind() != "identifier":
                    self._fail("the name of a property")
                target = Access(target, Literal(self._next()[1]), optional)
            elif self._at("["):
                self.index += 1
                key = self._expression()
                self._expect("]")
                target = Access(target, key, optional)
            elif optional:
                self._fail("'.' or '['")
            else:
                return target
