"""Shallow fused multiply-add: 23 levels of neurons in FP32.

    1       whether exponents are 0
    2-8     ``product``, as in ``shallow_multiplication``; and beside it the exponent difference in
            binary, the addend shifted by that, and inverted where signs differ; the sum's exponent
    9-12    carries
    13      sum or difference
    14-16   negated if it is negative: ``magnitude``
    17      its leading zeros, as far as the exponent allows, as a thermometer
    18, 19  it is shifted by these; they are subtracted from the exponent
    20      what is kept of it, as signals
    21-23   rounding, range check, special cases: ``shallow_rounding``

Shorter operands need fewer.

As in ``fma`` the product stays in place. The addend starts to the left of it and goes right by the
difference of exponents, if that is positive.
"""

from __future__ import annotations

from functools import cached_property

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.floating_point.fma import fma_unit
from spikeproof.circuits.units.floating_point.multiplication import significand_product
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_operands import (
    Parts,
    parts_of,
    suits,
)
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
    signal,
    signals,
    total,
    xor,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.shallow import (
    Thermometer,
    any_chosen,
    carries,
    chosen,
    constant,
    reaches_constant,
    shift_right_binary,
    sum_of,
    thermometer,
)
from spikeproof.specs.formats import Format, RoundingMode

BELOW = 3
"""Places below the product: two guard places, and one that stands for all that is lost."""

BETWEEN = 2
"""Places between the product and an addend that is not shifted."""


def _offset(fmt: Format) -> int:
    """The addend is shifted by the factors' exponents and this, less its own exponent."""
    return fmt.precision + 1 + BETWEEN - fmt.bias


def exponent_places(fmt: Format) -> int:
    """How many places a sum's exponent has before leading zeros are subtracted from it."""
    return (2 * ((1 << fmt.exponent_bits) - 1) + max(0, _offset(fmt))).bit_length()


def first_places(fmt: Format) -> int:
    """How many places of its distance the addend is shifted by first: of two stages about alike."""
    return (fmt.precision.bit_length() + 1) // 2


def shallow_fma_unit(rounder: Rounder, x: Operand, y: Operand, z: Operand) -> Buses:
    """x * y + z, rounded once; of shallow blocks alone where ``suits`` says so."""
    if not suits(rounder, x, y, z):
        return fma_unit(rounder, x, y, z)
    product = bits(significand_product(rounder.gates, x, y))
    return _MultiplyAdder(rounder, *parts_of(rounder, x, y, z)).unit(product)


