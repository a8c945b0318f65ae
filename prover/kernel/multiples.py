"""How near multiples of a number come to whole ones: by fractions on both sides of it.

Let p/q and r/s be fractions with p/q < a < r/s and r q - p s = 1. Any whole numbers m and n are
m = u q + v s and n = u p + v r for some whole u and v, and so m a - n = u (q a - p) - v (r - s a), where
both brackets are positive. If 0 < m < q + s, u and v are neither both positive nor both at most 0. So
the two terms have one sign, and one of them is not 0: |m a - n| is at least the lesser bracket.

Such fractions are found as continued fractions are. All that has to be believed of them is checked.

Of a = 2^e 2/pi that tells how near numbers of a format come to multiples of pi/2.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.specs import enclosures
from spikeproof.specs.formats import Format


def least_distance(low: int, high: int, unit: int, most: int) -> Fraction:
    """A d such that |m a - n| >= d for all whole n, and m from 1 to ``most``.

    Args:
        low, high, unit: a lies between low / unit and high / unit.

    Raises:
        BoundError: if that is too little known of a.
    """
    p, q, r, s = low // unit, 1, 1, 0
    while q + s <= most:
        # As many steps as leave a between them, if they are needed.
        below = _steps(q * low - p * unit, r * unit - s * low, most - q, s)
        p, q = p + below * r, q + below * s
        above = _steps(r * unit - s * high, q * high - p * unit, most - s, q)
        r, s = r + above * p, s + above * q
        if not below and not above and q + s <= most:
            break
    near = q * low - p * unit, r * unit - s * high
    if r * q - p * s != 1 or q + s <= most or min(near) <= 0:
        raise BoundError("too little is known of a number to tell how near its multiples come to others")
    return Fraction(min(near), unit)


def _steps(distance: int, step: int, room: int, size: int) -> int:
    """How often a step can be taken from a distance and leave something; as far as there is room."""
    possible = max(-(-distance // step) - 1, 0)
    return min(possible, max(-(-(room + 1 - size) // size), 0)) if size else possible


class Inverse(NamedTuple):
    """2/pi lies between ``low`` and ``high`` in units of 2^-bits."""

    low: int
    high: int
    bits: int


@lru_cache
def inverse_of_right_angle(fmt: Format) -> Inverse:
    """2/pi, to more places than any number of a format needs."""
    bits = 4 * fmt.precision + (1 << fmt.exponent_bits)
    numerator, pi = 2 << 2 * bits, enclosures.pi(bits)
    return Inverse(numerator // (pi + 2), numerator // (pi - 2) + 1, bits)


def distance_from_right_angles(fmt: Format, fields: Iterable[int]) -> Fraction:
    """A d such that |x 2/pi - n| >= d for all whole n, and normal numbers x of some exponent fields."""
    return min(_of_field(fmt, field) for field in fields)


def _of_field(fmt: Format, field: int) -> Fraction:
    """The same of one field."""
    exponent, most = field - fmt.bias - fmt.fraction_bits, (1 << fmt.precision) - 1
    low, high, bits = inverse_of_right_angle(fmt)
    low, high, unit = low << max(exponent, 0), high << max(exponent, 0), 1 << bits - min(exponent, 0)
    if 2 * most * high < unit:
        # Smaller than half of a right angle: the nearest multiple is 0.
        return Fraction((most + 1 >> 1) * low, unit)
    return least_distance(low, high, unit, most)
