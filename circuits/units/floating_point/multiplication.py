"""Multiplication, and what every multiplier has in common."""

from __future__ import annotations

from dataclasses import dataclass

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.rounding import Rounded, Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import Buses, add, multiply, pad
from spikeproof.circuits.units.libraries import GateLibrary


@dataclass(frozen=True)
class Factors:
    """What every multiplier needs of its operands before it normalises."""

    sign: int
    product: Bus
    """Full product of the significands; its first bit weighs 2 where the operands' weigh 1."""
    exponent_sum: Bus
    """Sum of the two biased exponents."""


def significand_product(gates: GateLibrary, x: Operand, y: Operand) -> Bus:
    """The product of the significands, which may be cut out of proofs."""
    product = multiply(gates, "significand_product", x=x.significand, y=y.significand)["product"]
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    gates.builder.waypoint("product", product)
    return product


def factors_of(gates: GateLibrary, x: Operand, y: Operand) -> Factors:
    """The factors of a product."""
    product = significand_product(gates, x, y)
    width = max(len(x.exponent), len(y.exponent))
    exponents = {"x": pad(x.exponent, width), "y": pad(y.exponent, width)}
    total = add(gates, "exponent_sum", **exponents, carry_in=(ZERO,))
    return Factors(gates.xor(x.sign, y.sign), product, total["sum"] + total["carry"])


def infinity_times_zero(gates: GateLibrary, x: Operand, y: Operand) -> int:
    """Whether one operand is infinite and the other zero."""
    return gates.or_(gates.and_(x.infinite, y.zero), gates.and_(x.zero, y.infinite))


def override_product(rounder: Rounder, factors: Factors, finite: Rounded, *xy: Operand) -> Buses:
    """The finite product, unless it is exactly infinite or not a number."""
    gates, (x, y) = rounder.gates, xy
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=factors.sign,
        nan=gates.wide_or((x.nan, y.nan, infinity_times_zero(gates, x, y))),
        operands=xy,
    )


def multiply_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x * y.

    The product's first bit has the exponent field ``exponent_sum + offset + 1``. If that is positive
    the product may be shifted left, else it must be shifted right to the subnormal place; one of the
    two amounts is always zero.
    """
    factors = factors_of(rounder.gates, x, y)
    offset = rounder.fmt.bias - x.fmt.bias - y.fmt.bias
    budget, excess = rebias(rounder.gates, factors.exponent_sum, offset)
    finite = rounder.denormalise_and_round(factors.sign, budget, excess, factors.product)
    return override_product(rounder, factors, finite, x, y)
