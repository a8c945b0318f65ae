"""Conversions between floating-point formats and integers, parametric in both.

Probes are named as in ``circuits.units.floating_point``; in a conversion to an integer ``kept`` is the
integer part of the number, of as many bits as the integer.
"""

from __future__ import annotations

from dataclasses import dataclass

from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.circuits.units.floating_point.rounding import Rounder, flags_bus, rounding
from spikeproof.circuits.units.floating_point.unpacking import Operand, flush_operand, unpack
from spikeproof.circuits.units.integer import (
    Buses,
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
from spikeproof.specs.conventions import IEEE, Convention, IntegerInexact, IntegerResult
from spikeproof.specs.formats import Format, Integer, OverflowPolicy, RoundingMode


def from_integer_unit(rounder: Rounder, source: Integer, x: Bus) -> Buses:
    """The number that integer x rounds to, and its flags."""
    gates, fmt = rounder.gates, rounder.fmt
    sign = x[-1] if source.signed else ZERO
    magnitude = negate_if(gates, sign, x) if source.signed else x
    # The first bit weighs 2^(width - 1); the format's smallest normal number is no more than 1.
    first_bit = source.width - 1 + fmt.bias
    budget = constant_bus(first_bit - 1, first_bit.bit_length())
    number = rounder.normalise_and_round(sign, budget, rounder.with_room(magnitude), ZERO)
    gates.builder.probe("result", number.code)
    signalled = {"overflow": number.overflow, "inexact": number.inexact}
    return {"result": number.code, "flags": flags_bus(signalled)}


def to_integer_unit(
    gates: GateLibrary,
    source: Format,
    target: Integer,
    mode: RoundingMode,
    x: Operand,
    convention: Convention = IEEE,
) -> Buses:
    """The integer that x rounds to, and its flags.

    Where integers wrap there are places above the integer's, as many as the significand can reach with a
    bit left in it.
    """
    wraps = convention.integer_result is IntegerResult.WRAPPED
    width = target.width + (source.precision if wraps else 0)
    rounded = _whole(gates, source, width, mode, x)
    limit = _limit(gates, target, x.sign)
    too_large = less_than(
        gates, "too_large", x=pad(limit, width + 1), y=(*rounded.magnitude, rounded.carry)
    )["out"][0]
    beyond = gates.wide_or((x.infinite, gates.not_(rounded.fits), too_large))
    if wraps:
        reached = gates.and_(rounded.fits, gates.not_(x.infinite))
        magnitude = tuple(gates.and_(bit, reached) for bit in rounded.magnitude[: target.width])
    else:
        magnitude = mux_bus(gates, beyond, limit, rounded.magnitude)
    number = negate_if(gates, x.sign, magnitude)
    invalid = gates.or_(x.nan, beyond)
    code = _delivered(gates, target, convention.integer_result, number, x.nan, invalid)
    gates.builder.probe("result", code)
    raised = convention.integer_inexact is IntegerInexact.RAISED
    inexact = gates.and_(rounded.inexact, gates.not_(invalid)) if raised else ZERO
    signalled = {"invalid": invalid, "inexact": inexact}
    return {"result": code, "flags": flags_bus(signalled)}


@dataclass(frozen=True)
class _Whole:
    """The magnitude of a number, rounded to an integer; of no use if it does not fit its places."""

    magnitude: Bus
    carry: int
    fits: int
    inexact: int


def _whole(gates: GateLibrary, source: Format, width: int, mode: RoundingMode, x: Operand) -> _Whole:
    """A number rounded to an integer of so many places.

    The significand starts with its first bit in the first place and goes right by what the exponent is
    short of that; an exponent beyond it does not fit.
    """
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
    magnitude, carry = increment(gates, (gates.or_(kept[0], jam), *kept[1:]), rounds_up)
    return _Whole(magnitude, carry, distance["no_borrow"][0], gates.or_(guard, sticky))


def _delivered(
    gates: GateLibrary, target: Integer, result: IntegerResult, number: Bus, nan: int, invalid: int
) -> Bus:
    """The number, or what is delivered for NaN and beyond the range."""
    largest = constant_bus(target.maximum, target.width)
    match result:
        case IntegerResult.LARGEST_FOR_NAN:
            return mux_bus(gates, nan, largest, number)
        case IntegerResult.INDEFINITE:
            least = constant_bus(target.minimum, target.width)
            return mux_bus(gates, invalid, least if target.signed else largest, number)
    return tuple(gates.and_(bit, gates.not_(nan)) for bit in number)


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
    flags: bool = False,
) -> Netlist:
    """The conversion of an integer ``x``, as a netlist with output ``result`` and perhaps ``flags``.

    Raises:
        KeyError: if there is no such library.
        ValueError: if the format cannot express the policy.
    """
    gates = library_gates(library, structure)
    x = gates.builder.input("x", source.width)
    built = from_integer_unit(Rounder(gates, fmt, mode, policy), source, x)
    return gates.builder.build(built if flags else {"result": built["result"]})


def build_to_integer(
    source: Format,
    target: Integer,
    mode: RoundingMode,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
    flags: bool = False,
    convention: Convention = IEEE,
) -> Netlist:
    """The conversion of a number ``x`` to an integer: output ``result`` and perhaps ``flags``.

    Raises:
        KeyError: if there is no such library.
    """
    gates = library_gates(library, structure)
    code = flush_operand(gates, source, convention, gates.builder.input("x", source.width))
    built = to_integer_unit(gates, source, target, mode, unpack(gates, source, code), convention)
    return gates.builder.build(built if flags else {"result": built["result"]})
