"""sin and cos of wide formats: x reduced to a quarter of a turn, and rows of polynomials.

    1  M    the significand of x, moved up by less than a block of exponents
    2  S    x 2/pi, in quarters of a turn, modulo 4: each piece of M counts in each block with a multiple
            of its own, known to all places that matter. So the bits of 2/pi are weights, and cost no
            neuron (reduction: M. Payne and R. Hanek, SIGNUM Newsletter 18(1), 1983)
    3  r    the fraction of S; in odd quarters 1 less it. For cosines S is a quarter more
    4       sin(r pi/2): in each of equal rows of r a polynomial of u, where in the row r is (Horner)
    5       half of the last place is added, where the leading one is, and the sum is shifted there

Numbers have ``places`` binary places behind the point. Near a multiple of pi/2 that is less than sines
need; but of numbers twice as near there are half as many, so that no binade of results has more wrong
ones than another: ``exceptions`` has these, found by trying all inputs.

Below the numbers that are reduced a sine is x, or less by some few in the last place: comparators have
where that changes. A cosine is 1 there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise, takewhile
from typing import Any

import lazy_loader

from spikeproof.circuits.units.functions.fixed_point import moved_in_blocks
from spikeproof.circuits.units.functions.mended import PRECISION, Found, Plan, rounded
from spikeproof.circuits.units.functions.targets import Target
from spikeproof.circuits.units.functions.words import STEP, Form, Machine, Word

gmpy2: Any = lazy_loader.load("gmpy2")

SPARE = 3
"""Places of numbers, beyond twice the precision of the format."""

MORE = 3
"""Binades of sines that are found from x, of those where x^2 is not lost beside 1."""

BLOCK = STEP * STEP
"""Exponents that have multiples together."""

PIECE = 13
"""Bits of M that have a multiple together."""

GROUP = 2
"""Digits that are multiplied together."""

ROWS, DEGREE = 1 << 8, 4
"""How many, and of which degree the polynomials are."""


@dataclass(frozen=True)
class Radians(Plan):
    """``sin`` or ``cos``.

    Raises:
        ValueError: if there is no infinity; if numbers that are reduced are not all normal, or have so
            few places that the upper half of ``_reduced`` has all of them.
    """

    def __post_init__(self) -> None:
        if not self.fmt.has_infinity or self.least_field < 1 or self.places < PIECE + 3:
            raise ValueError(
                f"format {self.fmt.name} has no infinity, or too few digits or exponents "
                f"for {self.function} by quarter turns"
            )

    @property
    def cosine(self) -> bool:
        """Whether it is ``cos``."""
        return self.function == "cos"

    @property
    def least_field(self) -> int:
        """The exponent field from which on numbers are reduced."""
        lost = self.fmt.bias - (self.fmt.precision + 1) // 2
        return lost if self.cosine else min(lost + MORE, self.fmt.bias - 1)

    @property
    def places(self) -> int:
        """Twice those of the format, as results near 0 have fewer; and some."""
        return 2 * self.fmt.precision + SPARE

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Magnitudes that are reduced."""
        return [(self.least_field << self.fmt.fraction_bits, self.fmt.infinity)]

    def matched(self, x: Word) -> Word:
        """Its magnitude."""
        return x[: self.fmt.magnitude_bits]

    @cached_property
    def small(self) -> list[tuple[int, int]]:
        """Codes below those that are reduced, and results from there on: of sines, less x.

        In a piece, where x and its result keep their exponents, these change in one direction.
        """
        target = Target(self.function, self.fmt, self.simplest.mode, self.policy)

        @cache
        def result(code: int) -> int:
            return target.rounded([code])[0] - (0 if self.cosine else code)

        def changes(first: int, last: int) -> Iterator[tuple[int, int]]:
            if result(first) == result(last):
                yield first, result(first)
            else:
                middle = (first + last) // 2
                yield from changes(first, middle)
                yield from changes(middle + 1, last)

        ((least, _),) = self.spans
        pieces = takewhile(lambda piece: piece[0] < least, target.pieces())
        found = [change for start, end in pieces for change in changes(start, end - 1)]
        return [found[0], *(each for before, each in pairwise(found) if before[1] != each[1])]

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt = self.fmt
        magnitude, sign = x[: fmt.magnitude_bits], x[fmt.magnitude_bits :]
        starts, constants = zip(*self.small, strict=True)
        steps = machine.comparators(machine.number(magnitude), (*starts[1:], *self.spans[0]))

        def chosen(small: Iterable[int], ordinary: int, special: int) -> Form:
            return machine.table(steps, (*small, ordinary, special))

        none = [0] * len(starts)
        never = -2 << self.places
        fraction, odd, upper = _reduced(machine, magnitude, self)
        sine = _sine(machine, _folded(machine, fraction, odd, self), self)
        free = chosen([never for _ in starts], 0, never)
        total, code, lost = rounded(machine, sine + free, self, fmt.precision, self.places)
        code = code + chosen(constants, 0, fmt.canonical_nan)
        turned = machine.number(upper)
        if not self.cosine:
            small = machine.digits(chosen([1 for _ in starts], 0, 0), 1)[0]
            code = code + machine.number(machine.given(magnitude, small))
            turned = turned + machine.number(sign) - 2 * machine.product(sign, upper)
        return Found(
            code,
            total,
            lost,
            inexact=chosen([int(start > 0) for start in starts], 1, 0),
            negative=machine.digits(turned - chosen(none, 0, 1), 1)[0],
        )


