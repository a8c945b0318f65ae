"""Functions over a block of numbers, as polynomials whose coefficients are known by intervals.

For |t| <= 1 it is f(x + h t) = c[0] + c[1] t + ... + c[n-1] t^(n-1) + r t^n, c[k] being h^k/k! f^(k)(x)
and r what c[n] would be at some other number between x - h and x + h (Taylor, with the remainder of
Lagrange). Coefficients come by recurrences from the differential equation of f, such as y' = y - y^2. In
interval arithmetic a recurrence that starts from an interval gives intervals that hold the coefficients
at every number in it. So what encloses c[n] from x encloses r, if it starts from all of the block.

An interval is a pair of integers, in units of 2^-BITS; each operation rounds its ends outward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import isqrt, ldexp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures
from spikeproof.specs.enclosures import Enclosure, dyadic

BITS = 256
"""Of fractions. What is no less than 2^-160 is so known to 96 bits."""

ONE = 1 << BITS

PRECISION = 100
"""Relative, of the values from which recurrences start."""

ORDER = 8
"""The n above."""

Interval = tuple[int, int]
Series = list[Interval]
Enclosing = Callable[[Fraction, int], Enclosure]


class Block(NamedTuple):
    """x and h, in units of 2^-BITS. The numbers x are of one sign, and none of them is zero."""

    x: Interval
    h: int

    @property
    def is_point(self) -> bool:
        """Whether ``x`` is one number."""
        return self.x[0] == self.x[1]


# --- intervals ----------------------------------------------------------------------------------


def sum_of_products(a: Iterable[Interval], b: Iterable[Interval]) -> Interval:
    """a[0] b[0] + a[1] b[1] + ..."""
    low = high = 0
    for (p, q), (r, s) in zip(a, b, strict=True):
        ends = (p * r, p * s, q * r, q * s)
        low += min(ends)
        high += max(ends)
    return low >> BITS, -(-high >> BITS)


def times(a: Interval, b: Interval) -> Interval:
    """a b."""
    return sum_of_products((a,), (b,))


def plus(a: Interval, b: Interval) -> Interval:
    """a + b."""
    return a[0] + b[0], a[1] + b[1]


def minus(a: Interval) -> Interval:
    """-a."""
    return -a[1], -a[0]


def fraction(a: Interval, numerator: int, denominator: int) -> Interval:
    """a times a quotient of positive integers."""
    return a[0] * numerator // denominator, -(-a[1] * numerator // denominator)


def inverse(a: Interval) -> Interval:
    """1 / a.

    Raises:
        ZeroDivisionError: if zero may be in it.
    """
    if a[0] <= 0 <= a[1]:
        raise ZeroDivisionError("an interval with zero in it has no inverse")
    return ONE * ONE // a[1], -(-ONE * ONE // a[0])


def size(a: Interval) -> int:
    """The largest magnitude in it."""
    return max(-a[0], a[1])


def around(enclosure: Enclosure) -> Interval:
    """What an enclosure says."""
    low, high, _ = enclosure.at(-BITS)
    return low, high


def hull(enclosing: Enclosing, x: Interval) -> Interval:
    """What a monotone function is between the ends of an interval, by its enclosures there."""
    ends = [around(enclosing(Fraction(end, ONE), PRECISION)) for end in sorted(set(x))]
    return min(low for low, _ in ends), max(high for _, high in ends)


# --- series -------------------------------------------------------------------------------------


def square(y: Series) -> Interval:
    """The last coefficient of y^2, as far as y is known."""
    return sum_of_products(y, reversed(y))


SLOPES: dict[str, Callable[[Series], Interval]] = {
    "exponential": lambda y: y[-1],
    "tangent": lambda y: plus((0, 0) if y[1:] else (ONE, ONE), minus(square(y))),
    "logistic": lambda y: plus(y[-1], minus(square(y))),
}
"""The last coefficients of y' = y, y' = 1 - y^2 and y' = y - y^2, as far as y is known."""


def composed(slope: str, first: Interval, rates: Series) -> Series:
    """y(a(t)), from its value at t = 0, the equation of y, and the coefficients of the derivative of a.

    The derivative of y(a(t)) is the slope of y there times that of a.
    """
    y = [first]
    slopes: Series = []
    for k in range(1, ORDER + 1):
        slopes.append(SLOPES[slope](y))
        known = rates[:k]
        y.append(fraction(sum_of_products(known, slopes[: -len(known) - 1 : -1]), 1, k))
    return y


def integral(slopes: Series, h: Interval) -> Series:
    """From the first coefficient on, the series whose derivative is h times another one."""
    return [fraction(times(slope, h), 1, k) for k, slope in enumerate(slopes[:ORDER], 1)]


def product(block: Block, y: Series) -> Series:
    """From the first coefficient on, (x + h t) y."""
    argument = [block.x, (block.h, block.h)]
    return [sum_of_products(argument, (y[k], y[k - 1])) for k in range(1, len(y))]


