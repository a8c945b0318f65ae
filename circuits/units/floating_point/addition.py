"""Addition and subtraction."""

from __future__ import annotations

from dataclasses import replace

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.rounding import Rounded, Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, common_format, widened
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    less_than,
    mux_bus,
    shift_right_sticky,
    subtract,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import RoundingMode


def add_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x + y."""
    gates = rounder.gates
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    finite, opposite = finite_sum(rounder, x, y)
    invalid = gates.wide_and((x.infinite, y.infinite, opposite))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=gates.mux(x.infinite, x.sign, y.sign),
        nan=gates.wide_or((x.nan, y.nan, invalid)),
        operands=(x, y),
    )


def finite_sum(rounder: Rounder, x: Operand, y: Operand) -> tuple[Rounded, int]:
    """x + y of finite operands, brought to a common format; and whether their signs differ."""
    gates = rounder.gates
    common = common_format(x.fmt, y.fmt, precision=rounder.fmt.precision)
    x, y = widened(gates, "x", x, common), widened(gates, "y", y, common)
    swap = less_than(gates, "swap", x=x.magnitude, y=y.magnitude)["out"][0]
    sign = gates.mux(swap, y.sign, x.sign)
    large, small = (
        (
            mux_bus(gates, swap, a.significand, b.significand),
            mux_bus(gates, swap, a.exponent, b.exponent),
        )
        for a, b in ((y, x), (x, y))
    )
    distance = subtract(gates, "exponent_difference", x=large[1], y=small[1])["difference"]

    # Two guard places and a sticky place below the significands suffice: only a shift of two or more
    # loses anything, and then the difference has at most one leading zero. Where more than one lost
    # place counts, there are as many more.
    places = constant_bus(0, rounder.mode.places + 1)
    aligned = shift_right_sticky(gates, "align", x=(*places, *small[0]), amount=distance)
    addend = (*aligned["sticky"], *aligned["shifted"])
    augend = (ZERO, *places, *large[0])
    opposite = gates.xor(x.sign, y.sign)
    total = sum_or_difference(gates, augend, addend, opposite)
    # A subtraction never borrows, since the larger magnitude is on the left: its carry out is void.
    carry = gates.and_(total["carry"][0], gates.not_(opposite))
    magnitude = (*total["sum"], carry)
    gates.builder.waypoint("magnitude", magnitude)

    sign = sign_of_sum(rounder, total["sum"], opposite, sign)
    # The carry place has the exponent field of the larger operand plus one.
    budget, excess = rebias(gates, large[1], rounder.fmt.bias - common.bias)
    return rounder.denormalise_and_round(sign, budget, excess, magnitude), opposite


def subtract_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x - y: the adder with the sign of y inverted."""
    return add_unit(rounder, x, replace(y, sign=rounder.gates.not_(y.sign)))


def sum_or_difference(gates: GateLibrary, x: Bus, y: Bus, opposite: int) -> Buses:
    """x + y, or x - y where ``opposite`` is 1; then the carry out says that x >= y."""
    return add(
        gates,
        "significand_sum",
        x=x,
        y=tuple(gates.xor(bit, opposite) for bit in y),
        carry_in=(opposite,),
    )


def sign_of_sum(rounder: Rounder, total: Bus, opposite: int, sign: int) -> int:
    """The sign of a sum that is not zero, or else of an exact zero.

    That is negative only in rounding mode down, or as the sum of two negative zeros.
    """
    gates = rounder.gates
    cancelled = gates.and_(opposite, gates.not_(gates.wide_or(total)))
    zero_sign = ONE if rounder.mode is RoundingMode.DOWN else ZERO
    sign = gates.mux(cancelled, zero_sign, sign)
    gates.builder.waypoint("sign", (sign,))
    return sign