class _MultiplyAdder:
    def __init__(self, rounder: Rounder, x: Parts, y: Parts, z: Parts) -> None:
        self.x, self.y, self.z = x, y, z
        self.back = ShallowRounder(rounder)
        self.gates, self.fmt = rounder.gates, rounder.fmt
        self.places = self.gates.structure.places
        self.product_sign = bit(signal(self.gates, xor(self.gates, x.sign, y.sign)))
        self.opposite = bit(signal(self.gates, xor(self.gates, self.product_sign, z.sign)))
        # Where the addend's last place is if it is not shifted, the last place of all being 0.
        self.start = BELOW + 2 * self.fmt.precision + BETWEEN
        self.offset = _offset(self.fmt)

    def unit(self, product: Bits) -> Buses:
        above = self.start + self.fmt.precision - BELOW - len(product)
        magnitude, sign = self._sum((*(NEVER,) * BELOW, *product, *(NEVER,) * above))
        x = bits(magnitude)
        exponent = self._exponent()
        # The exponent is 1 at least.
        limit = thermometer(self.gates, exponent, len(x) - 1)
        limit = Thermometer((ALWAYS, ALWAYS, *limit.steps[2:]))
        finite = self.back.normalised(sign, exponent, limit, x, decoded=True)
        return self.back.deliver(finite, self._special())

    @cached_property
    def _amount(self) -> Bits:
        """How far the addend is shifted; not at all if the product is zero."""
        x, y, z = (self._exponent_of(each) for each in (self.x, self.y, self.z))
        subtracted = tuple(1 - each for each in z)
        offset = constant(self.offset + 1, len(x))
        *places, negative = sum_of(self.gates, x, y, subtracted, offset)
        some = (1 - negative, 1 - self.x.zero, 1 - self.y.zero)
        amount = signals(self.gates, (all_of(self.gates, each, *some) for each in places))
        self.gates.builder.cut("distance", amount)
        return bits(amount)

    def _exponent_of(self, operand: Parts) -> Bits:
        """Its exponent, with as many places as the sum of two and a sign take."""
        found = operand.exponent_bits
        return *found, *(NEVER,) * (exponent_places(self.fmt) + 1 - len(found))

    def _exponent(self) -> Bits:
        """The exponent field of the first place, less one: that of the addend or of the product."""
        x, y, z = (self._exponent_of(each)[:-1] for each in (self.x, self.y, self.z))
        of_product = sum_of(self.gates, x, y, constant(self.offset, len(x)))
        moves = any_of(self.gates, *self._amount)
        return bits(signals(self.gates, chosen(self.gates, moves, z, of_product)))

    def _addend(self) -> Bits:
        """The addend shifted, inverted where the signs differ."""
        gates, z = self.gates, self.z
        significand = (*z.fraction, z.normal)
        unmoved = (*(NEVER,) * (self.start - 1), *significand)
        moved = shift_right_binary(gates, unmoved, self._amount, first_places(self.fmt))
        places = range(self.start, self.start + len(significand))
        beyond = [reaches_constant(gates, self._amount, least) for least in places]
        lost = any_chosen(gates, significand, beyond, self.places)
        aligned = signals(gates, (any_of(gates, *lost), *moved))
        gates.builder.cut("aligned", aligned)
        gates.builder.cut("lost", aligned[:1])
        shifted = bits(aligned)
        return bits(signals(gates, (xor(gates, each, self.opposite) for each in shifted)))

    def _sum(self, product: Bits) -> tuple[Bus, Form]:
        """The magnitude of product and addend, and its sign.

        Where signs differ, product + not addend + 1 is the difference if it has a carry. Else it is the
        difference negated: all of its places but the last that is 1, and those below, are inverted.
        """
        gates, opposite = self.gates, self.opposite
        digits = [p + a for p, a in zip(product, self._addend(), strict=True)]
        carried = carries(gates, digits, opposite, self.places)
        summed = bits(
            signals(
                gates,
                (
                    (digit + carried[k] - 2 * carried[k + 1]).within(0, 1)
                    for k, digit in enumerate(digits)
                ),
            )
        )
        negated = all_of(gates, opposite, 1 - carried[-1])
        inverted = (all_and_reaches(gates, [negated], total(summed[:k]), 1) for k in range(len(summed)))
        places = (xor(gates, each, other) for each, other in zip(summed, inverted, strict=True))
        carry = all_of(gates, carried[-1], 1 - opposite)
        magnitude = signals(gates, (*places, carry))
        gates.builder.waypoint("magnitude", magnitude)
        larger = all_and_reaches(gates, [carried[-1]], total(summed), 1)
        return magnitude, self._sign(larger, carried[-1])

    def _sign(self, larger: Form, at_least: Form) -> Form:
        """That of the larger one, or of an exact zero: as in ``addition.sign_of_sum``.

        Args:
            larger, at_least: whether the product is, where the signs differ.
        """
        gates, of_product, of_addend = self.gates, self.product_sign, self.z.sign
        down = self.back.mode is RoundingMode.DOWN
        product_wins, addend_wins = (at_least, 1 - larger) if down else (larger, 1 - at_least)
        sign = any_of(
            gates,
            all_and_reaches(gates, [of_product], of_addend + product_wins, 1),
            all_and_reaches(gates, [of_addend], of_product + addend_wins, 1),
        )
        made = signal(gates, sign)
        gates.builder.waypoint("sign", (made,))
        return bit(made)

    def _special(self) -> Special:
        gates, x, y, z = self.gates, self.x, self.y, self.z
        product = x.infinite() + y.infinite()
        undefined = [all_of(gates, a.infinite(), b.zero) for a, b in ((x, y), (y, x))]
        numbers = 1 - x.nan, 1 - y.nan
        clash = all_and_reaches(gates, [*numbers, z.infinite(), self.opposite], product, 1)
        positive, negative = (
            any_of(gates, all_and_reaches(gates, [sign], product, 1), z.infinite(which))
            for sign, which in ((1 - self.product_sign, False), (self.product_sign, True))
        )
        return Special(
            positive,
            negative,
            any_of(gates, x.nan, y.nan, z.nan, *undefined, clash),
            any_of(gates, *(all_of(gates, each, 1 - z.nan) for each in undefined), clash),
        )
