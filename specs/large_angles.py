"""Sines of many large numbers at once, in double precision, with a bound of the error.

x = m 2^s is some quarters of a turn and y. Their count, x 2/pi, is found modulo 4 in integers of 128
bits, from those bits of 2/pi that matter for s: so y is as good for 2^127 as for 100 (Payne and Hanek,
1983).
"""

from __future__ import annotations

from math import factorial, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures

Doubles = NDArray[np.float64]
Words = NDArray[np.uint64]

PLACES = 126
"""Of the fraction of a count of quarter turns; two bits are left for the whole, modulo 4."""

HALF_WORD = np.uint64(32)

TERMS = 9

SINE, COSINE = ([(-1) ** k / factorial(2 * k + odd) for k in range(TERMS)] for odd in (1, 0))
"""sin y = y (1 - y^2/3! + ...) and cos y = 1 - y^2/2! + ..., in powers of y^2."""

RELATIVE, ABSOLUTE = 2.0**-46, 2.0**-90
"""The error of ``sines``: the sum of what is of the magnitude, and of what is not.

The absolute one is that of the count: less than 2^33 units of 2^-126, times pi/2. The rest is of y,
2^-50 (see ``reduced``), and sine and cosine have no more of it, as |y| <= pi/4 but for that; of series,
of which 2^-58 is left out; of Horner's rule, 2 * 8 * 2^-53 times cosh(pi/4) < 1.4, of values of at least
0.7; and some 2^-53 for coefficients, squares, and products after it: together less than 2^-47.
"""


class Sines(NamedTuple):
    """Signs, 1 of negative ones, and between which doubles the magnitudes lie."""

    signs: NDArray[np.int64]
    near: Doubles
    far: Doubles


def sines(significands: Words, exponent: int, quarter: int) -> Sines:
    """Of m 2^s and some quarters of a turn, for m below 2^32."""
    quarters, y = reduced(significands, exponent)
    value = turned(quarters + quarter, y)
    magnitude = np.abs(value)
    near, far = magnitude * (1 - RELATIVE) - ABSOLUTE, magnitude * (1 + RELATIVE) + ABSOLUTE
    return Sines((value < 0).astype(np.int64), near, far)


def turned(quarters: NDArray[np.int64], y: Doubles) -> Doubles:
    """The sine of y and some quarters of a turn, for y from -pi/4 to pi/4."""
    squares = y * y
    value = np.where(quarters & 1, horner(COSINE, squares), y * horner(SINE, squares))
    return np.where(quarters & 2, -value, value)


def horner(coefficients: list[float], x: Doubles) -> Doubles:
    """A polynomial of doubles, the constant coefficient first."""
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value *= x
        value += coefficient
    return value


def reduced(significands: Words, exponent: int) -> tuple[NDArray[np.int64], Doubles]:
    """How many quarters, to within a multiple of 4, and the y that is left, from -pi/4 to pi/4.

    The count is m times f = 2^s 2/pi, which is known to within 2 units from below: it is less by fewer
    than 2^33 units. Modulo 2^128 it is made of three products of half words, of which words wrap around
    as they should. Rounded to nearest, it leaves r; r is split into h 2^64 + l, -2^63 <= l < 2^63. As
    doubles both are within 2^-53 of what they are; h is 0, or they are no more than twice r and once r:
    with the sum of both, and pi/2, the error of y is below 2^-50.
    """
    bits = PLACES + max(exponent, 0) + 64
    factor = (2 << bits + PLACES + exponent) // (enclosures.pi(bits) + 2)
    upper, middle, lower = (
        np.uint64(factor >> shift & (1 << size) - 1) for shift, size in ((64, 64), (32, 32), (0, 32))
    )
    cross = significands * middle
    shifted = cross << HALF_WORD
    low = significands * lower + shifted
    carry = (low < shifted).astype(np.uint64)
    half = np.uint64(1 << PLACES - 65)
    high = significands * upper + (cross >> HALF_WORD) + carry + half
    quarters = (high >> np.uint64(PLACES - 64)).astype(np.int64)
    low_part = low.view(np.int64)
    high_part = (high & (np.uint64(1 << PLACES - 64) - np.uint64(1))).astype(np.int64)
    high_part -= (1 << PLACES - 65) + (low_part >> 63)
    rest = high_part * 2.0 ** (64 - PLACES) + low_part * 2.0**-PLACES
    return quarters, rest * (pi / 2)
