"""Multiplication without rounding, in a format that holds every product."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point.multiplication import factors_of, override_product
from spikeproof.circuits.units.floating_point.rounding import Rounded, Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import Buses, add, constant_bus, leading_zeros, pad, subtract
from spikeproof.specs.formats import Format, Specials


def exact_product_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x * y, of one format, in one that holds every product: normalised and put in place, never rounded.

    The rounder lends its gates, its format and what it delivers for infinities and NaNs; its mode plays
    no part.

    Raises:
        ValueError: if the format does not hold every product as a normal number.
    """
    gates, fmt = rounder.gates, rounder.fmt
    require_exact_products(x.fmt, fmt)
    factors = factors_of(gates, x, y)
    product = leading_zeros(gates, "product_leading_zeros", x=factors.product)
    # The first bit has the exponent field exponent_sum + offset - leading zeros; zero has the field 0.
    width = max(fmt.exponent_bits, len(factors.exponent_sum), len(product["count"]))
    raised = add(
        gates,
        "exponent_raised",
        x=pad(factors.exponent_sum, width),
        y=constant_bus(fmt.bias - 2 * x.fmt.bias + 1, width),
        carry_in=(ZERO,),
    )["sum"]
    field = subtract(gates, "exponent", x=raised, y=pad(product["count"], width))["difference"]
    *fraction, first = product["shifted"]
    magnitude = (
        *pad((), fmt.fraction_bits - len(fraction)),
        *fraction,
        *(gates.and_(bit, first) for bit in field[: fmt.exponent_bits]),
    )
    exact = Rounded((*magnitude, factors.sign), overflow=ZERO, underflow=ZERO, inexact=ZERO)
    return override_product(rounder, factors, exact, x, y)


def require_exact_products(source: Format, fmt: Format) -> None:
    """Refuse a format in which some product of two ``source`` numbers is not a normal number.

    Raises:
        ValueError: saying what is too small for it.
    """
    smallest = 2 * (source.minimum_exponent - source.fraction_bits)
    lacks = {
        "precision": fmt.precision < 2 * source.precision,
        "small numbers": fmt.minimum_exponent > smallest,
        "large numbers": fmt.maximum_exponent < 2 * source.maximum_exponent + 1,
        "infinities or NaNs": fmt.specials is not Specials.IEEE,
    }
    if any(lacks.values()):
        missing = ", ".join(what for what, is_lacking in lacks.items() if is_lacking)
        raise ValueError(f"{fmt.name} does not hold every product of {source.name}: it lacks {missing}")
