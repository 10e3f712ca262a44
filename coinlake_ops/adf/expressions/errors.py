"""The error of the expression language."""

from coinlake.errors import CoinlakeError


class ExpressionError(CoinlakeError):
    """An expression cannot be parsed or evaluated; the message names the expression or function and the fix."""
