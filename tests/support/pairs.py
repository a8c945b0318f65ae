"""Every pair of codes of a small format, and what the spec of record makes of it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from specs import exact
from specs.formats import Format, OverflowPolicy, RoundingMode


@cache
def all_pairs(fmt: Format) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Both operands of every pair of codes, the first operand varying slowest."""
    count = 1 << fmt.width
    codes = np.arange(count * count, dtype=np.uint64)
    return codes // np.uint64(count), codes % np.uint64(count)


@cache
def _distinct_results(
    fmt: Format, operation: str, mode: RoundingMode
) -> tuple[list[exact.Value], NDArray[np.intp]]:
    """The distinct exact results over all pairs, and for each pair which one it has."""
    values = [exact.decode(fmt, code) for code in range(1 << fmt.width)]
    number: dict[exact.Value, int] = {}
    function = exact.EXACT_OPERATIONS[operation]
    which = [number.setdefault(function(mode, x, y), len(number)) for x in values for y in values]
    return list(number), np.array(which)


def expected_results(
    fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy
) -> NDArray[np.uint64]:
    """The result code of every pair, by the spec of record."""
    # The exact result depends on the mode only through the sign of zero, which rounding down alone
    # makes negative: two tables serve the six modes.
    representative = mode if mode is RoundingMode.DOWN else RoundingMode.NEAREST_EVEN
    distinct, which = _distinct_results(fmt, operation, representative)
    rounded = [exact.round_to(fmt, mode, policy, value) for value in distinct]
    return np.array(rounded, dtype=np.uint64)[which]


def first_difference(
    fmt: Format, actual: NDArray[np.uint64], expected: NDArray[np.uint64]
) -> str | None:
    """The first pair on which two tables differ, in words; None if they agree."""
    differing = np.flatnonzero(actual != expected)
    if not len(differing):
        return None
    x, y = all_pairs(fmt)
    index = differing[0]
    return (
        f"{len(differing)} pairs differ, first x = {x[index]:#x}, y = {y[index]:#x}: "
        f"{actual[index]:#x}, should be {expected[index]:#x}"
    )
