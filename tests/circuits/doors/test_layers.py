"""Layers of spiking neurons, as PyTorch's libraries and users write them: what is imported of them."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from pysmt.shortcuts import BV, BVUGE, BVUGT, Ite

from spikeproof.api import check
from spikeproof.circuits.doors.modules import from_module
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge
from tests.support.netlists import all_inputs
from tests.support.spiking import Spiking, Strict, comparator, linear, xor_module

TWO_BITS = {"a": 1, "b": 1}, {"out": 1}


def test_a_torch_module_is_proved_like_any_circuit():
    netlist = from_module(xor_module(), *TWO_BITS)
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
    with pytest.raises(NetlistError, match="a sum that float32 may round"):
        from_module(module, *buses)
    netlist = from_module(module.double(), *buses)
    x = np.array([2**31 - 1, 2**32 - 2, 7], dtype=np.uint64)
    found = boolean.evaluate(netlist, {"x": x, "y": x + np.uint64(1)})["out"]
    assert found.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("weights", "threshold", "kind", "words"),
    [
        ([[3.0 * 2**place for place in range(23)]], 18000004.0, torch.float32, "may round"),  # 18000003
        ([[2046.0, 9.0]], 2056.0, torch.float16, "may round"),  # 2055
        ([[65504.0, 32.0]], 1.0, torch.float16, "does not hold"),
        (
            [[2.0**15, 2.0**15, -(2.0**15), -(2.0**15)]],
            1.0,
            torch.float16,
            "does not hold",
        ),  # on the way
        ([[2.0**-140, 2.0**-140]], 2.0**-100, torch.float32, "may round"),  # 0 where they are flushed
    ],
)
def test_sums_that_no_sample_need_show_are_refused(weights, threshold, kind, words):
    module = torch.nn.Sequential(linear(weights).to(kind), Spiking(threshold))
    with pytest.raises(NetlistError, match=rf"a sum (with \d+ )?that float(16|32) {words}"):
        from_module(module, {"x": len(weights[0])}, {"out": 1})


def test_sums_of_one_large_unit_are_exact():
    """Multiples of 2^20, no more of them than a significand counts."""
    module = torch.nn.Sequential(linear([[3.0 * 2**20, 5.0 * 2**20, 0.0]]), Spiking(2.0**22))
    from_module(module, {"x": 3}, {"out": 1})


@pytest.mark.parametrize("excess", [0, 1])
def test_sums_of_just_as_many_bits_as_a_significand_has_are_exact(excess):
    """float16 has 11 bits: all integers up to 2^11 are exact, and 2^11 + 1 is not."""
    module = torch.nn.Sequential(linear([[1.0, 2.0**11 - 1 + excess]]).half(), Spiking(1.0))
    if excess:
        with pytest.raises(NetlistError, match="float16 may round"):
            from_module(module, *TWO_BITS)
    else:
        from_module(module, *TWO_BITS)


def test_a_layer_used_twice_counts_twice():
    inverter, fire = linear([[-1.0]], [1.0]), Spiking(0.5)
    twice = from_module(torch.nn.Sequential(inverter, fire, inverter, fire), {"a": 1}, {"out": 1})
    assert boolean.evaluate(twice, {"a": np.array([0, 1])})["out"].tolist() == [0, 1]


def test_a_strict_comparison_is_imported_as_it_is():
    """x > y, where x >= y was once proved of it."""
    circuit = from_module(comparator(10, Strict(0.0)), {"x": 10, "y": 10}, {"out": 1})

    def at_least(x, y):
        return {"out": Ite(BVUGE(x, y), BV(1, 1), BV(0, 1))}

    def above(x, y):
        return {"out": Ite(BVUGT(x, y), BV(1, 1), BV(0, 1))}

    assert check(circuit, lambda buses: at_least(**buses)).outcome is Outcome.REFUTED
    assert check(circuit, lambda buses: above(**buses)).outcome is Outcome.PROVED


@pytest.mark.parametrize("threshold", [1.0, 0.5, 0.0, 2.0, -1.0, 3.0])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("layer", [Spiking, Strict])
def test_both_comparisons_are_imported_exactly(layer, threshold, kind):
    module = torch.nn.Sequential(linear([[1.0, 1.0], [1.0, -0.5]]), layer(threshold)).to(kind)
    netlist = from_module(module, {"a": 1, "b": 1}, {"out": 2})
    found = boolean.evaluate(netlist, all_inputs(netlist))["out"]
    a, b = (np.array(all_inputs(netlist)[name]).astype(float) for name in "ab")
    fires = np.greater_equal if layer is Spiking else np.greater
    assert found.tolist() == (fires(a + b, threshold) + 2 * fires(a - b / 2, threshold)).tolist()


# --- layers of another rule are imported as they are ---------------------------------------------


class OneStrict(Spiking):
    """Fires at its threshold, but for one neuron."""

    def forward(self, x):
        return torch.where(
            torch.arange(x.shape[1]) == 1, x > self.v_threshold, x >= self.v_threshold
        ).to(x)


class Band(Spiking):
    """Does not fire if driven hard."""

    def forward(self, x):
        return ((x >= self.v_threshold) & (x < 100 * self.v_threshold)).to(x)


class Saturating(Spiking):
    """Does not fire at the one highest drive there is."""

    def forward(self, x):
        return ((x >= self.v_threshold) & (x < 2**5 - 1)).to(x)


class Resting(Spiking):
    """Fires without a drive too, which is neither an end nor a power of two away from the threshold."""

    def forward(self, x):
        return ((x >= self.v_threshold) | (x == 0)).to(x)


class InPlace(Spiking):
    """Takes in only a part of its input, and leaves that where the input was."""

    def forward(self, x):
        x /= 2
        return (x >= self.v_threshold).to(x)


class Exclusive(Spiking):
    """The first neuron keeps the others from firing just at their threshold."""

    def forward(self, x):
        others = torch.cat([x[:, :1], x[:, 1:] - 0.25 * (x[:, :1] >= self.v_threshold)], dim=1)
        return (others >= self.v_threshold).to(x)


def two(spiking, bits=5):
    """Two neurons that are both driven with x - y."""
    places = [2.0**place for place in range(bits)]
    row = [*places, *(-place for place in places)]
    return torch.nn.Sequential(linear([row, row]), spiking).double()


@pytest.mark.parametrize("threshold", [1.0, 5.0])
@pytest.mark.parametrize("layer", [OneStrict, Band, Saturating, Resting, InPlace, Exclusive])
def test_a_layer_of_another_rule_is_imported_as_it_is(layer, threshold):
    module = two(layer(threshold))
    netlist = from_module(module, {"x": 5, "y": 5}, {"out": 2})
    inputs = all_inputs(netlist)
    drives = (inputs["x"].astype(int) - inputs["y"].astype(int))[:, None].repeat(2, axis=1)
    expected = layer(threshold)(torch.from_numpy(drives).double()).bool().numpy()
    assert np.array_equal(boolean.evaluate(netlist, inputs)["out"], expected @ [1, 2])


# --- states, modes and rows ----------------------------------------------------------------------


class StrictInEvaluation(Spiking):
    """Has another rule once it is trained."""

    def forward(self, x):
        return ((x >= self.v_threshold) if self.training else (x > self.v_threshold)).to(x)


class StrictAlone(Spiking):
    """Has another rule for a single row."""

    def forward(self, x):
        return ((x > self.v_threshold) if len(x) == 1 else (x >= self.v_threshold)).to(x)


class Stepping(Spiking):
    """Multi-step mode: rows are time steps."""

    def forward(self, x):
        v, fired = torch.zeros_like(x[0]), []
        for drive in x:
            v = v + drive
            fired.append(v >= self.v_threshold)
            v = torch.where(fired[-1], 0, v)
        return torch.stack(fired).to(x)


class RoundedInEvaluation(torch.nn.Module):
    def forward(self, weights):
        return weights if self.training else torch.round(weights)


def rounded(module):
    torch.nn.utils.parametrize.register_parametrization(module[0], "weight", RoundedInEvaluation())
    return module


def hooked(module, silenced):
    """A module whose first layer says nothing where it is silenced."""
    module[0].register_forward_hook(lambda layer, _, sums: sums * 0 if silenced(layer, sums) else sums)
    return module


MODE, ROWS = "something else in (training|evaluation)", "rows of a batch influence each other"


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rounded(torch.nn.Sequential(linear([[0.75, 0.75]]), Spiking(1.0))), MODE),
        (lambda: hooked(xor_module(), lambda layer, _: layer.training), MODE),
        (lambda: hooked(xor_module(), lambda layer, _: not layer.training), MODE),
        (lambda: hooked(xor_module(), lambda _, sums: len(sums) == 1), ROWS),
        (lambda: hooked(xor_module(), lambda _, sums: len(sums) > 1), ROWS),
        (lambda: xor_module(layer=StrictInEvaluation, threshold=1.0), MODE),
        (lambda: xor_module(layer=StrictAlone, threshold=1.0), ROWS),
        (lambda: torch.nn.Sequential(linear([[0.5, 0.5]]), Stepping(1.0)), ROWS),
    ],
    ids=["rounded", "in training", "in evaluation", "row", "batch", "strict", "alone", "stepping"],
)
def test_a_module_that_does_something_else_in_another_state_is_refused(build, message, training):
    """Found in review: parametrisations and hooks that know training from evaluation, or rows."""
    with pytest.raises(NetlistError, match=message):
        from_module(build().train(training), *TWO_BITS)


class Charging(Spiking):
    """Keeps its charge, as SpikingJelly's IFNode does; with decay, as LIFNode."""

    def __init__(self, threshold, rest=0.0, decay=1.0):
        super().__init__(threshold)
        self.rest, self.decay = rest, decay
        self.reset()

    def reset(self):
        self.v = self.rest

    def forward(self, x):
        self.v = self.v * self.decay + x
        fired = (self.v >= self.v_threshold).to(x.dtype)
        self.v = self.v - fired * self.v_threshold
        return fired


