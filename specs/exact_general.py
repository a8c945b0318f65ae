"""The spec of record of IEEE 754-2019 clause 5's other operations: on whole numbers, exponents, codes.

As ``specs.exact``, on which it is built: a result as if computed with unbounded range and precision,
then one rounding of it; and operations that do not round.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from spikeproof.specs.conventions import IEEE, Convention, IntegerInexact
from spikeproof.specs.exact import (
    HALF,
    RELATIONS,
    Kind,
    Value,
    compare,
    decode,
    decode_integer,
    exceptions,
    fields,
    flags_word,
    floor_log2,
    flush_operand,
    is_signalling,
    nan_signals,
    power_of_two,
    result_nan,
    round_to,
    round_to_multiple,
    rounding_trace,
)
from spikeproof.specs.formats import (
    CLASSES,
    Format,
    OverflowPolicy,
    RoundingMode,
    Specials,
    scale_integer,
)

# --- operations that round ----------------------------------------------------------------------


def rounded_to_integral(mode: RoundingMode, x: Value) -> Value:
    """x rounded to a whole number, its sign kept even where that is zero (clauses 5.9, 6.3)."""
    if x.kind is not Kind.FINITE:
        return x
    whole = round_to_multiple(Fraction(1), mode, x.sign, x.magnitude).magnitude
    return Value(Kind.FINITE, x.sign, whole)


def scaled(mode: RoundingMode, x: Value, n: Value) -> Value:
    """x * 2^n (clause 5.3.3); the mode plays no part in it."""
    if x.kind is not Kind.FINITE:
        return x
    return Value(Kind.FINITE, x.sign, x.rational * power_of_two(int(n.signed)))


def logarithm(mode: RoundingMode, x: Value) -> Value:
    """The exponent of x, as if every number were normal (clause 5.3.3: logB); of zero, -infinity."""
    if x.kind is Kind.NAN:
        return x
    if x.is_zero or x.kind is Kind.INFINITE:
        return Value(Kind.INFINITE, int(x.is_zero))
    exponent = floor_log2(x.magnitude)
    return Value(Kind.FINITE, int(exponent < 0), Fraction(abs(exponent)))


ROUNDED: dict[str, Callable[..., Value]] = {
    "round_to_integral": rounded_to_integral,
    "scale_b": scaled,
    "log_b": logarithm,
}
"""Operations that round, each as its result before rounding, from the mode, x and, if it has one, n."""


def unrounded(
    operation: str, fmt: Format, mode: RoundingMode, x: int, *n: int, convention: Convention = IEEE
) -> Value:
    """The result, before it is rounded to the format, of one of ``ROUNDED`` on codes.

    Args:
        n: of ``scale_b`` the code of an integer of ``scale_integer``.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if a code is none of its format.
    """
    operands = [decode_integer(scale_integer(fmt), code) for code in n]
    return ROUNDED[operation](mode, decode(fmt, flush_operand(fmt, convention, x)), *operands)


def compute(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    *n: int,
    convention: Convention = IEEE,
) -> int:
    """The result code of one of ``ROUNDED``; arguments as of ``unrounded``.

    A whole number beyond the largest finite one overflows: in formats of large fractions and small
    exponents, such as ``fp6_e2m3`` with its 7.5. Everywhere else no rounding is left to do of one.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if a code, the policy or the convention is not one of the format's.
    """
    convention.require_possible(fmt)
    fmt.require_policy(policy)
    result = unrounded(operation, fmt, mode, x, *n, convention=convention)
    if result.kind is Kind.NAN:
        return result_nan(operation, fmt, fmt, convention, (x,))
    return round_to(fmt, mode, policy, result, convention)


def flags(
    operation: str, fmt: Format, mode: RoundingMode, x: int, *n: int, convention: Convention = IEEE
) -> int:
    """The exceptions that one of ``ROUNDED`` signals, in the order of ``FLAGS`` (clauses 5.9, 7).

    Rounding to a whole number signals inexact as roundToIntegralExact does: if that differs from x; and
    not for this where the convention is that conversions to integers do not.
    """
    given = flush_operand(fmt, convention, x)
    result = unrounded(operation, fmt, mode, x, *n, convention=convention)
    signalled = exceptions(fmt, mode, fmt, (given,), result, convention)
    if operation == "round_to_integral" and convention.integer_inexact is IntegerInexact.RAISED:
        signalled["inexact"] |= result != decode(fmt, given)
    return flags_word(signalled)


def trace(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: int,
    *n: int,
    convention: Convention = IEEE,
) -> dict[str, int]:
    """What the definition implies for the signals of a datapath: see ``specs.exact.trace``."""
    result = unrounded(operation, fmt, mode, x, *n, convention=convention)
    signals = rounding_trace(fmt, mode, policy, result)
    signals["result"] = compute(operation, fmt, mode, policy, x, *n, convention=convention)
    return signals


# --- operations that do not round ---------------------------------------------------------------

NEIGHBOURS = ("next_up", "next_down")
"""The operations of clause 5.3.1 that deliver the next number."""


def neighbour(operation: str, fmt: Format, x: int, *, convention: Convention = IEEE) -> int:
    """The least number of the format that compares greater than x, or the largest that compares less.

    Beyond the largest finite number there is infinity; a format that has none stays where it is, and so
    does infinity. What is next to the smallest subnormal number is zero of its sign; NaN becomes what
    the convention says (clause 5.3.1). Nothing is rounded, so no result is flushed.

    Raises:
        KeyError: if the operation is not in ``NEIGHBOURS``.
        ValueError: if the code or the convention is not one of the format's.
    """
    convention.require_possible(fmt)
    x = flush_operand(fmt, convention, x)
    mode, sign = {"next_up": (RoundingMode.UP, 0), "next_down": (RoundingMode.DOWN, 1)}[operation]
    value, policy = decode(fmt, x), fmt.policies[0]
    if value.kind is Kind.NAN:
        return result_nan(operation, fmt, fmt, convention, (x,))
    if value.kind is Kind.INFINITE:
        # Beyond every number in the same direction; else what is just within it is the largest finite.
        return x if value.sign == sign else value.sign << fmt.magnitude_bits | fmt.largest_finite
    # The first number not below a little more than x: nearer to it than any other number is.
    little = HALF * power_of_two(fmt.minimum_exponent - fmt.fraction_bits)
    moved = value.signed + (-little if sign else little)
    return round_to(fmt, mode, policy, Value(Kind.FINITE, int(moved < 0), abs(moved)))


def neighbour_with_flags(
    operation: str, fmt: Format, x: int, *, convention: Convention = IEEE
) -> tuple[int, int]:
    """The code, and the exceptions that are signalled, in the order of ``FLAGS``.

    Invalid alone, for a signalling NaN where the convention has them (clause 5.3.1).
    """
    result = neighbour(operation, fmt, x, convention=convention)
    return result, flags_word({"invalid": nan_signals(fmt, convention, x)})


def class_of(fmt: Format, x: int) -> str:
    """The one of ``CLASSES`` that a code belongs to (clause 5.7.2).

    NaNs of formats with a single one are quiet.
    """
    value, (sign, exponent_field, _) = decode(fmt, x), fields(fmt, x)
    if value.kind is Kind.NAN:
        return "signalling_nan" if is_signalling(fmt, x) else "quiet_nan"
    if value.kind is Kind.INFINITE:
        kind = "infinity"
    elif value.is_zero:
        kind = "zero"
    else:
        kind = "normal" if exponent_field else "subnormal"
    return f"{'negative' if sign else 'positive'}_{kind}"


def class_word(fmt: Format, x: int) -> int:
    """The class of a code as a word with one bit set, in the order of ``CLASSES``."""
    return 1 << CLASSES.index(class_of(fmt, x))


PREDICATES: dict[str, Callable[[str], bool]] = {
    "is_sign_minus": lambda kind: kind.startswith("negative"),
    "is_normal": lambda kind: kind.endswith("_normal"),
    "is_finite": lambda kind: not kind.endswith(("infinity", "nan")),
    "is_zero": lambda kind: kind.endswith("zero"),
    "is_subnormal": lambda kind: kind.endswith("subnormal"),
    "is_infinite": lambda kind: kind.endswith("infinity"),
    "is_nan": lambda kind: kind.endswith("nan"),
    "is_signalling": lambda kind: kind == "signalling_nan",
}
"""The predicates of clause 5.7.2, of numbers each as which of ``CLASSES`` it holds of.

