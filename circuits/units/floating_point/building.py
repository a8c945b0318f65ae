"""Units by name, as netlists."""

from __future__ import annotations

from collections.abc import Callable

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.circuits.units.copies import built
from spikeproof.circuits.units.floating_point.addition import add_unit, subtract_unit
from spikeproof.circuits.units.floating_point.conversion import convert_unit
from spikeproof.circuits.units.floating_point.division import divide_unit
from spikeproof.circuits.units.floating_point.fma import fma_unit
from spikeproof.circuits.units.floating_point.integral import round_to_integral_unit
from spikeproof.circuits.units.floating_point.multiplication import multiply_unit
from spikeproof.circuits.units.floating_point.remainder import (
    remainder_unit,
    truncated_remainder_unit,
)
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.scaling import logarithm_unit, scale_unit
from spikeproof.circuits.units.floating_point.shallow_addition import (
    shallow_add_unit,
    shallow_subtract_unit,
)
from spikeproof.circuits.units.floating_point.shallow_division import shallow_divide_unit
from spikeproof.circuits.units.floating_point.shallow_fma import shallow_fma_unit
from spikeproof.circuits.units.floating_point.shallow_multiplication import shallow_multiply_unit
from spikeproof.circuits.units.floating_point.shallow_root import shallow_square_root_unit
from spikeproof.circuits.units.floating_point.square_root import square_root_unit
from spikeproof.circuits.units.floating_point.unpacking import flush_operand, unpack
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, SMALL, Structure, library_gates
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import (
    ARITY,
    OPERANDS,
    RANDOM,
    Format,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Source,
    Stochastic,
    drawn,
    operand_formats,
    require_rounding,
    scale_integer,
)

UNITS: dict[str, Callable[..., Buses]] = {
    "add": add_unit,
    "subtract": subtract_unit,
    "multiply": multiply_unit,
    "divide": divide_unit,
    "square_root": square_root_unit,
    "fma": fma_unit,
    "convert": convert_unit,
    "remainder": remainder_unit,
    "truncated_remainder": truncated_remainder_unit,
}
"""The units of ``ARITY``, by operation. Each takes a rounder and the operands."""

SHALLOW_UNITS: dict[str, Callable[..., Buses]] = {
    "add": shallow_add_unit,
    "subtract": shallow_subtract_unit,
    "multiply": shallow_multiply_unit,
    "fma": shallow_fma_unit,
    "divide": shallow_divide_unit,
    "square_root": shallow_square_root_unit,
}
"""Those that are made of linear forms in shallow structures, likewise; the others of shallow blocks."""


def build_unit(
    operation: str,
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    source: Source | None = None,
    flags: bool = False,
    structure: Structure = SMALL,
    unit: Callable[..., Buses] | None = None,
    keep_waypoints: bool = False,
    convention: Convention = IEEE,
) -> Netlist:
    """A unit as a netlist: inputs ``x``, ``y``, ``z`` as many as it has, output ``result``.

    One that rounds stochastically has the input ``random`` too.

    Args:
        fmt: the format of the result.
        source: the formats of the operands, if they are others.
        flags: whether to have an output ``flags`` too, one bit for each of ``specs.formats.FLAGS``.
        structure: how adders and multipliers are made.
        unit: another unit for the same operation.
        keep_waypoints: as in ``NetlistBuilder.build``; some modes do not need every guard place.

    Raises:
        KeyError: if there is no such operation or library.
        ValueError: if the format cannot express the policy, or a format cannot have the convention; if
            the operation does not round stochastically.
    """
    forms = operand_formats(source or fmt, ARITY[operation])
    convention.require_possible(fmt, *forms)
    require_rounding(mode, operation)
    gates = library_gates(library, structure)
    codes = {
        name: gates.builder.input(name, form.width) for name, form in zip(OPERANDS, forms, strict=False)
    }
    if isinstance(mode, Stochastic):
        mode = drawn(mode, {RANDOM: gates.builder.input(RANDOM, mode.bits)})
    operands = [
        unpack(gates, form, flush_operand(gates, form, convention, code))
        for form, code in zip(forms, codes.values(), strict=True)
    ]
    rounder = Rounder(gates, fmt, mode, policy, convention)
    units = {**UNITS, **SHALLOW_UNITS} if structure.shallow else UNITS
    results = (unit or units[operation])(rounder, *operands)
    outputs = results if flags else {"result": results["result"]}
    return built(gates, outputs, keep_waypoints=keep_waypoints)


GENERAL_UNITS: dict[str, Callable[..., Buses]] = {
    "round_to_integral": round_to_integral_unit,
    "scale_b": scale_unit,
    "log_b": logarithm_unit,
}
"""More units that round, by operation. Each takes a rounder, x, and ``scale_b`` a bus n besides."""


def build_general_unit(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    flags: bool = False,
    structure: Structure = SMALL,
    convention: Convention = IEEE,
) -> Netlist:
    """One of ``GENERAL_UNITS`` as a netlist: input ``x``, of ``scale_b`` also ``n``, output ``result``.

    Args:
        flags: whether to have an output ``flags`` too, one bit for each of ``specs.formats.FLAGS``.
        structure: how adders are made.

    Raises:
        KeyError: if there is no such operation or library.
        ValueError: if the format cannot express the policy, or cannot have the convention.
    """
    rounder = Rounder(library_gates(library, structure), fmt, mode, policy, convention)
    gates = rounder.gates
    code = gates.builder.input("x", fmt.width)
    n = [gates.builder.input("n", scale_integer(fmt).width)] if operation == "scale_b" else []
    x = unpack(gates, fmt, flush_operand(gates, fmt, convention, code))
    results = GENERAL_UNITS[operation](rounder, x, *n)
    return built(gates, results if flags else {"result": results["result"]})


def build_exact_unit(
    unit: Callable[..., Bus | Buses],
    operation: str,
    fmt: Format,
    operands: int,
    library: str = DEFAULT_LIBRARY,
) -> Netlist:
    """A unit that does not round, as a netlist: inputs ``x`` and perhaps ``y``, output ``result``.

    Args:
        unit: from gates, format, operation and codes the result; or several outputs, by name.
        operands: 1 or 2.

    Raises:
        KeyError: if there is no such library or operation.
    """
    gates = library_gates(library)
    codes = [gates.builder.input(name, fmt.width) for name in "xy"[:operands]]
    results = unit(gates, fmt, operation, *codes)
    return gates.builder.build(results if isinstance(results, dict) else {"result": results})
