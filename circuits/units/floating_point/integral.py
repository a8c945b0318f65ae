"""Rounding to a whole number in the same format."""

from __future__ import annotations

from dataclasses import replace

from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point.rounding import Rounder, rounding
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import (
    Buses,
    constant_bus,
    increment,
    mux_bus,
    pad,
    shift_right_sticky,
    subtract,
)
from spikeproof.specs.conventions import IntegerInexact
from spikeproof.specs.formats import RoundingMode


def round_to_integral_unit(rounder: Rounder, x: Operand) -> Buses:
    """x rounded to a whole number: of its significand, shifted right until its last place weighs 1."""
    gates, fmt = rounder.gates, rounder.fmt
    # With this exponent field, or a larger one, the last place weighs 1 or more.
    whole_from = fmt.bias + fmt.fraction_bits
    width = max(len(x.exponent), whole_from.bit_length())
    limit, exponent = constant_bus(whole_from, width), pad(x.exponent, width)
    distance = subtract(gates, "distance", x=limit, y=exponent)
    below = distance["no_borrow"][0]
    aligned = shift_right_sticky(
        gates,
        "align",
        x=(ZERO, *x.significand),
        amount=tuple(gates.and_(bit, below) for bit in distance["difference"]),
    )
    guard, *kept = aligned["shifted"]
    (sticky,) = aligned["sticky"]
    assert isinstance(rounder.mode, RoundingMode)
    rounds_up, jam = rounding(gates, rounder.mode, x.sign, kept[0], guard, sticky)
    # A significand that was shifted leaves room for the carry.
    whole, _ = increment(gates, (gates.or_(kept[0], jam), *kept[1:]), rounds_up)
    gates.builder.probe("whole", whole)
    # A place above it has the field plus one.
    budget = mux_bus(gates, below, limit, exponent)
    packed = rounder.normalise_and_round(x.sign, budget, rounder.with_room((*whole, ZERO)), ZERO)
    lost = (guard, sticky) if rounder.convention.integer_inexact is IntegerInexact.RAISED else ()
    inexact = gates.wide_or((*lost, packed.inexact))
    finite = replace(packed, inexact=inexact)
    return rounder.override(finite, x.infinite, x.sign, x.nan, operands=(x,))
