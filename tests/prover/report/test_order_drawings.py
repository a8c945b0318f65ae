"""Drawings of orders: what is drawn, and that files are."""

import numpy as np
import pytest

import spikeproof
from spikeproof.prover.report.order_drawings import MOST_BOXES, _boxes, _tree, drawing
from spikeproof.prover.running.accumulations import Accumulation
from spikeproof.prover.running.orders import Found
from spikeproof.specs.formats import FP32
from spikeproof.specs.orders import (
    grown,
    in_blocks,
    in_lanes,
    in_pairs,
    in_sequence,
    pairwise,
    sequential,
)


def texts(order, bias=None):
    return [each.text for each in _boxes(_tree(Found(Accumulation(order, FP32), 1, 0), bias))]


def test_of_few_terms_each_is_drawn():
    assert texts(pairwise(5)) == ["0", "1", "2", "3", "4"]
    assert texts(sequential(3), bias=2) == ["0", "1", "bias"]


def test_a_sequence():
    assert texts(sequential(4096)) == ["0", "1 to 4095\neach in turn"]


def test_lanes_and_blocks_are_boxes():
    assert texts(in_lanes(64, 4))[1] == "1 to 61 by 4\n16 terms, one after another"
    assert texts(in_blocks(100, 40)) == [
        "0 to 39\n40 terms, one after another",
        "40 to 79\n40 terms, one after another",
        "80 to 99\n20 terms, one after another",
    ]


def test_of_many_blocks_some_are_drawn():
    found = texts(in_blocks(1024, 32))
    assert len(found) == 9
    assert found[6] == "... 24 more, each of 32 terms, in turn"


def test_last_terms_are_one_box():
    order = grown(103, lambda places, add: in_sequence([in_pairs(places[:96], add), *places[96:]], add))
    assert texts(order)[-1] == "96 to 102\neach in turn"


@pytest.mark.parametrize(
    "order",
    [
        pairwise(1024),
        sequential(1024),
        in_lanes(1024, 128),
        in_blocks(1024, 64, in_pairs, in_pairs),
        in_lanes(1000, 16, in_sequence),
    ],
)
def test_no_drawing_has_very_many_parts(order):
    assert 1 <= len(texts(order)) <= 2 * MOST_BOXES


@pytest.mark.parametrize(
    ("suffix", "begun"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_files(suffix, begun):
    record = spikeproof.revealed_order(np.sum, (40,), results=7)
    assert drawing([record], suffix).startswith(begun)
