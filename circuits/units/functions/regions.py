"""All codes of a wide format cut into regions: where a function has constant results, and where not."""

from __future__ import annotations

from collections.abc import Iterable
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
        results: of each region the result, or None if it is not constant.
    """

    starts: tuple[int, ...]
    results: tuple[int | None, ...]

    @classmethod
    def of_magnitudes(
        cls, fmt: Format, starts: tuple[int, ...], results: tuple[int | None, ...]
    ) -> Regions:
        """The same regions of either sign."""
        return cls((*starts, fmt.sign_mask, *(fmt.sign_mask + start for start in starts)), results * 2)

    @property
    def free(self) -> list[int]:
        """Of each region, 1 if its results are not constant."""
        return [int(result is None) for result in self.results]

    def spans(self, fmt: Format) -> list[tuple[int, int]]:
        """The first code of each region where results are not constant, and that of the next region."""
        bounds = pairwise((0, *self.starts, 2 * fmt.sign_mask))
        return [span for span, result in zip(bounds, self.results, strict=True) if result is None]


def regions_at(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    constant: Iterable[int],
    free: Iterable[int],
) -> Regions:
    """The regions of a function.

    Args:
        constant, free: the first codes of regions where it is constant, and where it is not; 0 is one.
    """
    codes = np.array(sorted(constant))
    results = results_at(function, fmt, mode, policy, codes).tolist()
    starts: dict[int, int | None] = dict(zip(codes.tolist(), results, strict=True))
    starts.update(dict.fromkeys(free))
    kept = [(0, starts[0])]
    for start in sorted(starts)[1:]:
        if starts[start] != kept[-1][1]:
            kept.append((start, starts[start]))
    return Regions(tuple(start for start, _ in kept[1:]), tuple(result for _, result in kept))


def monotone_regions(
    function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, least: int
) -> Regions:
    """The regions of a function that is monotone on either side of 0, and constant far from it.

    Args:
        least: a magnitude code below which results are constant but for 0.

    Raises:
        ValueError: if they are not.
    """

    def result(code: int) -> int:
        return int(results_at(function, fmt, mode, policy, np.array([code]))[0])

    constant: list[int] = []
    for sign in (0, fmt.sign_mask):
        if result(sign + 1) != result(sign + least - 1):
            raise ValueError(f"{function} in {fmt.name}: results of tiny numbers are not constant")
        low, high = least, fmt.largest_finite
        while low < high:
            middle = (low + high) // 2
            if result(sign + middle) == result(sign + fmt.largest_finite):
                high = middle
            else:
                low = middle + 1
        beyond = range(fmt.largest_finite + 1, min(fmt.largest_finite + 3, fmt.sign_mask))
        constant += [sign + start for start in (0, 1, low, *beyond)]
    return regions_at(function, fmt, mode, policy, constant, (least, fmt.sign_mask + least))
