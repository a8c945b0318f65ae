"""The symbolic spec: the operations of ``specs.exact`` as pySMT bit-vector formulas.

Parametric in format, mode, policy and convention. The structure follows the definition, not any circuit:
operands become integer significand times power of two, the operation is done exactly on those, and one
rounding function (denormalise, normalise, round, range check) ends every operation.

Widths are in bits. "Unsigned" and "signed" say how a bit-vector is read; exponents are signed.
``tests/proofs/test_spec_binding.py`` binds these formulas to the spec of record on every input of every
format of up to 8 bits, of FP8_E4M3FN and FP8_E5M2 in every mode, of others in some of them by turns, and
by night in all; ``proofs/adequacy.py`` proves what a reader expects of the rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVSLT,
    BVUGT,
    BVULE,
    BVULT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
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

from spikeproof.specs import integers
from spikeproof.specs.conventions import (
    IEEE,
    OF_2008,
    PROPAGATING,
    SEVERAL,
    Convention,
    FlushedInexact,
    FlushedSign,
    IntegerInexact,
    IntegerResult,
    NanOperands,
    NanResult,
    ScaleOperands,
    ScaleRounding,
    SubnormalOperands,
    SubnormalResults,
    Tininess,
    ZeroTimesInfinity,
)
from spikeproof.specs.formats import (
    E8M0,
    FLAGS,
    MX_OPERATIONS,
    Format,
    Integer,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Source,
    Specials,
    Stochastic,
    operand_formats,
)

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


def shift_left_within(x: FNode, room: FNode) -> tuple[FNode, FNode]:
    """``x`` shifted left until its top bit is set or ``room``, unsigned, is used up; and what is left.

    For x = 0 the room left is immaterial.
    """
    for stage in stages_left_within(x, room):
        _, x, room = stage
    return x, room


def stages_left_within(x: FNode, room: FNode) -> Iterator[tuple[FNode, FNode, FNode]]:
    """How ``x`` is shifted left: whether by 2^k, ``x`` and ``room`` then; k from the highest to 0."""
    for step in reversed(range((x.bv_width() - 1).bit_length())):
        distance = 1 << step
        clear = Not(nonzero(BVExtract(x, x.bv_width() - distance, x.bv_width() - 1)))
        shifts = And(clear, BVULE(BV(distance, room.bv_width()), room))
        x = Ite(shifts, BVLShl(x, BV(distance, x.bv_width())), x)
        room = Ite(shifts, BVSub(room, BV(distance, room.bv_width())), room)
        yield shifts, x, room


# --- operands -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """A code taken apart. If finite, its value is (-1)^negative * significand * 2^exponent.

    ``significand`` has the format's precision (hidden bit included, zero for subnormals);
    ``exponent`` is that of the significand's last bit, signed, in ``exponent_width(fmt)`` bits;
    ``least`` and ``most`` are the least and the most that it can be.
    """

    nan: FNode
    infinite: FNode
    zero: FNode
    negative: FNode
    significand: FNode
    exponent: FNode
    least: int
    most: int

    @property
    def precision(self) -> int:
        """Bits in the significand."""
        return int(self.significand.bv_width())

    @property
    def minimum_exponent(self) -> int:
        """The least exponent of a first bit, as of a format's normal numbers."""
        return self.least + self.precision - 1


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
        least=fmt.minimum_exponent - fmt.fraction_bits,
        most=fmt.minimum_exponent - fmt.fraction_bits + (1 << fmt.exponent_bits) - 2,
    )


def lengthened(x: Operand, precision: int) -> Operand:
    """x with zeros below its significand, which makes it of a larger precision."""
    places = precision - x.precision
    if places == 0:
        return x
    width = 1 + max(x.exponent.bv_width(), places.bit_length() + 1)
    return replace(
        x,
        significand=append_zeros(x.significand, places),
        exponent=BVSub(sign_extend(x.exponent, width), BV(places, width)),
        least=x.least - places,
        most=x.most - places,
    )


def normalised_down_to(x: Operand, least: int) -> Operand:
    """x with its significand shifted left as far as its exponent stays at or above ``least``.

    That is no more than its own least exponent, which all that need to be shifted have.
    """
    room = x.least - least
    if room == 0:
        return x
    room_width = max(room.bit_length(), x.precision.bit_length())
    width = 2 + max(x.exponent.bv_width(), room_width, (-least).bit_length())
    significand, left = shift_left_within(x.significand, BV(room, room_width))
    shifted = BVSub(BV(room, width), zero_extend(left, width))
    exponent = BVSub(sign_extend(x.exponent, width), shifted)
    return replace(
        x,
        significand=significand,
        exponent=Ite(x.zero, signed_constant(least, width), exponent),
        least=least,
    )


def smaller(x: Operand, y: Operand) -> FNode:
    """Whether |x| < |y|: both of one precision, and of one width and one least exponent.

    Of all but the least exponent the first bit is set, or the number is zero.
    """
    below = Or(
        BVSLT(x.exponent, y.exponent),
        And(Equals(x.exponent, y.exponent), BVULT(x.significand, y.significand)),
    )
    return And(Not(y.zero), Or(x.zero, below))


# --- values on the way --------------------------------------------------------------------------

Probe = Callable[[str, FNode], FNode]
"""Gives a name to a value on the way, and yields what is to be taken for it: mostly the value itself.

The names are those of the probes of ``circuits.units.floating_point``. The prover takes other things for
them, and so cuts a proof there: see ``prover.kernel.composition``.
"""


def as_computed(name: str, value: FNode) -> FNode:
    """The probe that changes nothing."""
    return value


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


def lost_rounds_up(mode: Mode, negative: FNode, odd: FNode, lost: FNode) -> FNode:
    """The same, from all that is lost: two places at least, and more than a mode's ``places``."""
    size = lost.bv_width()
    if isinstance(mode, Stochastic):  # whether the random word and the first places have a carry
        first = BVExtract(lost, size - mode.bits, size - 1)
        return bit(BVAdd(*(zero_extend(x, mode.bits + 1) for x in (mode.word, first))), mode.bits)
    return rounds_up(mode, negative, odd, bit(lost, size - 1), nonzero(BVExtract(lost, 0, size - 2)))


def overflows_to_infinity(mode: Mode, negative: FNode) -> FNode:
    """Whether an overflow goes to infinity rather than the largest finite number (clause 7.4)."""
    if isinstance(mode, Stochastic):
        return TRUE()
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


