"""Rows of polynomials for a function, by MPFR: see ``polynomials``.

    pieces   codes in which x and its result keep their exponents: there the result, as a real number of
             codes, is a smooth function of the code
    rows     from each place on as far as a Chebyshev series cut off after the degree does; or, if they
             reach further, constant results, or results that follow the code
    tuning   where results come near to a boundary of rounding the program is tried: c_0 is the middle of
             what is right for most of them; the other coefficients are varied in their last places until
             it is right for all. A row with more than one result wrong is cut in two if that helps
    rest     what is still wrong is an exception

A series of degree d + ``MORE`` in doubles tells which results come near: it is right to some 2^-28 of a
place, and where it is nearer to a boundary than ``UNSURE``, MPFR decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import lazy_loader
import numpy as np
from numpy.polynomial import chebyshev, polynomial
from numpy.typing import NDArray

from spikeproof.circuits.units.functions.polynomials import Polynomials, Shape, Stage, multiplied
from spikeproof.circuits.units.functions.targets import PARTS, Target
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

PRECISION = 96
"""Bits of values that series are made of."""

MORE = 3
"""By how much the degree of the series that tells which results are near is higher."""

UNSURE = 2.0**-24
"""What is nearer to a boundary, in places of the result, MPFR decides."""

MOST_ASKED = 1000
"""Of so many codes in a row, or fewer, MPFR decides each."""

CHUNK = 1 << 15


@dataclass(frozen=True)
class Plan:
    """What is chosen for a function: the fewer neurons, the better.

    Attributes:
        degree: of the polynomials, at most.
        places, fraction, group: see ``polynomials.Shape``; rows have at most 2^places codes.
        wrong: about how many results of a row may be wrong before it is tuned.
        scales: the power of two by which the product is multiplied in rows of at most 2^length codes,
            and that length.
        filled: rows of less than this part of a power of two have only half of it, so that coefficients
            of that power are not much larger than they need be.
    """

    degree: int
    places: int
    fraction: int
    group: int = 1
    wrong: float = 1.0
    scales: tuple[tuple[int, int], ...] = ()
    filled: float = 0.5


@dataclass(frozen=True)
class Row:
    """Codes from ``start`` to before ``end``.

    Attributes:
        base: what the result is at the start, cut off; what is added, if it follows the code.
        series: the result less the base, by Chebyshev polynomials on [start, end - 1]; None if the row
            has no polynomial.
        degree: of the polynomial.
        exponent: that of the result.
    """

    start: int
    end: int
    base: int
    follows: int = 0
    series: Reals | None = None
    degree: int = 0
    exponent: int = 0

    @property
    def size(self) -> int:
        """How many codes."""
        return self.end - self.start

    @property
    def error(self) -> float:
        """About how far the polynomial is from the series."""
        return 0.0 if self.series is None else float(np.abs(self.series[self.degree + 1 :]).sum())

    @property
    def length(self) -> int:
        """The power of two that is not less than its size."""
        return max((self.size - 1).bit_length(), 1)

    def coefficients(self, length: int, degree: int) -> Reals:
        """Of the polynomial in (code - start) / 2^length."""
        found = np.zeros(degree + 1)
        if self.series is None:
            return found
        along = [-1.0, 2.0 * 2.0**length / max(self.size - 1, 1)]
        value = np.zeros(1)
        for each in chebyshev.cheb2poly(self.series[: self.degree + 1])[::-1]:
            value = polynomial.polyadd(polynomial.polymul(value, along), [each])
        found[: self.degree + 1] = value[: self.degree + 1]
        return found


# --- rows ---------------------------------------------------------------------------------------


def _rows(target: Target, plan: Plan) -> list[Row]:
    """All codes, in rows as long as the plan allows."""
    found: list[Row] = []
    size = 1 << plan.places
    for start, end in target.pieces():
        kind = target.kind(start)
        while start < end:
            row = None
            if kind is not None and end - start > 1:
                row = _fitted(target, plan, start, min(end - start, 1 << plan.places), kind[0], size)
                size = row.size
            plain = _plain(target, start, end, row.size if row else 1)
            if plain is None:
                assert row is not None
                found.append(row)
            elif found and found[-1].series is None and _same(found[-1], plain):
                found[-1] = replace(found[-1], end=plain.end)
            else:
                found.append(plain)
            start = found[-1].end
    return found


def _same(row: Row, other: Row) -> bool:
    return (row.base, row.follows) == (other.base, other.follows)


def _plain(target: Target, start: int, end: int, least: int) -> Row | None:
    """A row of constant results, or such as follow the code, of at least so many codes."""
    codes = [start + (least - 1) * k // PARTS for k in range(PARTS + 1)]
    results = target.rounded(codes)
    for follows in (0, 1):
        base = results[0] - follows * start
        if any(each != base + follows * code for code, each in zip(codes, results, strict=True)):
            continue
        low, high = start + least - 1, end
        while high - low > 1:
            middle = (low + high) // 2
            if target.rounded([middle])[0] == base + follows * middle:
                low = middle
            else:
                high = middle
        return Row(start, high, base, follows)
    return None


def _fitted(target: Target, plan: Plan, start: int, most: int, exponent: int, guess: int) -> Row:
    """The longest row of which the polynomial is good enough, or nearly."""

    def tried(size: int) -> Row:
        base, series = target.series(start, size, exponent, plan.degree + MORE)
        return Row(start, start + size, base, 0, series, plan.degree, exponent)

    good, bad, size = tried(min(2, most)), most + 1, min(max(guess, 2), most)
    for _ in range(12):
        row = tried(size)
        enough = row.error * size <= plan.wrong
        good, bad = (row, bad) if enough else (good, size)
        ratio = (0.97 * plan.wrong / max(row.error * size, 1e-30)) ** (1 / (plan.degree + 2))
        size = min(max(int(size * min(max(ratio, 0.1), 4)), good.size + 1), bad - 1)
        if size <= 1.02 * good.size:
            break
    filled = 1 << good.length - 1
    if filled < good.size < plan.filled * 2 * filled:
        good = tried(filled)
    return _of_least_degree(good, plan)


def _of_least_degree(row: Row, plan: Plan) -> Row:
    degrees = (replace(row, degree=degree) for degree in range(1, plan.degree + 1))
    return next((each for each in degrees if each.error * row.size <= plan.wrong / 2), row)


# --- the shape ----------------------------------------------------------------------------------

VARIED = 3
"""By how many units coefficients are varied."""

SPARE = 64
"""Units by which words may be more or less than their polynomials."""

Spread = list[tuple[float, float]]


def _spread(row: Row, length: int, scale: int, degree: int) -> Spread:
    """What q_0 to q_d are at least and at most."""
    coefficients = row.coefficients(length, degree) / 2.0**scale
    most = (row.size - 1) / 2.0**length
    low = high = 0.0
    found = []
    for each in coefficients[::-1]:
        low, high = each + min(0.0, most * low), each + max(0.0, most * high)
        found.append((low, high))
    return found[::-1]


def _lengths(rows: list[Row], plan: Plan) -> tuple[list[int], list[int]]:
    """Of each row a power of two, of as few as words allow that are no wider for it; and a scale."""
    scales = [max((s for s, most in plan.scales if row.length <= most), default=0) for row in rows]
    lengths = [plan.places if row.series is None else row.length for row in rows]

    @cache
    def spread(place: int, length: int) -> Spread:
        return _spread(rows[place], length, scales[place], plan.degree)

    def spreads(lengths: list[int]) -> list[Spread]:
        return [spread(k, length) for k, length in enumerate(lengths) if rows[k].series is not None]

    bounds = np.abs(spreads(lengths)).max(axis=(0, 2)) * 1.02
    for length, longer in pairwise(sorted(set(lengths))):
        tried = [longer if each == length else each for each in lengths]
        if np.all(np.abs(spreads(tried)).max(axis=(0, 2))[1:] <= bounds[1:]):
            lengths = tried
    return lengths, scales


def _shape(target: Target, rows: list[Row], lengths: list[int], scales: list[int], plan: Plan) -> Shape:
    """Words as wide as any row needs."""
    fitted = [each for each in zip(rows, lengths, scales, strict=True) if each[0].series is not None]
    spreads = np.array([_spread(*each, plan.degree) for each in fitted]) * 2.0**plan.fraction
    longest = np.array([length for _, length, _ in fitted])
    stages = []
    for each in spreads[:, 1:].swapaxes(0, 1):
        low, high = each[:, 0].min(), each[:, 1].max()
        below, above = SPARE - int(min(low, 0)), SPARE + int(max(high, 0))
        width = (below + above).bit_length()
        even = max(k for k in range(width) if (_up(below, k) + above).bit_length() == width)
        digits = np.ceil(np.log2(np.maximum(np.abs(each).max(axis=1), 2.0)))
        places = int(np.minimum(digits, longest).max())
        stages.append(Stage(width, _up(below, even), min(places, plan.places)))
    return Shape(target.width, plan.places, plan.fraction, plan.group, tuple(stages))


def _up(number: int, place: int) -> int:
    return -(-number >> place) << place


# --- tuning -------------------------------------------------------------------------------------

TRIES = (32, 256)
"""How many variations of a row are tried, until none of its results is wrong."""


@dataclass(frozen=True)
class Tuned:
    """A row with its coefficients, and what is wrong there."""

    row: Row
    coefficients: tuple[int, ...]
    exceptions: dict[int, int]


@dataclass(frozen=True)
class Tuner:
    """Finds coefficients of rows, of a shape."""

    target: Target
    shape: Shape
    plan: Plan

    def tuned(self, row: Row, length: int, scale: int) -> list[Tuned]:
        """The row, or two or more that it is cut into."""
        whole = self._tuned(row, length, scale)
        if len(whole.exceptions) < 2 or row.size < 8:
            return [whole]
        parts = [found for half in self._halves(row) for found in self.tuned(half, length, scale)]
        cost = len(parts) + sum(len(each.exceptions) for each in parts)
        return parts if cost < 1 + len(whole.exceptions) else [whole]

    def _halves(self, row: Row) -> Iterator[Row]:
        middle = row.start + row.size // 2
        for start, end in ((row.start, middle), (middle, row.end)):
            degree = self.plan.degree
            base, series = self.target.series(start, end - start, row.exponent, degree + MORE)
            yield _of_least_degree(Row(start, end, base, 0, series, degree, row.exponent), self.plan)

    def _tuned(self, row: Row, length: int, scale: int) -> Tuned:
        """The row with the best of some coefficients."""
        shape, unit = self.shape, 1 << self.shape.fraction
        real = row.coefficients(length, self.plan.degree) * unit
        up = self.target.upward
        usual = np.rint(real / 2.0**scale).astype(np.int64)
        usual[1:] += [stage.offset for stage in shape.stages]
        c_0 = round(real[0] + up * unit)
        noise = 2.0**scale * self._noise
        codes, wanted = self._near(row, up, min(1.5 * row.error + noise / unit, 0.5))
        position = codes - row.start << shape.places - length
        fewest, best, off = len(codes) + 1, usual, np.zeros(len(codes), dtype=np.int64)
        for coefficients in self._variations(row.start, usual, real):
            sums = multiplied(shape, coefficients[1:, :, None], position[None, :]) << scale
            shape_of_all = coefficients.shape[1], len(codes)
            least = (wanted - row.base << shape.fraction) - np.broadcast_to(sums, shape_of_all)
            for each, bounds in zip(coefficients.T, least, strict=True):
                wrong, chosen = _most_right(bounds, unit, c_0, noise)
                if wrong < fewest:
                    fewest, best = wrong, np.array([chosen, *each[1:]])
                    off = 1 * (bounds > chosen) - (bounds + unit <= chosen)
                if not fewest:
                    break
            if not fewest:
                break
        best[0] += row.base << shape.fraction
        exceptions = {
            code: each for code, each in zip(codes.tolist(), off.tolist(), strict=True) if each
        }
        return Tuned(row, tuple(best.tolist()), exceptions)

    @property
    def _noise(self) -> float:
        """By how many units sums of rows of scale 0 may be off."""
        lost = sum(stage.places / 2 + 2 + VARIED for stage in self.shape.stages)
        return lost * 2.0 ** (self.shape.group - 1)

    def _variations(self, seed: int, usual: Integers, real: Reals) -> Iterator[Integers]:
        """The usual coefficients, and others: each time an array of shape (coefficients, tries)."""
        random = np.random.default_rng(seed)
        free = np.flatnonzero(real[1:]) + 1
        yield usual[:, None]
        for tries in TRIES:
            varied = np.repeat(usual[:, None], tries, axis=1)
            varied[free] += random.integers(-VARIED, VARIED + 1, (len(free), tries))
            yield varied

    def _near(self, row: Row, up: float, margin: float) -> tuple[Integers, Integers]:
        """Codes whose results come near to a boundary of rounding, and these results."""
        codes, results, places, unsure = [], [], [], []
        assert row.series is not None
        powers = chebyshev.cheb2poly(row.series)
        for first in range(0, row.size, CHUNK):
            within = np.arange(first, min(first + CHUNK, row.size))
            along = within * (2.0 / max(row.size - 1, 1)) - 1.0
            value = np.full(len(within), powers[-1])
            for each in powers[-2::-1]:
                value *= along
                value += each
            value += up
            cut = np.floor(value)
            away = np.abs(value - cut - 0.5)
            near = np.flatnonzero(away > 0.5 - margin)
            codes.append(within[near] + row.start)
            results.append(cut[near].astype(np.int64) + row.base)
            places.append(np.rint(value[near]).astype(np.int64) + row.base)
            unsure.append(away[near] > 0.5 - UNSURE)
        found, wanted, asked = map(np.concatenate, (codes, results, unsure))
        if asked.any():
            wanted[asked] = self._decided(found[asked], np.concatenate(places)[asked])
        return found, wanted

    def _decided(self, codes: Integers, places: Integers) -> Integers:
        """Results of codes that lie at these places, or at the ones before.

        Where there are many, as of x/2 if x is subnormal, and all of some are on one side, all are.
        """
        some = np.linspace(0, len(codes) - 1, min(len(codes), MOST_ASKED)).astype(np.int64)
        sides = self.target.rounded(codes[some]) - places[some]
        if len(some) == len(codes) or np.all(sides == sides[0]):
            decided: Integers = places + (sides if len(some) == len(codes) else sides[0])
            return decided
        return np.array(self.target.rounded(codes))


def _most_right(least: Integers, unit: int, usual: int, most: float) -> tuple[int, int]:
    """The number, near the usual one, that is from ``least`` to ``unit`` - 1 more for most.

    Returns:
        For how many it does not, and the number.
    """
    starts = np.sort(least)
    ends = starts + unit
    places = np.unique(np.concatenate((starts, ends, [usual, usual - round(most)])))
    places = places[np.abs(places - usual) <= most]
    right = np.searchsorted(starts, places, "right") - np.searchsorted(ends, places, "right")
    lasts = np.append(places[1:] - 1, usual + round(most))
    good = right == right.max()
    nearest = np.clip(usual, places[good], lasts[good])
    chosen = nearest[np.argmin(np.abs(nearest - usual))]
    return len(least) - int(right.max()), int(chosen)


# --- all of it ----------------------------------------------------------------------------------


def fitted(
    function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, plan: Plan
) -> Polynomials:
    """The rows of a function."""
    return fitted_to(Target(function, fmt, mode, policy), plan)


Tuning = Iterator[tuple[Tuned, int, int]]
"""Rows, each with its length and scale."""


def tuned_rows(
    target: Target, plan: Plan, first: int = 0, last: int | None = None
) -> tuple[Shape, Tuning]:
    """The shape of a target's rows, and these, or those that begin at some codes, as they are found."""
    shape, rows = _shaped(target, plan)
    end = 1 << target.width if last is None else last + 1
    wanted = [each for each in rows if first <= each[0].start < end]
    return shape, _tuned_rows(Tuner(target, shape, plan), wanted)


