"""The formulas of IEEE 754-2019 clause 5's other operations: those of ``specs.exact_general``.

As ``specs.symbolic``, on which it is built.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVSLT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVNeg,
    BVNot,
    BVSub,
    Equals,
    Ite,
    Not,
    Or,
)

from spikeproof.specs import symbolic
from spikeproof.specs.conventions import IEEE, Convention, IntegerInexact
from spikeproof.specs.formats import CLASSES, Format, OverflowPolicy, RoundingMode
from spikeproof.specs.symbolic import (
    Exact,
    Operand,
    append_zeros,
    bit,
    exceptions,
    flags_word,
    flush_operand,
    from_bool,
    is_signalling,
    nan_signals,
    result_nan,
    rounds_up,
    shift_out_leading_zeros,
    shift_right_jamming,
    sign_extend,
    signed_constant,
    unpack,
    with_sign,
    zero_extend,
)

# --- operations that round ----------------------------------------------------------------------


def rounded_to_integral(mode: RoundingMode, x: Operand) -> Exact:
    """x rounded to a whole number (clauses 5.9, 6.3).

    A significand whose last bit weighs less than 1 is moved right until it weighs 1, with a guard bit
    and a sticky bit below.
    """
    width = x.exponent.bv_width()
    below = BVSLT(x.exponent, BV(0, width))
    moved = shift_right_jamming(
        append_zeros(x.significand, 2), Ite(below, BVNeg(x.exponent), BV(0, width))
    )
    size = x.significand.bv_width()
    whole, guard, sticky = BVExtract(moved, 2, size + 1), bit(moved, 1), bit(moved, 0)
    up = rounds_up(mode, x.negative, bit(whole, 0), guard, sticky)
    return Exact(
        nan=x.nan,
        infinite=x.infinite,
        negative=x.negative,
        exponent=Ite(below, BV(0, width), x.exponent),
        significand=BVAdd(zero_extend(whole, size + 1), from_bool(up, size + 1)),
    )


def is_integral(x: Operand) -> FNode:
    """Whether a finite number is whole: no bit of its significand weighs less than 1."""
    width = max(x.significand.bv_width(), x.exponent.bv_width())
    significand = zero_extend(x.significand, width)
    places = zero_extend(BVNeg(x.exponent), width)
    whole = BVLShr(significand, places)
    kept = BVLShl(whole, places)
    return Or(BVSLE(BV(0, x.exponent.bv_width()), x.exponent), Equals(kept, significand))


def scaled(mode: RoundingMode, x: Operand, n: FNode) -> Exact:
    """x * 2^n, of a signed n (clause 5.3.3)."""
    width = 1 + max(x.exponent.bv_width(), n.bv_width())
    exponent = BVAdd(sign_extend(x.exponent, width), sign_extend(n, width))
    return Exact(x.nan, x.infinite, x.negative, exponent, x.significand)


def logarithm(mode: RoundingMode, x: Operand) -> Exact:
    """The exponent of the first bit of x's significand (clause 5.3.3: logB)."""
    width = x.exponent.bv_width() + 1
    last = x.significand.bv_width() - 1
    _, zeros = shift_out_leading_zeros(x.significand, width)
    exponent = BVSub(BVAdd(sign_extend(x.exponent, width), signed_constant(last, width)), zeros)
    negative = BVSLT(exponent, BV(0, width))
    return Exact(
        nan=x.nan,
        infinite=Or(x.infinite, x.zero),
        negative=Ite(x.infinite, FALSE(), Or(x.zero, negative)),
        exponent=BV(0, 1),
        significand=Ite(negative, BVNeg(exponent), exponent),
    )


ROUNDED: dict[str, Callable[..., Exact]] = {
    "round_to_integral": rounded_to_integral,
    "scale_b": scaled,
    "log_b": logarithm,
}
"""Operations that round, before they do; the same names as ``specs.exact_general.ROUNDED``."""


def compute(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: FNode,
    *n: FNode,
    convention: Convention = IEEE,
) -> FNode:
    """The result code of one of ``ROUNDED``.

    Args:
        n: of ``scale_b`` a signed integer.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if the format cannot express the policy, or cannot have the convention.
    """
    convention.require_possible(fmt)
    operand = unpack(fmt, flush_operand(fmt, convention, x))
    result = ROUNDED[operation](mode, operand, *n)
    nan = result_nan(operation, fmt, fmt, convention, (x,))
    return symbolic.deliver(fmt, mode, policy, result, nan, convention)


def flags(
    operation: str, fmt: Format, mode: RoundingMode, x: FNode, *n: FNode, convention: Convention = IEEE
) -> FNode:
    """The exceptions that one of ``ROUNDED`` signals, in the order of ``FLAGS`` (clauses 5.9, 7).

    Raises:
        KeyError: if there is no such operation.
    """
    given = flush_operand(fmt, convention, x)
    operand = unpack(fmt, given)
    result = ROUNDED[operation](mode, operand, *n)
    signalled = exceptions(fmt, mode, fmt, (given,), result, convention)
    if operation == "round_to_integral" and convention.integer_inexact is IntegerInexact.RAISED:
        finite = Not(Or(operand.nan, operand.infinite))
        fractional = And(finite, Not(is_integral(operand)))
        signalled["inexact"] = Or(signalled["inexact"], fractional)
    return flags_word(signalled)


# --- operations that do not round ---------------------------------------------------------------


