"""Where a monotone function of a wide format has constant results: beyond its range, and near 0."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spikeproof.circuits.units.functions.values import results_at
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode


@dataclass(frozen=True)
class Regions:
    """All codes in order, cut where constant results begin or end.

    Attributes:
        starts: the first code of each region but the first.
        results: of each region the result of its first code, and whether results are not constant there.
        largest_field: the largest exponent field of codes of such a region.
    """

    starts: tuple[int, ...]
    results: tuple[tuple[int, bool], ...]
    largest_field: int

    @property
    def ordinary(self) -> tuple[int, ...]:
        """Of each region, 1 if its results are not constant."""
        return tuple(int(ordinary) for _, ordinary in self.results)

    def spans(self, fmt: Format) -> list[tuple[int, int]]:
        """The first code of each region where results are not constant, and that of the next region."""
        bounds = pairwise((0, *self.starts, 2 * fmt.sign_mask))
        return [span for span, ordinary in zip(bounds, self.ordinary, strict=True) if ordinary]


def regions_of(
    function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, least: int
) -> Regions:
    """The regions of a function that is monotone on either side of 0.

    Args:
        least: a magnitude code below which results are constant but for 0.

    Raises:
        ValueError: if they are not.
    """

    def result(code: int) -> int:
        return int(results_at(function, fmt, mode, policy, np.array([code]))[0])

    found: list[tuple[int, int, bool]] = []
    largest = 0
    for sign in (0, fmt.sign_mask):
        if result(sign + 1) != result(sign + least - 1):
            raise ValueError(f"{function} in {fmt.name}: results of tiny numbers are not constant")
        last = fmt.largest_finite
        low, high = least, last
        while low < high:
            middle = (low + high) // 2
            if result(sign + middle) == result(sign + last):
                high = middle
            else:
                low = middle + 1
        largest = max(largest, low - 1 >> fmt.fraction_bits)
        starts = {sign + start for start in (0, 1, low, last + 1, last + 2) if start < fmt.sign_mask}
        found += [(start, result(start), False) for start in starts]
        found.append((sign + least, 0, True))
    merged: list[tuple[int, int, bool]] = []
    for start, code, ordinary in sorted(found):
        if not merged or (code, ordinary) != merged[-1][1:]:
            merged.append((start, code, ordinary))
    return Regions(
        tuple(start for start, _, _ in merged[1:]),
        tuple((code, ordinary) for _, code, ordinary in merged),
        largest,
    )
