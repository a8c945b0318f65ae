"""Results that are not numbers, and what operands that are none signal."""

from __future__ import annotations

from collections.abc import Sequence

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.unpacking import Operand, signalling
from spikeproof.circuits.units.integer import constant_bus, mux_bus, pad
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.conventions import SEVERAL, Convention, NanOperands, NanResult
from spikeproof.specs.formats import Format


def nan_signals(gates: GateLibrary, convention: Convention, operands: Sequence[Operand]) -> Bus:
    """One bit for each operand, whether it signals invalid; none where no operand does."""
    if convention.nan_operands is NanOperands.QUIET:
        return ()
    return tuple(signalling(gates, operand) for operand in operands)


def result_nan(
    gates: GateLibrary,
    fmt: Format,
    convention: Convention,
    operands: Sequence[Operand],
    invalid_product: int = ZERO,
) -> Bus:
    """The code, in ``fmt``, that is delivered where the result is not a number.

    Args:
        invalid_product: of three operands, whether zero is multiplied by infinity.
    """
    nan = convention.nan
    default = constant_bus(fmt.canonical_nan if fmt.has_nan else fmt.largest_finite, fmt.width)
    if nan in (NanResult.CANONICAL, *SEVERAL):
        return default
    if nan is NanResult.ONES:
        return constant_bus(fmt.nan_of_ones, fmt.width) if fmt.has_nan else default
    first = operands
    if nan is NanResult.LAST:
        first = operands[::-1]
    if nan is NanResult.ARM and len(operands) == 3:
        first = (operands[2], *operands[:2])
    chosen = (*default[:-1], ONE) if nan is NanResult.X86 else default
    for operand in reversed(first):
        chosen = mux_bus(gates, operand.nan, _quieted(fmt, operand), chosen)
    if nan is not NanResult.ARM:
        return chosen
    for operand in reversed(first):
        chosen = mux_bus(gates, signalling(gates, operand), _quieted(fmt, operand), chosen)
    alone = gates.and_(invalid_product, gates.not_(signalling(gates, operands[-1])))
    return mux_bus(gates, alone, default, chosen)


def _quieted(fmt: Format, operand: Operand) -> Bus:
    """The quiet NaN that a NaN operand becomes: its sign, and the first of its fraction bits."""
    fraction, places = operand.code[: operand.fmt.fraction_bits], fmt.fraction_bits
    aligned = (pad((), max(0, places - len(fraction))) + fraction)[-places:]
    return (*aligned[:-1], ONE, *constant_bus(-1, fmt.exponent_bits), operand.code[-1])
