"""The order of all codes, neighbours in it, and classes: units that do not round."""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.nans import nan_signals, result_nan
from spikeproof.circuits.units.floating_point.rounding import flags_bus
from spikeproof.circuits.units.floating_point.unpacking import flush_operand, signalling, unpack
from spikeproof.circuits.units.integer import add, constant_bus, less_than, mux_bus
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import CLASSES, Format


def neighbour_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, *, convention: Convention = IEEE
) -> Bus:
    """Code of the next number: ``next_up`` or ``next_down``.

    Away from zero the magnitude code grows by one, as far as there is another; toward it, it shrinks.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if the format cannot have the convention.
    """
    convention.require_possible(fmt)
    toward = {"next_up": ZERO, "next_down": ONE}[operation]  # the infinity of this sign
    operand = unpack(gates, fmt, flush_operand(gates, fmt, convention, x))
    grows = gates.or_(operand.zero, gates.not_(gates.xor(operand.sign, toward)))
    shrinks = gates.not_(grows)
    one = (ONE, *(shrinks for _ in operand.magnitude[1:]))  # or minus one
    moved = add(gates, "moved", x=operand.magnitude, y=one, carry_in=(ZERO,))["sum"]
    end = constant_bus(fmt.infinity if fmt.has_infinity else fmt.largest_finite, fmt.magnitude_bits)
    differs = gates.wide_or([gates.xor(*pair) for pair in zip(operand.magnitude, end, strict=True)])
    moves = gates.or_(shrinks, differs)
    magnitude = mux_bus(gates, moves, moved, operand.magnitude)
    # Zero of either sign grows, and takes the sign of where it goes.
    sign = gates.mux(operand.zero, toward, operand.sign)
    if not fmt.has_negative_zero:
        sign = gates.and_(sign, gates.wide_or(magnitude))
    if not fmt.has_nan:
        return (*magnitude, sign)
    nan = result_nan(gates, fmt, convention, (operand,))
    return mux_bus(gates, operand.nan, nan, (*magnitude, sign))


def neighbour_with_flags_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, *, convention: Convention = IEEE
) -> dict[str, Bus]:
    """``result``, as of ``neighbour_unit``, and ``flags``: invalid."""
    signals = nan_signals(gates, convention, [unpack(gates, fmt, x)])
    return {
        "result": neighbour_unit(gates, fmt, operation, x, convention=convention),
        "flags": flags_bus({"invalid": gates.wide_or((ZERO, *signals))}),
    }


def class_unit(gates: GateLibrary, fmt: Format, operation: str, x: Bus) -> dict[str, Bus]:
    """``class``: one bit for each of ``specs.formats.CLASSES``, of which one is 1."""
    operand = unpack(gates, fmt, x)
    positive, normal = gates.not_(operand.sign), operand.significand[-1]
    special = gates.or_(operand.nan, operand.infinite)
    signals = signalling(gates, operand)
    holds = {
        "signalling_nan": signals,
        "quiet_nan": gates.and_(operand.nan, gates.not_(signals)),
    }
    kinds = {
        "infinity": operand.infinite,
        "normal": gates.and_(normal, gates.not_(special)),
        "subnormal": gates.wide_and([gates.not_(bit) for bit in (normal, operand.zero, special)]),
        "zero": gates.and_(operand.zero, gates.not_(special)),
    }
    for kind, is_kind in kinds.items():
        holds[f"negative_{kind}"] = gates.and_(operand.sign, is_kind)
        holds[f"positive_{kind}"] = gates.and_(positive, is_kind)
    return {"class": tuple(holds[name] for name in CLASSES)}


def predicate_unit(gates: GateLibrary, fmt: Format, operation: str, x: Bus) -> Bus:
    """One bit: ``is_sign_minus``, ``is_normal``, ...

    Raises:
        KeyError: if there is no such operation.
    """
    operand = unpack(gates, fmt, x)
    normal, special = operand.significand[-1], gates.or_(operand.nan, operand.infinite)
    number = gates.not_(special)
    has_sign = ONE if fmt.has_negative_zero else gates.not_(operand.nan)
    holds = {
        "is_sign_minus": gates.and_(operand.sign, has_sign),
        "is_normal": gates.and_(normal, number),
        "is_finite": number,
        "is_zero": gates.and_(operand.zero, number),
        "is_subnormal": gates.wide_and([gates.not_(bit) for bit in (normal, operand.zero, special)]),
        "is_infinite": operand.infinite,
        "is_nan": operand.nan,
        "is_signalling": signalling(gates, operand),
    }
    return (holds[operation],)


def total_order_unit(gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus) -> Bus:
    """One bit: ``total_order`` or ``total_order_magnitude``.

    Raises:
        KeyError: if there is no such operation.
    """
    signed = {"total_order": True, "total_order_magnitude": False}[operation]
    (x_sign, x_magnitude), (y_sign, y_magnitude) = (_sign_and_rank(gates, fmt, c) for c in (x, y))
    after = less_than(gates, "after", x=y_magnitude, y=x_magnitude)["out"][0]
    if not signed:
        return (gates.not_(after),)
    before = less_than(gates, "before", x=x_magnitude, y=y_magnitude)["out"][0]
    among_equals = gates.mux(x_sign, gates.not_(before), gates.not_(after))
    return (gates.mux(gates.xor(x_sign, y_sign), x_sign, among_equals),)


def _sign_and_rank(gates: GateLibrary, fmt: Format, code: Bus) -> tuple[int, Bus]:
    """Sign and magnitude code; a NaN that has the code of -0 is positive and beyond all others."""
    operand = unpack(gates, fmt, code)
    if fmt.has_negative_zero:
        return operand.sign, operand.magnitude
    return gates.and_(operand.sign, gates.not_(operand.nan)), (*operand.magnitude, operand.nan)