class LeakyTorch(torch.nn.Module):
    """Traits of snnTorch's Leaky: strict, ``threshold``, ``mem``."""

    def __init__(self, beta):
        super().__init__()
        self.beta = beta
        self.register_buffer("threshold", torch.tensor(1.0))
        self.register_buffer("mem", torch.zeros(0))

    def reset_mem(self):
        self.mem = torch.zeros(0)

    def forward(self, x):
        mem = self.mem if self.mem.shape == x.shape else torch.zeros_like(x)
        reset = (mem - self.threshold > 0).to(x)
        self.mem = self.beta * mem + x - reset * self.threshold
        return (self.mem - self.threshold > 0).to(x)


class Tangled(Spiking):
    """Keeps what it computed with a gradient, which PyTorch does not copy."""

    def forward(self, x):
        self.last = x
        return super().forward(x)


def ran(layer, drive, width=2):
    """A layer that was used, with gradients."""
    layer(torch.full((1, width), drive, requires_grad=True) * 1.0)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        Charging(1.0),
        Charging(1.0, decay=0.9),
        ran(Charging(1.0), 0.5),
        ran(Charging(1.0), 0.5, width=3),
        LeakyTorch(0.9),
        ran(LeakyTorch(0.9), 0.25),
        ran(LeakyTorch(0.9), 0.25, width=3),
        ran(Tangled(1.0), 0.5),
    ],
)
def test_what_a_layer_does_in_one_step_from_rest_is_imported(layer):
    """Whatever it was used for before: it is reset, and what leaks is 0 or dropped."""
    before = dict(vars(layer))
    netlist = from_module(two(layer, 10), {"x": 10, "y": 10}, {"out": 2}, reset=True)
    assert dict(vars(layer)) == before
    inputs = {"x": np.array([5, 6, 7]), "y": np.array([5, 5, 5])}
    strict = isinstance(layer, LeakyTorch)
    assert boolean.evaluate(netlist, inputs)["out"].tolist() == [0, 0 if strict else 3, 3]


