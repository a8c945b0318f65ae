"""The order in which a function of a library sums: revealed by masks, then tested.

What is revealed rests on the assumption that there is an order, and what is tested on drawn numbers:
neither is a proof about the function, which may do otherwise on another machine, at another shape, with
another number of threads, or on arrays that lie elsewhere.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits, ask_apart
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.accumulations import Accumulation, Scaling, accumulated, candidates
from spikeproof.prover.running.masks import Masks
from spikeproof.prover.running.number_arrays import STORED, Numbers, carrier, read, same, stored
from spikeproof.prover.running.particulars import in_particular
from spikeproof.prover.running.revealing import NoOrderError, reveal
from spikeproof.prover.running.summing import FORMATS, Asked, Summing
from spikeproof.specs.formats import FP32, Format
from spikeproof.specs.orders import Order

MOST_ORDERS = 8
"""Results of one call may have several orders, but not more than so many."""

MOST_TERMS = 4096

AT_ONCE = 1 << 23
"""So many numbers are drawn at a time."""

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
    found: list[Found]
    calls: int
    compared: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    witnesses: list[Witness] = field(default_factory=list)
    seconds: tuple[float, float] = (0.0, 0.0)

    def as_data(self) -> dict[str, Any]:
        """What JSON has; ``finding_of`` reads it."""
        return {
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
    return finding_of(ask_apart(f"{__name__}:answer", request, asked.name, LIMITS))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What ``find`` finds, as data, for what was asked as data."""
    results = request.pop("results")
    shape, fmt = tuple(request.pop("shape")), FORMATS[request.pop("fmt")]
    try:
        return find(Asked(shape=shape, fmt=fmt, **request), results).as_data()
    except StatementError as error:
        raise ForeignCodeError(str(error)) from None