@dataclass(frozen=True)
class Rounded:
    """A rounded number: its code, and the conditions that clause 7 calls exceptions."""

    code: FNode
    overflow: FNode
    tiny: FNode
    """Not zero, and smaller than every normal number, when the convention says that this is told."""
    inexact: FNode
    flushed: FNode
    """Whether the code is zero in place of what the number rounds to."""


def flushed_zero(fmt: Format, convention: Convention, negative: FNode) -> FNode:
    """The zero in place of a number of some sign."""
    return magnitude_constant(
        fmt, negative if convention.flushed_sign is FlushedSign.KEPT else FALSE(), 0
    )


def flush_operand(fmt: Format, convention: Convention, code: FNode) -> FNode:
    """What counts in place of an operand."""
    if convention.subnormal_operands is SubnormalOperands.GRADUAL:
        return code
    field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
    fraction = BVExtract(code, 0, fmt.fraction_bits - 1)
    zero = flushed_zero(fmt, convention, bit(code, fmt.width - 1))
    return Ite(And(Not(nonzero(field)), nonzero(fraction)), zero, code)


def round_to(
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    negative: FNode,
    exponent: FNode,
    significand: FNode,
    convention: Convention = IEEE,
    probe: Probe = as_computed,
) -> Rounded:
    """What (-1)^negative * significand * 2^exponent rounds to.

    Args:
        negative: Boolean.
        exponent: signed, any width.
        significand: unsigned, any width, not necessarily normalised; zero rounds to zero.

    Raises:
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    # Room below the kept bits for the places that count and a sticky bit; and for another place, if it
    # is told what becomes of the number with one place more.
    after = SubnormalResults.ZERO_AFTER is convention.subnormal_results
    after = after or convention.tininess is Tininess.AFTER
    padding = max(0, fmt.precision + mode.places + 1 + after - significand.bv_width())
    significand = append_zeros(significand, padding)
    size = significand.bv_width()
    largest_exponent = fmt.bias + (1 << fmt.exponent_bits) + size
    width = 1 + max(exponent.bv_width(), largest_exponent.bit_length() + 1)

    # Denormalise: no exponent is below the format's minimum. ``room`` is how far that of the first bit
    # is above it.
    first_bit = signed_constant(size - 1 - padding - fmt.minimum_exponent, width)
    room = BVAdd(sign_extend(exponent, width), first_bit)
    below = BVSLT(room, BV(0, width))
    significand = shift_right_jamming(significand, Ite(below, BVNeg(room), BV(0, width)))
    significand = probe("denormalised", significand)

    # Normalise, as far as there is room.
    room = probe("room", Ite(below, BV(0, width), room))
    significand, room = shift_left_within(significand, room)
    significand = probe("normalised", significand)
    room = probe("room_left", room)
    tiny = And(Not(bit(significand, size - 1)), nonzero(significand))

    # Round.
    kept = BVExtract(significand, size - fmt.precision, size - 1)
    lost = BVExtract(significand, 0, size - fmt.precision - 1)
    up = lost_rounds_up(mode, negative, bit(kept, 0), lost)
    rounded = BVAdd(zero_extend(kept, fmt.precision + 1), from_bool(up, fmt.precision + 1))

    # Pack, the exponent field still wide; a carry out of the significand moves to the next binade.
    carried = bit(rounded, fmt.precision)
    normal = Or(carried, bit(rounded, fmt.precision - 1))
    field = BVAdd(Ite(normal, BVAdd(room, BV(1, width)), BV(0, width)), from_bool(carried, width))
    magnitude = BVConcat(field, BVExtract(rounded, 0, fmt.fraction_bits - 1))

    # Check the range.
    overflow = BVUGT(magnitude, BV(fmt.largest_finite, magnitude.bv_width()))
    finite = with_sign(fmt, negative, BVExtract(magnitude, 0, fmt.magnitude_bits - 1))

    # Tell what is tiny, and flush it. With an exponent without bounds what is just below the normal
    # numbers has its first bit where the others have their second: the guard bit is its last one then.
    tiny_after = tiny
    if after:
        guard, rest = bit(lost, lost.bv_width() - 1), BVExtract(lost, 0, lost.bv_width() - 2)
        largest = Equals(kept, BV((1 << fmt.fraction_bits) - 1, fmt.precision))
        next_up = lost_rounds_up(mode, negative, TRUE(), rest)
        tiny_after = And(tiny, Not(And(largest, guard, next_up)))
    flushed = {
        SubnormalResults.GRADUAL: FALSE(),
        SubnormalResults.ZERO_BEFORE: tiny,
        SubnormalResults.ZERO_AFTER: tiny_after,
        SubnormalResults.ZERO_CODE: And(Not(normal), nonzero(rounded)),
    }[convention.subnormal_results]
    if convention.subnormal_results is not SubnormalResults.GRADUAL:
        finite = Ite(flushed, flushed_zero(fmt, convention, negative), finite)
    overflowed = Ite(
        overflows_to_infinity(mode, negative),
        deliver_infinity(fmt, policy, negative),
        magnitude_constant(fmt, negative, fmt.largest_finite),
    )
    code = Ite(overflow, overflowed, finite)
    if convention.tininess is Tininess.AFTER:
        tiny = tiny_after
    return Rounded(code, overflow, tiny, Or(nonzero(lost), overflow), flushed)


# --- operations, before rounding ----------------------------------------------------------------


@dataclass(frozen=True)
class Exact:
    """A result before rounding: not a number, infinite, or (-1)^negative * significand * 2^exponent.

    ``significand`` is unsigned and ``exponent`` signed, of any width. What lies beyond the significand
    of an inexact one is jammed into its last bit, far below the last place of the result.
    """

    nan: FNode
    infinite: FNode
    negative: FNode
    exponent: FNode
    significand: FNode


def _sum(
    mode: Mode,
    probe: Probe,
    x: Operand | Exact,
    y: Operand | Exact,
    exponent: FNode,
    *summands: tuple[FNode, FNode],
) -> Exact:
    """x + y (clauses 5.4.1, 6.1, 6.3).

    Args:
        exponent: signed.
        summands: x and y in any order, each as its sign and the multiple of 2^exponent that it is; both
            of one width.
    """
    size = summands[0][1].bv_width() + 2  # one bit for the carry, one for the sign
    total = BVAdd(
        *(
            Ite(negative, BVNeg(zero_extend(magnitude, size)), zero_extend(magnitude, size))
            for negative, magnitude in summands
        )
    )
    total_negative = bit(total, size - 1)
    absolute = BVExtract(Ite(total_negative, BVNeg(total), total), 0, size - 2)
    same_sign = Iff(x.negative, y.negative)
    exact_zero_negative = Ite(same_sign, x.negative, TRUE() if mode is RoundingMode.DOWN else FALSE())
    sign = probe("sign", from_bool(Ite(nonzero(total), total_negative, exact_zero_negative), 1))
    infinite = Or(x.infinite, y.infinite)
    return Exact(
        nan=Or(x.nan, y.nan, And(x.infinite, y.infinite, Not(same_sign))),
        infinite=infinite,
        negative=Ite(infinite, Ite(x.infinite, x.negative, y.negative), bit(sign, 0)),
        exponent=exponent,
        significand=probe("magnitude", absolute),
    )


def exact_sum(fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand) -> Exact:
    """x + y.

    Both are made of one precision, the result's if that is more, and of one least exponent. Then the
    operand of smaller magnitude is shifted right by the difference of the exponents, with two places
    below the larger one and a last, jammed place that stands for whatever is lost beyond them. Only a
    shift by more than two loses anything; the larger operand is then normal, and the sum loses one
    leading bit at most. Where more than one lost place counts, there are as many more.
    """
    places = mode.places + 2
    precision = max(x.precision, y.precision, fmt.precision)
    x, y = lengthened(x, precision), lengthened(y, precision)
    least = min(x.least, y.least)
    x, y = normalised_down_to(x, least), normalised_down_to(y, least)
    width = max(x.exponent.bv_width(), y.exponent.bv_width())
    x, y = (replace(each, exponent=sign_extend(each.exponent, width)) for each in (x, y))
    swap = smaller(x, y)
    near, far = (
        (
            Ite(swap, second.exponent, first.exponent),
            append_zeros(Ite(swap, second.significand, first.significand), places),
            Ite(swap, second.negative, first.negative),
        )
        for first, second in ((x, y), (y, x))
    )
    aligned = shift_right_jamming(far[1], BVSub(near[0], far[0]))
    width = near[0].bv_width() + 1 + places.bit_length()
    exponent = BVSub(sign_extend(near[0], width), BV(places, width))
    return _sum(mode, probe, x, y, exponent, (near[2], near[1]), (far[2], aligned))


def exact_difference(fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand) -> Exact:
    """x - y, which is x + (-y) (clause 5.4.1)."""
    return exact_sum(fmt, mode, probe, x, replace(y, negative=Not(y.negative)))


def exact_product(fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand) -> Exact:
    """x * y (clauses 5.4.1, 6.1)."""
    factors = {
        "x": probe("x_significand", x.significand),
        "y": probe("y_significand", y.significand),
    }
    width = max(x.exponent.bv_width(), y.exponent.bv_width()) + 1
    return Exact(
        nan=Or(x.nan, y.nan, And(x.infinite, y.zero), And(x.zero, y.infinite)),
        infinite=Or(x.infinite, y.infinite),
        negative=Not(Iff(x.negative, y.negative)),
        exponent=BVAdd(sign_extend(x.exponent, width), sign_extend(y.exponent, width)),
        significand=probe("product", integers.multiply(factors)["product"]),
    )


def exact_multiply_add(
    fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand, z: Operand
) -> Exact:
    """x * y + z, as if in unbounded precision (clause 5.4.1)."""
    product = exact_product(fmt, mode, probe, x, y)
    if keeps_product(fmt, x, y, z):
        return _aligned_to_product(mode, probe, x, y, z, product)
    return exact_sum(fmt, mode, probe, _as_operand(probe, x, y, z, product), z)


def keeps_product(fmt: Format, *operands: Operand | Format) -> bool:
    """Whether the product of x * y + z stays as it is, and z is shifted to it; or is normalised."""
    alike = len({(each.precision, each.minimum_exponent) for each in operands}) == 1
    *_, z = operands
    return alike and fmt.precision <= z.precision and fmt.minimum_exponent >= z.minimum_exponent


def _as_operand(probe: Probe, x: Operand, y: Operand, z: Operand, product: Exact) -> Operand:
    """x * y, normalised, as an operand of a sum with z, and of no larger minimum exponent.

    Its exponent is counted from the least one as an exponent field is, from 1; of zero it is of no use.
    """
    size = product.significand.bv_width()
    least = min(x.least + y.least, z.minimum_exponent) - size + 1
    raised_by = x.least + y.least - least - 1
    of_factors = max((each.most - each.least + 1).bit_length() for each in (x, y))
    width = 1 + max(1 + of_factors, raised_by.bit_length())
    significand, shift = shift_out_leading_zeros(product.significand, width)
    significand = probe("normalised_product", significand)
    wide = max(width, product.exponent.bv_width(), (-least).bit_length() + 1)
    field = BVAdd(sign_extend(product.exponent, wide), signed_constant(1 - least, wide))
    field = probe("product_field", BVSub(BVExtract(field, 0, width - 1), shift))
    wide = 2 + max(width, (-least).bit_length())
    exponent = BVAdd(zero_extend(field, wide), signed_constant(least - 1, wide))
    zero = Not(nonzero(significand))
    infinite, negative = product.infinite, product.negative
    most = least + (1 << width) - 2
    return Operand(product.nan, infinite, zero, negative, significand, exponent, least, most)


def _aligned_to_product(
    mode: Mode, probe: Probe, x: Operand, y: Operand, z: Operand, product: Exact
) -> Exact:
    """x * y + z, all of one format, of the result's precision and range at least.

    The product stays in place and the addend z is shifted to it. To the left it goes as far as leaves
    two places between them, and more where more than one lost place counts: any smaller product affects
    the rounding of the sum in the same way. To
    the right it may lose what is more than ``places`` places below the product, whose last one is
    jammed: a product that is not zero has its first bit at or above the last place of z's precision,
    or else an exponent below that of every z.
    """
    places = mode.places + 2
    left = product.significand.bv_width() + mode.places + 1
    width = product.exponent.bv_width() + 2 + left.bit_length()
    z_exponent = sign_extend(z.exponent, width)
    # A product of zero has no first bit: it takes the exponent of the smallest one.
    smallest = signed_constant(-(1 << product.exponent.bv_width() - 1), width)
    product_exponent = Ite(Or(x.zero, y.zero), smallest, sign_extend(product.exponent, width))
    right = BVAdd(BVSub(product_exponent, z_exponent), BV(left, width))
    beyond = BVSLT(right, BV(0, width))
    distance = probe("distance", Ite(beyond, BV(0, width), right))
    aligned = shift_right_jamming(append_zeros(z.significand, left + places), distance)
    aligned = probe("aligned", aligned)
    exponent = Ite(beyond, BVSub(z_exponent, BV(left, width)), product_exponent)
    in_place = zero_extend(append_zeros(product.significand, places), aligned.bv_width())
    return _sum(
        mode,
        probe,
        product,
        z,
        BVSub(exponent, BV(places, width)),
        (product.negative, in_place),
        (z.negative, aligned),
    )


def exact_quotient(fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand) -> Exact:
    """x / y (clauses 5.4.1, 6.1, 7.3): that of the normalised significands, to one place below guard."""
    precision = max(x.precision, y.precision, fmt.precision)
    x, y = lengthened(x, precision), lengthened(y, precision)
    width = max(x.exponent.bv_width(), y.exponent.bv_width()) + 2 + precision.bit_length()
    dividend, x_shift = shift_out_leading_zeros(x.significand, width)
    divisor, y_shift = shift_out_leading_zeros(y.significand, width)
    # Dividing by infinity is dividing zero. What a division by zero delivers does not depend on the
    # quotient; a divisor other than zero keeps it defined.
    dividend = Ite(y.infinite, BV(0, precision), dividend)
    divisor = Ite(y.zero, BV(1 << precision - 1, precision), divisor)
    parts = integers.divide({"x": probe("dividend", dividend), "y": probe("divisor", divisor)})
    quotient, remainder = (probe(name, parts[name]) for name in ("quotient", "remainder"))
    x_exponent = BVSub(sign_extend(x.exponent, width), x_shift)
    y_exponent = BVSub(sign_extend(y.exponent, width), y_shift)
    return Exact(
        nan=Or(x.nan, y.nan, And(x.infinite, y.infinite), And(x.zero, y.zero)),
        infinite=Or(x.infinite, y.zero),
        negative=Not(Iff(x.negative, y.negative)),
        exponent=BVSub(BVSub(x_exponent, y_exponent), BV(precision + 2, width)),
        significand=BVConcat(quotient, from_bool(nonzero(remainder), 1)),
    )


CUT = 2
"""At every so many places of a dividend there is a probe of the remainder so far."""


def long_division(probe: Probe, dividend: FNode, divisor: FNode) -> tuple[FNode, FNode]:
    """Dividend modulo divisor, in the width of the latter, and whether the quotient is odd.

    Digit by digit from the top, as on paper. This is ``BVURem``, and the last bit of ``BVUDiv``, for
    every divisor but 0: see ``proofs.remainder_definition``. But of some hundred bits those are formulas
    many times as large, and have no rows that a circuit's can be compared with one by one.
    """
    remainder, odd = BV(0, divisor.bv_width()), FALSE()
    for place in reversed(range(dividend.bv_width())):
        remainder, odd = division_row(remainder, BVExtract(dividend, place, place), divisor)
        if place and place % CUT == 0:
            remainder = probe(f"remainder_{place}", remainder)
    return probe("remainder", remainder), bit(probe("odd", from_bool(odd, 1)), 0)


def division_row(remainder: FNode, digit: FNode, divisor: FNode) -> tuple[FNode, FNode]:
    """The remainder, less than the divisor, after one more digit; and the quotient's digit."""
    row, wide = BVConcat(remainder, digit), zero_extend(divisor, divisor.bv_width() + 1)
    taken = BVULE(wide, row)
    return BVExtract(Ite(taken, BVSub(row, wide), row), 0, divisor.bv_width() - 1), taken


