"""Networks of PyTorch: read, they do what the modules do; and what is stated must be so."""

import numpy as np
import pytest
import snntorch
import torch
from torch.nn.utils import parametrizations, prune

from spikeproof.circuits.doors.spiking_modules import network_of
from spikeproof.circuits.networks.exact import run_all
from spikeproof.specs.networks import NetworkError, Readout, Score

STEPS, INPUTS = 6, 5
COUNTS, POTENTIALS = Readout(Score.COUNT), Readout(Score.POTENTIAL)
SUBTRACT = {"strict": True, "reset": "subtract", "order": "leak reset add fire"}
AT_ONCE = {"strict": False, "reset": "zero", "order": "leak add fire reset"}
ZERO = {"strict": True, "reset": "zero", "order": "reset leak add fire"}
NOTHING = {"strict": True, "reset": "nothing", "order": "leak reset add fire"}


class Sigmoid(torch.nn.Module):
    """As SpikingJelly's of that name."""

    def __init__(self, spiking=True):
        super().__init__()
        self.spiking = spiking

    def forward(self, x):
        return (x >= 0).to(x) if self.spiking else torch.sigmoid(x)


Sigmoid.__module__ = "spikingjelly.activation_based.surrogate"


class LIFNode(torch.nn.Module):
    """As SpikingJelly documents its own: charge, fire at the threshold, reset."""

    def __init__(self, tau=2.0, decay_input=True, v_threshold=1.0, v_reset=0.0, spiking=True):
        super().__init__()
        self.surrogate_function = Sigmoid(spiking)
        self.tau, self.decay_input = tau, decay_input
        self.v_threshold, self.v_reset, self.v = v_threshold, v_reset, 0.0

    def forward(self, x):
        resting = self.v_reset or 0.0
        if self.decay_input:
            charged = self.v + (x - (self.v - resting)) / self.tau
        else:
            charged = self.v - (self.v - resting) / self.tau + x
        fired = self.surrogate_function(charged - self.v_threshold)
        down = charged - self.v_threshold * fired
        self.v = down if self.v_reset is None else charged * (1 - fired) + self.v_reset * fired
        return fired


LIFNode.__module__ = "spikingjelly.activation_based.neuron.lif"


def linear(inputs, outputs):
    """Of weights that are multiples of 1/8, so that float64 rounds nothing."""
    made = torch.nn.Linear(inputs, outputs).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_((parameter * 16).round() / 8)
    return made


@pytest.fixture
def given():
    torch.manual_seed(24)
    return np.random.default_rng(24).random((40, STEPS, INPUTS)) < 0.5


def test_snntorch_does_in_doubles_what_the_network_does(given):
    for mechanism, stated in (("subtract", SUBTRACT), ("zero", ZERO), ("none", NOTHING)):
        neurons = [
            snntorch.Leaky(beta=0.75, threshold=0.5, reset_mechanism=mechanism).double() for _ in "ab"
        ]
        linears = [linear(INPUTS, 7), linear(7, 3)]
        modules = [linears[0], neurons[0], linears[1], neurons[1]]
        network = network_of(modules, steps=STEPS, readout=COUNTS, **stated)
        hidden, outputs = torch.zeros(40, 7).double(), torch.zeros(40, 3).double()
        spikes, potentials = [], []
        for step in range(STEPS):
            fired, hidden = neurons[0](linears[0](torch.tensor(given[:, step]).double()), hidden)
            answered, outputs = neurons[1](linears[1](fired.double()), outputs)
            spikes.append(answered.detach().numpy().astype(bool))
            potentials.append(outputs.detach().numpy())
        found = run_all(network, given)
        assert (found.spikes[-1] == np.stack(spikes, 1)).all()
        assert 0.05 < found.spikes[-1].mean() < 0.95
    read = network_of(modules, steps=STEPS, readout=POTENTIALS, **NOTHING)
    assert (run_all(read, given).decisions == potentials[-1].argmax(1)).all()


@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize(("v_reset", "reset"), [(None, "subtract"), (0.0, "zero")])
def test_spikingjelly_fires_at_the_threshold(given, decay_input, v_reset, reset):
    module = torch.nn.Sequential(
        linear(INPUTS, 7),
        LIFNode(decay_input=decay_input, v_threshold=0.5, v_reset=v_reset),
        torch.nn.Sequential(linear(7, 3), LIFNode(4.0, decay_input, 0.25, v_reset)),
    )
    network = network_of(
        module, steps=STEPS, readout=COUNTS, strict=False, reset=reset, order="leak add fire reset"
    )
    spikes = [module(torch.tensor(given[:, step]).double()) for step in range(STEPS)]
    expected = torch.stack(spikes, 1).detach().numpy().astype(bool)
    assert (run_all(network, given).spikes[-1] == expected).all()
    assert 0.05 < expected.mean() < 0.95


def test_outputs_without_neurons_add_up_what_they_are_given(given):
    module = [linear(INPUTS, 7), LIFNode(v_reset=None, v_threshold=0.5), linear(7, 3)]
    stated = {"strict": False, "reset": "subtract", "order": "leak add fire reset"}
    network = network_of(module, steps=STEPS, readout=POTENTIALS, **stated)
    total = sum(
        module[2](module[1](module[0](torch.tensor(given[:, step]).double()))) for step in range(STEPS)
    )
    found = run_all(network, given)
    weights = module[2].weight.detach().numpy()
    unit = network.layers[1].weights[weights != 0][0] / weights[weights != 0][0]
    assert (found.scores[:, -1] / unit == total.detach().numpy()).all()


