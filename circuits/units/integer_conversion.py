"""Conversions between floating-point formats and integers, parametric in both.

Probes are named as in ``circuits.units.floating_point``; in a conversion to an integer ``kept`` is the
integer part of the number, of as many bits as the integer.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.circuits.units.floating_point.rounding import Rounder, rounding
from spikeproof.circuits.units.floating_point.unpacking import Operand, unpack
from spikeproof.circuits.units.integer import (
    constant_bus,
    increment,
    less_than,
    mux_bus,
    negate_if,
    pad,
    shift_right_sticky,
    subtract,
)
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    SMALL,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.specs.formats import Format, Integer, OverflowPolicy, RoundingMode


def from_integer_unit(rounder: Rounder, source: Integer, x: Bus) -> Bus:
    """Code of the number that integer x rounds to."""
    gates, fmt = rounder.gates, rounder.fmt
    sign = x[-1] if source.signed else ZERO
    magnitude = negate_if(gates, sign, x) if source.signed else x
    # The first bit weighs 2^(width - 1); the format's smallest normal number is no more than 1.
    first_bit = source.width - 1 + fmt.bias
    budget = constant_bus(first_bit - 1, first_bit.bit_length())
    code = rounder.normalise_and_round(sign, budget, rounder.with_room(magnitude), ZERO).code
    gates.builder.probe("result", code)
    return code


def to_integer_unit(
    gates: GateLibrary, source: Format, target: Integer, mode: RoundingMode, x: Operand
) -> Bus:
    """Code of the integer that x rounds to: the nearest end of the range beyond it, 0 for NaN.

    The significand starts with its first bit in the integer's first place and goes right by what the
    exponent is short of that; an exponent beyond it is out of range.
    """
    width = target.width
    places = max(source.precision, width + 1) - source.precision
    highest = source.bias + width - 1
    size = max(source.exponent_bits, highest.bit_length())
    distance = subtract(gates, "distance", x=constant_bus(highest, size), y=pad(x.exponent, size))
    aligned = shift_right_sticky(
        gates, "align", x=pad((), places) + x.significand, amount=distance["difference"]
    )
    kept, below = aligned["shifted"][-width:], aligned["shifted"][:-width]
    guard, sticky = below[-1], gates.wide_or((*below[:-1], *aligned["sticky"]))
    gates.builder.probe("kept", kept)
    gates.builder.probe("guard", (guard,))
    gates.builder.probe("sticky", (sticky,))
    rounds_up, jam = rounding(gates, mode, x.sign, kept[0], guard, sticky)
    whole, carry = increment(gates, (gates.or_(kept[0], jam), *kept[1:]), rounds_up)

    limit = _limit(gates, target, x.sign)
    too_large = less_than(gates, "too_large", x=(*limit, ZERO), y=(*whole, carry))["out"][0]
    fits = distance["no_borrow"][0]
    beyond = gates.wide_or((x.infinite, gates.not_(fits), too_large))
    number = negate_if(gates, x.sign, mux_bus(gates, beyond, limit, whole))
    code = tuple(gates.and_(bit, gates.not_(x.nan)) for bit in number)
    gates.builder.probe("result", code)
    return code


def _limit(gates: GateLibrary, target: Integer, sign: int) -> Bus:
    """The largest magnitude of a number of this sign."""
    positive = gates.not_(sign)
    return (*(positive for _ in range(target.width - 1)), sign if target.signed else positive)


def build_from_integer(
    source: Integer,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
) -> Netlist:
    """The conversion of an integer ``x``, as a netlist with output ``result``.

    Raises:
        KeyError: if there is no such library.
        ValueError: if the format cannot express the policy.
    """
    gates = library_gates(library, structure)
    x = gates.builder.input("x", source.width)
    return gates.builder.build(
        {"result": from_integer_unit(Rounder(gates, fmt, mode, policy), source, x)}
    )


def build_to_integer(
    source: Format,
    target: Integer,
    mode: RoundingMode,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
) -> Netlist:
    """The conversion of a number ``x`` to an integer, as a netlist with output ``result``.

    Raises:
        KeyError: if there is no such library.
    """
    gates = library_gates(library, structure)
    x = unpack(gates, source, gates.builder.input("x", source.width))
    return gates.builder.build({"result": to_integer_unit(gates, source, target, mode, x)})
