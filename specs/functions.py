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

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise
from math import inf, ldexp, nan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosed_tables, enclosures, large_angles, taylor
from spikeproof.specs.conventions import IEEE, Convention, SubnormalResults
from spikeproof.specs.enclosures import Enclosure
from spikeproof.specs.exact import (
    NAN,
    Kind,
    Real,
    Root,
    Value,
    decode,
    fields,
    floor_log2,
    floor_multiple,
    flush_operand,
    flushed_zero,
    power_of_two,
    quantum,
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
    2^-k, as the limit is infinite or zero, for any k of at least 16. ``least``: of numbers below that
    there is no value. ``symmetry``: -1 of odd functions, 1 of even ones.
    """

    words: str
    at_zero: Value | None
    limits: tuple[Value, Value]
    enclosing: Callable[[Fraction, int], Enclosure]
    rational: Callable[[Fraction], Value | None] = lambda x: None
    powers: tuple[int, int] = (0, 0)
    least: float = -inf
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
    """ln 1 is +0."""
    return ZERO if x == 1 else None


def _logarithm_to_base_2(x: Fraction) -> Value | None:
    k = exponent_of(x)
    return None if k is None else finite(Fraction(k))


def _logarithm_of_1_plus(x: Fraction) -> Value | None:
    return NEGATIVE_INFINITY if x == -1 else None


def _reciprocal_root(x: Fraction) -> Value:
    return Value(Kind.FINITE, 0, Root(1 / x))


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
    "log": Function(
        "ln x", NEGATIVE_INFINITY, (INFINITY, NAN), enclosures.logarithm, _logarithm, least=0
    ),
    "log2": Function(
        "log2 x",
        NEGATIVE_INFINITY,
        (INFINITY, NAN),
        enclosures.logarithm_to_base_2,
        _logarithm_to_base_2,
        least=0,
    ),
    "log1p": Function(
        "ln(1 + x)",
        None,
        (INFINITY, NAN),
        enclosures.logarithm_of_1_plus,
        _logarithm_of_1_plus,
        least=-1,
    ),
    "reciprocal": Function(
        "1/x", POLE, (ZERO, NEGATIVE_ZERO), _never, lambda x: finite(1 / x), symmetry=-1
    ),
    "rsqrt": Function("1/sqrt x", POLE, (ZERO, NAN), _never, _reciprocal_root, least=0),
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
    if is_beyond(function, fmt, x.signed):
        limit, exponent = definition.limits[x.sign], farthest(fmt)
        if limit.kind is not Kind.INFINITE:
            exponent = -exponent
        return Value(Kind.FINITE, limit.sign, power_of_two(exponent))
    return NAN if x.signed < definition.least else definition.rational(x.signed)


def is_beyond(function: str, fmt: Format, x: Fraction) -> bool:
    """Whether a function of x rounds as ``farthest`` says, since x is so large."""
    power = DEFINITIONS[function].powers[x < 0]
    return bool(power) and abs(x) ** power >= power * farthest(fmt)


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


def results_within(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    places: int,
    *,
    convention: Convention = IEEE,
) -> tuple[int, int]:
    """What the numbers nearer to zero and farther than a function's value by so little round to.

    That little is 2^-places of a unit in the last place, the distance of neighbouring numbers around the
    value (``specs.exact.quantum``). Whatever lies between rounds to one of these codes or to one between
    them, and to nearest is no farther from the value than half a unit and that little. Of a value that
    is rational or special both codes are the result.

    Raises:
        KeyError, ValueError: as ``compute``.
    """
    rounding = mode, policy
    result = compute(function, fmt, *rounding, x, convention=convention)
    value = exact_value(function, fmt, decode(fmt, flush_operand(fmt, convention, x)))
    if not isinstance(value.magnitude, Real):
        return result, result
    little = floor_log2(quantum(fmt, value.magnitude)) - places
    nearer, farther = (
        Real(partial(_moved, value.magnitude.enclosing, little, by), value.magnitude.argument)
        for by in ((1, -1) if value.sign else (-1, 1))
    )
    ends = [Value(Kind.FINITE, value.sign, each) for each in (nearer, farther)]
    if nearer.sign != value.sign:
        ends[0] = Value(Kind.FINITE, value.sign)
    low, high = (round_to(fmt, *rounding, end, convention) for end in ends)
    return low, high


def _moved(
    enclosing: Callable[[Any, int], Enclosure], exponent: int, by: int, argument: Any, bits: int
) -> Enclosure:
    """The enclosure of a value plus ``by * 2^exponent``."""
    found = enclosing(argument, bits)
    found = found.at(min(found.exponent, exponent))
    more = by << exponent - found.exponent
    return Enclosure(found.low + more, found.high + more, found.exponent)


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
# The same definition, done quicker: one enclosure for each operand, by doubles, serves all modes; it is
# looked for among the numbers where rounding turns. What lies between two of them rounds as any number
# there does. Enclosures are made of all operands at once (``specs.enclosed_tables``). Where one of the
# numbers lies within, they are made by integers, the ends rounded outward; and then ``compute`` says.

QUICK_BITS = 60
"""Of enclosures by integers: some more than a double has."""

LARGE = 900
"""Of formats that are done so, every number is between 2^-LARGE and 2^LARGE: it is a double, and so is
what lies midway."""

Doubles = NDArray[np.float64]
Codes = NDArray[np.uint32]
Places = NDArray[np.int64]
Truths = NDArray[np.bool_]
Signs = int | NDArray[np.int64]
Ends = tuple[float, float]


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
    results[every.known.get(NAN, [])] = result_nan(function, fmt, fmt, convention, ())
    for code in _nans(fmt):
        results[code] = result_nan(function, fmt, fmt, convention, (code,))
    for code in np.flatnonzero(left).tolist():
        results[code] = compute(function, fmt, mode, policy, code, convention=convention)
    return results[_counted(fmt, convention)]


@lru_cache(64)
def _nans(fmt: Format) -> tuple[int, ...]:
    return tuple(filter(fmt.is_nan, range(1 << fmt.width)))


@lru_cache(64)
def _counted(fmt: Format, convention: Convention) -> Places:
    """The code that counts in place of each."""
    given = np.arange(1 << fmt.width)
    for code in range(1, 1 << fmt.fraction_bits):  # whatever may be subnormal
        for each in (code, fmt.sign_mask | code):
            given[each] = flush_operand(fmt, convention, each)
    return given


class EveryValue(NamedTuple):
    """The values at all codes: those that are known, with their codes, and doubles around the others.

    A value lies strictly between ``low`` and ``high``, which are NaN where it is known.
    """

    known: dict[Value, Places]
    low: Doubles
    high: Doubles


def decided_results(
    every: EveryValue, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, convention: Convention
) -> tuple[NDArray[np.uint16], Truths]:
    """The codes that values round to, and where that needs narrower enclosures; not where one is NaN."""
    results = np.zeros(len(every.low), np.uint16)
    for value, places in every.known.items():
        if value.kind is not Kind.NAN:
            results[places] = round_to(fmt, mode, policy, value, convention)
    undecided = ~np.isnan(every.low)
    if _are_doubles(fmt):
        signs, cells, decided = _placed(fmt, every.low, every.high)
        results[decided] = _codes(fmt, mode, policy, convention)[signs[decided], cells[decided]]
        undecided &= ~decided
    return results, undecided


def _are_doubles(fmt: Format) -> bool:
    return max(fmt.maximum_exponent, fmt.fraction_bits - fmt.minimum_exponent) < LARGE - 2


def _placed(fmt: Format, low: Doubles, high: Doubles) -> tuple[Places, Places, Truths]:
    """The signs of what lies strictly between two doubles, between which ends magnitudes are, and where.

    Where not, or if a double is NaN, the last is false.
    """
    ends = _ends(fmt)
    negative = high <= 0
    near, far = np.where(negative, -high, low), np.where(negative, -low, high)
    cells = np.searchsorted(ends, near, side="right") - 1
    # NaN compares with nothing.
    decided = (near >= 0) & (far <= np.append(ends, np.inf)[cells + 1])
    return negative.astype(np.int64), cells, decided


@lru_cache(64)
def _every_value(function: str, fmt: Format) -> EveryValue:
    """The values of a function at all codes of a format, before rounding."""
    codes = np.arange(1 << fmt.width)
    low, high = np.full((2, len(codes)), nan)
    alike, left = codes, codes
    if is_narrow(fmt) and fmt.precision <= enclosed_tables.MOST_PRECISION:
        numbers = _numbers(fmt)
        alike, asked = _alike(function, fmt, numbers)
        low[asked], high[asked] = enclosed_tables.ends(function, numbers[asked])
        left = np.flatnonzero(~_placed(fmt, low, high)[-1])
    _, first, groups = np.unique(alike[left], return_index=True, return_inverse=True)
    few = _collected(_quick_value(function, fmt, code) for code in left[first].tolist())
    low[left], high[left] = few.low[groups], few.high[groups]
    members = np.split(left[np.argsort(groups, kind="stable")], np.cumsum(np.bincount(groups))[:-1])
    known = {value: np.concatenate([members[n] for n in ns]) for value, ns in few.known.items()}
    return EveryValue(known, low, high)


def _quick_value(function: str, fmt: Format, code: int) -> Value | Ends:
    """The value at a code, if it is known; else doubles around it."""
    x = decode(fmt, code)
    value = known_value(function, fmt, x)
    return value or _outward(DEFINITIONS[function].enclosing(x.signed, QUICK_BITS))


def is_narrow(fmt: Format) -> bool:
    """Whether every number is between 2^-160 and 2^160."""
    return farthest(fmt) <= 160


@lru_cache(16)
def _numbers(fmt: Format) -> Doubles:
    """The number of every code, of formats of which all are doubles; an infinity, or NaN."""
    magnitudes = np.full(fmt.sign_mask, nan)
    magnitudes[: fmt.largest_finite + 1] = _magnitudes(fmt, fmt.largest_finite + 1)
    if fmt.has_infinity:
        magnitudes[fmt.infinity] = inf
    numbers = np.concatenate((magnitudes, -magnitudes))
    numbers[list(_nans(fmt))] = nan
    return numbers


def _magnitudes(fmt: Format, count: int) -> Doubles:
    """The numbers of the first codes, going on beyond the largest one."""
    field, fraction = np.divmod(np.arange(count), 1 << fmt.fraction_bits)
    significand = np.where(field, fraction + (1 << fmt.fraction_bits), fraction).astype(np.float64)
    numbers: Doubles = np.ldexp(significand, np.maximum(field, 1) - fmt.bias - fmt.fraction_bits)
    return numbers


def _alike(function: str, fmt: Format, numbers: Doubles) -> tuple[Places, Truths]:
    """Words that are equal where a function's values are, and numbers that may have to be enclosed."""
    least, last = DEFINITIONS[function].least, fmt.largest_finite
    asked = np.isfinite(numbers) & (numbers != 0) & (numbers > least)
    alike = np.where(numbers < least, nan, numbers)
    for sign in (0, 1):
        codes = range(sign << fmt.magnitude_bits | 1, (sign << fmt.magnitude_bits | last) + 1)
        first = bisect_left(
            codes, True, key=lambda code: is_beyond(function, fmt, decode(fmt, code).signed)
        )
        beyond = list(codes[first:])
        asked[beyond], alike[beyond] = False, alike[beyond[:1]]
    if function in PERIODIC:
        alike = np.fmod(alike, 2, where=np.isfinite(alike), out=alike)
    return alike.view(np.int64), asked


def every_value(values: Iterable[Value]) -> EveryValue:
    """The same of given values."""
    return _collected(map(_enclosed_quickly, values))


def _enclosed_quickly(value: Value) -> Value | Ends:
    """Of a value that is enclosed, doubles around it; any other as it is."""
    magnitude = value.magnitude
    if not isinstance(magnitude, Real):
        return value
    low, high = _outward(magnitude.enclosing(magnitude.argument, QUICK_BITS))
    return (-high, -low) if value.sign else (low, high)


def _collected(values: Iterable[Value | Ends]) -> EveryValue:
    """Known values, and doubles around others."""
    known: dict[Value, list[int]] = {}
    ends: list[Ends] = []
    for place, value in enumerate(values):
        if not isinstance(value, Value):
            ends.append(value)
        elif _may_be_dyadic(value):
            known.setdefault(value, []).append(place)
            ends.append((nan, nan))
        else:
            ends.append(_around(value))
    low, high = np.array(ends).reshape(-1, 2).T
    return EveryValue({value: np.array(places) for value, places in known.items()}, low, high)


def _may_be_dyadic(value: Value) -> bool:
    """Whether a value may be a number where rounding turns; or none at all."""
    magnitude = value.magnitude
    if isinstance(magnitude, Fraction):
        return not magnitude.denominator & (magnitude.denominator - 1)
    return not isinstance(magnitude, Root)


def _around(value: Value) -> Ends:
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


def _outward(enclosure: Enclosure) -> Ends:
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


# Where the rounding of magnitudes turns: at numbers and midway between them, and at one end more. There
# what is tiny after rounding ends: a quarter of a quantum below the least normal number. A *cell* is
# what lies from one end to the next, or beyond the last one; ends are no part of cells.


@lru_cache(64)
def _ends(fmt: Format) -> Doubles:
    numbers = _magnitudes(fmt, fmt.largest_finite + 2)
    ends = np.column_stack((numbers[:-1], (numbers[:-1] + numbers[1:]) / 2)).ravel()
    normal = 1 << fmt.fraction_bits
    tiny = numbers[normal] - numbers[1] / 4
    return np.insert(np.append(ends, numbers[-1]), 2 * normal, tiny)


@lru_cache(64)
def _codes(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, convention: Convention
) -> NDArray[np.uint16]:
    """What magnitudes round to: by sign, then by cell.

    How what lies between normal numbers rounds depends on sign, half and last bit, eight cases; of each
    other cell some number is rounded.
    """
    last, normal, ends = fmt.largest_finite, 1 << fmt.fraction_bits, _ends(fmt)

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
        below = between(sign, ends[: 2 * normal + 2])
        beyond = between(sign, np.append(ends[-3:], 2 * ends[-1]))
        codes.append([*below, *rounded.tolist(), *beyond])
    return np.array(codes, np.uint16)


# --- blocks of operands -------------------------------------------------------------------------
#
# Of formats of up to 32 bits, whose operands are too many to be enclosed one by one. Of a stretch of
# consecutive codes either all results are alike, by monotony; or the function is next to a multiple of
# its operand; or a polynomial encloses it (``specs.taylor``). Else the stretch is halved. What is
# enclosed between two doubles rounds as above; where that is not decided, ``compute`` says.

FEW = 16
"""So many codes are computed one by one."""

MOST = 1 << 18
"""Codes that one polynomial serves at most."""

PART = 1 << 14
"""Codes at a time: what is computed of them stays near the processor."""

MONOTONE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("exp", "exp2", "expm1", "tanh", "sigmoid", "softplus", "erf"), (-inf, inf)),
    **dict.fromkeys(("log", "log2", "log1p", "reciprocal", "rsqrt"), (-inf, inf)),
    **dict.fromkeys(("silu", "gelu", "gelu_tanh"), (-inf, -2.0)),
    **{"cos": (-3.0, 3.0), "cos_pi": (-1.0, 1.0)},
}
"""Between which operands of one sign a function grows, or falls, where it is a number.

Where it is none it is none for all operands from there on, so that stretches with alike ends are alike.
The derivatives of the three are s (1 + x (1 - s) w'), s being a logistic function of w = x or of more,
which is less than 1/7 for x <= -2, and w' at least 1; and n'(x) x + n(x), whose own derivative is
n'(x) (2 - x^2): it falls from 0 at minus infinity. So all fall there.
"""


