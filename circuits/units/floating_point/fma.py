"""Fused multiply-add."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point.addition import sign_of_sum, sum_or_difference
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.multiplication import factors_of, infinity_times_zero
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, common_format, widened
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
from spikeproof.specs.formats import Format


def fma_unit(rounder: Rounder, x: Operand, y: Operand, z: Operand) -> Buses:
    """x * y + z, rounded once.

    The addend z is shifted to the product: it starts two places to the left of it and goes right by the
    difference of exponents, if that is positive. Otherwise it stays there, and its exponent is the
    sum's; the product is then too small to matter but as a sticky bit, z having all of the result's
    numbers.
    """
    gates, operands = rounder.gates, (x, y, z)
    factors = factors_of(gates, x, y)
    gates.builder.probe("z_significand", z.significand)
    z = widened(gates, "z", z, common_format(z.fmt, rounder.fmt))
    product = pad((), places_below_product(x.fmt, y.fmt, z.fmt)) + factors.product
    # Exponents of the last places, up to a constant. A product of zero leaves the addend where it is.
    some_product = gates.not_(gates.or_(x.zero, y.zero))
    offset = z.fmt.precision + 3 + z.fmt.bias - x.fmt.bias - y.fmt.bias
    longest = max(len(factors.exponent_sum) - 1, len(z.exponent), abs(offset).bit_length())
    width = 2 + longest
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
    # Two guard places and a sticky place below the product, two places and a carry place above it.
    below = constant_bus(0, 2)
    start = pad(below, len(product) + 4) + z.significand
    aligned = shift_right_sticky(
        gates, "align", x=start, amount=tuple(gates.and_(bit, moves) for bit in distance["difference"])
    )
    addend = (*aligned["sticky"], *aligned["shifted"])
    augend = pad((ZERO, *below, *product), len(addend))
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
    rebased = rounder.fmt.bias - z.fmt.bias - max(-offset, 0)
    budget, excess = rebias(gates, exponent, rebased)
    finite = rounder.denormalise_and_round(sign, budget, excess, magnitude)

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
        operands=operands,
        invalid_product=invalid_product,
    )


def places_below_product(x: Format, y: Format, z: Format) -> int:
    """Zeros below a product, so that an addend z that loses anything below it is much smaller.

    For that the first bit of a product that is not zero is at or above the last place of z's precision;
    unless the product's last place is below that of every z, as where both factors are subnormal.
    """
    last_of_product = x.minimum_exponent - x.fraction_bits + y.minimum_exponent - y.fraction_bits
    some_normal = last_of_product <= z.minimum_exponent - z.fraction_bits
    first_bit = min(x.precision, y.precision) - 1 if some_normal else 0
    return max(0, z.precision - 1 - first_bit)