def test_an_initial_potential_is_imported():
    netlist = from_module(two(Charging(1.0, rest=0.75)), {"x": 5, "y": 5}, {"out": 2}, reset=True)
    inputs = {"x": np.array([5, 5]), "y": np.array([5, 4])}
    assert boolean.evaluate(netlist, inputs)["out"].tolist() == [0, 3]


def test_a_layer_that_takes_charge_to_its_second_place_does_so_in_its_netlist():
    identity, fire = linear([[0.5, 0.0], [0.0, 0.5]]), Charging(0.75)
    module = torch.nn.Sequential(identity, fire, identity, fire)
    netlist = from_module(module, {"a": 1, "b": 1}, {"out": 2}, reset=True)
    assert boolean.evaluate(netlist, all_inputs(netlist))["out"].tolist() == [0, 0, 0, 0]
    module[1].v_threshold = 0.5
    netlist = from_module(module, {"a": 1, "b": 1}, {"out": 2}, reset=True)
    assert boolean.evaluate(netlist, all_inputs(netlist))["out"].tolist() == [0, 1, 2, 3]


def test_a_threshold_for_each_neuron_is_imported():
    layer = Spiking(torch.tensor([1.0, 2.0]))
    netlist = from_module(two(layer), {"x": 5, "y": 5}, {"out": 2})
    inputs = {"x": np.array([5, 6, 7]), "y": np.array([5, 5, 5])}
    assert boolean.evaluate(netlist, inputs)["out"].tolist() == [0, 1, 3]


def test_what_returns_no_spikes_is_refused():
    with pytest.raises(NetlistError, match="is a potential or a sum of spikes"):
        from_module(two(torch.nn.Identity()), {"x": 5, "y": 5}, {"out": 2})


def test_importing_doors_loads_no_foreign_library():
    doors = "import spikeproof.circuits.doors.json, spikeproof.circuits.doors.modules"
    command = f"import sys; {doors}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)
