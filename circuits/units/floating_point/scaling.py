"""Operations on the exponent: x * 2^n, and the exponent of x as a number."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, normalised
from spikeproof.circuits.units.integer import Buses, add, constant_bus, negate_if, pad, subtract


def scale_unit(rounder: Rounder, x: Operand, n: Bus) -> Buses:
    """x * 2^n, of a signed n: the exponent field is added to n."""
    gates = rounder.gates
    width = 1 + max(len(x.exponent) + 1, len(n))
    total = add(
        gates,
        "scaled_exponent",
        x=pad(x.exponent, width),
        y=n + n[-1:] * (width - len(n)),
        carry_in=(ZERO,),
    )["sum"]
    *low, negative = total
    budget = tuple(gates.and_(bit, gates.not_(negative)) for bit in low)
    excess = tuple(gates.and_(bit, negative) for bit in negate_if(gates, negative, total))
    # A place above the significand has the field plus one.
    finite = rounder.denormalise_and_round(x.sign, budget, excess, (*x.significand, ZERO))
    return rounder.override(finite, x.infinite, x.sign, x.nan, operands=(x,))


def logarithm_unit(rounder: Rounder, x: Operand) -> Buses:
    """The exponent of x as a number: that of its normalised significand, without the bias."""
    gates, fmt = rounder.gates, rounder.fmt
    _, raised = normalised(gates, "x", x)
    bias = fmt.bias + fmt.precision
    width = max(len(raised), bias.bit_length())
    unbiased = subtract(gates, "unbiased", x=pad(raised, width), y=constant_bus(bias, width))
    negative = gates.not_(unbiased["no_borrow"][0])
    magnitude = negate_if(gates, negative, unbiased["difference"])
    # The first bit weighs 2^(width - 1); the format's smallest normal number is no more than 1.
    first_bit = width - 1 + fmt.bias
    budget = constant_bus(first_bit - 1, first_bit.bit_length())
    finite = rounder.normalise_and_round(negative, budget, rounder.with_room(magnitude), ZERO)
    infinite = gates.or_(x.infinite, x.zero)
    return rounder.override(finite, infinite, x.zero, x.nan, operands=(x,))
