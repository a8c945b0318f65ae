"""Shallow addition and subtraction: 14 levels of neurons in FP32.

    1     whether exponents are 0; groups of places compared
    2     which operand is larger; the exponent difference, as thermometers both ways
    3, 4  the significand of the smaller operand is shifted
    5-8   sum or difference: ``magnitude``
    9     its leading zeros, as far as the exponent allows, as a thermometer
    10,11 it is shifted by these; they are subtracted from the exponent
    12-14 rounding, range check, special cases: ``shallow_rounding``

Shorter operands need fewer: no groups, or one stage of shifting instead of two.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.floating_point.addition import add_unit, subtract_unit
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_operands import Parts, parts_of, suits
from spikeproof.circuits.units.floating_point.shallow_rounding import ShallowRounder, Special
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_and_reaches,
    all_of,
    any_of,
    bit,
    bits,
    bits_of_places,
    exclusive,
    signal,
    signals,
    xor,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.shallow import (
    Shifted,
    Thermometer,
    any_chosen,
    at_least,
    chosen,
    excess,
    shift_right,
    step_for,
    sum_or_difference,
    thermometer,
)
from spikeproof.specs.formats import RoundingMode

BELOW = 3
"""Places below the significands: two guard places, and one that stands for all that is lost."""

ADDENDS = ("larger", "smaller", "lost")
"""What a proof calls what is added: see ``proofs.shallow_sums``."""


def shallow_add_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x + y; of shallow blocks alone where ``suits`` says so."""
    if not suits(rounder, x, y):
        return add_unit(rounder, x, y)
    return _Adder(rounder, *parts_of(rounder, x, y)).unit()


def shallow_subtract_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x - y: the adder that takes the sign of y for its opposite."""
    if not suits(rounder, x, y):
        return subtract_unit(rounder, x, y)
    first, second = parts_of(rounder, x, y)
    return _Adder(rounder, first, replace(second, negated=True)).unit()


class _Adder:
    def __init__(self, rounder: Rounder, x: Parts, y: Parts) -> None:
        self.x, self.y = x, y
        self.back = ShallowRounder(rounder)
        self.gates, self.fmt = rounder.gates, rounder.fmt
        self.places = self.gates.structure.places
        self.opposite = xor(self.gates, x.sign, y.sign)

    def unit(self) -> Buses:
        x, y, gates = self.x, self.y, self.gates
        x_reaches, y_reaches = (
            at_least(gates, a.code[:-1], b.code[:-1], self.places) for a, b in ((x, y), (y, x))
        )
        y_larger = 1 - x_reaches
        normal = any_of(gates, x.normal, y.normal)
        exponent = chosen(gates, y_larger, x.field, y.field)
        magnitude = self._magnitude(y_larger, normal)
        sign = self._sign(x_reaches, y_reaches)
        return self._rounded(sign, exponent, normal, magnitude)

    def _magnitude(self, y_larger: Form, normal: Form) -> Bus:
        """The sum of larger and aligned smaller significand, or their difference."""
        gates, x, y = self.gates, self.x, self.y
        large = (*(NEVER,) * (BELOW - 1), *chosen(gates, y_larger, x.fraction, y.fraction), normal)
        most = len(large)  # a shift by as many leaves nothing but what is lost
        x_small = excess(gates, y.exponent, x.exponent, most, y_larger)
        y_small = excess(gates, x.exponent, y.exponent, most, 1 - y_larger)
        parts = [
            Shifted((*(NEVER,) * (BELOW - 1), *each.fraction, each.normal), count)
            for each, count in ((x, x_small), (y, y_small))
        ]
        small = shift_right(gates, *parts, step=step_for(most))
        lost = (
            each
            for part in parts
            for each in any_chosen(gates, part.x[BELOW - 1 :], part.count.steps[BELOW:], self.places)
        )
        sticky = any_of(gates, *lost)
        self._cut_at(y_larger, x_small, y_small, (NEVER, *large), (sticky, *small))
        opposite = bit(signal(gates, self.opposite))
        summed, carry = sum_or_difference(gates, large, small, opposite, sticky, self.places)
        magnitude = signals(gates, (sticky, *summed, carry))
        gates.builder.waypoint("magnitude", magnitude)
        gates.builder.cut("sum", magnitude)
        return magnitude

    def _cut_at(
        self, y_larger: Form, x_small: Thermometer, y_small: Thermometer, large: Bits, small: Bits
    ) -> None:
        """Name what a proof is cut at: see ``proofs.shallow_sums``.

        Places of what is added are no signals, but sums of some of which one at most is 1.
        """
        cut = self.gates.builder.cut
        cut("x_reaches", signals(self.gates, (1 - y_larger,)))
        cut("x_excess", signals(self.gates, y_small.steps[1:]))
        cut("y_excess", signals(self.gates, x_small.steps[1:]))
        addends = [bits_of_places(each) for each in (large, small[1:], small[:1])]
        for name, bus in zip(ADDENDS, addends, strict=True):
            cut(name, bus)
        cut("addends", chain.from_iterable(addends))

    def _sign(self, x_reaches: Form, y_reaches: Form) -> Form:
        """That of the larger operand, or of an exact zero: as in ``addition.sign_of_sum``."""
        if self.back.mode is not RoundingMode.DOWN:
            x_reaches, y_reaches = 1 - y_reaches, 1 - x_reaches
        x, y = self.x.sign, self.y.sign
        sign = any_of(
            self.gates,
            all_and_reaches(self.gates, [x], y + x_reaches, 1),
            all_and_reaches(self.gates, [y], x + y_reaches, 1),
        )
        made = signal(self.gates, sign)
        self.gates.builder.waypoint("sign", (made,))
        return bit(made)

    def _rounded(self, sign: Form, field: Bits, normal: Form, magnitude: Bus) -> Buses:
        """The code of a magnitude whose last place but the carry has the exponent ``field``."""
        x = bits(magnitude)
        # Shifted as far as the exponent of the larger operand goes; that of subnormals is 1.
        limit = thermometer(self.gates, field, len(x) - 1)
        limit = Thermometer((ALWAYS, ALWAYS, *limit.steps[2:]))
        exponent = ((field[0] + (1 - normal)).within(0, 1), *field[1:])
        return self.back.deliver(self.back.normalised(sign, exponent, limit, x), self._special())

    def _special(self) -> Special:
        gates, x, y = self.gates, self.x, self.y
        positive, negative = (x.infinite(False), y.infinite(False)), (x.infinite(True), y.infinite(True))
        both = (exclusive(each) for each in zip(positive, negative, strict=True))
        invalid = all_of(gates, *both, self.opposite)
        return Special(
            any_of(gates, *positive),
            any_of(gates, *negative),
            any_of(gates, x.nan, y.nan, invalid),
            invalid,
        )
