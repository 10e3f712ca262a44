"""Values of the expression language: their kinds, equality, text and order.

A value is a JSON value in Python: None, bool, int (64 bits), float, str, list, dict. Binary content is an
object `{"$content-type", "$content"}` whose content is base64, as the service hands it on.
"""

import base64
import json
import unicodedata

from adf_lab.expressions.errors import ExpressionError

CONTENT_TYPE, CONTENT = "$content-type", "$content"
BINARY_TYPE = "application/octet-stream"
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
RANKS = {mark: rank for rank, mark in enumerate(" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$")}
KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    list: "array",
    dict: "object",
}


def kind_of(value):
    """The name of a value's kind: null, boolean, integer, float, string, array or object."""
    return KINDS[type(value)]


def is_content(value):
    """Whether an object is binary content."""
    return isinstance(value, dict) and value.keys() == {CONTENT_TYPE, CONTENT}


def content(data, content_type=BINARY_TYPE):
    """Binary content from bytes."""
    return {CONTENT_TYPE: content_type, CONTENT: base64.b64encode(data).decode("ascii")}


def content_bytes(value):
    """The bytes behind binary content."""
    return base64.b64decode(value[CONTENT])


def equal(left, right):
    """Deep equality that never mixes kinds: 1 is not 1.0 and not true; the order of members is free."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return left == right


def to_text(value):
    """A value as text, as `string`, `concat` and interpolation write it: `True`, shortest floats, JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return float_text(value)
    if is_content(value):
        return content_bytes(value).decode("utf-8", errors="replace")
    return to_json(value) if isinstance(value, list | dict) else str(in_64_bits(value))


def in_64_bits(number):
    """An integer that fits into 64 bits; a JSON text may hold longer ones, nothing can be done with them."""
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise ExpressionError(f"The number {number} does not fit into 64 bits: use float().")
    return number


def float_text(number):
    """The shortest text of a double: plain from 0.0001 to 1E+17, else with an exponent, as .NET writes it."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    sign = "-" if str(number).startswith("-") else ""
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0"
    if -4 < point <= 17:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        fraction = f".{digits[point:]}" if len(digits) > point else ""
        return f"{sign}{digits[:point].ljust(point, '0')}{fraction}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}E{'+' if point > 0 else '-'}{abs(point - 1):02d}"


def to_json(value):
    """Compact JSON text, members in their order; a whole float keeps its `.0`, NaN is a quoted text."""
    if isinstance(value, float):
        text = float_text(value)
        if not text[-1].isdigit():
            return f'"{text}"'
        return text if any(mark in text for mark in ".E") else f"{text}.0"
    if isinstance(value, list):
        return f"[{','.join(map(to_json, value))}]"
    if isinstance(value, dict):
        members = (f"{_quoted(name)}:{to_json(member)}" for name, member in value.items())
        return f"{{{','.join(members)}}}"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text):
    """A JSON text; besides the usual escapes the two line separators that JavaScript cannot read."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def to_units(text):
    """A text as UTF-16 code units, which is what lengths and positions count."""
    if text.isascii() or max(map(ord, text), default=0) < 0x10000:
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[index] | data[index + 1] << 8) for index in range(0, len(data), 2))


def from_units(units):
    """The text behind UTF-16 code units: pairs of surrogates become one character again."""
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def collation_key(text):
    """Order of texts in the en-US culture: letters first, then accents, then lower before upper case.

    Marks come before digits, and digits before letters (Unicode Collation Algorithm, root order).
    """
    decomposed = unicodedata.normalize("NFD", text)
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return list(map(_rank, letters.casefold())), decomposed.casefold(), text.swapcase()


def _rank(character):
    """Letters and digits by their code, the marks of ASCII before them, all other marks in between."""
    if character.isalnum():
        return ord(character)
    return RANKS.get(character, len(RANKS) + ord(character) / 0x110000)
