"""Operands: codes taken apart into signals, and their significands normalised."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.integer import (
    add,
    constant_bus,
    leading_zeros,
    normalise,
    pad,
    subtract,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.conventions import Convention, FlushedSign, SubnormalOperands
from spikeproof.specs.formats import Format, Specials


@dataclass(frozen=True)
class Operand:
    """A code taken apart into signals.

    ``fmt`` has the widths and the bias of ``magnitude``, ``significand`` and ``exponent``; but for
    operands made wider, it is that of ``code`` too.
    """

    fmt: Format
    code: Bus
    sign: int
    magnitude: Bus
    """Magnitude code: fraction, then exponent field."""
    significand: Bus
    """Fraction, then the hidden bit."""
    exponent: Bus
    """Exponent field, but 1 for subnormals: the scale of ``significand``."""
    nan: int
    infinite: int
    zero: int


def flush_operand(gates: GateLibrary, fmt: Format, convention: Convention, code: Bus) -> Bus:
    """What counts in place of an operand: zero for a subnormal one, where the convention says so."""
    if convention.subnormal_operands is SubnormalOperands.GRADUAL:
        return code
    fraction, field = code[: fmt.fraction_bits], code[fmt.fraction_bits : fmt.magnitude_bits]
    normal = gates.wide_or(field)
    sign = code[fmt.magnitude_bits]
    if convention.flushed_sign is FlushedSign.POSITIVE or not fmt.has_negative_zero:
        sign = gates.and_(sign, gates.or_(normal, gates.not_(gates.wide_or(fraction))))
    return (*(gates.and_(bit, normal) for bit in fraction), *field, sign)


def unpack(gates: GateLibrary, fmt: Format, code: Bus) -> Operand:
    """Take a code apart."""
    fraction, field = code[: fmt.fraction_bits], code[fmt.fraction_bits : fmt.magnitude_bits]
    magnitude, sign = code[: fmt.magnitude_bits], code[fmt.magnitude_bits]
    normal = gates.wide_or(field)
    some_fraction = gates.wide_or(fraction)
    zero = gates.not_(gates.or_(normal, some_fraction))
    nan = infinite = ZERO
    match fmt.specials:
        case Specials.IEEE:
            all_ones = gates.wide_and(field)
            nan = gates.and_(all_ones, some_fraction)
            infinite = gates.and_(all_ones, gates.not_(some_fraction))
        case Specials.FN:
            nan = gates.wide_and(magnitude)
        case Specials.FNUZ:
            nan = gates.and_(sign, zero)
    return Operand(
        fmt=fmt,
        code=code,
        sign=sign,
        magnitude=magnitude,
        significand=(*fraction, normal),
        exponent=(gates.or_(field[0], gates.not_(normal)), *field[1:]),
        nan=nan,
        infinite=infinite,
        zero=zero,
    )


def signalling(gates: GateLibrary, operand: Operand) -> int:
    """Whether an operand is a NaN of an IEEE format whose first fraction bit is 0."""
    if operand.fmt.specials is not Specials.IEEE:
        return ZERO
    return gates.and_(operand.nan, gates.not_(operand.code[operand.fmt.fraction_bits - 1]))


def common_format(*formats: Format, precision: int = 0) -> Format:
    """A format that has all finite numbers of others, of no fewer bits of precision than that."""
    bias = max(fmt.bias for fmt in formats)
    largest_field = max((1 << fmt.exponent_bits) - 1 + bias - fmt.bias for fmt in formats)
    return Format(
        "common",
        exponent_bits=largest_field.bit_length(),
        fraction_bits=max(precision, *(fmt.precision for fmt in formats)) - 1,
        bias=bias,
        specials=Specials.FINITE,
    )


def widened(gates: GateLibrary, name: str, x: Operand, fmt: Format) -> Operand:
    """A finite operand in a format that has all finite numbers of its own.

    Its significand gets places below it, and what was subnormal is shifted left as far as the exponents
    of the format go.
    """
    places, room = fmt.fraction_bits - x.fmt.fraction_bits, fmt.bias - x.fmt.bias
    significand = pad((), places) + x.significand
    exponent = pad(x.exponent, fmt.exponent_bits)
    magnitude = pad((), places) + pad(x.magnitude, fmt.magnitude_bits - places)
    if room:
        budget = constant_bus(room, room.bit_length())
        parts = normalise(gates, f"{name}_widened", x=x.significand, budget=budget)
        *fraction, normal = parts["shifted"]
        left = tuple(gates.and_(bit, normal) for bit in parts["remaining"])
        exponent = add(
            gates,
            f"{name}_rebiased",
            x=exponent,
            y=pad(left, fmt.exponent_bits),
            carry_in=(ZERO,),
        )["sum"]
        significand = (*pad((), places), *fraction, normal)
        magnitude = (*significand[:-1], gates.and_(exponent[0], normal), *exponent[1:])
    return replace(x, fmt=fmt, significand=significand, exponent=exponent, magnitude=magnitude)


def normalised(gates: GateLibrary, name: str, operand: Operand) -> tuple[Bus, Bus]:
    """Significand shifted left until its first bit is set, and the exponent field plus the precision.

    Zero stays zero, with an exponent of no use.
    """
    precision = len(operand.significand)
    return shifted_out(gates, name, operand.significand, operand.exponent, precision)


def shifted_out(
    gates: GateLibrary, name: str, significand: Bus, exponent: Bus, raised_by: int
) -> tuple[Bus, Bus]:
    """Significand shifted left until its first bit is set, and its exponent raised by some number.

    Zero stays zero, with an exponent of no use.
    """
    shifted = leading_zeros(gates, f"{name}_leading_zeros", x=significand)
    width = 1 + max(len(exponent), raised_by.bit_length())
    raised = add(
        gates,
        f"{name}_raised",
        x=pad(exponent, width),
        y=constant_bus(raised_by, width),
        carry_in=(ZERO,),
    )["sum"]
    difference = subtract(gates, f"{name}_exponent", x=raised, y=pad(shifted["count"], width))
    return shifted["shifted"], difference["difference"]
