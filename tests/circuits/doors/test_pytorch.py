"""Netlists from PyTorch modules."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from pysmt.shortcuts import BV, BVUGE, BVUGT, Ite

from spikeproof.api import check
from spikeproof.circuits.doors.pytorch import from_torch
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge
from tests.support.netlists import all_inputs
from tests.support.refusals import refused


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
        (torch.nn.Sequential(linear([[1.0, 1.0]]), torch.nn.ReLU()), 1, "ReLU has neither v_threshold"),
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


# --- spiking layers that whole inputs do not show ------------------------------------------------


def comparator(bits, *spiking):
    """Reaches a sum of 0 iff x = y, which no sample of inputs is likely to show."""
    places = [2.0**place for place in range(bits)]
    return torch.nn.Sequential(linear([[*places, *(-place for place in places)]]), *spiking).double()


def test_a_strict_comparison_is_imported_as_it_is():
    """x > y, where x >= y was once proved of it."""
    circuit = from_torch(comparator(20, Strict(0.0)), {"x": 20, "y": 20}, {"out": 1})

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
    netlist = from_torch(module, {"a": 1, "b": 1}, {"out": 2})
    found = boolean.evaluate(netlist, all_inputs(netlist))["out"]
    a, b = (np.array(all_inputs(netlist)[name]).astype(float) for name in "ab")
    fires = np.greater_equal if layer is Spiking else np.greater
    assert found.tolist() == (fires(a + b, threshold) + 2 * fires(a - b / 2, threshold)).tolist()


class OneStrict(Spiking):
    """Fires at its threshold, but for one neuron."""

    def forward(self, x):
        return torch.where(
            torch.arange(x.shape[1]) == 1, x > self.v_threshold, x >= self.v_threshold
        ).to(x)


class StrictInEvaluation(Spiking):
    """Has another rule once it is trained."""

    def forward(self, x):
        return ((x >= self.v_threshold) if self.training else (x > self.v_threshold)).to(x)


class Band(Spiking):
    """Does not fire if driven hard."""

    def forward(self, x):
        return ((x >= self.v_threshold) & (x < 1000 * self.v_threshold)).to(x)


class Saturating(Spiking):
    """Does not fire at the one highest drive there is."""

    def forward(self, x):
        return ((x >= self.v_threshold) & (x < 2**20 - 1)).to(x)


class Resting(Spiking):
    """Fires without a drive too, which is neither an end nor a power of two away from the threshold."""

    def forward(self, x):
        return ((x >= self.v_threshold) | (x == 0)).to(x)


class Gap(Spiking):
    """Does not fire a little above its threshold."""

    def forward(self, x):
        return ((x >= self.v_threshold) & ((x <= self.v_threshold + 1) | (x > 1000))).to(x)


class InPlace(Spiking):
    """Takes in only a part of its input, and leaves that where the input was."""

    def forward(self, x):
        x /= 2
        return (x >= self.v_threshold).to(x)


class StrictAlone(Spiking):
    """Has another rule for a single row."""

    def forward(self, x):
        return ((x > self.v_threshold) if len(x) == 1 else (x >= self.v_threshold)).to(x)


class Exclusive(Spiking):
    """The first neuron keeps the others from firing just at their threshold."""

    def forward(self, x):
        others = torch.cat([x[:, :1], x[:, 1:] - 0.25 * (x[:, :1] >= self.v_threshold)], dim=1)
        return (others >= self.v_threshold).to(x)


class Stepping(Spiking):
    """Multi-step mode: rows are time steps."""

    def forward(self, x):
        v, fired = torch.zeros_like(x[0]), []
        for drive in x:
            v = v + drive
            fired.append(v >= self.v_threshold)
            v = torch.where(fired[-1], 0, v)
        return torch.stack(fired).to(x)


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
    """Traits of snnTorch's Leaky: strict, ``threshold``, ``mem``; may return that beside the spikes."""

    def __init__(self, beta, *, init_hidden):
        super().__init__()
        self.beta, self.init_hidden = beta, init_hidden
        self.register_buffer("threshold", torch.tensor(1.0))
        self.register_buffer("mem", torch.zeros(0))

    def reset_mem(self):
        self.mem = torch.zeros(0)

    def forward(self, x):
        mem = self.mem if self.mem.shape == x.shape else torch.zeros_like(x)
        reset = (mem - self.threshold > 0).to(x)
        self.mem = self.beta * mem + x - reset * self.threshold
        fired = (self.mem - self.threshold > 0).to(x)
        return fired if self.init_hidden else (fired, self.mem)


class Tangled(Spiking):
    """Keeps what it computed with a gradient, which PyTorch does not copy."""

    def forward(self, x):
        self.last = x
        return super().forward(x)


def ran(layer, drive, width=2):
    """A layer that was used, with gradients."""
    layer(torch.full((1, width), drive, requires_grad=True) * 1.0)
    return layer


