"""exp and exp2 of wide formats: short factors, and a sum whose top digits are the result.

    1  |x| as a fixed-point number X, by shifting its significand
    2  n + f = x log2(e), n an integer; x itself for exp2
    3  V = f ln(2); from it ln(A), ln(B), ln(C) are taken away, the largest that there is each time, for
       factors of few places: A = 1 + a/2^5, B = 1 + b/2^10, C = 1 + c/2^15, of 5 bits each. What is
       left, u, is below 2^-15
    4  e^u - 1 = u + u^2/2 nearly; times C, B and A, of which each is a few shifts and a sum
    5  half of the last place is added, which for subnormal results depends on n, and the top digits are
       the significand, shifted if subnormal; with n before it that is the code

Logarithms are entries of tables, which are weights, and cost no neuron. Numbers have ``places`` binary
places behind the point. What is lost makes some results wrong, by one in the last place: ``exceptions``
has these, found by trying all inputs. Codes for which the result is constant are cut out beforehand.

Multiplicative normalisation: J.-M. Muller, Elementary Functions, 3rd edition, chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import lazy_loader

from spikeproof.circuits.units.functions.mended import PRECISION, Found, Plan
from spikeproof.circuits.units.functions.regions import Regions, monotone_regions
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

FACTORS = (5, 10, 15)
"""Places of the factors that are taken away."""


@dataclass(frozen=True)
class Exponential(Plan):
    """``exp`` or ``exp2``.

    Raises:
        ValueError: if numbers so small that they do not matter are not all normal.
    """

    def __post_init__(self) -> None:
        if self.least_field < 1:
            raise ValueError(
                f"format {self.fmt.name} has too few exponents for {self.function} by factors"
            )

    @property
    def least_field(self) -> int:
        """The exponent field below which e^x rounds as if x were tiny."""
        return self.fmt.bias - self.fmt.fraction_bits - 2

    @property
    def places(self) -> int:
        """So many that the least numbers that matter have all of theirs."""
        return 2 * self.fmt.fraction_bits + 2

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where results are not constant."""
        return self.regions.spans(self.fmt)

    @cached_property
    def regions(self) -> Regions:
        """Beyond the range of the format, and near 0."""
        least = self.least_field << self.fmt.fraction_bits
        return monotone_regions(self.function, self.fmt, self.mode, self.policy, least)

    @property
    def offset(self) -> int:
        """What is added to n, that it is never negative."""
        return self.fmt.bias - 1 + self.deepest

    @property
    def deepest(self) -> int:
        """How far the significand is shifted at most: what is less is half of the least number."""
        return self.fmt.fraction_bits + 1

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt, places = self.fmt, self.places
        region = machine.comparators(machine.number(x), self.regions.starts)
        ordinary = machine.digits(machine.table(region, self.regions.free), 1)[0]
        exponent, fraction = _scaled(machine, x, self, ordinary)
        shift = machine.digits(self.deepest - machine.number(exponent), self.deepest.bit_length())
        total = normalised(machine, fraction, self) + _half(machine, exponent, self)
        significand = machine.digits(total, places + 2)[places - fmt.fraction_bits :]
        field = machine.number(exponent) - self.deepest + machine.number(shift)
        code = field * (1 << fmt.fraction_bits) + _shifted(machine, significand, shift, self)
        one = fmt.bias << fmt.fraction_bits
        constants = [0 if result is None else result - one for result in self.regions.results]
        return Found(
            code + machine.table(region, constants),
            total,
            places - fmt.fraction_bits + machine.number(shift),
            inexact=machine.table(machine.comparators(machine.number(fraction), [1]), [0, 1]),
            negative=machine.table(region, [0] * len(self.regions.results)),
        )


