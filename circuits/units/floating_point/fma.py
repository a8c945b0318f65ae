"""Fused multiply-add."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point.addition import (
    finite_sum,
    sign_of_sum,
    sum_or_difference,
)
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.multiplication import (
    Factors,
    factors_of,
    infinity_times_zero,
)
from spikeproof.circuits.units.floating_point.rounding import Rounded, Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, shifted_out
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    mux_bus,
    negate_if,
    pad,
    shift_right_sticky,
    subtract,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format, Specials


def fma_unit(rounder: Rounder, x: Operand, y: Operand, z: Operand) -> Buses:
    """x * y + z, rounded once."""
    gates, fmt = rounder.gates, rounder.fmt
    factors = factors_of(gates, x, y)
    gates.builder.probe("z_significand", z.significand)
    alike = len({(each.fmt.precision, each.fmt.bias) for each in (x, y, z)}) == 1
    if alike and fmt.precision <= z.fmt.precision and fmt.bias <= z.fmt.bias:
        finite, opposite = _aligned_to_product(rounder, factors, x, y, z)
    else:
        finite, opposite = finite_sum(rounder, _product(gates, factors, x, y, z.fmt.bias), z)

    product_infinite = gates.or_(x.infinite, y.infinite)
    invalid_product = infinity_times_zero(gates, x, y)
    invalid = gates.or_(
        invalid_product,
        gates.wide_and((product_infinite, z.infinite, opposite)),
    )
    return rounder.override(
        finite,
        infinite=gates.or_(product_infinite, z.infinite),
        infinity_sign=gates.mux(product_infinite, factors.sign, z.sign),
        nan=gates.wide_or((x.nan, y.nan, z.nan, invalid)),
        operands=(x, y, z),
        invalid_product=invalid_product,
    )


def _product(gates: GateLibrary, factors: Factors, x: Operand, y: Operand, bias: int) -> Operand:
    """A finite product, normalised, as an operand of a format of at least that bias."""
    precision = len(factors.product)
    # In this format the exponent field of a product that is not normalised is the sum of the two. Raised
    # by so much it is at least 1 after a shift by all places but one.
    of_sum = x.fmt.bias + y.fmt.bias - 1
    raised_by = max(precision - 2, bias - of_sum)
    significand, exponent = shifted_out(
        gates, "product", factors.product, factors.exponent_sum, raised_by
    )
    gates.builder.waypoint("normalised_product", significand)
    gates.builder.waypoint("product_field", exponent)
    *fraction, normal = significand
    return Operand(
        fmt=Format("product", len(exponent), precision - 1, of_sum + raised_by, Specials.FINITE),
        code=(),
        sign=factors.sign,
        magnitude=(*fraction, *(gates.and_(bit, normal) for bit in exponent)),
        significand=significand,
        exponent=exponent,
        nan=ZERO,
        infinite=ZERO,
        zero=gates.not_(normal),
    )


def _aligned_to_product(
    rounder: Rounder, factors: Factors, x: Operand, y: Operand, z: Operand
) -> tuple[Rounded, int]:
    """x * y + z of finite operands, and whether the signs of these differ.

    All are of one format, of the result's precision and range at least.

    The addend z is shifted to the product: it starts two places to the left of it and goes right by the
    difference of exponents, if that is positive. Otherwise it stays there, and its exponent is the
    sum's; the product is then too small to matter but as a sticky bit. Where more than one lost place
    counts, there are as many more places between them, and below the product.
    """
    gates, fmt = rounder.gates, z.fmt
    # Exponents of the last places, up to a constant. A product of zero leaves the addend where it is.
    some_product = gates.not_(gates.or_(x.zero, y.zero))
    gap = rounder.mode.places + 1
    offset = fmt.precision + 1 + gap - fmt.bias
    width = 2 + max(fmt.exponent_bits, abs(offset).bit_length())
    of_product, of_addend = (
        add(
            gates,
            name,
            x=pad(exponent, width),
            y=constant_bus(max(sign * offset, 0), width),
            carry_in=(ZERO,),
        )["sum"]
        for name, exponent, sign in (
            ("product_exponent", factors.exponent_sum, 1),
            ("addend_exponent", z.exponent, -1),
        )
    )
    distance = subtract(gates, "alignment", x=of_product, y=of_addend)
    moves = gates.and_(distance["no_borrow"][0], some_product)
    # Guard places and a sticky place below the product, as many and a carry place above it.
    below = constant_bus(0, gap)
    start = pad(below, len(factors.product) + 2 * gap) + z.significand
    aligned = shift_right_sticky(
        gates, "align", x=start, amount=tuple(gates.and_(bit, moves) for bit in distance["difference"])
    )
    addend = (*aligned["sticky"], *aligned["shifted"])
    augend = pad((ZERO, *below, *factors.product), len(addend))
    opposite = gates.xor(factors.sign, z.sign)
    total = sum_or_difference(gates, augend, addend, opposite)
    (carry,) = total["carry"]
    # A difference without carry out is negative: the addend was larger.
    negative = gates.and_(opposite, gates.not_(carry))
    magnitude = negate_if(gates, negative, total["sum"])
    magnitude = (*magnitude, gates.and_(carry, gates.not_(opposite)))
    gates.builder.waypoint("magnitude", magnitude)

    sign = sign_of_sum(rounder, total["sum"], opposite, gates.xor(factors.sign, negative))
    exponent = mux_bus(gates, moves, of_product, of_addend)
    budget, excess = rebias(gates, exponent, rounder.fmt.bias - fmt.bias - max(-offset, 0))
    return rounder.denormalise_and_round(sign, budget, excess, magnitude), opposite