def test_numbers_are_rounded_where_that_is_asked_for():
    layer = torch.nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.3, -0.3], [1e-30, 1.0]]))
    stated = {"steps": 1, "readout": POTENTIALS, **SUBTRACT}
    with pytest.raises(NetworkError, match="layer 0: its numbers need more than 62 bits"):
        network_of([layer], **stated)
    assert network_of([layer], bits=2, **stated).layers[0].weights.tolist() == [[1, -1], [0, 4]]


def leaky(**parts):
    return [linear(2, 2), snntorch.Leaky(**{"beta": 0.5, **parts})]


def altered(module, **attributes):
    """The same, where these of the last are set after construction."""
    for name, value in attributes.items():
        setattr(module[-1], name, value)
    return module


def used_twice():
    neurons = LIFNode()
    return torch.nn.Sequential(linear(2, 2), neurons, linear(2, 2), neurons)


class Linear(torch.nn.Linear):
    """Of the name, and otherwise."""

    def forward(self, x):
        return -super().forward(x)


class Sequential(torch.nn.Sequential):
    """Of the name, and otherwise."""

    def forward(self, x):
        return super().forward(-x)


def hooked(register):
    module = torch.nn.Sequential(*leaky())
    getattr(module[0], register)(lambda *_: None)
    return module


def parametrized():
    module = leaky()
    parametrizations.weight_norm(module[0])
    return module


def pruned():
    module = leaky()
    prune.identity(module[0], "weight")
    return module


@pytest.mark.parametrize(
    ("module", "stated", "words"),
    [
        (leaky(), {**SUBTRACT, "strict": False}, "otherwise than stated: strict=True, reset='subtract'"),
        (leaky(), ZERO, "order='leak reset add fire'"),
        (leaky(), {**SUBTRACT, "order": "leak add fire reset"}, "otherwise than stated"),
        (leaky(), {**SUBTRACT, "order": "leak add fire"}, "each once"),
        (leaky(), {**SUBTRACT, "reset": "halve"}, "'halve' is not a valid"),
        (leaky(reset_delay=False), SUBTRACT, "reset_delay must be True"),
        (leaky(inhibition=True), SUBTRACT, "inhibition must be False"),
        (leaky(beta=torch.tensor([0.5, 0.75])), SUBTRACT, "beta must be one number"),
        ([linear(2, 2), torch.nn.ReLU()], SUBTRACT, "torch.ReLU is not read"),
        ([torch.nn.ReLU()], SUBTRACT, "where a torch.nn.Linear is expected"),
        ([linear(2, 2), linear(2, 2)], SUBTRACT, "one after another"),
        ([linear(2, 2)], SUBTRACT, "layer 0 needs neurons"),
        ([linear(2, 2), LIFNode(v_reset=0.5)], AT_ONCE, "v_reset must be None or 0"),
        ([linear(2, 2), LIFNode(tau=0)], AT_ONCE, "tau must be at least 1"),
        ([linear(2, 2), LIFNode(tau=-2.0)], AT_ONCE, "tau must be at least 1"),
        ([linear(2, 2), LIFNode(spiking=False)], AT_ONCE, "outputs of 0 and 1: spikes"),
        (
            altered([linear(2, 2), LIFNode()], surrogate_function=torch.nn.ReLU()),
            AT_ONCE,
            "must be of spikingjelly.activation_based.surrogate",
        ),
        (used_twice(), AT_ONCE, "neurons are used twice"),
        (leaky(threshold=-1.0), SUBTRACT, "threshold below 0 it resets from rest"),
        (leaky(threshold=float("inf")), SUBTRACT, "threshold must be one number"),
        (altered(leaky(), reset_mechanism="none"), NOTHING, "reset_mechanism was set later"),
        (leaky(spike_grad=torch.sigmoid), SUBTRACT, "spike_grad must be of snntorch.surrogate"),
        (leaky(spike_grad=lambda x: (x > 0).float()), SUBTRACT, "spike_grad must be of"),
        (
            altered(leaky(), fire=torch.sigmoid),
            SUBTRACT,
            "snntorch.Leaky: fire is not that of its class",
        ),
        ([Linear(2, 2), leaky()[1]], SUBTRACT, "Linear comes where a torch.nn.Linear is expected"),
        (Sequential(*leaky()), SUBTRACT, "Sequential comes where a torch.nn.Linear is expected"),
        (
            [torch.nn.Flatten(), *leaky()],
            SUBTRACT,
            "flatten.Flatten comes .* leave out what only reshapes",
        ),
        (hooked("register_forward_hook"), SUBTRACT, "torch.Linear has hooks"),
        (hooked("register_forward_pre_hook"), SUBTRACT, "torch.Linear has hooks"),
        (pruned(), SUBTRACT, "torch.Linear has hooks, as of pruning"),
        (parametrized(), SUBTRACT, "ParametrizedLinear comes where"),
        (leaky(), {**SUBTRACT, "readout": Score.COUNT}, "readout must be a Readout, such as"),
        (leaky(), {**SUBTRACT, "steps": 2.5}, "steps must be an integer, not 2.5"),
    ],
)
def test_what_is_otherwise_than_stated_is_refused(module, stated, words):
    with pytest.raises(NetworkError, match=words) as refused:
        network_of(module, **{"steps": 2, "readout": COUNTS, **stated})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["atan", "fast_sigmoid", "sigmoid", "heaviside", "triangular", "SSO"])
def test_surrogates_of_gradients_are_spikes_all_the_same(name):
    network_of(
        leaky(spike_grad=getattr(snntorch.surrogate, name)()), steps=2, readout=COUNTS, **SUBTRACT
    )


def test_potentials_that_are_reset_are_refused():
    with pytest.raises(NetworkError, match="must not be reset"):
        network_of(leaky(), steps=2, readout=POTENTIALS, **SUBTRACT)
