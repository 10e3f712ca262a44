"""Names and texts inside SQL: quoted in one way everywhere.

Sources: Databricks SQL reference, "Names" (delimited identifiers) and "STRING type" (literals).
"""

import re

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted_name(*parts: str) -> str:
    """The name of an object, part by part; a part such as dev-analytics, no plain identifier, is quoted."""
    return ".".join(part if _PLAIN.fullmatch(part) else f"`{part.replace('`', '``')}`" for part in parts)


def quoted_text(text: str) -> str:
    """A text as a literal of Spark SQL, in which a quote is written twice and a backslash too."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
