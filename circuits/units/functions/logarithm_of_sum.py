"""log1p of wide formats: 1 + x is exact, one factor brings it near 1, and what is left is a product.

    1  Y   (1 + x) / 2^n, from 1/2 to 2: the significand of x, moved to where its exponent says, is added
           to 1; or 2^-n to it, if x is 1 or more. Where x is near -1, what is left of 1 is moved up
    2  z   c Y - 1, for a factor c of few places: at most 2^-h, and little more. Of small x, below 2^-h,
           c is 1, and z is x
    3  t   of log(1 + z) = z (1 - t): z/2 - z^2/3 + .., in each of equal rows of z a polynomial of u,
           where in the row z is
    4  L   n ln(2) - ln(c) + z (1 - t), without its sign. But of small x the significand times 1 - t, and
           the exponent of x is added to the code: so small results have all of their places
    5      half of the last place is added, where the leading one is, and the sum is shifted there

Below numbers so small that x^2/2 is few last places of x, the result is x, or these less: comparators
have where that changes. What is lost makes some results wrong, by one in the last place: ``exceptions``
has these, found by trying all inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import chain, pairwise
from typing import Any

import lazy_loader
import numpy as np

from spikeproof.circuits.units.functions.mended import PRECISION, Found, Plan, rounded
from spikeproof.circuits.units.functions.targets import Target
from spikeproof.circuits.units.functions.values import results_at
from spikeproof.circuits.units.functions.words import STEP, Form, Machine, Word, cut_product, powers_of

gmpy2: Any = lazy_loader.load("gmpy2")

OVER = 4
"""z is at most 2^-h and so many places less of it."""

TINY = 3
"""Of how many places x^2/2 is beside x, where comparators cease to tell it."""

LOST = 4
"""Units of the last place that are cut off, on average, and not yet added again."""


@dataclass(frozen=True)
class Piece:
    """Codes from one on.

    Attributes:
        start: the first.
        kind: ``constant``, of the result; ``tiny``, of x, where the result follows it; ``small``;
            ``large``; ``near`` -1.
        constant: the result, or what it is more than x; without its sign.
        negative: whether the result is.
    """

    start: int
    kind: str
    constant: int = 0
    negative: bool = False

    @property
    def free(self) -> bool:
        """Whether the program finds the result."""
        return self.kind in ("small", "near", "large")

    @property
    def turned(self) -> bool:
        """Whether it finds a negative logarithm."""
        return self.negative and self.kind in ("near", "large")


@dataclass(frozen=True)
class LogarithmOfSum(Plan):
    """``log1p``.

    Raises:
        ValueError: if there is no infinity, or the format has few exponents or digits.
    """

    def __post_init__(self) -> None:
        fmt = self.fmt
        if not fmt.has_infinity or fmt.fraction_bits < 8 or fmt.bias < fmt.fraction_bits:
            raise ValueError(
                f"format {fmt.name} has too few exponents or digits, or no infinity, "
                f"for {self.function} by factors"
            )

    @property
    def factor_places(self) -> int:
        """h, those of factors."""
        return (self.fmt.fraction_bits + 5) // 4

    @property
    def sum_places(self) -> int:
        """Those of Y: where they end, comparators tell small results."""
        return 2 * self.fmt.fraction_bits - 1

    @property
    def places(self) -> int:
        """Those of z: all that the product has."""
        return self.sum_places + self.factor_places

    @property
    def slope_places(self) -> int:
        """Those of t."""
        return self.sum_places + 1

    @property
    def row_places(self) -> int:
        """Of z, that tell the row: so many that polynomials of degree 2 do."""
        return (self.slope_places - 7) // 3

    @property
    def most(self) -> int:
        """What z is less than, in units of the last place; with it z is not negative."""
        return (1 << self.sum_places) + (1 << self.sum_places - OVER)

    @property
    def most_slope(self) -> int:
        """What -t is less than, likewise."""
        return (1 << self.sum_places - self.factor_places) * ((1 << OVER - 2) + 1) >> OVER - 2

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where the program finds the result."""
        ends = [*(piece.start for piece in self.pieces[1:]), 2 * self.fmt.sign_mask]
        pairs = zip(self.pieces, ends, strict=True)
        return [(piece.start, end) for piece, end in pairs if piece.free]

    @cached_property
    def pieces(self) -> list[Piece]:
        """All codes."""
        fmt, sign = self.fmt, self.fmt.sign_mask
        below = (fmt.fraction_bits - TINY, self.factor_places, 1, 0)
        tiny, small, half, one = (fmt.bias - places << fmt.fraction_bits for places in below)
        return [
            *self._constants(range(1)),
            *self._tiny(0, tiny),
            Piece(tiny, "small"),
            Piece(small, "large"),
            *self._constants(range(fmt.infinity, fmt.infinity + 2)),
            *self._constants(range(sign, sign + 1)),
            *self._tiny(sign, sign + tiny),
            Piece(sign + tiny, "small", negative=True),
            Piece(sign + small, "large", negative=True),
            Piece(sign + half + 1, "near", negative=True),
            *self._constants(range(sign + one - 1, sign + one + 2)),
        ]

    def _constants(self, codes: range) -> Iterator[Piece]:
        given = self.function, self.fmt, self.mode, self.policy, np.array(codes)
        for code, result in zip(codes, results_at(*given).tolist(), strict=True):
            negative, magnitude = divmod(result, self.fmt.sign_mask)
            yield Piece(code, "constant", magnitude, bool(negative))

    def _tiny(self, zero: int, end: int) -> list[Piece]:
        """From next to a zero to before ``end``.

        Where exponents stay what they are, results leave x in one direction.
        """
        target = Target(self.function, self.fmt, self.simplest.mode, self.policy)

        @cache
        def more(code: int) -> int:
            return target.rounded([code])[0] - code

        def changes(first: int, last: int) -> Iterator[int]:
            if more(first) == more(last):
                yield first
            else:
                middle = (first + last) // 2
                yield from changes(first, middle)
                yield from changes(middle + 1, last)

        inside = ((start, last) for start, last in target.pieces() if zero <= start < end)
        found = (changes(max(start, zero + 1), last - 1) for start, last in inside)
        starts = [*chain.from_iterable(found)]
        changed = (after for before, after in pairwise(starts) if more(before) != more(after))
        return [Piece(start, "tiny", more(start), zero > 0) for start in (starts[0], *changed)]

    @cached_property
    def factors(self) -> list[tuple[int, int]]:
        """From which Y on, in units of 2^-(h + OVER), a factor is taken; and that, without its point."""
        h = self.factor_places
        one, near = 1 << h + OVER, 1 << OVER
        found, factor = [], 0
        for place in range(one // 2, 2 * one):
            if one - near <= place < one + near:
                chosen = 1 << h
            elif factor * (place + 1) > one + near + 1 << h or place in (one // 2, one + near):
                chosen = -(-(one - near - 1 << h) // place)
            if chosen != factor:
                factor = chosen
                found.append((place, factor))
        return found

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt, pieces = self.fmt, self.pieces
        f, magnitude = fmt.fraction_bits, x[: fmt.magnitude_bits]
        which = machine.comparators(machine.number(x), [piece.start for piece in pieces[1:]])

        def bit(chosen: Callable[[Piece], bool]) -> Form:
            return machine.digits(machine.table(which, [int(chosen(piece)) for piece in pieces]), 1)[0]

        small, near = bit(lambda piece: piece.kind == "small"), bit(lambda piece: piece.kind == "near")
        less = bit(lambda piece: piece.negative and piece.kind in ("small", "large"))
        significand, by = _significand(machine, magnitude, near, self)
        y = _sum(machine, magnitude[f:], _moved(machine, significand, by, self), near, less, self)
        z, logarithm = _near_one(machine, y, self)
        logarithm = logarithm + _power(machine, magnitude[f:], by, near, self)
        logarithm = logarithm + _product(machine, z, significand, small, self)
        size, turned = self.places + fmt.bias.bit_length(), bit(lambda piece: piece.turned)
        least = self.places + fmt.precision.bit_length()  # -2^least is less than the logarithm
        word = machine.digits(logarithm + turned * (1 << least), size)
        back = machine.number(machine.given(word[:least], turned))
        never = machine.table(which, [0 if piece.free else -1 << size for piece in pieces])
        absolute = machine.number(word) - back * 2 + turned * (1 << least) + never
        total, code, lost = rounded(machine, absolute, self, self.sum_places - 2, size)
        fraction = machine.given(magnitude[:f], bit(lambda piece: piece.kind == "tiny"))
        field = machine.given(magnitude[f:], bit(lambda piece: piece.kind in ("tiny", "small")))
        lowest = fmt.bias - self.factor_places - 1 << f
        constants = [piece.constant - lowest * (piece.kind == "small") for piece in pieces]
        code = code + machine.number(fraction) + machine.number(field) * (1 << f)
        return Found(
            code + machine.table(which, constants),
            total,
            lost,
            inexact=bit(lambda piece: piece.kind != "constant"),
            negative=bit(lambda piece: piece.negative),
        )


# --- reduction ----------------------------------------------------------------------------------


def _significand(
    machine: Machine, magnitude: Word, near: Form, plan: LogarithmOfSum
) -> tuple[Word, Word]:
    """That of x, and by how many places it is moved down; near -1, of twice what is left of 1."""
    fmt, f = plan.fmt, plan.fmt.fraction_bits
    less = machine.number(machine.given(magnitude[:f], near))
    word = machine.digits(machine.number(magnitude[:f]) + (1 << f) - less * 3 + near * (1 << f), f + 1)
    of_near = machine.number(word) - (2 << f) + near * (2 << f)
    count = machine.table(machine.comparators(of_near, [1 << k for k in range(3, f + 1)]), range(f - 1))
    field = machine.number(magnitude[f:])
    return word, machine.digits(fmt.bias - 1 - field + count, (f - 2).bit_length())


def _moved(machine: Machine, word: Word, by: Word, plan: LogarithmOfSum) -> Word:
    """Moved up by f - 2 places, less ``by``."""
    most = plan.fmt.fraction_bits - 2
    few, fours = powers_of(machine, by, most + 1, STEP)
    partly = machine.digits(_raised(machine, [word] * STEP, few, STEP - 1, 1), len(word) + STEP - 1)
    moved = _raised(machine, [partly] * len(fours), fours, most + 1 - STEP, STEP)
    return machine.digits(moved, plan.sum_places)


def _raised(machine: Machine, words: Sequence[Word], which: Word, most: int, step: int) -> Form:
    """words[k] 2^(most - step k), for the k of which the bit is 1."""
    found: Form = 0
    for k, word in enumerate(words):
        up = most - step * k
        found = found + machine.number(machine.given(word[max(-up, 0) :], which[k])) * (1 << max(up, 0))
    return found


def _sum(
    machine: Machine, field: Word, moved: Word, near: Form, less: Form, plan: LogarithmOfSum
) -> Word:
    """Y."""
    places, f = plan.sum_places, plan.fmt.fraction_bits
    steps = machine.comparators(machine.number(field), [plan.fmt.bias + k for k in range(places + 1)])
    one = machine.table(steps, [*(1 << place for place in range(places, -1, -1)), 0])
    found = machine.number(moved) + one - near * (1 << places)
    found = found - machine.number(machine.given(moved, less)) * 2
    of_near = machine.number(machine.given(moved[: f + 1], near))
    return machine.digits(found + of_near * ((1 << f - 2) - 1), places + 1)


def _power(machine: Machine, field: Word, by: Word, near: Form, plan: LogarithmOfSum) -> Form:
    """n ln(2)"""
    fmt = plan.fmt
    above = machine.digits(machine.number(field) - fmt.bias + 1, fmt.exponent_bits)
    below = machine.given(by, near)
    with gmpy2.context(precision=PRECISION):
        ln2 = gmpy2.const_log2()
        powers = [[plan.constant(ln2, k) for k in range(len(word))] for word in (above, below)]
        least = plan.constant((1 - fmt.fraction_bits) * ln2)
    return machine.weighted(above, powers[0]) + machine.weighted(below, powers[1]) + near * least


def _near_one(machine: Machine, y: Word, plan: LogarithmOfSum) -> tuple[Word, Form]:
    """z and ``most`` more, and -ln(c)."""
    starts, factors = zip(*plan.factors, strict=True)
    h = plan.factor_places
    steps = machine.comparators(machine.number(y[plan.sum_places - h - OVER :]), starts[1:])
    factor = machine.digits(machine.table(steps, factors), max(factors).bit_length())
    with gmpy2.context(precision=PRECISION):
        logarithms = [-plan.constant(gmpy2.log(gmpy2.mpfr(each) / (1 << h))) for each in factors]
    z = machine.product(factor, y) - (1 << plan.places) + plan.most
    return machine.digits(z, (2 * plan.most - 1).bit_length()), machine.table(steps, logarithms)


# --- the rest -----------------------------------------------------------------------------------


def _product(machine: Machine, z: Word, significand: Word, small: Form, plan: LogarithmOfSum) -> Form:
    """z (1 - t); of small x, the significand in place of z, less than 2^-h."""
    h, slope = plan.factor_places, _slope(machine, z, plan)
    up = plan.sum_places - 1 - plan.fmt.fraction_bits
    instead = machine.number(machine.given(significand, small)) * (1 << up)
    factor = machine.number(z) + instead - machine.number(machine.given(z, small))
    word = machine.digits(factor, len(z))
    found = machine.number(word) + _and_less(machine, word, h + 1, OVER - 2)
    found = found - cut_product(machine, slope, word, plan.slope_places)
    of_most = _and_less(machine, machine.given(slope, 1 - small), 1, OVER)
    most = plan.most + (plan.most * plan.most_slope >> plan.slope_places)
    return found + of_most + small * most - most + LOST


def _and_less(machine: Machine, word: Word, down: int, more: int) -> Form:
    """The word moved down, and moved down by more places."""
    return machine.number(word[down:]) + machine.number(word[down + more :])


def _slope(machine: Machine, z: Word, plan: LogarithmOfSum) -> Word:
    """t and ``most_slope`` more."""
    places, tell = plan.slope_places, plan.row_places
    u, rows = z[plan.places - places - 1 : plan.places - tell], z[plan.places - tell :]
    with gmpy2.context(precision=PRECISION):
        values, slopes, bends = zip(*_rows(plan), strict=True)
        most, least = max(slopes), min(bends)
        constants = [_units(value, places) + plan.most_slope for value in values]
        falls = [_units(most - slope, places + 1 - tell) for slope in slopes]
        curved = [_units(bend - least, places + 1 - 2 * tell) for bend in bends]
        steep = [_units(most, k - 1) for k in range(len(u))]
        bent = [_units(least, k - tell) for k in range(len(u))]
    steps = machine.comparators(machine.number(rows), range(1, len(values)))
    bend = machine.digits(machine.table(steps, curved), max(curved).bit_length())
    fall = machine.table(steps, falls) + machine.weighted(u, bent)
    fall = fall + cut_product(machine, bend, u, places + 1 - tell)
    word = machine.digits(fall, (max(falls) + sum(bent)).bit_length())
    slope = machine.table(steps, constants) + machine.weighted(u, steep)
    slope = slope - cut_product(machine, word, u, places + 2 - tell)
    return machine.digits(slope, (constants[-1] + sum(steep)).bit_length())


def _units(number: Any, place: int) -> int:
    return int(gmpy2.rint(number * gmpy2.exp2(place)))


@lru_cache(maxsize=4)
def _rows(plan: LogarithmOfSum) -> list[tuple[Any, Any, Any]]:
    """Of each row of z the polynomial a + b u - c u^2 that is t at three places of it."""
    with gmpy2.context(precision=PRECISION):
        size, first = gmpy2.exp2(-plan.row_places), gmpy2.exp2(-plan.places) * plan.most
        angle = gmpy2.const_pi() / 6
        nodes = [size * (1 - gmpy2.cos(k * angle)) / 2 for k in (1, 3, 5)]
        count = (2 * plan.most - 1 >> plan.places - plan.row_places) + 1
        return [_parabola(nodes, row * size - first) for row in range(count)]


def _parabola(nodes: list[Any], start: Any) -> tuple[Any, Any, Any]:
    """By divided differences."""
    values = [1 - gmpy2.log1p(start + u) / (start + u) for u in nodes]
    first, second = (
        (after - before) / (end - begin)
        for (begin, end), (before, after) in zip(pairwise(nodes), pairwise(values), strict=True)
    )
    third = (second - first) / (nodes[2] - nodes[0])
    slope = first - third * (nodes[0] + nodes[1])
    return values[0] - nodes[0] * (first - third * nodes[1]), slope, -third
