"""Remainders: x - y * n, n being x / y rounded to a whole number. They never round."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import Buses, less_than, mux_bus, pad, shift_left, subtract
from spikeproof.circuits.units.libraries import GateLibrary

CUT = 2
"""At every so many places of a dividend there is a waypoint: the remainder so far."""


def remainder_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """n is nearest, of two the even one."""
    return _remainder(rounder, x, y, truncated=False)


def truncated_remainder_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """n is toward zero."""
    return _remainder(rounder, x, y, truncated=True)


def _remainder(rounder: Rounder, x: Operand, y: Operand, truncated: bool) -> Buses:
    """The significand of x, put where y's has a place of 1/2, and its places above that divided."""
    gates = rounder.gates
    distance = subtract(gates, "distance", x=x.exponent, y=y.exponent)
    at_or_above, apart = distance["no_borrow"][0], distance["difference"]
    adjacent = gates.wide_and((*apart, gates.not_(at_or_above)))  # x's last place is half of y's
    room = x.fmt.largest_finite >> x.fmt.fraction_bits
    lowest = mux_bus(gates, at_or_above, (ZERO, *x.significand), (*x.significand, ZERO))
    dividend = shift_left(
        gates,
        "align",
        x=pad(lowest, len(x.significand) + room),
        amount=tuple(gates.and_(bit, at_or_above) for bit in apart),
    )["shifted"]
    gates.builder.waypoint("dividend", dividend)
    remainder, odd = _long_division(gates, dividend[1:], y.significand)
    rest = (dividend[0], *remainder)
    # One place below y's last, as x's significand is where it stays what it is.
    far = gates.or_(y.infinite, gates.not_(gates.or_(at_or_above, adjacent)))
    beyond, magnitude = ZERO, rest
    if not truncated:
        beyond, magnitude = _to_nearest(gates, rest, odd, y.significand)
    significand = mux_bus(gates, far, (ZERO, *x.significand), magnitude)
    sign = gates.xor(x.sign, gates.and_(beyond, gates.not_(far)))
    # A place above it has the exponent field plus one.
    exponent = mux_bus(gates, far, x.exponent, y.exponent)
    finite = rounder.normalise_and_round(sign, exponent, (*significand, ZERO), ZERO)
    nan = gates.wide_or((x.nan, y.nan, x.infinite, y.zero))
    return rounder.override(finite, ZERO, ZERO, nan, operands=(x, y))


def _long_division(gates: GateLibrary, dividend: Bus, divisor: Bus) -> tuple[Bus, int]:
    """Dividend modulo divisor, and whether the quotient is odd: a row for each place from the top."""
    size, odd = len(divisor), ZERO
    remainder = pad((), size)
    for place in reversed(range(len(dividend))):
        row = (dividend[place], *remainder)
        taken = subtract(gates, f"row_{place}", x=row, y=pad(divisor, size + 1))
        odd = taken["no_borrow"][0]
        remainder = mux_bus(gates, odd, taken["difference"][:size], row[:size])
        if place and place % CUT == 0:
            gates.builder.waypoint(f"remainder_{place}", remainder)
    gates.builder.waypoint("remainder", remainder)
    gates.builder.waypoint("odd", (odd,))
    return remainder, odd


def _to_nearest(gates: GateLibrary, rest: Bus, odd: int, divisor: Bus) -> tuple[int, Bus]:
    """Whether the quotient is one more, and how far the rest, in halves, is then from its product."""
    half = pad(divisor, len(rest))
    below = less_than(gates, "below_half", x=rest, y=half)["out"][0]
    above = less_than(gates, "above_half", x=half, y=rest)["out"][0]
    beyond = gates.or_(above, gates.and_(odd, gates.not_(below)))
    other = subtract(gates, "other_side", x=(ZERO, *divisor), y=rest)["difference"]
    return beyond, mux_bus(gates, beyond, other, rest)
