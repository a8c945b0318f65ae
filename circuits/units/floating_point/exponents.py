"""The arithmetic on exponents that units share."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.integer import add, constant_bus, pad, subtract
from spikeproof.circuits.units.libraries import GateLibrary


def rebias(gates: GateLibrary, exponent: Bus, offset: int) -> tuple[Bus, Bus]:
    """max(exponent + offset, 0) and max(-offset - exponent, 0)."""
    if offset == 0:
        return exponent, (ZERO,)
    width = max(len(exponent), abs(offset).bit_length()) + (offset > 0)
    wide, shift = pad(exponent, width), constant_bus(abs(offset), width)
    if offset > 0:
        return add(gates, "budget", x=wide, y=shift, carry_in=(ZERO,))["sum"], (ZERO,)
    return positive_part(gates, "budget", wide, shift), positive_part(gates, "underflow", shift, wide)


def positive_part(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    """max(x - y, 0), of equal widths."""
    result = subtract(gates, name, x=x, y=y)
    return tuple(gates.and_(bit, result["no_borrow"][0]) for bit in result["difference"])