def exact_remainder(
    nearest: RoundingMode, fmt: Format, mode: Mode, probe: Probe, x: Operand, y: Operand
) -> Exact:
    """x - y * n, n being the whole number that x / y rounds to (clauses 5.3.1, 7.2 f).

    In units of half of y's last place x is a whole number, unless it is less than half of y: then it is
    the remainder itself. What of it is in whole places is divided.

    Args:
        nearest: how n is found: to nearest even, or toward zero.
        fmt: of the result and of both operands.
        mode: plays no part in it.
    """
    width = x.exponent.bv_width() + 1
    halves = BVSub(sign_extend(x.exponent, width), sign_extend(y.exponent, width))
    halves = BVAdd(halves, BV(1, width))  # from a half of y's last place to x's last place
    below = BVSLT(halves, BV(0, width))
    size = x.significand.bv_width() + largest_distance(fmt) + 1
    room = max(size, width)
    amount = zero_extend(Ite(below, BV(0, width), halves), room)
    shifted = BVLShl(zero_extend(x.significand, room), amount)
    dividend = probe("dividend", BVExtract(shifted, 0, size - 1))
    remainder, odd = long_division(probe, BVExtract(dividend, 1, size - 1), y.significand)
    rest = BVConcat(remainder, BVExtract(dividend, 0, 0))  # in halves, and less than 2y
    divisor = zero_extend(y.significand, rest.bv_width())
    beyond = {
        RoundingMode.NEAREST_EVEN: Or(BVULT(divisor, rest), And(odd, Equals(divisor, rest))),
        RoundingMode.TOWARD_ZERO: FALSE(),
    }[nearest]
    far = Or(below, y.infinite)
    magnitude = Ite(beyond, BVSub(BVAdd(divisor, divisor), rest), rest)
    exponent = Ite(far, x.exponent, y.exponent)
    return Exact(
        nan=Or(x.nan, y.nan, x.infinite, y.zero),
        infinite=FALSE(),
        negative=Iff(x.negative, Or(far, Not(beyond))),
        exponent=BVSub(sign_extend(exponent, width), BV(1, width)),
        significand=Ite(far, append_zeros(x.significand, 1), magnitude),
    )


