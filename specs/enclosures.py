"""Elementary functions of dyadic rationals, enclosed as narrowly as one asks: integers alone, no float.

Each function takes a rational number whose denominator is a power of two, and a number of bits. It gives
an ``Enclosure``, whose ends are never the number itself. The more bits, the closer the ends: they differ
by at most about 2^-bits of the number, or of 1 where sin or cos come near to zero.

How: the argument is reduced to one near zero, a series is summed there in fixed point, and its error is
bounded in units of the last place ("within n units"). Every step rounds down: that is one unit, or part
of one. Sums by Horner's rule, of coefficients that are each off by less than a unit, at an argument of
magnitude r, are within 2 / (1 - r) units, one more for what is left out, and the argument's own error
times the slope. Then bounds that hold of the function everywhere make ends sharp: e^x > 1 for x > 0,
sin x < x, and so on. So where a function comes closer to a number than the series can tell, that number
itself is an end: sin x lies between x (1 - 2^-bits) and x, tanh x between 1 - 2^-bits and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import NamedTuple

GUARD = 16
"""Bits beyond those asked for: more than all errors below come to, of a number of at least 1/8."""


class Enclosure(NamedTuple):
    """Of a number strictly between ``low * 2^exponent`` and ``high * 2^exponent``."""

    low: int
    high: int
    exponent: int

    def times(self, factor: int, exponent: int = 0) -> Enclosure:
        """That of the number times ``factor * 2^exponent``, exactly; the factor is not zero."""
        ends = self.low * factor, self.high * factor
        return Enclosure(*(ends if factor > 0 else ends[::-1]), self.exponent + exponent)

    def at(self, exponent: int) -> Enclosure:
        """The same with this exponent: outward, if it is larger."""
        shift = exponent - self.exponent
        if shift <= 0:
            return Enclosure(self.low << -shift, self.high << -shift, exponent)
        return Enclosure(self.low >> shift, -(-self.high >> shift), exponent)

    def plus(self, number: int) -> Enclosure:
        """That of the number plus a whole one; the exponent is at most 0."""
        whole = number << -self.exponent
        return Enclosure(self.low + whole, self.high + whole, self.exponent)


def dyadic(x: Fraction) -> tuple[int, int]:
    """The m and s of x = m * 2^s, m being odd or s being 0.

    Raises:
        ValueError: if the denominator is no power of two.
    """
    denominator = x.denominator
    if denominator & (denominator - 1):
        raise ValueError(f"functions are enclosed of dyadic rationals, not {x}")
    return x.numerator, 1 - denominator.bit_length()


def fixed(m: int, s: int, bits: int) -> int:
    """m * 2^s in units of 2^-bits, rounded down."""
    shift = s + bits
    return m << shift if shift >= 0 else m >> -shift


def within(value: int, error: int, bits: int) -> Enclosure:
    """Of a number that is within ``error`` units of ``value``, in units of 2^-bits."""
    return Enclosure(value - error, value + error, -bits)


def just_within(m: int, s: int, bits: int) -> Enclosure:
    """Of a number between x (1 - 2^-bits) and x, for x = m * 2^s."""
    return Enclosure((1 << bits) - 1, 1 << bits, -bits).times(m, s)


def terms(x: int, bits: int) -> int:
    """How many x^n there are, n from 0, before all that follow come to less than a unit of 2^-bits."""
    return bits // max(1, bits - x.bit_length()) + 2


def horner(coefficients: tuple[int, ...], x: int, bits: int) -> int:
    """The sum of c[n] x^n, all in units of 2^-bits, for coefficients of at most 1."""
    total = 0
    for coefficient in reversed(coefficients[: terms(x, bits)]):
        total = coefficient + (total * x >> bits)
    return total


# --- constants ----------------------------------------------------------------------------------


def _inverse_series(n: int, bits: int, sign: int) -> int:
    """1/n + s/(3 n^3) + s^2/(5 n^5) + ...: arctan(1/n) for s = -1, artanh(1/n) for s = 1."""
    total, power, k = 0, (1 << bits) // n, 0
    while power:
        total += sign**k * (power // (2 * k + 1))
        power //= n * n
        k += 1
    return total


@lru_cache(1 << 12)
def pi(bits: int) -> int:
    """pi within 2 units of 2^-bits (Machin: 16 arctan(1/5) - 4 arctan(1/239))."""
    # Fewer than ``more`` terms, each within 2 units, times 20.
    more = bits + 64
    finer = more + more.bit_length() + 8
    machin = 16 * _inverse_series(5, finer, -1) - 4 * _inverse_series(239, finer, -1)
    return machin >> finer - bits


@lru_cache(1 << 12)
def ln2(bits: int) -> int:
    """ln 2 within 2 units of 2^-bits: 2 artanh(1/3)."""
    more = bits + 64
    finer = more + more.bit_length() + 8
    return 2 * _inverse_series(3, finer, 1) >> finer - bits


@lru_cache(1 << 12)
def root_of_over_pi(numerator: int, denominator: int, bits: int) -> int:
    """sqrt(numerator / (denominator pi)) within 4 units, for quotients from 1/4 to 16.

    The root of a number of at least 1/16 changes by at most twice what the number does.
    """
    finer = bits + 8
    square = (numerator << 3 * finer) // (denominator * pi(finer))
    return isqrt(square) >> finer - bits


# --- e^x ----------------------------------------------------------------------------------------


@lru_cache(1 << 10)
def _factorials(bits: int, first: int, step: int, sign: int = 1) -> tuple[int, ...]:
    """sign^k / (first + k step)! in units of 2^-bits, until they are none; rounded toward zero."""
    found: list[int] = []
    n, k, factorial = 0, 0, 1
    while True:
        while n < first + k * step:
            n += 1
            factorial *= n
        coefficient = (1 << bits) // factorial
        if not coefficient:
            return tuple(found)
        found.append(sign**k * coefficient)
        k += 1


def _exp(t: int, negative: bool, bits: int, error: int = 1) -> Enclosure:
    """e^y, or e^-y, for a positive y of t units of 2^-bits, which is within ``error`` units.

    y = k ln 2 + r, with |r| < 0.36: the series is within 5 units, and the error of r, times 1.5, is that
    of t and of k times ln 2.
    """
    unit, period = 1 << bits, ln2(bits)
    k, r = divmod((-t if negative else t) + (period >> 1), period)
    total = horner(_factorials(bits, 0, 1), r - (period >> 1), bits)
    off = 6 + 2 * (error + 2 * abs(k))
    low, high = total - off, total + off
    if not k:
        low, high = (low, min(high, unit)) if negative else (max(low, unit), high)
    return Enclosure(low, high, k - bits)


def _fitting(m: int, s: int, bits: int) -> int:
    """Bits for whatever errors grow with the argument's size."""
    return bits + GUARD + max(0, m.bit_length() + s)