def two(spiking):
    """Two neurons that are both driven with x - y, of 10 bits each."""
    places = [2.0**place for place in range(10)]
    row = [*places, *(-place for place in places)]
    return torch.nn.Sequential(linear([row, row]), spiking).double()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (OneStrict(1.0), "fires at its threshold of 1.0 sometimes or in some neurons only"),
        (StrictInEvaluation(1.0), "in some states .training, evaluation, reset. and not in others"),
        (Band(1.0), "does not fire iff .* driven with 1023.0, does not fire where the threshold is 1.0"),
        (Exclusive(1.0), "does not fire iff|sometimes"),
        (Leaky(1.0), "Leaky does not fire iff .* without leak"),
        (StrictAlone(1.0), "one row of a batch influence another"),
        (Stepping(1.0), "one row of a batch influence another, .* use single-step mode"),
        (ran(Charging(1.0), 0.5), "charge left over from before; reset it first"),
        (ran(Charging(1.0), 0.5, width=3), "charge left over from before; reset it first"),
        (Charging(1.0, rest=0.75), "starts from another membrane potential than 0"),
        (LeakyTorch(0.9, init_hidden=False), "LeakyTorch returns a tuple, not its spikes alone"),
        (torch.nn.Threshold(1.0, 0.0), "Threshold returns other numbers than 0 and 1"),
    ],
)
def test_a_layer_of_another_rule_is_refused_for_what_it_does(layer, message):
    with refused(message):
        from_torch(two(layer), {"x": 10, "y": 10}, {"out": 2})


def test_the_ends_of_the_range_are_probed():
    with pytest.raises(NetlistError, match="driven with 1048575\\.0, does not fire"):
        from_torch(comparator(20, Saturating(1.0)), {"x": 20, "y": 20}, {"out": 1})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Resting(5.0), "driven with 0.0, fires"),
        (Gap(5.0), "driven with 7.0, does not fire"),
        (InPlace(1.0), "driven with 1.5, does not fire"),
    ],
)
def test_what_only_a_few_drives_show_is_seen(layer, message):
    with pytest.raises(NetlistError, match=message):
        from_torch(comparator(20, layer), {"x": 20, "y": 20}, {"out": 1})


def test_a_layer_with_a_threshold_for_each_neuron_is_refused():
    with pytest.raises(NetlistError, match="v_threshold is not one finite number"):
        from_torch(two(Spiking(torch.tensor([1.0, 2.0]))), {"x": 10, "y": 10}, {"out": 2})


def test_a_linear_layer_of_its_own_kind_is_refused():
    class Doubling(torch.nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    module = torch.nn.Sequential(Doubling(2, 1), Spiking(1.0))
    with pytest.raises(NetlistError, match=r"expected torch.nn.Linear, found Doubling"):
        from_torch(module, {"a": 1, "b": 1}, {"out": 1})


@pytest.mark.parametrize(
    "layer",
    [
        Charging(1.0),
        Charging(1.0, decay=0.5),
        LeakyTorch(0.9, init_hidden=True),
        ran(LeakyTorch(0.9, init_hidden=True), 0.25, width=3),
        ran(Tangled(1.0), 0.5),
    ],
)
def test_what_a_layer_does_in_one_step_from_rest_is_imported(layer):
    before = dict(vars(layer))
    netlist = from_torch(two(layer), {"x": 10, "y": 10}, {"out": 2})
    assert dict(vars(layer)) == before
    inputs = {"x": np.array([5, 6, 7]), "y": np.array([5, 5, 5])}
    strict = isinstance(layer, LeakyTorch)
    assert boolean.evaluate(netlist, inputs)["out"].tolist() == [0, 0 if strict else 3, 3]
    (note,) = netlist.notes
    assert "one time step from rest" in note
    assert "compared on 4,096 of 2^20 inputs, in training and in evaluation" in note


def test_what_is_assumed_of_foreign_code_is_noted_even_if_every_input_was_compared():
    (note,) = from_torch(xor_module(), {"a": 1, "b": 1}, {"out": 1}).notes
    assert "compared on all 4 inputs" in note
    assert "as one batch, and 4 row by row" in note
    assert note.endswith("that the module does the same in all else is assumed")


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


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "build",
    [
        lambda: rounded(torch.nn.Sequential(linear([[0.75, 0.75]]), Charging(1.0))),
        lambda: hooked(xor_module(), lambda layer, _: layer.training),
        lambda: hooked(xor_module(), lambda layer, _: not layer.training),
        lambda: hooked(xor_module(), lambda _, sums: len(sums) == 1),
        lambda: hooked(xor_module(), lambda _, sums: len(sums) > 1),
    ],
    ids=["rounded", "in training", "in evaluation", "row", "batch"],
)
def test_a_module_that_does_something_else_in_another_state_is_refused(build, training):
    """Found in review: parametrisations and hooks that know training from evaluation, or rows."""
    with pytest.raises(NetlistError, match="does not do what its layers do, each by itself"):
        from_torch(build().train(training), {"a": 1, "b": 1}, {"out": 1})


def test_a_layer_that_takes_charge_to_its_second_place_is_refused():
    identity, fire = linear([[1.0, 0.0], [0.0, 1.0]]), Charging(1.0)
    module = torch.nn.Sequential(identity, fire, identity, fire)
    with pytest.raises(NetlistError, match="stands at several places"):
        from_torch(module, {"a": 1, "b": 1}, {"out": 2})


def test_importing_a_door_loads_no_foreign_library():
    doors = "import spikeproof.circuits.doors.json, spikeproof.circuits.doors.pytorch"
    command = f"import sys; {doors}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)
