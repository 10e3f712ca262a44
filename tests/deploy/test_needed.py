"""What a deployment cannot go on without: a value as it came, or an error that names it."""

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.needed import needed


@pytest.mark.parametrize("value", [0, "", [], {"id": "pool-1"}])
def test_a_value_comes_back_as_it_is_even_an_empty_one(value):
    assert needed(value, "instance pool coinlake") is value


def test_a_missing_value_is_named():
    with pytest.raises(CoinlakeError) as error:
        needed(None, "instance pool coinlake")
    assert str(error.value) == (
        "There is no instance pool coinlake. Plan again to see what the environment lacks."
    )