def find(asked: Asked, results: int) -> Finding:
    """Reveal how a function sums, and test that on at least so many results.

    Raises:
        StatementError: if the function cannot be asked, or has no order; one line.
    """
    begun = time.perf_counter()
    summing = Summing(asked)
    if not 1 <= summing.terms <= MOST_TERMS:
        raise StatementError(
            f"orders of 1 to {MOST_TERMS:,} terms are revealed, not of {summing.terms:,}"
        )
    masks = Masks(summing)
    try:
        orders = list(_orders(masks))
    except NoOrderError as error:
        raise StatementError(f"it adds in no order: {error}") from None
    directed = [_Trial(summing, kind, seed, few=True) for seed, kind in enumerate(DRAWN)]
    found = [_best(order, which, directed, masks) for order, which in orders]
    finding = Finding(summing.terms, summing.result_format, found, masks.calls)
    revealed = time.perf_counter()
    owners = [which for _, which in orders]
    outputs = max(1, math.prod(summing.outputs))
    seed = len(DRAWN)
    while not finding.compared or finding.compared.total() < results:
        for kind in DRAWN:
            _test(finding, _Trial(summing, kind, seed, -(-results // (outputs * len(DRAWN)))), owners)
            seed += 1
    finding.seconds = (revealed - begun, time.perf_counter() - revealed)
    return finding


def _orders(masks: Masks) -> Iterator[tuple[Order, NDArray[np.bool_]]]:
    """The orders of the results, and which results have each."""
    remaining = np.ones_like(masks.agreeing)
    for _ in range(MOST_ORDERS):
        masks.about(int(np.argmax(remaining)))
        order = reveal(masks.summing.terms, masks)
        yield order, masks.agreeing & remaining
        remaining &= ~masks.agreeing
        if not remaining.any():
            return
    raise NoOrderError(f"its results have more than {MOST_ORDERS} different ones")


def _best(order: Order, which: NDArray[np.bool_], trials: list[_Trial], masks: Masks) -> Found:
    """The way to compute an order that most directed numbers speak for; the plainest of several."""
    summing = masks.summing
    products = len(summing.factors[0]) if summing.operation.products else 0
    fewest, best = _fewest(
        candidates(order, summing.asked.fmt, products, summing.operation.mean), which, trials
    )
    first = int(np.argmax(which))
    if fewest and summing.asked.fmt is FP32:
        masks.about(first)
        _, best = _fewest([best, in_particular(masks, best)], which, trials)
    return Found(best, int(np.count_nonzero(which)), first)


def _fewest(
    ways: Iterable[Accumulation], which: NDArray[np.bool_], trials: list[_Trial]
) -> tuple[int, Accumulation]:
    """The first way that computes the fewest results otherwise, and how many these are."""
    fewest, best = -1, None
    for way in ways:
        wrong = 0
        for trial in trials:
            wrong += int(np.count_nonzero(trial.differing(trial.computed(way)) & which))
            if best and wrong >= fewest:
                break
        else:
            fewest, best = wrong, way
        if not fewest:
            break
    assert best
    return fewest, best


class _Trial:
    """Calls of the function on drawn numbers; a row for each.

    Args:
        most: calls, where memory allows.
        few: whether a handful does.
    """

    def __init__(self, summing: Summing, kind: str, seed: int, most: int = 1, few: bool = False) -> None:
        self.kind, self._summing = kind, summing
        fmt = summing.asked.fmt
        random = np.random.default_rng((SEED, seed))
        views = [*summing.factors, *([] if summing.bias is None else [summing.bias])]
        count = max(1, min(16 if few else most, AT_ONCE // sum(view.size for view in views)))
        self._given = [np.empty((len(view), count, *view.shape[1:]), STORED[fmt]) for view in views]
        results = []
        for call in range(count):
            for place, (view, given) in enumerate(zip(views, self._given, strict=True)):
                numbers = DRAWN[kind](random, fmt, view.shape, place)
                view[...] = given[:, call] = stored(fmt, numbers)
            results.append(summing().reshape(-1))
        self.results = np.stack(results)

    def computed(self, way: Accumulation) -> NDArray[Any]:
        """The results as a way computes them."""
        summing = self._summing
        numbers = [read(summing.asked.fmt, each) for each in self._given]
        bias = None if summing.bias is None else numbers.pop()
        found = accumulated(way, summing.asked.fmt, summing.result_format, tuple(numbers), bias)
        return found.reshape(self.results.shape)

    def differing(self, computed: NDArray[Any]) -> NDArray[np.bool_]:
        """Where the function gives another result."""
        return ~same(self._summing.result_format, self.results, computed)


def _test(finding: Finding, trial: _Trial, owners: list[NDArray[np.bool_]]) -> None:
    """Compare what the function gives with what the ways that were found compute."""
    computed = np.empty_like(trial.results)
    for each, which in zip(finding.found, owners, strict=True):
        computed[:, which] = trial.computed(each.way)[:, which]
    differing = trial.differing(computed)
    finding.compared[trial.kind] += differing.size
    finding.differing[trial.kind] += int(np.count_nonzero(differing))
    kind = np.dtype(f"u{finding.result_format.width // 8}")
    for row, column in np.argwhere(differing)[: WITNESSES - len(finding.witnesses)]:
        codes = (int(each[row, column].view(kind)) for each in (trial.results, computed))
        finding.witnesses.append(Witness(trial.kind, *codes))


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
    """Mostly numbers near the largest; of a few calls, infinities and NaN."""
    numbers = _even(random, fmt, shape, place)
    if place:
        return numbers
    numbers = np.ldexp(numbers, fmt.bias + 1 - random.integers(0, 1 + 2 * int(shape[0]).bit_length()))
    special = random.choice([np.inf, -np.inf, np.nan], numbers.shape).astype(numbers.dtype)
    chosen = random.random(shape) < random.choice([0, 1 / shape[0]])
    numbers[chosen] = special[chosen]
    return numbers


def _zeros(random: np.random.Generator, fmt: Format, shape: tuple[int, ...], place: int) -> Numbers:
    """Mostly -0, in some calls nothing else."""
    plus = random.random(shape) < random.choice([0, 1 / shape[0]])
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
