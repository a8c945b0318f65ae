"""The order in which a function of a library sums: revealed by masks, then tested.

What is revealed rests on the assumption that there is an order, and what is tested on drawn numbers:
neither is a proof about the function, which may do otherwise on another machine, at another shape, with
another number of threads, or on arrays that lie elsewhere.
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits, ask_apart
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.accumulations import (
    MEANS,
    ROOTS,
    Accumulation,
    Scaling,
    accumulated,
    candidates,
)
from spikeproof.prover.running.machines import THREAD_VARIABLES, Machine, machine_of, this_machine
from spikeproof.prover.running.masks import Masks, Which
from spikeproof.prover.running.number_arrays import STORED, Numbers, carrier, read, same, stored
from spikeproof.prover.running.particulars import in_particular
from spikeproof.prover.running.revealing import NoOrderError, reveal, reveal_by_triples
from spikeproof.prover.running.summing import FORMATS, Asked, Summing
from spikeproof.specs.formats import FP32, Format
from spikeproof.specs.orders import Order

MOST_ORDERS = 8
"""Results of one call may have several orders, but not more than so many."""

MOST_TERMS = 1 << 14

AT_ONCE = 1 << 23
"""So many numbers are kept for the calls of a trial; what one call gets may be more."""

LEAST_CALLS, RESULTS_OF_THESE = 4, 1 << 18
"""Of so many calls at least are results compared, unless they give more than that."""

PIECE, LEAST_PIECE = 1 << 14, 64
"""So many results are computed at a time: what they go through stays in the caches."""

DIRECTED, DIRECTED_CALLS = 1024, 16
"""So many results, of so many calls, tell of each kind of numbers in which way an order is computed."""

Piece = tuple[slice, ...]

WITNESSES = 3

SEED = 20250707

LIMITS = Limits(seconds=600.0, memory_mib=16384)


@dataclass(frozen=True)
class Found:
    """How some results of a call are computed.

    Attributes:
        results: how many, and the first of them, among all flattened.
    """

    way: Accumulation
    results: int
    first: int

    def as_data(self) -> dict[str, Any]:
        """What JSON has."""
        way = self.way
        return {
            "results": self.results,
            "first": self.first,
            "accumulator": way.accumulator.name,
            "fused": sorted(way.fused),
            "from_zero": way.from_zero,
            "scaling": way.scaling.value,
            "wide": sorted(way.wide),
            "flushes": way.flushes,
            "additions": [list(pair) for pair in way.order.additions],
        }


@dataclass(frozen=True)
class Witness:
    """A result that is another than what was found computes, as codes."""

    kind: str
    given: int
    computed: int


@dataclass
class Finding:
    """What was revealed of a function, and what testing it came to.

    Attributes:
        compared, differing: results, by the kind of numbers that were drawn.
        calls: of the function, to reveal its order.
        seconds: to reveal, and to test.
    """

    terms: int
    result_format: Format
    machine: Machine
    found: list[Found]
    calls: int
    compared: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    witnesses: list[Witness] = field(default_factory=list)
    seconds: tuple[float, float] = (0.0, 0.0)

    def as_data(self) -> dict[str, Any]:
        """What JSON has; ``finding_of`` reads it."""
        return {
            **self.machine.as_data(),
            "terms": self.terms,
            "result_format": self.result_format.name,
            "orders": [each.as_data() for each in self.found],
            "calls": self.calls,
            "compared": dict(self.compared),
            "differing": dict(self.differing),
            "witnesses": [vars(each) for each in self.witnesses],
            "seconds": list(self.seconds),
        }


def finding_of(data: dict[str, Any]) -> Finding:
    """What was written as data."""
    return Finding(
        data["terms"],
        FORMATS[data["result_format"]],
        machine_of(data),
        [_found_of(data["terms"], each) for each in data["orders"]],
        data["calls"],
        Counter(data["compared"]),
        Counter(data["differing"]),
        [Witness(**each) for each in data["witnesses"]],
        (data["seconds"][0], data["seconds"][1]),
    )


def _found_of(terms: int, data: dict[str, Any]) -> Found:
    order = Order(terms, tuple((left, right) for left, right in data["additions"]))
    way = Accumulation(
        order,
        FORMATS[data["accumulator"]],
        frozenset(data["fused"]),
        data["from_zero"],
        Scaling(data["scaling"]),
        frozenset(data["wide"]),
        data["flushes"],
    )
    return Found(way, data["results"], data["first"])


def find_apart(asked: Asked, results: int) -> Finding:
    """The same as ``find`` in a process of its own, in which the function may do what it likes.

    Raises:
        ForeignCodeError: if the function cannot be asked, has no order, or does not end; one line.
    """
    request = {**vars(asked), "fmt": asked.fmt.name, "results": results}
    threads = dict.fromkeys(THREAD_VARIABLES, str(asked.threads)) if asked.threads else {}
    return finding_of(ask_apart(f"{__name__}:answer", request, asked.name, LIMITS, threads))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What ``find`` finds, as data, for what was asked as data."""
    results = request.pop("results")
    shape, fmt = tuple(request.pop("shape")), FORMATS[request.pop("fmt")]
    try:
        return find(Asked(shape=shape, fmt=fmt, **request), results).as_data()
    except StatementError as error:
        raise ForeignCodeError(str(error)) from None


