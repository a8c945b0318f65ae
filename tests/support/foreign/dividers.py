"""Floating-point dividers of one quotient bit a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.specs.formats import Format
from tests.support.foreign.floats import Unit
from tests.support.foreign.gates import Gates, constant

Quotient = Callable[[Gates, Bus, Bus], tuple[Bus, Bus]]
"""From dividend and divisor of n bits n + 2 bits of the quotient, and what remains."""


def restoring(gates: Gates, dividend: Bus, divisor: Bus) -> tuple[Bus, Bus]:
    """The divisor is subtracted where that leaves no less than nothing."""
    rest: Bus = (*dividend, ZERO)
    quotient: list[int] = []
    for _ in range(len(divisor) + 2):
        less, fits = gates.ripple(rest, gates.invert((*divisor, ZERO)), ONE)
        quotient.insert(0, fits)
        rest = (ZERO, *gates.choose(fits, less, rest)[:-1])
    return tuple(quotient), rest[1 : len(divisor) + 1]


def non_restoring(gates: Gates, dividend: Bus, divisor: Bus) -> tuple[Bus, Bus]:
    """The divisor is subtracted from what is not negative, and added to what is."""
    wide = (*divisor, ZERO, ZERO)
    rest: Bus = (*dividend, ZERO, ZERO)
    quotient: list[int] = []
    fits = ONE
    for _ in range(len(divisor) + 2):
        rest, _ = gates.kogge_stone(rest, gates.flip(wide, fits), fits)
        fits = gates.not_(rest[-1])
        quotient.insert(0, fits)
        last, rest = rest, (ZERO, *rest[:-1])
    restored, _ = gates.ripple(last, gates.mask(wide, last[-1]))
    return tuple(quotient), restored[: len(divisor)]


def divider(fmt: Format, quotient: Quotient = restoring, **options: Any) -> Netlist:
    """x / y: operands normalised, results shifted right where they are subnormal.

    Args:
        options: of ``Unit``.
    """
    unit = Unit(fmt, "xy", **options)
    gates, (x, y) = unit.gates, map(unit.number, unit.codes)
    width = fmt.exponent_bits + 3
    (p, e), (q, f) = unit.normalised(x, width), unit.normalised(y, width)
    bits, remainder = quotient(gates, p, q)
    first = bits[-1]
    significand = gates.choose(first, bits, (ZERO, *bits[:-1]))
    distance, _ = gates.subtract(e, f)
    exponent, _ = gates.ripple(distance, constant(fmt.bias - 1, width), first)
    nonzero = gates.not_(gates.or_(x.zero, y.infinite))
    finite = unit.shifted_right_and_rounded(exponent, significand, gates.any_(remainder), nonzero)
    both = gates.or_(gates.and_(x.zero, y.zero), gates.and_(x.infinite, y.infinite))
    nan = gates.any_((x.nan, y.nan, both))
    infinite = gates.or_(x.infinite, y.zero)
    return unit.deliver(gates.xor(x.sign, y.sign), finite, infinite, nan, (x, y))
