"""Netlists on two rails: no inhibition, right values, and beside each its complement."""

from fractions import Fraction

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import UNUSED, Netlist, NetlistError, Neuron
from spikeproof.circuits.units.dual_rail import (
    COMPLEMENT,
    dual_rail_netlist,
    rails,
    with_complements,
    without_complements,
)
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    FAST,
    GATE_INPUTS,
    SMALL,
    WIDE_GATES,
    DualRail,
    gate_netlist,
    wide_gate_netlist,
)
from spikeproof.proofs.blocks import input_widths
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs import integers
from spikeproof.specs.formats import FORMATS, FP8_E4M3FN, SMALL_FORMATS, RoundingMode
from tests.support.netlists import all_inputs

NEAREST = RoundingMode.NEAREST_EVEN
HALF = Fraction(1, 2)


def unit(operation, fmt=FP8_E4M3FN, library=DualRail.name, structure=SMALL):
    return build_unit(operation, fmt, NEAREST, fmt.policies[0], library, structure=structure)


def on_rails(netlist, words):
    """Inputs of the netlist on two rails."""
    widths = netlist.inputs
    return words | {
        name + COMPLEMENT: np.uint64((1 << widths[name]) - 1) ^ word for name, word in words.items()
    }


def assert_right_on_both_rails(netlist, words=None):
    """Every signal, and its complement, whether outputs or not."""
    words = words or all_inputs(netlist)
    dual = dual_rail_netlist(netlist)
    single = boolean.evaluate_signals(netlist, words)
    double = boolean.evaluate_signals(dual, on_rails(netlist, words))
    for signal, (value, complement) in rails(netlist).items():
        assert np.array_equal(double[value], single[signal])
        assert np.array_equal(double[complement], ~single[signal])
    for name, bus in netlist.outputs.items():
        assert dual.outputs[name] == tuple(rails(netlist)[signal][0] for signal in bus)
        assert dual.outputs[name + COMPLEMENT] == tuple(rails(netlist)[signal][1] for signal in bus)


GATES = {gate: gate_netlist("threshold", gate) for gate in GATE_INPUTS} | {
    gate: wide_gate_netlist("threshold", gate, 5) for gate in WIDE_GATES
}


@pytest.mark.parametrize("netlist", GATES.values(), ids=GATES)
def test_gates_are_right_on_both_rails(netlist):
    assert_right_on_both_rails(netlist)


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_units_are_right_on_both_rails(operation):
    assert_right_on_both_rails(unit(operation, library="threshold"))


def test_the_library_makes_the_netlist_of_the_default_one_on_two_rails():
    for operation in OPERATIONS:
        assert unit(operation) == dual_rail_netlist(unit(operation, library="threshold"))
    for gate in GATE_INPUTS:
        assert gate_netlist(DualRail.name, gate) == dual_rail_netlist(GATES[gate])


# --- size ---------------------------------------------------------------------------------------