CIRCULAR = {"sin": 0, "cos": 1}
"""Sines of the operand and so many quarters of a turn."""

LARGE_ANGLE = 64
"""From here on a polynomial would serve few codes."""

PERIODIC = ("sin_pi", "cos_pi")
"""Those of which 2 is a period, zeros having the sign of the operand or none."""


class Line(NamedTuple):
    """Where |x| is from ``low`` to ``high``, f(x) is ``slope`` times x but for less than ``NEXT`` of it.

    ``sides``: of positive and negative x, 1 if the magnitude of f(x) is the larger one, -1 if it is the
    smaller one, 0 if there is no such line.
    """

    low: float
    high: float
    slope: float
    sides: tuple[int, int]


NEXT = 2.0**-35

LINES: dict[str, tuple[Line, ...]] = {
    "sin": (Line(0, 2.0**-17, 1, (-1, -1)),),
    "tanh": (Line(0, 2.0**-17, 1, (-1, -1)),),
    "expm1": (Line(0, NEXT, 1, (1, -1)),),
    "log1p": (Line(0, NEXT, 1, (-1, 1)),),
    "softplus": (Line(24, inf, 1, (1, 0)),),
    "silu": (Line(0, NEXT, 0.5, (1, -1)), Line(25, inf, 1, (-1, 0))),
    "gelu": (Line(0, NEXT, 0.5, (1, -1)), Line(7, inf, 1, (-1, 0))),
    "gelu_tanh": (Line(0, NEXT, 0.5, (1, -1)), Line(6, inf, 1, (-1, 0))),
}
"""Of functions that have such lines.

sin x = x - x^3/6 + ..., tanh x = x - x^3/3 + ..., e^x - 1 = x + x^2/2 + ..., ln(1 + x) = x - x^2/2 + ...
The share that the last three have of x is 1/2 + x/4 - ..., 1/2 + x/sqrt(2 pi) - ..., and the same again.
Farther on, softplus is x + ln(1 + e^-x), and less than e^-24 / 24 = 2^-39 is left out of x; of SiLU
e^-25 = 2^-36; of GELU the normal tail at 7, 2^-39; of that by tanh e^-w, w being 24.98 at 6: 2^-36.
"""


