"""What redundant remainders and digits come to: neurons read places, or are refused."""

from dataclasses import replace

import pytest

from spikeproof.circuits.netlist import UNUSED
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, REDUNDANT
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.cells import AlgebraError, cone
from spikeproof.prover.kernel.settling import last_range, settled_quotient, settled_remainder, whole
from spikeproof.prover.refutation.mutation import with_neuron

MOST, SIZES = 3, (2, 2, 1)
"""Of a divisor of 3 bits, by rows of two bits: what a place is at most; and rows, from the last on."""


def netlist_and_cell(kind):
    netlist = block_netlist(DEFAULT_LIBRARY, "divide", {"x": 3, "y": 3}, REDUNDANT[4])
    (cell,) = (each for each in netlist.cells if each.kind == kind)
    return netlist, cell


def claim(netlist, cell):
    if cell.kind == "settled_remainder":
        return settled_remainder(netlist, cell, MOST)
    return settled_quotient(netlist, cell, SIZES)


BOTH = pytest.mark.parametrize("kind", ["settled_remainder", "settled_quotient"])


@BOTH
def test_every_other_weight_is_refused_or_refuted(kind):
    """Of the first synapse of each neuron."""
    netlist, cell = netlist_and_cell(kind)
    known = {signal for bus in cell.inputs.values() for signal in bus}
    refused = refuted = 0
    for signal in cone(netlist, cell.name, cell.outputs, known):
        neuron = netlist.neurons[signal - netlist.input_count]
        (source, weight), *others = neuron.synapses
        other = replace(neuron, synapses=((source, -weight), *others))
        try:
            found = claim(with_neuron(netlist, signal, other), cell)
        except AlgebraError:
            refused += 1
        else:
            answer = ENGINES["cadical"].check([*found.negation], 60)
            refuted += answer.status is Status.SATISFIABLE
    assert refused
    assert refuted > 1


@BOTH
def test_bits_that_nothing_reads_are_refused(kind):
    netlist, cell = netlist_and_cell(kind)
    bus = cell.inputs.keys() - {"divisor", "positive"}
    inputs = {name: (UNUSED, *each[1:]) if name in bus else each for name, each in cell.inputs.items()}
    with pytest.raises(AlgebraError, match="that nothing reads"):
        claim(netlist, replace(cell, inputs=inputs))


def test_a_last_place_is_what_the_number_leaves_it():
    unit, below = 8, (-3, 14)
    possible = [
        last
        for last in range(-9, 9)
        if any(-unit < last * unit + each < unit for each in range(below[0], below[1] + 1))
    ]
    assert last_range(below, (-9, 9), unit) == (min(possible), max(possible))
    assert last_range(below, (-1, 0), unit) == (-1, 0)


def test_places_are_worth_twice_the_one_before():
    a, b = frozenset({7}), frozenset({9})
    assert whole([{a: 1}, {a: 1, b: -1}, {b: 3}]) == {a: 3, b: 10}
