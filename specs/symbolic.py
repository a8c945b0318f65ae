"""The symbolic spec: the operations of ``specs.exact`` as pySMT bit-vector formulas.

Parametric in format, mode and policy. The structure follows the definition, not any circuit: operands
become integer significand times power of two, the operation is done exactly on those, and one rounding
function (normalise, denormalise, round, range check) ends every operation.

Widths are in bits. "Unsigned" and "signed" say how a bit-vector is read; exponents are signed.
``tests/test_spec_binding.py`` binds these formulas to the spec of record on every input of every
format of up to 8 bits; ``proofs/adequacy.py`` proves what a reader expects of the rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVSLT,
    BVUGT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVMul,
    BVNeg,
    BVOr,
    BVSExt,
    BVSub,
    BVZExt,
    Equals,
    Iff,
    Ite,
    Not,
    NotEquals,
    Or,
)

from specs.formats import Format, OverflowPolicy, RoundingMode, Specials

# --- bit-vector vocabulary ----------------------------------------------------------------------


def zero_extend(x: FNode, width: int) -> FNode:
    """``x``, read as unsigned, in ``width`` bits."""
    return BVZExt(x, width - x.bv_width())


def sign_extend(x: FNode, width: int) -> FNode:
    """``x``, read as signed, in ``width`` bits."""
    return BVSExt(x, width - x.bv_width())


def signed_constant(value: int, width: int) -> FNode:
    """A possibly negative constant in two's complement."""
    return BV(value % (1 << width), width)


def bit(x: FNode, index: int) -> FNode:
    """Bit ``index`` of ``x`` (0 is the least significant) as a Boolean."""
    return Equals(BVExtract(x, index, index), BV(1, 1))


def from_bool(condition: FNode, width: int) -> FNode:
    """1 or 0 in ``width`` bits."""
    return Ite(condition, BV(1, width), BV(0, width))


def nonzero(x: FNode) -> FNode:
    """Whether any bit is set."""
    return NotEquals(x, BV(0, x.bv_width()))


def append_zeros(x: FNode, count: int) -> FNode:
    """``x`` with ``count`` zero bits below it."""
    return BVConcat(x, BV(0, count)) if count else x


def shift_right_jamming(x: FNode, amount: FNode) -> FNode:
    """``x`` shifted right, its last bit set if any lost bit was set. ``amount`` is unsigned."""
    width = max(x.bv_width(), amount.bv_width())
    wide, by = zero_extend(x, width), zero_extend(amount, width)
    shifted = BVLShr(wide, by)
    lost = NotEquals(BVLShl(shifted, by), wide)
    jammed = BVOr(shifted, from_bool(lost, width))
    return BVExtract(jammed, 0, x.bv_width() - 1)


def shift_out_leading_zeros(x: FNode, width: int) -> tuple[FNode, FNode]:
    """``x`` shifted left until its top bit is set, and by how much, in ``width`` bits.

    For x = 0 the shift is immaterial and the result zero.
    """
    count = BV(0, width)
    for step in reversed(range((x.bv_width() - 1).bit_length())):
        distance = 1 << step
        clear = Not(nonzero(BVExtract(x, x.bv_width() - distance, x.bv_width() - 1)))
        x = Ite(clear, BVLShl(x, BV(distance, x.bv_width())), x)
        count = Ite(clear, BVAdd(count, BV(distance, width)), count)
    return x, count


# --- operands -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """A code taken apart. If finite, its value is (-1)^negative * significand * 2^exponent.

    ``significand`` has the format's precision (hidden bit included, zero for subnormals);
    ``exponent`` is that of the significand's last bit, signed, in ``exponent_width(fmt)`` bits.
    """

    nan: FNode
    infinite: FNode
    zero: FNode
    negative: FNode
    significand: FNode
    exponent: FNode


def exponent_width(fmt: Format) -> int:
    """Bits for the signed exponent of a significand's last bit."""
    return (fmt.bias + fmt.fraction_bits + (1 << fmt.exponent_bits)).bit_length() + 1