def results_from(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    first: int,
    count: int,
    *,
    convention: Convention = IEEE,
) -> NDArray[np.uint32]:
    """``compute`` of ``count`` codes from ``first`` on, of a format of up to 32 bits, in order.

    Formats whose numbers are not all from 2^-160 to 2^160 are done code by code.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider, if ``count`` is no power of two or ``first`` no multiple of
            it, if these are no codes of the format, or the policy or convention none of its own.
    """
    if fmt.width > 32:
        raise ValueError(f"{fmt.name} has {fmt.width} bits; results are told of at most 32")
    if count < 1 or count & (count - 1) or first % count or not 0 <= first <= (1 << fmt.width) - count:
        raise ValueError(f"{count} codes from {first:#x} on are no block of codes of {fmt.name}")
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    results = np.empty(count, np.uint32)
    _Blocks(function, fmt, mode, policy, convention).fill(first, results)
    return results


class Turns(NamedTuple):
    """How magnitudes round that are no numbers of the format, nor midway between two.

    ``up``: 1 if away from zero, just above an even number, just above the half that follows, and so on
    of an odd one; then the same of negative numbers. ``added``: the same, for each sign, as what is
    added to halves before one of two is cut off; None if no number does that. ``beyond``: the codes, of
    both signs, of what rounds beyond the largest number.
    """

    up: NDArray[np.int64]
    added: tuple[int | None, ...]
    beyond: NDArray[np.int64]


