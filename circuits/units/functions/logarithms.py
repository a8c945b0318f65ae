"""log and log2 of wide formats: short factors, and a sum that is normalised.

    1  x = 2^n y, with y from 1 to 2: the significand, shifted if x is subnormal
    2  y is multiplied by factors 1 - a/2^6, 1 - b/2^10, 1 - c/2^14, 1 - d/2^18, each the least by which
       it stays at least 1. What is left, 1 + z, is below 1 + 2^-17
    3  L = n ln(2) - the factors' logarithms + z - z^2/2; for log2 all that over ln(2)
    4  half of the last place of |L| is added, where its leading one is, and it is shifted there

Logarithms are entries of tables, which are weights, and cost no neuron. Numbers have ``places`` binary
places behind the point, so many that results near 0, which have fewer, are as seldom wrong as others:
there are fewer of them.

Multiplicative normalisation: J.-M. Muller, Elementary Functions, 3rd edition, chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lazy_loader

from spikeproof.circuits.units.functions.mended import PRECISION, Found, Plan, rounded
from spikeproof.circuits.units.functions.regions import Regions, regions_at
from spikeproof.circuits.units.functions.words import (
    STEP,
    Form,
    Machine,
    Word,
    choice,
    cut_half_square,
    cut_product,
    powers_of,
)

gmpy2: Any = lazy_loader.load("gmpy2")

FACTORS = (6, 10, 14, 18)
"""Places of the factors."""

SPARE = 3
"""Places of numbers, beyond twice those of the format."""


@dataclass(frozen=True)
class Logarithm(Plan):
    """``log`` or ``log2``.

    Raises:
        ValueError: if results are not all normal.
    """

    def __post_init__(self) -> None:
        if self.fmt.bias < self.fmt.fraction_bits + 3:
            raise ValueError(
                f"format {self.fmt.name} has too few exponents for {self.function} by factors"
            )

    @property
    def places(self) -> int:
        """So many that what is next to 1 has a whole result."""
        return 2 * self.fmt.fraction_bits + SPARE

    @property
    def factors(self) -> tuple[int, ...]:
        """Places of the factors."""
        return FACTORS

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where results are not constant."""
        return self.regions.spans(self.fmt)

    @cached_property
    def regions(self) -> Regions:
        """Zeros, 1, infinity, NaNs and negative numbers."""
        fmt, sign = self.fmt, self.fmt.sign_mask
        one = fmt.bias << fmt.fraction_bits
        beyond = range(fmt.largest_finite + 1, min(fmt.largest_finite + 3, sign))
        constant = (0, one, *beyond, sign, sign + 1)
        return regions_at(self.function, fmt, self.mode, self.policy, constant, (1, one + 1))

    @cached_property
    def scale(self) -> Any:
        """What natural logarithms are multiplied by."""
        with gmpy2.context(precision=PRECISION):
            return gmpy2.mpfr(1) if self.function == "log" else 1 / gmpy2.const_log2()

    def logarithm(self, number: Any) -> int:
        """That of a number, in units of the last place."""
        with gmpy2.context(precision=PRECISION):
            return self.constant(gmpy2.log(number) * self.scale)

    def power(self, exponent: int) -> int:
        """The logarithm of 2^exponent."""
        with gmpy2.context(precision=PRECISION):
            return self.constant(exponent * gmpy2.const_log2() * self.scale)

    @property
    def least(self) -> int:
        """Before the place of the leading one of the least result."""
        return self.places - self.fmt.precision - 1

    @property
    def size(self) -> int:
        """Digits of the largest result."""
        return self.places + (self.fmt.bias + self.fmt.fraction_bits).bit_length()

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt, regions = self.fmt, self.regions
        region = machine.probed("region", machine.comparators(machine.number(x), regions.starts))
        power, fraction = _parts(machine, x, self)
        logarithm = power + _logarithm(machine, fraction, self)
        below = [int(result is not None and result >= fmt.sign_mask) for result in regions.results]
        below[regions.results.index(None)] = 1
        negative = machine.table(region, below)
        magnitude = _magnitude(machine, logarithm, negative, self)
        never = [0 if result is None else -2 << self.size for result in regions.results]
        total, code, lost = rounded(
            machine, magnitude + machine.table(region, never), self, self.least, self.size
        )
        constants = [(result or 0) % fmt.sign_mask for result in regions.results]
        return Found(
            code + machine.table(region, constants),
            total,
            lost,
            inexact=self._inexact(machine, region, fraction),
            negative=negative,
        )

    def _inexact(self, machine: Machine, region: Form, fraction: Word) -> Form:
        free = machine.table(region, self.regions.free)
        if self.function == "log":
            return free
        some = machine.table(machine.comparators(machine.number(fraction), [1]), [0, 1])
        return machine.number(machine.given(machine.digits(some, 1), free))