def largest_distance(fmt: Format) -> int:
    """How far the exponents of two numbers can be apart, subnormal ones having the least."""
    return (fmt.largest_finite >> fmt.fraction_bits) - 1


def exact_root(fmt: Format, mode: Mode, probe: Probe, x: Operand) -> Exact:
    """The square root of x (clause 5.4.1): that of its significand, normalised to an even exponent."""
    # The radicand has two bits for each bit of the root: the result's precision and a guard bit. It
    # holds the significand, and one bit more.
    size = 2 * max(fmt.precision + 1, x.precision // 2 + 1)
    places = size - x.precision - 1
    width = x.exponent.bv_width() + 2 + max(x.precision, places - 1).bit_length()
    normalised, shift = shift_out_leading_zeros(x.significand, width)
    wide = append_zeros(zero_extend(normalised, x.precision + 1), places)
    exponent = BVSub(BVSub(sign_extend(x.exponent, width), shift), BV(places, width))
    odd = bit(exponent, 0)
    radicand = probe("radicand", Ite(odd, BVLShl(wide, BV(1, wide.bv_width())), wide))
    parts = integers.square_root({"x": radicand})
    root, remainder = (probe(name, parts[name]) for name in ("root", "remainder"))
    # Rounded down: the radicand has been doubled if the exponent is odd.
    half = BVSExt(BVExtract(exponent, 1, width - 1), 1)
    return Exact(
        nan=Or(x.nan, And(x.negative, Not(x.zero))),
        infinite=x.infinite,
        negative=x.negative,
        exponent=BVSub(half, BV(1, width)),
        significand=BVConcat(root, from_bool(nonzero(remainder), 1)),
    )


def unchanged(fmt: Format, mode: Mode, probe: Probe, x: Operand) -> Exact:
    """x: a conversion does nothing but round (clause 5.4.2)."""
    return Exact(x.nan, x.infinite, x.negative, x.exponent, x.significand)


OPERATIONS: dict[str, Callable[..., Exact]] = {
    "add": exact_sum,
    "subtract": exact_difference,
    "multiply": exact_product,
    "divide": exact_quotient,
    "square_root": exact_root,
    "fma": exact_multiply_add,
    "convert": unchanged,
    "remainder": partial(exact_remainder, RoundingMode.NEAREST_EVEN),
    "truncated_remainder": partial(exact_remainder, RoundingMode.TOWARD_ZERO),
}
"""The operations on numbers, before they round; the same names as ``specs.exact.EXACT_OPERATIONS``.

Each takes the format of the result, which decides only how many places are needed, the rounding mode,
which decides only the sign of an exact zero, a probe, and the operands.
"""


# --- results that are not numbers ---------------------------------------------------------------


def is_signalling(fmt: Format, code: FNode) -> FNode:
    """Whether a code is a NaN whose first fraction bit is 0 (clause 6.2.1), in IEEE formats."""
    if fmt.specials is not Specials.IEEE:
        return FALSE()
    return And(unpack(fmt, code).nan, Not(bit(code, fmt.fraction_bits - 1)))


def quieted(source: Format, fmt: Format, code: FNode) -> FNode:
    """The quiet NaN, in ``fmt``, that a NaN operand becomes; see ``specs.exact.quieted``."""
    fraction = BVExtract(code, 0, source.fraction_bits - 1)
    lost = source.fraction_bits - fmt.fraction_bits
    aligned = BVExtract(fraction, lost, source.fraction_bits - 1) if lost > 0 else fraction
    aligned = zero_extend(append_zeros(aligned, max(0, -lost)), fmt.width)
    sign = magnitude_constant(fmt, bit(code, source.width - 1), fmt.canonical_nan)
    return BVOr(sign, aligned)


def result_nan(
    operation: str, fmt: Format, source: Source, convention: Convention, codes: tuple[FNode, ...]
) -> FNode:
    """The code delivered where the result is not a number; where all are allowed, the canonical one."""
    if convention.nan in (NanResult.CANONICAL, *SEVERAL):
        return deliver_nan(fmt)
    if convention.nan is NanResult.ONES:
        return BV(fmt.nan_of_ones, fmt.width) if fmt.has_nan else deliver_nan(fmt)
    operands = tuple(zip(operand_formats(source, len(codes)), codes, strict=True))
    ordered = operands
    if convention.nan is NanResult.LAST:
        ordered = operands[::-1]
    if convention.nan is NanResult.ARM and operation == "fma":
        ordered = (operands[2], *operands[:2])
    negative = TRUE() if convention.nan is NanResult.X86 else FALSE()
    chosen = magnitude_constant(fmt, negative, fmt.canonical_nan)
    for form, code in reversed(ordered):
        chosen = Ite(unpack(form, code).nan, quieted(form, fmt, code), chosen)
    if convention.nan is not NanResult.ARM:
        return chosen
    for form, code in reversed(ordered):
        chosen = Ite(is_signalling(form, code), quieted(form, fmt, code), chosen)
    if operation == "fma":
        x, y = (unpack(*operand) for operand in operands[:2])
        alone = And(_invalid_product(x, y), Not(is_signalling(*operands[2])))
        chosen = Ite(alone, deliver_nan(fmt), chosen)
    return chosen


def _invalid_product(x: Operand, y: Operand) -> FNode:
    """Whether two operands are zero and infinity, in any order."""
    return Or(And(x.infinite, y.zero), And(x.zero, y.infinite))


def observed(
    fmt: Format, convention: Convention, result: FNode, operands: Iterable[tuple[Format, FNode]] = ()
) -> FNode:
    """What counts of a result of operands: the code, but the canonical NaN for every NaN that will do.

    Where this is equal ``specs.exact.allows`` one for the other.
    """
    if convention.nan not in SEVERAL or not fmt.has_nan:
        return result
    allowed = unpack(fmt, result).nan
    if convention.nan is NanResult.WEBASSEMBLY:
        payloads = [And(unpack(form, code).nan, _has_payload(form, code)) for form, code in operands]
        canonical = Not(_has_payload(fmt, result))
        allowed = And(allowed, Not(is_signalling(fmt, result)), Or(canonical, *payloads))
    return Ite(allowed, deliver_nan(fmt), result)


def _has_payload(fmt: Format, nan: FNode) -> FNode:
    """Whether a NaN is neither the canonical one nor that with its sign set, in IEEE formats."""
    if fmt.specials is not Specials.IEEE:
        return FALSE()
    magnitude = BVExtract(nan, 0, fmt.magnitude_bits - 1)
    return NotEquals(magnitude, BV(fmt.canonical_nan, fmt.magnitude_bits))


# --- operations, on codes -----------------------------------------------------------------------


def compute(
    operation: str,
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    *codes: FNode,
    source: Source | None = None,
    probe: Probe = as_computed,
    convention: Convention = IEEE,
) -> FNode:
    """The result code, in ``fmt``, of an operation on codes.

    Args:
        source: the formats of the operands, if not all are ``fmt`` (a formatOf operation, clause 5.4).
        convention: where it allows several results this is one of them; see ``allows``.

    Raises:
        KeyError: if the operation is not in ``OPERATIONS``.
        ValueError: if the format cannot express the policy, or cannot have the convention.
    """
    forms = operand_formats(source or fmt, len(codes))
    convention.require_possible(fmt, *forms)
    given = _flushed(forms, convention, codes)
    result = OPERATIONS[operation](fmt, mode, probe, *map(unpack, forms, given))
    nan = result_nan(operation, fmt, forms, convention, given)
    return deliver(fmt, mode, policy, result, nan, convention, probe)


def _flushed(
    forms: tuple[Format, ...], convention: Convention, codes: tuple[FNode, ...]
) -> tuple[FNode, ...]:
    """What counts in place of operands."""
    return tuple(flush_operand(form, convention, code) for form, code in zip(forms, codes, strict=True))


def deliver(
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    result: Exact,
    nan: FNode,
    convention: Convention = IEEE,
    probe: Probe = as_computed,
) -> FNode:
    """The code that a result becomes (clauses 4.3, 6.1, 7.4).

    Args:
        nan: the code of what is not a number.

    Raises:
        ValueError: if the format cannot express the policy.
    """
    sign, exponent, significand = result.negative, result.exponent, result.significand
    finite = round_to(fmt, mode, policy, sign, exponent, significand, convention, probe).code
    infinity = deliver_infinity(fmt, policy, result.negative)
    return Ite(result.nan, nan, Ite(result.infinite, infinity, finite))


def flags(
    operation: str,
    fmt: Format,
    mode: Mode,
    *codes: FNode,
    source: Source | None = None,
    probe: Probe = as_computed,
    convention: Convention = IEEE,
) -> FNode:
    """The exceptions that an operation signals, one bit each in the order of ``FLAGS`` (clause 7).

    Raises:
        KeyError: if the operation is not in ``OPERATIONS``.
    """
    forms = operand_formats(source or fmt, len(codes))
    given = _flushed(forms, convention, codes)
    operands = list(map(unpack, forms, given))
    result = OPERATIONS[operation](fmt, mode, probe, *operands)
    invalid = []
    if operation == "fma" and convention.zero_times_infinity is ZeroTimesInfinity.INVALID:
        invalid.append(_invalid_product(*operands[:2]))
    return flags_word(exceptions(fmt, mode, forms, given, result, convention, invalid))


def exceptions(
    fmt: Format,
    mode: Mode,
    source: Source,
    codes: Sequence[FNode],
    result: Exact,
    convention: Convention = IEEE,
    invalid: Sequence[FNode] = (),
) -> dict[str, FNode]:
    """Which exceptions are signalled where operands have a result in ``fmt``.

    Args:
        codes: of the operands, in the formats ``source``.
        invalid: what else signals invalid.
    """
    forms = operand_formats(source, len(codes))
    operands = list(map(unpack, forms, codes))
    sign, exponent, significand = result.negative, result.exponent, result.significand
    rounded = round_to(fmt, mode, OverflowPolicy.SATURATE, sign, exponent, significand, convention)
    all_invalid = [And(result.nan, Not(Or(operand.nan for operand in operands)))]
    if convention.nan_operands is NanOperands.SIGNALLING:
        all_invalid += map(is_signalling, forms, codes)
    underflow: tuple[FNode, ...] = (rounded.tiny, rounded.inexact)
    inexact = rounded.inexact
    if convention.subnormal_results is not SubnormalResults.GRADUAL:
        underflow = (Or(rounded.flushed, And(*underflow)),)
        raised = convention.flushed_inexact is FlushedInexact.RAISED
        inexact = Ite(rounded.flushed, TRUE() if raised else FALSE(), inexact)
    finite = Not(Or(result.nan, result.infinite))
    return {
        "invalid": Or(*all_invalid, *invalid),
        "divide_by_zero": And(
            result.infinite, Not(result.nan), Not(Or(operand.infinite for operand in operands))
        ),
        "overflow": And(finite, rounded.overflow),
        "underflow": And(finite, *underflow),
        "inexact": And(finite, inexact),
    }


def flags_word(signalled: Mapping[str, FNode]) -> FNode:
    """Exceptions, by name, as one bit each in the order of ``FLAGS``; not signalled if not named."""
    word, *others = (from_bool(signalled.get(name, FALSE()), 1) for name in FLAGS)
    for each in others:
        word = BVConcat(each, word)
    return word


# --- integers -----------------------------------------------------------------------------------


def convert_from_integer(
    source: Integer, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, code: FNode
) -> FNode:
    """The code, in ``fmt``, that an integer rounds to (clause 5.4.1).

    Raises:
        ValueError: if the format cannot express the policy.
    """
    return _round_integer(source, fmt, mode, policy, code).code


def _round_integer(
    source: Integer, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, code: FNode
) -> Rounded:
    negative = bit(code, source.width - 1) if source.signed else FALSE()
    magnitude = Ite(negative, BVNeg(code), code)
    return round_to(fmt, mode, policy, negative, BV(0, 1), magnitude)


@dataclass(frozen=True)
class RoundedInteger:
    """What a number rounds to: the integer's code under a convention, and what it signals."""

    code: FNode
    invalid: FNode
    """Not a number, infinite, or beyond the range."""
    inexact: FNode
    """Whether the number is none of the integers; of no meaning if invalid."""


def convert_to_integer(
    source: Format, integer: Integer, mode: RoundingMode, code: FNode, convention: Convention = IEEE
) -> FNode:
    """The integer's code that a number rounds to; see ``specs.exact.convert_to_integer``."""
    return _round_to_integer(source, integer, mode, code, convention).code


def to_integer_flags(
    source: Format, integer: Integer, mode: RoundingMode, code: FNode, convention: Convention = IEEE
) -> FNode:
    """The exceptions that this signals, as ``flags`` has them."""
    rounded = _round_to_integer(source, integer, mode, code, convention)
    raised = convention.integer_inexact is IntegerInexact.RAISED
    inexact = And(rounded.inexact, Not(rounded.invalid)) if raised else FALSE()
    return flags_word({"invalid": rounded.invalid, "inexact": inexact})


def from_integer_flags(source: Integer, fmt: Format, mode: RoundingMode, code: FNode) -> FNode:
    """The exceptions that a conversion from an integer signals, as ``flags`` has them."""
    rounded = _round_integer(source, fmt, mode, OverflowPolicy.SATURATE, code)
    return flags_word({"overflow": rounded.overflow, "inexact": rounded.inexact})


def _round_to_integer(
    source: Format, integer: Integer, mode: RoundingMode, code: FNode, convention: Convention
) -> RoundedInteger:
    """The number is made fixed-point: its integer part, a guard bit and a sticky bit."""
    x = unpack(source, flush_operand(source, convention, code))
    size = source.precision + integer.width + 1  # one bit for the carry
    exponent = sign_extend(x.exponent, 1 + max(x.exponent.bv_width(), integer.width.bit_length() + 1))
    # Beyond this shift every number but zero is out of range, and 0 modulo 2^width; and stays so if
    # shifted less.
    furthest = signed_constant(integer.width, exponent.bv_width())
    left = Ite(BVSLT(furthest, exponent), furthest, exponent)
    leftward = BVSLE(BV(0, exponent.bv_width()), exponent)
    fixed_point = append_zeros(zero_extend(x.significand, size), 2)
    width = max(fixed_point.bv_width(), exponent.bv_width())
    fixed_point = Ite(
        leftward,
        BVLShl(zero_extend(fixed_point, width), zero_extend(left, width)),
        zero_extend(shift_right_jamming(fixed_point, BVNeg(exponent)), width),
    )
    whole, guard, sticky = BVExtract(fixed_point, 2, size + 1), bit(fixed_point, 1), bit(fixed_point, 0)
    up = rounds_up(mode, x.negative, bit(whole, 0), guard, sticky)
    rounded = BVAdd(whole, from_bool(up, size))

    limit = Ite(x.negative, BV(-integer.minimum, size), BV(integer.maximum, size))
    beyond = Or(x.infinite, BVUGT(rounded, limit))
    wraps = convention.integer_result is IntegerResult.WRAPPED
    magnitude = BVExtract(rounded if wraps else Ite(beyond, limit, rounded), 0, integer.width - 1)
    number = Ite(x.negative, BVNeg(magnitude), magnitude)
    invalid = Or(x.nan, beyond)
    least, zero = signed_constant(integer.minimum, integer.width), BV(0, integer.width)
    largest = BV(integer.maximum, integer.width)
    delivered = {
        IntegerResult.SATURATED: Ite(x.nan, zero, number),
        IntegerResult.LARGEST_FOR_NAN: Ite(x.nan, largest, number),
        IntegerResult.INDEFINITE: Ite(invalid, least if integer.signed else largest, number),
        IntegerResult.WRAPPED: Ite(Or(x.nan, x.infinite), zero, number),
    }[convention.integer_result]
    return RoundedInteger(delivered, invalid, Or(guard, sticky))


# --- scaled elements ----------------------------------------------------------------------------


def scaled(scale: FNode, x: Operand) -> Operand:
    """An operand times a scale (OCP Microscaling Formats 1.0, sections 5.1 and 5.4.1)."""
    width = max(x.exponent.bv_width(), E8M0.width + 1) + 1
    exponent = BVSub(zero_extend(scale, width), signed_constant(E8M0.bias, width))
    return replace(
        x,
        nan=Or(x.nan, Equals(scale, BV(E8M0.nan, E8M0.width))),
        exponent=BVAdd(sign_extend(x.exponent, width), exponent),
        least=x.least - E8M0.bias,
        most=x.most + E8M0.nan - E8M0.bias,
    )


def convert_from_scale(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, code: FNode, convention: Convention = IEEE
) -> FNode:
    """The code, in ``fmt``, that a scale rounds to: that of one, scaled.

    Raises:
        ValueError: if the format cannot express the policy.
    """
    one = Operand(
        FALSE(), FALSE(), FALSE(), FALSE(), significand=BV(1, 1), exponent=BV(0, 1), least=0, most=0
    )
    result = unchanged(fmt, mode, as_computed, scaled(code, one))
    nan = result_nan("convert", fmt, fmt, convention, ())  # no scale is a NaN with a payload
    return deliver(fmt, mode, policy, result, nan, convention)


def convert_to_scale(
    source: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    code: FNode,
    convention: Convention = IEEE,
    element: Format | None = None,
) -> FNode:
    """The E8M0 code that a number rounds to; see ``specs.exact.convert_to_scale``.

    Raises:
        ValueError: if E8M0 cannot express the policy.
    """
    E8M0.require_policy(policy)
    x = unpack(source, flush_operand(source, convention, code))
    infinity = BV(E8M0.largest if policy is OverflowPolicy.SATURATE else E8M0.nan, E8M0.width)
    largest, nan = BV(E8M0.largest, E8M0.width), BV(E8M0.nan, E8M0.width)
    rounded = _rounded_scale(mode, x, convention, element.maximum_exponent if element else 0)
    width = rounded.bv_width()
    small = Or(x.zero, BVSLT(rounded, BV(0, width)))
    overflow = BVSLT(BV(E8M0.largest, width), rounded)
    overflowed = Ite(overflows_to_infinity(mode, FALSE()), infinity, largest)
    in_range = Ite(small, BV(0, E8M0.width), BVExtract(rounded, 0, E8M0.width - 1))
    number = Ite(And(overflow, Not(small)), overflowed, in_range)
    invalid = x.nan
    if convention.scale_operands is ScaleOperands.POSITIVE:
        invalid = Or(invalid, x.negative, x.zero)
    return Ite(invalid, nan, Ite(x.infinite, infinity, number))


def _rounded_scale(mode: RoundingMode, x: Operand, convention: Convention, divisor: int) -> FNode:
    """The code that |x| / 2^divisor rounds to if codes have no bounds, signed; of no use for zero."""
    significand = append_zeros(x.significand, 1)  # so that there is something below the guard bit
    size = significand.bv_width()
    last_bit = E8M0.bias - divisor - 1  # one place below that of x
    constants = max(abs(last_bit) + size, E8M0.nan).bit_length()
    width = 2 + max(x.exponent.bv_width(), constants)
    normalised, zeros = shift_out_leading_zeros(significand, width)
    first_bit = signed_constant(last_bit + size - 1, width)
    code = BVSub(BVAdd(sign_extend(x.exponent, width), first_bit), zeros)
    odd, guard = TRUE(), bit(normalised, size - 2)
    sticky = nonzero(BVExtract(normalised, 0, size - 3))
    if convention.scale_rounding is ScaleRounding.GRADUAL:
        # The first bit is beside that of twice the smallest scale, or further down: nothing is kept.
        zero = BV(0, width)
        low, beside = BVSLE(code, zero), Equals(code, zero)
        sticky = Or(sticky, And(low, Or(guard, Not(beside))))
        odd, guard = Not(low), Ite(low, beside, guard)
        code = Ite(low, zero, code)
    return BVAdd(code, from_bool(rounds_up(mode, FALSE(), odd, guard, sticky), width))


def mx_compute(
    operation: str,
    element: Format,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    *pairs: tuple[FNode, FNode],
) -> FNode:
    """The result code, in ``fmt``, of one of ``MX_OPERATIONS``; see ``specs.exact.mx_exact``.

    Args:
        pairs: for each operand the code of its scale and of its element.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if the format cannot express the policy.
    """
    operands = [scaled(scale, unpack(element, code)) for scale, code in pairs]
    result = OPERATIONS[MX_OPERATIONS[operation]](fmt, mode, as_computed, *operands)
    return deliver(fmt, mode, policy, result, deliver_nan(fmt))


# --- operations that do not round ---------------------------------------------------------------


def _order_key(fmt: Format, code: FNode) -> FNode:
    """A signed integer that orders numbers and infinities as their values; the zeros are equal."""
    magnitude = zero_extend(BVExtract(code, 0, fmt.magnitude_bits - 1), fmt.width)
    return Ite(bit(code, fmt.width - 1), BVNeg(magnitude), magnitude)


def compare(predicate: str, fmt: Format, x: FNode, y: FNode, *, convention: Convention = IEEE) -> FNode:
    """Whether a comparison predicate holds, in one bit (clause 5.11).

    Raises:
        KeyError: if there is no such predicate.
    """
    x, y = (flush_operand(fmt, convention, code) for code in (x, y))
    unordered = Or(unpack(fmt, x).nan, unpack(fmt, y).nan)
    left, right = _order_key(fmt, x), _order_key(fmt, y)
    holds = {
        "equal": And(Not(unordered), Equals(left, right)),
        "less": And(Not(unordered), BVSLT(left, right)),
        "less_equal": And(Not(unordered), BVSLE(left, right)),
        "unordered": unordered,
        "greater": And(Not(unordered), BVSLT(right, left)),
        "greater_equal": And(Not(unordered), BVSLE(right, left)),
    }
    negated = _NEGATIONS.get(predicate)
    return from_bool(Not(holds[negated]) if negated else holds[predicate], 1)


_NEGATIONS = {
    "not_equal": "equal",
    "not_less": "less",
    "not_greater": "greater",
    "less_unordered": "greater_equal",
    "greater_unordered": "less_equal",
    "ordered": "unordered",
}
"""Predicates that hold where others do not (clause 5.11, tables 5.1 to 5.3)."""


def extremum(operation: str, fmt: Format, x: FNode, y: FNode, *, convention: Convention = IEEE) -> FNode:
    """The smaller or larger of two codes, -0 being less than +0; see ``specs.exact.extremum``.

    Raises:
        ValueError: if the format cannot have the convention.
    """
    convention.require_possible(fmt)
    x, y = (flush_operand(fmt, convention, code) for code in (x, y))
    nan_x, nan_y = unpack(fmt, x).nan, unpack(fmt, y).nan
    left, right = _order_key(fmt, x), _order_key(fmt, y)
    if operation.startswith("x86"):
        first = BVSLT(left, right) if operation == "x86_minimum" else BVSLT(right, left)
        return Ite(And(first, Not(Or(nan_x, nan_y))), x, y)
    x_is_less = Or(BVSLT(left, right), And(Equals(left, right), bit(x, fmt.width - 1)))
    if "magnitude" in operation:
        shorter, longer = (BVExtract(code, 0, fmt.magnitude_bits - 1) for code in (x, y))
        x_is_less = Or(BVULT(shorter, longer), And(Equals(shorter, longer), x_is_less))
    smaller, larger = Ite(x_is_less, x, y), Ite(x_is_less, y, x)
    chosen = smaller if operation.startswith("min") else larger
    if not fmt.has_nan:
        return chosen
    if operation in PROPAGATING:
        nan = Or(nan_x, nan_y)
    else:
        nan = And(nan_x, nan_y)
        chosen = Ite(nan_x, y, Ite(nan_y, x, chosen))
    if operation in OF_2008:
        nan = Or(nan, is_signalling(fmt, x), is_signalling(fmt, y))
    return Ite(nan, result_nan(operation, fmt, fmt, convention, (x, y)), chosen)


def extremum_with_flags(
    operation: str, fmt: Format, x: FNode, y: FNode, *, convention: Convention = IEEE
) -> tuple[FNode, FNode]:
    """The code, and the exceptions that are signalled; see ``specs.exact.extremum_with_flags``."""
    invalid = nan_signals(fmt, convention, x, y)
    if operation.startswith("x86"):
        invalid = Or(unpack(fmt, code).nan for code in (x, y))
    result = extremum(operation, fmt, x, y, convention=convention)
    return result, flags_word({"invalid": invalid})


def nan_signals(fmt: Format, convention: Convention, *codes: FNode) -> FNode:
    """Whether some operand is a NaN that signals invalid (clause 6.2)."""
    if convention.nan_operands is NanOperands.QUIET:
        return FALSE()
    return Or(is_signalling(fmt, code) for code in codes)


def observed_extremum(
    operation: str, fmt: Format, x: FNode, y: FNode, result: FNode, *, convention: Convention = IEEE
) -> FNode:
    """What counts of an extremum: of ``OF_2008`` not the sign where the operands are +0 and -0."""
    if operation not in OF_2008 or not fmt.has_negative_zero:
        return result
    left, right = (unpack(fmt, flush_operand(fmt, convention, code)) for code in (x, y))
    unlike_zeros = And(left.zero, right.zero, Not(Iff(left.negative, right.negative)))
    magnitude = BVExtract(result, 0, fmt.magnitude_bits - 1)
    return Ite(unlike_zeros, zero_extend(magnitude, fmt.width), result)


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
