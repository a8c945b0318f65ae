"""Orders in words."""

import pytest

from spikeproof.prover.report.orders import bracketed, in_words, way_in_words
from spikeproof.prover.running.accumulations import Accumulation, Scaling
from spikeproof.prover.running.summing import Asked
from spikeproof.specs.formats import FP32
from spikeproof.specs.orders import (
    Order,
    by_folding,
    grown,
    in_blocks,
    in_lanes,
    in_pairs,
    in_sequence,
    pairwise,
    reversed_sequence,
    sequential,
)


def with_tail(places, add):
    lanes = [in_sequence(places[k:24:8], add) for k in range(8)]
    return in_sequence([in_pairs(lanes, add), *places[24:]], add)


def in_runs(places, add):
    runs = [places[:8], places[8:20], places[20:28], places[28:40]]
    return in_pairs([in_sequence(run, add) for run in runs], add)


def with_fours_between(places, add):
    """Of four terms the sum, then four by themselves, and so on."""
    fours = [places[k : k + 4] for k in range(4, len(places), 8)]
    singles = [places[k : k + 4] for k in range(8, len(places) + 4, 8)]
    total = in_sequence(places[:4], add)
    for four, single in zip(fours, singles, strict=True):
        total = in_sequence([total, in_sequence(four, add), *single], add)
    return total


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (sequential(1), "one term"),
        (sequential(4096), "one after another"),
        (reversed_sequence(9), "one after another from the last"),
        (pairwise(4096), "pairwise"),
        (grown(16, by_folding), "by folding in halves"),
        (in_lanes(64, 8), "8 lanes, every 8 terms, one after another; the lanes pairwise"),
        (
            in_lanes(100, 16, by_folding),
            "16 lanes, every 16 terms, one after another; the lanes by folding in halves",
        ),
        (
            in_lanes(12, 4, in_sequence),
            "4 lanes, every 4 terms, one after another; the lanes one after another",
        ),
        (
            in_blocks(1024, 384),
            "blocks of 384 terms, each one after another (the last of 256); "
            "the blocks one after another",
        ),
        (in_blocks(256, 128), "blocks of 128 terms, each one after another; then both"),
        (
            in_blocks(40, 4, in_sequence, in_pairs),
            "blocks of 4 terms, each one after another; the blocks pairwise",
        ),
        (
            grown(27, with_tail),
            "8 lanes, every 8 terms, one after another; the lanes pairwise; "
            "then terms 24 to 26 one after another",
        ),
        (
            Order(5, ((1, 0), (5, 3), (6, 2), (7, 4))),
            "one after another, but of every 2 the last first",
        ),
        (in_lanes(10, 2), "2 lanes, every 2 terms, one after another; then both"),
        (grown(40, in_runs), "4 runs of 8 to 12 terms, each one after another; the runs pairwise"),
        (grown(24, with_fours_between), "[0 to 3, [4 to 7], 8 to 11, [12 to 15], 16 to 19, [20 to 23]]"),
        (Order(5, ((0, 3), (5, 1), (2, 4), (6, 7))), "[0, 3, 1, [2, 4]]"),
    ],
)
def test_what_an_order_is_called(order, words):
    assert in_words(order) == words


def test_brackets():
    assert bracketed(pairwise(3)) == "[0 to 2]"
    assert bracketed(in_lanes(20, 4)) == "[0 to 16 by 4, [1 to 17 by 4], [2 to 18 by 4, [3 to 19 by 4]]]"
    assert bracketed(Order(6, ((0, 1), (6, 5), (2, 3), (7, 8), (9, 4)))) == "[0, 1, 5, [2, 3], 4]"
    assert bracketed(reversed_sequence(2000)).count("[") == 1999


def test_bias_and_products():
    asked = Asked("mine:linear", "linear", (1, 8, 1), bias=True)
    first = Order(9, ((0, 8), *((place, place - 8) for place in range(9, 16))))
    assert way_in_words(asked, Accumulation(first, FP32, frozenset(range(8)))) == [
        "order: one after another",
        "bias: first",
        "products: all fused",
        "sums: in fp32; at most 8 one upon another",
    ]
    last = Accumulation(sequential(9), FP32, frozenset(range(1, 8)), from_zero=True)
    assert way_in_words(asked, last)[1:] == [
        "bias: last",
        "products: fused, but 1 of 8, which are rounded",
        "sums: in fp32, begun with +0; at most 8 one upon another",
    ]


def test_a_mean():
    way = Accumulation(sequential(8), FP32, scaling=Scaling.DIVIDED)
    assert (
        way_in_words(Asked("mine:mean", "mean", (8,)), way)[-1] == "mean: divided by the number of terms"
    )