@lru_cache(1)
def _shaped(target: Target, plan: Plan) -> tuple[Shape, list[tuple[Row, int, int]]]:
    """The shape of a target's rows, and these, each with its length and scale."""
    with gmpy2.context(precision=PRECISION):
        rows = _rows(target, plan)
        lengths, scales = _lengths(rows, plan)
        shape = _shape(target, rows, lengths, scales, plan)
    return shape, list(zip(rows, lengths, scales, strict=True))


def _tuned_rows(tuner: Tuner, wanted: list[tuple[Row, int, int]]) -> Tuning:
    shape = tuner.shape
    for row, length, scale in wanted:
        if row.series is None:
            middle = (row.base << shape.fraction) + (1 << shape.fraction - 1)
            offsets = (stage.offset for stage in shape.stages)
            yield Tuned(row, (middle, *offsets), {}), length, scale
        else:
            with gmpy2.context(precision=PRECISION):
                found = tuner.tuned(row, length, scale)
            yield from ((each, length, scale) for each in found)


def fitted_to(target: Target, plan: Plan) -> Polynomials:
    """The rows of a target."""
    shape, tuning = tuned_rows(target, plan)
    found = list(tuning)
    exceptions: dict[int, int] = {}
    for each, _, _ in found:
        exceptions |= each.exceptions
    return Polynomials(
        shape,
        tuple(each.row.start for each, _, _ in found),
        tuple(length for _, length, _ in found),
        tuple(scale for _, _, scale in found),
        tuple(each.row.follows for each, _, _ in found),
        tuple(zip(*(each.coefficients for each, _, _ in found), strict=True)),
        exceptions,
    )