def unpack(fmt: Format, code: FNode) -> Operand:
    """Take a code apart (IEEE 754-2019 clause 3.4)."""
    magnitude = BVExtract(code, 0, fmt.magnitude_bits - 1)
    fraction = BVExtract(code, 0, fmt.fraction_bits - 1)
    field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
    subnormal = Not(nonzero(field))
    all_ones = Equals(field, BV((1 << fmt.exponent_bits) - 1, fmt.exponent_bits))
    nan, infinite = {
        Specials.IEEE: (And(all_ones, nonzero(fraction)), And(all_ones, Not(nonzero(fraction)))),
        Specials.FN: (Equals(magnitude, BV(fmt.sign_mask - 1, fmt.magnitude_bits)), FALSE()),
        Specials.FNUZ: (Equals(code, BV(fmt.sign_mask, fmt.width)), FALSE()),
        Specials.FINITE: (FALSE(), FALSE()),
    }[fmt.specials]
    width = exponent_width(fmt)
    effective = Ite(subnormal, BV(1, fmt.exponent_bits), field)
    last_bit_at_zero = signed_constant(-fmt.bias - fmt.fraction_bits, width)
    return Operand(
        nan=nan,
        infinite=infinite,
        zero=Not(nonzero(magnitude)),
        negative=bit(code, fmt.width - 1),
        significand=BVConcat(from_bool(Not(subnormal), 1), fraction),
        exponent=BVAdd(zero_extend(effective, width), last_bit_at_zero),
    )


# --- rounding -----------------------------------------------------------------------------------


def rounds_up(mode: RoundingMode, negative: FNode, odd: FNode, guard: FNode, sticky: FNode) -> FNode:
    """Whether the magnitude becomes the next larger one: one line a mode (clause 4.3)."""
    inexact = Or(guard, sticky)
    return {
        RoundingMode.NEAREST_EVEN: And(guard, Or(sticky, odd)),
        RoundingMode.NEAREST_AWAY: guard,
        RoundingMode.TOWARD_ZERO: FALSE(),
        RoundingMode.UP: And(inexact, Not(negative)),
        RoundingMode.DOWN: And(inexact, negative),
        RoundingMode.TO_ODD: And(inexact, Not(odd)),
    }[mode]


def overflows_to_infinity(mode: RoundingMode, negative: FNode) -> FNode:
    """Whether an overflow goes to infinity rather than the largest finite number (clause 7.4)."""
    return {
        RoundingMode.NEAREST_EVEN: TRUE(),
        RoundingMode.NEAREST_AWAY: TRUE(),
        RoundingMode.TOWARD_ZERO: FALSE(),
        RoundingMode.UP: Not(negative),
        RoundingMode.DOWN: negative,
        RoundingMode.TO_ODD: FALSE(),
    }[mode]


def with_sign(fmt: Format, negative: FNode, magnitude: FNode) -> FNode:
    """The code of a number; zero stays unsigned where the format has no negative zero."""
    if not fmt.has_negative_zero:
        negative = And(negative, nonzero(magnitude))
    return BVConcat(from_bool(negative, 1), magnitude)


def magnitude_constant(fmt: Format, negative: FNode, magnitude: int) -> FNode:
    """The code of a constant magnitude with a sign."""
    return with_sign(fmt, negative, BV(magnitude, fmt.magnitude_bits))


def deliver_infinity(fmt: Format, policy: OverflowPolicy, negative: FNode) -> FNode:
    """The code delivered where IEEE 754 calls for an infinity of this sign."""
    match policy:
        case OverflowPolicy.IEEE:
            return magnitude_constant(fmt, negative, fmt.infinity)
        case OverflowPolicy.SATURATE:
            return magnitude_constant(fmt, negative, fmt.largest_finite)
        case OverflowPolicy.NAN:
            return BV(fmt.canonical_nan, fmt.width)


def deliver_nan(fmt: Format) -> FNode:
    """The canonical NaN; the largest finite number where the format has no NaN."""
    return BV(fmt.canonical_nan if fmt.has_nan else fmt.largest_finite, fmt.width)


