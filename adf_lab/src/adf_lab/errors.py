"""The error of this package."""


class AdfLabError(Exception):
    """Something is asked for that cannot be done; the message says what is wrong, where, and what to do."""
