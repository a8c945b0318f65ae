"""Operands of shallow units: codes taken apart, as far as one level of neurons allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_and_reaches,
    all_of,
    any_of,
    bits,
    number,
    signals,
    total,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.shallow import Thermometer, add, shift_left, step_for
from spikeproof.specs.conventions import IEEE
from spikeproof.specs.formats import Format, RoundingMode, Specials


@dataclass(frozen=True)
class Parts:
    """An operand taken apart: see ``unpacking.Operand``.

    Attributes:
        negated: whether it counts with the opposite sign.
    """

    gates: GateLibrary
    fmt: Format
    code: Bits
    negated: bool = False

    @property
    def sign(self) -> Form:
        """1 for negative, of what counts in place of the code."""
        return 1 - self.code[-1] if self.negated else self.code[-1]

    @property
    def fraction(self) -> Bits:
        """Without the hidden bit."""
        return self.code[: self.fmt.fraction_bits]

    @property
    def field(self) -> Bits:
        """The exponent field."""
        return self.code[self.fmt.fraction_bits : -1]

    @cached_property
    def normal(self) -> Form:
        """The hidden bit."""
        return any_of(self.gates, *self.field)

    @property
    def exponent(self) -> Form:
        """The exponent field, but 1 for subnormals."""
        return (number(self.field) + (1 - self.normal)).within(1, (1 << self.fmt.exponent_bits) - 1)

    @property
    def exponent_bits(self) -> Bits:
        """The same as bits."""
        return (self.field[0] + (1 - self.normal)).within(0, 1), *self.field[1:]

    @cached_property
    def normalised(self) -> tuple[Bits, Thermometer]:
        """The significand shifted left until its first bit is 1, and by how many places.

        Zero stays zero, shifted by all places but one.
        """
        gates, places = self.gates, [1 - each for each in self.fraction[::-1]]
        subnormal = [1 - each for each in self.field]
        zeros = (all_of(gates, *subnormal, *places[:k]) for k in range(1, len(places)))
        count = Thermometer((ALWAYS, 1 - self.normal, *zeros))
        return shift_left(gates, (*self.fraction, self.normal), count, step_for(count.most)), count

    def normalised_exponent(self, zeros: Thermometer, size: int) -> Bits:
        """The exponent field, less what a subnormal significand was shifted by, and 2^size more.

        Args:
            size: so many bits hold the field, and the number of fraction bits.
        """
        # Of subnormals, the field is 0.
        more = 1 << size
        below = zeros.coded([more, *(more + 1 - k for k in range(1, zeros.most + 1))])
        field = (*self.field, *(NEVER,) * (len(below) - len(self.field)))
        return tuple((a + b).within(0, 1) for a, b in zip(field, below, strict=True))

    def infinite(self, sign: bool | None = None) -> Form:
        """Whether it is the infinity of that sign, or any."""
        if self.fmt.specials is not Specials.IEEE:
            return NEVER
        signed = ALWAYS if sign is None else self.sign if sign else 1 - self.sign
        return all_of(self.gates, *self.field, *(1 - each for each in self.fraction), signed)

    @property
    def zero(self) -> Form:
        """Whether nothing but the sign is 1."""
        return all_of(self.gates, *(1 - each for each in self.code[:-1]))

    @cached_property
    def nan(self) -> Form:
        """Whether it is not a number."""
        match self.fmt.specials:
            case Specials.IEEE:
                return all_and_reaches(self.gates, self.field, total(self.fraction), 1)
            case Specials.FN:
                return all_of(self.gates, *self.code[:-1])
            case Specials.FNUZ:
                return all_of(self.gates, self.code[-1], *(1 - each for each in self.code[:-1]))
        return NEVER


def parts_of(rounder: Rounder, *operands: Operand) -> tuple[Parts, ...]:
    """Operands taken apart."""
    return tuple(Parts(rounder.gates, each.fmt, bits(each.code)) for each in operands)


def exponent_sum(x: Parts, y: Parts) -> Bits:
    """The sum of both exponents, and a place more."""
    gates = x.gates
    found, carry = add(gates, x.exponent_bits, y.exponent_bits, NEVER, gates.structure.places)
    return bits(signals(gates, (*found, carry)))


def suits(rounder: Rounder, *operands: Operand) -> bool:
    """Whether operands have the format of the result, and nothing is asked beyond IEEE 754."""
    alike = all(each.fmt == rounder.fmt for each in operands)
    return alike and rounder.convention == IEEE and isinstance(rounder.mode, RoundingMode)
