"""String functions. Source: control-flow-expression-language-functions, "String functions".

Positions and lengths count UTF-16 code units. Searching ignores case, except in `replace` and `split`.
"""

import uuid
from collections.abc import Callable

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import function
from adf_lab.expressions.values import from_units, to_text, to_units


@function("concat(values+: any) -> string")
def concat(*values):
    """Join the texts of all values."""
    return "".join(map(to_text, values))


@function("endsWith(text: string, end: string) -> boolean")
def ends_with(text, end):
    """Whether a text ends with another, in any case."""
    return _upper(text).endswith(_upper(end))


@function("startsWith(text: string, start: string) -> boolean")
def starts_with(text, start):
    """Whether a text starts with another, in any case."""
    return _upper(text).startswith(_upper(start))


@function("guid(format?: string) -> string")
def guid(pattern="D"):
    """A new GUID in one of the formats N, D, B, P and X."""
    value = uuid.uuid4()
    if pattern not in GUID_FORMATS:
        raise ExpressionError(f"guid has no format '{pattern}': use one of {', '.join(GUID_FORMATS)}.")
    return GUID_FORMATS[pattern](value)


def _hexadecimal_groups(value):
    last = ",".join(f"0x{byte:02x}" for byte in value.bytes[8:])
    return f"{{0x{value.time_low:08x},0x{value.time_mid:04x},0x{value.time_hi_version:04x},{{{last}}}}}"


GUID_FORMATS: dict[str, Callable[[uuid.UUID], str]] = {
    "N": lambda value: value.hex,
    "D": str,
    "B": lambda value: f"{{{value}}}",
    "P": lambda value: f"({value})",
    "X": _hexadecimal_groups,
}


@function("indexOf(text: string, part: string) -> integer")
def index_of(text, part):
    """The first position of a part, in any case; -1 if there is none."""
    return _upper(to_units(text)).find(_upper(to_units(part)))


@function("lastIndexOf(text: string, part: string) -> integer")
def last_index_of(text, part):
    """The last position of a part, in any case; -1 if there is none. An empty part is the last character."""
    if not part:
        return max(len(to_units(text)) - 1, 0)
    return _upper(to_units(text)).rfind(_upper(to_units(part)))


@function("replace(text: string, old: string, new: string) -> string")
def replace(text, old, new):
    """Replace every occurrence, minding case; in an empty text there is none, whatever is looked for."""
    if text and not old:
        raise ExpressionError("replace was given an empty text to look for.")
    return text.replace(old, new) if text else ""


@function("split(text: string, delimiter: string) -> array")
def split(text, delimiter):
    """The parts of a text between the occurrences of a delimiter, minding case."""
    return text.split(delimiter) if delimiter else [text]


@function("substring(text: string, start: integer, length?: integer) -> string")
def substring(text, start, length=None):
    """The characters from a start on; start and length must lie inside the text."""
    units = to_units(text)
    if not 0 <= start < len(units):
        raise ExpressionError(f"substring was given start {start} for a text of {len(units)} characters.")
    length = len(units) - start if length is None else length
    if length < 0 or start + length > len(units):
        raise ExpressionError(
            f"substring was given start {start} and length {length} for a text of {len(units)} characters."
        )
    return from_units(units[start : start + length])


@function("toLower(text: string) -> string")
def to_lower(text):
    """A text in lower case, character by character."""
    return "".join(_single(character, character.lower()) for character in text)


@function("toUpper(text: string) -> string")
def to_upper(text):
    """A text in upper case, character by character."""
    return _upper(text)


@function("trim(text: string) -> string")
def trim(text):
    """A text without white space at its ends."""
    return text.strip()


def _upper(text):
    """Upper case that keeps the number of characters, as comparison without regard to case uses it."""
    if text.isascii():
        return text.upper()
    return "".join(_single(character, character.upper()) for character in text)


def _single(character, changed):
    """A character in another case; the dotless i, as all that would become two, stays what it is."""
    return changed if len(changed) == 1 and character != "ı" else character
