"""Netlists from PyTorch modules."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from spikeproof.circuits.doors.pytorch import from_torch
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.running.discharge import discharge
from tests.support.netlists import all_inputs


class Spiking(torch.nn.Module):
    """An integrate-and-fire layer from rest."""

    def __init__(self, threshold):
        super().__init__()
        self.v_threshold = threshold

    def forward(self, x):
        return (x >= self.v_threshold).to(x.dtype)


class Strict(Spiking):
    """Fires only above the threshold, as snnTorch's neurons do."""

    def forward(self, x):
        return (x > self.v_threshold).to(x.dtype)


class Leaky(Spiking):
    """Takes in only a part of its input, as SpikingJelly's LIFNode does."""

    def forward(self, x):
        return (x / 2 >= self.v_threshold).to(x.dtype)


def linear(weights, biases=None):
    layer = torch.nn.Linear(len(weights[0]), len(weights), bias=biases is not None)
    layer.weight.data = torch.tensor(weights)
    if biases is not None:
        layer.bias.data = torch.tensor(biases)
    return layer


def xor_module(threshold=0.5):
    """XOR as OR and NAND, then AND: two layers."""
    return torch.nn.Sequential(
        linear([[1.0, 1.0], [-1.0, -1.0]], [0.0, 2.0]),
        Spiking(threshold),
        linear([[1.0, 1.0]], [-1.0]),
        Spiking(threshold),
    )


def test_a_torch_module_is_proved_like_any_circuit():
    netlist = from_torch(xor_module(), {"a": 1, "b": 1}, {"out": 1})
    assert discharge(catalogue()["cell.ionic.xor"], circuit=netlist).green
    assert not discharge(catalogue()["cell.ionic.or"], circuit=netlist).green
    same = gate_netlist("nexus", "xor")
    inputs = all_inputs(same)
    outputs = (boolean.evaluate(n, inputs)["out"] for n in (netlist, same))
    assert np.array_equal(*outputs)


def test_sums_that_a_module_rounds_are_refused_where_no_sample_would_show_it():
    """x < y of 32 bits: in float32 wrong where they are close, in float64 right."""
    places = [2.0**place for place in range(32)]
    weights = [[-place for place in places] + places]
    module = torch.nn.Sequential(linear(weights), Spiking(0.5))
    buses = {"x": 32, "y": 32}, {"out": 1}
    with pytest.raises(NetlistError, match="may round sums of a neuron's weights in float32"):
        from_torch(module, *buses)
    netlist = from_torch(module.double(), *buses)
    x = np.array([2**31 - 1, 2**32 - 2, 7], dtype=np.uint64)
    found = boolean.evaluate(netlist, {"x": x, "y": x + np.uint64(1)})["out"]
    assert found.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("weights", "threshold", "kind"),
    [
        ([[3.0 * 2**place for place in range(23)]], 18000004.0, torch.float32),  # 18000003 is rounded
        ([[2046.0, 9.0]], 2056.0, torch.float16),  # so is 2055
        ([[65504.0, 32.0]], 1.0, torch.float16),
        ([[2.0**15, 2.0**15, -(2.0**15), -(2.0**15)]], 1.0, torch.float16),  # infinite on the way
        ([[2.0**-140, 2.0**-140]], 2.0**-100, torch.float32),  # 0 where subnormals are flushed
    ],
)
def test_sums_that_no_sample_need_show_are_refused(weights, threshold, kind):
    module = torch.nn.Sequential(linear(weights).to(kind), Spiking(threshold))
    with pytest.raises(NetlistError, match="may round sums of a neuron's weights"):
        from_torch(module, {"x": len(weights[0])}, {"out": 1})


def test_sums_of_one_large_unit_are_exact():
    """Multiples of 2^20, no more of them than a significand counts."""
    module = torch.nn.Sequential(linear([[3.0 * 2**20, 5.0 * 2**20, 0.0]]), Spiking(2.0**22))
    from_torch(module, {"x": 3}, {"out": 1})


@pytest.mark.parametrize("excess", [0, 1])
def test_sums_of_just_as_many_bits_as_a_significand_has_are_exact(excess):
    """float16 has 11 bits: all integers up to 2^11 are exact, and 2^11 + 1 is not."""
    module = torch.nn.Sequential(linear([[1.0, 2.0**11 - 1 + excess]]).half(), Spiking(1.0))
    if excess:
        with pytest.raises(NetlistError, match="in float16"):
            from_torch(module, {"a": 1, "b": 1}, {"out": 1})
    else:
        from_torch(module, {"a": 1, "b": 1}, {"out": 1})


def test_a_layer_used_twice_counts_twice():
    inverter, fire = linear([[-1.0]], [1.0]), Spiking(0.5)
    twice = from_torch(torch.nn.Sequential(inverter, fire, inverter, fire), {"a": 1}, {"out": 1})
    assert boolean.evaluate(twice, {"a": np.array([0, 1])})["out"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("module", "outputs", "message"),
    [
        (torch.nn.Sequential(), 1, "needs pairs of a Linear and a spiking layer"),
        (torch.nn.Sequential(linear([[1.0, 1.0]])), 1, "needs pairs"),
        (torch.nn.Sequential(Spiking(1.0), linear([[1.0]])), 1, "expected torch.nn.Linear"),
        (torch.nn.Sequential(linear([[1.0]]), Spiking(1.0)), 1, "a layer reads 1 signals, 2"),
        (torch.nn.Sequential(linear([[1.0, 1.0]]), torch.nn.ReLU()), 1, "ReLU has no v_threshold"),
        (torch.nn.Sequential(linear([[1.0, 1.0]]), Strict(1.0)), 1, "for instance for a = 1, b = 0"),
        (torch.nn.Sequential(linear([[1.0, 1.0]]), Leaky(1.0)), 1, "does not fire iff"),
        (torch.nn.Sequential(linear([[0.1, 0.7]]), Spiking(0.8)), 1, "may round sums .* in float32"),
        (torch.nn.Sequential(linear([[1.0, 1.0]]), Spiking(0.7)), 1, "0.7, which the module rounds"),
        (torch.nn.Sequential(linear([[1.0, 1.0]], [2.0**-24]), Spiking(1.0)), 1, "module.double()"),
        (Strict(1.0), 1, "expected torch.nn.Sequential, found Strict"),
        (xor_module(float("nan")), 1, "v_threshold is nan; use a finite number"),
        (xor_module(), 2, "the outputs have 2 bits, the last layer 1 neurons"),
    ],
)
def test_other_modules_are_refused(module, outputs, message):
    with pytest.raises(NetlistError, match=message):
        from_torch(module, {"a": 1, "b": 1}, {"out": outputs})


def test_importing_a_door_loads_no_foreign_library():
    doors = "import spikeproof.circuits.doors.json, spikeproof.circuits.doors.pytorch"
    command = f"import sys; {doors}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)
