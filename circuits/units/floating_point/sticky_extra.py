"""Multiplication as S1 has it, with its Sticky-Extra Correction (arXiv 2512.07724)."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.floating_point.exponents import positive_part
from spikeproof.circuits.units.floating_point.multiplication import factors_of, override_product
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    leading_zeros,
    pad,
    shift_left,
    shift_right_sticky,
)
from spikeproof.circuits.units.libraries import GateLibrary

STICKY_EXTRA_ROUTES = ("sticky", "round", "significand")
"""Where S1's correction may send the lost product bit."""


def sticky_extra_multiply_unit(
    rounder: Rounder,
    x: Operand,
    y: Operand,
    routes: tuple[str, ...] = STICKY_EXTRA_ROUTES,
) -> Buses:
    """x * y, of one format, by S1's multiplier with its Sticky-Extra Correction (arXiv 2512.07724).

    The 2p-bit product P is first shifted right by one, so that P[0] leaves the datapath, then
    normalised left by s = 2p - 1 - msb(P). P[0] belongs s - 1 places above the last place of the
    normalised product: for s < p - 1 that is a sticky place, for s = p - 1 the round bit, for s >= p
    a place of the significand. For E4M3, p = 4, these are S1's three cases.

    Args:
        routes: the routes to build, out of ``STICKY_EXTRA_ROUTES``; leave one out to see what it does.
    """
    gates, fmt = rounder.gates, rounder.fmt
    factors = factors_of(gates, x, y)
    lost, shifted = factors.product[0], factors.product[1:]
    count = leading_zeros(gates, x=factors.product)["count"]
    normalised = shift_left(gates, x=shifted, amount=count)["shifted"]
    places, sticky = _route_lost_bit(gates, fmt.precision, lost, count, len(shifted), routes)
    significand = tuple(gates.or_(bit, place) for bit, place in zip(normalised, places, strict=True))

    # The first bit now has the exponent field exponent_sum - bias + 1 - s.
    width = len(factors.exponent_sum) + 1
    floor = add(
        gates,
        "exponent_floor",
        x=constant_bus(fmt.bias, width),
        y=pad(count, width),
        carry_in=(ZERO,),
    )["sum"]
    total = pad(factors.exponent_sum, width)
    exponent = positive_part(gates, "exponent", total, floor)
    excess = positive_part(gates, "underflow", floor, total)
    denormalised = shift_right_sticky(gates, "denormalise", x=significand, amount=excess)
    finite = rounder.round(
        factors.sign,
        exponent,
        denormalised["shifted"],
        gates.or_(sticky, denormalised["sticky"][0]),
    )
    return override_product(rounder, factors, finite, x, y)


def _route_lost_bit(
    gates: GateLibrary,
    precision: int,
    lost: int,
    count: Bus,
    width: int,
    routes: tuple[str, ...],
) -> tuple[Bus, int]:
    """Send the lost bit to place s - 1 of the normalised product, or below it to sticky for s = 0."""
    places = [ZERO] * width
    sticky = ZERO
    for shift in range(width + 1):
        route = (
            "sticky" if shift < precision - 1 else "round" if shift == precision - 1 else "significand"
        )
        if route not in routes:
            continue
        selected = gates.wide_and(
            [lost, *(bit if shift >> i & 1 else gates.not_(bit) for i, bit in enumerate(count))]
        )
        if route == "sticky":
            sticky = gates.or_(sticky, selected)
        else:
            places[shift - 1] = selected
    return tuple(places), sticky
