"""Markup: elements whose texts are escaped, and a document around them that asks for nothing outside itself."""

import base64
import hashlib
import html
from functools import cache
from importlib import resources


class Markup(str):
    """A text that is markup already."""

    __slots__ = ()


def element(name, *children, **attributes):
    """An element; what is no markup among its children is escaped, None and "" are left out.

    A trailing underscore in the name of an attribute is dropped (`class_`), others are hyphens; True stands for
    an attribute without a value, None and False for none.
    """
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{shown}>{joined(*children)}</{name}>")


def joined(*children):
    """Children one after the other, escaped where they are no markup."""
    return Markup(
        "".join(child if isinstance(child, Markup) else html.escape(str(child)) for child in children if child)
    )


def document(title, *body, refresh=None):
    """A whole page; with `refresh` it is read again after so many seconds."""
    style, script = _file("page.css"), _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    again = f'<meta http-equiv="refresh" content="{refresh}">\n' if refresh else ""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n{again}'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n"
        f"<body>\n{joined(*body)}\n<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _file(name):
    return resources.files("adf_lab.pages").joinpath(name).read_text(encoding="utf-8")