def power(first: Interval, ratio: Interval, halves: int) -> Series:
    """(a + h t)^-p, from a^-p, h/a and 2p: each coefficient is the last times (1 - p - k)/k h/a."""
    y = [first]
    for k in range(1, ORDER + 1):
        y.append(minus(fraction(times(y[-1], ratio), halves + 2 * k - 2, 2 * k)))
    return y


def inverses(a: Interval, h: int) -> Series:
    """1 / (a + h t)."""
    first = inverse(a)
    return power(first, times((h, h), first), 2)


# --- functions ----------------------------------------------------------------------------------


def _constant(value: int, error: int) -> Interval:
    return value - error, value + error


def _ln2() -> Interval:
    return _constant(enclosures.ln2(BITS), 2)


def _root_over_pi(numerator: int, denominator: int) -> Interval:
    return _constant(enclosures.root_of_over_pi(numerator, denominator, BITS), 4)


def _power_of_two(x: Fraction, bits: int) -> Enclosure:
    """2^x, whole x included."""
    if x.denominator > 1:
        return enclosures.power_of_two(x, bits)
    return Enclosure((1 << bits) - 1, (1 << bits) + 1, int(x) - bits)


def _exponential(block: Block) -> Series:
    return composed("exponential", hull(enclosures.exponential, block.x), [(block.h, block.h)])[1:]


def _exponential_to_base_2(block: Block) -> Series:
    return composed("exponential", hull(_power_of_two, block.x), [times((block.h, block.h), _ln2())])[1:]


def _logistic(block: Block) -> Series:
    return composed("logistic", hull(enclosures.logistic, block.x), [(block.h, block.h)])


def _tangent(block: Block) -> Series:
    return composed("tangent", hull(enclosures.hyperbolic_tangent, block.x), [(block.h, block.h)])[1:]


def _logarithm(block: Block, a: Interval, base: Interval = (ONE, ONE)) -> Series:
    """ln(a + h t), divided by another logarithm."""
    return integral(inverses(a, block.h), times((block.h, block.h), inverse(base)))


def _bell(block: Block, halves: int) -> Series:
    """e^(-p x^2), from 2 p."""

    def at(x: Fraction, bits: int) -> Enclosure:
        return enclosures.exponential(-x * x * halves / 2, bits)

    h = (block.h, block.h)
    rates = [minus(times(each, h)) for each in (block.x, h)]
    return composed("exponential", hull(at, block.x), [fraction(each, halves, 1) for each in rates])


def _error_function(block: Block) -> Series:
    return integral(_bell(block, 2), times((block.h, block.h), _root_over_pi(4, 1)))


def _share(enclosing: Enclosing) -> Enclosing:
    """f(x) / x, for a positive number that f(x) / x is."""

    def at(x: Fraction, bits: int) -> Enclosure:
        m, s = dyadic(x)
        low, high, exponent = enclosing(x, bits)
        ends = sorted((abs(low), abs(high)))
        digits = m.bit_length()
        return Enclosure(
            (ends[0] << digits) // abs(m), -((-ends[1] << digits) // abs(m)), exponent - s - digits
        )

    return at


def _normal_times(block: Block) -> Series:
    h = times((block.h, block.h), _root_over_pi(1, 2))
    share = hull(_share(enclosures.normal_times), block.x)
    return product(block, [share, *integral(_bell(block, 1), h)])


def _logistic_times_of_cubic(block: Block) -> Series:
    """The derivative of w = c (x + 0.044715 x^3) is c (1 + 0.134145 x^2)."""
    x, h = block.x, (block.h, block.h)
    squares = times(x, x), fraction(times(x, h), 2, 1), times(h, h)
    rates = [fraction(each, 134145, 10**6) for each in squares]
    rates[0] = plus(rates[0], (ONE, ONE))
    slope = times(h, _root_over_pi(8, 1))
    share = hull(_share(enclosures.logistic_times_of_cubic), x)
    return product(block, composed("logistic", share, [times(slope, each) for each in rates]))


