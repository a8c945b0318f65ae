"""Gate libraries: the published gate sizes, the substrate's weights, thresholds midway."""

from itertools import product

import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import (
    EVERY_LIBRARY,
    GATE_INPUTS,
    gate_netlist,
    wide_gate_netlist,
)
from spikeproof.proofs.neuron_counts import neuron_counts
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import SMALL_FORMATS, RoundingMode
from tests.support.netlists import all_inputs, gate_netlists
from tests.support.profile import NIGHTLY

PUBLISHED_GATES = {
    # arXiv 2512.07724
    "ionic": {"and": 1, "or": 1, "not": 1, "xor": 2, "mux": 4, "half_adder": 3, "full_adder": 7},
    # arXiv 2601.21279; MUX is 5 in the text, 4 in the formula
    "nexus": {"and": 1, "or": 1, "not": 1, "xor": 5, "mux": 4, "half_adder": 6, "full_adder": 13},
    # the design's own
    "threshold": {"xor": 2, "mux": 2, "majority": 1, "full_adder": 2},
}


@pytest.mark.parametrize("library", PUBLISHED_GATES)
def test_gates_have_the_published_number_of_neurons(library):
    for gate, neurons in PUBLISHED_GATES[library].items():
        assert gate_netlist(library, gate).statistics.neurons == neurons, gate


def test_wide_gates_are_one_neuron_where_the_substrate_allows():
    for library in ("threshold", "ternary"):
        assert wide_gate_netlist(library, "wide_and", 40).statistics.neurons == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_units_use_only_the_weights_that_the_substrate_has(fmt, operation):
    """In one mode, another for each; in the nightly profile in all."""
    turn = SMALL_FORMATS.index(fmt) + OPERATIONS.index(operation)
    modes = list(RoundingMode) if NIGHTLY else list(RoundingMode)[turn % 6 :: 6]
    for library, mode in product(EVERY_LIBRARY, modes):
        allowed = EVERY_LIBRARY[library].allowed_weights
        if allowed is None:
            continue
        netlist = build_unit(operation, fmt, mode, fmt.policies[0], library)
        weights = {weight for neuron in netlist.neurons for _, weight in neuron.synapses}
        assert weights <= allowed


@pytest.mark.parametrize(
    "netlist", [pytest.param(netlist, id=name) for name, netlist in gate_netlists()]
)
def test_thresholds_stand_midway_between_the_sums_they_separate(netlist):
    signals = boolean.evaluate_signals(netlist, all_inputs(netlist))
    for neuron in netlist.neurons:
        columns = signals[[source for source, _ in neuron.synapses]].T
        sums = {
            neuron.bias + sum(w for (_, w), on in zip(neuron.synapses, column, strict=True) if on)
            for column in columns.tolist()
        }
        below = max(s for s in sums if s < neuron.threshold)
        above = min(s for s in sums if s >= neuron.threshold)
        assert neuron.threshold == (below + above) / 2


def test_every_library_has_every_gate():
    for library in EVERY_LIBRARY:
        for gate in GATE_INPUTS:
            assert gate_netlist(library, gate).outputs


def test_threshold_units_need_at_most_half_the_neurons_of_ionic_ones():
    found = neuron_counts()
    for operation in ("add", "subtract", "multiply", "sticky_extra_multiply"):
        assert 2 * found[operation]["threshold"] <= found[operation]["ionic"], operation
