"""Numbers drawn by lot, each a pure function of where it is needed.

A usual random generator is a tape: to know the thousandth number you read the first 999. Here a number is
hashed from its address (seed, stream, coin, index), so that any hour of any coin can be drawn at once, in
any order, and always comes out the same (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014).

Only operations that IEEE 754 rounds correctly are used (+ - * / sqrt), never a library's exp or log: a
simulated body has the same bytes, and so the same hash, on every processor.
"""

import hashlib

import numpy as np

# What is broadcast: one whole number, or an array of them.
Whole = np.ndarray | np.integer | int

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LANE = np.uint64(0xFFFF)
# The sum of four 16-bit lanes has this mean and this standard deviation.
_LANES_MEAN = 2 * 65535.0
_LANES_DEVIATION = float(np.sqrt((65536.0**2 - 1) / 3))
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


def stream(seed: int, *names: object) -> np.uint64:
    """The 64-bit key of a named stream of a seed."""
    text = "/".join([str(seed), *map(str, names)])
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def bits(keys: Whole, index: Whole) -> np.ndarray:
    """64 random bits for each (key, index), broadcast against each other."""
    state = np.atleast_1d(keys) + (np.atleast_1d(index).astype(np.uint64) + np.uint64(1)) * GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


def uniforms(keys: Whole, index: Whole) -> np.ndarray:
    """Uniform numbers in [0, 1)."""
    return (bits(keys, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(keys: Whole, index: Whole) -> np.ndarray:
    """Numbers with mean 0 and deviation 1, bell-shaped: the sum of four uniform lanes of one hash.

    They end at 3.5 deviations. The fat tails of a market come from its changing volatility (Walk), not
    from here.
    """
    lot = bits(keys, index)
    total = lot & _LANE
    for lane in (16, 32, 48):
        total = total + ((lot >> np.uint64(lane)) & _LANE)
    return (total.astype(np.float64) - _LANES_MEAN) / _LANES_DEVIATION


def exp(power: np.ndarray) -> np.ndarray:
    """e**power by range reduction and Taylor's series, the same bits everywhere."""
    power = np.asarray(power, dtype=np.float64)
    halvings = np.rint(power * _LOG2_E)
    rest = (power - halvings * _LN2_HIGH) - halvings * _LN2_LOW
    value = np.ones_like(rest)
    for divisor in range(14, 0, -1):
        value = 1.0 + value * rest / divisor
    return np.ldexp(value, halvings.astype(np.int32))


def between(position: np.ndarray, knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Straight lines through (knots, values), flat beyond both ends."""
    position = np.clip(position, knots[0], knots[-1])
    right = np.clip(np.searchsorted(knots, position, side="right"), 1, len(knots) - 1)
    left = right - 1
    share = (position - knots[left]) / (knots[right] - knots[left])
    return values[left] + (values[right] - values[left]) * share


def waves(keys: Whole, position: np.ndarray, spacing: float) -> np.ndarray:
    """Slow noise: independent normals every `spacing`, joined by straight lines."""
    place = np.asarray(position, dtype=np.float64) / spacing
    left = np.floor(place)
    here, there = normals(keys, left.astype(np.int64)), normals(keys, left.astype(np.int64) + 1)
    return here + (there - here) * (place - left)