def _inverse_roots(block: Block) -> Series:
    ends = [isqrt(ONE**3 // end) for end in block.x]
    return power((ends[1], ends[0] + 1), times((block.h, block.h), inverse(block.x)), 1)[1:]


def _circular(block: Block, quarter: int, turn: Interval, sine: Enclosing, cosine: Enclosing) -> Series:
    """The sine of ``turn`` times x, and some quarters of a turn: y'' = -y; over a block, at most 1."""
    if block.is_point:
        values = [hull(sine, block.x), hull(cosine, block.x)]
    else:
        values = [(-ONE, ONE), (-ONE, ONE)]
    step, y = times((block.h, block.h), turn), (ONE, ONE)
    found = []
    for k in range(1, ORDER + 1):
        y = fraction(times(y, step), 1, k)
        turned = times(y, values[k + quarter & 1])
        found.append(minus(turned) if k + quarter & 2 else turned)
    return found


def _exact_where_whole(enclosing: Enclosing, values: tuple[int, int, int, int]) -> Enclosing:
    """A function of half turns, and its values at multiples of 1/2, by their remainders by 4."""

    def at(x: Fraction, bits: int) -> Enclosure:
        if x.denominator > 2:
            return enclosing(x, bits)
        value = values[int(2 * x) % 4]
        return Enclosure(value, value, 0)

    return at


_RADIANS = (ONE, ONE), enclosures.sine, enclosures.cosine
_HALF_TURNS = (
    _constant(enclosures.pi(BITS), 2),
    _exact_where_whole(enclosures.sine_of_half_turns, (0, 1, 0, -1)),
    _exact_where_whole(enclosures.cosine_of_half_turns, (1, 0, -1, 0)),
)

SERIES: dict[str, Callable[[Block], Series]] = {
    "exp": _exponential,
    "exp2": _exponential_to_base_2,
    "expm1": _exponential,
    "log": lambda block: _logarithm(block, block.x),
    "log2": lambda block: _logarithm(block, block.x, _ln2()),
    "log1p": lambda block: _logarithm(block, plus(block.x, (ONE, ONE))),
    "reciprocal": lambda block: inverses(block.x, block.h)[1:],
    "rsqrt": _inverse_roots,
    "sin": lambda block: _circular(block, 0, *_RADIANS),
    "cos": lambda block: _circular(block, 1, *_RADIANS),
    "sin_pi": lambda block: _circular(block, 0, *_HALF_TURNS),
    "cos_pi": lambda block: _circular(block, 1, *_HALF_TURNS),
    "tanh": _tangent,
    "sigmoid": lambda block: _logistic(block)[1:],
    "softplus": lambda block: integral(_logistic(block), (block.h, block.h)),
    "erf": _error_function,
    "silu": lambda block: product(block, _logistic(block)),
    "gelu": _normal_times,
    "gelu_tanh": _logistic_times_of_cubic,
}
"""The coefficients c[1] to c[ORDER] of each function over a block."""


# --- polynomials --------------------------------------------------------------------------------


class Polynomial(NamedTuple):
    """c[0] + c[1] t + ..., computed in double precision by Horner's rule for a double t, |t| <= 1.

    The result is within ``error`` of the function's value, and is so still when something of up to
    ``error`` is added to it and that is rounded once more.
    """

    coefficients: list[float]
    error: float

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value at each t."""
        first, *others = self.coefficients
        value = t * (others.pop() if others else 0.0)
        for coefficient in reversed(others):
            value += coefficient
            value *= t
        value += first
        return value


def polynomial(
    function: str, centre: int, half: int, value: Interval, fraction_bits: int, quantum: int
) -> Polynomial | None:
    """The magnitude of a function over a block; None if it is not so smooth there that this is useful.

    That is, if it is not known to a small part of the distance between numbers of a format.

    Args:
        centre, half: x and h, in units of 2^-BITS; h may be negative.
        value: the function's at x.
        fraction_bits: of the format.
        quantum: the least distance between numbers, in units of 2^-BITS.

    A double nearest to c is within |c| 2^-53 of it. Horner's rule, with n products and n sums, is within
    2n/(1 - 2n 2^-53) 2^-53 times the sum of |c[k]| of the polynomial's value (Higham, *Accuracy and
    Stability of Numerical Algorithms*, section 5.1), and one more sum within a little more than 2^-53 of
    it. Magnitudes are multiples of 2^-BITS below 2^(2 BITS), so that nothing overflows or underflows.
    """
    try:
        rest = SERIES[function](Block((centre, centre), half))
        ends = sorted((centre - half, centre + half))
        remainder = size(SERIES[function](Block((ends[0], ends[1]), half))[-1])
    except ZeroDivisionError:
        return None
    series = [value, *rest[: ORDER - 1]]
    sizes = [size(each) for each in series]
    least = max(value[0], -value[1]) - sum(sizes[1:]) - remainder
    if least <= 0:
        return None
    distance = max(quantum, 1 << least.bit_length() - 1 - fraction_bits)
    error = remainder
    while len(series) > 1 and error + sizes[len(series) - 1] < distance >> 20:
        error += size(series.pop())
    sign = -1 if value[1] < 0 else 1
    coefficients = []
    for low, high in series:
        middle = low + high >> 1
        coefficients.append(ldexp(float(sign * middle), -BITS))
        error += high - low + (abs(middle) >> 52) + 1
    total = sum(sizes[: len(series)])
    error += (total * (2 * len(series) + 4) >> 53) + 1
    if error > distance >> 16:
        return None
    return Polynomial(coefficients, ldexp(float(error + (error >> 50) + 1), -BITS))
