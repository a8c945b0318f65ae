"""Sines of a part of a turn, of formats as wide as FP64, to nearest: by one product, all its digits.

    1  G    sin(pi y)/y in each of equal rows of y, up to 1/2, as a polynomial of where in the row y is
            (Horner). Its derivatives keep their signs, so all words on the way are magnitudes
    2  M    y G: it is relatively as near to sin(pi y) as G is, however small y is
    3  half of the last place is added, where the leading one is, and the sum is shifted there

Coefficients are entries of tables, which are weights, and cost no neuron.

Probes name the words on the way, for whoever shows how near that is: ``prover.kernel.sine_rows``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial
from typing import Any

import lazy_loader

from spikeproof.circuits.units.forms import Bits, Form, number
from spikeproof.circuits.units.functions.mended import rounded
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.words import Probed, cut_product
from spikeproof.specs.formats import Format

gmpy2: Any = lazy_loader.load("gmpy2")

GUARD = 17
"""Places of G beyond the precision of the format."""

ROWS = 8
"""There are 2^ROWS rows up to 1/2."""

PRECISION = 256
"""Bits of constants before they are rounded."""

SERIES = 80
"""Coefficients that the series around 0 has."""


@dataclass(frozen=True)
class SineRows:
    """How sines are made.

    Attributes:
        fmt: of results.
        fixed: binary places of y, a part of half a turn.
        deepest: results are 0, or at least 2^-deepest.
    """

    fmt: Format
    fixed: int
    deepest: int
    nearest = True

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
        """So high that the rest of the series is less than two units of G: no product would tell it."""
        degree, most = 0, 1 << self.guarded - 1
        while most * 3.15 ** (degree + 2) >= factorial(degree + 2) << self.row * (degree + 1):
            degree += 1
        return degree

    def unit(self, k: int) -> int:
        """Binary places of the word that the coefficient of degree k begins."""
        return self.guarded - self.row * k

    @cached_property
    def coefficients(self) -> list[list[int]]:
        """By degree, of each row and of 1/2, in units of the word: magnitudes of Taylor's."""
        with gmpy2.context(precision=PRECISION):
            pi = gmpy2.const_pi()
            of_zero = [
                (-1) ** (n // 2) * pi ** (n + 1) / factorial(n + 1) * (n % 2 == 0) for n in range(SERIES)
            ]
            return [
                [self._coefficient(of_zero, k, h) for h in range((1 << ROWS) + 1)]
                for k in range(self.degree + 1)
            ]

    def _coefficient(self, series: list[Any], k: int, h: int) -> int:
        """That of degree k of a series, around h rows."""
        at = gmpy2.mpfr(h) / (1 << self.row)
        terms = (comb(n, k) * series[n] * at ** (n - k) for n in range(k, len(series)))
        found = abs(sum(terms, gmpy2.mpfr(0)))
        return int(gmpy2.rint(gmpy2.mul_2exp(found, self.unit(k))))

    def code(self, machine: Probed, y: Bits, region: Bits, regions: Regions) -> Form:
        """The code of sin(pi y), with a 0 where that is 0; or the constant result of the region.

        Args:
            y: from 0 to 1/2.
            region: which of them x is in.
        """
        # Less than -2^(places + 1) where the code of the sine is to be 0.
        never = [0 if each is None else -4 << self.places for each in regions.results]
        more = machine.table(region, never)
        y = machine.probed("distance", y)
        product = machine.product(y, self.quotient(machine, y))
        magnitude = machine.probed("magnitude", machine.digits(product, self.places + 1))
        least = self.places - self.deepest
        code: Form
        _, code, _ = rounded(machine, number(magnitude) + more, self, least, self.places + 1)
        return code + machine.table(region, [each or 0 for each in regions.results])

    def quotient(self, machine: Probed, y: Bits) -> Bits:
        """sin(pi y)/y"""
        width = self.fixed - self.row
        within, upper = y[:width], y[width:]
        rows = machine.probed("rows", machine.comparators(number(upper), range(1, (1 << ROWS) + 1)))
        word: Bits = ()
        for k in reversed(range(self.degree + 1)):
            found = machine.table(rows, self.coefficients[k])
            if word:
                # Signs are + - - + + - - and so on.
                found = found + cut_product(machine, within, word, width) * (1 if k % 2 else -1)
            size = (max(self.coefficients[k]) * 9 // 8).bit_length()
            word = machine.probed(f"power.{k}", machine.digits(found, size))
        return word


def distance(machine: Probed, v: Bits, half: Form) -> Bits:
    """How far V is from the nearest odd multiple of 1/2: beyond a multiple of 1/2, or 1/2 less that.

    Args:
        v, half: its digits, and that of 1/2.
    """
    kept = number(machine.given(v, half))
    folded = 2 * kept - number(v) + (1 - half) * (1 << len(v))
    return machine.digits(folded.within(0, 1 << len(v)), len(v) + 1)


def negative(machine: Probed, turned: Form, is_nan: Form) -> Form:
    """The sign: whether a number is odd; NaN has none."""
    odd = machine.digits(turned, turned.high.bit_length())[:1]
    return machine.digits(number(odd) - is_nan, 1)[0]
