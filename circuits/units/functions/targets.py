"""A function of a format, by MPFR: rounded, and as a real number of codes before rounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import lazy_loader
import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.units.functions.values import FUNCTIONS, results_at
from spikeproof.specs.formats import NEAREST, Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

Reals = NDArray[np.float64]

ODD = frozenset({"tanh", "erf"})
"""Functions whose sign is that of x, and whose magnitude is that of its own: of which rows are."""

PARTS = 16
"""Parts of a binade of x at whose ends the exponent of the result is asked for."""

Kind = tuple[int, bool] | None
"""Exponent and sign of a result; None if it is infinite, no number, or beyond all numbers."""


@dataclass(frozen=True)
class Target:
    """A function of a format, rounded to nearest or toward zero."""

    function: str
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy

    @property
    def odd(self) -> bool:
        """Whether magnitudes are enough."""
        return self.function in ODD

    @property
    def width(self) -> int:
        """Bits of codes: those of magnitudes, if the function is odd."""
        return self.fmt.magnitude_bits if self.odd else self.fmt.width

    def rounded(self, codes: Iterable[int]) -> list[int]:
        """The codes of results."""
        some = np.array(list(codes), dtype=np.int64)
        found: list[int] = results_at(self.function, self.fmt, self.mode, self.policy, some).tolist()
        return found

    def value(self, code: int, beyond: float = 0.0) -> Any:
        """The function, so far beyond a code."""
        sign, magnitude = divmod(code, self.fmt.sign_mask)
        field, significand = divmod(magnitude, 1 << self.fmt.fraction_bits)
        if field:
            significand += 1 << self.fmt.fraction_bits
        x = _scaled(gmpy2.mpfr(significand) + beyond, self._exponent_of_place(field))
        return FUNCTIONS[self.function](-x if sign else x)

    def _exponent_of_place(self, field: int) -> int:
        return max(field, 1) - self.fmt.bias - self.fmt.fraction_bits

    def kind(self, code: int) -> Kind:
        """That of the result."""
        value = self.value(code)
        if not gmpy2.is_finite(value):
            return None
        least = self.fmt.minimum_exponent
        exponent = least if value == 0 else max(gmpy2.get_exp(value) - 1, least)
        return None if exponent > self.fmt.bias else (exponent, value.is_signed())

    def place(self, value: Any, exponent: int) -> Any:
        """A result as a real number of codes."""
        fraction_bits = self.fmt.fraction_bits
        below = (exponent + self.fmt.bias - 1 << fraction_bits) + (
            self.fmt.sign_mask if value.is_signed() else 0
        )
        return _scaled(abs(value), fraction_bits - exponent) + below

    @property
    def upward(self) -> float:
        """What is added before a magnitude is cut off."""
        return 0.5 if self.mode in NEAREST else 0.0

    def series(self, start: int, size: int, exponent: int, degree: int) -> tuple[int, Reals]:
        """Where codes start, cut off, and the Chebyshev series of what is beyond."""
        nodes, matrix = _chebyshev(degree)
        base = int(gmpy2.floor(self.place(self.value(start), exponent)))
        along = (size - 1) / 2 * (1 + nodes)
        values = [self.place(self.value(start, float(each)), exponent) - base for each in along]
        return base, matrix @ np.array([float(each) for each in values])

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Codes in which x keeps its exponent, and the result exponent and sign."""
        fmt = self.fmt
        binade = 1 << fmt.fraction_bits
        for sign in range(0, 1 << self.width, fmt.sign_mask):
            for first in (0, *range(2 * binade, fmt.infinity, binade)):
                end = first + binade if first else 2 * binade
                places = [sign + first + (end - first - 1) * k // PARTS for k in range(PARTS + 1)]
                kinds = [self.kind(each) for each in places]
                cuts = [sign + first, *self._cuts(places, kinds), sign + end]
                yield from pairwise(cuts)
            yield sign + fmt.infinity, sign + fmt.infinity + 1
            yield sign + fmt.infinity + 1, sign + fmt.sign_mask

    def _cuts(self, places: list[int], kinds: list[Kind]) -> Iterator[int]:
        """The first codes of another kind than the code before."""
        for (low, before), (high, after) in pairwise(zip(places, kinds, strict=True)):
            if before == after:
                continue
            if high - low == 1:
                yield high
            else:
                middle = (low + high) // 2
                inner = [low, middle, high]
                yield from self._cuts(inner, [before, self.kind(middle), after])


def _scaled(value: Any, exponent: int) -> Any:
    scale = gmpy2.mul_2exp if exponent >= 0 else gmpy2.div_2exp
    return scale(value, abs(exponent))


@lru_cache
def _chebyshev(degree: int) -> tuple[Reals, Reals]:
    """Nodes, and what makes coefficients of the values there."""
    angles = (np.arange(degree + 1) + 0.5) * np.pi / (degree + 1)
    matrix = 2 / (degree + 1) * np.cos(np.outer(np.arange(degree + 1), angles))
    matrix[0] /= 2
    return np.cos(angles), matrix
