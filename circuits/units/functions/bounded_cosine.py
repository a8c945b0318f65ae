"""cos(pi x) of formats as wide as FP64, to nearest: no exceptions, no trying of inputs.

    1  V    |x| modulo 2, as a fixed-point number of ``places`` binary places, cut off there: of numbers
            of 1/4 or more nothing is
    2  Y    V's distance from the nearest odd multiple of 1/2: cos(pi x) is sin(pi Y) or its negative
    3  G    sin(pi y)/y in each of equal rows of y as a polynomial of where in the row y is (Horner). Its
            derivatives keep their signs up to 1/2, so all words on the way are magnitudes
    4  M    Y G, all its digits: it is relatively as near to sin(pi Y) as G is, however small Y is
    5  half of the last place is added, where the leading one is, and the sum is shifted there

Coefficients are entries of tables, which are weights, and cost no neuron. Where x is so small that its
cosine rounds to 1, or an even number as all from 2^p on, that is told by comparators.

Probes name the words on the way. That errors come to less than 2^-10 of the last place is not shown yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial
from typing import Any

import lazy_loader

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import NEVER, Bits, Form, bits, number, signals
from spikeproof.circuits.units.functions.mended import rounded
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.words import Probed, cut_product, powers_of
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.specs.formats import Format

gmpy2: Any = lazy_loader.load("gmpy2")

SPARE = 13
"""Places of Y beyond the precision of the format."""

GUARD = 17
"""Places of G beyond the precision of the format."""

ROWS = 6
"""There are 2^ROWS rows up to 1/2."""

STEP = 8
"""Shifts are by less than this, and by a multiple of it."""

PRECISION = 256
"""Bits of constants before they are rounded."""


@dataclass(frozen=True)
class BoundedCosine:
    """How cos(pi x) of a format is made, to nearest.

    Raises:
        ValueError: if numbers so small that their cosine rounds to 1 are not all normal, or results are
            not, or if there are no even numbers from 2^precision on.
    """

    fmt: Format
    nearest = True

    def __post_init__(self) -> None:
        if self.least_field < 1 or self.fmt.bias < self.fmt.precision + 1:
            raise ValueError(f"format {self.fmt.name} has too few exponents for cosines by rows")

    @property
    def least_field(self) -> int:
        """The exponent field below which the cosine rounds to 1."""
        return self.fmt.bias - self.fmt.precision // 2 - 3

    @property
    def most_field(self) -> int:
        """The largest exponent field of numbers that are not all even."""
        return self.fmt.bias + self.fmt.fraction_bits

    @property
    def fixed(self) -> int:
        """Binary places of Y."""
        return self.fmt.precision + SPARE

    @property
    def guarded(self) -> int:
        """Binary places of G."""
        return self.fmt.precision + GUARD

    @property
    def places(self) -> int:
        """Binary places of M."""
        return self.fixed + self.guarded

    @property
    def row(self) -> int:
        """Rows are 2^-row wide."""
        return ROWS + 1

    @cached_property
    def degree(self) -> int:
        """So high that the rest of the series is less than the last place of G."""
        degree, scale = 0, 4.0
        while scale >= 2.0 ** -(self.guarded + 1):
            degree += 1
            scale = 4 * 3.15 ** (degree + 1) / factorial(degree + 1) / 2.0 ** (self.row * (degree + 1))
        return degree

    @cached_property
    def regions(self) -> Regions:
        """Small, large and infinite numbers, and NaNs."""
        fmt, sign = self.fmt, self.fmt.sign_mask
        one, nan = fmt.bias << fmt.fraction_bits, fmt.canonical_nan
        fields = self.least_field, self.most_field + 1
        starts = (*(field << fmt.fraction_bits for field in fields), fmt.infinity)
        return Regions(
            (*starts, sign, *(sign + start for start in starts)),
            (one, None, one, nan, one, None, one, nan),
        )

    def unit(self, k: int) -> int:
        """Binary places of the word that the coefficient of degree k begins."""
        return self.guarded - self.row * k

    @cached_property
    def coefficients(self) -> list[list[int]]:
        """By degree, of each row and of 1/2, in units of the word: magnitudes of Taylor's."""
        with gmpy2.context(precision=PRECISION):
            pi = gmpy2.const_pi()
            of_zero = [
                (-1) ** (n // 2) * pi ** (n + 1) / factorial(n + 1) * (n % 2 == 0) for n in range(80)
            ]
            return [
                [
                    int(gmpy2.rint(gmpy2.mul_2exp(abs(_moved(of_zero, k, h, self.row)), self.unit(k))))
                    for h in range((1 << ROWS) + 1)
                ]
                for k in range(self.degree + 1)
            ]


def _moved(series: list[Any], k: int, h: int, row: int) -> Any:
    """The coefficient of degree k of a series around h 2^-row."""
    at = gmpy2.mpfr(h) / (1 << row)
    terms = (comb(n, k) * series[n] * at ** (n - k) for n in range(k, len(series)))
    return sum(terms, gmpy2.mpfr(0))


def build_bounded_cosine(fmt: Format, plan: BoundedCosine | None = None) -> Netlist:
    """cos(pi x) to nearest as a netlist: input ``x``, output ``result``.

    Args:
        plan: how, if not as usual.

    Raises:
        ValueError: as ``BoundedCosine``.
    """
    gates = library_gates(DEFAULT_LIBRARY)
    x = gates.builder.input("x", fmt.width)
    code = _Unit(Probed(gates), plan or BoundedCosine(fmt)).result(bits(x))
    return gates.builder.build({"result": signals(gates, code)})


@dataclass(frozen=True)
class _Unit:
    machine: Probed
    plan: BoundedCosine

    def result(self, x: Bits) -> Bits:
        """The code of the result."""
        machine, plan, fmt = self.machine, self.plan, self.plan.fmt
        region = machine.probed("region", machine.comparators(number(x), plan.regions.starts))
        ordinary = machine.digits(machine.table(region, plan.regions.free), 1)[0]
        *v, half, odd = machine.probed("turn", self.turn(x, ordinary))
        kept = machine.given(tuple(v), half)
        folded = 2 * number(kept) - number(v) + (1 - half) * (1 << len(v))
        y = machine.probed("distance", machine.digits(folded.within(0, 1 << len(v)), len(v) + 1))
        product = machine.product(y, self.quotient(y))
        magnitude = machine.probed("magnitude", machine.digits(product, plan.places + 1))
        never = [0 if each is None else -4 << plan.places for each in plan.regions.results]
        least = plan.places - fmt.precision
        _, code, _ = rounded(
            machine, number(magnitude) + machine.table(region, never), plan, least, plan.places + 1
        )
        constants = [each or 0 for each in plan.regions.results]
        code = machine.digits(code + machine.table(region, constants), fmt.width - 1)
        return (*code, self.negative(half, odd, y))

    def turn(self, x: Bits, ordinary: Form) -> Bits:
        """V; 0 where the result is constant."""
        machine, plan, fmt = self.machine, self.plan, self.plan.fmt
        bias, most = fmt.fraction_bits, plan.most_field - plan.least_field
        fraction, field = x[:bias], x[bias : fmt.width - 1]
        by = machine.digits(number(field) - plan.least_field, most.bit_length())
        few, many = powers_of(machine, by, most + 1, STEP)
        few = machine.given(few, ordinary)
        shifted = machine.product(fraction, few) + number(few) * (1 << bias)
        word = machine.digits(shifted, fmt.precision + STEP - 1)
        # What |x| has below the last place, and what is a multiple of 2.
        low, size = fmt.bias + bias - plan.fixed - plan.least_field, plan.fixed + 1
        parts = []
        for k, when in enumerate(many):
            cut, up = max(low - STEP * k, 0), max(STEP * k - low, 0)
            if kept := word[cut : max(cut + size - up, 0)]:
                parts.append(number(machine.given(kept, when)) * (1 << up))
        return machine.digits(sum(parts, NEVER).within(0, (1 << size) - 1), size)

    def quotient(self, y: Bits) -> Bits:
        """sin(pi y)/y"""
        machine, plan = self.machine, self.plan
        width = plan.fixed - plan.row
        rows = machine.comparators(number(y), [k << width for k in range(1, (1 << ROWS) + 1)])
        rows, within = machine.probed("rows", rows), y[:width]
        word: Bits = ()
        for k in reversed(range(plan.degree + 1)):
            found = machine.table(rows, plan.coefficients[k])
            if word:
                # Signs are + - - + + - - and so on.
                found = found + cut_product(machine, within, word, width) * (1 if k % 2 else -1)
            size = (max(plan.coefficients[k]) * 9 // 8).bit_length()
            word = machine.probed(f"power.{k}", machine.digits(found, size))
        return word

    def negative(self, half: Form, odd: Form, y: Bits) -> Form:
        """The sign: that of 0 is +."""
        machine = self.machine
        some = machine.comparators(number(y), [1])
        both = machine.product((half,), (odd,))
        differ = machine.digits((half + odd - 2 * both).within(0, 1), 1)
        return machine.digits(number(differ) + number(some) - 1, 1)[0]
