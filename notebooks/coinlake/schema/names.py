"""Names and texts inside SQL: quoted in one way everywhere.

Sources: Databricks SQL reference, "Names" (delimited identifiers) and "STRING type" (literals).
"""

import re

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted_name(*parts: str) -> str:
    """The name of an object, part by part; a part such as dev-analytics, no plain identifier, is quoted."""
    return ".".join(part if _PLAIN.fullmatch(part) else delimited(part) for part in parts)


def delimited(name: str) -> str:
    """A name in backticks, whatever it is made of: dots do not part it."""
    return f"`{name.replace('`', '``')}`"


def quoted_text(text: str) -> str:
    """A text as a literal of Spark SQL, in which a backslash goes before a quote and before a backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
