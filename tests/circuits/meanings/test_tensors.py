"""The simulator on PyTorch tensors computes what the compiled one does, on whatever device there is."""

import numpy as np
import pytest
from hypothesis import given, settings

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.tensors import TensorSimulator
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.formats import FP16, OverflowPolicy, RoundingMode
from tests.support.circuits import GATES_AND_BLOCKS, assert_same_outputs
from tests.support.devices import DEVICES
from tests.support.netlists import all_inputs, netlists


def assert_agreement(netlist, inputs, device):
    wanted = BitSlicedSimulator(netlist, threads=1).evaluate(inputs)
    assert_same_outputs(TensorSimulator(netlist, device).evaluate(inputs), wanted, str(device))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("netlist", GATES_AND_BLOCKS[::3])
def test_on_gates_and_blocks_with_every_input(netlist, device):
    assert_agreement(netlist, all_inputs(netlist), device)


@settings(max_examples=30)
@given(netlists())
def test_on_random_netlists_with_every_input(netlist):
    assert_agreement(netlist, all_inputs(netlist), None)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("operation", ["add", "multiply", "fma"])
def test_on_units_of_fp16(operation, device):
    netlist = build_unit(operation, FP16, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, "threshold")
    codes = many_codes(FP16, 5001, seed=2, operands=len(netlist.inputs))
    assert_agreement(netlist, dict(zip(netlist.inputs, codes, strict=True)), device)


def test_inputs_that_do_not_suit_are_refused():
    netlist = build_unit("add", FP16, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, "threshold")
    with pytest.raises(ValueError, match="the netlist has"):
        TensorSimulator(netlist).evaluate({"x": np.array([1])})
    with pytest.raises(ValueError, match="to fit 16 bits"):
        TensorSimulator(netlist).evaluate({"x": np.array([1 << 16]), "y": np.array([0])})
    with pytest.raises(ValueError, match="give all the same"):
        TensorSimulator(netlist).evaluate({"x": np.array([1]), "y": np.array([0, 1])})


def test_a_fault_in_the_logic_would_be_noticed():
    """One AND read as XOR gives other results than the circuit."""
    netlist = build_unit("add", FP16, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, "threshold")
    x, y = many_codes(FP16, 5000, seed=2)
    simulator = TensorSimulator(netlist)
    function = simulator._function
    node = next(n for n in function._live if function._operation(n)[0] == "and")
    _, a, b = function._operation(node)
    function._logic.operations[node - 1 - function.inputs] = ("xor", a, b)
    wanted = boolean.evaluate(netlist, {"x": x, "y": y})["result"]
    assert not np.array_equal(simulator.evaluate({"x": x, "y": y})["result"], wanted)
