"""exp and exp2 of wide formats: range reduction, short factors, and a sum whose top digits are the result.

    1  |x| as a fixed-point number X, by shifting its significand
    2  n + f = x log2(e), n an integer; x itself for exp2
    3  V = f ln(2); from it ln(A), ln(B), ln(C) are taken away, the largest that there is each time, for
       factors of few places: A = 1 + a/2^5, B = 1 + b/2^10, C = 1 + c/2^15, of 5 bits each. What is left,
       u, is below 2^-15
    4  e^u - 1 = u + u^2/2 nearly; times C, B and A, of which each is a few shifts and a sum
    5  half of the last place is added, which for subnormal results depends on n, and the top digits are
       the significand, shifted if subnormal; with n before it that is the code

Logarithms are entries of tables, which are weights, and cost no neuron. Numbers have ``places`` binary
places behind the point. What is lost makes some results wrong, by one in the last place: ``exceptions``
has these, found by trying all inputs. Codes for which the result is constant are cut out beforehand.

Multiplicative normalisation: J.-M. Muller, Elementary Functions, 3rd edition, chapter 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import lazy_loader

from spikeproof.circuits.units.functions.mended import NEAREST, Found
from spikeproof.circuits.units.functions.regions import Regions, regions_of
from spikeproof.circuits.units.functions.words import Form, Machine, Word
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

PRECISION = 160
"""Bits of constants before they are rounded to ``places``."""

FACTORS = (5, 10, 15)
"""Places of the factors that are taken away."""


@dataclass(frozen=True)
class Exponential:
    """A function 2^(x scale) of a format.

    Attributes:
        function: ``exp`` or ``exp2``.

    Raises:
        ValueError: if numbers so small that they do not matter are not all normal.
    """

    function: str
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy

    def __post_init__(self) -> None:
        if self.least_field < 1:
            raise ValueError(
                f"format {self.fmt.name} has too few exponents for {self.function} by factors"
            )

    @property
    def least_field(self) -> int:
        """The exponent field below which e^x rounds as if x were tiny: e^x is 1 to half a place."""
        return self.fmt.bias - self.fmt.fraction_bits - 2

    @property
    def places(self) -> int:
        """Binary places of numbers: the least that matters has all of its own."""
        return 2 * self.fmt.fraction_bits + 2

    @cached_property
    def regions(self) -> Regions:
        """Where results are constant."""
        least = self.least_field << self.fmt.fraction_bits
        return regions_of(self.function, self.fmt, self.mode, self.policy, least)

    @property
    def offset(self) -> int:
        """What is added to n, that it is never negative."""
        return self.fmt.bias - 1 + self.deepest

    @property
    def deepest(self) -> int:
        """How far the significand is shifted at most: what is less is half of the least number."""
        return self.fmt.fraction_bits + 1

    def constant(self, number: Any, place: int = 0) -> int:
        """number * 2^(places + place), rounded."""
        return int(gmpy2.rint(number * gmpy2.exp2(self.places + place)))

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt, places = self.fmt, self.places
        region = machine.comparators(machine.number(x), self.regions.starts)
        ordinary = machine.digits(machine.table(region, self.regions.ordinary), 1)[0]
        exponent, fraction = _scaled(machine, x, self, ordinary)
        shift = machine.digits(self.deepest - machine.number(exponent), self.deepest.bit_length())
        total = _normalised(machine, fraction, self) + _half(machine, exponent, self)
        significand = machine.digits(total, places + 2)[places - fmt.fraction_bits :]
        field = machine.number(exponent) - self.deepest + machine.number(shift)
        code = field * (1 << fmt.fraction_bits) + _shifted(machine, significand, shift, self)
        one = fmt.bias << fmt.fraction_bits
        constants = [0 if ordinary else result - one for result, ordinary in self.regions.results]
        return Found(
            code + machine.table(region, constants),
            total,
            places - fmt.fraction_bits + machine.number(shift),
            machine.table(machine.comparators(machine.number(fraction), [1]), [0, 1]),
        )


def _scaled(machine: Machine, x: Word, plan: Exponential, ordinary: Form) -> tuple[Word, Word]:
    """n + offset and f, of n + f = x log2(e); n and f are 0 where the result is constant."""
    fmt = plan.fmt
    fraction, field = x[: fmt.fraction_bits], x[fmt.fraction_bits : fmt.width - 1]
    most = plan.regions.largest_field - plan.least_field
    by = machine.digits(machine.number(field) - plan.least_field, most.bit_length())
    few = machine.given(machine.powers(by[:2], 4), ordinary)
    shifted = machine.product(fraction, few) + machine.number(few) * (1 << fmt.fraction_bits)
    partly = machine.digits(shifted, fmt.precision + 3)
    magnitude = machine.digits(
        machine.product(partly, machine.powers(by[2:], most // 4 + 1, gap=4)), fmt.precision + most
    )
    negated = machine.given(magnitude, x[fmt.width - 1])
    with gmpy2.context(precision=PRECISION):
        scale = gmpy2.mpfr(1) if plan.function == "exp2" else 1 / gmpy2.const_log2()
        weights = [plan.constant(scale, place - plan.places) for place in range(len(magnitude))]
    scaled = machine.weighted(magnitude, weights) - machine.weighted(negated, [2 * w for w in weights])
    size = (plan.offset + fmt.bias).bit_length()
    found = machine.digits(scaled + (plan.offset << plan.places), plan.places + size)
    return found[plan.places :], found[: plan.places]


def _normalised(machine: Machine, fraction: Word, plan: Exponential) -> Form:
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
            steps = machine.comparators(rest, logarithms)
            rest = rest - machine.table(steps, [0, *logarithms])
            factors.append((place, machine.digits(machine.table(steps, range(1 << size)), size)))
    least = machine.digits(rest, plan.places - FACTORS[-1])
    found = machine.number(least) + _half_square(machine, least, plan.places)
    for place, factor in reversed(factors):
        word = machine.digits(found, plan.places - place + 1)
        found = machine.number(word) + machine.number(factor) * (1 << plan.places - place)
        found = found + _product(machine, factor, word, place)
    return found + (1 << plan.places)


def _product(machine: Machine, factor: Word, word: Word, place: int) -> Form:
    """factor * word / 2^place, less what a bit of the factor has behind the point, which is 1/4 on average."""
    cut = ((word[place - index :], factor[index]) for index in range(len(factor)))
    rows = [machine.given(row, bit) for row, bit in cut if len(row)]
    return sum((machine.number(row) for row in rows), len(rows) // 4)


def _half_square(machine: Machine, word: Word, place: int) -> Form:
    """word^2 / 2^(place + 1), of each bit likewise."""
    own = [1 << 2 * index - place - 1 if 2 * index > place else 0 for index in range(len(word))]
    found, rows = machine.weighted(word, own), 0
    for index in range(place // 2 + 1, len(word)):
        found = found + machine.number(machine.given(word[place - index : index], word[index]))
        rows += 1
    return found + rows // 4


def _half(machine: Machine, exponent: Word, plan: Exponential) -> Form:
    """Half of the last place of the result, where the mode adds that."""
    if plan.mode not in NEAREST:
        return 0
    last = plan.places - plan.fmt.fraction_bits
    halves = [1 << last - 1 + by for by in range(plan.deepest + 1)]
    steps = machine.comparators(machine.number(exponent), range(1, plan.deepest + 1))
    return machine.table(steps, halves[::-1])


def _shifted(machine: Machine, word: Word, by: Word, plan: Exponential) -> Form:
    """word >> by"""
    partly = machine.digits(_choice(machine, word, machine.powers(by[:2], 4), range(4)), len(word))
    fours = range(0, plan.deepest + 1, 4)
    return _choice(machine, partly, machine.powers(by[2:], len(fours)), fours)


def _choice(machine: Machine, word: Word, which: Word, shifts: Sequence[int]) -> Form:
    """The word without so many of its last places, for the shift of which the bit is 1."""
    rows = (machine.given(word[by:], which[index]) for index, by in enumerate(shifts))
    return sum((machine.number(row) for row in rows), 0)