def neighbour(operation: str, fmt: Format, x: FNode, *, convention: Convention = IEEE) -> FNode:
    """The next number above or below; see ``specs.exact_general.neighbour``.

    Codes, read as sign and magnitude, are in the order of numbers: the next one is the next integer.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if the format cannot have the convention.
    """
    convention.require_possible(fmt)
    x = flush_operand(fmt, convention, x)
    step = {"next_up": 1, "next_down": -1}[operation]
    width = fmt.width + 1
    negative = bit(x, fmt.width - 1)
    magnitude = zero_extend(BVExtract(x, 0, fmt.magnitude_bits - 1), width)
    place = BVAdd(Ite(negative, BVNeg(magnitude), magnitude), signed_constant(step, width))
    end = step * (fmt.infinity if fmt.has_infinity else fmt.largest_finite)
    last = signed_constant(end, width)
    place = Ite(BVSLT(last, place) if step > 0 else BVSLT(place, last), last, place)
    # Zero has the sign of what it is reached from.
    moved_negative = Or(BVSLT(place, BV(0, width)), And(negative, Equals(place, BV(0, width))))
    absolute = BVExtract(Ite(bit(place, width - 1), BVNeg(place), place), 0, fmt.magnitude_bits - 1)
    moved = with_sign(fmt, moved_negative, absolute)
    return Ite(unpack(fmt, x).nan, result_nan(operation, fmt, fmt, convention, (x,)), moved)


def neighbour_with_flags(
    operation: str, fmt: Format, x: FNode, *, convention: Convention = IEEE
) -> tuple[FNode, FNode]:
    """The code, and the exceptions that are signalled (clause 5.3.1)."""
    result = neighbour(operation, fmt, x, convention=convention)
    return result, flags_word({"invalid": nan_signals(fmt, convention, x)})


def class_word(fmt: Format, x: FNode) -> FNode:
    """The class of a code as a word with one bit set, in the order of ``CLASSES`` (clause 5.7.2)."""
    operand = unpack(fmt, x)
    signals = is_signalling(fmt, x)
    number = Not(Or(operand.nan, operand.infinite, operand.zero))
    normal = bit(operand.significand, fmt.fraction_bits)
    kinds = {
        "infinity": operand.infinite,
        "normal": And(number, normal),
        "subnormal": And(number, Not(normal)),
        "zero": And(operand.zero, Not(operand.nan)),
    }
    holds = {"signalling_nan": signals, "quiet_nan": And(operand.nan, Not(signals))}
    for kind, is_kind in kinds.items():
        holds[f"negative_{kind}"] = And(operand.negative, is_kind)
        holds[f"positive_{kind}"] = And(Not(operand.negative), is_kind)
    bits = (from_bool(holds[name], 1) for name in CLASSES)
    return reduce(lambda word, next_bit: BVConcat(next_bit, word), bits)


def holds(predicate: str, fmt: Format, x: FNode) -> FNode:
    """Whether a predicate holds of a code, in one bit (clause 5.7.2).

    Raises:
        KeyError: if there is no such predicate.
    """
    operand = unpack(fmt, x)
    special, normal = Or(operand.nan, operand.infinite), bit(operand.significand, fmt.fraction_bits)
    signed = TRUE() if fmt.has_negative_zero else Not(operand.nan)
    return from_bool(
        {
            "is_sign_minus": And(operand.negative, signed),
            "is_normal": And(normal, Not(special)),
            "is_finite": Not(special),
            "is_zero": And(operand.zero, Not(special)),
            "is_subnormal": Not(Or(normal, operand.zero, special)),
            "is_infinite": operand.infinite,
            "is_nan": operand.nan,
            "is_signalling": is_signalling(fmt, x),
        }[predicate],
        1,
    )


def total_order(predicate: str, fmt: Format, x: FNode, y: FNode) -> FNode:
    """Whether one code comes before another or with it, in one bit (clause 5.10).

    Raises:
        KeyError: if there is no such predicate.
    """
    signed = {"total_order": True, "total_order_magnitude": False}[predicate]
    return from_bool(BVSLE(_place(fmt, x, signed), _place(fmt, y, signed)), 1)


def _place(fmt: Format, code: FNode, signed: bool) -> FNode:
    """A signed integer that says where a code stands among all: magnitudes, mirrored below +0."""
    width = fmt.width + 1
    magnitude = zero_extend(BVExtract(code, 0, fmt.magnitude_bits - 1), width)
    negative = bit(code, fmt.width - 1) if signed else FALSE()
    place = Ite(negative, BVNot(magnitude), magnitude)
    if fmt.has_negative_zero:
        return place
    return Ite(unpack(fmt, code).nan, BV(1 << fmt.magnitude_bits, width), place)


def compare_with_flags(
    operation: str, fmt: Format, x: FNode, y: FNode, *, convention: Convention = IEEE
) -> tuple[FNode, FNode]:
    """Whether a predicate holds, in one bit, and the exceptions that it signals (clause 5.11).

    Raises:
        KeyError: if there is no such predicate.
    """
    predicate = operation.removeprefix("signalling_")
    if predicate == operation:
        invalid = Or(is_signalling(fmt, x), is_signalling(fmt, y))
    else:
        invalid = Or(unpack(fmt, x).nan, unpack(fmt, y).nan)
    holds = symbolic.compare(predicate, fmt, x, y, convention=convention)
    return holds, flags_word({"invalid": invalid})