def _scaled(machine: Machine, x: Word, plan: Exponential, ordinary: Form) -> tuple[Word, Word]:
    """n + offset and f, of n + f = x log2(e); n and f are 0 where the result is constant."""
    magnitude = fixed(machine, x, plan, ordinary)
    sign, weights = x[plan.fmt.width - 1], weights_of(plan, len(magnitude))
    scaled = machine.signed(magnitude, sign, weights)
    size = (plan.offset + plan.fmt.bias).bit_length()
    found = machine.digits(scaled + (plan.offset << plan.places), plan.places + size)
    return found[plan.places :], found[: plan.places]


def fixed(machine: Machine, x: Word, plan: Exponential, ordinary: Form) -> Word:
    """|x| as a fixed-point number; 0 where the result is constant."""
    fmt = plan.fmt
    fraction, field = x[: fmt.fraction_bits], x[fmt.fraction_bits : fmt.width - 1]
    ends = (end - 1 & fmt.sign_mask - 1 for _, end in plan.regions.spans(fmt))
    most = (max(ends) >> fmt.fraction_bits) - plan.least_field
    by = machine.digits(machine.number(field) - plan.least_field, most.bit_length())
    few, fours = powers_of(machine, by, most + 1, STEP)
    few = machine.given(few, ordinary)
    shifted = machine.product(fraction, few) + machine.number(few) * (1 << fmt.fraction_bits)
    partly = machine.digits(shifted, fmt.precision + STEP - 1)
    raised = choice(machine, [partly] * len(fours), fours, STEP)
    return machine.digits(raised, fmt.precision + most)


def weights_of(plan: Exponential, size: int) -> list[int]:
    """Of the bits of a fixed-point number so long, in its logarithm to base 2."""
    with gmpy2.context(precision=PRECISION):
        scale = gmpy2.mpfr(1) if plan.function == "exp2" else 1 / gmpy2.const_log2()
        return [plan.constant(scale, place - plan.places) for place in range(size)]


def normalised(machine: Machine, fraction: Word, plan: Exponential) -> Form:
    """2^f, in units of the last place."""
    with gmpy2.context(precision=PRECISION):
        ln2 = gmpy2.const_log2()
        rest = machine.weighted(
            fraction, [plan.constant(ln2, i - plan.places) for i in range(plan.places)]
        )
        factors = []
        for before, place in pairwise((0, *FACTORS)):
            size = place - before
            logarithms = [
                plan.constant(gmpy2.log1p(gmpy2.mpfr(k) / (1 << place))) for k in range(1, 1 << size)
            ]
            rest = machine.held(rest, plan.places - before)
            steps = machine.comparators(rest, logarithms)
            rest = rest - machine.table(steps, [0, *logarithms])
            factors.append((place, machine.digits(machine.table(steps, range(1 << size)), size)))
    least = machine.digits(rest, plan.places - FACTORS[-1])
    found = machine.number(least) + cut_half_square(machine, least, plan.places)
    for place, factor in reversed(factors):
        word = machine.digits(found, plan.places - place + 1)
        found = machine.number(word) + machine.number(factor) * (1 << plan.places - place)
        found = found + cut_product(machine, factor, word, place)
    return found + (1 << plan.places)


def _half(machine: Machine, exponent: Word, plan: Exponential) -> Form:
    """Half of the last place of the result, where the mode adds that."""
    if not plan.nearest:
        return 0
    last = plan.places - plan.fmt.fraction_bits
    halves = [1 << last - 1 + by for by in range(plan.deepest + 1)]
    steps = machine.comparators(machine.number(exponent), range(1, plan.deepest + 1))
    return machine.table(steps, halves[::-1])


def _shifted(machine: Machine, word: Word, by: Word, plan: Exponential) -> Form:
    """word >> by"""
    few, fours = powers_of(machine, by, plan.deepest + 1, STEP)
    partly = machine.digits(choice(machine, [word[k:] for k in range(STEP)], few), len(word))
    return choice(machine, [partly[STEP * k :] for k in range(len(fours))], fours)
