"""The spec of record of functions of one operand: IEEE 754-2019 clause 9.2, and what networks use.

As ``specs.exact``, on which it is built: the value as if computed with unbounded range and precision,
then one rounding of it. A value that is not rational is known by enclosures, which are narrowed until
rounding is decided. For that to end, every rational value must be known beforehand:

* e^x, sin x, cos x and tanh x of rational x other than 0, and ln x of x other than 1, are transcendental
  (Lindemann, Weierstrass), and so are with them expm1, log1p, sigmoid and SiLU. So is ln(1 + e^x), else
  1 + e^x = e^r, of which Lindemann and Weierstrass say the same.
* 2^x is rational for whole x alone; and log2 x of a dyadic x for powers of two alone, since of no other
  any power is one.
* sin and cos of pi x are rational only for multiples of 1/6 (Niven): if x is dyadic, of 1/2.
* Of erf, GELU and GELU by tanh this is believed, not known. Were a value, other than at 0, a number
  where rounding turns, the loop would not end: it gives no wrong result. It does end for all codes of
  FP16 and BFLOAT16, as tests show.

Where functions come nearer to a number than any precision tells (tails of sigmoid, tanh, erf; e^x and
sin x near 0), that number is an end of the enclosure, by a bound that holds everywhere:
``specs.enclosures``.

Special values are those of clause 9.2.1 for the functions of the standard. sigmoid, softplus, erf, SiLU
and GELU are none of these; theirs are limits, zeros with the sign of what tends to them: our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import inf, ldexp, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosures
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.enclosures import Enclosure
from spikeproof.specs.exact import (
    NAN,
    Kind,
    Real,
    Root,
    Value,
    decode,
    floor_log2,
    flush_operand,
    power_of_two,
    result_nan,
    round_to,
    round_to_multiple,
    rounding_trace,
)
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

# --- definitions --------------------------------------------------------------------------------

ZERO, NEGATIVE_ZERO = Value(Kind.FINITE), Value(Kind.FINITE, 1)
ONE, MINUS_ONE = (Value(Kind.FINITE, sign, Fraction(1)) for sign in (0, 1))
HALF = Value(Kind.FINITE, 0, Fraction(1, 2))
INFINITY, NEGATIVE_INFINITY = Value(Kind.INFINITE), Value(Kind.INFINITE, 1)
POLE = INFINITY._replace()
"""An infinity at zero that has the sign of the operand."""


@lru_cache(64)
def farthest(fmt: Format) -> int:
    """An n for which numbers of at least 2^n round alike, and so do positive ones of at most 2^-n.

    The former are twice the largest number or more, the latter a quarter of the smallest or less.
    """
    return max(16, fmt.maximum_exponent + 2, fmt.fraction_bits - fmt.minimum_exponent + 2)


class Function(NamedTuple):
    """A function, by its values where they are rational, and by its enclosures where not.

    ``at_zero``: of +0; None if it is the operand, with its sign. ``limits``: of +infinity and -infinity.
    ``rational``: of a number other than 0 the value, or None where it is not rational. ``powers``: n of
    positive and of negative x, if |x|^n / n >= k makes the value at least 2^k, or its magnitude at most
    2^-k, as the limit is infinite or zero, for any k of at least 16. ``symmetry``: -1 of odd functions,
    1 of even ones.
    """

    words: str
    at_zero: Value | None
    limits: tuple[Value, Value]
    enclosing: Callable[[Fraction, int], Enclosure]
    rational: Callable[[Fraction], Value | None] = lambda x: None
    powers: tuple[int, int] = (0, 0)
    symmetry: int = 0


def finite(number: Fraction) -> Value:
    """The value that a rational number is; zero is +0."""
    return Value(Kind.FINITE, int(number < 0), abs(number))


def exponent_of(x: Fraction) -> int | None:
    """The k of x = 2^k, if there is one."""
    n, d = x.numerator, x.denominator
    is_power = n > 0 and not n & (n - 1) and not d & (d - 1)
    return n.bit_length() - d.bit_length() if is_power else None


def _power_of_two(x: Fraction) -> Value | None:
    return finite(power_of_two(int(x))) if x.denominator == 1 else None


def _logarithm(x: Fraction) -> Value | None:
    """Of numbers below 0 there is none; ln 1 is +0."""
    return NAN if x < 0 else ZERO if x == 1 else None


def _logarithm_to_base_2(x: Fraction) -> Value | None:
    k = exponent_of(x)
    return NAN if x < 0 else None if k is None else finite(Fraction(k))


def _logarithm_of_1_plus(x: Fraction) -> Value | None:
    return NAN if x < -1 else NEGATIVE_INFINITY if x == -1 else None


def _reciprocal_root(x: Fraction) -> Value:
    return NAN if x < 0 else Value(Kind.FINITE, 0, Root(1 / x))


def _sine_of_half_turns(x: Fraction) -> Value | None:
    """At whole numbers a zero with the sign of x; at other multiples of 1/2, 1 and -1 in turn."""
    if x.denominator == 1:
        return Value(Kind.FINITE, int(x < 0))
    return (ONE, MINUS_ONE)[x.numerator % 4 // 2] if x.denominator == 2 else None


def _cosine_of_half_turns(x: Fraction) -> Value | None:
    """At whole numbers 1 and -1 in turn; at other multiples of 1/2, +0."""
    if x.denominator == 1:
        return (ONE, MINUS_ONE)[x.numerator % 2]
    return ZERO if x.denominator == 2 else None


def _never(x: Fraction, bits: int) -> Enclosure:
    raise AssertionError("every value is a rational number or the root of one")


GROWING, VANISHING = (INFINITY, ZERO), (INFINITY, NEGATIVE_ZERO)
UNDEFINED = (NAN, NAN)

DEFINITIONS: dict[str, Function] = {
    "exp": Function("e^x", ONE, GROWING, enclosures.exponential, powers=(1, 1)),
    "exp2": Function("2^x", ONE, GROWING, enclosures.power_of_two, _power_of_two, powers=(1, 1)),
    "expm1": Function(
        "e^x - 1",
        None,
        (INFINITY, MINUS_ONE),
        enclosures.exponential_minus_1,
        powers=(1, 0),
    ),
    "log": Function("ln x", NEGATIVE_INFINITY, (INFINITY, NAN), enclosures.logarithm, _logarithm),
    "log2": Function(
        "log2 x",
        NEGATIVE_INFINITY,
        (INFINITY, NAN),
        enclosures.logarithm_to_base_2,
        _logarithm_to_base_2,
    ),
    "log1p": Function(
        "ln(1 + x)", None, (INFINITY, NAN), enclosures.logarithm_of_1_plus, _logarithm_of_1_plus
    ),
    "reciprocal": Function(
        "1/x", POLE, (ZERO, NEGATIVE_ZERO), _never, lambda x: finite(1 / x), symmetry=-1
    ),
    "rsqrt": Function("1/sqrt x", POLE, (ZERO, NAN), _never, _reciprocal_root),
    "sin": Function("sin x", None, UNDEFINED, enclosures.sine, symmetry=-1),
    "cos": Function("cos x", ONE, UNDEFINED, enclosures.cosine, symmetry=1),
    "sin_pi": Function(
        "sin(pi x)",
        None,
        UNDEFINED,
        enclosures.sine_of_half_turns,
        _sine_of_half_turns,
        symmetry=-1,
    ),
    "cos_pi": Function(
        "cos(pi x)",
        ONE,
        UNDEFINED,
        enclosures.cosine_of_half_turns,
        _cosine_of_half_turns,
        symmetry=1,
    ),
    "tanh": Function("tanh x", None, (ONE, MINUS_ONE), enclosures.hyperbolic_tangent, symmetry=-1),
    "sigmoid": Function("1/(1 + e^-x)", HALF, (ONE, ZERO), enclosures.logistic, powers=(0, 1)),
    "softplus": Function(
        "ln(1 + e^x)",
        Value(Kind.FINITE, 0, Real(enclosures.softplus, Fraction(0))),
        GROWING,
        enclosures.softplus,
        powers=(0, 1),
    ),
    "erf": Function("erf x", None, (ONE, MINUS_ONE), enclosures.error_function, symmetry=-1),
    "silu": Function(
        "x/(1 + e^-x)",
        None,
        VANISHING,
        enclosures.logistic_times,
        powers=(0, 1),
    ),
    "gelu": Function(
        "x (1 + erf(x/sqrt 2))/2",
        None,
        VANISHING,
        enclosures.normal_times,
        powers=(0, 2),
    ),
    "gelu_tanh": Function(
        "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))/2",
        None,
        VANISHING,
        enclosures.logistic_times_of_cubic,
        powers=(0, 2),
    ),
}
"""Every function by name.

