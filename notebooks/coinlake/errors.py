"""The error that people meet: what is wrong, where, and what to do next."""


class CoinlakeError(Exception):
    """A problem that the reader of the message can solve.

    The message names what is wrong, where (table, file, parameter) and what to do next.
    """
