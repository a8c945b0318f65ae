"""How far libraries' functions are from the correctly rounded one, to nearest even, on every input.

What is right the spec of record says, in blocks where inputs lie close together. The *number* of an
input is its code, or of two operands those of both, the first one varying fastest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.running.callables import Codes, OnCodes
from spikeproof.specs import functions, pairs
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

CHUNK = 1 << 20
"""Codes at a time."""

FEW = 256
"""So many inputs, or fewer, of a chunk are computed one by one: that is quicker than all of it."""

PART = 1 << 15
"""Results compared at a time: what is computed of them stays near the processor."""

SINGLE = 16
"""Distances below this are counted one by one, others by the power of two that they have come to: there
may be millions."""

WITNESSES = 3

NEAREST = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


@dataclass(frozen=True)
class Witness:
    """An input on which the result is not the correctly rounded one, as codes.

    Attributes:
        ulps: None if one of the results is no number, and the other is.
        y: the second operand, if there is one.
    """

    x: int
    given: int
    right: int
    ulps: int | None
    y: int | None = None

    def of_two(self, width: int) -> Witness:
        """The same where x was the number of a pair of operands."""
        return replace(self, x=self.x & (1 << width) - 1, y=self.x >> width)

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
            other sign are 0 of them away. From ``SINGLE`` on, 2^k stands for all below 2^(k + 1).
        largest: the most ULP.
        kinds: results that are no numbers where there is one, or the reverse.
        witnesses: those that are farthest away.
    """

    inputs: int = 0
    every: bool = True
    wrong: Counter[int] = field(default_factory=Counter)
    largest: int = 0
    kinds: int = 0
    witnesses: list[Witness] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many results are not the correctly rounded ones."""
        return sum(self.wrong.values()) + self.kinds

    def add(self, other: Departures) -> None:
        """Count what another part came to."""
        self.inputs += other.inputs
        self.wrong += other.wrong
        self.largest = max(self.largest, other.largest)
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
    """Compare functions with the correctly rounded one, on every code of a format, or pair of codes.

    What is right takes most of the time, and is found once for all of them.

    Args:
        function: one of ``specs.functions.FUNCTIONS``, or of ``specs.pairs.ROWS``.
        fmt: of up to 32 bits, or 16.
        given: by name.
        step: of every how many inputs one is tried.
        jobs: threads.
        advance: told how many inputs have been compared since.
    """
    found = {name: Departures(every=step == 1) for name in given}
    inputs = input_count(function, fmt)
    size = min(CHUNK, inputs)

    def part(start: int) -> tuple[int, dict[str, Departures]]:
        places = np.arange(-start % step, size, step)
        if not len(places):
            return 0, {}
        numbers = start + places
        right = right_results(function, fmt, start, size, places)
        return len(numbers), {
            name: _compared(fmt, numbers, each(*_operands(function, fmt, numbers)), right)
            for name, each in given.items()
        }

    with ThreadPoolExecutor(jobs) as pool:
        for compared, parts in pool.map(part, range(0, inputs, size)):
            for name, each in parts.items():
                found[name].add(each)
            advance(compared)
    if function in pairs.ROWS:
        for each in found.values():
            each.witnesses = [witness.of_two(fmt.width) for witness in each.witnesses]
    return found


def input_count(function: str, fmt: Format) -> int:
    """How many inputs a function has."""
    return 1 << fmt.width * (2 if function in pairs.ROWS else 1)


def _operands(function: str, fmt: Format, numbers: NDArray[np.int64]) -> list[Codes]:
    """What libraries' functions are given: arrays of their own, since they might change them."""
    word = f"u{fmt.width // 8}"
    if function not in pairs.ROWS:
        return [numbers.astype(word)]
    x, y = (each.astype(word) for each in (numbers & (1 << fmt.width) - 1, numbers >> fmt.width))
    return [y, x] if function == "atan2" else [x, y]


def right_results(function: str, fmt: Format, start: int, size: int, places: NDArray[np.int64]) -> Codes:
    """The correctly rounded results at some places of a block of inputs."""
    of_two = function in pairs.ROWS
    if len(places) > FEW:
        results_from = pairs.results_from if of_two else functions.results_from
        right = results_from(function, fmt, *NEAREST, start, size)[places]
    else:
        numbers = (start + places).tolist()
        operands = [divmod(each, 1 << fmt.width)[::-1] if of_two else (each,) for each in numbers]
        compute = pairs.compute if of_two else functions.compute
        right = np.array([compute(function, fmt, *NEAREST, *each) for each in operands])
    return right.astype(f"u{fmt.width // 8}")


def _compared(fmt: Format, numbers: NDArray[np.int64], given: Codes, right: Codes) -> Departures:
    found = Departures()
    for start in range(0, len(numbers), PART):
        part = slice(start, start + PART)
        found.add(_compared_at_once(fmt, numbers[part], given[part], right[part]))
    return found


def _compared_at_once(fmt: Format, numbers: NDArray[np.int64], given: Codes, right: Codes) -> Departures:
    found = Departures(inputs=len(numbers))
    differing = np.flatnonzero(given != right)
    if not len(differing):
        return found
    given, right, codes = given[differing], right[differing], numbers[differing]
    nan_given, nan_right = (_are_nan(fmt, each) for each in (given, right))
    other = np.flatnonzero(nan_given != nan_right)
    found.kinds = len(other)
    found.witnesses = [
        Witness(int(codes[n]), int(given[n]), int(right[n]), None) for n in other[:WITNESSES]
    ]
    both = np.flatnonzero(~(nan_given | nan_right))
    given, right, codes = given[both], right[both], codes[both]
    ulps = abs(_place(fmt, given) - _place(fmt, right))
    found.wrong, found.largest = _by_distance(ulps), int(ulps.max(initial=0))
    found.witnesses += [
        Witness(int(codes[n]), int(given[n]), int(right[n]), int(ulps[n])) for n in _farthest(ulps)
    ]
    return found


def _by_distance(ulps: NDArray[np.int64]) -> Counter[int]:
    """How many there are of each distance, or of each power of two."""
    few = np.bincount(np.minimum(ulps, SINGLE), minlength=SINGLE)[:SINGLE]
    lengths = np.bincount(np.frexp(ulps[ulps >= SINGLE])[1])
    many = {1 << length - 1: count for length, count in enumerate(lengths.tolist()) if count}
    return Counter({**{n: count for n, count in enumerate(few.tolist()) if count}, **many})


def _farthest(ulps: NDArray[np.int64]) -> list[int]:
    """The places of the few largest, the first of equal ones; without sorting millions."""
    left, places = ulps.copy(), list[int]()
    for _ in range(min(WITNESSES, len(left))):
        places.append(int(left.argmax()))
        left[places[-1]] = -1
    return places


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
