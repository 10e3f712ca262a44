"""What a coin is, by how it moves: free, pegged to a currency, or a copy of another coin.

Medians and counts over all coins would say how many stablecoins and wrapped coins there are, not how the market
moves: they are counted apart.
"""

import numpy as np
import pandas as pd

DAYS = 90  # how far back the rule looks
LEAST_DAYS = 30  # of moves; a younger coin is taken as free
PEGGED_MOVE = 0.004  # currencies move less against each other on most days, coins more
COPIED = 0.15  # of a copy's own moves is not its original's

Kind = tuple[str, str]  # `pegged` and nothing, or `copy` and the id of the coin that it follows


def kinds(closes: pd.DataFrame) -> dict[str, Kind]:
    """The coins that are not free: coin_id -> kind; `closes` are days × coin_ids, largest coin first.

    A coin is pegged when its median daily move (log return without its sign) over the last 90 days is below
    0.4 %: currencies move so little against each other, so a dollar is found in euros, too. It is a copy when the
    median difference between its moves and those of a larger free coin is below 15 % of its own median move.
    Medians, so that a day on which a peg was lost does not free the coin.
    """
    logs = np.log(closes.where(closes > 0).to_numpy(dtype=float))
    moves = np.diff(logs, axis=0)[-DAYS:]
    found: dict[str, Kind] = {}
    free: list[int] = []
    for place, coin_id in enumerate(closes.columns):
        own = moves[:, place]
        if np.isfinite(own).sum() < LEAST_DAYS:
            continue
        usual = float(np.nanmedian(np.abs(own)))
        if usual < PEGGED_MOVE:
            found[coin_id] = ("pegged", "")
            continue
        apart = np.abs(moves[:, free] - own[:, None])
        known = np.isfinite(apart).sum(axis=0) >= LEAST_DAYS
        original = next(
            (
                closes.columns[larger]
                for larger, column, enough in zip(free, apart.T, known, strict=True)
                if enough and np.nanmedian(column) < COPIED * usual
            ),
            "",
        )
        if original:
            found[coin_id] = ("copy", original)
        else:
            free.append(place)
    return found
