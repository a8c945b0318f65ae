"""Shallow square roots: 66 levels of neurons in FP32.

    1      leading zeros of a subnormal significand; whether its exponent is odd
    2-5    they are shifted out, and it is doubled if so: ``radicand``
    6-63   the root, by rows of two bits: ``circuits.units.rows``
    64     whether anything remains
    64-66  rounding, special cases: ``shallow_rounding``

A root is neither too large nor subnormal. Where it could be that, the exponent having few bits for
significands so long, the unit is the ordinary one of shallow blocks.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_operands import Parts, parts_of, suits
from spikeproof.circuits.units.floating_point.shallow_rounding import (
    ShallowRounder,
    Special,
    Unrounded,
)
from spikeproof.circuits.units.floating_point.square_root import square_root_unit
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    NEVER,
    Bits,
    Form,
    all_and_reaches,
    all_of,
    any_of,
    bit,
    bits,
    reaches,
    signal,
    signals,
    total,
)
from spikeproof.circuits.units.integer import Buses, square_root
from spikeproof.circuits.units.shallow import Thermometer, reaches_constant


def shallow_square_root_unit(rounder: Rounder, x: Operand) -> Buses:
    """Square root of x; of shallow blocks alone where ``suits`` says so, or a root can be subnormal."""
    if not suits(rounder, x) or rounder.fmt.bias < rounder.fmt.precision:
        return square_root_unit(rounder, x)
    return _Extractor(rounder, *parts_of(rounder, x)).unit()


class _Extractor:
    def __init__(self, rounder: Rounder, x: Parts) -> None:
        self.x, self.back = x, ShallowRounder(rounder)
        self.gates, self.fmt = rounder.gates, rounder.fmt

    def unit(self) -> Buses:
        gates, (significand, zeros) = self.gates, self.x.normalised
        twice = self._twice_exponent(zeros)
        radicand = self._radicand(significand, bit(signal(gates, twice[0])))
        gates.builder.waypoint("radicand", radicand)
        parts = square_root(gates, "significand_root", x=radicand)
        gates.builder.waypoint("root", parts["root"])
        gates.builder.waypoint("remainder", parts["remainder"])
        guard, *kept = bits(parts["root"])
        finite = Unrounded(
            sign=self.x.sign,
            exponent=bits(signals(gates, twice[1:])),
            kept=tuple(kept),
            guard=guard,
            sticky=any_of(gates, *bits(parts["remainder"])),
            zero=self.x.zero,
        )
        return self.back.deliver(finite, self._special())

    def _twice_exponent(self, zeros: Thermometer) -> Bits:
        """Twice the exponent field of the root, less one; and 1 more where that of x is odd.

        That is the exponent field of x, of its first bit that is 1, and the bias, less 2.
        """
        field, more = self.x.field, self.fmt.bias - 2
        size = len(field) + 1
        # Of subnormals the field is 0, and nothing is carried.
        below = zeros.coded([more, *(more + 1 - k for k in range(1, zeros.most + 1))])
        carries = [
            reaches_constant(self.gates, field[:k], (1 << k) - more % (1 << k)) for k in range(size)
        ]
        return tuple(
            (a + b + carry - 2 * out).within(0, 1)
            for a, b, carry, out in zip(
                (*field, NEVER),
                (*below, *(NEVER,) * (size - len(below))),
                carries,
                (*carries[1:], NEVER),
                strict=True,
            )
        )

    def _radicand(self, significand: Bits, odd: Form) -> Bus:
        """The significand with zeros below it, doubled if the exponent is odd."""
        gates = self.gates
        pairs = zip((NEVER, *significand), (*significand, NEVER), strict=True)
        places = (reaches(gates, 2 * all_of(gates, odd, a) + b - odd, 1) for a, b in pairs)
        return ((ZERO,) * (self.fmt.precision + 1)) + signals(gates, places)

    def _special(self) -> Special:
        gates, x = self.gates, self.x
        negative = all_and_reaches(gates, [x.sign], total(x.code[:-1]), 1)
        return Special(
            x.infinite(False),
            NEVER,
            any_of(gates, x.nan, negative),
            all_of(gates, negative, 1 - x.nan),
        )
