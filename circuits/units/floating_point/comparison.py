"""Comparisons, and minimum and maximum: units that do not round."""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.nans import nan_signals, result_nan
from spikeproof.circuits.units.floating_point.rounding import flags_bus
from spikeproof.circuits.units.floating_point.unpacking import (
    Operand,
    flush_operand,
    signalling,
    unpack,
)
from spikeproof.circuits.units.integer import less_than, mux_bus
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.conventions import IEEE, OF_2008, PROPAGATING, Convention
from spikeproof.specs.formats import Format


def _below_and_above(gates: GateLibrary, x: Operand, y: Operand) -> tuple[int, int]:
    """Whether |x| < |y| and whether |x| > |y|."""
    below = less_than(gates, "below", x=x.magnitude, y=y.magnitude)["out"][0]
    above = less_than(gates, "above", x=y.magnitude, y=x.magnitude)["out"][0]
    return below, above


def _less_and_equal(gates: GateLibrary, x: Operand, y: Operand) -> tuple[int, int]:
    """Whether x < y and whether x = y as numbers; NaNs are not looked at."""
    below, above = _below_and_above(gates, x, y)
    both_zero = gates.and_(x.zero, y.zero)
    same_magnitude = gates.not_(gates.or_(below, above))
    same_sign = gates.not_(gates.xor(x.sign, y.sign))
    equal = gates.or_(both_zero, gates.and_(same_sign, same_magnitude))
    ordered_by_magnitude = gates.mux(x.sign, above, below)
    less = gates.mux(same_sign, ordered_by_magnitude, gates.and_(x.sign, gates.not_(both_zero)))
    return less, equal


SWAPPED = {
    "greater": "less",
    "greater_equal": "less_equal",
    "not_greater": "not_less",
    "less_unordered": "greater_unordered",
}
"""Predicates of x and y that are others of y and x."""

INVERTED = {
    "not_equal": "equal",
    "not_less": "less",
    "greater_unordered": "less_equal",
    "ordered": "unordered",
}
"""Predicates that hold where others do not."""


def compare_unit(
    gates: GateLibrary, fmt: Format, predicate: str, x: Bus, y: Bus, *, convention: Convention = IEEE
) -> Bus:
    """One bit: whether ``equal``, ``less``, ``less_equal`` or ``unordered`` holds, or one made of these.

    Raises:
        KeyError: if there is no such predicate.
    """
    if predicate in SWAPPED:
        return compare_unit(gates, fmt, SWAPPED[predicate], y, x, convention=convention)
    if predicate in INVERTED:
        (other,) = compare_unit(gates, fmt, INVERTED[predicate], x, y, convention=convention)
        return (gates.not_(other),)
    left, right = (unpack(gates, fmt, flush_operand(gates, fmt, convention, code)) for code in (x, y))
    unordered = gates.or_(left.nan, right.nan)
    less, equal = _less_and_equal(gates, left, right)
    holds = {"equal": equal, "less": less, "less_equal": gates.or_(less, equal), "unordered": ONE}
    wanted = unordered if predicate == "unordered" else gates.not_(unordered)
    return (gates.and_(holds[predicate], wanted),)


def compare_with_flags_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus, *, convention: Convention = IEEE
) -> dict[str, Bus]:
    """``result`` of a predicate, and ``flags``: invalid, for a signalling NaN operand.

    Args:
        operation: a predicate; after ``signalling_`` one that signals invalid for any NaN operand.

    Raises:
        KeyError: if there is no such predicate.
    """
    predicate = operation.removeprefix("signalling_")
    operands = [unpack(gates, fmt, code) for code in (x, y)]
    if predicate == operation:
        invalid = gates.wide_or([signalling(gates, operand) for operand in operands])
    else:
        invalid = gates.wide_or([operand.nan for operand in operands])
    return {
        "result": compare_unit(gates, fmt, predicate, x, y, convention=convention),
        "flags": flags_bus({"invalid": invalid}),
    }


def extremum_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus, *, convention: Convention = IEEE
) -> Bus:
    """Code of an operation of ``specs.conventions.EXTREMA``.

    Raises:
        ValueError: if the format cannot have the convention.
    """
    convention.require_possible(fmt)
    x, y = (flush_operand(gates, fmt, convention, code) for code in (x, y))
    left, right = unpack(gates, fmt, x), unpack(gates, fmt, y)
    if operation.startswith("x86"):
        less, equal = _less_and_equal(gates, left, right)
        ordered = gates.not_(gates.or_(left.nan, right.nan))
        wanted = less if operation == "x86_minimum" else gates.not_(gates.or_(less, equal))
        return mux_bus(gates, gates.and_(wanted, ordered), x, y)
    if "magnitude" in operation:
        less, above = _below_and_above(gates, left, right)
        equal = gates.not_(gates.or_(less, above))
    else:
        less, equal = _less_and_equal(gates, left, right)
    x_is_less = gates.or_(less, gates.and_(equal, left.sign))
    takes_x = x_is_less if operation.startswith("min") else gates.not_(x_is_less)
    if operation in PROPAGATING:
        nan = gates.or_(left.nan, right.nan)
    else:
        takes_x = gates.or_(gates.and_(takes_x, gates.not_(left.nan)), right.nan)
        nan = gates.and_(left.nan, right.nan)
    if operation in OF_2008:
        nan = gates.wide_or((nan, signalling(gates, left), signalling(gates, right)))
    chosen = mux_bus(gates, takes_x, x, y)
    if not fmt.has_nan:
        return chosen
    return mux_bus(gates, nan, result_nan(gates, fmt, convention, (left, right)), chosen)


def extremum_with_flags_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus, *, convention: Convention = IEEE
) -> dict[str, Bus]:
    """``result``, as of ``extremum_unit``, and ``flags``: invalid."""
    operands = [unpack(gates, fmt, code) for code in (x, y)]
    any_nan = [operand.nan for operand in operands]
    signals = any_nan if operation.startswith("x86") else nan_signals(gates, convention, operands)
    return {
        "result": extremum_unit(gates, fmt, operation, x, y, convention=convention),
        "flags": flags_bus({"invalid": gates.wide_or((ZERO, *signals))}),
    }
