"""What is particular about single additions and products of an order.

Some functions accumulate most terms in one format and the last ones in a wider, or fuse some products
and not others. Then each addition and each product is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from spikeproof.prover.running.accumulations import Accumulation
from spikeproof.prover.running.masks import Masks
from spikeproof.specs.formats import FP32
from spikeproof.specs.orders import Order


def in_particular(masks: Masks, way: Accumulation) -> Accumulation:
    """The same way, with the additions that keep more than FP32, and the products that are fused."""
    way = replace(way, accumulator=FP32)
    products = len(masks.summing.masked) if masks.summing.operation.products else 0
    return replace(
        way,
        wide=frozenset(_wide(masks, way.order)),
        fused=frozenset(_fused(masks, way.order, products)),
    )


def _wide(masks: Masks, order: Order) -> Iterator[int]:
    """The additions whose sum keeps what FP32 loses, while the next takes the rest of it away."""
    least, small = _first_terms(order), 2.0 ** -(FP32.precision + 6)
    for above in order.additions:
        for place, beside in (above, reversed(above)):
            if place >= order.terms:
                one, other = order.additions[place - order.terms]
                if masks.ask({least[one]: 1.0, least[other]: small, least[beside]: -1.0}):
                    yield place


def _fused(masks: Masks, order: Order, products: int) -> Iterator[int]:
    """The terms whose products are not rounded before they are added."""
    least, low = _first_terms(order), 2.0 ** -(FP32.precision // 2)
    for pair in order.additions:
        for term, beside in (pair, reversed(pair)):
            if term < products:
                factors = {term: 1 + low}
                if masks.ask({least[beside]: -(1 + 2 * low), **factors}, factors):
                    yield term


def _first_terms(order: Order) -> list[int]:
    """A term below each place."""
    found = list(range(order.terms))
    for left, _ in order.additions:
        found.append(found[left])
    return found