def _parts(machine: Machine, x: Word, plan: Logarithm) -> tuple[Form, Word]:
    """The logarithm of 2^n, and y - 1 without its point."""
    fmt = plan.fmt
    bits, magnitude = fmt.fraction_bits, x[: fmt.width - 1]
    steps = machine.comparators(machine.number(magnitude), [1 << k for k in range(1, bits + 1)])
    by = machine.digits(machine.table(steps, range(bits, -1, -1)), bits.bit_length())
    few, fours = powers_of(machine, by, bits + 1, STEP)
    partly = machine.digits(choice(machine, [magnitude[: bits - k] for k in range(STEP)], few, 1), bits)
    cut = [partly[: bits - STEP * k] for k in range(len(fours))]
    fraction = machine.digits(choice(machine, cut, fours, STEP), bits)
    fields = [plan.power(1 << k) for k in range(fmt.exponent_bits)]
    powers = [plan.power(1 - by - fmt.bias) for by in range(bits, 0, -1)]
    power = machine.table(steps, [*powers, plan.power(-fmt.bias)])
    return machine.weighted(magnitude[bits:], fields) + power, fraction


def _logarithm(machine: Machine, fraction: Word, plan: Logarithm) -> Form:
    """That of y."""
    found: Form = 0
    rest, used = machine.probed("rest.0", fraction), plan.fmt.fraction_bits
    most = (1 << used) - 1
    for k, place in enumerate(plan.factors):
        one, many = 1 << used, 1 << place
        count = many * most // (one + most)
        ends = [-(-one * many // (many - k)) - one for k in range(1, count + 1)]
        steps = machine.probed(f"steps.{k}", machine.comparators(machine.number(rest), ends))
        chosen = machine.digits(machine.table(steps, range(count + 1)), count.bit_length())
        factor = machine.probed(f"factor.{k}", chosen)
        with gmpy2.context(precision=PRECISION):
            logarithms = [-plan.logarithm(1 - gmpy2.mpfr(k) / many) for k in range(count + 1)]
        found = found + machine.table(steps, logarithms)
        more = min(place, plan.places - used)
        used += more
        most = (1 << used) // (many - count - 1) + len(factor)
        product = cut_product(machine, factor, rest, place - more)
        left = machine.number(rest) * (1 << more) - product
        left = left - machine.number(factor) * (1 << used - place)
        rest = machine.probed(f"rest.{k + 1}", machine.digits(left, most.bit_length()))
    squared = machine.digits(machine.number(rest) - cut_half_square(machine, rest, used), len(rest))
    squared = machine.probed("squared", squared)
    weights = [plan.constant(plan.scale, place - used) for place in range(len(squared))]
    return found + machine.weighted(squared, weights)


def _magnitude(machine: Machine, logarithm: Form, negative: Form, plan: Logarithm) -> Form:
    """|L|, for L that is negative or not."""
    word = machine.digits(logarithm + negative * (1 << plan.size), plan.size)
    word = machine.probed("logarithm", word)
    negated = machine.number(machine.given(word, negative))
    return machine.number(word) - negated * 2 + negative * (1 << plan.size)
