"""Conversion between floating-point formats."""

from __future__ import annotations

from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import Buses


def convert_unit(rounder: Rounder, x: Operand) -> Buses:
    """x, in the rounder's format."""
    # The first bit has the target's exponent field exponent + offset + 1.
    offset = rounder.fmt.bias - x.fmt.bias - 1
    budget, excess = rebias(rounder.gates, x.exponent, offset)
    finite = rounder.denormalise_and_round(x.sign, budget, excess, x.significand)
    return rounder.override(finite, x.infinite, x.sign, x.nan, operands=(x,))
