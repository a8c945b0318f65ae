"""Netlists evaluated level by level, as products of matrices: as plain evaluation has them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean, matrices
from spikeproof.circuits.netlist import NetlistBuilder
from tests.support.circuits import GATES_AND_BLOCKS, assert_same_outputs
from tests.support.netlists import all_inputs, netlists

EVERY = {"x": np.arange(64, dtype=np.uint64)}


def assert_agreement(netlist, inputs):
    found = matrices.evaluate(netlist, inputs)
    assert_same_outputs(found, boolean.evaluate(netlist, inputs), "matrices")


def weighted(weights, threshold):
    """A neuron that reads the bits of x."""
    builder = NetlistBuilder()
    x = builder.input("x", len(weights))
    fires = builder.neuron(list(zip(x, weights, strict=True)), threshold)
    return builder.build({"result": (fires,)})


@pytest.mark.parametrize("netlist", GATES_AND_BLOCKS)
def test_every_gate_and_block(netlist):
    assert_agreement(netlist, all_inputs(netlist))


@given(netlists())
def test_random_netlists(netlist):
    assert_agreement(netlist, all_inputs(netlist))


@given(
    st.lists(st.integers(-(1 << 60), 1 << 60), min_size=6, max_size=6),
    st.integers(0, 60),
    st.integers(0, 63),
)
def test_weights_of_any_size_beside_the_threshold(weights, lost, chosen):
    """The threshold is one of the sums, and half a unit above it: what is rounded would be told."""
    weights = [weight >> lost for weight in weights]
    total = sum(weight for place, weight in enumerate(weights) if chosen >> place & 1)
    for threshold in (total, total + Fraction(1, 2)):
        netlist = weighted(weights, threshold)
        sums = [sum(weight for place, weight in enumerate(weights) if x >> place & 1) for x in range(64)]
        found = matrices.evaluate(netlist, EVERY)["result"]
        assert found.tolist() == [each >= threshold for each in sums]


@pytest.mark.parametrize("netlist", GATES_AND_BLOCKS[::3])
def test_neurons_one_by_one_where_matrices_would_be_large(netlist, monkeypatch):
    monkeypatch.setattr(matrices, "DENSEST", 1)
    monkeypatch.setattr(matrices, "ONE_BY_ONE", 3 * netlist.signal_count)
    assert_agreement(netlist, all_inputs(netlist))


def test_numbers_that_a_type_does_not_hold_are_not_trusted_to_it(monkeypatch):
    """The limits are needed: beyond them this evaluation would be wrong."""
    netlist = weighted([1 << 24, 1, 1, 0, 0, 0], (1 << 24) + 2)
    right = [x & 7 == 7 for x in range(64)]
    assert matrices.evaluate(netlist, EVERY)["result"].tolist() == right
    monkeypatch.setattr(matrices, "HELD", {np.float32: 1 << 40})
    assert matrices.evaluate(netlist, EVERY)["result"].tolist() != right


@pytest.mark.parametrize(
    "count", [0, 1, matrices.TOGETHER - 1, matrices.TOGETHER, 3 * matrices.TOGETHER + 5]
)
def test_any_number_of_inputs(count):
    netlist = weighted([1, 2, -4, 8, 16, 3], 5)
    words = np.arange(count, dtype=np.uint64) % np.uint64(64)
    assert_agreement(netlist, {"x": words})


def test_signals_that_are_the_same_on_all_inputs_of_a_block():
    """Of a block of consecutive numbers the upper bits, and comparisons with numbers outside of it."""
    builder = NetlistBuilder()
    bits = list(zip(builder.input("x", 12), (1 << place for place in range(12)), strict=True))
    ends = [builder.neuron(bits, end) for end in (5, 1500, 1501, 2600, 3000, 4095)]
    read = [*zip(ends, (3, -7, 5, 2, -4, 6), strict=True), *((bit, weight % 5) for bit, weight in bits)]
    netlist = builder.build({"result": tuple(builder.neuron(read, total) for total in range(-4, 21))})
    assert_agreement(netlist, all_inputs(netlist))


def test_sums_that_no_type_holds_are_left_to_plain_evaluation():
    netlist = weighted([1 << 53, 1, 0, 0, 0, 0], (1 << 53) + 1)
    assert matrices._levels(netlist) is None
    assert matrices.evaluate(netlist, EVERY)["result"].tolist() == [x & 3 == 3 for x in range(64)]
