"""Shallow multiplication: 15 levels of neurons in FP32.

    1       whether exponents are 0
    2       partial products; and beside what follows the sum of the exponents, and how far it is from
            the least exponent of the format, as a thermometer
    3, 4    columns counted
    5-8     what is left of them summed: ``product``
    9       its leading zeros, as far as the exponent allows, as a thermometer
    10, 11  it is shifted by these; they are subtracted from the exponent
    12      what is kept of it, as signals
    13-15   rounding, range check, special cases: ``shallow_rounding``

Shorter significands need fewer: what is kept is read as it is.

The product has zeros above it, so that every shift is to the left: by as many as these where its first
bit is 1, by more where it has leading zeros and the exponent allows it, by fewer where the result is
subnormal.
"""

from __future__ import annotations

from spikeproof.circuits.units.floating_point.multiplication import (
    multiply_unit,
    significand_product,
)
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_operands import (
    Parts,
    exponent_sum,
    parts_of,
    suits,
)
from spikeproof.circuits.units.floating_point.shallow_rounding import ShallowRounder, Special
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    ALWAYS,
    Bits,
    Form,
    all_and_reaches,
    all_of,
    any_of,
    bit,
    bits,
    signal,
    xor,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.shallow import Thermometer, reaches_constant


def shallow_multiply_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x * y; of shallow blocks alone where ``suits`` says so."""
    if not suits(rounder, x, y):
        return multiply_unit(rounder, x, y)
    product = bits(significand_product(rounder.gates, x, y))
    return _Multiplier(rounder, *parts_of(rounder, x, y)).unit(product)


class _Multiplier:
    def __init__(self, rounder: Rounder, x: Parts, y: Parts) -> None:
        self.x, self.y = x, y
        self.back = ShallowRounder(rounder)
        self.gates, self.fmt = rounder.gates, rounder.fmt
        self.sign = bit(signal(self.gates, xor(self.gates, x.sign, y.sign)))

    def unit(self, product: Bits) -> Buses:
        total = exponent_sum(self.x, self.y)
        return self.back.deliver(
            self.back.normalised(
                self.sign,
                self._exponent(total),
                self._limit(total),
                product,
                above=self._above,
                beyond=self._reaches(total, 1 << self.fmt.exponent_bits),
            ),
            self._special(),
        )

    @property
    def _above(self) -> int:
        """Zeros above the product: shifted right by as many, nothing of it comes to the guard place."""
        return self.fmt.precision + 1

    def _reaches(self, total: Bits, field: int) -> Form:
        """Whether the first bit of the product has that exponent field, less one, or a larger one."""
        return reaches_constant(self.gates, total, max(0, field + self.fmt.bias))

    def _exponent(self, total: Bits) -> Bits:
        """The exponent field of the product's first bit, less one, or 0 if that is negative.

        Where it is too large for the field its last bits, which are of no use.
        """
        bias, size = self.fmt.bias, self.fmt.exponent_bits
        borrows = [1 - reaches_constant(self.gates, total[:k], bias % (1 << k)) for k in range(size + 1)]
        places = (
            (total[k] - (bias >> k & 1) - borrows[k] + 2 * borrows[k + 1]).within(0, 1)
            for k in range(size)
        )
        positive = self._reaches(total, 0)
        return tuple(all_of(self.gates, place, positive) for place in places)

    def _limit(self, total: Bits) -> Thermometer:
        """The exponent field of the topmost zero, less one, as far as there may be leading zeros.

        That is as many as a normal factor lets it have, or two of exponents of 1.
        """
        most = self._above + self.fmt.precision
        steps = (self._reaches(total, k - self._above) for k in range(1, most + 1))
        return Thermometer((ALWAYS, *steps))

    def _special(self) -> Special:
        gates, x, y = self.gates, self.x, self.y
        infinite = x.infinite() + y.infinite()
        undefined = [all_of(gates, a.infinite(), b.zero) for a, b in ((x, y), (y, x))]
        return Special(
            all_and_reaches(gates, [1 - self.sign], infinite, 1),
            all_and_reaches(gates, [self.sign], infinite, 1),
            any_of(gates, x.nan, y.nan, *undefined),
            any_of(gates, *undefined),
        )
