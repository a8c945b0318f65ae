"""Functions of one operand, of many numbers at once, enclosed by doubles.

Sums, products, quotients and roots of doubles err by at most e = 2^-53 of their result (IEEE 754-2019
clause 4.3.1); no other function of a library is asked. Constants are made from ``specs.enclosures``, and
err by e too. Of numbers x of up to 14 bits between 2^-160 and 2^160 what is computed here differs from
what it stands for by less than 2^-40 of it, and so much more is allowed, ``ERROR``, that nothing below
need be sharp. Then bounds that hold of a function everywhere make ends sharp (``BOUNDS``), as in
``specs.enclosures``.

Horner's rule with n products and n sums errs by at most 2 n e of the sum of all magnitudes, a little
more with its coefficients' errors; none has more than 16 of each. So

* e^t = 2^n e^r: the first part of ln 2 has 32 bits and n up to 10, so r, at most 0.36, errs by less than
  2 e; the series leaves out less than 2^-60, and errs by 2^6 e at most: together by 2^7 e. Where t has
  an error of its own, e^t has as much, relatively. What is beyond ``FARTHEST`` counts as that, where
  e^-t is added to a number of at least 1/2, or taken from it: that changes it by less than 2^-500.
* e^t - 1: of |t| < 1/2 a series of which less than 2^-58 is left out; else at least 0.39, with 2^9 e.
* ln(1 + t) from -0.3 to 0.42: 2 artanh z with z = t / (2 + t), which errs by 3 e, and z^2 below 0.032;
  the series leaves out less than 2^-60. Other logarithms are k ln 2 + ln(1 + t), with k whole and not 0,
  of which k ln 2 is at most 2.1 times as much. 1 + t, if it is rounded, has a logarithm of at least
  0.34.
* sin and cos: |y| is at most pi/4. ``specs.large_angles`` says how these err. Half turns are exact.
* The normal distribution, with t of x^2 or x^2 / 2, which is exact: below 2 by Kummer's series of
  positive summands, of which 2^-60 is left out at most, and which errs by 3 e for each of its 28 steps;
  1/2 less its half is at least 0.022 then. From 2 on by Laplace's fraction, whose convergents lie above
  and below in turn: two are made, and where they are apart nothing is said. Each of its steps adds 2 e.
* Logistic functions 1 / (1 + D) and D / (1 + D) have no more relative error than D and 2 e. In GELU by
  tanh D is e^-w with w below 2^9, if it counts; that errs by 2^3 e of itself, and D by 2^12 e.
* Of E / (2 - E), with E at most 1, the relative error is twice that of E.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial, inf, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures, large_angles
from spikeproof.specs.large_angles import horner

Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

ERROR = 2.0**-36
"""By which part of themselves doubles differ from what they stand for, at most."""

MOST_PRECISION = 14
"""Bits of numbers of which functions are enclosed here."""

FARTHEST = 512.0

BITS = 120
"""Of enclosures of which constants are made."""

LN2 = Fraction(enclosures.ln2(BITS), 1 << BITS)
LN2_FIRST = float(Fraction(round(LN2 * (1 << 32)), 1 << 32))
LN2_REST = float(LN2 - Fraction(LN2_FIRST))

PI = float(Fraction(enclosures.pi(BITS), 1 << BITS))

FACTORIALS = [1 / factorial(k) for k in range(16)]
ODD = [1 / (2 * k + 1) for k in range(12)]


def _root_over_pi(numerator: int, denominator: int) -> float:
    """The root of a fraction over pi."""
    return float(Fraction(enclosures.root_of_over_pi(numerator, denominator, BITS), 1 << BITS))


# --- exponentials and logarithms ----------------------------------------------------------------


def _exponential(t: Doubles) -> Doubles:
    """e^t, for t up to ``FARTHEST``, of either sign."""
    n = np.rint(t / float(LN2))
    r = (t - n * LN2_FIRST) - n * LN2_REST
    return np.ldexp(horner(FACTORIALS, r), n.astype(np.int64))


def _power_of_two(x: Doubles) -> Doubles:
    n = np.rint(x)
    return np.ldexp(horner(FACTORIALS, (x - n) * float(LN2)), n.astype(np.int64))


def _decay(t: Doubles) -> Doubles:
    """e^-t, for positive t."""
    return _exponential(-np.minimum(t, FARTHEST))


def _exponential_minus_1(t: Doubles) -> Doubles:
    near = np.abs(t) < 0.5
    small = np.where(near, t, 0)
    large = _exponential(np.maximum(t, -FARTHEST)) - 1
    return np.where(near, small * horner(FACTORIALS[1:], small), large)


def _logarithm_near_1(t: Doubles) -> Doubles:
    """ln(1 + t), for t from -0.3 to 0.42."""
    z = t / (2 + t)
    return 2 * z * horner(ODD, z * z)


def _split(x: Doubles) -> tuple[Doubles, Doubles]:
    """x as 2^k (1 + t), with t from -0.3 to 0.4: k and t."""
    significand, k = np.frexp(x)
    low = significand < 0.7
    return (k - low).astype(np.float64), np.where(low, 2 * significand, significand) - 1


def _logarithm(x: Doubles) -> Doubles:
    k, t = _split(x)
    return k * float(LN2) + _logarithm_near_1(t)


def _logarithm_to_base_2(x: Doubles) -> Doubles:
    k, t = _split(x)
    return k + _logarithm_near_1(t) / float(LN2)


def _logarithm_of_1_plus(t: Doubles) -> Doubles:
    near = (t > -0.3) & (t < 0.42)
    return np.where(near, _logarithm_near_1(np.where(near, t, 0)), _logarithm(1 + t))


# --- circular functions -------------------------------------------------------------------------

SIGNIFICAND = 24
"""Bits in which significands of operands are given as whole numbers."""

LEAST_REST = 2.0**-40
"""What is left of larger numbers has at most 2^-46 of it, and 2^-90, of error."""


def _circular(x: Doubles, quarter: int) -> Doubles:
    """The sine of x and some quarters of a turn."""
    quarters, y = np.zeros(x.shape, np.int64), x.copy()
    fractions, exponents = np.frexp(np.abs(x))
    for exponent in np.unique(exponents[exponents >= 0]).tolist():
        some = exponents == exponent
        words = (fractions[some] * 2.0**SIGNIFICAND).astype(np.uint64)
        turns, rest = large_angles.reduced(words, exponent - SIGNIFICAND)
        sign = np.where(x[some] < 0, -1, 1)
        quarters[some], y[some] = sign * turns, sign * np.where(np.abs(rest) < LEAST_REST, nan, rest)
    return large_angles.turned(quarters + quarter, y)


def _in_half_turns(x: Doubles, quarter: int) -> Doubles:
    """The sine of pi x and some quarters of a turn; NaN where that is rational."""
    n = np.rint(2 * x)
    rest = x - n / 2
    quarters = np.fmod(n, 4).astype(np.int64) + quarter
    return np.where(rest == 0, nan, large_angles.turned(quarters, rest * PI))


# --- sigmoids -----------------------------------------------------------------------------------


def _logistic(negative: Mask, decay: Doubles) -> Doubles:
    """1 / (1 + e^-t), or for the opposite of t, from e^-t for positive t."""
    return np.where(negative, decay, 1) / (1 + decay)


def _sigmoid(x: Doubles) -> Doubles:
    return _logistic(x < 0, _decay(np.abs(x)))


def _tangent(x: Doubles) -> Doubles:
    lost = -_exponential_minus_1(-2 * np.abs(x))
    return np.copysign(lost / (2 - lost), x)


def _softplus(x: Doubles) -> Doubles:
    return np.maximum(x, 0) + _logarithm_of_1_plus(_decay(np.abs(x)))


def _gelu_tanh(x: Doubles) -> Doubles:
    size = np.abs(x)
    w = _root_over_pi(8, 1) * (size + 0.044715 * (size * size * size))
    return x * _logistic(x < 0, _decay(w))


# --- the normal distribution --------------------------------------------------------------------

STEPS = 28
"""Of the series."""

CONVERGENTS = (99, 100)

NEAR = 2.0
"""Up to this t the series is taken."""


def _series(t: Doubles) -> Doubles:
    """1 + 2t/3 (1 + 2t/5 (1 + ...)): the sum of (2t)^n / (1 3 5 ... (2n+1))."""
    total = np.ones_like(t)
    for n in range(STEPS, 0, -1):
        total = 1 + total * t * 2 / (2 * n + 1)
    return total


def _fraction(t: Doubles, depth: int) -> Doubles:
    """t + (1/2)/(1 + (2/2)/(t + (3/2)/(1 + ...))), so deep."""
    elements = (t, np.ones_like(t))
    value = elements[depth % 2]
    for k in range(depth, 0, -1):
        value = elements[(k - 1) % 2] + k / 2 / value
    return value


def _beyond_half(x: Doubles, t: Doubles, c: float) -> tuple[Doubles, Doubles]:
    """What the function has beyond its value at 0, and what it lacks of its limit; one of them is NaN.

    As ``specs.enclosures`` has it: c |x| e^-t (1 + 2t/3 + ...) and c/2 |x| e^-t / (t + (1/2)/(1 + ...)).
    """
    near = t < NEAR
    scale = c * np.abs(x) * _decay(t)
    centre = scale * _series(np.where(near, t, 0))
    low, high = (_fraction(np.where(near, NEAR, t), depth) for depth in CONVERGENTS)
    known = ~near & (np.abs(high - low) < ERROR / 16 * low)
    return np.where(near, centre, nan), np.where(known, scale / 2 / low, nan)


def _error_function(x: Doubles) -> Doubles:
    centre, tail = _beyond_half(x, x * x, _root_over_pi(4, 1))
    return np.copysign(np.where(np.isnan(centre), 1 - tail, centre), x)


def _gelu(x: Doubles) -> Doubles:
    centre, tail = _beyond_half(x, x * x / 2, _root_over_pi(1, 2))
    tail = np.where(np.isnan(tail), 0.5 - centre, tail)
    return x * np.where(x < 0, tail, 1 - tail)


# --- all functions ------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[[Doubles], Doubles]] = {
    "exp": _exponential,
    "exp2": _power_of_two,
    "expm1": _exponential_minus_1,
    "log": _logarithm,
    "log2": _logarithm_to_base_2,
    "log1p": _logarithm_of_1_plus,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": lambda x: _circular(x, 0),
    "cos": lambda x: _circular(x, 1),
    "sin_pi": lambda x: _in_half_turns(x, 0),
    "cos_pi": lambda x: _in_half_turns(x, 1),
    "tanh": _tangent,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _error_function,
    "silu": lambda x: x * _sigmoid(x),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
}


class Bound(NamedTuple):
    """For x of a sign, or of both if that is 0, f(x) is more than ``slope`` x + ``constant``; or less.

    One of the two is 0, so that doubles have it exactly.
    """

    side: int
    sign: int
    slope: float = 0
    constant: float = 0


MORE, LESS = 1, -1
LIMITS = (Bound(LESS, 0, constant=1), Bound(MORE, 0, constant=-1))
POWERS = (Bound(MORE, 1, constant=1), Bound(LESS, -1, constant=1))
BELOW_X = (Bound(LESS, 1, slope=1), Bound(MORE, -1, slope=1))
GATED = (Bound(MORE, 0, slope=0.5), Bound(LESS, 1, slope=1))

BOUNDS: dict[str, tuple[Bound, ...]] = {
    "exp": POWERS,
    "exp2": POWERS,
    "expm1": (Bound(MORE, 0, slope=1), Bound(MORE, 0, constant=-1)),
    "log1p": (Bound(LESS, 0, slope=1),),
    "sin": BELOW_X,
    "cos": (Bound(LESS, 0, constant=1),),
    "cos_pi": (Bound(LESS, 0, constant=1),),
    "tanh": (*LIMITS, *BELOW_X),
    "sigmoid": (Bound(LESS, 0, constant=1), Bound(MORE, 1, constant=0.5), Bound(LESS, -1, constant=0.5)),
    "softplus": (Bound(MORE, 0, slope=1),),
    "erf": LIMITS,
    "silu": GATED,
    "gelu": GATED,
    "gelu_tanh": GATED,
}
"""Of functions of numbers other than 0; that of ``cos_pi`` where it is not rational.

1 + x < e^x, and so ln(1 + x) < x; sin and tanh have derivatives of at most 1; ln(1 + e^x) > ln e^x. The
last three are x times a growing function that is 1/2 at 0, and always less than 1.
"""


def ends(function: str, x: Doubles) -> tuple[Doubles, Doubles]:
    """Between which a function's values lie, strictly; NaN where that is not known.

    Args:
        x: numbers other than 0 for which there is a value, of up to ``MOST_PRECISION`` bits between
            2^-160 and 2^160; those aside that ``specs.functions.is_beyond`` tells.

    Raises:
        KeyError: if there is no such function.
    """
    with np.errstate(over="ignore", under="ignore"):
        value = FUNCTIONS[function](x)
    value = np.where((value == 0) | np.isinf(value), nan, value)
    error = np.abs(value) * ERROR
    low, high = value - error, value + error
    for bound in BOUNDS.get(function, ()):
        holds = x * bound.sign >= 0
        limit = np.where(holds, bound.slope * x + bound.constant, -bound.side * inf)
        if bound.side == MORE:
            low = np.maximum(low, limit)
        else:
            high = np.minimum(high, limit)
    return low, high
