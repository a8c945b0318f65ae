"""Orders from sizes of partial sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.prover.running.revealing import NoOrderError, reveal, reveal_by_triples
from spikeproof.specs.orders import (
    Order,
    by_folding,
    in_blocks,
    in_lanes,
    in_pairs,
    pairwise,
    reversed_sequence,
    sequential,
)


class Counted:
    """The sizes that an order has, and how many were asked."""

    def __init__(self, order):
        self.asked = 0
        self._above = {}
        for place, pair in enumerate(order.additions, order.terms):
            self._above |= dict.fromkeys(pair, place)
        self._counts = [clade.bit_count() for clade in order.clades]

    def __call__(self, pairs):
        self.asked += len(pairs)
        return [self.size(*pair) for pair in pairs]

    def size(self, one, other):
        while one != other:  # places are numbered upwards
            one, other = sorted((one, other))
            one = self._above[one]
        return self._counts[one]


@st.composite
def orders(draw):
    terms = draw(st.integers(1, 40))
    loose, additions = list(range(terms)), []
    for place in range(terms, 2 * terms - 1):
        pair = [loose.pop(draw(st.integers(0, len(loose) - 1))) for _ in range(2)]
        additions.append(tuple(pair))
        loose.append(place)
    return Order(terms, tuple(additions))


@given(orders())
def test_any_tree_is_revealed(order):
    assert reveal(order.terms, Counted(order)) == order


def earlier(order):
    """Of three terms, whether the first two meet before the third."""
    sizes = Counted(order)
    return lambda one, other, third: sizes.size(one, other) < sizes.size(one, third)


@given(orders())
def test_any_tree_is_revealed_by_triples(order):
    assert reveal_by_triples(order.terms, earlier(order)) == order


def test_triples_that_contradict_each_other_are_refused():
    with pytest.raises(NoOrderError, match="should meet before"):
        reveal_by_triples(20, lambda one, other, third: False)
    with pytest.raises(NoOrderError, match="should not meet before"):
        reveal_by_triples(20, lambda one, other, third: (one + other) % 3 != third % 2)


@pytest.mark.parametrize(
    "order",
    [
        sequential(1024),
        reversed_sequence(1024),
        pairwise(1024),
        in_lanes(1024, 8),
        in_lanes(1000, 16, by_folding),
        in_blocks(1024, 128),
        in_blocks(1000, 24, in_pairs, in_pairs),
    ],
)
def test_regular_orders_take_about_two_questions_a_term(order):
    sizes = Counted(order)
    assert reveal(order.terms, sizes) == order
    assert sizes.asked <= 2.7 * order.terms


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (lambda one, other: 2, "term 0 meets 1 in a sum of 2, but 9 are in it"),
        (lambda one, other: 9, "more than two are added at once"),
        (lambda one, other: 2 + (one + other) % 3, "a sum of"),
    ],
)
def test_contradictions_are_refused(sizes, said):
    with pytest.raises(NoOrderError, match=said):
        reveal(9, lambda pairs: [sizes(*pair) for pair in pairs])
