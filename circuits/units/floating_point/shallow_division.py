"""Shallow division: 80 levels of neurons in FP32.

    1      leading zeros of subnormal significands
    2-4    they are shifted out: ``dividend``, ``divisor``; beside what follows the difference of the
           exponents, and how far it is from the least exponent of the format, as a thermometer
    5-9    three times the divisor
    10-74  the quotient, by rows of two bits: ``circuits.units.rows``
    75     whether anything remains
    76-80  shifting, rounding, special cases, as in ``shallow_multiplication``

The quotient has zeros above it, as a product has there.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import ONE
from spikeproof.circuits.units.floating_point.division import divide_unit
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_exponent import ExponentSum
from spikeproof.circuits.units.floating_point.shallow_operands import parts_of, suits
from spikeproof.circuits.units.floating_point.shallow_rounding import SignedUnit, Special
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    NEVER,
    Bits,
    all_and_reaches,
    all_of,
    any_of,
    bits,
    signals,
)
from spikeproof.circuits.units.integer import Buses, divide
from spikeproof.circuits.units.shallow import Thermometer, add


def shallow_divide_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x / y; of shallow blocks alone where ``suits`` says so."""
    if not suits(rounder, x, y):
        return divide_unit(rounder, x, y)
    return _Divider(rounder, *parts_of(rounder, x, y)).unit()


class _Divider(SignedUnit):
    def unit(self) -> Buses:
        x, x_zeros = self.x.normalised
        y, y_zeros = self.y.normalised
        total, size = self._exponent_difference(x_zeros, y_zeros), self.fmt.exponent_bits
        # Shifted right by as many, nothing of the quotient comes to the guard place.
        above = self.fmt.precision + 1
        return self.back.deliver(
            self.back.normalised(
                self.sign,
                total.field(size),
                total.limit(above, above + 1),  # the first or second bit of the quotient is 1
                self._quotient(x, y),
                above=above,
                beyond=total.reaches(1 << size),
            ),
            self._special(),
        )

    def _quotient(self, x: Bits, y: Bits) -> Bits:
        """That of the normalised significands, and below it whether anything remains."""
        gates = self.gates
        finite = 1 - self.y.infinite()
        # Dividing by infinity is dividing zero; dividing by zero delivers no quotient.
        dividend = signals(gates, (all_of(gates, place, finite) for place in x))
        divisor = (*signals(gates, y[:-1]), ONE)
        gates.builder.waypoint("dividend", dividend)
        gates.builder.waypoint("divisor", divisor)
        parts = divide(gates, "significand_quotient", x=dividend, y=divisor)
        gates.builder.waypoint("quotient", parts["quotient"])
        gates.builder.waypoint("remainder", parts["remainder"])
        return (any_of(gates, *bits(parts["remainder"])), *bits(parts["quotient"]))

    def _exponent_difference(self, x_zeros: Thermometer, y_zeros: Thermometer) -> ExponentSum:
        """That of the normalised operands."""
        gates, places = self.gates, self.gates.structure.places
        size = max(self.fmt.exponent_bits, self.fmt.precision.bit_length())
        x, y = (
            bits(signals(gates, each.normalised_exponent(zeros, size)))
            for each, zeros in ((self.x, x_zeros), (self.y, y_zeros))
        )
        found, carry = add(gates, x, [1 - place for place in y], NEVER, places)
        total = bits(signals(gates, (*found, carry)))
        # Not y is as much more than -y; and a quotient of 1 has the exponent field of the bias.
        return ExponentSum(gates, total, (1 << len(x)) - self.fmt.bias)

    def _special(self) -> Special:
        gates, x, y = self.gates, self.x, self.y
        infinite = x.infinite() + y.zero
        numbers = (1 - x.nan, 1 - y.nan)
        undefined = [
            all_of(gates, x.infinite(), y.infinite()),
            all_of(gates, x.zero, y.zero, *numbers),
        ]
        return Special(
            all_and_reaches(gates, [1 - self.sign], infinite, 1),
            all_and_reaches(gates, [self.sign], infinite, 1),
            any_of(gates, x.nan, y.nan, *undefined),
            any_of(gates, *undefined),
            all_of(gates, y.zero, *numbers, 1 - x.zero, 1 - x.infinite()),
        )
