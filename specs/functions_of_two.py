"""The spec of record of functions of two operands: IEEE 754-2019 clause 9.2.

As ``specs.functions``. Every value that is rational, or the square root of one, is known beforehand:

* hypot is a square root.
* x^y is a power of x, if y is whole. A y that is not is n / 2^k, n odd: x^y is rational if x is a 2^k-th
  power, and else not, as no number has two factorisations into primes.
* An angle whose tangent is a rational number other than 0 is transcendental, and so is pi (Lindemann).

``pow`` is the standard's: x^0 and 1^y are 1, whatever the other is; a negative x has powers of whole y.
Its pown, of whole y alone, is a part of it; its powr, which is e^(y ln x) throughout, is not.

fmod is no function here but an operation, ``truncated_remainder``: it is exact (``specs.exact``).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.exact import (
    NAN,
    Kind,
    Magnitude,
    Real,
    Root,
    Value,
    decode,
    floor_log2,
    flush_operand,
    nan_signals,
    power_of_two,
    result_nan,
    round_to,
    rounding_trace,
)
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import (
    INFINITY,
    ONE,
    ZERO,
    EveryValue,
    decided_results,
    every_value,
    exponent_of,
    farthest,
)

# --- definitions --------------------------------------------------------------------------------


class FunctionOfTwo(NamedTuple):
    """A function by its value, before rounding, at two values; a format says which round alike."""

    words: str
    value: Callable[[Format, Value, Value], Value]


def _hypotenuse(fmt: Format, x: Value, y: Value) -> Value:
    """Infinite if one operand is, even if the other is NaN."""
    kinds = (x.kind, y.kind)
    if Kind.INFINITE in kinds:
        return INFINITY
    if Kind.NAN in kinds:
        return NAN
    square = x.rational**2 + y.rational**2
    return Value(Kind.FINITE, 0, Root(square)) if square else ZERO


def _power(fmt: Format, x: Value, y: Value) -> Value:
    """Of a negative number, a zero or an infinity by an odd number it has the sign of x."""
    if y.is_zero or x == ONE:
        return ONE
    if Kind.NAN in (x.kind, y.kind):
        return NAN
    is_whole = y.kind is Kind.INFINITE or y.rational.denominator == 1
    is_odd = y.kind is Kind.FINITE and is_whole and y.rational.numerator % 2 == 1
    sign = x.sign if is_odd else 0
    if x.is_zero or x.kind is Kind.INFINITE:
        return Value(Kind.INFINITE if x.is_zero == (y.sign == 1) else Kind.FINITE, sign)
    if x.rational == 1 and is_whole:
        return Value(Kind.FINITE, sign, Fraction(1))
    if y.kind is Kind.INFINITE:
        return INFINITY if (x.rational > 1) == (y.sign == 0) else ZERO
    if x.sign and not is_whole:
        return NAN
    return Value(Kind.FINITE, sign, _power_of_positive(fmt, x.rational, y.signed))


LONG = 1 << 10
"""More than the bits of any format: an odd number other than 1, to a power as large, has more than that,
and so such powers of dyadic numbers, or their inverses, are none where rounding turns."""


def _power_of_positive(fmt: Format, x: Fraction, y: Fraction) -> Magnitude:
    """x^y for numbers other than 0, x not being 1.

    Beyond ``farthest`` another number that rounds alike: log2 x is at least x - 1 from 1 to 2.
    """
    above_1 = max(x, 1 / x)
    if abs(y) * (floor_log2(above_1) or above_1 - 1) >= farthest(fmt):
        return power_of_two(farthest(fmt) if (x > 1) == (y > 0) else -farthest(fmt))
    root = _root(x, y.denominator)
    if root is None or (abs(y.numerator) > LONG and exponent_of(root) is None):
        return Real(enclosures.power, (x, y))
    return root**y.numerator


def _root(x: Fraction, degree: int) -> Fraction | None:
    """The root whose degree is a power of two, if it is rational."""
    while degree > 1:
        root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
        if root * root != x:
            return None
        x, degree = root, degree // 2
    return x


def _angle(fmt: Format, x: Value, y: Value) -> Value:
    """Infinities stand for 1, and what is finite beside one for 0. It has the sign of y."""
    kinds = (x.kind, y.kind)
    if Kind.NAN in kinds:
        return NAN
    if Kind.INFINITE in kinds:
        x, y = (Value(Kind.FINITE, v.sign, Fraction(v.kind is Kind.INFINITE)) for v in (x, y))
    if not y.is_zero:
        return Value(Kind.FINITE, y.sign, Real(enclosures.angle, (x.signed, y.rational)))
    straight = Real(enclosures.angle, (Fraction(-1), Fraction(0)))
    return Value(Kind.FINITE, y.sign, straight if x.sign else Fraction(0))


DEFINITIONS: dict[str, FunctionOfTwo] = {
    "hypot": FunctionOfTwo("sqrt(x^2 + y^2)", _hypotenuse),
    "pow": FunctionOfTwo("x^y", _power),
    "atan2": FunctionOfTwo("the angle of the point (x, y)", _angle),
}
"""Every function by name. ``atan2`` of x and y is what is written atan2(y, x) elsewhere."""

FUNCTIONS: dict[str, str] = {name: each.words for name, each in DEFINITIONS.items()}
"""Words for every function, by name."""


def compute(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    y: int,
    *,
    convention: Convention = IEEE,
) -> int:
    """The result code of a function of two codes; NaN where an operand is a NaN that signals.

    Raises:
        KeyError: if there is no such function.
        ValueError: if a code, the policy or the convention is not one of the format's.
    """
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    given = flush_operand(fmt, convention, x), flush_operand(fmt, convention, y)
    value = _exact_value(function, fmt, convention, given)
    if value.kind is Kind.NAN:
        return result_nan(function, fmt, fmt, convention, given)
    return round_to(fmt, mode, policy, value, convention)


def _exact_value(function: str, fmt: Format, convention: Convention, codes: tuple[int, int]) -> Value:
    if nan_signals(fmt, convention, *codes):
        return NAN
    return DEFINITIONS[function].value(fmt, decode(fmt, codes[0]), decode(fmt, codes[1]))


def trace(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    y: int,
    *,
    convention: Convention = IEEE,
) -> dict[str, int]:
    """What the definition implies for the signals of a datapath: see ``specs.exact.trace``."""
    given = flush_operand(fmt, convention, x), flush_operand(fmt, convention, y)
    signals = rounding_trace(fmt, mode, policy, _exact_value(function, fmt, convention, given))
    signals["result"] = compute(function, fmt, mode, policy, x, y, convention=convention)
    return signals


# --- every pair of operands at once -------------------------------------------------------------


def every_result(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    *,
    convention: Convention = IEEE,
) -> NDArray[np.uint16]:
    """``compute`` of every pair of codes of a format of up to 8 bits, x varying fastest.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider, or the policy or convention none of its own.
    """
    if fmt.width > 8:
        raise ValueError(f"{fmt.name} has {fmt.width} bits; every result is told of pairs of at most 8")
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    every = _every_value(function, fmt)
    results, left = decided_results(every, fmt, mode, policy, convention)
    codes = range(1 << fmt.width)
    results[every.known.get(NAN, [])] = result_nan(function, fmt, fmt, convention, ())
    of_nan = ((x, y) for y, x in product(codes, codes) if fmt.is_nan(x) or fmt.is_nan(y))
    others = ((place % len(codes), place // len(codes)) for place in np.flatnonzero(left).tolist())
    for x, y in (*of_nan, *others):
        results[x + y * len(codes)] = compute(function, fmt, mode, policy, x, y, convention=convention)
    given = [flush_operand(fmt, convention, code) for code in codes]
    flushed: NDArray[np.uint16] = results.reshape(len(codes), -1)[np.ix_(given, given)].ravel()
    return flushed


@lru_cache(32)
def _every_value(function: str, fmt: Format) -> EveryValue:
    """The values of a function at all pairs of codes, before rounding."""
    value, operands = DEFINITIONS[function].value, [decode(fmt, code) for code in range(1 << fmt.width)]
    return every_value(value(fmt, x, y) for y, x in product(operands, operands))
