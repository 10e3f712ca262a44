"""Where Spark or Delta meet a damaged file of a table: an error that names the table and what makes it again."""

from collections.abc import Iterator
from contextlib import contextmanager

from coinlake.errors import CoinlakeError, StorageError, damage


@contextmanager
def explained() -> Iterator[None]:
    """Within the block, or in a function that it decorates, damage is a StorageError; other errors stay.

    Both kinds of session say it in their way: see coinlake.errors.damage.
    """
    try:
        yield
    except CoinlakeError:
        raise
    except Exception as problem:
        meant = damage(str(problem))
        if meant is None:
            raise
        raise StorageError(meant) from None
