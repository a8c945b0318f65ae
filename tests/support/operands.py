"""Operands of units, all of them or drawn by class, and what the spec of record makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs import exact
from spikeproof.specs.formats import (
    ARITY,
    FP8_E4M3FN,
    FP8_E5M2,
    FP32,
    FP64,
    OPERANDS,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.profile import NIGHTLY
from tests.support.shared import shared

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


def modes_of(fmt: Format, operation: str) -> list[RoundingMode]:
    """All for the formats that others are variants of; for each other every third one, by turns."""
    if NIGHTLY or fmt in (FP8_E4M3FN, FP8_E5M2):
        return list(RoundingMode)
    turn = SMALL_FORMATS.index(fmt) + list(ARITY).index(operation)
    return list(RoundingMode)[turn % 3 :: 3]


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


@shared
def _exact_results(fmt: Format, operation: str, mode: RoundingMode) -> tuple[list[exact.Value], Codes]:
    """The exact results that occur, and which of them it is for each combination of operands.

    They depend on the mode only through the sign of zero, which rounding down alone makes negative: two
    tables serve the six modes, and the second differs from the first in zeros alone.
    """
    function = exact.EXACT_OPERATIONS[operation]
    operand = [exact.decode(fmt, code) for code in range(1 << fmt.width)]
    cases = np.column_stack(list(operands(fmt, operation).values()))
    numbers: dict[exact.Value, int] = {}
    if mode is RoundingMode.DOWN:
        usual, which = _exact_results(fmt, operation, RoundingMode.NEAREST_EVEN)
        numbers = {value: number for number, value in enumerate(usual)}
        zeros = [number for number, value in enumerate(usual) if value.is_zero]
        computed, which = np.flatnonzero(np.isin(which, zeros)), which.copy()
    else:
        computed, which = np.arange(len(cases)), np.empty(len(cases), dtype=np.uint64)
    which[computed] = [
        numbers.setdefault(function(mode, *(operand[code] for code in case)), len(numbers))
        for case in cases[computed].tolist()
    ]
    return list(numbers), which


def _with_zeros_of(mode: RoundingMode) -> RoundingMode:
    return mode if mode is RoundingMode.DOWN else RoundingMode.NEAREST_EVEN


@shared
def expected_results(fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy) -> Codes:
    """The result code for all ``operands``, by the spec of record."""
    values, which = _exact_results(fmt, operation, _with_zeros_of(mode))
    rounded = _rounding(fmt, mode, policy)
    return np.fromiter(map(rounded, values), np.uint64, len(values))[which]


@cache
def _rounding(fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Callable[[exact.Value], int]:
    """What an exact result rounds to, each of them once: operations have many in common."""
    return cache(partial(exact.round_to, fmt, mode, policy))


@shared
def expected_flags(fmt: Format, operation: str, mode: RoundingMode) -> NDArray[np.uint8]:
    """The flags for all ``operands``, by the spec of record.

    They depend on the exact result and on the kinds of the operands alone, so that one combination
    stands for all that have these in common.
    """
    kinds = [exact.decode(fmt, code).kind for code in range(1 << fmt.width)]
    number = np.array([list(exact.Kind).index(kind) for kind in kinds], dtype=np.uint64)
    _, key = _exact_results(fmt, operation, RoundingMode.NEAREST_EVEN)
    given = list(operands(fmt, operation).values())
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


WIDE = FP64 if NIGHTLY else FP32
"""Of functions whose FP64 circuit takes long to build: by default FP32's, of shorter words."""


def hard_codes(numbers: Iterable[float]) -> Codes:
    """The codes of FP64, or of the nearest numbers of FP32 and those next to them."""
    doubles = np.array(tuple(numbers))
    if WIDE is FP64:
        return doubles.view(np.uint64)
    with np.errstate(over="ignore"):
        nearest = doubles.astype(np.float32).view(np.uint32)
    return np.unique([nearest - 1, nearest, nearest + 1]).astype(np.uint64)
