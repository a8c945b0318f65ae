"""What a sum in an order computes, operation by operation, in the machine's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.running.number_arrays import Numbers, carrier, fused, rounded, stored
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format
from spikeproof.specs.orders import Order

WIDER = {FP16: (FP32, FP16), BFLOAT16: (FP32, BFLOAT16), FP32: (FP32, FP64), FP64: (FP64,)}
"""In which formats sums of a format may be accumulated."""


class Scaling(Enum):
    """How a sum becomes a mean or a norm, and whether it is rounded to the result's format before."""

    NONE = "none"
    DIVIDED = "divided by the number of terms"
    MULTIPLIED = "multiplied by the rounded reciprocal of the number of terms"
    ROUNDED_DIVIDED = "rounded to the result's format, then divided by the number of terms"
    ROUNDED_MULTIPLIED = "rounded to the result's format, then multiplied by the rounded reciprocal"
    ROOT = "the square root"
    ROUNDED_ROOT = "rounded to the result's format, then the square root"


MEANS = (
    Scaling.DIVIDED,
    Scaling.MULTIPLIED,
    Scaling.ROUNDED_DIVIDED,
    Scaling.ROUNDED_MULTIPLIED,
)

ROOTS = (Scaling.ROOT, Scaling.ROUNDED_ROOT)

ROUNDED = (Scaling.ROUNDED_DIVIDED, Scaling.ROUNDED_MULTIPLIED, Scaling.ROUNDED_ROOT)


@dataclass(frozen=True)
class Accumulation:
    """How a sum is computed.

    Attributes:
        accumulator: the format to which each sum is rounded.
        fused: the terms whose products are added without being rounded first.
        wide: the sums, by their places, that are kept in FP64 instead.
        flushes: whether subnormal factors and results of additions and products are zeros.
        from_zero: whether sums begin with +0, so that none is -0.
    """

    order: Order
    accumulator: Format
    fused: frozenset[int] = frozenset()
    from_zero: bool = False
    scaling: Scaling = Scaling.NONE
    wide: frozenset[int] = frozenset()
    flushes: bool = False


class _Product(NamedTuple):
    """A product that is yet to be rounded."""

    x: Numbers
    y: Numbers


def candidates(
    order: Order, fmt: Format, products: int, scalings: Sequence[Scaling]
) -> Iterator[Accumulation]:
    """The ways in which an order may be computed that are tried, the plainest first.

    Args:
        products: how many terms are products: the first ones.
    """
    ways = [frozenset[int]()]
    if products:
        ways += [fused_terms(order, products, begin) for begin in (0, 1)]
    either = (False, True)
    for scaling, flushes, accumulator, from_zero, terms in product(
        scalings, either, WIDER[fmt], either, ways
    ):
        if not terms or (accumulator in (FP32, FP64) and fmt is not FP16):  # else products are exact
            yield Accumulation(order, accumulator, terms, from_zero, scaling, flushes=flushes)


def fused_terms(order: Order, products: int, begin: int) -> frozenset[int]:
    """The products that are added to something; of two, all but the first or the second."""
    found = set()
    for pair in order.additions:
        added = [term for term in pair if term < products]
        if len(added) == 2:
            del added[begin]
        found |= set(added)
    return frozenset(found)


def accumulated(
    way: Accumulation, fmt: Format, result: Format, factors: tuple[Numbers, ...], bias: Numbers | None
) -> NDArray[Any]:
    """The results, as memory holds them.

    Args:
        factors: of the terms, which lie along the first axis of each.
        bias: the last term, with a first axis of one.
    """
    kind = carrier(way.accumulator)
    least = 2.0 ** (1 - way.accumulator.bias)
    places = count(way.order.terms)

    def kept(x: Numbers) -> Numbers:
        return np.where(np.abs(x) < least, np.copysign(kind.type(0), x), x) if way.flushes else x

    def term(place: int) -> Any:
        if place >= len(factors[0]):
            assert bias is not None
            return kept(bias[0].astype(kind, copy=False))
        numbers = tuple(kept(factor[place].astype(kind, copy=False)) for factor in factors)
        if place in way.fused:
            return _Product(numbers[0], numbers[1])
        begun = kept(rounded(way.accumulator, numbers[0] * numbers[1])) if numbers[1:] else numbers[0]
        if not way.from_zero:
            return begun
        return fused(numbers[0], numbers[1], np.zeros((), kind)) if way.fused else begun + kind.type(0)

    def add(x: Any, y: Any) -> Any:
        wide = next(places) in way.wide
        x, y = (term(each) if isinstance(each, int) else each for each in (x, y))
        if isinstance(x, _Product):
            x, y = y, x
        if isinstance(y, _Product):
            total = fused(*(each.astype(np.float64) if wide else each for each in (y.x, y.y, x)))
        else:
            total = x.astype(np.float64) + y if wide else x + y
        return kept(total if wide else rounded(way.accumulator, total))

    with np.errstate(all="ignore"):
        # each term when it is added
        total: Any = way.order.evaluate(range(way.order.terms), add) if way.order.additions else term(0)
        if isinstance(total, _Product):  # the only term
            total = rounded(way.accumulator, total.x * total.y)
        return _scaled(way, total, result, kind)


def _scaled(way: Accumulation, total: Numbers, result: Format, kind: np.dtype[Any]) -> NDArray[Any]:
    """The mean or the norm, if one is computed, rounded to the result's format."""
    fmt = way.accumulator
    if way.scaling in ROUNDED:
        fmt, total = result, rounded(result, total)
    terms = np.array(way.order.terms, total.dtype)
    if way.scaling in ROOTS:
        total = rounded(fmt, np.sqrt(total))
    elif way.scaling in (Scaling.DIVIDED, Scaling.ROUNDED_DIVIDED):
        total = rounded(fmt, total / terms)
    elif way.scaling is not Scaling.NONE:
        total = rounded(fmt, total * rounded(fmt, np.array(1, total.dtype) / terms))
    return stored(result, total)
