"""How far libraries' functions are from the correctly rounded one, to nearest even, on every input.

What is right the spec of record says, in blocks where inputs lie close together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.running.callables import Codes, OnCodes
from spikeproof.specs import functions
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

CHUNK = 1 << 20
"""Codes at a time."""

FEW = 256
"""So many inputs, or fewer, of a chunk are computed one by one: that is quicker than all of it."""

WITNESSES = 3

NEAREST = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


@dataclass(frozen=True)
class Witness:
    """An input on which the result is not the correctly rounded one, as codes.

    Attributes:
        ulps: None if one of the results is no number, and the other is.
    """

    x: int
    given: int
    right: int
    ulps: int | None

    @property
    def distance(self) -> float:
        """How far off it is: no number is farthest."""
        return inf if self.ulps is None else self.ulps


@dataclass
class Departures:
    """What came of comparing a function with the correctly rounded one.

    Attributes:
        inputs: how many were compared.
        every: whether these are all that the format has.
        wrong: results that are not the correctly rounded ones, by how many numbers of the format lie
            between, the result counted; infinity counts as the number after the largest. Zeros of the
            other sign are 0 of them away.
        kinds: results that are no numbers where there is one, or the reverse.
        witnesses: those that are farthest away.
    """

    inputs: int = 0
    every: bool = True
    wrong: Counter[int] = field(default_factory=Counter)
    kinds: int = 0
    witnesses: list[Witness] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many results are not the correctly rounded ones."""
        return sum(self.wrong.values()) + self.kinds

    @property
    def largest(self) -> int:
        """The most ULP."""
        return max(self.wrong, default=0)

    def add(self, other: Departures) -> None:
        """Count what another part came to."""
        self.inputs += other.inputs
        self.wrong += other.wrong
        self.kinds += other.kinds
        farthest = sorted((*self.witnesses, *other.witnesses), key=lambda w: (-w.distance, w.x))
        self.witnesses = farthest[:WITNESSES]


def departures(
    function: str,
    fmt: Format,
    given: Mapping[str, OnCodes],
    step: int = 1,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda inputs: None,
) -> dict[str, Departures]:
    """Compare functions with the correctly rounded one, on every code of a format.

    What is right takes most of the time, and is found once for all of them.

    Args:
        function: one of ``specs.functions.FUNCTIONS``.
        fmt: of up to 32 bits.
        given: by name.
        step: of every how many codes one is tried.
        jobs: threads.
        advance: told how many inputs have been compared since.
    """
    found = {name: Departures(every=step == 1) for name in given}
    size = min(CHUNK, 1 << fmt.width)

    def part(start: int) -> tuple[int, dict[str, Departures]]:
        places = np.arange(-start % step, size, step)
        if not len(places):
            return 0, {}
        codes = (start + places).astype(f"u{fmt.width // 8}")
        right = right_results(function, fmt, start, size, places)
        return len(codes), {
            name: _compared(fmt, codes, each(codes.copy()), right) for name, each in given.items()
        }

    with ThreadPoolExecutor(jobs) as pool:
        for inputs, parts in pool.map(part, range(0, 1 << fmt.width, size)):
            for name, each in parts.items():
                found[name].add(each)
            advance(inputs)
    return found


def right_results(function: str, fmt: Format, start: int, size: int, places: NDArray[np.int64]) -> Codes:
    """The correctly rounded results at some places of a block of codes."""
    kind = f"u{fmt.width // 8}"
    if len(places) > FEW:
        return functions.results_from(function, fmt, *NEAREST, start, size)[places].astype(kind)
    codes = (start + places).tolist()
    return np.array([functions.compute(function, fmt, *NEAREST, code) for code in codes], kind)


def _compared(fmt: Format, codes: Codes, given: Codes, right: Codes) -> Departures:
    found = Departures(inputs=len(codes))
    differing = np.flatnonzero(given != right)
    given, right, codes = given[differing], right[differing], codes[differing]
    nan_given, nan_right = (_are_nan(fmt, each) for each in (given, right))
    other = np.flatnonzero(nan_given != nan_right)
    found.kinds = len(other)
    found.witnesses = [
        Witness(int(codes[n]), int(given[n]), int(right[n]), None) for n in other[:WITNESSES]
    ]
    numbers = ~(nan_given | nan_right)
    given, right, codes = given[numbers], right[numbers], codes[numbers]
    ulps = abs(_place(fmt, given) - _place(fmt, right))
    distances, counts = (each.tolist() for each in np.unique(ulps, return_counts=True))
    found.wrong = Counter(dict(zip(distances, counts, strict=True)))
    farthest = np.lexsort((codes, -ulps))[:WITNESSES]
    found.witnesses += [
        Witness(int(codes[n]), int(given[n]), int(right[n]), int(ulps[n])) for n in farthest
    ]
    return found


def _are_nan(fmt: Format, codes: Codes) -> NDArray[np.bool_]:
    magnitude = codes & codes.dtype.type(fmt.sign_mask - 1)
    found: NDArray[np.bool_] = magnitude > fmt.infinity
    return found


def _place(fmt: Format, codes: Codes) -> NDArray[np.int64]:
    """Where numbers stand among those of the format, zeros of both signs at 0."""
    magnitude = (codes & codes.dtype.type(fmt.sign_mask - 1)).astype(np.int64)
    place: NDArray[np.int64] = np.where(
        codes >> codes.dtype.type(fmt.magnitude_bits), -magnitude, magnitude
    )
    return place
