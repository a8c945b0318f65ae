"""Conversions between floating-point formats and E8M0, the scales of MX blocks.

Probes are named as in ``circuits.units.floating_point``. A scale has one significand bit, always set: so
rounding to one needs no adder, only whether the exponent goes up.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.circuits.units.floating_point.conversion import convert_unit
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.rounding import Rounder, rounding
from spikeproof.circuits.units.floating_point.unpacking import (
    Operand,
    flush_operand,
    normalised,
    unpack,
)
from spikeproof.circuits.units.integer import constant_bus, increment, less_than, mux_bus, pad
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    SMALL,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.specs.conventions import IEEE, Convention, ScaleOperands, ScaleRounding
from spikeproof.specs.formats import E8M0, NEAREST, Format, OverflowPolicy, RoundingMode

WITH_FRACTION = Format(E8M0.name, E8M0.width, 1, E8M0.bias, E8M0.specials)
"""Scales as floating-point numbers: with a sign and a fraction, both 0."""


def from_scale_unit(rounder: Rounder, scale: Bus) -> Bus:
    """The number that a scale rounds to: its one significand bit, with the exponent that it is.

    So it is normal even where the exponent field is 0.
    """
    x = Operand(
        fmt=WITH_FRACTION,
        code=(ZERO, *scale, ZERO),
        sign=ZERO,
        magnitude=(ZERO, *scale),
        significand=(ONE,),
        exponent=scale,
        nan=rounder.gates.wide_and(scale),
        infinite=ZERO,
        zero=ZERO,
    )
    return convert_unit(rounder, x)["result"]


def to_scale_unit(
    gates: GateLibrary,
    source: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    x: Operand,
    convention: Convention = IEEE,
    element: Format | None = None,
) -> Bus:
    """The scale that x rounds to; or that elements share of which the largest magnitude is that of x.

    Raises:
        ValueError: if E8M0 cannot express the policy.
    """
    E8M0.require_policy(policy)
    bias = E8M0.bias - (element.maximum_exponent if element else 0)
    rounded = _rounded(gates, mode, x, bias - source.bias, convention)
    limit = constant_bus(E8M0.largest, len(rounded))
    overflow = less_than(gates, "overflow", x=limit, y=rounded)["out"][0]
    to_infinity = mode in (*NEAREST, RoundingMode.UP)
    largest, nan = (constant_bus(code, E8M0.width) for code in (E8M0.largest, E8M0.nan))
    infinity = largest if policy is OverflowPolicy.SATURATE else nan
    code = mux_bus(gates, overflow, infinity if to_infinity else largest, rounded[: E8M0.width])
    code = tuple(gates.and_(bit, gates.not_(x.zero)) for bit in code)
    code = mux_bus(gates, x.infinite, infinity, code)
    invalid = x.nan
    if convention.scale_operands is ScaleOperands.POSITIVE:
        invalid = gates.wide_or((x.nan, x.sign, x.zero))
    code = mux_bus(gates, invalid, nan, code)
    gates.builder.probe("result", code)
    return code


def _rounded(
    gates: GateLibrary, mode: RoundingMode, x: Operand, offset: int, convention: Convention
) -> Bus:
    """The code that x rounds to if codes have no upper bound; of no use if x is zero.

    Args:
        offset: how much larger it is than the exponent field.
    """
    (*below, guard, _), raised = normalised(gates, "x", x)
    exponent, excess = rebias(gates, raised, offset - len(x.significand))
    too_small, sticky, last = gates.wide_or(excess), gates.wide_or(below), ONE
    if convention.scale_rounding is ScaleRounding.GRADUAL:
        # Below twice the smallest scale nothing is kept; the first bit is the guard bit, or below it.
        last = gates.wide_or(exponent)
        low = gates.not_(last)
        lost = gates.or_(too_small, guard)
        sticky = gates.or_(sticky, gates.and_(low, lost))
        guard = gates.mux(low, gates.not_(too_small), guard)
    gates.builder.probe("guard", (guard,))
    gates.builder.probe("sticky", (sticky,))
    up, jam = rounding(gates, mode, ZERO, last, guard, sticky)
    up = gates.or_(up, gates.and_(jam, gates.not_(last)))
    if convention.scale_rounding is ScaleRounding.BY_VALUE:
        up = gates.and_(up, gates.not_(too_small))
    code, carry = increment(gates, pad(exponent, E8M0.width), up)
    return (*code, carry)


def build_from_scale(
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
    convention: Convention = IEEE,
) -> Netlist:
    """The conversion of a scale ``x``, as a netlist with output ``result``.

    Raises:
        KeyError: if there is no such library.
        ValueError: if the format cannot express the policy, or cannot have the convention.
    """
    rounder = Rounder(library_gates(library, structure), fmt, mode, policy, convention)
    x = rounder.gates.builder.input("x", E8M0.width)
    return rounder.gates.builder.build({"result": from_scale_unit(rounder, x)})


def build_to_scale(
    source: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
    convention: Convention = IEEE,
    element: Format | None = None,
) -> Netlist:
    """The conversion of a number ``x`` to a scale, as a netlist with output ``result``.

    Args:
        element: of what format are the elements of which x has the largest magnitude, if it has.

    Raises:
        KeyError: if there is no such library.
        ValueError: if E8M0 cannot express the policy.
    """
    gates = library_gates(library, structure)
    code = flush_operand(gates, source, convention, gates.builder.input("x", source.width))
    x = unpack(gates, source, code)
    result = to_scale_unit(gates, source, mode, policy, x, convention, element)
    return gates.builder.build({"result": result})
