"""Operands of units, all of them or drawn by class, and what the spec of record makes of them."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs import exact
from spikeproof.specs.formats import ARITY, OPERANDS, Format, OverflowPolicy, RoundingMode

Codes = NDArray[np.uint64]

ENUMERATED_BITS = 18
"""Operands of up to so many bits together are enumerated; that is all pairs of 8 bits, triples of 6."""

SAMPLE = 1 << 14
"""Cases drawn by class where there are too many to enumerate."""


@cache
def all_pairs(fmt: Format) -> tuple[Codes, Codes]:
    """Both operands of every pair of codes, the first operand varying slowest."""
    x, y = _all_codes(fmt, 2)
    return x, y


def _all_codes(fmt: Format, count: int) -> list[Codes]:
    total = np.arange(1 << count * fmt.width, dtype=np.uint64)
    mask = np.uint64((1 << fmt.width) - 1)
    return [total >> np.uint64(fmt.width * place) & mask for place in reversed(range(count))]


@cache
def operands(fmt: Format, operation: str) -> dict[str, Codes]:
    """Operands of an operation by name: every combination, or a sample if there are too many."""
    count = ARITY[operation]
    enumerated = count * fmt.width <= ENUMERATED_BITS
    codes = _all_codes(fmt, count) if enumerated else many_codes(fmt, SAMPLE, seed=1, operands=count)
    return dict(zip(OPERANDS, codes, strict=False))


@cache
def _numbers(fmt: Format) -> dict[exact.Value, int]:
    """A number for every exact result that was met; sums and differences have them in common."""
    return {}


@cache
def _exact_results(fmt: Format, operation: str, mode: RoundingMode) -> NDArray[np.intp]:
    """For each combination of operands the number of its exact result."""
    values = {code: exact.decode(fmt, code) for code in range(1 << fmt.width)}
    numbers, function = _numbers(fmt), exact.EXACT_OPERATIONS[operation]
    which = [
        numbers.setdefault(function(mode, *(values[code] for code in codes)), len(numbers))
        for codes in zip(*(c.tolist() for c in operands(fmt, operation).values()), strict=True)
    ]
    return np.array(which)


@cache
def _rounded(fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> list[int]:
    """The codes that exact results round to, by their numbers, as far as they were needed."""
    return []


def expected_results(fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy) -> Codes:
    """The result code for all ``operands``, by the spec of record."""
    # The exact result depends on the mode only through the sign of zero, which rounding down alone
    # makes negative: two tables serve the six modes.
    representative = mode if mode is RoundingMode.DOWN else RoundingMode.NEAREST_EVEN
    which = _exact_results(fmt, operation, representative)
    rounded = _rounded(fmt, mode, policy)
    rounded.extend(
        exact.round_to(fmt, mode, policy, value) for value in islice(_numbers(fmt), len(rounded), None)
    )
    return np.array(rounded, dtype=np.uint64)[which]


@cache
def expected_flags(fmt: Format, operation: str, mode: RoundingMode) -> NDArray[np.uint8]:
    """The flags for all ``operands``, by the spec of record.

    They depend on the exact result and on the kinds of the operands alone, so that one combination
    stands for all that have these in common.
    """
    kinds = [exact.decode(fmt, code).kind for code in range(1 << fmt.width)]
    number = np.array([list(exact.Kind).index(kind) for kind in kinds], dtype=np.uint64)
    which = _exact_results(fmt, operation, RoundingMode.NEAREST_EVEN)
    given = list(operands(fmt, operation).values())
    key = which.astype(np.uint64)
    for codes in given:
        key = key * np.uint64(len(exact.Kind)) + number[codes.astype(np.intp)]
    _, first, where = np.unique(key, return_index=True, return_inverse=True)
    flags = [exact.flags(operation, fmt, mode, *(int(codes[i]) for codes in given)) for i in first]
    return np.array(flags, dtype=np.uint8)[where]


def first_difference(
    fmt: Format, actual: NDArray[Any], expected: NDArray[Any], operation: str = "add"
) -> str | None:
    """The first operands on which two tables differ, in words; None if they agree."""
    differing = np.flatnonzero(actual != expected)
    if not len(differing):
        return None
    index = differing[0]
    given = ", ".join(f"{name} = {codes[index]:#x}" for name, codes in operands(fmt, operation).items())
    return (
        f"{len(differing)} cases differ, first {given}: "
        f"{actual[index]:#x}, should be {expected[index]:#x}"
    )
