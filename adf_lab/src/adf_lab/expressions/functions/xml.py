"""`xml` and `xpath`. Source: control-flow-expression-language-functions, "xml", "xpath" and "json".

XML is binary content of type application/xml. JSON and XML turn into each other by the rules of
Newtonsoft Json.NET: attributes are members named `@name`, text beside other content is `#text`, elements
of one name become an array, an empty element is null.
"""

import copy
import re

from lxml import etree

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import function
from adf_lab.expressions.values import CONTENT_TYPE, content, content_bytes, float_text, is_content

XML_TYPE = "application/xml;charset=utf-8"
DECLARATION, ATTRIBUTE, TEXT, CDATA = "?xml", "@", "#text", "#cdata-section"
CDATA_ONLY = re.compile(r"<[^>]*><!\[CDATA\[(?:(?!]]>).)*]]></[^>]*>", re.DOTALL)
DECLARED = re.compile(r"\s*<\?xml\s.*?\?>", re.DOTALL)
RELATIVE = re.compile(r"(?:\*|[^\W\d][\w.-]*(?::[\w.*-]+)?)(?=$|[/\[|\s])")
PAIR = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
TEXT_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
ATTRIBUTE_ESCAPES = TEXT_ESCAPES | {'"': "&quot;", "\n": "&#xA;", "\r": "&#xD;", "\t": "&#x9;"}


def is_xml(value):
    """Whether a value is XML content."""
    return is_content(value) and value[CONTENT_TYPE].startswith(("application/xml", "text/xml"))


@function("xml(value: string|object) -> object")
def xml(value):
    """XML content of a text, or of an object with one member, the root element."""
    if is_content(value):
        return content(content_bytes(value), XML_TYPE)
    text = _declared(value) if isinstance(value, str) else _text_of_object(value)
    return content(text.encode("utf-8"), XML_TYPE)


@function("xpath(document: object, path: string) -> any")
def xpath(document, path):
    """What an XPath 1.0 expression selects: an array of nodes, or a text, number or boolean."""
    if not is_xml(document):
        raise ExpressionError("xpath was given an object that is not XML: convert it with xml().")
    root = _parse(content_bytes(document))
    try:
        from_document = "/" if RELATIVE.match(path) else ""
        found = [root] if path.strip() == "/" else root.getroottree().xpath(from_document + path)
    except etree.XPathError as error:
        raise ExpressionError(f"xpath was given the path '{path}', which cannot be evaluated: {error}") from None
    if isinstance(found, list):
        return [_node(node) for node in found]
    return str(found) if isinstance(found, str) else found


def xml_to_json(document):
    """The object that XML content stands for."""
    root = _parse(content_bytes(document))
    result = {}
    declaration = DECLARED.match(content_bytes(document).decode("utf-8", errors="replace"))
    if declaration:
        result[DECLARATION] = {f"{ATTRIBUTE}{name}": value for name, value in PAIR.findall(declaration[0])}
    result[_name(root)] = _element_to_json(root)
    return result


def _declared(text):
    """A text as XML in normal form, with its declaration if it has one."""
    root = _parse(text.encode("utf-8"))
    before = [_written(node) for node in reversed(list(root.itersiblings(preceding=True)))]
    after = [_written(node) for node in root.itersiblings()]
    declaration = DECLARED.match(text)
    return (declaration[0].lstrip() if declaration else "") + "".join([*before, _written(root), *after])