def exponential(x: Fraction, bits: int) -> Enclosure:
    """e^x, for x other than 0."""
    return _exponential(*dyadic(x), bits)


def _exponential(m: int, s: int, bits: int) -> Enclosure:
    """The same of m * 2^s."""
    p = _fitting(m, s, bits)
    return _exp(fixed(abs(m), s, p), m < 0, p)


def power_of_two(x: Fraction, bits: int) -> Enclosure:
    """2^x, for x that is not whole: 2^k e^(f ln 2), |f| <= 1/2."""
    m, s = dyadic(x)
    p = bits + GUARD
    k = (m + (1 << -s - 1)) >> -s
    f = m - (k << -s)
    power = _exp(abs(f) * ln2(p) >> -s, f < 0, p, error=3)
    return power._replace(exponent=power.exponent + k)


def exponential_minus_1(x: Fraction, bits: int) -> Enclosure:
    """e^x - 1, for x other than 0."""
    m, s = dyadic(x)
    return _expm1(m, s, bits)


def _expm1(m: int, s: int, bits: int) -> Enclosure:
    """The same of m * 2^s.

    Near zero (e^x - 1) / x = 1 + x/2! + x^2/3! + ..., of slope less than 1, lies on the side of 1 that x
    lies on of 0; e^x is less than 2^x for negative x.
    """
    size = m.bit_length() + s
    if size <= -1:
        p = bits + GUARD
        total = horner(_factorials(p, 1, 1), fixed(m, s, p), p)
        unit = 1 << p
        if m > 0:
            return Enclosure(max(total - 8, unit), total + 8, -p).times(m, s)
        return Enclosure(total - 8, min(total + 8, unit), -p).times(m, s)
    if m < 0 and fixed(-m, s, 0) > bits:
        return just_within(-1, 0, bits)
    p = _fitting(m, s, bits)
    power = _exp(fixed(abs(m), s, p), m < 0, p)
    return power.at(min(power.exponent, 0)).plus(-1)


# --- logarithms ---------------------------------------------------------------------------------