isCanonical holds of every code of a binary format.
"""


def holds(predicate: str, fmt: Format, x: int) -> int:
    """Whether a predicate holds of a code. A NaN has a sign wherever zero has one.

    Raises:
        KeyError: if the predicate is not in ``PREDICATES``.
    """
    if predicate == "is_sign_minus" and fmt.is_nan(x):
        return fields(fmt, x)[0] if fmt.has_negative_zero else 0
    return int(PREDICATES[predicate](class_of(fmt, x)))


TOTAL_ORDERS = ("total_order", "total_order_magnitude")
"""The predicates of clause 5.10."""


def total_order(predicate: str, fmt: Format, x: int, y: int) -> int:
    """Whether x comes before y or with it in the order of all codes; or |x| before |y| (clause 5.10).

    In that order: negative quiet NaNs, negative signalling ones, -infinity, negative numbers, -0, +0,
    and so on back; among NaNs of one kind and sign the payloads, of negative ones the larger first.
    Where there is one NaN alone, without a sign, it comes after all numbers.

    Raises:
        KeyError: if the predicate is not in ``TOTAL_ORDERS``.
    """
    signed = {"total_order": True, "total_order_magnitude": False}[predicate]
    return int(_place(fmt, x, signed) <= _place(fmt, y, signed))


def _place(fmt: Format, code: int, signed: bool) -> tuple[Fraction, ...]:
    """Where a code, or its magnitude, stands among all."""
    value, (sign, _, fraction) = decode(fmt, code), fields(fmt, code)
    if value.kind is Kind.NAN:
        payload = fraction if fmt.specials is Specials.IEEE else 0
        distance = (2, int(not is_signalling(fmt, code)), Fraction(payload))
        sign = sign if fmt.has_negative_zero else 0
    else:
        distance = (int(value.kind is Kind.INFINITE), 0, value.rational)
    direction = -1 if sign and signed else 1
    return tuple(Fraction(direction * each) for each in (*distance, 1))


ABOUT_NAN = ("unordered", "ordered")
"""Predicates that are there to ask for NaNs: none of them signals (tables 5.1 to 5.3)."""

COMPARISONS = (
    *RELATIONS,
    *(f"signalling_{predicate}" for predicate in RELATIONS if predicate not in ABOUT_NAN),
)
"""Predicates with flags."""


def compare_with_flags(
    operation: str, fmt: Format, x: int, y: int, *, convention: Convention = IEEE
) -> tuple[int, int]:
    """Whether a predicate holds, and the exceptions that it signals, in the order of ``FLAGS``.

    Invalid, for a signalling NaN operand; of predicates that signal, for any NaN operand (clause 5.11).

    Raises:
        KeyError: if there is no such predicate.
    """
    predicate = operation.removeprefix("signalling_")
    signals = fmt.is_nan if predicate != operation else lambda code: is_signalling(fmt, code)
    invalid = any(signals(code) for code in (x, y))
    return compare(predicate, fmt, x, y, convention=convention), flags_word({"invalid": invalid})