def _parse(data):
    """The root of a document; entities are not resolved and nothing is fetched."""
    parser = etree.XMLParser(remove_blank_text=True, strip_cdata=False, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ExpressionError(f"A text is not XML ({error}): {data[:80].decode('utf-8', 'replace')}") from None
    for element in root.iter(etree.Element):
        if element.text and not element.text.strip():
            element.text = ""
    return root


def _node(node):
    """A selected node: elements as XML content, attributes as `name="value"`, text as text."""
    if isinstance(node, str):
        if isinstance(node, etree._ElementUnicodeResult) and node.is_attribute:
            return f'{_prefixed(node.getparent(), node.attrname)}="{node}"'
        return str(node)
    if not isinstance(node.tag, str):
        raise ExpressionError("xpath selected a comment or an instruction: select elements, attributes or text.")
    shown = copy.deepcopy(node)
    shown.tail = None
    if not any(_has_mixed_content(element) for element in shown.iter()):
        etree.indent(shown)
    return content(_written(shown).encode("utf-8"), XML_TYPE)


def _has_mixed_content(element):
    return len(element) > 0 and any((text or "").strip() for text in [element.text, *(c.tail for c in element)])


def _escaped(text, escapes):
    return "".join(escapes.get(character, character) for character in text)


def _name(element):
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _attributes(element):
    """Names and values of the attributes, namespace declarations first."""
    parent = element.getparent()
    inherited = parent.nsmap if parent is not None else {}
    for prefix, uri in element.nsmap.items():
        if inherited.get(prefix) != uri:
            yield (f"xmlns:{prefix}" if prefix else "xmlns"), uri
    for name, value in element.attrib.items():
        yield _prefixed(element, name), value


def _prefixed(element, name):
    """The name of an attribute as it is written: the prefix stands for its namespace."""
    qualified = etree.QName(name)
    prefix = next((prefix for prefix, uri in element.nsmap.items() if uri == qualified.namespace), None)
    return f"{prefix}:{qualified.localname}" if prefix else qualified.localname


def _written(node):
    """A node as text, the way .NET writes it: `<a />` for an empty element, double quotes."""
    if not isinstance(node.tag, str):
        return etree.tostring(node, encoding="unicode", with_tail=False)
    attributes = "".join(f' {name}="{_escaped(value, ATTRIBUTE_ESCAPES)}"' for name, value in _attributes(node))
    if node.text is None and len(node) == 0:
        return f"<{_name(node)}{attributes} />"
    if "<![CDATA[" in etree.tostring(node, encoding="unicode", with_tail=False):
        return etree.tostring(node, encoding="unicode", with_tail=False)
    inner = _escaped(node.text or "", TEXT_ESCAPES)
    inner += "".join(_written(child) + _escaped(child.tail or "", TEXT_ESCAPES) for child in node)
    return f"<{_name(node)}{attributes}>{inner}</{_name(node)}>"


def _element_to_json(element):
    members = {f"{ATTRIBUTE}{name}": value for name, value in _attributes(element)}
    texts = [text for text in [element.text, *(child.tail for child in element)] if text and text.strip()]
    children: dict[str, list] = {}
    for child in element:
        if isinstance(child.tag, str):
            children.setdefault(_name(child), []).append(_element_to_json(child))
    if CDATA_ONLY.fullmatch(etree.tostring(element, encoding="unicode", with_tail=False)):
        return members | {CDATA: element.text}
    if not members and not len(element):
        return element.text
    if texts:
        members[TEXT] = texts[0] if len(texts) == 1 else texts
    return members | {name: found[0] if len(found) == 1 else found for name, found in children.items()}


def _text_of_object(value):
    """The XML text of an object; ExpressionError unless it has one root element."""
    declaration = value.get(DECLARATION)
    roots = {name: member for name, member in value.items() if name != DECLARATION}
    if not roots:
        return ""
    if len(roots) > 1 or any(isinstance(member, list) and len(member) != 1 for member in roots.values()):
        raise ExpressionError("xml was given an object with several members: the root element must be one.")
    [(name, member)] = roots.items()
    head = ""
    if declaration:
        pairs = "".join(f' {key.removeprefix(ATTRIBUTE)}="{text}"' for key, text in declaration.items())
        head = f"<?xml{pairs}?>"
    return head + "".join(_elements_of_json(name, member))


def _elements_of_json(name, value):
    """The elements of one member, as texts: one, or one for each item of an array."""
    if isinstance(value, list):
        for item in value:
            inner = "".join(_elements_of_json(name, item))
            yield f"<{name}>{inner}</{name}>" if isinstance(item, list) else inner
        return
    name = _encoded_name(name)
    if value is None:
        yield f"<{name} />"
        return
    if not isinstance(value, dict):
        yield f"<{name}>{_escaped(_scalar(value), TEXT_ESCAPES)}</{name}>"
        return
    attributes = "".join(
        f' {key.removeprefix(ATTRIBUTE)}="{_escaped(_scalar(member), ATTRIBUTE_ESCAPES)}"'
        for key, member in value.items()
        if key.startswith(ATTRIBUTE)
    )
    inner = "".join(
        _escaped(_scalar(member), TEXT_ESCAPES) if key == TEXT else "".join(_elements_of_json(key, member))
        for key, member in value.items()
        if not key.startswith(ATTRIBUTE)
    )
    yield f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes} />"


def _scalar(value):
    """A simple value as XML writes it: booleans in lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return float_text(value) if isinstance(value, float) else str(value)


def _encoded_name(name):
    """A member's name as the name of an element: characters that XML forbids become _xHHHH_."""
    if not name:
        raise ExpressionError("xml was given an object with a member without a name: an element needs one.")
    return "".join(
        character
        if character.isalpha() or character in "_:" or (index and (character.isdigit() or character in "-."))
        else f"_x{ord(character):04X}_"
        for index, character in enumerate(name)
    )