@lru_cache(1 << 10)
def _odd_inverses(bits: int, count: int) -> tuple[int, ...]:
    """1, 1/3, 1/5, ... in units of 2^-bits."""
    return tuple((1 << bits) // (2 * k + 1) for k in range(count))


def _log1p(m: int, s: int, bits: int) -> Enclosure:
    """ln(1 + x) for x = m * 2^s from -1/2 to 1, other than 0.

    It is 2 artanh z for z = x / (2 + x), z^2 being at most 1/9; and 1/x times it, which is
    2 / (2 + x) (1 + z^2/3 + z^4/5 + ...), lies on the side of 1 that x does not lie on of 0.
    """
    unit = 1 << bits
    if m.bit_length() + s < -bits:
        return (
            Enclosure(unit - 1, unit, -bits).times(m, s)
            if m > 0
            else Enclosure(unit, unit + 1, -bits).times(m, s)
        )
    one = 1 << -s
    z = (m << bits) // (2 * one + m)
    square = z * z >> bits  # within 2 units
    total = horner(_odd_inverses(bits, terms(square, bits)), square, bits)  # 2.25 + 1 + 0.4 * 2 units
    low, high = (((total + off) * 2 * one) // (2 * one + m) for off in (-6, 6))
    if m > 0:
        return Enclosure(low, min(high + 1, unit), -bits).times(m, s)
    return Enclosure(max(low, unit), high + 1, -bits).times(m, s)


def _split(m: int, s: int) -> tuple[int, int, int]:
    """x = m 2^s as (1 + n 2^t) 2^k, with 1 + n 2^t from 0.7 to 1.4: n, t and k."""
    length = m.bit_length()
    if 5 * m > 7 << length - 1:
        return m - (1 << length), -length, s + length
    return m - (1 << length - 1), 1 - length, s + length - 1


def logarithm(x: Fraction, bits: int) -> Enclosure:
    """ln x, for positive x other than 1."""
    n, t, k = _split(*dyadic(x))
    p = bits + GUARD + abs(k).bit_length()
    if not k:
        return _log1p(n, t, p)
    rest = _log1p(n, t, p).at(-p) if n else Enclosure(0, 0, -p)
    return Enclosure(rest.low + k * ln2(p) - 2 * abs(k), rest.high + k * ln2(p) + 2 * abs(k), -p)


def logarithm_to_base_2(x: Fraction, bits: int) -> Enclosure:
    """The logarithm of x to the base of 2, for positive x that is no power of two."""
    n, t, k = _split(*dyadic(x))
    p = bits + GUARD
    rest, base = _log1p(n, t, p), ln2(p)
    near, far = (base - 2, base + 2) if n > 0 else (base + 2, base - 2)
    low, high = (rest.low << p) // far, -((-rest.high << p) // near)
    rest = Enclosure(low, high, rest.exponent)
    return rest.at(-p).plus(k) if k else rest


def logarithm_of_1_plus(x: Fraction, bits: int) -> Enclosure:
    """ln(1 + x), for x above -1 other than 0."""
    m, s = dyadic(x)
    if m.bit_length() + s <= -1:
        return _log1p(m, s, bits + GUARD)
    return logarithm(1 + x, bits)


# --- circular functions -------------------------------------------------------------------------


def _sine_over(square: int, bits: int) -> Enclosure:
    """(sin y) / y for |y| < 0.8 other than 0, from y^2 within 16 units; less than 1."""
    total = horner(_factorials(bits, 1, 2, -1), square, bits)
    return Enclosure(total - 12, min(total + 12, 1 << bits), -bits)


def _cosine(square: int, bits: int) -> Enclosure:
    """cos y, from the same; less than 1."""
    total = horner(_factorials(bits, 0, 2, -1), square, bits)
    return Enclosure(total - 20, min(total + 20, 1 << bits), -bits)


def _turned(quarter: int, sine: Callable[[], Enclosure], cosine: Callable[[], Enclosure]) -> Enclosure:
    """The sine of an angle some quarters of a turn farther, from sine and cosine of the angle."""
    each = cosine() if quarter & 1 else sine()
    return each.times(-1) if quarter & 2 else each


def _circular(x: Fraction, quarter: int, bits: int) -> Enclosure:
    """The sine of an angle in radians and some quarters of a turn: x = n pi/2 + y, |y| < 0.8."""
    m, s = dyadic(x)
    size, p = m.bit_length() + s, bits + GUARD
    if size <= -1:
        y = fixed(m, s, p)
        square = y * y >> p
        return _turned(quarter, lambda: _sine_over(square, p).times(m, s), lambda: _cosine(square, p))
    # n is at most 2^size, and pi within 2 units: y is within 2 units of 2^-p.
    finer = p + size + 4
    right_angle = pi(finer - 1)
    n, y = divmod(fixed(m, s, finer) + (right_angle >> 1), right_angle)
    y = y - (right_angle >> 1) >> finer - p
    square = y * y >> p

    def sine() -> Enclosure:
        ratio = _sine_over(square, p)
        return within(ratio.high * y >> p, 32, p)

    return _turned(quarter + n, sine, lambda: _cosine(square, p))


def sine(x: Fraction, bits: int) -> Enclosure:
    """sin x, for x other than 0."""
    return _circular(x, 0, bits)


def cosine(x: Fraction, bits: int) -> Enclosure:
    """cos x, for x other than 0."""
    return _circular(x, 1, bits)


def _in_half_turns(x: Fraction, quarter: int, bits: int) -> Enclosure:
    """The sine of pi x and some quarters of a turn: x = n/2 + r, exactly, |r| <= 1/4."""
    m, s = dyadic(x)
    shift = -s - 1  # a quarter is 2^shift units of 2^s
    n = (m + (1 << shift - 1)) >> shift
    r = m - (n << shift)
    p = bits + GUARD
    y = fixed(pi(p) * r, s - p, p)
    square = y * y >> p

    def sine() -> Enclosure:
        ratio = _sine_over(square, p)
        return Enclosure(ratio.low * (pi(p) - 2), ratio.high * (pi(p) + 2), -2 * p).times(r, s)

    return _turned(quarter + n, sine, lambda: _cosine(square, p))


def sine_of_half_turns(x: Fraction, bits: int) -> Enclosure:
    """sin(pi x), for x that is no multiple of 1/2."""
    return _in_half_turns(x, 0, bits)


def cosine_of_half_turns(x: Fraction, bits: int) -> Enclosure:
    """cos(pi x), for x that is no multiple of 1/2."""
    return _in_half_turns(x, 1, bits)


# --- sigmoids -----------------------------------------------------------------------------------


def hyperbolic_tangent(x: Fraction, bits: int) -> Enclosure:
    """tanh x, for x other than 0: E / (2 - E), E being 1 - e^(-2|x|).

    Between x - x^3/3 and x, and 1 - tanh x is less than 2 e^(-2x).
    """
    m, s = dyadic(x)
    sign = -1 if m < 0 else 1
    size = m.bit_length() + s
    if 2 * size < -bits:
        return just_within(m, s, bits)
    if 2 * fixed(abs(m), s, 0) > bits:
        return just_within(sign, 0, bits)
    low, high, exponent = _expm1(-abs(m), s + 1, bits + 2).times(-1)
    two = 1 << 1 - exponent
    shift = -exponent
    return Enclosure((low << shift) // (two - low), -((-high << shift) // (two - high)), exponent).times(
        sign
    )


def _logistic(negative: bool, decay: Enclosure, bits: int) -> Enclosure:
    """1 / (1 + e^-y), or for the opposite of y, from e^-y for positive y: E / (1 + E) there."""
    low, high, exponent = decay
    if high.bit_length() + exponent < -bits:
        if not negative:
            return just_within(1, 0, bits)
        return Enclosure(low - (low >> bits) - 1, high, exponent)
    shift = -exponent
    one = 1 << shift
    if negative:
        return Enclosure((low << shift) // (one + low), -((-high << shift) // (one + high)), exponent)
    return Enclosure((one << shift) // (one + high), -((-one << shift) // (one + low)), exponent)


def logistic(x: Fraction, bits: int) -> Enclosure:
    """1 / (1 + e^-x), for x other than 0."""
    m, s = dyadic(x)
    p = _fitting(m, s, bits)
    return _logistic(m < 0, _exp(fixed(abs(m), s, p), True, p), bits)


def logistic_times(x: Fraction, bits: int) -> Enclosure:
    """x / (1 + e^-x), for x other than 0."""
    return logistic(x, bits).times(*dyadic(x))


def softplus(x: Fraction, bits: int) -> Enclosure:
    """ln(1 + e^x): max(x, 0) + ln(1 + e^-|x|), of which the second is less than e^-|x|."""
    m, s = dyadic(x)
    if not m:
        return logarithm(Fraction(2), bits)
    p = _fitting(m, s, bits)
    if m > 0 and fixed(m, s, 0) > bits:
        exponent = min(s, -bits)
        whole = m << s - exponent
        return Enclosure(whole, whole + (1 << -bits - exponent), exponent)
    low, high, exponent = _exp(fixed(abs(m), s, p), True, p)
    rest = _log1p(low, exponent, p)  # whose slope is less than 1
    rest = Enclosure(rest.low, rest.high + (high - low << p), rest.exponent)
    if m < 0:
        return rest
    exponent = min(s, -p)
    rest, whole = rest.at(exponent), m << s - exponent
    return Enclosure(rest.low + whole, rest.high + whole, exponent)


# --- the normal distribution --------------------------------------------------------------------


def _error_series(m: int, s: int, bits: int) -> Enclosure:
    """1 - t/3 + t^2/(2! 5) - t^3/(3! 7) + ... for t = m * 2^s of at least 0.

    Terms, without divisors, add up to e^t; each is within 2 + e^t units of its own, times what the later
    ones may make of it: n terms are within 3 n e^(2t) units, and n times 2^(3t + 12) make one. A term is
    less than a unit only where terms fall, and what is left is less than it.
    """
    finer = bits + 3 * (fixed(m, s, 0) + 1) + 12 + bits.bit_length()
    t = fixed(m, s, finer)
    total, term, n = 0, 1 << finer, 0
    while term:
        part = term // (2 * n + 1)
        total += -part if n & 1 else part
        n += 1
        term = (term * t >> finer) // n
    return within(total >> finer - bits, 3, bits)


def _error_fraction(m: int, s: int, bits: int) -> Enclosure:
    """1/(t + (1/2)/(1 + (2/2)/(t + (3/2)/(1 + ...)))) for positive t = m * 2^s (Laplace).

    All elements are positive: the convergents lie above and below in turn, each nearer than that before.
    They are exact: in every step numerators and denominators are multiplied by 2, where the next element
    is t by 2^(1-s).
    """
    scale = 2 << -s
    digits = bits + fixed(m, s, 0).bit_length()
    above, below = (scale, 2 * m), (2 * scale, 4 * m + scale)
    k = 2
    while True:
        low = (below[0] << digits) // below[1]
        high = -((-above[0] << digits) // above[1])
        if high - low <= 4:
            return Enclosure(low, high, -digits)
        for _ in range(4):
            above = _convergent(2 * m, below, k * scale, above)
            below = _convergent(2, above, (k + 1) * scale, below)
            k += 2


def _convergent(b: int, last: tuple[int, int], a: int, before: tuple[int, int]) -> tuple[int, int]:
    """The next numerator and denominator, from the last two of each."""
    return b * last[0] + a * before[0], b * last[1] + a * before[1]


class _Normal(NamedTuple):
    """What the two functions of the normal distribution have in common.

    With c = sqrt(root / pi), x = m 2^s, and t = x^2 or x^2 / 2 by an m and an s of its own.
    """

    root: tuple[int, int]
    m: int
    s: int
    t: tuple[int, int]

    def centre(self, bits: int) -> Enclosure:
        """c x (1 - t/3 + t^2/(2! 5) - ...): what the function has beyond its value at 0."""
        series, root = _error_series(*self.t, bits), root_of_over_pi(*self.root, bits)
        product = Enclosure(series.low * (root - 4), series.high * (root + 4), -2 * bits)
        return product.times(self.m, self.s)

    def tail(self, bits: int) -> Enclosure:
        """c/2 |x| e^-t / (t + (1/2)/(1 + ...)): what it lacks of its limit."""
        p = _fitting(*self.t, bits)
        power, fraction = _exp(fixed(*self.t, p), True, p), _error_fraction(*self.t, p)
        root = root_of_over_pi(*self.root, p)
        low, high = power.low * fraction.low * (root - 4), power.high * fraction.high * (root + 4)
        exponent = power.exponent + fraction.exponent - p - 1
        return Enclosure(low, high, exponent).times(abs(self.m), self.s)


def error_function(x: Fraction, bits: int) -> Enclosure:
    """erf x = 2/sqrt(pi) (x - x^3/3 + x^5/(2! 5) - ...), for x other than 0.

    1 - erf x is less than e^(-x^2) for positive x.
    """
    m, s = dyadic(x)
    normal = _Normal((4, 1), m, s, (m * m, 2 * s))
    size = fixed(*normal.t, 0)
    if size < bits // 8:
        return normal.centre(bits + GUARD)
    if size > bits:
        return just_within(1 if m > 0 else -1, 0, bits)
    p = bits + GUARD
    return normal.tail(p).at(-p).times(-1).plus(1).times(1 if m > 0 else -1)


def normal_times(x: Fraction, bits: int) -> Enclosure:
    """x times the normal distribution function: x (1 + erf(x / sqrt 2)) / 2, for x other than 0.

    From below it is 1/2 of 1 - erf, and for negative x near 0 what is lost of 1/2 is less than e^t.
    """
    m, s = dyadic(x)
    normal = _Normal((1, 2), m, s, (m * m, 2 * s - 1))
    size = fixed(*normal.t, 0)
    if size < bits // 8:
        p = bits + GUARD + 2 * size
        beyond = normal.centre(p).at(-p)
        half = 1 << p - 1
        return Enclosure(half + beyond.low, half + beyond.high, -p).times(m, s)
    if m < 0:
        return normal.tail(bits + GUARD).times(m, s)
    if size > bits:
        return just_within(m, s, bits)
    p = bits + GUARD
    return normal.tail(p).at(-p).times(-1).plus(1).times(m, s)


def logistic_times_of_cubic(x: Fraction, bits: int) -> Enclosure:
    """x / (1 + e^-w), w being sqrt(8/pi) (x + 0.044715 x^3), for x other than 0.

    As (1 + tanh u) / 2 = 1 / (1 + e^(-2u)), it is x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    """
    m, s = dyadic(x)
    million = 10**6
    cubic = abs(m) * ((million << -2 * s) + 44715 * m * m)  # of 2^(3s) / million
    size = max(0, cubic.bit_length() + 3 * s - 18)
    p = bits + GUARD + size
    w = fixed(cubic * root_of_over_pi(8, 1, p), 3 * s - p, p) // million
    return _logistic(m < 0, _exp(w, True, p, error=2 + (4 << size)), bits).times(m, s)


# --- of two numbers -----------------------------------------------------------------------------


def power(numbers: tuple[Fraction, Fraction], bits: int) -> Enclosure:
    """x^y = e^(y ln x), for positive x other than 1 and y other than 0.

    The ends of y ln x are relatively near each other, and those of its power absolutely: there are more
    bits, for the sizes of ln x and y.
    """
    x, y = numbers
    size = max(x.numerator, x.denominator).bit_length().bit_length() + y.numerator.bit_length()
    low, high, s = logarithm(x, bits + GUARD + size).times(*dyadic(y))
    below, above = (_exponential(m, s, bits + 1) for m in (low, high))
    exponent = min(below.exponent, above.exponent)
    return Enclosure(below.at(exponent).low, above.at(exponent).high, exponent)


@lru_cache(1 << 12)
def arctangent(q: Fraction, bits: int) -> Enclosure:
    """The angle of which q is the tangent, for any rational q from 0 to 1 other than 0.

    q / (1 + q^2) (1 + 2/3 t + 2/3 4/5 t^2 + ...), with t = q^2 / (1 + q^2) of at most 1/2 (Euler). A
    summand is less than half the one before, and so is what is left of its error, so that all are within
    2 units; what follows the last comes to less than 4. The whole is less than q.
    """
    n, d = q.numerator, q.denominator
    p = bits + GUARD + bits.bit_length()
    squares = n * n + d * d
    total, summand, k = 0, 1 << p, 0
    while summand:
        total += summand
        k += 1
        summand = summand * 2 * k * n * n // ((2 * k + 1) * squares)
    low, high = total * d * d // squares, (total + 2 * k + 2) * d * d // squares + 1
    finer = d.bit_length() + bits
    high = min(high, 1 << p)
    return Enclosure((low * n << finer) // d, -((-high * n << finer) // d), -p - finer)


def angle(point: tuple[Fraction, Fraction], bits: int) -> Enclosure:
    """From the positive x-axis to the point (x, y), for y above 0, or of 0 and x below it: up to pi.

    Some right angles, plus or minus one of at most half a right angle.
    """
    x, y = point
    near, far = sorted((abs(x), y))
    right_angles = 1 if y > abs(x) else 2 if x < 0 else 0
    if not right_angles:
        return arctangent(near / far, bits)
    p = bits + GUARD
    rest = arctangent(near / far, p).at(-p) if near else Enclosure(0, 0, -p)
    if (right_angles == 1) == (x > 0):
        rest = rest.times(-1)
    whole, off = right_angles * pi(p - 1), 2 * right_angles
    return Enclosure(rest.low + whole - off, rest.high + whole + off, -p)
