"""Functions as tables: the code of the result for every code of x, by NumPy and MPFR (``gmpy2``).

Every function is evaluated once, to odd: cut off after ``PLACES`` bits, the last of which is 1 wherever
anything was lost. No boundary of rounding in a format of up to 16 bits has so many places, so such a
number lies between the same boundaries as the function itself, and every mode rounds it by integers.

NumPy's functions of doubles are asked first: what they give, of which errors of 2^-40 are allowed for,
mostly lies far from every boundary, or comes near to one from a side that is known. MPFR is asked for
the rest. It rounds correctly, and says what is exact. A function that it lacks is made of a few of its
own, all but the last of them in ``INNER`` bits; where results tend to a boundary and never reach it, the
last step is that which tells the side: x - t, for instance, with a t that is tiny.

Special values: IEEE 754-2019 clause 9.2.1. MPFR: Fousse et al., ACM TOMS 33(2), 2007.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lazy_loader
import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.conventions import (
    IEEE,
    SEVERAL,
    Convention,
    FlushedSign,
    NanResult,
    SubnormalOperands,
    SubnormalResults,
)
from spikeproof.specs.formats import NEAREST, Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

PLACES = 60
"""Bits of a value, before rounding to a format."""

INNER = 96
"""Bits of what a value is made of."""

SMALLEST = -(1 << 30)
"""The exponent of what underflows even there: its bits lie below those of every format."""

WIDEST = 16
"""Bits of the widest format of which tables are made."""

WIDEST_AT = 32
"""Bits of the widest format of which single results are."""

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Truths = NDArray[np.bool_]


# --- functions ----------------------------------------------------------------------------------
#
# Each takes an ``mpfr`` that is no NaN. The context is that of the last step; ``_inner`` has more bits.

Real = Any


@lru_cache(maxsize=1)
def _inner() -> Any:
    return gmpy2.context(precision=INNER)


def _reciprocal(x: Real) -> Real:
    return 1 / x


def _rsqrt(x: Real) -> Real:
    return 1 / x if x == 0 else gmpy2.rec_sqrt(x)  # to MPFR, that of -0 is +infinity


def _turned(x: Real, quarters: int) -> Real:
    """sin(pi (x + quarters / 2)), of which zeros have the sign of x, or + where it is turned."""
    if not gmpy2.is_finite(x):
        return gmpy2.nan()
    inner = _inner()
    nearest = gmpy2.rint(2 * x)  # x is a multiple of 1/2, plus at most 1/4; all this is exact
    angle = inner.mul(inner.sub(x, nearest / 2), inner.const_pi())
    quarter = int(nearest) + quarters
    if quarter % 2 == 0 and angle == 0:
        return gmpy2.zero(-1 if x.is_signed() and not quarters else 1)
    found = gmpy2.cos(angle) if quarter % 2 else gmpy2.sin(angle)
    return -found if quarter % 4 >= 2 else found


def _sin_pi(x: Real) -> Real:
    return _turned(x, 0)


def _cos_pi(x: Real) -> Real:
    return _turned(x, 1)


LEAST_EXPONENTIAL = 1 << 15
"""e^-x is nothing for larger x: less than every number of every format, and than the distance of two."""


def _softplus(x: Real) -> Real:
    if not gmpy2.is_finite(x):
        return gmpy2.exp(x)
    inner = _inner()
    small = inner.exp(max(-abs(x), -LEAST_EXPONENTIAL))
    return gmpy2.log1p(small) if x <= 0 else x + inner.log1p(small)


def _gated(x: Real, factor: Real, half: Callable[[Real], Real], rest: Callable[[Real], Real]) -> Real:
    """factor * g(x), of a sigmoid g: 1/2 + ``half``(x), and ``rest``(x) is g(-x) for positive x."""
    if gmpy2.is_infinite(x):
        return factor if x > 0 else gmpy2.copy_sign(gmpy2.zero(), factor)
    if x == 0:
        return factor / 2
    inner = _inner()
    if abs(x) < 1:
        return factor / 2 + inner.mul(factor, half(x))
    lost = inner.mul(factor, rest(abs(x)))
    return factor - lost if x > 0 else +lost


def _logistic(x: Real, factor: Real, argument: Callable[[Real], Real] = lambda x: x) -> Real:
    """factor / (1 + e^-argument(x))"""
    inner = _inner()

    def half(x: Real) -> Real:
        return inner.div(inner.tanh(inner.div(argument(x), 2)), 2)

    def rest(x: Real) -> Real:
        small = inner.exp(-min(argument(x), LEAST_EXPONENTIAL))
        return inner.div(small, inner.add(1, small))

    return _gated(x, factor, half, rest)


def _sigmoid(x: Real) -> Real:
    return _logistic(x, gmpy2.mpfr(1))


def _silu(x: Real) -> Real:
    return _logistic(x, x)


@lru_cache(maxsize=1 << 15)
def _upper_tail(x: Real) -> Real:
    """erfc(x / sqrt(2)) / 2"""
    inner = _inner()
    return inner.div(inner.erfc(inner.div(x, inner.sqrt(2))), 2)


def _gelu(x: Real) -> Real:
    """x (1 + erf(x / sqrt(2))) / 2"""
    inner = _inner()

    def half(x: Real) -> Real:
        return inner.div(inner.erf(inner.div(x, inner.sqrt(2))), 2)

    return _gated(x, x, half, lambda x: _upper_tail(min(x, gmpy2.mpfr(256))))


def _gelu_tanh(x: Real) -> Real:
    """x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, arXiv 1606.08415)"""
    inner = _inner()

    def argument(x: Real) -> Real:
        root = inner.sqrt(inner.div(8, inner.const_pi()))
        cubed = inner.div(inner.mul(inner.mul(inner.mul(x, x), x), 44715), 10**6)
        return inner.mul(root, inner.add(x, cubed))

    return _logistic(x, x, argument)


FUNCTIONS: dict[str, Callable[[Real], Real]] = {
    "exp": lambda x: gmpy2.exp(x),
    "exp2": lambda x: gmpy2.exp2(x),
    "expm1": lambda x: gmpy2.expm1(x),
    "log": lambda x: gmpy2.log(x),
    "log2": lambda x: gmpy2.log2(x),
    "log1p": lambda x: gmpy2.log1p(x),
    "reciprocal": _reciprocal,
    "rsqrt": _rsqrt,
    "sin": lambda x: gmpy2.sin(x),
    "cos": lambda x: gmpy2.cos(x),
    "sin_pi": _sin_pi,
    "cos_pi": _cos_pi,
    "tanh": lambda x: gmpy2.tanh(x),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": lambda x: gmpy2.erf(x),
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
}
"""By name."""


# --- values -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Values:
    """A function of every code: finite ones are ``significand * 2^exponent``, to odd.

    Attributes:
        significand: 0, or of ``PLACES`` bits.
    """

    nan: Truths
    infinite: Truths
    negative: Truths
    significand: Integers
    exponent: Integers

    def of(self, codes: Integers) -> Values:
        """Those of the given codes."""
        return Values(
            self.nan[codes],
            self.infinite[codes],
            self.negative[codes],
            self.significand[codes],
            self.exponent[codes],
        )


# --- doubles ------------------------------------------------------------------------------------

ASIDE = 2.0**-38
"""What comes nearer to a boundary, and never to it, is taken for this far from it, relatively."""


def _in_half_turns(x: Reals, quarters: int) -> Reals:
    nearest = np.rint(2 * x)
    angle = np.pi * (x - nearest / 2)
    quarter = np.fmod(nearest, 4).astype(np.int64) + quarters
    return np.where(quarter & 1, np.cos(angle), np.sin(angle)) * np.where(quarter & 2, -1, 1)


def _is_tiny(x: Reals) -> Truths:
    found: Truths = (x != 0) & (np.abs(x) < 2.0**-20)
    return found


def _of_each(function: Callable[[float], float], x: Reals) -> Reals:
    return np.array(list(map(function, x.tolist())), dtype=np.float64)


def _logistic_of_doubles(x: Reals) -> Reals:
    return 1 / (1 + np.exp(-x))


DOUBLES: dict[str, Callable[[Reals], Reals]] = {
    **{name: getattr(np, name) for name in ("exp", "exp2", "expm1", "log", "log2", "log1p")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tanh")},
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin_pi": lambda x: _in_half_turns(x, 0),
    "cos_pi": lambda x: np.where(_is_tiny(x), 1 - ASIDE, _in_half_turns(x, 1)),
    "sigmoid": _logistic_of_doubles,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "erf": lambda x: _of_each(math.erf, x),
    "silu": lambda x: x * _logistic_of_doubles(x),
    "gelu": lambda x: x / 2 * _of_each(math.erfc, -x / np.sqrt(2)),
    "gelu_tanh": lambda x: x * _logistic_of_doubles(np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)),
}
"""The same functions, nearly."""

MORE, LESS = 1, -1
_GATED = [(1, 1.0, 0.0, LESS), (1, 0.5, 0.0, MORE), (-1, 0.5, 0.0, MORE)]
_ODD = [(1, 1.0, 0.0, LESS), (-1, 1.0, 0.0, MORE)]
_LIMITS = [(1, 0.0, 1.0, LESS), (-1, 0.0, -1.0, MORE)]
_POWERS = [(1, 0.0, 1.0, MORE), (-1, 0.0, 1.0, LESS)]

LINES: dict[str, list[tuple[int, float, float, int]]] = {
    "exp": _POWERS,
    "exp2": _POWERS,
    "expm1": [(1, 1.0, 0.0, MORE), (-1, 1.0, 0.0, MORE), (-1, 0.0, -1.0, MORE)],
    "log1p": [(1, 1.0, 0.0, LESS), (-1, 1.0, 0.0, LESS)],
    "sin": _ODD,
    "cos": [(1, 0.0, 1.0, LESS), (-1, 0.0, 1.0, LESS)],
    "tanh": _ODD + _LIMITS,
    "sigmoid": [(1, 0.0, 1.0, LESS), (1, 0.0, 0.5, MORE), (-1, 0.0, 0.5, LESS)],
    "softplus": [(1, 1.0, 0.0, MORE)],
    "erf": _LIMITS,
    "silu": _GATED,
    "gelu": _GATED,
    "gelu_tanh": _GATED,
}
"""Of numbers x of a sign, slope and constant of lines that a function comes near to; and the side."""

VANISHING = frozenset({"exp", "exp2", "sigmoid", "softplus", "silu", "gelu", "gelu_tanh"})
"""Functions that are never 0, of numbers other than that."""

NEAR_BOUNDARY = 2.0**-40
"""A double that is so near, relatively, to a number of few bits is not believed."""

FEW_BITS = WIDEST + 2

MOST_EXPONENT_BITS = 9
"""Of formats all numbers of which, and those midway, are far smaller than ``FAR``."""

FAR = 2.0**900
"""Larger than every number of the formats, and the inverse of what is smaller than all."""


def _by_doubles(function: str, x: Reals) -> tuple[Truths, Values]:
    """Which of the numbers doubles do for, and values of all, to odd."""
    with np.errstate(all="ignore"):
        found = DOUBLES[function](x)
        for sign, slope, constant, side in LINES.get(function, ()):
            line = slope * x + constant
            near = (x * sign > 0) & (np.abs(found - line) < 2 * NEAR_BOUNDARY * np.abs(line))
            found = np.where(near, line + side * np.abs(line) * ASIDE, found)
        if function in VANISHING:
            size = np.clip(np.abs(found), 1.3 / FAR, 1.3 * FAR)
            found = np.where(x != 0, np.copysign(size, found), found)
        unit = np.abs(np.frexp(found)[0]) * 2.0**FEW_BITS
        far = np.abs(unit - np.rint(unit)) > NEAR_BOUNDARY * 2.0**FEW_BITS
    nan = np.isnan(found)
    known = np.isfinite(x) & (nan | far & (found != 0) & np.isfinite(found))
    fraction, exponent = np.frexp(np.where(known & ~nan, found, 1))
    significand = (np.abs(fraction) * 2.0**PLACES).astype(np.int64) | 1
    infinite = np.zeros(known.shape, dtype=bool)
    exponent = exponent.astype(np.int64) - PLACES
    return known, Values(nan, infinite, fraction < 0, significand, exponent)


@lru_cache(maxsize=32)
def values_of(function: str, fmt: Format) -> Values:
    """The function of every code of a format, in order.

    Raises:
        KeyError: if there is no such function.
    """
    operands = operands_of(fmt)
    if fmt.exponent_bits > MOST_EXPONENT_BITS:
        return _values(function, operands)
    known, values = _by_doubles(function, np.array(list(map(float, operands))))
    left = np.flatnonzero(~known)
    if not len(left):
        return values
    rest = _values(function, [operands[code] for code in left.tolist()])
    for name, whole in vars(values).items():
        whole[left] = getattr(rest, name)
    return values


def _values(function: str, operands: Iterable[Real]) -> Values:
    """The function of each operand."""
    evaluate = FUNCTIONS[function]
    return evaluated(lambda x: x if gmpy2.is_nan(x) else evaluate(x), operands)


def evaluated(evaluate: Callable[..., Real], *operands: Iterable[Real]) -> Values:
    """A function of operands in order: of the first of each, of the second, and so on."""
    with gmpy2.context(precision=PLACES, round=gmpy2.RoundToZero):
        found = list(map(_parts, map(evaluate, *operands)))
    nan, infinite, negative, significand, exponent = zip(*found, strict=True)
    return Values(
        np.array(nan),
        np.array(infinite),
        np.array(negative),
        np.array(significand, dtype=np.int64),
        np.array(exponent, dtype=np.int64),
    )


@lru_cache(maxsize=2)
def operands_of(fmt: Format) -> list[Real]:
    """The value of every code."""
    return [_operand(fmt, code) for code in range(2 * fmt.sign_mask)]


def _operand(fmt: Format, code: int) -> Real:
    """The value of a code: exact."""
    sign, magnitude = divmod(code, fmt.sign_mask)
    field, fraction = divmod(magnitude, 1 << fmt.fraction_bits)
    hidden = (1 << fmt.fraction_bits) if field else 0
    exponent = max(field, 1) - fmt.bias - fmt.fraction_bits
    if fmt.is_nan(magnitude) or (code == fmt.sign_mask and not fmt.has_negative_zero):
        return gmpy2.nan()
    if fmt.has_infinity and magnitude == fmt.infinity:
        value = gmpy2.inf()
    else:
        scale = gmpy2.mul_2exp if exponent >= 0 else gmpy2.div_2exp
        value = scale(gmpy2.mpfr(hidden + fraction), abs(exponent))
    return -value if sign else value


def _parts(found: Real) -> tuple[bool, bool, bool, int, int]:
    """What ``Values`` has of a result that was cut off."""
    if gmpy2.is_nan(found):
        return True, False, False, 0, 0
    negative = found.is_signed()
    if gmpy2.is_infinite(found):
        return False, True, negative, 0, 0
    inexact = found.rc != 0
    if found == 0:
        return False, False, negative, inexact << PLACES - 1, SMALLEST
    significand, exponent = found.as_mantissa_exp()
    return False, False, negative, abs(int(significand)) | inexact, int(exponent)


# --- rounding -----------------------------------------------------------------------------------


def results(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    convention: Convention = IEEE,
) -> Integers:
    """The code of the correctly rounded result for every code of x, in order.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider than 16 bits, cannot express the policy or cannot have the
            convention.
    """
    if fmt.width > WIDEST:
        raise ValueError(
            f"tables of functions are of formats of up to {WIDEST} bits; {fmt.name} has {fmt.width}"
        )
    codes = np.arange(2 * fmt.sign_mask)
    values = values_of(function, fmt).of(counted(fmt, convention, codes))
    return _delivered(fmt, mode, policy, convention, codes, values)


def results_at(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    codes: Integers,
    convention: Convention = IEEE,
) -> Integers:
    """The code of the correctly rounded result for each of some codes, of formats of up to 32 bits.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider, cannot express the policy or cannot have the convention.
    """
    if fmt.width > WIDEST_AT:
        raise ValueError(f"format {fmt.name} has {fmt.width} bits; results are of up to {WIDEST_AT}")
    operands = (_operand(fmt, code) for code in counted(fmt, convention, codes).tolist())
    values = _values(function, operands)
    return _delivered(fmt, mode, policy, convention, codes, values)


def _delivered(
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    convention: Convention,
    codes: Integers,
    values: Values,
) -> Integers:
    """What is delivered for values of codes."""
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    found = rounded(fmt, mode, policy, convention, values)
    return np.where(values.nan, nan_codes(fmt, convention, codes), found)


def rounded(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, convention: Convention, values: Values
) -> Integers:
    """The codes that values round to, but where they are not numbers."""
    magnitude = _magnitudes(fmt, mode, convention, values)
    sign = np.where(values.negative, fmt.sign_mask, 0)
    zero = (magnitude == 0) & ~values.infinite
    if convention.flushed_sign is FlushedSign.POSITIVE:
        sign[zero & _flushed(fmt, mode, convention, values)] = 0
    if not fmt.has_negative_zero:
        sign[zero] = 0
    overflows = magnitude > fmt.largest_finite
    kept = overflows & ~_away(mode, values.negative)
    magnitude[kept] = fmt.largest_finite
    infinite = values.infinite | (overflows & ~kept)
    return np.where(infinite, _infinity(fmt, policy, sign), sign | magnitude)


def counted(fmt: Format, convention: Convention, codes: Integers) -> Integers:
    """What counts in place of each operand."""
    if convention.subnormal_operands is SubnormalOperands.GRADUAL:
        return codes
    magnitude = codes & fmt.sign_mask - 1
    subnormal = (magnitude > 0) & (magnitude >> fmt.fraction_bits == 0)
    signed = fmt.has_negative_zero and convention.flushed_sign is FlushedSign.KEPT
    return np.where(subnormal, codes & fmt.sign_mask if signed else 0, codes)


def _magnitudes(fmt: Format, mode: RoundingMode, convention: Convention, values: Values) -> Integers:
    """The magnitude codes; numbers beyond the largest have codes beyond its."""
    top = values.exponent + PLACES - 1
    least = fmt.minimum_exponent
    above = np.maximum(top, least) - least
    lost = above + least - fmt.fraction_bits - values.exponent
    magnitude = (above << fmt.fraction_bits) + _shifted(mode, values, lost)
    return np.where(_flushed(fmt, mode, convention, values), 0, magnitude)


def _shifted(mode: RoundingMode, values: Values, lost: Integers) -> Integers:
    """The significand without so many of its last places, rounded."""
    places = np.minimum(lost, PLACES + 2)  # by more, nothing else is left
    kept: Integers = values.significand >> places
    rest, half = values.significand - (kept << places), np.int64(1) << places - 1
    match mode:
        case RoundingMode.NEAREST_EVEN:
            up = (rest > half) | ((rest == half) & (kept % 2 == 1))
        case RoundingMode.NEAREST_AWAY:
            up = rest >= half
        case RoundingMode.TO_ODD:
            up = (rest > 0) & (kept % 2 == 0)
        case _:
            up = (rest > 0) & _away(mode, values.negative)
    rounded: Integers = kept + up
    return rounded


def _away(mode: RoundingMode, negative: Truths) -> Truths:
    """Whether what overflows goes to infinity; of directed modes, what is inexact away from zero."""
    match mode:
        case RoundingMode.UP:
            return ~negative
        case RoundingMode.DOWN:
            return negative
    return np.full(negative.shape, mode in NEAREST, dtype=bool)


def _flushed(fmt: Format, mode: RoundingMode, convention: Convention, values: Values) -> Truths:
    """Whether zero is delivered in place of what a finite number rounds to."""
    chosen = convention.subnormal_results
    below = fmt.minimum_exponent - (values.exponent + PLACES - 1)
    tiny: Truths = (below > 0) & (values.significand > 0)
    if chosen is SubnormalResults.GRADUAL:
        return np.zeros(tiny.shape, dtype=bool)
    if chosen is SubnormalResults.ZERO_BEFORE:
        return tiny
    lost = np.full(below.shape, PLACES - fmt.precision)
    if chosen is SubnormalResults.ZERO_AFTER:
        normal: Truths = (below == 1) & (_shifted(mode, values, lost) >> fmt.precision == 1)
        return tiny & ~normal
    rounded = _shifted(mode, values, lost + np.maximum(below, 0))
    subnormal: Truths = (rounded > 0) & (rounded >> fmt.fraction_bits == 0)
    return tiny & subnormal


def _infinity(fmt: Format, policy: OverflowPolicy, sign: Integers) -> Integers:
    """What is delivered where IEEE 754 calls for an infinity."""
    match policy:
        case OverflowPolicy.IEEE:
            return sign | fmt.infinity
        case OverflowPolicy.SATURATE:
            return sign | fmt.largest_finite
        case OverflowPolicy.NAN:
            return np.full_like(sign, fmt.canonical_nan)


def nan_codes(fmt: Format, convention: Convention, codes: Integers) -> Integers:
    """What is delivered for each operand of which the result is not a number."""
    if not fmt.has_nan:
        return np.full_like(codes, fmt.largest_finite)
    if convention.nan is NanResult.ONES:
        return np.full_like(codes, fmt.nan_of_ones)
    default = np.full_like(codes, fmt.canonical_nan)
    if convention.nan in (NanResult.CANONICAL, *SEVERAL):
        return default
    if convention.nan is NanResult.X86:
        default |= fmt.sign_mask
    is_nan = (codes & fmt.sign_mask - 1) > fmt.infinity
    return np.where(is_nan, codes | 1 << fmt.fraction_bits - 1, default)