# --- reduction ----------------------------------------------------------------------------------


def _reduced(machine: Machine, magnitude: Word, plan: Radians) -> tuple[tuple[Word, Word], Word, Word]:
    """Of S modulo 4: its fraction, in two words, the lower first; and the two bits of the whole.

    It is added up in two halves, of which each has what words of 64 bits hold.
    """
    fields = range(plan.least_field, (1 << plan.fmt.exponent_bits) - 1)
    word, block = moved_in_blocks(machine, magnitude, plan.fmt, fields, STEP)
    half = (plan.places + PIECE + 1) // 2
    finer = plan.places + PIECE + 1 - half  # of the places, and as many more as make good what M is
    more = PIECE + (len(word) // PIECE).bit_length()
    low, high = [], []
    for first in range(0, len(word), PIECE):
        for k, multiple in enumerate(_multiples(plan, first, len(block), half + finer)):
            piece = machine.number(machine.given(word[first : first + PIECE], block[k]))
            low.append(piece * (multiple % (1 << half)))
            high.append(piece * (multiple >> half))
    lower = machine.digits(sum(low[1:], low[0]), half + more)
    quarter = plan.cosine << finer
    whole = sum(high[1:], high[0]) + machine.number(lower[half:]) + quarter
    upper = machine.digits(whole, finer + 2 + more)
    fraction = lower[half + finer - plan.places : half], upper[:finer]
    return fraction, upper[finer : finer + 1], upper[finer + 1 : finer + 2]


def _multiples(plan: Radians, first: int, blocks: int, places: int) -> Iterator[int]:
    """2/pi times what bit ``first`` of M is in each block, modulo 4; with so many places."""
    least = plan.least_field - plan.fmt.bias - plan.fmt.fraction_bits + first
    with gmpy2.context(precision=PRECISION + (1 << plan.fmt.exponent_bits)):
        for block in range(blocks):
            multiple = gmpy2.rint(gmpy2.exp2(least + BLOCK * block + 1 + places) / gmpy2.const_pi())
            yield int(multiple) % (4 << places)


def _folded(machine: Machine, fraction: tuple[Word, Word], odd: Word, plan: Radians) -> Word:
    """r: the fraction, or in odd quarters 1 less it, but for half of the last place of both."""
    number = machine.number(odd) * ((1 << plan.places) - 1)
    for word, place in zip(fraction, (0, len(fraction[0])), strict=True):
        turned = machine.number(word) - 2 * machine.number(machine.given(word, odd[0]))
        number = number + turned * (1 << place)
    return machine.digits(number, plan.places)


# --- polynomials --------------------------------------------------------------------------------


def _sine(machine: Machine, r: Word, plan: Radians) -> Form:
    """sin(r pi/2), in units of the last place."""
    size = plan.places - (ROWS - 1).bit_length()
    u = r[:size]
    steps = machine.comparators(machine.number(r[size:]), range(1, ROWS))
    tables = _tables(plan.places)
    product, most = 0, 0
    for k in range(DEGREE, 0, -1):
        sign = (-1) ** k
        most = max(tables[k]) + max(sign * most, 0)
        word = machine.digits(machine.table(steps, tables[k]) + sign * product, most.bit_length())
        product = _product(machine, u, word)
    return machine.table(steps, tables[0]) + product


def _product(machine: Machine, u: Word, word: Word) -> Form:
    """A fraction times a word, by groups of digits; what is cut off is added again, on average."""
    found, high = 0, len(u)
    while (low := max(high - GROUP, len(u) - len(word) + 1, 0)) < high:
        digits = u[low:high]
        halves = [1 << place >> 1 for place in range(high - low)]
        halves[0] = high // GROUP % 2
        found = found + machine.product(digits, word[len(u) - low :]) + machine.weighted(digits, halves)
        high = low
    return found


@lru_cache(maxsize=4)
def _tables(places: int) -> list[tuple[int, ...]]:
    """For each power of u its coefficients in all rows, in units of the last place; without signs."""
    return list(zip(*(_coefficients(row, places) for row in range(ROWS)), strict=True))


def _coefficients(row: int, places: int) -> Iterator[int]:
    """Those of the polynomial that is sin(r pi/2) at some places of a row, by divided differences.

    r is half of its last place more than its digits say.
    """
    with gmpy2.context(precision=PRECISION):
        half = gmpy2.exp2(-places - 1)
        angles = [gmpy2.const_pi() * (2 * k + 1) / (2 * DEGREE + 2) for k in range(DEGREE + 1)]
        nodes = [(1 - gmpy2.cos(angle)) / 2 for angle in angles]
        values = [gmpy2.sin(((row + u) / ROWS + half) * gmpy2.const_pi() / 2) for u in nodes]
        for order in range(1, DEGREE + 1):
            for k in range(DEGREE, order - 1, -1):
                values[k] = (values[k] - values[k - 1]) / (nodes[k] - nodes[k - order])
        found = [values[-1]]
        for value, node in zip(values[-2::-1], nodes[-2::-1], strict=True):
            # found * (u - node) + value
            found = [
                low - node * high for low, high in zip([value / 1, *found], [*found, 0], strict=True)
            ]
        for k, coefficient in enumerate(found):
            yield int(gmpy2.rint((-1) ** (k // 2) * coefficient * gmpy2.exp2(places)))