Their powers: e^x is more than 2^x; for negative x, x / (1 + e^-x) is less than |x| e^x, and GELU less
than e^(-x^2/2); the w of ``logistic_times_of_cubic`` is more than x^2/2, as 3.19 (1 + 0.0447 x^2) > |x|.
"""

FUNCTIONS: dict[str, str] = {name: each.words for name, each in DEFINITIONS.items()}
"""Words for every function, by name."""


def exact_value(function: str, fmt: Format, x: Value) -> Value:
    """The value of a function, before rounding; beyond ``farthest`` another one that rounds alike.

    Raises:
        KeyError: if there is no such function.
    """
    value = known_value(function, fmt, x)
    if value is None:
        real = Real(DEFINITIONS[function].enclosing, x.signed)
        value = Value(Kind.FINITE, real.sign, real)
    return value


def known_value(function: str, fmt: Format, x: Value) -> Value | None:
    """The same where no enclosure is needed: a rational value or a root, a special one, one beyond.

    reciprocal and rsqrt of a zero are an infinity with its sign (clauses 7.3, 9.2.1).
    """
    definition = DEFINITIONS[function]
    if x.kind is Kind.NAN:
        return NAN
    if x.kind is Kind.INFINITE:
        return definition.limits[x.sign]
    if x.is_zero:
        at_zero = definition.at_zero or x
        return x._replace(kind=Kind.INFINITE) if at_zero is POLE else at_zero
    power, number = definition.powers[x.sign], x.signed
    if power and abs(number) ** power >= power * (exponent := farthest(fmt)):
        limit = definition.limits[x.sign]
        if limit.kind is not Kind.INFINITE:
            exponent = -exponent
        return Value(Kind.FINITE, limit.sign, power_of_two(exponent))
    return definition.rational(number)


def compute(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    *,
    convention: Convention = IEEE,
) -> int:
    """The result code of a function of a code.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the code, the policy or the convention is not one of the format's.
    """
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    given = flush_operand(fmt, convention, x)
    value = exact_value(function, fmt, decode(fmt, given))
    if value.kind is Kind.NAN:
        return result_nan(function, fmt, fmt, convention, (given,))
    return round_to(fmt, mode, policy, value, convention)


def trace(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    *,
    convention: Convention = IEEE,
) -> dict[str, int]:
    """What the definition implies for the signals of a datapath: see ``specs.exact.trace``."""
    value = exact_value(function, fmt, decode(fmt, flush_operand(fmt, convention, x)))
    signals = rounding_trace(fmt, mode, policy, value)
    signals["result"] = compute(function, fmt, mode, policy, x, convention=convention)
    return signals


# --- every operand at once ----------------------------------------------------------------------
#
# The same definition, done quicker: one enclosure for each operand, its ends rounded outward to doubles,
# serves all modes; it is looked for among the numbers where rounding turns. What lies between two of
# them rounds as any number there does; where one lies within an enclosure, ``compute`` says.

QUICK_BITS = 60
"""Of enclosures: some more than a double has."""

LARGE = 900
"""Of formats that are done so, every number is between 2^-LARGE and 2^LARGE: it is a double, and so is
what lies midway."""

Doubles = NDArray[np.float64]


def every_result(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    *,
    convention: Convention = IEEE,
) -> NDArray[np.uint16]:
    """``compute`` of every code of a format of up to 16 bits, in order.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider, or the policy or convention none of its own.
    """
    if fmt.width > 16:
        raise ValueError(f"{fmt.name} has {fmt.width} bits; every result is told of at most 16")
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    every = _every_value(function, fmt)
    results, left = decided_results(every, fmt, mode, policy, convention)
    codes = every.known.get(NAN, [])
    results[codes] = result_nan(function, fmt, fmt, convention, ())
    for code in filter(fmt.is_nan, codes):
        results[code] = result_nan(function, fmt, fmt, convention, (code,))
    for code in np.flatnonzero(left).tolist():
        results[code] = compute(function, fmt, mode, policy, code, convention=convention)
    given = np.arange(len(results))
    for code in range(1, 1 << fmt.fraction_bits):  # whatever may be subnormal
        for each in (code, fmt.sign_mask | code):
            given[each] = flush_operand(fmt, convention, each)
    return results[given]


class EveryValue(NamedTuple):
    """The values at all codes: those that are known, with their codes, and doubles around the others.

    A value lies strictly between ``low`` and ``high``, which are NaN where it is known.
    """

    known: dict[Value, list[int]]
    low: Doubles
    high: Doubles


def decided_results(
    every: EveryValue, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, convention: Convention
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """The codes that values round to, and where that needs narrower enclosures; not where one is NaN."""
    results = np.zeros(len(every.low), np.uint16)
    for value, places in every.known.items():
        if value.kind is not Kind.NAN:
            results[places] = round_to(fmt, mode, policy, value, convention)
    undecided = ~np.isnan(every.low)
    if max(fmt.maximum_exponent, fmt.fraction_bits - fmt.minimum_exponent) < LARGE - 2:
        cells = _cells(fmt, mode, policy, convention)
        negative = every.high <= 0
        near = np.where(negative, -every.high, every.low)
        far = np.where(negative, -every.low, every.high)
        cell = np.searchsorted(cells.ends, near, side="right") - 1
        # NaN, where the value is known, compares with nothing.
        decided = (near >= 0) & (far <= np.append(cells.ends, np.inf)[cell + 1])
        results[decided] = cells.codes[negative[decided].astype(int), cell[decided]]
        undecided &= ~decided
    return results, undecided


@lru_cache(64)
def _every_value(function: str, fmt: Format) -> EveryValue:
    """The values of a function at all codes of a format, before rounding."""
    symmetry, enclosing = DEFINITIONS[function].symmetry, DEFINITIONS[function].enclosing
    known: dict[Value, list[int]] = {}
    unknown: list[tuple[float, float]] = []
    for code in range(1 << fmt.width):
        low, high = unknown[code - fmt.sign_mask] if code > fmt.sign_mask else (nan, nan)
        if symmetry and low == low and not fmt.is_nan(code):
            unknown.append((low, high) if symmetry > 0 else (-high, -low))
            continue
        x = decode(fmt, code)
        value = known_value(function, fmt, x)
        if value is None:
            unknown.append(_outward(enclosing(x.signed, QUICK_BITS)))
        elif _may_be_dyadic(value):
            known.setdefault(value, []).append(code)
            unknown.append((nan, nan))
        else:
            unknown.append(_around(value))
    ends = np.array(unknown)
    return EveryValue(known, ends[:, 0], ends[:, 1])


def every_value(values: Iterable[Value]) -> EveryValue:
    """The same of given values."""
    known: dict[Value, list[int]] = {}
    unknown: list[tuple[float, float]] = []
    for place, value in enumerate(values):
        magnitude = value.magnitude
        if isinstance(magnitude, Real):
            low, high = _outward(magnitude.enclosing(magnitude.argument, QUICK_BITS))
            unknown.append((-high, -low) if value.sign else (low, high))
        elif _may_be_dyadic(value):
            known.setdefault(value, []).append(place)
            unknown.append((nan, nan))
        else:
            unknown.append(_around(value))
    ends = np.array(unknown)
    return EveryValue(known, ends[:, 0], ends[:, 1])


def _may_be_dyadic(value: Value) -> bool:
    """Whether a value may be a number where rounding turns; or none at all."""
    magnitude = value.magnitude
    if isinstance(magnitude, Fraction):
        return not magnitude.denominator & (magnitude.denominator - 1)
    return not isinstance(magnitude, Root)


def _around(value: Value) -> tuple[float, float]:
    """Doubles around a quotient or a root, which Python rounds to nearest."""
    magnitude = value.magnitude
    if abs(floor_log2(magnitude.radicand if isinstance(magnitude, Root) else magnitude)) > LARGE:
        return (-inf, 0.0) if value.sign else (0.0, inf)
    if isinstance(magnitude, Root):
        near = sqrt(magnitude.radicand.numerator / magnitude.radicand.denominator)
    else:
        near = value.rational.numerator / value.rational.denominator
    low, high = near * (1 - 2**-50), near * (1 + 2**-50)
    return (-high, -low) if value.sign else (low, high)


def _outward(enclosure: Enclosure) -> tuple[float, float]:
    """Doubles at or next to the ends of an enclosure; coarser ones outside of 2^-LARGE and 2^LARGE."""
    low, high, exponent = enclosure
    if low < 0 < high:
        return -inf, inf
    if high <= 0:
        near, far = _outward(Enclosure(-high, -low, exponent))
        return -far, -near
    shift = max(low.bit_length(), high.bit_length()) - 53
    if shift > 0:
        low, high, exponent = low >> shift, -(-high >> shift), exponent + shift
    if -LARGE - 53 <= exponent <= LARGE:
        return ldexp(low, exponent), ldexp(high, exponent)
    return (2.0**LARGE if low else 0.0, inf) if exponent > 0 else (0.0, 2.0**-LARGE)


class Cells(NamedTuple):
    """Where the rounding of magnitudes turns, and to what they round from one end to the next.

    Ends are no part of cells; the last cell has no upper one. ``codes`` are by sign, then by cell.
    """

    ends: Doubles
    codes: NDArray[np.uint16]


@lru_cache(64)
def _cells(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, convention: Convention) -> Cells:
    """Rounding turns at numbers and midway between them, and at one end more.

    There what is tiny after rounding ends: a quarter of a quantum below the least normal number. How
    what lies between normal numbers rounds depends on sign, half and last bit, eight cases; of each
    other cell some number is rounded.
    """
    last, normal = fmt.largest_finite, 1 << fmt.fraction_bits
    code = np.arange(last + 2)
    field, fraction = code >> fmt.fraction_bits, code & (normal - 1)
    significand = np.where(field, fraction + normal, fraction).astype(np.float64)
    numbers = np.ldexp(significand, np.maximum(field, 1) - fmt.bias - fmt.fraction_bits)
    ends = np.column_stack((numbers[:-1], (numbers[:-1] + numbers[1:]) / 2)).ravel()
    tiny = numbers[normal] - numbers[1] / 4
    low = np.concatenate((ends[: 2 * normal], [tiny, numbers[normal]]))
    high = np.append(ends[2 * last :], (numbers[-1], 2 * numbers[-1]))

    def between(sign: int, ends: Doubles) -> list[int]:
        middles = [(Fraction(a) + Fraction(b)) / 2 for a, b in pairwise(ends.tolist())]
        values = [Value(Kind.FINITE, sign, middle) for middle in middles]
        return [round_to(fmt, mode, policy, value, convention) for value in values]

    codes = []
    for sign in (0, 1):
        even_odd = [round_to_multiple(Fraction(1), mode, sign, Fraction(n, 4)) for n in (1, 3, 5, 7)]
        up = np.array([each.rounds_up for each in even_odd])
        halves = np.arange(2 * normal, 2 * last)
        rounded = (halves // 2 + up[halves % 4]) | sign << fmt.magnitude_bits
        codes.append([*between(sign, low), *rounded.tolist(), *between(sign, high)])
    return Cells(np.insert(np.append(ends, numbers[-1]), 2 * normal, tiny), np.array(codes, np.uint16))
