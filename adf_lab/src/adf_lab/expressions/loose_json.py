"""A JSON reader that accepts what the service's own reader (Newtonsoft Json.NET) accepts beyond JSON.

Accepted: comments, single quotes, names without quotes, trailing commas, a missing closing bracket or brace
after a value, hexadecimal and octal numbers, and anything after the first value, if it does not stick to a number
or a word. An empty text is null.
"""

import json
import re
from typing import Any, NoReturn

NAME = re.compile(r"[\w$]+")
WORD = re.compile(r"[\w.+-]*")
NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
AFTER_NUMBER = re.compile(r"$|[\s,}\])/]")
AFTER_WORD = re.compile(r"$|[\s,}\]]|/[/*]")
SKIPPED = re.compile(r"(?:\s+|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def loads(text):
    """Read a text as JSON; ValueError names the position of what cannot be read."""
    try:
        return json.loads(text)
    except ValueError:
        return _Reader(text).document()


class _Reader:
    """One pass over a text that strict JSON refuses."""

    def __init__(self, text):
        self.text = text
        self.position = 0

    def document(self):
        return self._value() if self._peek() else None

    def _peek(self):
        self.position += len(self._matched(SKIPPED))
        return self.text[self.position : self.position + 1]

    def _matched(self, pattern: re.Pattern[str]) -> str:
        """What a pattern matches at the position; an empty text if it does not match."""
        match = pattern.match(self.text, self.position)
        return match.group() if match else ""

    def _fail(self) -> NoReturn:
        raise ValueError(f"unexpected {self._peek()!r} at position {self.position}")

    def _value(self):
        first = self._peek()
        if first == "{":
            return self._object()
        if first == "[":
            return self._array()
        if first and first in "'\"":
            return self._string()
        for word, value in WORDS.items():
            if self.text.startswith(word, self.position):
                self.position += len(word)
                self._end(AFTER_WORD)
                return value
        return self._number()

    def _number(self):
        number = self._matched(WORD)
        if not NUMBER.fullmatch(number):
            self._fail()
        self.position += len(number)
        self._end(AFTER_NUMBER)
        digits = number.lstrip("-")
        if digits.lower().startswith("0x"):
            return int(number, 16)
        if not digits.isdigit():
            return float(number)
        is_octal = len(digits) > 1 and digits.startswith("0")
        return int(number, 8 if is_octal else 10)

    def _end(self, pattern):
        """What follows a number or a word must separate it from the rest."""
        if not pattern.match(self.text, self.position):
            self._fail()

    def _string(self):
        quote = self.text[self.position]
        self.position += 1
        characters: list[str] = []
        while self.position < len(self.text):
            character = self.text[self.position]
            self.position += 1
            if character == quote:
                return "".join(characters)
            characters.append(self._escape() if character == "\\" else character)
        self._fail()

    def _escape(self):
        character = self.text[self.position : self.position + 1]
        self.position += 1
        if character == "u":
            digits = self.text[self.position : self.position + 4]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                self._fail()
            self.position += 4
            return chr(int(digits, 16))
        if character in ESCAPES:
            return ESCAPES[character]
        if not character or character not in "\\/'\"":
            self._fail()
        return character

    def _array(self):
        self.position += 1
        items: list[Any] = []
        while True:
            following = self._peek()
            if following == "]":
                self.position += 1
                return items
            items.append(None if following == "," else self._value())
            if not self._continues("]"):
                return items

    def _object(self):
        self.position += 1
        members: dict[str, Any] = {}
        while True:
            following = self._peek()
            if following == "}":
                self.position += 1
                return members
            if following and following in "'\"":
                name = self._string()
            else:
                name = self._matched(NAME)
                if not name:
                    self._fail()
                self.position += len(name)
            if self._peek() != ":":
                self._fail()
            self.position += 1
            members[name] = self._value()
            if not self._continues("}"):
                return members

    def _continues(self, closing):
        """Step over what follows a value: a comma continues, the closing mark or the end of the text ends."""
        following = self._peek()
        if following and following not in f",{closing}":
            self._fail()
        self.position += len(following)
        return following == ","