def round_to(
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    negative: FNode,
    exponent: FNode,
    significand: FNode,
) -> FNode:
    """The code that (-1)^negative * significand * 2^exponent rounds to.

    Args:
        negative: Boolean.
        exponent: signed, any width.
        significand: unsigned, any width, not necessarily normalised; zero rounds to zero.

    Raises:
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    # Room below the kept bits for a guard bit and a sticky bit.
    padding = max(0, fmt.precision + 2 - significand.bv_width())
    significand = append_zeros(significand, padding)
    size = significand.bv_width()
    largest_exponent = fmt.bias + (1 << fmt.exponent_bits) + size
    width = 1 + max(exponent.bv_width(), largest_exponent.bit_length() + 1)

    # Normalise: from here on ``top`` is the exponent of the first bit.
    significand, count = shift_out_leading_zeros(significand, width)
    first_bit = signed_constant(size - 1 - padding, width)
    top = BVSub(BVAdd(sign_extend(exponent, width), first_bit), count)

    # Denormalise: no exponent is below the format's minimum.
    minimum = signed_constant(fmt.minimum_exponent, width)
    below = BVSLT(top, minimum)
    distance = Ite(below, BVSub(minimum, top), BV(0, width))
    significand = shift_right_jamming(significand, distance)
    top = Ite(below, minimum, top)

    # Round.
    kept = BVExtract(significand, size - fmt.precision, size - 1)
    guard = bit(significand, size - fmt.precision - 1)
    sticky = nonzero(BVExtract(significand, 0, size - fmt.precision - 2))
    up = rounds_up(mode, negative, bit(kept, 0), guard, sticky)
    rounded = BVAdd(zero_extend(kept, fmt.precision + 1), from_bool(up, fmt.precision + 1))

    # Pack, the exponent field still wide; a carry out of the significand moves to the next binade.
    carried = bit(rounded, fmt.precision)
    normal = Or(carried, bit(rounded, fmt.precision - 1))
    biased = BVAdd(top, signed_constant(fmt.bias, width))
    field = BVAdd(Ite(normal, biased, BV(0, width)), from_bool(carried, width))
    magnitude = BVConcat(field, BVExtract(rounded, 0, fmt.fraction_bits - 1))

    # Check the range.
    overflow = BVUGT(magnitude, BV(fmt.largest_finite, magnitude.bv_width()))
    finite = with_sign(fmt, negative, BVExtract(magnitude, 0, fmt.magnitude_bits - 1))
    overflowed = Ite(
        overflows_to_infinity(mode, negative),
        deliver_infinity(fmt, policy, negative),
        magnitude_constant(fmt, negative, fmt.largest_finite),
    )
    return Ite(overflow, overflowed, finite)


# --- operations ---------------------------------------------------------------------------------


def add_operands(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: Operand, y: Operand
) -> FNode:
    """x + y on operands taken apart (clauses 5.4.1, 6.1, 6.3).

    The operand of smaller exponent is shifted right by the difference, with ``precision + 2`` places
    below the larger one and a last, jammed place that stands for whatever is lost beyond them.
    """
    places = fmt.precision + 3
    size = fmt.precision + places + 2  # one bit for the carry, one for the sign
    swap = BVSLT(x.exponent, y.exponent)
    near, far = (
        (
            Ite(swap, second.exponent, first.exponent),
            append_zeros(Ite(swap, second.significand, first.significand), places),
            Ite(swap, second.negative, first.negative),
        )
        for first, second in ((x, y), (y, x))
    )
    aligned = shift_right_jamming(far[1], BVSub(near[0], far[0]))
    total = BVAdd(
        *(
            Ite(negative, BVNeg(zero_extend(magnitude, size)), zero_extend(magnitude, size))
            for magnitude, negative in ((near[1], near[2]), (aligned, far[2]))
        )
    )
    total_negative = bit(total, size - 1)
    exact_zero_negative = Ite(
        Iff(x.negative, y.negative),
        x.negative,
        TRUE() if mode is RoundingMode.DOWN else FALSE(),
    )
    width = exponent_width(fmt) + 1 + places.bit_length()
    finite = round_to(
        fmt,
        mode,
        policy,
        Ite(nonzero(total), total_negative, exact_zero_negative),
        BVSub(sign_extend(near[0], width), BV(places, width)),
        Ite(total_negative, BVNeg(total), total),
    )
    opposite_infinities = And(x.infinite, y.infinite, Not(Iff(x.negative, y.negative)))
    return Ite(
        Or(x.nan, y.nan, opposite_infinities),
        deliver_nan(fmt),
        Ite(
            Or(x.infinite, y.infinite),
            deliver_infinity(fmt, policy, Ite(x.infinite, x.negative, y.negative)),
            finite,
        ),
    )


def add(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: FNode, y: FNode) -> FNode:
    """The code of x + y."""
    return add_operands(fmt, mode, policy, unpack(fmt, x), unpack(fmt, y))


def subtract(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: FNode, y: FNode) -> FNode:
    """The code of x - y, which is x + (-y) (clause 5.4.1)."""
    right = unpack(fmt, y)
    return add_operands(fmt, mode, policy, unpack(fmt, x), replace(right, negative=Not(right.negative)))


def multiply(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: FNode, y: FNode) -> FNode:
    """The code of x * y (clauses 5.4.1, 6.1)."""
    size = 2 * fmt.precision
    factors = (zero_extend(unpack(fmt, code).significand, size) for code in (x, y))
    return multiply_given_product(fmt, mode, policy, x, y, BVMul(*factors))


def multiply_given_product(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: FNode, y: FNode, product: FNode
) -> FNode:
    """The code of x * y, were ``product`` the product of the two significands.

    Args:
        product: unsigned, twice as wide as the precision.
    """
    left, right = unpack(fmt, x), unpack(fmt, y)
    width = exponent_width(fmt) + 1
    exponent = BVAdd(sign_extend(left.exponent, width), sign_extend(right.exponent, width))
    negative = Not(Iff(left.negative, right.negative))
    infinity_times_zero = Or(And(left.infinite, right.zero), And(left.zero, right.infinite))
    return Ite(
        Or(left.nan, right.nan, infinity_times_zero),
        deliver_nan(fmt),
        Ite(
            Or(left.infinite, right.infinite),
            deliver_infinity(fmt, policy, negative),
            round_to(fmt, mode, policy, negative, exponent, product),
        ),
    )


def convert(
    source: Format, target: Format, mode: RoundingMode, policy: OverflowPolicy, x: FNode
) -> FNode:
    """The code in ``target`` of a code of ``source`` (clause 5.4.2)."""
    operand = unpack(source, x)
    finite = round_to(target, mode, policy, operand.negative, operand.exponent, operand.significand)
    return Ite(
        operand.nan,
        deliver_nan(target),
        Ite(operand.infinite, deliver_infinity(target, policy, operand.negative), finite),
    )


OPERATIONS: dict[str, Callable[[Format, RoundingMode, OverflowPolicy, FNode, FNode], FNode]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
}
"""The binary operations by name; the same names as ``specs.exact.EXACT_OPERATIONS``."""


# --- operations that do not round ---------------------------------------------------------------


def _order_key(fmt: Format, code: FNode) -> FNode:
    """A signed integer that orders numbers and infinities as their values; the zeros are equal."""
    magnitude = zero_extend(BVExtract(code, 0, fmt.magnitude_bits - 1), fmt.width)
    return Ite(bit(code, fmt.width - 1), BVNeg(magnitude), magnitude)


def compare(predicate: str, fmt: Format, x: FNode, y: FNode) -> FNode:
    """Whether a comparison predicate holds, in one bit (clause 5.11).

    Raises:
        KeyError: if there is no such predicate.
    """
    unordered = Or(unpack(fmt, x).nan, unpack(fmt, y).nan)
    left, right = _order_key(fmt, x), _order_key(fmt, y)
    holds = {
        "equal": And(Not(unordered), Equals(left, right)),
        "less": And(Not(unordered), BVSLT(left, right)),
        "less_equal": And(Not(unordered), BVSLE(left, right)),
        "unordered": unordered,
    }[predicate]
    return from_bool(holds, 1)


def extremum(operation: str, fmt: Format, x: FNode, y: FNode) -> FNode:
    """The smaller or larger of two codes, -0 being less than +0 (clause 9.6)."""
    nan_x, nan_y = unpack(fmt, x).nan, unpack(fmt, y).nan
    left, right = _order_key(fmt, x), _order_key(fmt, y)
    x_is_less = Or(BVSLT(left, right), And(Equals(left, right), bit(x, fmt.width - 1)))
    smaller, larger = Ite(x_is_less, x, y), Ite(x_is_less, y, x)
    chosen = smaller if operation.startswith("minimum") else larger
    if not fmt.has_nan:
        return chosen
    if operation.endswith("number"):
        nan = And(nan_x, nan_y)
        chosen = Ite(nan_x, y, Ite(nan_y, x, chosen))
    else:
        nan = Or(nan_x, nan_y)
    return Ite(nan, deliver_nan(fmt), chosen)


def change_sign(operation: str, fmt: Format, x: FNode, y: FNode | None = None) -> FNode:
    """x with its sign inverted, cleared, or replaced by that of y (clause 5.5.1).

    Raises:
        KeyError: if there is no such operation.
    """
    magnitude = BVExtract(x, 0, fmt.magnitude_bits - 1)
    sign = {
        "negate": lambda: Not(bit(x, fmt.width - 1)),
        "absolute": FALSE,
        "copy_sign": lambda: bit(y, fmt.width - 1),
    }[operation]()
    changed = BVConcat(from_bool(sign, 1), magnitude)
    return changed if fmt.has_negative_zero else Ite(nonzero(magnitude), changed, x)
