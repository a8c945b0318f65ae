"""Powers and angles of many numbers at once, enclosed by doubles.

Sums, products and quotients of doubles round to nearest, so that each errs by at most e = 2^-53 of its
result (IEEE 754-2019 clause 4.3.1); no other function of a library is asked. Constants are made from
``specs.enclosures``, and err by e too. A double here stands for a number from which it differs by less
than ``ERROR`` of itself, 64 e; what errors come to is less than 16 e. Formats have up to 16 bits and 14
of precision.

Angles. With t = a / b, of magnitudes a <= b, and c the multiple of 1/64 next to it,

    arctan t = arctan c + arctan r,    r = (a - c b) / (b + c a)

where numerator and denominator are exact: multiples of 2^-6 of the last place of a, and less than 2^30
of these, unless c is 0. So r errs by e; it is at most 1/128, and arctan r = r (1 - r^2 (1/3 - r^2 (1/5 -
r^2 (1/7 - r^2 / 9)))) but for 2^-73 r, which as it is computed errs by 4 e of r. With c, arctan t is at
least arctan r, so that its error is below 8 e. pi/2 less that, or plus, or pi less it, is at least pi/4
and errs by e (1.6 + 8 pi/4) / (pi/4) + e at most, which is less than 12 e.

Powers. x^y = 2^(y log2 x). log2 x = h + l, h of 39 bits, and l at most 2^-39 h, erring by e of itself.
Then y h is exact. With n the whole number next to 32 y h, f = y h - n / 32 is exact as well: a multiple
of 2^-59 below 2^-6, unless n is 0. So u = (f + y l) ln 2, below 2^-6, errs by less than e / 8, as y l is
below 2^-31; e^u - 1 is u (1 + u (1/2 + ... + u/720)) but for 2^-54, as it is computed by another e / 8;
and so e^u errs by less than 2 e, and times 2^(n / 32) by less than 4 e. Where y h is beyond ``farthest``
another number that rounds alike stands for the power.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures
from spikeproof.specs.enclosures import Enclosure
from spikeproof.specs.exact import decode
from spikeproof.specs.formats import Format
from spikeproof.specs.functions import exponent_of, farthest

Doubles = NDArray[np.float64]

ERROR = 2.0**-47
"""By which part of themselves doubles differ from what they stand for, at most."""

BITS = 120
"""Of enclosures of which constants are made."""


def _double(number: Enclosure) -> float:
    """The nearest, or as good as that."""
    return float(Fraction(number.low + number.high, 2) * Fraction(2) ** number.exponent)


@lru_cache(16)
def _numbers(fmt: Format) -> Doubles:
    """Positive ones, in order."""
    return np.array([float(decode(fmt, code).rational) for code in range(1, fmt.infinity)])


# --- angles -------------------------------------------------------------------------------------

STEPS = 64

PI = float(Fraction(enclosures.pi(BITS), 1 << BITS))


@lru_cache(1)
def _arctangents() -> Doubles:
    """Of multiples of 1/64 up to 1."""
    angles = (enclosures.arctangent(Fraction(n, STEPS), BITS) for n in range(1, STEPS + 1))
    return np.array([0.0, *map(_double, angles)])


def angles(fmt: Format, negative: bool, y: float) -> Doubles:
    """Those of the points (x, y), for every positive number x, or every negative one; y is positive."""
    steep, angle = _steep_and_angle(fmt, y)
    if negative:
        return np.where(steep, PI / 2 + angle, PI - angle)
    return np.where(steep, PI / 2 - angle, angle)


@lru_cache(2)
def _steep_and_angle(fmt: Format, y: float) -> tuple[NDArray[np.bool_], Doubles]:
    """For every positive x, whether y is larger; and the angle from the nearer axis."""
    x = _numbers(fmt)
    a, b = np.minimum(x, y), np.maximum(x, y)
    step = np.rint(a / b * STEPS)
    c = step / STEPS
    r = (a - c * b) / (b + c * a)
    s = r * r
    rest = r * (1 - s * (1 / 3 - s * (1 / 5 - s * (1 / 7 - s / 9))))
    return x < y, _arctangents()[step.astype(np.int64)] + rest


# --- powers -------------------------------------------------------------------------------------

PARTS = 32

LN2 = float(Fraction(enclosures.ln2(BITS), 1 << BITS))


@lru_cache(1)
def _roots() -> Doubles:
    """2^(n / 32), for n from 0 on."""
    powers = (enclosures.power_of_two(Fraction(n, PARTS), BITS) for n in range(1, PARTS))
    return np.array([1.0, *map(_double, powers)])


class Logarithms(NamedTuple):
    """To the base of 2: the first bits, and what remains."""

    first: Doubles
    rest: Doubles


SHORT = 39
"""Bits of the former."""


@lru_cache(16)
def _logarithms(fmt: Format) -> Logarithms:
    first, rest = [], []
    for code in range(1, fmt.infinity):
        x = decode(fmt, code).rational
        whole = exponent_of(x)
        if whole is None:
            low, high, exponent = enclosures.logarithm_to_base_2(x, BITS)
            value = Fraction(low + high, 2) * Fraction(2) ** exponent
        else:
            value = Fraction(whole)
        shift = SHORT - 1 - np.frexp(float(value))[1]
        head = Fraction(round(value * Fraction(2) ** int(shift))) / Fraction(2) ** int(shift)
        first.append(float(head))
        rest.append(float(value - head))
    return Logarithms(np.array(first), np.array(rest))


@lru_cache(2)
def powers(fmt: Format, y: float) -> Doubles:
    """x^y, for every positive number x."""
    logarithms, most = _logarithms(fmt), farthest(fmt)
    exponent, more = y * logarithms.first, y * logarithms.rest
    more[np.abs(exponent) > most] = 0
    exponent = exponent.clip(-most - 1 / 2, most + 1 / 2)  # where no rounding turns
    part = np.rint(exponent * PARTS)
    u = (exponent - part / PARTS + more) * LN2
    rest = u * (1 + u * (1 / 2 + u * (1 / 6 + u * (1 / 24 + u * (1 / 120 + u / 720)))))
    n = part.astype(np.int64)
    return np.ldexp(_roots()[n % PARTS] * (1 + rest), n // PARTS)
