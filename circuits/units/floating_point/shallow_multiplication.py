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
from spikeproof.circuits.units.floating_point.shallow_exponent import ExponentSum
from spikeproof.circuits.units.floating_point.shallow_operands import (
    exponent_sum,
    parts_of,
    suits,
)
from spikeproof.circuits.units.floating_point.shallow_rounding import SignedUnit, Special
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.forms import (
    Bits,
    all_and_reaches,
    all_of,
    any_of,
    bits,
)
from spikeproof.circuits.units.integer import Buses


def shallow_multiply_unit(rounder: Rounder, x: Operand, y: Operand) -> Buses:
    """x * y; of shallow blocks alone where ``suits`` says so."""
    if not suits(rounder, x, y):
        return multiply_unit(rounder, x, y)
    product = bits(significand_product(rounder.gates, x, y))
    return _Multiplier(rounder, *parts_of(rounder, x, y)).unit(product)


class _Multiplier(SignedUnit):
    def unit(self, product: Bits) -> Buses:
        total = ExponentSum(self.gates, exponent_sum(self.x, self.y), self.fmt.bias)
        size, above = self.fmt.exponent_bits, self._above
        return self.back.deliver(
            self.back.normalised(
                self.sign,
                total.field(size),
                # Leading zeros are as many as a normal factor lets it have, or two of exponents of 1.
                total.limit(above, above + self.fmt.precision),
                product,
                above=above,
                beyond=total.reaches(1 << size),
            ),
            self._special(),
        )

    @property
    def _above(self) -> int:
        """Zeros above the product: shifted right by as many, nothing of it comes to the guard place."""
        return self.fmt.precision + 1

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