def find(asked: Asked, results: int, function: Callable[..., Any] | None = None) -> Finding:
    """Reveal how a function sums, and test that on at least so many results.

    Args:
        function: that of this name, if it is at hand.

    Raises:
        StatementError: if the function cannot be asked, or has no order; one line.
    """
    with _threads(asked):
        begun = time.perf_counter()
        summing = Summing(asked, function)
        if not 1 <= summing.terms <= MOST_TERMS:
            raise StatementError(
                f"orders of 1 to {MOST_TERMS:,} terms are revealed, not of {summing.terms:,}"
            )
        masks = Masks(summing)
        try:
            orders = list(_orders(masks))
        except NoOrderError as error:
            wider = ", or in a wider format than that of its results" * summing.operation.squares
            raise StatementError(f"it adds in no order{wider}: {error}") from None
        found = [_best(order, which, masks) for order, which in orders]
        machine = this_machine(asked.device, asked.threads, asked.tensors)
        finding = Finding(summing.terms, summing.result_format, machine, found, masks.calls)
        revealed = time.perf_counter()
        _test(finding, summing, [which for _, which in orders], results)
        finding.seconds = (revealed - begun, time.perf_counter() - revealed)
        return finding


@contextmanager
def _threads(asked: Asked) -> Iterator[None]:
    """As many threads as are asked for."""
    if asked.threads is None:
        yield
    elif asked.tensors:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(asked.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
    elif all(os.environ.get(each) == str(asked.threads) for each in THREAD_VARIABLES):
        yield
    else:
        raise StatementError("NumPy's threads are set when it is loaded: give the function by its name")


def _orders(masks: Masks) -> Iterator[tuple[Order, Which]]:
    """The orders of the results, and which results have each."""
    remaining = np.ones(masks.summing.results, bool)
    for _ in range(MOST_ORDERS):
        order, which = _first_order(masks, remaining)
        yield order, which
        remaining = remaining & ~which
        if not remaining.any():
            return
    raise NoOrderError(f"its results have more than {MOST_ORDERS} different ones")


def _first_order(masks: Masks, remaining: Which) -> tuple[Order, Which]:
    """The order of the first of some results, and which of them have the same.

    Those that answer some questions as the first are asked together; if their answers make no order, or
    one that is not the first's, the first is asked alone.
    """
    terms = masks.summing.terms
    masks.about(remaining)
    if masks.summing.operation.squares:
        return reveal_by_triples(terms, masks.earlier), remaining
    first = masks.output
    which = remaining & masks.alike() if masks.width > 1 else remaining
    if masks.width > 1 and which[first]:
        masks.about(which)
        with suppress(NoOrderError):
            order = reveal(terms, masks.sizes, masks.width)
            which &= masks.having(order)
            if which[first]:
                return order, which
    if masks.width > 1:
        masks.about(np.arange(masks.summing.results) == first)
    order = reveal(terms, masks.sizes)
    return order, remaining if masks.summing.operation.prefixes else masks.agreeing & remaining


def _best(order: Order, which: Which, masks: Masks) -> Found:
    """The way to compute an order that most directed numbers speak for; the plainest of several."""
    summing = masks.summing
    products = len(summing.masked) if summing.operation.products else 0
    operation = summing.operation
    scalings = MEANS if operation.mean else ROOTS if operation.squares else (Scaling.NONE,)
    ways = list(candidates(order, summing.asked.fmt, products, scalings))
    fewest, best = _fewest(ways, which, summing)
    if fewest and summing.asked.fmt is FP32 and not (operation.prefixes or operation.squares):
        masks.about(np.arange(masks.summing.results) == np.argmax(which))
        _, best = _fewest([best, in_particular(masks, best)], which, summing)
    return Found(best, int(np.count_nonzero(which)), int(np.argmax(which)))


def _fewest(ways: list[Accumulation], which: Which, summing: Summing) -> tuple[int, Accumulation]:
    """The first way that computes the fewest results otherwise, and how many these are."""
    wrong = dict.fromkeys(range(len(ways)), 0)
    for seed, kind in enumerate(DRAWN):
        trial = _Trial(summing, kind, seed, DIRECTED, DIRECTED_CALLS)
        for place in wrong:
            wrong[place] += trial.compared(ways[place], which, DIRECTED).differing
        if not min(wrong.values()):
            wrong = {place: count for place, count in wrong.items() if not count}
    best = min(wrong, key=lambda place: wrong[place])
    return wrong[best], ways[best]


@dataclass
class _Compared:
    """Results that were compared, how many of them differ, and some that do."""

    results: int = 0
    differing: int = 0
    witnesses: list[Witness] = field(default_factory=list)


class _Trial:
    """Calls of the function on drawn numbers.

    What is too large to be kept for each call is drawn once.

    Args:
        results: so many are wanted, where memory allows.
        most: calls.
    """

    def __init__(
        self, summing: Summing, kind: str, seed: int, results: int, most: int = AT_ONCE
    ) -> None:
        self.kind, self._summing = kind, summing
        self._random = np.random.default_rng((SEED, seed))
        fmt, drawn = summing.asked.fmt, summing.drawn_into()
        outputs, sizes = max(1, math.prod(summing.outputs)), [each.size for each in summing.read()]
        wanted = max(-(-results // outputs), min(LEAST_CALLS, RESULTS_OF_THESE // outputs))
        calls = max(1, min(most, wanted, AT_ONCE // max(outputs, min(sizes))))
        kept = [size * calls <= AT_ONCE for size in sizes]
        self._given = [
            np.empty((len(each), calls if keep else 1, *each.shape[1:]), each.dtype)
            for each, keep in zip(summing.read(), kept, strict=True)
        ]
        self._results = np.empty((calls, *summing.outputs), STORED[summing.result_format])
        for call in range(calls):
            for place, (part, keep) in enumerate(zip(drawn, kept, strict=True)):
                if keep or not call:
                    part[...] = stored(fmt, DRAWN[kind](self._random, fmt, part.shape, place))
            for given, numbers, keep in zip(self._given, summing.read(), kept, strict=True):
                if keep or not call:
                    given[:, call] = numbers
            self._results[call] = summing()

    def compared(self, way: Accumulation, which: Which, most: int) -> _Compared:
        """What the function gives beside what a way computes, of about so many of some results."""
        found = _Compared()
        chosen = np.broadcast_to(which.reshape(self._summing.outputs), self._results.shape)
        pieces = list(_pieces(self._results.shape, min(PIECE, max(LEAST_PIECE, most // 4))))
        for number in self._random.permutation(len(pieces)):
            piece = pieces[number]
            count = int(np.count_nonzero(chosen[piece]))
            if count:
                self._compare(way, piece, chosen[piece], found)
                found.results += count
            if found.results >= most:
                break
        return found

    def _compare(self, way: Accumulation, piece: Piece, chosen: Which, found: _Compared) -> None:
        summing = self._summing
        numbers = []
        for given in self._given:
            sizes = given.shape[1:]
            part = (some if size > 1 else slice(None) for some, size in zip(piece, sizes, strict=True))
            numbers.append(read(summing.asked.fmt, given[(slice(None), *part)]))
        bias = None if summing.bias is None else numbers.pop()
        factors = (numbers[0], numbers[0]) if summing.operation.squares else tuple(numbers)
        fmt, result = summing.asked.fmt, summing.result_format
        computed = accumulated(way, fmt, result, factors, bias)
        given = self._results[piece]
        computed = np.ascontiguousarray(np.broadcast_to(computed, given.shape))
        differing = ~same(result, np.ascontiguousarray(given), computed) & chosen
        found.differing += int(np.count_nonzero(differing))
        kind = np.dtype(f"u{result.width // 8}")
        for place in np.argwhere(differing)[: WITNESSES - len(found.witnesses)]:
            codes = (int(each[tuple(place)].view(kind)) for each in (given, computed))
            found.witnesses.append(Witness(self.kind, *codes))


def _pieces(shape: tuple[int, ...], most: int) -> Iterator[Piece]:
    """An array in parts of some size, as slices of each axis."""
    if not shape:
        yield ()
        return
    first, *others = shape
    step = max(1, most // math.prod(others))
    for start in range(0, first, step):
        for rest in _pieces(tuple(others), most):
            yield slice(start, start + step), *rest


def _test(finding: Finding, summing: Summing, owners: list[Which], results: int) -> None:
    """Compare what the function gives with what the ways that were found compute."""
    share = -(-results // len(DRAWN))
    for number, kind in enumerate(DRAWN):
        for seed in count(number + len(DRAWN), len(DRAWN)):
            trial = _Trial(summing, kind, seed, share - finding.compared[kind])
            for each, which in zip(finding.found, owners, strict=True):
                part = -(-share * each.results // summing.results)
                compared = trial.compared(each.way, which, part)
                finding.compared[kind] += compared.results
                finding.differing[kind] += compared.differing
                finding.witnesses += compared.witnesses[: WITNESSES - len(finding.witnesses)]
            if finding.compared[kind] >= share:
                break


# --- drawn numbers ------------------------------------------------------------------------------


def _even(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    return random.uniform(-1, 1, shape).astype(carrier(fmt))


def _wide(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Of exponents far apart."""
    return np.ldexp(_even(random, fmt, shape, place), random.integers(-12, 12, shape))


def _cancelling(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Large numbers with their negatives at other terms; small ones between them."""
    if place:
        return np.ldexp(np.ones(shape, carrier(fmt)), random.integers(0, 2, shape))
    numbers = _even(random, fmt, shape, place)
    terms = random.permutation(shape[0])
    one, other = terms[: shape[0] // 4], terms[shape[0] // 4 : shape[0] // 4 * 2]
    large = np.ldexp(numbers[one], random.integers(0, min(12, fmt.fraction_bits), numbers[one].shape))
    numbers[one], numbers[other] = large, -large
    return numbers


def _ties(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Numbers that lie halfway beside others, and products that do."""
    step = 2.0 ** -(fmt.fraction_bits // 2 + 1 if place else fmt.fraction_bits + 1)
    chosen = np.array([1, 1 + step, 1 + 2 * step, *([] if place else [step, 2 * step, 3 * step])])
    signs = random.choice([-1.0, 1.0], shape)
    numbers: Numbers = (signs * random.choice(chosen, shape)).astype(carrier(fmt))
    return numbers


def _subnormal(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    if place:
        return _even(random, fmt, shape, place)
    least = 1 - fmt.bias - fmt.fraction_bits
    return np.ldexp(
        _even(random, fmt, shape, place), least + random.integers(0, fmt.fraction_bits + 2, shape)
    )


def _infinite(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Mostly numbers near the largest; of every other sum, some infinities and NaN."""
    numbers = _even(random, fmt, shape, place)
    if place:
        return numbers
    numbers = np.ldexp(numbers, fmt.bias + 1 - random.integers(0, 1 + 2 * int(shape[0]).bit_length()))
    special = random.choice([np.inf, -np.inf, np.nan], numbers.shape).astype(numbers.dtype)
    chosen = random.random(shape) < random.choice([0, 1 / shape[0]], shape[1:])
    numbers[chosen] = special[chosen]
    return numbers


def _zeros(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Mostly -0, of every other sum nothing else."""
    plus = random.random(shape) < random.choice([0, 1 / shape[0]], shape[1:])
    return np.copysign(np.zeros(shape, carrier(fmt)), np.where(plus | (place == 1), 1.0, -1.0)).astype(
        carrier(fmt)
    )


DRAWN = {
    "even": _even,
    "wide": _wide,
    "cancelling": _cancelling,
    "ties": _ties,
    "subnormal": _subnormal,
    "infinite": _infinite,
    "zeros": _zeros,
}
"""Kinds of drawn numbers: for a generator, a format and a shape whose first axis the terms lie along."""