@lru_cache(64)
def _turns(fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Turns:
    up = [
        [int(round_to_multiple(Fraction(1), mode, sign, Fraction(n, 4)).rounds_up) for n in (1, 3, 5, 7)]
        for sign in (0, 1)
    ]
    added = tuple(
        next((n for n in range(3) if [half + n >> 1 for half in range(4)] == rounded), None)
        for rounded in ([(half >> 1) + more for half, more in enumerate(each)] for each in up)
    )
    largest = [Value(Kind.FINITE, sign, power_of_two(farthest(fmt))) for sign in (0, 1)]
    beyond = [round_to(fmt, mode, policy, each) for each in largest]
    return Turns(np.array(up, np.int64).ravel(), added, np.array(beyond, np.int64))


def halves_below(fmt: Format, magnitudes: Doubles) -> NDArray[np.int64]:
    """Twice the code of the number next below, and 1 if half of the way to the following one is reached.

    So says a double by its bits, if it is as large as a normal number; below, numbers are equally far
    apart. Codes go on beyond the largest number.
    """
    bits = magnitudes.view(np.int64)
    halves: NDArray[np.int64] = (bits >> 51 - fmt.fraction_bits) - (1023 - fmt.bias << fmt.precision)
    least = 2.0**fmt.minimum_exponent
    if magnitudes.min() < least:
        multiples = (
            np.minimum(magnitudes, least) * 2.0 ** (fmt.precision - fmt.minimum_exponent)
        ).astype(np.int64)
        halves = np.where(magnitudes < least, multiples, halves)
    return halves


def halves_between(
    fmt: Format, near: Doubles, far: Doubles
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """``halves_below`` what lies strictly between two magnitudes, and where that may have another one.

    What is near may come to less than 0; what is far does not.
    """
    below = far.view(np.int64) - 1
    if near.min() >= 2.0**fmt.minimum_exponent:  # as ``halves_below``, but the constant goes once
        cut = 51 - fmt.fraction_bits
        halves: NDArray[np.int64] = near.view(np.int64) >> cut
        undecided = halves != below >> cut
        halves -= 1023 - fmt.bias << fmt.precision
        return halves, undecided
    halves = halves_below(fmt, np.maximum(near, 0))
    return halves, halves != halves_below(fmt, below.view(np.float64))


@lru_cache(64)
def _steps(count: int) -> Doubles:
    """From -1 to 1, which is left out, in so many steps."""
    return np.arange(-1, 1, 2 / count)


Part = tuple[Signs, NDArray[np.int64], NDArray[np.bool_]]
"""One sign or one each; ``halves_below`` magnitudes that are enclosed; and where that is not decided."""


@lru_cache(8)
def _parts(function: str, fmt: Format, first: int, count: int) -> list[Part] | None:
    """How values lie of a stretch of codes, ``PART`` by ``PART``; None if there is no way for all of it.

    It serves every mode: of some stretches it is kept, for whoever asks for one mode after another.
    """
    stretch = _Stretch(function, fmt, first, count)
    return stretch.by_line() or stretch.by_large_angles() or stretch.by_polynomial()


def _operand(fmt: Format, code: int) -> tuple[int, int, int]:
    """Sign, significand and exponent of a number."""
    sign, field, significand = fields(fmt, code)
    if field:
        significand += 1 << fmt.fraction_bits
    return sign, significand, max(field, 1) - fmt.bias - fmt.fraction_bits


@dataclass(frozen=True)
class _Stretch:
    """Consecutive codes, of which none is zero, with one sign and exponent field."""

    function: str
    fmt: Format
    first: int
    count: int

    def parts_from(self, begin: int) -> Iterator[tuple[int, int]]:
        """Where parts begin and end, if the first code has this number."""
        for start in range(begin, begin + self.count, PART):
            yield start, min(start + PART, begin + self.count)

    def by_line(self) -> list[Part] | None:
        """Next to a multiple of the operand, if it is so."""
        sign, significand, exponent = _operand(self.fmt, self.first)
        near, far = (ldexp(each, exponent) for each in (significand, significand + self.count))
        lines = LINES.get(self.function, ())
        line = next((each for each in lines if each.low <= near and far <= each.high), None)
        if line is None or not line.sides[sign]:
            return None
        slope, side = ldexp(line.slope, exponent), line.sides[sign]
        found: list[Part] = []
        for begin, end in self.parts_from(significand):
            exact = np.arange(begin, end, dtype=np.float64) * slope
            other = exact * (1 + 2 * NEXT * side)
            ends = (exact, other) if side > 0 else (other, exact)
            found.append((sign, *halves_between(self.fmt, *ends)))
        return found

    def by_large_angles(self) -> list[Part] | None:
        """Sines and cosines of numbers of at least ``LARGE_ANGLE``."""
        sign, significand, exponent = _operand(self.fmt, self.first)
        if self.function not in CIRCULAR or ldexp(significand, exponent) < LARGE_ANGLE:
            return None
        found: list[Part] = []
        for begin, end in self.parts_from(significand):
            significands = np.arange(begin, end, dtype=np.uint64)
            signs, near, far = large_angles.sines(significands, exponent, CIRCULAR[self.function])
            if near.min() <= 0:
                return None
            if sign and DEFINITIONS[self.function].symmetry < 0:
                signs = 1 - signs
            found.append((signs, *halves_between(self.fmt, near, far)))
        return found

    def by_polynomial(self) -> list[Part] | None:
        """By a polynomial, if one encloses the function closely enough."""
        fmt, half = self.fmt, self.count // 2
        sign, significand, exponent = _operand(fmt, self.first)
        if 2 * half > MOST or 16 * half > significand:
            return None
        shift = taylor.BITS + exponent
        centre, reach = ((-1) ** sign * each << shift for each in (significand + half, half))
        if is_beyond(self.function, fmt, Fraction(centre + reach, taylor.ONE)):
            return None
        value = self.value_at(Fraction(centre, taylor.ONE))
        if value is None:
            return None
        quantum = 1 << taylor.BITS + fmt.minimum_exponent - fmt.fraction_bits
        found = taylor.polynomial(self.function, centre, reach, value, fmt.fraction_bits, quantum)
        if found is None:
            return None
        steps, result_sign = _steps(2 * half), int(value[1] <= 0)
        parts: list[Part] = []
        for begin, end in self.parts_from(0):
            magnitude = found.at(steps[begin:end])
            ends = magnitude - found.error, magnitude + found.error
            parts.append((result_sign, *halves_between(fmt, *ends)))
        return parts

    def value_at(self, x: Fraction) -> taylor.Interval | None:
        """The function of a number, enclosed; None if there is none."""
        known = known_value(self.function, self.fmt, Value(Kind.FINITE, int(x < 0), abs(x)))
        if known is None:
            return taylor.around(DEFINITIONS[self.function].enclosing(x, taylor.PRECISION))
        if known.kind is not Kind.FINITE:
            return None
        magnitude, _ = floor_multiple(known.magnitude, Fraction(1, taylor.ONE))
        value = magnitude, magnitude + 1
        return taylor.minus(value) if known.sign else value


class _Blocks:
    """Results of a function, rounded in some way."""

    def __init__(
        self,
        function: str,
        fmt: Format,
        mode: RoundingMode,
        policy: OverflowPolicy,
        convention: Convention,
    ) -> None:
        self.function, self.fmt, self.convention = function, fmt, convention
        self.rounding = mode, policy
        self.computed: dict[int, int] = {}

    def compute(self, code: int) -> int:
        """The definition; stretches that are halved ask for their ends again."""
        if code not in self.computed:
            given = self.function, self.fmt, *self.rounding, code
            self.computed[code] = compute(*given, convention=self.convention)
        return self.computed[code]

    def fill(self, first: int, results: Codes) -> None:
        """The results of as many codes as there is room for."""
        count = len(results)
        if count <= FEW or not is_narrow(self.fmt):
            results[:] = [self.compute(code) for code in range(first, first + count)]
        elif not self.fill_at_once(first, results):
            half = count // 2
            self.fill(first, results[:half])
            self.fill(first + half, results[half:])

    def fill_at_once(self, first: int, results: Codes) -> bool:
        """The same if there is a way, and whether there was."""
        fmt, last = self.fmt, first + len(results) - 1
        nans = [fmt.is_nan(code) for code in (first, last)]
        if any(nans):
            if all(nans):
                self.fill_nans(first, results)
            return all(nans)
        ends = [decode(fmt, code) for code in (first, last)]
        if ends[0].sign != ends[1].sign:
            return False
        if flush_operand(fmt, self.convention, first | 1) != first | 1:
            flushed = flush_operand(fmt, self.convention, last) != last and not ends[0].is_zero
            if flushed:
                results[:] = self.compute(last)
            return flushed
        if self.are_alike(first, last, ends):
            results[:] = self.compute(last)
            return True
        if first >> fmt.fraction_bits != last >> fmt.fraction_bits or ends[0].is_zero:
            return False
        return self.fill_periods(first, results) or self.fill_parts(first, results)

    def fill_nans(self, first: int, results: Codes) -> None:
        """All of them NaN: they are handed on, made quiet, or become some one code."""
        one, other = self.compute(first), self.compute(first + len(results) - 1)
        codes = np.arange(first, first + len(results), dtype=np.uint32)
        results[:] = one if one == other else codes | self.fmt.canonical_nan

    def are_alike(self, first: int, last: int, ends: list[Value]) -> bool:
        """Whether all results are, since the function is monotone and those at both ends are alike."""
        low, high = MONOTONE.get(self.function, (0, 0))
        sizes = [float(end.rational) if end.kind is Kind.FINITE else inf for end in ends]
        x = [-size if end.sign else size for size, end in zip(sizes, ends, strict=True)]
        return low <= min(x) and max(x) <= high and self.compute(first) == self.compute(last)

    def fill_periods(self, first: int, results: Codes) -> bool:
        """Again and again those of the first period of 2, or of the first code, of numbers from 2 on."""
        _, significand, exponent = _operand(self.fmt, first)
        period = 2 ** max(0, 1 - exponent)
        if self.function not in PERIODIC or significand < period or len(results) <= period:
            return False
        self.fill(first, results[:period])
        results[period:].reshape(-1, period)[:] = results[:period]
        return True

    def fill_parts(self, first: int, results: Codes) -> bool:
        """By what encloses the values, if anything does."""
        parts = _parts(self.function, self.fmt, first, len(results))
        if parts is None:
            return False
        for start, part in zip(range(0, len(results), PART), parts, strict=True):
            self.round(first + start, part, results[start : start + PART])
        return True

    def round(self, first: int, part: Part, results: Codes) -> None:
        """The results of a part."""
        fmt, flush = self.fmt, self.convention.subnormal_results
        turns = _turns(fmt, *self.rounding)
        sign, halves, undecided = part
        added = turns.added[sign] if isinstance(sign, int) else None
        if added is None:
            codes = (halves >> 1) + turns.up[(halves & 3) + 4 * sign]
        else:
            codes = halves + added >> 1
        found = codes | sign << fmt.magnitude_bits
        if halves.max() >> 1 >= fmt.largest_finite:
            found = np.where(codes > fmt.largest_finite, turns.beyond[sign], found)
        if not fmt.has_negative_zero:
            found[codes == 0] = 0
        if flush is not SubnormalResults.GRADUAL:
            normal = 1 << fmt.fraction_bits
            if flush is SubnormalResults.ZERO_CODE:
                tiny = (codes > 0) & (codes < normal)
            else:
                tiny = halves < 2 * normal
            zeros = np.array([flushed_zero(fmt, self.convention, each) for each in (0, 1)])
            found = np.where(tiny, zeros[sign], found)
            if flush is SubnormalResults.ZERO_AFTER:
                undecided = undecided | (halves == 2 * normal - 1)
        results[:] = found
        for place in np.flatnonzero(undecided).tolist():
            results[place] = self.compute(first + place)
