"""Netlists from PyTorch modules as they are."""

import importlib.util
import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeproof import reference_model
from spikeproof.circuits.doors import symbolic_tensors
from spikeproof.circuits.doors.affine_forms import shortened
from spikeproof.circuits.doors.modules import drawn_bits, from_module, import_module
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NetlistError
from tests.support.apart import imported_here, in_this_process
from tests.support.netlists import all_inputs
from tests.support.refusals import refused
from tests.support.spiking import linear

ADDER = Path(__file__).parents[3] / "examples" / "fp8_adder.py"
XOR = ([[1.0, 1.0], [-1.0, -1.0]], [0.0, 2.0]), ([[1.0, 1.0]], [-1.0])
TWO_BITS = {"a": 1, "b": 1}, {"out": 1}


def fire(potential, threshold):
    return (potential >= threshold).to(potential.dtype)


class Surrogate(torch.autograd.Function):
    """A step whose gradient is another function's."""

    @staticmethod
    def forward(ctx, potential):
        ctx.save_for_backward(potential)
        return (potential >= 0).to(potential.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (potential,) = ctx.saved_tensors
        return gradient / (1 + potential.abs()) ** 2


class Neuron(torch.nn.Module):
    """Integrate and fire, with state that lives as long as the module."""

    def __init__(self, threshold, leak=1.0, reset="soft"):
        super().__init__()
        self.threshold, self.leak, self.reset_rule, self.v = threshold, leak, reset, None

    def forward(self, drive):
        v = drive if self.v is None else self.v * self.leak + drive
        spike = Surrogate.apply(v - self.threshold)
        rules = {
            "soft": lambda: v - spike * self.threshold,
            "hard": lambda: v * (1 - spike),
            "where": lambda: torch.where(spike > 0, torch.zeros_like(v), v),
        }
        self.v = rules[self.reset_rule]()
        return spike


def xor_of(*neurons):
    first, second = neurons
    return torch.nn.Sequential(linear(*XOR[0]), first, linear(*XOR[1]), second)


def words(netlist, bus="out"):
    return boolean.evaluate(netlist, all_inputs(netlist))[bus].tolist()


# --- whole units ---------------------------------------------------------------------------------


def adder():
    spec = importlib.util.spec_from_file_location("fp8_adder", ADDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FP8Adder()


def wrong_sums(module):
    netlist = from_module(module, {"x": 8, "y": 8}, {"result": 8})
    assert netlist.statistics.neurons > 450
    inputs = all_inputs(netlist)
    expected = reference_model("fp8_e4m3fn.add.rne.saturate")(inputs)["result"]
    return int((boolean.evaluate(netlist, inputs)["result"] != expected).sum())


def test_an_fp8_adder_is_right_on_all_inputs():
    assert wrong_sums(adder()) == 0


def test_an_fp8_adder_that_takes_ties_away_from_zero_is_wrong_on_some():
    module = adder()
    module.reached[::2] -= 1 * (module.reached[::2] > 16)
    assert wrong_sums(module) > 0


class Serial(torch.nn.Module):
    """Adds numbers that come bit by bit: two neurons, a carry that lives between steps."""

    def __init__(self):
        super().__init__()
        self.register_buffer("carry", torch.zeros(1, 1))

    def forward(self, x, y):
        total = x + y + self.carry
        self.carry = fire(total, 2)
        return fire(total - 2 * self.carry, 1)


def test_a_serial_adder_is_unrolled_from_rest():
    netlist = from_module(Serial(), {"x": 1, "y": 1}, {"z": 1}, steps=5, presented="fresh")
    assert list(netlist.inputs)[:3] == ["x.0", "y.0", "x.1"]
    assert "5 time steps from rest" in netlist.notes[0]
    inputs = all_inputs(netlist)
    found = boolean.evaluate(netlist, inputs)

    def number(buses, name):
        return sum(buses[f"{name}.{t}"].astype(int) << t for t in range(5))

    total = number(inputs, "x") + number(inputs, "y")
    assert np.array_equal(number(found, "z"), total % 32)


class Ripple(torch.nn.Module):
    """A ripple adder: one full adder of two neurons, used for every place."""

    def __init__(self, order):
        super().__init__()
        self.order = order

    def forward(self, x, y):
        places = range(x.shape[1]) if self.order == "lsb" else reversed(range(x.shape[1]))
        carry, sums = torch.zeros_like(x[:, 0]), []
        for place in places:
            total = torch.stack([x[:, place], y[:, place], carry], dim=1) @ torch.ones(3)
            carry = fire(total, 2)
            sums.append(fire(total - 2 * carry, 1))
        sums = torch.stack(sums, dim=1)
        return sums if self.order == "lsb" else sums.flip(1)


@pytest.mark.parametrize("order", ["lsb", "msb"])
def test_the_order_of_bits(order):
    netlist = from_module(Ripple(order), {"x": 4, "y": 4}, {"z": 4}, order=order)
    inputs = all_inputs(netlist)
    assert np.array_equal(boolean.evaluate(netlist, inputs)["z"], (inputs["x"] + inputs["y"]) % 16)


# --- state, resets, time -------------------------------------------------------------------------


@pytest.mark.parametrize("reset", ["soft", "hard", "where"])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_resets_over_time(reset, steps):
    """Compared with the module on every input on import."""
    module = xor_of(Neuron(0.5, reset=reset), Neuron(0.75, leak=0.5, reset=reset))
    netlist = from_module(module, *TWO_BITS, steps=steps, reset=True)
    assert words(from_module(module, *TWO_BITS, reset=True)) == [0, 1, 1, 0]
    if steps == 1:
        assert netlist.statistics.neurons == 3
    assert not any("no neuron" in note for note in netlist.notes[1:])


def test_a_reset_potential_is_defined_by_cases():
    """v = 1 rests, 2 fires and is gone, 2 + ... : not affine, so two cases a step."""
    module = torch.nn.Sequential(linear([[1.0, 2.0]]), Neuron(2.0, reset="hard"))
    netlist = from_module(module, {"x": 2}, {"z": 1}, steps=3, presented="fresh")
    inputs = all_inputs(netlist)
    v = np.zeros(len(inputs["x.0"]))
    found = boolean.evaluate(netlist, inputs)
    for t in range(3):
        v = v + inputs[f"x.{t}"]
        assert np.array_equal(found[f"z.{t}"], v >= 2)
        v[v >= 2] = 0


def test_what_does_not_begin_at_zero_is_noted():
    """A module that was used before, and has no method that resets it."""
    neuron = Neuron(3.0)
    assert "as given" not in from_module(neuron, {"x": 1}, {"z": 1}, steps=2).notes[0]
    neuron(torch.ones(1, 1))
    for options in ({"steps": 2}, {"reset": True}):
        assert (
            "(v not 0 at first, but as given)"
            in from_module(neuron, {"x": 1}, {"z": 1}, **options).notes[0]
        )


def test_state_between_calls_is_refused_unless_declared():
    module = xor_of(Neuron(0.5), Neuron(0.5))
    with pytest.raises(NetlistError, match=r"remembers between calls \(1\.v, 3\.v\); declare"):
        from_module(module, *TWO_BITS)
    assert "reset before every call, as declared" in from_module(module, *TWO_BITS, reset=True).notes[0]
    assert module[1].v is None


class Latch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.kept = [torch.zeros(1, 1)]

    def forward(self, x):
        self.kept[0] = fire(x[:, :1] + self.kept[0], 1)
        return self.kept[0]


def test_what_a_second_call_remembers_is_found_wherever_it_is():
    with pytest.raises(NetlistError, match=r"remembers between calls \(kept\)"):
        from_module(Latch(), {"x": 1}, {"z": 1})


class Preallocated(torch.nn.Module):
    """State wider than used, sliced, written in place, cleared at every call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("v", torch.zeros(1, 64))
        self.register_buffer("spikes", torch.zeros(1, 64))

    def forward(self, x):
        self.v.zero_()
        self.v.mul_(0.999)  # leak on state that is 0
        window = self.v[:, 8:12]
        window += x
        self.v[:, 9].sub_(x[:, 0] * 0.5)
        self.v[:, 30:34].copy_(self.v[:, 8:12])
        self.spikes[:, 8:12] = fire(self.v[:, 30:34], 0.5)
        self.spikes.narrow(1, 20, 1)[...] = fire(window.sum(1, keepdim=True), 1.5)
        dropped = self.v * 0.3  # rounded, and read by nobody
        del dropped
        return torch.cat([self.spikes[:, 8:12], self.spikes[:, 20:21]], dim=1)


def test_state_that_is_allocated_sliced_and_written_in_place():
    netlist = from_module(Preallocated(), {"x": 4}, {"z": 5})
    assert "since it takes no batches" in netlist.notes[0]
    assert netlist.statistics.neurons == 2


def test_storages_that_are_gone_are_not_confused_with_new_ones():
    def run(x):
        for _ in range(300):
            for each in (x.clone(), torch.zeros_like(x), torch.ones(x.shape)):
                last = each * 1
        return fire(last[:, :1], 1) * 0 + fire(x[:, :1] + last[:, :1], 2)

    assert words(from_module(run, {"x": 2}, {"out": 1})) == [0, 1, 0, 1]


class OverTime(torch.nn.Module):
    """Multi-step: the first axis is time."""

    def forward(self, x):
        v, spikes = torch.zeros_like(x[0]), []
        for drive in x:
            v = v + drive
            spikes.append(fire(v, 2.0))
            v = v - 2 * spikes[-1]
        return torch.stack(spikes)


def test_an_axis_of_time_is_told_from_a_batch():
    buses = {"x": 2}, {"z": 2}
    with pytest.raises(
        NetlistError, match="rows of a batch influence each other: say which axis is time"
    ):
        from_module(OverTime(), *buses)
    netlist = from_module(OverTime(), *buses, axes="tnb", steps=3, presented="fresh")
    assert {f"z.{t}" for t in range(3)} == set(netlist.outputs)
    held = from_module(OverTime(), *buses, axes="tnb", steps=2)
    assert words(held, "z") == [0, 1, 2, 3]
    first = from_module(OverTime(), *buses, axes="tnb", steps=2, presented="first")
    assert words(first, "z") == [0, 0, 0, 0]


# --- other people's neurons ----------------------------------------------------------------------


@pytest.mark.parametrize("v_reset", [0.0, None])
@pytest.mark.parametrize("kind", ["IFNode", "LIFNode"])
def test_spikingjelly(kind, v_reset):
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    options = {"v_threshold": 0.25, "v_reset": v_reset} | ({"tau": 2.0} if kind == "LIFNode" else {})
    module = xor_of(*(getattr(neuron, kind)(**options) for _ in range(2)))
    assert words(from_module(module, *TWO_BITS, reset=True)) == [0, 1, 1, 0]
    from_module(module, *TWO_BITS, steps=3)
    for part in (module[1], module[3]):
        part.step_mode = "m"
    if v_reset is None:  # else nothing is left from one row to the next
        with pytest.raises(NetlistError, match="influence each other"):
            from_module(module, *TWO_BITS, reset=True)
    from_module(module, *TWO_BITS, steps=3, axes="tnb", presented="fresh")


@pytest.mark.parametrize("mechanism", ["subtract", "zero", "none"])
def test_snntorch(mechanism):
    snntorch = pytest.importorskip("snntorch")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linears = torch.nn.ModuleList(linear(*each) for each in XOR)
            options = {"beta": 0.5, "threshold": 0.5, "reset_mechanism": mechanism}
            self.neurons = torch.nn.ModuleList(snntorch.Leaky(**options) for _ in XOR)

        def forward(self, x):
            memories = [each.reset_mem() for each in self.neurons]
            for index, (weights, each) in enumerate(zip(self.linears, self.neurons, strict=True)):
                x, memories[index] = each(weights(x), memories[index])
            return x, memories[-1]

    assert words(from_module(Net(), *TWO_BITS)) == [0, 1, 1, 0]
    cell = torch.nn.Sequential(
        linear([[2.0, 1.0]]), snntorch.Leaky(0.5, reset_mechanism=mechanism, init_hidden=True)
    )
    from_module(cell, {"x": 2}, {"z": 1}, steps=3, presented="fresh")


def test_norse():
    norse = pytest.importorskip("norse.torch")
    parameters = norse.LIFBoxParameters(tau_mem_inv=torch.tensor(1000.0), v_th=torch.tensor(0.5))

    class Cell(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights, self.cell = linear([[1.0, 0.5]]), norse.LIFBoxCell(p=parameters)

        def forward(self, x, state=None):
            return self.cell(self.weights(x), state)

    assert words(from_module(Cell(), {"x": 2}, {"out": 1})) == [0, 1, 0, 1]  # strict
    from_module(Cell(), {"x": 2}, {"out": 1}, steps=2, presented="fresh")


# --- what operations mean ------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [1.0, 0.5, 0.0, -1.0, 3.0, 0.7])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_comparisons_are_imported_exactly(threshold, kind):
    def module(x):
        x = x.to(kind)
        sums = torch.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1] * 0.5, -x[:, 0]], dim=1)
        rules = (torch.ge, torch.gt, torch.le, torch.lt)
        return torch.cat([rule(sums, threshold) for rule in rules], dim=1)

    if threshold == 0.7 and kind.itemsize == 2:  # narrow types compare with numbers that they lack
        with pytest.raises(NetlistError, match="may round"):
            from_module(module, {"x": 2}, {"z": 12})
    else:
        assert not from_module(module, {"x": 2}, {"z": 12}).notes[1:]


def few(x):
    return x[:, 0] + 2 * x[:, 1] - x[:, 2]


OPERATIONS = {
    "stack": lambda x: fire(torch.stack([x[:, 0] + x[:, 1], x[:, 2]], 1), 1),
    "flip roll": lambda x: fire(x.flip(1).roll(1, 1) + x, 2),
    "expand view": lambda x: fire(x[:, :1].expand(-1, 3).reshape(-1, 3) + x[:, 1:], 2),
    "index": lambda x: fire(x[:, [2, 0]] + x[:, torch.tensor([1, 1])], 2),
    "index_put": lambda x: fire(torch.zeros(len(x), 4).index_put((torch.arange(len(x)),), x), 1),
    "masked": lambda x: fire(x.masked_fill(torch.tensor([True, False, False, True]), 1.0), 1),
    "where": lambda x: fire(torch.where(torch.tensor([True, False, True, False]), x, 1 - x), 1),
    "pad": lambda x: fire(torch.nn.functional.pad(x, (1, 1), value=1.0), 1),
    "tril": lambda x: fire(torch.tril(x[:, :, None] * torch.ones(4)).sum(1), 2),
    "gather": lambda x: fire(torch.gather(x, 1, torch.tensor([[2, 0]]).expand(len(x), 2)), 1),
    "rsub neg": lambda x: fire(1 - x.neg(), 2),
    "alpha": lambda x: fire(torch.add(x[:, :1], x[:, 1:2], alpha=2), 2),
    "addmm": lambda x: fire(torch.addmm(torch.ones(2), x, torch.arange(8.0).view(4, 2)), 6),
    "einsum": lambda x: fire(torch.einsum("ni,ij->nj", x, torch.arange(8.0).view(4, 2)), 6),
    "bmm": lambda x: fire(torch.bmm(x[:, None], torch.ones(len(x), 4, 2))[:, 0], 2),
    "conv1d": lambda x: fire(torch.conv1d(x[:, None], torch.tensor([[[1.0, -1.0]]]))[:, 0], 1),
    "conv2d": lambda x: fire(
        torch.conv2d(x.view(-1, 1, 2, 2), torch.ones(2, 1, 2, 1), torch.ones(2), padding=1).flatten(1), 2
    ),
    "cumsum": lambda x: fire(x.cumsum(1), 2),
    "mean": lambda x: fire(x.mean(1, keepdim=True), 0.5),
    "div": lambda x: fire(few(x)[:, None] / 4, 0.5),
    "integers": lambda x: (x.long() * 3).sum(1, keepdim=True) > 4,
    "bool": lambda x: (x > 0) | ~(x.flip(1) > 0),
    "gates": lambda x: torch.stack([(x[:, 0] > 0) & (x[:, 1] > 0), (x[:, 2] > 0) ^ (x[:, 3] > 0)], 1),
    "product": lambda x: x[:, :2] * x[:, 2:],
    "heaviside": lambda x: torch.heaviside(few(x) - 1, torch.tensor(1.0))[:, None],
    "maximum": lambda x: fire(torch.maximum(few(x), x[:, 3])[:, None], 1),
    "clamp": lambda x: fire(few(x).clamp(0, 1)[:, None] + x[:, 3:], 2),
    "relu": lambda x: fire(torch.relu(few(x))[:, None] - x[:, 3:], 1),
    "equal": lambda x: (few(x) == 1)[:, None],
    "where spike": lambda x: torch.where(x[:, :1] > 0, x[:, 1:2], 1 - x[:, 2:3]),
    "any all": lambda x: torch.stack([x.bool().any(1), x.bool().all(1)], 1),
    "remainder": lambda x: few(x)[:, None] % 2,
    "abs": lambda x: fire(few(x).abs()[:, None], 2),
    "table": lambda x: (few(x).exp()[:, None] > 2).float(),
    "half": lambda x: fire((x.half() * 1.5).float().double(), 1),
    "deepcopy": lambda x: fire(__import__("copy").deepcopy(x + 1), 2),
}
NO_NEURONS = {"bool", "gates", "product", "clamp", "maximum", "relu", "equal", "where spike", "any all"}
NO_NEURONS |= {"remainder", "abs", "table"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name):
    """Each is compared with itself on every input on import."""
    operation = OPERATIONS[name]
    width = operation(torch.zeros(1, 4)).shape[1]
    netlist = from_module(operation, {"x": 4}, {"z": width})
    assert "all 16 inputs" in netlist.notes[0]
    assert "batches, in training" in netlist.notes[0]
    assert bool(netlist.notes[1:]) == (name in NO_NEURONS)
    if name in NO_NEURONS:
        assert "at test_modules.py:" in netlist.notes[1]
        with pytest.raises(
            NetlistError, match=r"is not made of neurons alone: .* at test_modules\.py:\d+"
        ):
            from_module(operation, {"x": 4}, {"z": width}, pure=True)
    else:
        from_module(operation, {"x": 4}, {"z": width}, pure=True)


@pytest.mark.parametrize(
    ("name", "wrong"), [("ge", "_equality"), ("add", "_product"), ("flip", "_copied")]
)
def test_an_operation_of_another_meaning_is_found_by_the_comparison(name, wrong, monkeypatch):
    monkeypatch.setitem(symbolic_tensors.OPERATIONS, name, getattr(symbolic_tensors, wrong))

    def module(x):
        return fire(x.flip(1) + x[:, :1], 1)

    with pytest.raises(
        NetlistError, match=r"does not do what was imported, for instance for x = \d|potential"
    ):
        from_module(module, {"x": 3}, {"z": 3})


# --- what one input of 2^24 would show -------------------------------------------------------------

RARE = 0b101100111000111101010011
RARE_BITS = torch.tensor([(RARE >> place) & 1 for place in range(24)], dtype=torch.float32)


def hit(x):
    return (x * (2 * RARE_BITS - 1)).sum(-1, keepdim=True) >= RARE_BITS.sum().item()


def match(x):
    """Fires for one input alone, that no sample has."""
    return hit(x).to(x.dtype)


def first(x):
    return torch.zeros(len(x), 1, dtype=torch.long)


def written(x, y, **options):
    return torch.add(x, y, out=torch.zeros(len(x), 1, dtype=torch.float64), **options)


BIG = 2.0**24
FOLLOWED = {
    "scatter": lambda x: fire(match(x) + x[:, :2].scatter(1, first(x), 3.0)[:, :1], 4),
    "scatter true": lambda x: fire(match(x) + x[:, :2].scatter(1, first(x), True)[:, :1], 2),
    "pad": lambda x: fire(match(x) + torch.nn.functional.pad(x, (1, 0), value=3.0)[:, :1], 4),
    "cat": lambda x: fire(
        match(x).double()
        + 2**24
        + 1
        - torch.cat([x[:, :1], torch.full((len(x), 1), 2**24 + 1)], 1)[:, 1:].double(),
        2,
    ),
    "cat symbolic": lambda x: fire(
        1 - torch.cat([x[:, :1], hit(x).long() + 2**24], 1)[:, 1:].double() + 2**24, 1
    ),
    "clamp": lambda x: fire(1 - torch.clamp(hit(x).long() + 2**24, min=0.5).double() + 2**24, 1),
    "overwritten": lambda x: torch.full((len(x), 1), 5).eq_(match(x) * 2 + 3) > 0,
    "larger out": lambda x: torch.add(x[:, :5], match(x), out=x[:, :1] * 1)[:, 4:] >= 2,
    "zero without a sign": lambda x: fire(torch.where(hit(x), -0.0, 1.0) + x[:, :1] * -0.0, 1),
}


def does(module, word):
    row = torch.tensor([[float(word >> place & 1) for place in range(24)]])
    return int(module(row)[0, 0])


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
@pytest.mark.parametrize("name", FOLLOWED)
def test_what_one_input_alone_would_show_is_followed(name):
    module = FOLLOWED[name]
    netlist = from_module(module, {"x": 24}, {"z": 1})
    for word in (RARE, 0, RARE ^ 1):
        found = boolean.evaluate(netlist, boolean.one_input({"x": word}))["z"]
        assert found.tolist() == [does(module, word)]


def to_dlpack(tensor):
    return torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(tensor)).clone()


def put(x, **options):
    index = torch.arange(len(x)), torch.zeros(len(x), dtype=torch.long)
    return x[:, :2].clone().index_put_(index, torch.ones(len(x)), **options)[:, :1]


def batched(x, **options):
    one = torch.ones(len(x), 1, 1)
    return fire(torch.baddbmm(torch.zeros(1, 1, 1), match(x)[:, None], one, **options)[:, 0], 2)


def float_of_integers(x):
    floats = torch.zeros(len(x), 1)
    floats.view(torch.int32).copy_(match(x))
    return floats > 0.5


def zero_of_unknown_sign(x):
    return torch.where(hit(x), -0.0, 0.0)


def computed_zero(x):
    return (match(x) - 1) * 0


def read_in_text(text):
    return lambda x: match(x) * 0 + float("1." in text(match(x).sum()))


SIGN = "depends on the sign of a zero"
REFUSED = {
    "accumulate": (lambda x: fire(match(x) + put(x, accumulate=True), 3), "accumulate=True"),
    "reduce": (
        lambda x: fire(x[:, :2].scatter(1, first(x), 3.0, reduce="multiply")[:, :1], 1),
        "reduce='multiply' is not supported",
    ),
    "alpha": (lambda x: batched(x, alpha=2), "baddbmm with alpha=2 is not supported"),
    "beta": (lambda x: batched(x, beta=0), "baddbmm with beta=0 is not supported"),
    "addmm": (lambda x: torch.addmm(x[:, :1], x, x[:1].T * 0 + 1, beta=2), "addmm with beta=2"),
    "signbit": (lambda x: torch.signbit(zero_of_unknown_sign(x)), SIGN),
    "signbit of a product": (lambda x: torch.signbit(computed_zero(x)), SIGN),
    "copysign": (lambda x: torch.copysign(torch.ones(1), zero_of_unknown_sign(x)) < 0, SIGN),
    "reciprocal": (lambda x: 1 / zero_of_unknown_sign(x) < 0, SIGN),
    "quotient": (lambda x: torch.ones(len(x), 1) / computed_zero(x) < 0, SIGN),
    "sign read": (lambda x: computed_zero(x) * computed_zero(x)[0, 0].item(), "read out"),
    "uint8 equal": (lambda x: (match(x) * 44).to(torch.uint8) == 300, "uint8 does not hold"),
    "uint8 at least": (lambda x: (match(x) * 44).to(torch.uint8) >= 300, "uint8 does not hold"),
    "uint8 sum": (lambda x: hit(x).to(torch.uint8).add(-255) >= 2, "uint8 does not hold"),
    "fraction": (
        lambda x: hit(x).long().fill_(0.5) + hit(x).long() >= 1,
        "int64 does not hold",
    ),
    "out": (lambda x: written(match(x) * BIG, match(x)) > BIG, "float32 to a tensor of torch.float64"),
    "in place": (
        lambda x: (match(x) * -BIG).add_(match(x).double() * (BIG + 1)) >= 1,
        "float64 to a tensor of torch.float32",
    ),
    "mixed": (
        lambda x: torch.pow(match(x) + 2, torch.tensor(0.5, dtype=torch.float64)) >= 1.5,
        "pow mixes numbers of several types",
    ),
    "memory of another type": (float_of_integers, "bits of spikes are taken for another type"),
    "negated view": (lambda x: torch._neg_view(match(x) - 1), "_neg_view is not supported"),
    "not thought over": (lambda x: torch.special.i0e(match(x)), "special_i0e is not supported"),
    "str": (read_in_text(str), "read out by __repr__"),
    "repr": (read_in_text(repr), "read out by __repr__"),
    "format": (read_in_text("{}".format), "read out by __format__"),
    "dlpack": (lambda x: to_dlpack(match(x)), "read out by to_dlpack"),
    "apply": (lambda x: match(x).clone().apply_(lambda value: 1 - value), "read out by apply_"),
    "new_tensor": (lambda x: x.new_tensor([match(x)[0, 0]])[None], "read out by new_tensor"),
    "legacy": (
        lambda x: torch.DoubleTensor([match(x)[0, 0]]).expand(len(x), 1),
        "reads values of spikes in a way that PyTorch does not show",
    ),
}


@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter")
@pytest.mark.parametrize("name", REFUSED)
def test_what_one_input_alone_would_show_is_refused(name):
    module, message = REFUSED[name]
    with refused(message) as refusal:
        from_module(module, {"x": 24}, {"z": 1})
    assert "test_modules.py:" in str(refusal.value) or name == "legacy"


def test_a_result_that_depends_on_the_length_of_a_tensor_is_refused(monkeypatch):
    """As of functions whose vectorised loop rounds otherwise than the plain one."""

    def longer(tracer, func, out, args, kwargs):
        def apply(x):
            return x + float(x.is_contiguous())

        return tracer.elementwise(
            lambda x: symbolic_tensors._table(tracer, [x], [torch.float32], apply), args[0].numbers
        )

    monkeypatch.setitem(symbolic_tensors.OPERATIONS, "exp", longer)
    with pytest.raises(NetlistError, match="place in memory"):
        from_module(lambda x: fire(x.exp(), 2), {"x": 2}, {"z": 2})


def test_neurons_that_did_not_change_are_pursued(monkeypatch):
    """A neuron for one input of 2^24 is fired, behind others and to the other side too."""
    monkeypatch.setitem(
        symbolic_tensors.OPERATIONS,
        "floor",
        lambda tracer, func, out, args, kwargs: np.zeros_like(args[0].numbers),
    )

    def module(x):
        pairs = fire(x[:, ::2] + x[:, 1::2], 2)
        rare = fire(pairs.sum(1, keepdim=True) - 5 * x[:, :1] + 5, 12)
        return torch.cat([rare, 1 - match(x)], 1)

    netlist = from_module(module, {"x": 24}, {"z": 2})
    assert "4,096 of 2^24" not in netlist.notes[0]
    assert f"; 0 of {len(netlist.neurons)} neurons never changed on these" in netlist.notes[0]

    def wrong(x):
        return torch.cat([fire(match(x) + match(x).floor(), 2), match(x)], 1)

    with pytest.raises(
        NetlistError, match=f"does not do what was imported, for instance for x = {RARE}"
    ):
        from_module(wrong, {"x": 24}, {"z": 2})


def test_neurons_that_never_change_are_counted():
    def module(x):
        return fire(match(x) - x.sum(1, keepdim=True), 1)

    netlist = from_module(module, {"x": 24}, {"z": 1})
    assert "; 1 of 2 neurons never changed on these; with spikes set free 2 of 2" in netlist.notes[0]


# --- refusals ------------------------------------------------------------------------------------


def rounded_sum(x):
    return fire(x[:, :1] * 0.1 + x[:, 1:2] * 0.7, 0.8)


def rounded_matrix(x):
    return fire(x @ torch.tensor([[2.0**24], [1.0]]), 3)


def rounded_leak(x):
    return fire((x[:, :1] + 2 * x[:, 1:]) * 0.9, 1)


def rounded_quotient(x):
    return fire((x[:, :1] + 2 * x[:, 1:]) / 3, 1)


def rounded_then_reset(x):
    v = (x[:, :1] + 2 * x[:, 1:]) * 0.9
    return fire(v * (1 - fire(v, 1)) + x[:, :1], 1)


def large_sum(x):
    return fire(x[:, :1].half() * 65504 + x[:, 1:2].half() * 65504, 1)


def large_product(x):
    return fire((x[:, :1] + x[:, 1:2]).half() * 65504, 1)


def unknown_quotient(x):
    return fire((x[:, :1] + x[:, 1:2]).half() / 0.1, 1)


A_SUM = "a sum that float32 may round"
LEAK = "a product with 0.9 that float32 may round"


@pytest.mark.parametrize(
    ("module", "what", "short"),
    [
        (rounded_sum, "a sum with 0.1 that float32 may round", "; 0.1015625 has fewer bits"),
        (rounded_matrix, A_SUM, ""),
        (rounded_leak, LEAK, "; 0.875 has fewer bits"),
        (
            rounded_quotient,
            "a product with 0.333333 that float32 may round",
            "; 0.34375 has fewer bits",
        ),
        (rounded_then_reset, LEAK, "; 0.875 has fewer bits"),
        (large_sum, "a sum that float16 does not hold", ""),
        (large_product, "a product with 65504 that float16 does not hold", ""),
        (unknown_quotient, "a quotient that float16 may round", ""),
    ],
)
def test_a_neuron_that_reads_what_is_rounded_is_named(module, what, short):
    line = module.__code__.co_firstlineno + 1
    message = (
        r"^bit 0 of 'z' depends on what cannot be imported: the neuron at test_modules\.py:\d+ reads "
        rf"{what} \(test_modules\.py:{line}{short}\); choose weights and leaks of fewer bits, .*$"
    )
    with pytest.raises(NetlistError, match=message):
        from_module(module, {"x": 2}, {"z": 1})


def test_what_we_say_of_a_module_is_said_as_it_is():
    with refused(r"^the module returns shape \[1, 3\] for z of 4 bits; return axes nb .* other widths$"):
        from_module(lambda x: x[:, :3], {"x": 4}, {"z": 4})


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (Fraction(1, 10), Fraction(13, 128)),
        (65503, 61440),  # not 65,536, which float16 lacks
        (-65503, -61440),
        (Fraction(65503, 2**31), None),  # none of its neighbours is normal
        (65536 * 9, None),
    ],
)
def test_a_number_of_fewer_bits_is_one_of_the_type(number, short):
    assert shortened(number, symbolic_tensors.KINDS[torch.float16]) == short


def reading(name):
    def module(x):
        values = {
            "branch": lambda: 1 if x[0, 0] > 0 else 2,
            "item": lambda: x[0, 0].item(),
            "int": lambda: int(x[0, 0]),
            "tolist": lambda: x.tolist(),
            "numpy": lambda: x.numpy(),
            "asarray": lambda: np.asarray(x),
            "tensor": lambda: torch.tensor([x[0, 0], x[0, 1]]),
            "equal": lambda: torch.equal(x, x),
            "nonzero": lambda: x.nonzero(),
            "mask": lambda: x[x > 0],
            "view": lambda: x.view(torch.int32),
            "argmax": lambda: x.argmax(1),
        }
        values[name]()
        return x

    return module


@pytest.mark.parametrize(
    "name", ["branch", "item", "int", "tolist", "numpy", "asarray", "tensor", "equal"]
)
def test_values_that_are_read_out(name):
    with pytest.raises(NetlistError, match=r"^test_modules\.py:\d+: a spike's value is read out"):
        from_module(reading(name), {"x": 2}, {"z": 2})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonzero", "read out"),
        ("mask", "index or a mask"),
        ("view", "bits"),
        ("argmax", "not supported"),
    ],
)
def test_what_cannot_be_followed(name, message):
    with pytest.raises(NetlistError, match=rf"^test_modules\.py:\d+: .*{message}"):
        from_module(reading(name), {"x": 2}, {"z": 2})


def test_code_that_swallows_the_refusal_is_refused_nevertheless():
    def module(x):
        try:
            return torch.tensor([[float(x[0, 0])]])
        except Exception:
            return x[:, :1]

    with pytest.raises(NetlistError, match="read out"):
        from_module(module, {"x": 2}, {"z": 1})


counter = iter(range(10**6))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda x: x[:, :2], r"returns shape \[1, 2\] for z of 1 bits"),
        (lambda x: x[0, 0], r"returns shape \[\] for z"),
        (lambda x: None, "returns a NoneType"),
        (lambda x: {"y": x}, "dictionary without 'z'"),
        (lambda x: x[:, :1] + x[:, 1:2], "bit 0 of 'z' is a potential or a sum of spikes"),
        (lambda x: x[:, :1] * 0 + torch.rand(1, 1).round(), "rand makes the module random"),
        (lambda x: x[:, :1] * 0 + next(counter) % 2, "answers the same input in two ways"),
        (lambda x: x[:, :1] * float("nan"), "nan"),
        (lambda x: 1 / 0, "fails: division by zero"),
        (lambda x: x.sort(1)[0], "sort is not supported on spikes"),
    ],
)
def test_modules_that_are_refused(module, message):
    with refused(message):
        from_module(module, {"x": 3}, {"z": 1})


def unless_recording(otherwise):
    return lambda x: otherwise(x[:, :1]) if torch.is_grad_enabled() else fire(x[:, :1], 1)


@pytest.mark.parametrize(
    ("otherwise", "message"),
    [
        (lambda x: 1 - x, "something else while gradients are recorded"),
        (torch.sigmoid, "other numbers than 0 and 1"),
    ],
)
def test_a_module_that_does_something_else_while_gradients_are_recorded_is_refused(otherwise, message):
    with refused(message):
        from_module(unless_recording(otherwise), {"x": 3}, {"z": 1})


def test_a_module_need_not_work_while_gradients_are_recorded():
    netlist = from_module(unless_recording(lambda x: 1 / 0), {"x": 3}, {"z": 1})
    assert boolean.evaluate(netlist, boolean.one_input({"x": 1}))["z"].tolist() == [1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "big"}, "order is 'big'; use one of lsb, msb"),
        ({"axes": "bn"}, "axes is 'bn'"),
        ({"presented": "once"}, "presented is 'once'"),
        ({"steps": 0}, "steps is 0; use a positive integer"),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(NetlistError, match=message):
        from_module(fire, {"x": 1}, {"z": 1}, **options)


def test_drawn_inputs_reach_what_random_ones_do_not():
    bits = drawn_bits([32, 32], 4096)
    x, y = bits[:, :32], bits[:, 32:]
    assert (x == y).all(1).sum() > 50
    assert ((x != y).sum(1) == 1).sum() > 50
    assert x.all(1).sum() > 50
    assert (~x).all(1).sum() > 50


# --- a process of its own ------------------------------------------------------------------------

CODE = """
import os, sys, time, torch

class Half(torch.nn.Module):
    def forward(self, x):
        a, b = x[:, 0], x[:, 1]
        carry = (a + b >= 2).float()
        return torch.stack([(a + b - 2 * carry >= 1).float(), carry], dim=1)

class Noisy(Half):
    def forward(self, x):
        print("{"); os.write(1, b"junk"); sys.stderr.write("noise")
        os.environ["SPIKEPROOF_TOUCHED"] = "1"; sys.path.insert(0, "nowhere"); os.chdir("/")
        sys.modules["json"] = None
        return super().forward(x)

class Crashing(Half):
    def forward(self, x):
        os.abort()

class Hanging(Half):
    def forward(self, x):
        os.fork()
        while True: time.sleep(1)

class Hungry(Half):
    def forward(self, x):
        return torch.zeros(1 << 34)

class Writing(Half):
    def forward(self, x):
        open(__file__, "w").close()

class Drawn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "user_code.py"
    path.write_text(CODE)
    return path


BUSES = {"x": 2}, {"sum": 1, "carry": 1}


def test_code_in_a_process_of_its_own_reaches_nothing_here(source):
    before = dict(os.environ), list(sys.path), os.getcwd()
    netlist = import_module(f"{source}:Noisy", *BUSES)
    assert (dict(os.environ), list(sys.path), os.getcwd()) == before
    assert words(netlist, "sum") == [0, 1, 1, 0]
    assert words(netlist, "carry") == [0, 0, 0, 1]
    assert "user_code" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message", "options"),
    [
        ("Crashing", "Crashing crashed .SIGABRT.", {}),
        ("Hanging", "did not end within 5 seconds", {"seconds": 5}),
        ("Hungry", "needs more than 4096 MiB of memory", {}),
        ("Writing", "only temporary files may be written here, not ", {}),
    ],
)
def test_code_that_misbehaves_gives_one_line(source, name, message, options):
    with refused(message):
        import_module(f"{source}:{name}", *BUSES, **options)
    assert source.read_text() == CODE


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Drawn", "makes another module each time .layer.weight differs.: it is random"),
        ("Absent", "has no 'Absent'"),
    ],
)
def test_what_names_no_module_gives_one_line(source, name, message):
    with in_this_process(source.parent), refused(message):
        imported_here(f"{source}:{name}", *BUSES)


def test_a_source_without_a_name_is_refused():
    with pytest.raises(NetlistError, match="names no module"):
        import_module("half.py", *BUSES)