def test_gates_have_few_neurons_and_a_not_has_none():
    neurons = {gate: gate_netlist(DualRail.name, gate).statistics.neurons for gate in GATE_INPUTS}
    assert neurons == {
        **{"and": 2, "or": 2, "not": 0, "xor": 4, "mux": 4},
        **{"majority": 2, "half_adder": 4, "full_adder": 4},
    }
    inverter = gate_netlist(DualRail.name, "not")
    assert inverter.outputs == {"out": (1,), "out_complement": (0,)}
    assert list(inverter.inputs) == ["a", "a_complement"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_units_have_at_most_twice_the_neurons_of_one_rail_and_fewer_than_nexus(operation):
    neurons = unit(operation).statistics.neurons
    assert neurons <= 2 * unit(operation, library="threshold").statistics.neurons
    assert neurons < unit(operation, library="nexus").statistics.neurons
    assert unit(operation).statistics.depth <= unit(operation, library="threshold").statistics.depth


# --- no inhibition ------------------------------------------------------------------------------


def netlists():
    """Gates, blocks and units, of either structure and in every mode."""
    yield from (gate_netlist(DualRail.name, gate) for gate in GATE_INPUTS)
    yield from (wide_gate_netlist(DualRail.name, gate, 5) for gate in WIDE_GATES)
    for structure in (SMALL, FAST):
        for kind in integers.BLOCKS:
            yield block_netlist(DualRail.name, kind, input_widths(4)[kind], structure)
        yield from (unit(operation, FP8_E4M3FN, structure=structure) for operation in OPERATIONS)
    yield from (unit("add", fmt) for fmt in FORMATS.values())
    for mode in RoundingMode:
        fmt = SMALL_FORMATS[-1]
        yield from (build_unit(o, fmt, mode, fmt.policies[0], DualRail.name) for o in OPERATIONS)


def test_no_weight_is_negative_and_nothing_fires_by_itself():
    """Weights are 1 or 2, as the library says; a bias only drives what is a constant."""
    for netlist in netlists():
        for neuron in netlist.neurons:
            assert {weight for _, weight in neuron.synapses} <= DualRail.allowed_weights
            assert neuron.threshold > 0
            assert neuron.bias == 0 or not neuron.synapses


# --- what netlists there may be -----------------------------------------------------------------


def netlist_of(*neurons, outputs=None, **more):
    first = 2
    made = tuple(Neuron(synapses, threshold, bias) for synapses, threshold, bias in neurons)
    last = first + len(made) - 1
    return Netlist({"x": 2}, made, outputs or {"out": (last,)}, **more)


INVERTED = (((0, -1),), -HALF, 0)
"""Signal 2: not x[0]."""

ODD_NEURONS = {
    "a constant": ((), HALF, 0),
    "the other constant": ((), HALF, 1),
    "a signal and its inverse": (((0, 1), (2, 1)), 1 + HALF, 0),
    "a signal less its inverse": (((0, 1), (2, -1)), HALF, 0),
    "what that never reaches": (((0, 1), (2, -1)), 1 + HALF, 0),
    "what that always reaches": (((0, 1), (2, -1)), -1 - HALF, 0),
    "a bias": (((0, -3), (1, 2)), HALF, 1),
    "a large weight": (((1, 7),), 3 + HALF, 0),
}


@pytest.mark.parametrize("neuron", ODD_NEURONS.values(), ids=ODD_NEURONS)
def test_any_neuron_with_integer_weights_and_a_threshold_between_sums(neuron):
    assert_right_on_both_rails(netlist_of(INVERTED, neuron))
    synapses, threshold, bias = neuron
    behind = (((3, -1), (1, 1)), -HALF, 0)
    assert_right_on_both_rails(netlist_of(INVERTED, (synapses, threshold, bias), behind))


@pytest.mark.parametrize(
    "neuron",
    [(((0, 1), (1, 1)), 1, 0), (((0, HALF), (1, HALF)), Fraction(3, 4), 0), (((0, -1),), 1, 1)],
    ids=["a sum is the threshold", "halves", "a sum is the threshold less the bias"],
)
def test_other_neurons_are_refused(neuron):
    with pytest.raises(NetlistError, match="no dual rail; use integer weights"):
        dual_rail_netlist(netlist_of(neuron))


def test_what_no_output_depends_on_is_left_out():
    netlist = netlist_of(
        (((0, 1), (1, 1)), HALF, 0),
        (((0, 1), (1, 1)), 1 + HALF, 0),
        probes={"both": (3, 2), "constant": (-2, -3)},
        outputs={"out": (2,)},
    )
    dual = dual_rail_netlist(netlist)
    assert dual.statistics.neurons == 2
    assert dual.probes == {"both": (UNUSED, 4), "constant": (-2, -3)}


def test_buses_of_complements_are_known_by_their_names():
    single = {"x": 4, "y": 1}
    assert list(with_complements(single)) == ["x", "y", "x_complement", "y_complement"]
    assert without_complements(with_complements(single)) == single
    assert without_complements({"x_complement": 2}) == {"x_complement": 2}
