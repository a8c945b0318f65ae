"""The symbolic spec of dot products: ``specs.exact_dot_products`` as pySMT bit-vector formulas.

Exponents are biased by the larger of the products' bias, which is that of both factors together, and the
addend's: then all are at least 1. Words of terms and sums count multiples of 2^(largest exponent - F).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVULT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVExtract,
    BVLShl,
    BVLShr,
    BVNeg,
    BVSub,
    Equals,
    Iff,
    Ite,
    Not,
    NotEquals,
    Or,
)

from spikeproof.specs import integers, symbolic
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.dot_products import (
    DotProduct,
    Overflow,
    Truncation,
    ZeroSign,
    ZeroTerms,
    halves,
    joined,
)
from spikeproof.specs.formats import E8M0, Format, OverflowPolicy, RoundingMode
from spikeproof.specs.symbolic import (
    Operand,
    Probe,
    append_zeros,
    as_computed,
    bit,
    from_bool,
    nonzero,
    sign_extend,
    signed_constant,
    zero_extend,
)


class Term:
    """A product, or the addend.

    Attributes:
        name: 1 to N, or z.
        exponent: its nominal one, biased as the spec's are; 0 if it has no part in the largest.
        places: of the significand, below its unit.
        invalid: whether it is a product of infinity and zero.
    """

    def __init__(
        self,
        name: str,
        operands: Sequence[Operand],
        significand: FNode,
        bias: int,
        width: int,
        scale: Sequence[FNode],
    ) -> None:
        self.name, self.significand = name, significand
        self.places = sum(x.precision - 1 for x in operands)
        exponents = (_in_width(x.exponent, width) for x in operands)
        scales = (zero_extend(each, width) for each in scale)
        offset = signed_constant(bias + self.places - 2 * E8M0.bias * len(scale), width)
        self.exponent = reduce(BVAdd, (*exponents, *scales, offset))
        self.nan = Or(x.nan for x in operands)
        self.infinite = Or(x.infinite for x in operands)
        self.zero = Or(x.zero for x in operands)
        self.invalid = And(self.infinite, self.zero)
        self.negative = reduce(lambda a, b: Not(Iff(a, b)), (x.negative for x in operands))


def _in_width(x: FNode, width: int) -> FNode:
    """x, read as signed, in more bits, or its last ones."""
    return sign_extend(x, width) if x.bv_width() <= width else BVExtract(x, 0, width - 1)


def bias_of(dot: DotProduct, formats: Sequence[Format]) -> int:
    """The bias of exponents."""
    groups = dot.by_term(formats)
    return max(sum(fmt.bias for fmt in group) + scale_bias(dot, group) for group in groups)


def scale_bias(dot: DotProduct, group: Sequence[Format]) -> int:
    """The bias of both scales of a product together; 0 of an addend."""
    return 2 * E8M0.bias if dot.scaled and len(group) > 1 else 0


def largest_of(dot: DotProduct, formats: Sequence[Format]) -> int:
    """The largest exponent that any term can have, biased; codes that are no numbers included."""
    bias = bias_of(dot, formats)
    groups = dot.by_term(formats)
    return bias + max(
        sum((1 << x.exponent_bits) - 1 - x.bias for x in group)
        + (scale_bias(dot, group) and 2 * E8M0.nan - scale_bias(dot, group))
        for group in groups
    )


def kept_places(dot: DotProduct, formats: Sequence[Format]) -> int:
    """F; of an exact dot product, so many that nothing is lost below the largest possible exponent."""
    if dot.places is not None:
        return dot.places
    last = min(
        sum(fmt.minimum_exponent - fmt.fraction_bits for fmt in group) - scale_bias(dot, group)
        for group in dot.by_term(formats)
    )
    return largest_of(dot, formats) - bias_of(dot, formats) - last


def compute(
    dot: DotProduct,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    formats: Sequence[Format],
    codes: Sequence[FNode],
    probe: Probe = as_computed,
    convention: Convention = IEEE,
    scales: Sequence[FNode] = (),
) -> FNode:
    """The result code, in ``fmt``.

    Args:
        formats, codes: of each operand, in the order of ``DotProduct.operands``.
        scales: codes of E8M0, in the order of ``DotProduct.scales``.

    Raises:
        ValueError: if a format cannot express the policy, or cannot have the convention.
    """
    convention.require_possible(fmt, *formats)
    terms = _terms(dot, formats, codes, scales, probe)
    bias, kept = bias_of(dot, formats), kept_places(dot, formats)
    largest = _largest(dot, terms, largest_of(dot, formats), probe)
    words = {term.name: _signed(dot, term, largest, kept, probe) for term in terms}
    total = _tree("sum", dot.names, words, _added, probe)
    size = total.bv_width()
    negative = bit(total, size - 1)
    magnitude = probe("magnitude", BVExtract(Ite(negative, BVNeg(total), total), 0, size - 2))
    zero_negative = _zero_negative(dot, mode, terms)
    negative = bit(probe("sign", from_bool(Ite(nonzero(total), negative, zero_negative), 1)), 0)

    width = 2 + max(largest.bv_width(), (bias + kept).bit_length())
    exponent = BVSub(zero_extend(largest, width), BV(bias + kept, width))
    rounded = symbolic.round_to(fmt, mode, policy, negative, exponent, magnitude)
    finite = rounded.code
    if dot.overflow is Overflow.INFINITE:
        beyond = symbolic.deliver_infinity(fmt, policy, negative)
        finite = Ite(rounded.overflow, beyond, finite)
    plus, minus = (
        Or(And(term.infinite, Iff(term.negative, sign)) for term in terms) for sign in (FALSE(), TRUE())
    )
    invalid = Or(Or(term.nan, term.invalid) for term in terms)
    nan = probe("nan", from_bool(Or(invalid, And(plus, minus)), 1))
    infinite = probe("infinite", from_bool(Or(plus, minus), 1))
    below = probe("minus_infinite", from_bool(minus, 1))
    infinity = symbolic.deliver_infinity(fmt, policy, bit(below, 0))
    delivered = symbolic.result_nan(dot.operation, fmt, tuple(formats), convention, tuple(codes))
    return Ite(bit(nan, 0), delivered, Ite(bit(infinite, 0), infinity, finite))


def _terms(
    dot: DotProduct,
    formats: Sequence[Format],
    codes: Sequence[FNode],
    scales: Sequence[FNode],
    probe: Probe,
) -> list[Term]:
    operands = [symbolic.unpack(fmt, code) for fmt, code in zip(formats, codes, strict=True)]
    significands = [
        probe(f"{name}_significand", x.significand)
        for name, x in zip(dot.operands, operands, strict=True)
    ]
    bias, width = bias_of(dot, formats), largest_of(dot, formats).bit_length()
    scale = [probe("scale", BVAdd(*(zero_extend(x, E8M0.width + 1) for x in scales)))] if scales else []
    unscaled = Or(Equals(x, BV(E8M0.nan, E8M0.width)) for x in scales)
    terms = []
    for name, factors, (first, *second) in zip(
        dot.names, dot.by_term(operands), dot.by_term(significands), strict=True
    ):
        significand = first
        for y in second:
            product = integers.multiply({"x": first, "y": y})["product"]
            significand = probe(f"product_{name}", product)
        term = Term(name, factors, significand, bias, width, scale if second else ())
        term.nan = Or(term.nan, unscaled)
        if dot.places is not None and dot.zeros is not ZeroTerms.COUNTED:
            of_zero = max(0, bias + dot.zeros) if isinstance(dot.zeros, int) else 0
            term.exponent = Ite(term.zero, BV(of_zero, width), term.exponent)
        term.exponent = probe(f"exponent_{name}", term.exponent)
        terms.append(term)
    return terms


def _largest(dot: DotProduct, terms: Sequence[Term], most: int, probe: Probe) -> FNode:
    """The largest exponent of those that count; of an exact dot product, the largest possible."""
    if dot.places is None:
        return BV(most, most.bit_length())
    exponents = {term.name: term.exponent for term in terms}
    return _tree("largest", dot.names, exponents, lambda a, b: Ite(BVULT(a, b), b, a), probe)


def _tree(
    what: str,
    names: Sequence[str],
    leaves: Mapping[str, FNode],
    join: Callable[[FNode, FNode], FNode],
    probe: Probe,
) -> FNode:
    """What comes of joining leaves two and two; each such value has a probe."""
    if len(names) == 1:
        return leaves[names[0]]
    both = (_tree(what, half, leaves, join, probe) for half in halves(names))
    return probe(joined(what, names), join(*both))


def _added(x: FNode, y: FNode) -> FNode:
    """The sum of two signed words, in one bit more than the longer one."""
    width = 1 + max(x.bv_width(), y.bv_width())
    return BVAdd(sign_extend(x, width), sign_extend(y, width))


def _signed(dot: DotProduct, term: Term, largest: FNode, kept: int, probe: Probe) -> FNode:
    """A term in whole multiples, truncated, in two's complement: four times the unit, and its sign."""
    distance = probe(f"distance_{term.name}", BVSub(largest, term.exponent))
    size = 2 + max(kept, term.places)  # nothing is lost before the shift
    whole = append_zeros(term.significand, max(0, kept - term.places))
    width = max(size, distance.bv_width())
    amount = zero_extend(distance, width)
    shifted = BVLShr(zero_extend(whole, width), amount)
    multiple = BVExtract(shifted, size - kept - 2, size - 1)
    truncated = probe(f"aligned_{term.name}", multiple)
    # Down to -2^(kept + 2), where it is truncated downward: the magnitude of that has a bit more.
    signed = kept + 3 + (dot.truncation is Truncation.FLOOR)
    wide = zero_extend(truncated, signed)
    negated = BVNeg(wide)
    if dot.truncation is Truncation.FLOOR:
        back = BVLShl(zero_extend(append_zeros(multiple, size - kept - 2), width), amount)
        lost = probe(f"lost_{term.name}", from_bool(NotEquals(back, zero_extend(whole, width)), 1))
        negated = BVSub(negated, zero_extend(lost, signed))
    return probe(f"signed_{term.name}", Ite(term.negative, negated, wide))


def _zero_negative(dot: DotProduct, mode: RoundingMode, terms: Sequence[Term]) -> FNode:
    if dot.zero_sign is ZeroSign.POSITIVE:
        return FALSE()
    all_negative = And(term.negative for term in terms)
    if mode is not RoundingMode.DOWN:
        return all_negative
    return Or(term.negative for term in terms)
