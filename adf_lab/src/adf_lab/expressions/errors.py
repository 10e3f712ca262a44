"""The error of the expression language."""

from adf_lab.errors import AdfLabError


class ExpressionError(AdfLabError):
    """An expression cannot be parsed or evaluated; the message names the expression or function and the fix."""
