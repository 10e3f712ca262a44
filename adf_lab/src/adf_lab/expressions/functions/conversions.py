"""Conversion functions. Source: control-flow-expression-language-functions, "Conversion functions"."""

import base64 as base64_codec
import re
from urllib.parse import quote, unquote, unquote_to_bytes

from adf_lab.expressions import loose_json
from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.functions.xml import is_xml, xml_to_json
from adf_lab.expressions.registry import function
from adf_lab.expressions.values import BINARY_TYPE, CONTENT, CONTENT_TYPE, content, is_content, kind_of, to_text

NUMBER = re.compile(r"\s*[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
TRAILING_SIGN = re.compile(r"\s*(?P<number>[\d,.]+)(?P<sign>[+-])\s*", re.ASCII)
UNNUMBERED = {"∞": float("inf"), "-∞": float("-inf"), "nan": float("nan")}
DEFAULT_MEDIA_TYPE, DEFAULT_CHARSET, JSON_TYPE = "text/plain", "us-ascii", "application/json"
DATA_URI = re.compile(
    r"data:(?P<type>[^;,]*)(?P<parameters>(?:;[^;,=]+=[^;,]*)*)(?P<base64>;base64)?,(?P<data>.*)",
    re.IGNORECASE | re.DOTALL,
)


@function("array(value: any) -> array")
def array(value):
    """An array of one value; an array stays what it is."""
    return value if isinstance(value, list) else [value]


@function("createArray(items+: any) -> array")
def create_array(*items):
    """An array of several values."""
    return list(items)


@function("string(value: any) -> string")
def string(value):
    """A value as text; an array or object as compact JSON, binary content decoded."""
    return to_text(value)


@function("bool(value: boolean|number|string) -> boolean")
def boolean(value):
    """A boolean from a number (0 is false) or one of the texts true and false in any case."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word not in ("true", "false"):
        raise ExpressionError(f"bool was given the text '{value}': it takes 'true' and 'false'.")
    return word == "true"


@function("float(value: boolean|number|string) -> float")
def floating(value):
    """A float from a number or a text, which may group thousands by commas."""
    if not isinstance(value, str):
        return float(value)
    if value.strip().lower() in UNNUMBERED:
        return UNNUMBERED[value.strip().lower()]
    trailing = TRAILING_SIGN.fullmatch(value)
    if trailing:
        value = trailing["sign"] + trailing["number"]
    return _number("float", value)


@function("int(value: boolean|number|string) -> integer")
def integer(value):
    """An integer from a whole number or its text; like the service's own, exact up to 2 ** 53."""
    number = _number("int", value) if isinstance(value, str) else float(value)
    if not -(2.0**63) <= number < 2.0**63 or number != int(number):
        raise ExpressionError(f"int was given {to_text(value)}: it takes whole numbers of 64 bits.")
    return int(number)


def _number(name, text):
    if not NUMBER.fullmatch(text):
        raise ExpressionError(f"{name} was given the text '{text}', which is not a number.")
    return float(text.replace(",", ""))


@function("json(value: string|object) -> any")
def json(value):
    """The value that a JSON text, or XML content, stands for."""
    if isinstance(value, dict):
        if is_xml(value):
            return xml_to_json(value)
        if not is_content(value):
            raise ExpressionError("json was given an object, which is a value already: leave the call out.")
        value = to_text(value)
    try:
        return loose_json.loads(value)
    except ValueError as error:
        raise ExpressionError(f"json was given a text that is not JSON ({error}): {value[:80]}") from None


@function("binary(value: boolean|number|string|array|object) -> object")
def binary(value):
    """Binary content of a value's text."""
    return value if is_content(value) else content(to_text(value).encode("utf-8"))


@function("base64(value: string|array|object) -> string")
def base64(value):
    """The base64 text of a value's text or of binary content."""
    return value[CONTENT] if is_content(value) else _encoded(to_text(value).encode("utf-8"))


def _encoded(data):
    return base64_codec.b64encode(data).decode("ascii")


def _decoded(name, text):
    try:
        return base64_codec.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ExpressionError(f"{name} was given '{text[:80]}', which is not base64.") from None


@function("base64ToBinary(text: string) -> object")
def base64_to_binary(text):
    """Binary content of a base64 text, kept as it is written."""
    _decoded("base64ToBinary", text)
    return {CONTENT_TYPE: BINARY_TYPE, CONTENT: text}


def _base64_to_string(name):
    @function(f"{name}(text: string) -> string")
    def body(text):
        return _decoded(name, text).decode("utf-8", errors="replace")


@function("dataUriToString(uri: string) -> string")
def data_uri_to_string(uri):
    """The text of a data URI."""
    parts = _data_uri("dataUriToString", uri)
    charset = _charset(parts)
    if charset not in (None, "utf-8"):
        raise ExpressionError(f"dataUriToString was given a data URI in the charset {charset}: it reads utf-8.")
    return _data_of("dataUriToString", parts).decode("utf-8", errors="replace")


@function("decodeDataUri(uri: string) -> any")
def decode_data_uri(uri):
    """What a data URI holds, by its media type: a text, the value of a JSON text, else binary content."""
    parts = _data_uri("decodeDataUri", uri)
    media_type, data = (parts["type"] or DEFAULT_MEDIA_TYPE).lower(), _data_of("decodeDataUri", parts)
    charset = _charset(parts)
    if not media_type.startswith("text/") and media_type != JSON_TYPE:
        return content(data, _content_type(parts) + ("" if charset else f";charset={DEFAULT_CHARSET}"))
    try:
        text = data.decode(charset or DEFAULT_CHARSET, errors="replace")
    except LookupError:
        raise ExpressionError(f"decodeDataUri was given a data URI in the unknown charset {charset}.") from None
    return json(text) if media_type == JSON_TYPE else text


def _charset(parts):
    found = re.search(r";charset=([^;]*)", parts["parameters"], re.IGNORECASE)
    return found[1].lower() if found else None


def _content_type(parts):
    return (parts["type"] or DEFAULT_MEDIA_TYPE) + parts["parameters"]


def _uri_component(name):
    @function(f"{name}(values+: any) -> string")
    def body(*values):
        return quote("".join(map(to_text, values)), safe="-_.~")


def _uri_component_to_string(name):
    @function(f"{name}(text: string) -> string")
    def body(text):
        return unquote(text.replace("+", " "))


for _name in ("base64ToString", "decodeBase64"):
    _base64_to_string(_name)
for _name in ("uriComponent", "encodeUriComponent"):
    _uri_component(_name)
for _name in ("uriComponentToString", "decodeUriComponent"):
    _uri_component_to_string(_name)


@function("uriComponentToBinary(text: string) -> object")
def uri_component_to_binary(text):
    """Binary content of a URI component."""
    return content(unquote_to_bytes(text.replace("+", " ")))


@function("dataUri(value: boolean|number|string|array|object) -> string")
def data_uri(value):
    """The data URI of a value."""
    if is_content(value):
        return f"data:{value[CONTENT_TYPE]};base64,{value[CONTENT]}"
    media_type = DEFAULT_MEDIA_TYPE if kind_of(value) == "string" else JSON_TYPE
    return f"data:{media_type};charset=utf-8;base64,{_encoded(to_text(value).encode('utf-8'))}"


@function("dataUriToBinary(uri: string) -> object")
def data_uri_to_binary(uri):
    """Binary content of a data URI."""
    parts = _data_uri("dataUriToBinary", uri)
    return content(_data_of("dataUriToBinary", parts), _content_type(parts))


def _data_uri(name, uri):
    match = DATA_URI.fullmatch(uri)
    if not match:
        raise ExpressionError(f"{name} was given '{uri[:80]}': a data URI is written 'data:text/plain;base64,…'.")
    return match


def _data_of(name, parts):
    if parts["base64"]:
        return _decoded(name, parts["data"])
    return unquote_to_bytes(parts["data"].replace("+", " "))
