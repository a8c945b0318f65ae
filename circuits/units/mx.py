"""Units for elements of MX blocks (OCP Microscaling Formats 1.0): numbers that come with a scale.

An element times its scale is an element with another exponent. So these are the units of
``circuits.units.floating_point``, for a format whose exponent field is wider and whose bias is larger.
"""

from __future__ import annotations

from dataclasses import replace

from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.circuits.units.floating_point.building import UNITS
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, unpack
from spikeproof.circuits.units.integer import add, pad
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    SMALL,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.specs.formats import (
    ARITY,
    E8M0,
    MX_OPERATIONS,
    OPERANDS,
    Format,
    OverflowPolicy,
    RoundingMode,
)


def scaled(gates: GateLibrary, name: str, scale: Bus, x: Operand) -> Operand:
    """An operand times its scale: in a format of a wider exponent, biased by ``E8M0.bias`` more."""
    width = max(len(scale), len(x.exponent))
    total = add(gates, f"{name}_scaled", x=pad(scale, width), y=pad(x.exponent, width), carry_in=(ZERO,))
    exponent = total["sum"] + total["carry"]
    return replace(
        x,
        fmt=replace(x.fmt, exponent_bits=len(exponent), bias=x.fmt.bias + E8M0.bias),
        exponent=exponent,
        nan=gates.or_(x.nan, gates.wide_and(scale)),
    )


def build_mx_unit(
    operation: str,
    element: Format,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
) -> Netlist:
    """A unit as a netlist: inputs ``x_scale``, ``x`` and for two operands ``y_scale``, ``y``.

    Args:
        operation: in ``MX_OPERATIONS``.
        element: the format of the elements.
        fmt: the format of the output, ``result``.

    Raises:
        KeyError: if there is no such operation or library.
        ValueError: if the format cannot express the policy.
    """
    gates = library_gates(library, structure)
    inner = MX_OPERATIONS[operation]
    pairs = {
        name: (
            gates.builder.input(f"{name}_scale", E8M0.width),
            gates.builder.input(name, element.width),
        )
        for name in OPERANDS[: ARITY[inner]]
    }
    operands = [
        scaled(gates, name, scale, unpack(gates, element, code)) for name, (scale, code) in pairs.items()
    ]
    built = UNITS[inner](Rounder(gates, fmt, mode, policy), *operands)
    return gates.builder.build({"result": built["result"]})
