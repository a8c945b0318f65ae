"""Transcendental functions of exact rationals, enclosed by rationals: rounded outward, never a float.

Each function sums a series whose remainder is bounded by a term; the argument is stated with it. Ends
are rounded outward to multiples of 2^-96, so that numbers stay short.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

from spikeproof.circuits.physics.uncertainty import Interval, exactly

BITS = 96
"""Of a binary fraction: ends are multiples of 2^-96."""

_UNIT = 1 << BITS
_TINY = Fraction(1, 1 << (BITS + 8))
"""Series are summed until their remainder is less than this."""


def outward(low: Fraction, high: Fraction) -> Interval:
    """An interval around two ends whose own ends are short."""
    return Interval(Fraction(math.floor(low * _UNIT), _UNIT), Fraction(math.ceil(high * _UNIT), _UNIT))


def decay(x: Fraction) -> Interval:
    """exp(-x), for x of at least 0.

    exp(-x) is a power of exp(-y) with y = x / 2^k of at most 1/2, whose series alternates with falling
    terms: it lies between any two sums in a row. Squaring is monotone for what is at least 0.

    Raises:
        ValueError: if x is negative.
    """
    if x < 0:
        raise ValueError(f"exp(-x) is enclosed for x of at least 0, not {x}")
    halvings = max(0, math.ceil(2 * x).bit_length())
    y = x / (1 << halvings)
    total, term, index = Fraction(1), Fraction(1), 0
    while abs(term) >= _TINY / 2**halvings:
        index += 1
        term *= -y / index
        total += term
    result = Interval(total - abs(term), total + abs(term))
    for _ in range(halvings):
        result = _squared(result, halvings)
    return outward(max(result.low, Fraction(0)), result.high)


def _squared(value: Interval, spare: int) -> Interval:
    """The square, with ends rounded outward to some more bits than the result will have."""
    unit = _UNIT << (spare + 8)
    low = max(value.low, Fraction(0))
    return Interval(
        Fraction(math.floor(low * low * unit), unit),
        Fraction(math.ceil(value.high * value.high * unit), unit),
    )


def power(base: Interval, exponent: int) -> Interval:
    """A power of what is at least 0, to an integer of at least 0, by squaring."""
    result = exactly(1)
    for bit in f"{exponent:b}":
        result = times(result, result)
        if bit == "1":
            result = times(result, base)
    return result


def times(one: Interval, other: Interval) -> Interval:
    """The product of two numbers of at least 0."""
    return outward(one.low * other.low, one.high * other.high)


def logarithm(x: Fraction) -> Interval:
    """The natural logarithm of x, for x of at least 1.

    ln x = k ln 2 + ln(x / 2^k), and ln((1 + z) / (1 - z)) = 2 (z + z^3/3 + z^5/5 + ...) with z of at
    most 1/3 has terms that fall by a factor of 9 at least: the remainder is less than the last term / 8.

    Raises:
        ValueError: if x is less than 1.
    """
    if x < 1:
        raise ValueError(f"ln x is enclosed for x of at least 1, not {x}")
    doublings = math.floor(x).bit_length() - 1
    ln2, rest = _log_up_to_two(Fraction(2)), _log_up_to_two(x / (1 << doublings))
    return outward(doublings * ln2.low + rest.low, doublings * ln2.high + rest.high)


@cache
def _log_up_to_two(x: Fraction) -> Interval:
    z = (x - 1) / (x + 1)
    total, power, index = Fraction(0), z, 1
    while power / index >= _TINY:
        total += power / index
        power *= z * z
        index += 2
    return Interval(2 * total, 2 * (total + power / index * Fraction(9, 8)))


@cache
def _pi() -> Interval:
    """Machin: pi = 16 arctan(1/5) - 4 arctan(1/239), series that alternate with falling terms."""
    fifth, other = _arctangent_of_inverse(5), _arctangent_of_inverse(239)
    return outward(16 * fifth.low - 4 * other.high, 16 * fifth.high - 4 * other.low)


def _arctangent_of_inverse(n: int) -> Interval:
    total, term, index = Fraction(0), Fraction(1, n), 0
    while abs(term) >= _TINY:
        total += term
        index += 1
        term = Fraction((-1) ** index, (2 * index + 1) * n ** (2 * index + 1))
    return Interval(total - abs(term), total + abs(term))


@cache
def _density_at_zero() -> Interval:
    """1 / sqrt(2 pi)."""
    pi, unit = _pi(), _UNIT << 8
    low = Fraction(unit, math.isqrt(math.ceil(2 * pi.high * unit * unit)) + 1)
    high = Fraction(unit, math.isqrt(math.floor(2 * pi.low * unit * unit)))
    return outward(low, high)


FARTHEST = 12
"""Deviations beyond which a tail is only bounded: it is less than 2^-104."""


@cache
def tail(z: Fraction) -> Interval:
    """The probability that a standard normal deviate is at least z.

    For z of at least 0 it is 1/2 - (z - z^3/(2 3) + z^5/(2^2 2! 5) - ...) / sqrt(2 pi); from where its
    terms fall, the series lies between any two sums in a row. Beyond ``FARTHEST``, less than
    exp(-z^2/2)/2.
    """
    if z < 0:
        upper = tail(-z)
        return Interval(1 - upper.high, 1 - upper.low)
    if z > FARTHEST:
        return outward(Fraction(0), decay(z * z / 2).high / 2)
    square, total, power, index = z * z / 2, Fraction(0), z, 0
    term = power
    while abs(term) >= _TINY or index <= square:
        total += term
        index += 1
        power *= -square / index
        term = power / (2 * index + 1)
    low, high = total - abs(term), total + abs(term)
    scale = _density_at_zero()
    ends = [end * factor for end in (low, high) for factor in (scale.low, scale.high)]
    half = Fraction(1, 2)
    return outward(max(Fraction(0), half - max(ends)), min(half, half - min(ends)))
