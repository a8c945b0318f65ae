"""Depths of sums of products: against circuits that are put together from units, and by hand."""

import pytest

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.report.latency import SumOfProducts, output_times

MULTIPLY, ADD = (theorem(f"fp4_e2m1.{each}.rne.saturate").circuit() for each in ("multiply", "add"))
ADDED_LAST = {"tree": [(0, 1), (2, 3), (4, 5)], "chain": [(0, 1), (4, 2), (5, 3)]}
"""Of four products which are added, and sums behind them."""


def put_together(order):
    """Four products and their sum as one netlist."""
    width = sum(MULTIPLY.inputs.values())
    neurons, results = [], []

    def instance(unit, sources):
        first = 4 * width + len(neurons)
        signal = [*sources, *range(first, first + len(unit.neurons))]
        for neuron in unit.neurons:
            synapses = tuple((signal[source], weight) for source, weight in neuron.synapses)
            neurons.append(Neuron(synapses, neuron.threshold, neuron.bias))
        results.append([signal[s] if s >= 0 else s for s in unit.outputs["result"]])

    for number in range(4):
        instance(MULTIPLY, range(number * width, (number + 1) * width))
    for x, y in order:
        instance(ADD, [*results[x], *results[y]])
    return Netlist({"in": 4 * width}, tuple(neurons), {"result": tuple(results[-1])})


@pytest.mark.parametrize("order", ADDED_LAST)
def test_depths_are_those_of_the_whole_circuit(order):
    whole = put_together(ADDED_LAST[order])
    assert getattr(SumOfProducts(MULTIPLY, ADD), order)(4) == whole.statistics.depth


def test_bits_that_come_late_make_their_readers_late():
    netlist = Netlist({"x": 2}, (Neuron(((0, 1),), 1), Neuron(((1, 1), (2, 1)), 1)), {"out": (2, 3)})
    assert output_times(netlist, {"x": (0, 0)}) == {"out": (1, 2)}
    assert output_times(netlist, {"x": (0, 7)}) == {"out": (1, 8)}
    assert output_times(netlist, {"x": (7, 0)}) == {"out": (8, 9)}


def test_what_is_left_over_waits():
    sums = SumOfProducts(MULTIPLY, ADD)
    assert sums.tree(1) == sums.chain(1) == MULTIPLY.statistics.depth
    assert sums.tree(2) == sums.chain(2)
    assert sums.tree(3) == sums.tree(4) == sums.chain(3) < sums.chain(4)
    assert sums.tree(5) == sums.tree(8)
