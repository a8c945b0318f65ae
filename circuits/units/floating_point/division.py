"""Division."""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.floating_point.exponents import positive_part
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, normalised
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    divide,
    mux_bus,
    pad,
    shift_right_sticky,
)


def divide_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x / y: the normalised significands divided to one place below the guard bit."""
    gates, fmt = rounder.gates, rounder.fmt
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    x_significand, x_exponent = normalised(gates, "x", x)
    y_significand, y_exponent = normalised(gates, "y", y)
    precision = max(x.fmt.precision, y.fmt.precision, fmt.precision)
    x_significand, y_significand = (
        pad((), precision - len(each)) + each for each in (x_significand, y_significand)
    )
    # Dividing by infinity is dividing zero; dividing by zero delivers no quotient.
    dividend = tuple(gates.and_(bit, gates.not_(y.infinite)) for bit in x_significand)
    divisor = (*y_significand[:-1], ONE)
    parts = divide(gates, "significand_quotient", x=dividend, y=divisor)
    gates.builder.waypoint("dividend", dividend)
    gates.builder.waypoint("divisor", divisor)
    gates.builder.waypoint("quotient", parts["quotient"])
    gates.builder.waypoint("remainder", parts["remainder"])
    # The quotient lies between 1/2 and 2: its first or second bit is set.
    first = parts["quotient"][-1]
    significand = mux_bus(gates, first, parts["quotient"], (ZERO, *parts["quotient"][:-1]))
    significand = rounder.with_room(significand)
    # Its first bit has the exponent field total - floor + 1.
    scales = [each.fmt.precision + each.fmt.bias for each in (y, x)]
    of_total, of_floor = (
        each + scale - min(scales) for each, scale in zip((fmt.bias, 2), scales, strict=True)
    )
    width = 2 + max(len(x_exponent), len(y_exponent), of_total.bit_length(), of_floor.bit_length())
    total = add(
        gates,
        "exponent_total",
        x=pad(x_exponent, width),
        y=constant_bus(of_total, width),
        carry_in=(first,),
    )["sum"]
    floor = add(
        gates,
        "exponent_floor",
        x=pad(y_exponent, width),
        y=constant_bus(of_floor, width),
        carry_in=(ZERO,),
    )["sum"]
    exponent = positive_part(gates, "exponent", total, floor)
    excess = positive_part(gates, "underflow", floor, total)
    denormalised = shift_right_sticky(gates, "denormalise", x=significand, amount=excess)
    sign = gates.xor(x.sign, y.sign)
    sticky = gates.wide_or((*parts["remainder"], *denormalised["sticky"]))
    finite = rounder.round(sign, exponent, denormalised["shifted"], sticky)
    zero_or_infinite_both = gates.or_(gates.and_(x.infinite, y.infinite), gates.and_(x.zero, y.zero))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.zero),
        infinity_sign=sign,
        nan=gates.wide_or((x.nan, y.nan, zero_or_infinite_both)),
        operands=(x, y),
    )
