"""All functions of the language, one module per section of the article; importing one registers its functions."""

from adf_lab.expressions.functions import (  # noqa: F401
    collections,
    conversions,
    dates,
    logic,
    numbers,
    scopes,
    texts,
    xml,
)
