"""Square root."""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, normalised
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    mux_bus,
    pad,
    shift_right_sticky,
    square_root,
)


def square_root_unit(rounder: Rounder, x: Operand) -> Buses:
    """Square root of x: that of the significand, normalised to an even exponent, to the guard bit."""
    gates, fmt, source = rounder.gates, rounder.fmt, x.fmt
    gates.builder.probe("x_significand", x.significand)
    significand, exponent = normalised(gates, "x", x)
    # With its last place at 2^e, the radicand is the significand times 2^places, or twice that if
    # e - places is odd. It has two bits for each of the root, and no fewer than the significand needs.
    size = 2 * max(fmt.precision + 1, source.precision // 2 + 1)
    places = size - 1 - source.precision
    odd = gates.not_(exponent[0]) if (source.precision + source.bias) % 2 else exponent[0]
    single = pad((), places) + significand + (ZERO,)
    radicand = mux_bus(gates, odd, (ZERO, *single[:-1]), single)
    parts = square_root(gates, "significand_root", x=radicand)
    gates.builder.waypoint("radicand", radicand)
    gates.builder.waypoint("root", parts["root"])
    gates.builder.waypoint("remainder", parts["remainder"])
    root = rounder.with_room(parts["root"])
    # The root's first bit, always set, has the exponent field (exponent + offset) / 2 + 1, rounded down.
    offset = 2 * fmt.bias - source.precision - source.bias - 2
    twice, below = rebias(gates, exponent, offset)
    half = twice[1:]
    excess = add(gates, "halved", x=below, y=constant_bus(0, len(below)), carry_in=(ONE,))
    amount = (*excess["sum"][1:], *excess["carry"])
    denormalised = shift_right_sticky(gates, "denormalise", x=root, amount=amount)
    sticky = gates.wide_or((*parts["remainder"], *denormalised["sticky"]))
    finite = rounder.round(x.sign, half, denormalised["shifted"], sticky)
    negative = gates.and_(x.sign, gates.not_(x.zero))
    return rounder.override(
        finite,
        infinite=x.infinite,
        infinity_sign=x.sign,
        nan=gates.or_(x.nan, negative),
        operands=(x,),
    )
