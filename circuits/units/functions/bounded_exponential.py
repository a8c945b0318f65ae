"""exp of formats as wide as FP64, to nearest, within a bound: no exceptions, no trying of inputs.

    1  |x| as a fixed-point number X of ``places`` binary places, cut off there
    2  n, the whole part of x log2(e); and V = x - n ln(2), a sum of the bits of X and n
    3  ln(A) is taken from V, then ln(B), ln(C), ..., each the largest that there is, for factors
       A = 1 + a/2^5, B = 1 + b/2^10, ... of few places. What is left, u, is so small that
    4  e^u - 1 is u + u^2/2 to the last place; times the factors, the last of them first
    5  half of the last place is added, which for subnormal results depends on n, and the top digits are
       the significand, shifted if subnormal; with n before it that is the code

As ``exponentials``, but that V is made of X and not of the fraction of x log2(e), of which there is no
digit; and that numbers have more places: so many that all that is cut off comes to less than 2^-10 of
the result's last place. What is so small that its e^x rounds to 1, and what is so large that e^x rounds
to infinity or 0, is told by comparators, as zeros, infinities and NaNs are.

Probes name the words on the way, for whoever shows that: ``prover.kernel.exponential``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import lazy_loader

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Bits, Form, number
from spikeproof.circuits.units.functions.fixed_point import fixed_point
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.words import (
    Probed,
    choice,
    cut_half_square,
    cut_product,
    powers_of,
    probed_netlist,
)
from spikeproof.specs.formats import Format

gmpy2: Any = lazy_loader.load("gmpy2")

GUARD = 16
"""Places of numbers beyond those of the format."""

LESS = 16
"""Units of the last place by which x log2(e) is made too small, so that what is left is not negative."""

PRECISION = 256
"""Bits of constants before they are rounded."""

MOST = 5
"""Bits of a factor."""

STEP = 8
"""Shifts are by less than this, and by a multiple of it."""


@dataclass(frozen=True)
class BoundedExponential:
    """How exp of a format is made, to nearest.

    Raises:
        ValueError: if numbers so small that their e^x rounds to 1 are not all normal.
    """

    fmt: Format

    def __post_init__(self) -> None:
        if self.least_field < 1:
            raise ValueError(f"format {self.fmt.name} has too few exponents for exp by factors")

    @property
    def least_field(self) -> int:
        """The exponent field below which e^x rounds to 1."""
        return self.fmt.bias - self.fmt.fraction_bits - 2

    @property
    def places(self) -> int:
        """Binary places of numbers."""
        return self.fmt.fraction_bits + GUARD

    @property
    def deepest(self) -> int:
        """How far the significand is shifted at most: what is less is half of the least number."""
        return self.fmt.fraction_bits + 1

    @property
    def offset(self) -> int:
        """What is added to n, that it is never negative."""
        return self.fmt.bias - 1 + self.deepest

    @cached_property
    def ends(self) -> tuple[int, int]:
        """The least magnitudes, as codes, of which e^x rounds to infinity, and e^-x to 0."""
        fmt = self.fmt
        with gmpy2.context(precision=PRECISION):
            largest = gmpy2.exp2(fmt.bias + 1) * (1 - gmpy2.exp2(-fmt.fraction_bits - 2))
            limits = gmpy2.log(largest), gmpy2.const_log2() * (fmt.bias + fmt.fraction_bits)
            large, deep = (_code_above(fmt, limit) for limit in limits)
            return large, deep

    @cached_property
    def regions(self) -> Regions:
        """Where the result is constant, and where not."""
        fmt, sign = self.fmt, self.fmt.sign_mask
        least, infinity = self.least_field << fmt.fraction_bits, fmt.largest_finite + 1
        one, nan = fmt.bias << fmt.fraction_bits, fmt.canonical_nan
        large, deep = self.ends
        return Regions(
            (least, large, infinity + 1, sign, sign + least, sign + deep, sign + infinity + 1),
            (one, None, infinity, nan, one, None, 0, nan),
        )

    @cached_property
    def most_field(self) -> int:
        """The largest exponent field of an x of which the result is not constant."""
        return max(self.ends) - 1 >> self.fmt.fraction_bits

    @cached_property
    def factors(self) -> tuple[int, ...]:
        """Places of the factors: so many that u^3 / 6 is less than the last place."""
        enough = -(-(self.places - 2) // 3)
        count = -(-enough // MOST)
        return tuple(enough * k // count for k in range(1, count + 1))


def _code_above(fmt: Format, limit: Any) -> int:
    """The least number above a limit of at least 1, as a code."""
    exponent = int(gmpy2.floor(gmpy2.log2(limit)))
    significand = int(gmpy2.floor(gmpy2.mul_2exp(limit, fmt.fraction_bits - exponent))) + 1
    return (fmt.bias + exponent - 1 << fmt.fraction_bits) + significand


def build_bounded_exponential(fmt: Format, plan: BoundedExponential | None = None) -> Netlist:
    """e^x to nearest as a netlist: input ``x``, output ``result``.

    Args:
        plan: how, if not as usual.

    Raises:
        ValueError: as ``BoundedExponential``.
    """
    chosen = plan or BoundedExponential(fmt)
    return probed_netlist(fmt.width, lambda machine, x: _Unit(machine, chosen).result(x))


@dataclass(frozen=True)
class _Unit:
    machine: Probed
    plan: BoundedExponential

    def result(self, x: Bits) -> Bits:
        """The code of the result."""
        machine, plan, fmt = self.machine, self.plan, self.plan.fmt
        region = machine.probed("region", machine.comparators(number(x), plan.regions.starts))
        ordinary = machine.digits(machine.table(region, plan.regions.free), 1)[0]
        magnitude = self.magnitude(x, ordinary)
        negated = machine.given(magnitude, x[fmt.width - 1])
        exponent = self.exponent(magnitude, negated)
        power = self.power(self.rest(magnitude, negated, exponent))
        shift = machine.digits(plan.deepest - number(exponent), plan.deepest.bit_length())
        total = machine.digits(power + self.half(exponent), plan.places + 2)
        significand = machine.probed("significand", total[plan.places - fmt.fraction_bits :])
        shifted = self.shifted(significand, shift)
        field = number(exponent) - plan.deepest + number(shift)
        one = fmt.bias << fmt.fraction_bits
        constants = [0 if each is None else each - one for each in plan.regions.results]
        found = field * (1 << fmt.fraction_bits) + shifted + machine.table(region, constants)
        return (*machine.digits(found, fmt.width - 1), Form())

    def magnitude(self, x: Bits, ordinary: Form) -> Bits:
        """X; 0 where the result is constant."""
        machine, plan, fmt = self.machine, self.plan, self.plan.fmt
        fields = range(plan.least_field, plan.most_field + 1)
        size = plan.places + plan.most_field - fmt.bias + 1
        word = fixed_point(machine, x, ordinary, fmt, fields, plan.places, size)
        return machine.probed("magnitude", word)

    def constant(self, value: Any) -> int:
        """A number in units of the last place, rounded."""
        return int(gmpy2.rint(gmpy2.mul_2exp(value, self.plan.places)))

    def exponent(self, magnitude: Bits, negated: Bits) -> Bits:
        """n + offset."""
        machine, plan = self.machine, self.plan
        with gmpy2.context(precision=PRECISION):
            unit = 1 / gmpy2.const_log2()
            weights = [
                self.constant(gmpy2.mul_2exp(unit, k - plan.places)) for k in range(len(magnitude))
            ]
        scaled = machine.weighted(magnitude, weights) - machine.weighted(
            negated, [2 * w for w in weights]
        )
        size = plan.places + (plan.offset + plan.fmt.bias).bit_length()
        found = machine.digits(scaled + (plan.offset << plan.places) - LESS, size)
        return machine.probed("exponent", found[plan.places :])

    def rest(self, magnitude: Bits, negated: Bits, exponent: Bits) -> Form:
        """x - n ln(2), in units of the last place."""
        with gmpy2.context(precision=PRECISION):
            ln2 = gmpy2.const_log2()
            weights = [self.constant(gmpy2.mul_2exp(ln2, k)) for k in range(len(exponent))]
            offset = self.constant(ln2 * self.plan.offset)
        multiple = self.machine.weighted(exponent, weights)
        return number(magnitude) - 2 * number(negated) - multiple + offset

    def logarithms(self, place: int, size: int) -> list[int]:
        """Those of 1 + k / 2^place, for k from 1."""
        with gmpy2.context(precision=PRECISION):
            numbers = (gmpy2.mpfr(k) / (1 << place) for k in range(1, 1 << size))
            return [self.constant(gmpy2.log1p(each)) for each in numbers]

    def power(self, rest: Form) -> Form:
        """e^rest, in units of the last place."""
        machine, plan, factors = self.machine, self.plan, []
        for number_of, (before, place) in enumerate(pairwise((0, *plan.factors))):
            size = place - before
            logarithms = self.logarithms(place, size)
            steps = machine.comparators(rest, logarithms)
            machine.probed(f"steps.{number_of}", steps)
            rest = rest - machine.table(steps, [0, *logarithms])
            factor = machine.digits(machine.table(steps, range(1 << size)), size)
            factors.append((number_of, place, machine.probed(f"factor.{number_of}", factor)))
        least = machine.probed("least", machine.digits(rest, plan.places - plan.factors[-1]))
        # What the parts add for what they cut off is a quarter of the most, on average right; half of it
        # makes the largest errors of either sign alike.
        rows = max(0, len(least) - plan.places // 2 - 1)
        found: Form = number(least) + cut_half_square(machine, least, plan.places) + rows // 2
        for number_of, place, factor in reversed(factors):
            word = machine.probed(f"power.{number_of}", machine.digits(found, plan.places - place + 1))
            found = number(word) + number(factor) * (1 << plan.places - place)
            found = found + cut_product(machine, factor, word, place) + len(factor) // 4
        return found + (1 << plan.places)

    def half(self, exponent: Bits) -> Form:
        """Half of the last place of the result."""
        plan = self.plan
        last = plan.places - plan.fmt.fraction_bits
        halves = [1 << last - 1 + by for by in range(plan.deepest + 1)]
        steps = self.machine.comparators(number(exponent), range(1, plan.deepest + 1))
        return self.machine.table(steps, halves[::-1])

    def shifted(self, word: Bits, by: Bits) -> Form:
        """word >> by"""
        machine = self.machine
        few, many = powers_of(machine, by, self.plan.deepest + 1, STEP)
        partly = machine.digits(choice(machine, [word[k:] for k in range(STEP)], few), len(word))
        found: Form = choice(machine, [partly[STEP * k :] for k in range(len(many))], many)
        return found
