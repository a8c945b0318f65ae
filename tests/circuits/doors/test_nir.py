"""NIR: what its graphs mean in steps, by a simulation of real numbers and by the backends themselves."""

import copy
import itertools
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeproof.circuits.doors.files import read_circuit, write_circuit
from spikeproof.circuits.doors.membranes import Form, combined, leaked
from spikeproof.circuits.doors.nir import as_nir, from_nir, read_nir, to_nir
from spikeproof.circuits.doors.nir_backends import BACKENDS
from spikeproof.circuits.doors.nir_reading import ORDERS, RESETS, STARTS, Reading
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, NetlistBuilder, NetlistError
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.refutation.drawing import every_input
from tests.support.command_line import spikeproof_here
from tests.support.netlists import netlists
from tests.support.profile import NIGHTLY
from tests.support.refusals import refused

nir = pytest.importorskip("nir", reason="needs nir: pip install '.[nir]'")

PLAIN = Reading(
    constants="equations",
    strict=False,
    reset="zero",
    start="zero",
    dt="1e-4",
    order="leak add fire",
    arithmetic="exact",
    steps=1,
)


def f32(*values):
    return np.array(values, dtype=np.float32)


def chain(*nodes, shape):
    """A graph of nodes in a row."""
    named = {"input": nir.Input(np.array(shape))}
    named |= {f"n{place}": node for place, node in enumerate(nodes)}
    named["output"] = nir.Output(np.array([1]))
    return nir.NIRGraph(named, list(itertools.pairwise(named)), type_check=False)


def lif(count, *, tau=2e-4, r=2.0, threshold=1.0, v_leak=0.0, v_reset=0.0):
    parameters = {"tau": tau, "r": r, "v_leak": v_leak, "v_threshold": threshold, "v_reset": v_reset}
    return nir.LIF(**{name: np.full(count, value, np.float32) for name, value in parameters.items()})


def integrate(count, *, r=1.0, threshold=1.0, v_reset=0.0):
    parameters = {"r": r, "v_threshold": threshold, "v_reset": v_reset}
    return nir.IF(**{name: np.full(count, value, np.float32) for name, value in parameters.items()})


def cuba(count, *, dt, tau_syn, tau_mem, r=None, w_in=None, threshold=1.0, v_leak=0.0):
    parameters = {
        "tau_syn": tau_syn,
        "tau_mem": tau_mem,
        "r": tau_mem / dt if r is None else r,
        "w_in": tau_syn / dt if w_in is None else w_in,
        "v_threshold": threshold,
        "v_leak": v_leak,
        "v_reset": 0.0,
    }
    return nir.CubaLIF(**{name: np.full(count, value, np.float32) for name, value in parameters.items()})


def trains(netlist: Netlist, steps: int, output: str = "output") -> list[list[int]]:
    """The words of an output at each step, for every input."""
    found = boolean.evaluate(netlist, every_input(netlist.inputs))
    return [found[output if steps == 1 else f"{output}.{step}"].tolist() for step in range(steps)]


def driving(netlist: Netlist, steps: int, width: int) -> np.ndarray:
    """Every input as bits: by step, row and place."""
    words = every_input(netlist.inputs)
    names = ["input"] if steps == 1 else [f"input.{step}" for step in range(steps)]
    return np.stack([boolean.unpack_words(words[name], width).T for name in names])


def words_of(fired: np.ndarray) -> list[int]:
    return (
        np.asarray(fired).reshape(len(fired), -1).astype(int) @ (1 << np.arange(fired[0].size))
    ).tolist()


# --- the meaning of several steps, by stepping ----------------------------------------------------


def stepped(constants, reading, weights, bias, bits):
    """One layer of neurons through its steps, in fractions: as a simulator does it."""
    potentials = [Fraction(each.start) for each in constants]
    currents = [Fraction(each.synapse.start if each.synapse else 0) for each in constants]
    fired = []
    for row in bits:
        fired.append([])
        for place, each in enumerate(constants):
            drive = sum(w for w, bit in zip(weights[place], row, strict=True) if bit) + bias[place]
            if each.synapse:
                drive = currents[place] = (
                    each.synapse.decay * currents[place]
                    + each.synapse.gain * drive
                    + each.synapse.offset
                )
            v = potentials[place]
            for action in reading.order.split():
                if action == "leak":
                    v = each.decay * v + each.offset
                elif action == "add":
                    v += each.gain * drive
                else:
                    fires = v > each.threshold if reading.strict else v >= each.threshold
                    if fires:
                        v = v - each.threshold if reading.reset == "subtract" else each.reset
                    fired[-1].append(fires)
            potentials[place] = v
    return fired


NODES = {
    "IF": lambda: nir.IF(
        r=np.array([1e4, 2e4]), v_threshold=np.array([1.0, 2.0]), v_reset=np.array([0.25, -1])
    ),
    "LIF": lambda: nir.LIF(
        tau=np.array([3e-4, 2e-4]),
        r=np.array([2.0, 3.0]),
        v_leak=np.array([0.5, -0.25]),
        v_threshold=np.array([1.0, 0.5]),
        v_reset=np.array([0.25, -1.0]),
    ),
    "CubaLIF": lambda: nir.CubaLIF(
        tau_syn=np.array([2e-4, 3e-4]),
        tau_mem=np.array([4e-4, 2e-4]),
        r=np.array([4.0, 2.0]),
        w_in=np.array([2.0, 3.0]),
        v_leak=np.array([0.5, 0.0]),
        v_threshold=np.array([1.0, 0.75]),
        v_reset=np.array([0.25, -1.0]),
    ),
}


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("reset", RESETS)
def test_several_steps_are_those_of_a_simulation(kind, reset):
    """Every order, with either comparison and each start; 2 neurons, 2 inputs, 3 steps."""
    weights, bias = [[1.0, -0.5], [0.75, 1.25]], [0.0, -0.25]
    graph = chain(nir.Affine(np.array(weights), np.array(bias)), NODES[kind](), shape=[2])
    exactly = [[Fraction(w) for w in row] for row in weights]
    for place, (order, strict) in enumerate(itertools.product(ORDERS, (True, False))):
        start = STARTS[place % len(STARTS)]
        reading = replace(PLAIN, reset=reset, order=order, start=start, strict=strict, steps=3)
        netlist = from_nir(graph, reading)
        constants = reading.neurons(graph.nodes["n1"], (2,))
        bits = driving(netlist, 3, 2)
        wanted = [
            stepped(constants, reading, exactly, list(map(Fraction, bias)), bits[:, row])
            for row in range(bits.shape[1])
        ]
        for step, found in enumerate(trains(netlist, 3)):
            assert found == words_of(np.array([each[step] for each in wanted])), (order, start, strict)


def test_a_held_input_is_one_bus():
    graph = chain(nir.Linear(f32([0.5]).reshape(1, 1)), nir.IF(f32(1e4), f32(1.0)), shape=[1])
    reading = replace(PLAIN, reset="subtract", steps=5)
    netlist = from_nir(graph, reading, held=["input"])
    assert netlist.inputs == {"input": 1}
    assert trains(netlist, 5) == [[0, 0], [0, 1], [0, 0], [0, 1], [0, 0]]
    assert "held at every step: input" in netlist.notes[0]
    with pytest.raises(NetlistError, match="'x' is held, but no input; use one of input"):
        from_nir(graph, reading, held=["x"])


def test_the_equations_are_exact():
    """Where 1 - dt / tau is a third: after three steps 1/27 is left, and the threshold is just that."""
    node = nir.LIF(
        tau=np.array([3.0]),
        r=np.array([3.0]),
        v_leak=f32(0),
        v_threshold=np.array([26.0]),
        v_reset=f32(0),
    )
    graph = chain(
        nir.Linear(np.array([[18.0]])), node, shape=[1]
    )  # 18 + 12 = 30, 18 alone is not enough
    reading = replace(PLAIN, dt=1, steps=2)
    assert trains(from_nir(graph, reading), 2) == [[0, 0, 0, 0], [0, 0, 0, 1]]
    node.v_threshold = np.array([30.0])
    assert trains(from_nir(graph, reading), 2)[1] == [0, 0, 0, 1]
    assert trains(from_nir(graph, replace(reading, strict=True)), 2)[1] == [0, 0, 0, 0]
    with pytest.raises(
        NetlistError, match="a time constant is 3, shorter than dt = 4; choose a smaller dt"
    ):
        from_nir(graph, replace(reading, dt=4))


def test_a_threshold_keeps_nothing_in_whatever_order():
    graph = chain(nir.Threshold(f32(0.5, 0.5)), shape=[2])
    for order, reset in itertools.product(ORDERS, RESETS):
        netlist = from_nir(graph, replace(PLAIN, order=order, reset=reset, steps=2))
        assert netlist.neurons == ()
        assert trains(netlist, 2)[1] == [word >> 2 for word in range(16)]


# --- layers without neurons ----------------------------------------------------------------------


def linear_by_torch(module, netlist, shape, thresholds):
    import torch

    bits = driving(netlist, 1, int(np.prod(shape)))[0].reshape(-1, *shape)
    sums = module(torch.tensor(bits, dtype=torch.float64))
    return words_of(sums.numpy() >= thresholds)


CONVOLUTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"stride": (1, 2), "padding": (0, 2), "dilation": (2, 1)},
    {"padding": "same", "dilation": (1, 3)},
    {"padding": "valid", "groups": 2},
]


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
def test_convolutions(options):
    torch = pytest.importorskip("torch")
    stated = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | options
    random, shape = np.random.default_rng(5), (2, 3, 2) if stated["groups"] == 1 else (2, 2, 2)
    kernel = (2, 1) if options.get("padding") == "valid" else (2, 2)
    weight = random.integers(-2, 3, (2, 2 // stated["groups"], *kernel)).astype(float)
    bias = np.array([0.5, -1.0])

    def module(x):
        return torch.nn.functional.conv2d(x, torch.tensor(weight), torch.tensor(bias), **stated)

    outputs = tuple(module(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:])
    thresholds = np.ones(outputs)
    graph = chain(
        nir.Conv2d(np.array(shape[1:]), weight, **stated, bias=bias),
        nir.Threshold(thresholds),
        shape=shape,
    )
    netlist = from_nir(graph, PLAIN)
    assert trains(netlist, 1) == [linear_by_torch(module, netlist, shape, thresholds)]
    written = as_file(graph)
    assert from_nir(written, PLAIN).sha256 == netlist.sha256


def as_file(graph):
    """What is left of a graph once it has been a file."""
    import io

    content = io.BytesIO()
    nir.write(content, graph)
    return nir.read(content, type_check=False)


def test_one_dimension_and_pools():
    torch = pytest.importorskip("torch")
    weight, bias = np.array([[[1.0, -2.0, 1.0]]]), np.array([0.5])
    node = nir.Conv1d(4, weight, 1, 1, 1, 1, bias)
    graph = chain(node, nir.Threshold(np.ones((1, 4))), shape=(1, 4))
    netlist = from_nir(graph, PLAIN)
    assert trains(netlist, 1) == [
        linear_by_torch(
            lambda x: torch.nn.functional.conv1d(x, torch.tensor(weight), torch.tensor(bias), padding=1),
            netlist,
            (1, 4),
            np.ones((1, 4)),
        )
    ]
    for kind, factor in ((nir.SumPool2d, 4), (nir.AvgPool2d, 1)):
        pool = kind(np.array([2, 2]), np.array([2, 1]), np.array([1, 0]))
        level = np.full((1, 2, 2), 0.5 * factor)
        netlist = from_nir(chain(pool, nir.Threshold(level), shape=(1, 2, 3)), PLAIN)
        assert trains(netlist, 1) == [
            linear_by_torch(
                lambda x: torch.nn.functional.avg_pool2d(x, 2, (2, 1), (1, 0)), netlist, (1, 2, 3), 0.5
            )
        ]


def test_flatten_scale_graphs_within_graphs_and_sums():
    """2a - b + a >= 2, through all of these."""
    inner = nir.NIRGraph(
        {
            "in": nir.Input(np.array([2])),
            "fc": nir.Linear(f32([2, -1]).reshape(1, 2)),
            "out": nir.Output(np.array([1])),
        },
        [("in", "fc"), ("fc", "out")],
        type_check=False,
    )
    nodes = {
        "input": nir.Input(np.array([1, 2])),
        "flat": nir.Flatten(np.array([1, 2]), 0, -1),
        "sub": inner,
        "scale": nir.Scale(f32(1.0, 5.0)),
        "one": nir.Linear(f32([1, 0]).reshape(1, 2)),
        "fire": nir.Threshold(f32(2.0)),
        "output": nir.Output(np.array([1])),
    }
    edges = [
        ("input", "flat"),
        ("flat", "sub"),
        ("flat", "scale"),
        ("scale", "one"),
        ("sub", "fire"),
        ("one", "fire"),
        ("fire", "output"),
    ]
    graph = nir.NIRGraph(nodes, edges, type_check=False)
    assert trains(from_nir(graph, PLAIN), 1) == [[0, 1, 0, 1]]
    assert trains(from_nir(as_file(graph), PLAIN), 1) == [[0, 1, 0, 1]]
    assert from_nir(graph, PLAIN, inputs={"a": 1, "b": 1}, outputs={"c": 1}).inputs == {"a": 1, "b": 1}


# --- backends ------------------------------------------------------------------------------------


def run_snntorch(graph, bits):
    pytest.importorskip("snntorch", reason="needs snnTorch: pip install '.[benchmarks]'")
    importer = pytest.importorskip("snntorch.import_nir", reason="needs nirtorch")
    module = importer.import_from_nir(graph)
    for row in bits:
        fired = module(row)[0]
        yield fired[0] if isinstance(fired, tuple) else fired  # of an IF its potential comes too


def run_spikingjelly(graph, bits):
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange", exc_type=ImportError)
    module, state = exchange.import_from_nir(graph), None
    for row in bits:
        fired, state = module(row, state)
        yield fired


def run_norse(graph, bits):
    norse = pytest.importorskip("norse.torch", reason="needs Norse")
    module, state = norse.from_nir(graph, ignore_warnings=True), None
    for row in bits:
        fired, state = module(row, state)
        yield fired


RUNS = {"snntorch": run_snntorch, "spikingjelly": run_spikingjelly, "norse": run_norse}


def run(backend, graph, bits):
    """What a backend yields at each step, a row for each input."""
    torch = pytest.importorskip("torch")
    steps = RUNS[backend](copy.deepcopy(graph), torch.tensor(np.asarray(bits), dtype=torch.float32))
    with torch.no_grad():
        return [words_of(fired.numpy() != 0) for fired in steps]


def agrees(backend, graph, steps, width):
    """Compare a backend with the netlist of its reading on every input; what they yield.

    Raises:
        NetlistError: if the graph is refused.
    """
    netlist = from_nir(graph, Reading.of(backend, steps=steps))
    wanted = run(backend, graph, driving(netlist, steps, width))
    assert trains(netlist, steps) == wanted
    return wanted


def test_every_backend_is_run():
    assert RUNS.keys() == BACKENDS.keys()


def spiking(backend, random, count):
    """A layer that the backend takes, with decays of few bits."""
    threshold = float(random.choice([0.5, 1.0, 1.25]))
    dt = float(Fraction(BACKENDS[backend].preset["dt"]))
    tau = dt * float(random.choice([2, 4]))
    leak = 0.25 if backend == "norse" else 0.0
    kind = random.choice(["LIF", "CubaLIF", "IF"] if backend != "snntorch" else ["LIF", "CubaLIF"])
    if kind == "CubaLIF":
        return cuba(count, dt=dt, tau_syn=dt * 2, tau_mem=tau, threshold=threshold, v_leak=leak)
    if backend == "spikingjelly":
        rest = float(random.choice([0.0, -0.5]))
        if kind == "IF":
            return integrate(count, r=1e4, threshold=threshold, v_reset=rest)
        r = float(random.choice([1.0, tau / dt]))
        return lif(count, tau=tau, r=r, threshold=threshold, v_leak=rest, v_reset=rest)
    if kind == "IF":
        return integrate(count, threshold=threshold)
    return lif(count, tau=tau, r=random.choice([1.0, tau / dt]), threshold=threshold, v_leak=leak)


@pytest.mark.parametrize("backend", RUNS)
@pytest.mark.parametrize("seed", range(12))
def test_a_backend_does_what_its_reading_says(backend, seed):
    random = np.random.default_rng(seed)
    steps, width = [(1, 4), (2, 3), (3, 2), (4, 2)][seed % 4]
    nodes, reads = [], width
    for _ in range(2):
        weight = (random.integers(-3, 7, (3, reads)) / 4).astype(np.float32)
        bias = (random.integers(-1, 2, 3) / 4).astype(np.float32)
        nodes += [nir.Affine(weight, bias), spiking(backend, random, 3)]
        reads = 3
    agrees(backend, chain(*nodes, shape=[width]), steps, width)


@pytest.mark.parametrize(
    ("backend", "node", "at_threshold"),
    [
        ("snntorch", lif(1), 0),
        ("snntorch", integrate(1), 0),
        ("spikingjelly", lif(1), 1),
        ("spikingjelly", integrate(1, r=1e4), 1),
        ("norse", lif(1, tau=1e-3), 0),
        ("norse", integrate(1), 0),
    ],
)
def test_a_row_of_the_table_strictness(backend, node, at_threshold):
    graph = chain(nir.Affine(f32([1.0]).reshape(1, 1), f32(0)), node, shape=[1])
    assert agrees(backend, graph, 1, 1) == [[0, at_threshold]]


ALWAYS = nir.Affine(f32([0.0]).reshape(1, 1), f32(0.9375))
"""Drives a neuron at every step, whatever the input."""


@pytest.mark.parametrize(
    ("backend", "node", "train", "subtracting"),
    [
        (
            "snntorch",
            lif(1, v_reset=-1.0),
            [0, 1, 0, 1],
            [0, 1, 1, 1],
        ),  # to 0: it does not look at v_reset
        ("spikingjelly", integrate(1, r=1e4), [0, 1, 0, 1], [0, 1, 1, 1]),
        (
            "spikingjelly",
            integrate(1, r=1e4, v_reset=-1.0),
            [0, 0, 1, 0],
            [0, 0, 1, 1],
        ),  # starts there too
        ("norse", integrate(1, v_reset=-1.0), [0, 1, 0, 1], [0, 1, 1, 1]),  # nor does Norse
    ],
)
def test_a_row_of_the_table_reset(backend, node, train, subtracting):
    """And what subtracting the threshold would yield."""
    graph = chain(ALWAYS, node, shape=[1])
    assert [step[0] for step in agrees(backend, graph, 4, 1)] == train
    other = trains(from_nir(graph, Reading.of(backend, steps=4, reset="subtract")), 4)
    assert [step[0] for step in other] == subtracting


def test_a_row_of_the_table_norse_does_not_look_at_r():
    for r in (1.0, 100.0):
        graph = chain(nir.Affine(f32([1.5]).reshape(1, 1), f32(0)), lif(1, tau=2e-3, r=r), shape=[1])
        assert agrees("norse", graph, 1, 1) == [[0, 0]]
        equations = replace(PLAIN, dt="1e-3")
        assert trains(from_nir(graph, equations), 1) == [[0, int(r == 100)]]


def test_a_row_of_the_table_time_step():
    """The same time constant is another decay; Norse's float32 makes just a half of it."""
    node = lif(1, tau=2e-3, r=1.0)
    decays = {name: Reading.of(name, steps=1).neurons(node, (1,))[0].decay for name in BACKENDS}
    assert decays == {
        "snntorch": Fraction(float(np.float32(1) - np.float32(1e-4) / np.float32(2e-3))),
        "spikingjelly": 1 - Fraction(1, 20),
        "norse": Fraction(1, 2),
    }
    part = 1 - PLAIN.neurons(node, (1,))[0].decay
    assert part == Fraction(1, 10000) / Fraction(float(np.float32(2e-3)))


def test_a_row_of_the_table_an_if_of_snntorch_leaks():
    """0.515625 twice is above 1, but not if a tenth of the first is lost."""
    drive = nir.Affine(f32([0.0]).reshape(1, 1), f32(0.515625))
    graph = chain(drive, integrate(1), shape=[1])
    assert agrees("snntorch", graph, 1, 1) == [[0, 0]]
    assert run("snntorch", graph, np.zeros((2, 2, 1))) == [[0, 0], [0, 0]]
    assert run("norse", graph, np.zeros((2, 2, 1))) == [[0, 0], [1, 1]]
    with pytest.raises(NetlistError, match=r"snnTorch refuses no IF, but reads it as a leak of 0\.9"):
        from_nir(graph, Reading.of("snntorch", steps=2))


def test_a_trap_of_the_table_subtracting_in_snntorch():
    """3.5 is three thresholds and a half; still above one it loses another before it fires."""
    torch, snntorch = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    layer = snntorch.Leaky(beta=1.0, threshold=1.0, init_hidden=True, reset_delay=False)
    assert [layer(torch.tensor([drive])).item() for drive in (3.5, 0.0, 0.0)] == [1, 1, 0]


def test_a_row_of_the_table_sinabs_fires_more_than_once():
    torch = pytest.importorskip("torch")
    sinabs = pytest.importorskip("sinabs.nir", reason="needs Sinabs")
    graph = chain(nir.Affine(f32([2.5]).reshape(1, 1), f32(0)), integrate(1), shape=[1])
    module = sinabs.from_nir(graph, batch_size=1)
    assert module(torch.ones(1, 1))[0].tolist() == [[2.0]]


REFUSED_BY_BACKENDS = [
    ("snntorch", lif(1, v_leak=0.5), "snnTorch refuses a v_leak that is not 0"),
    ("snntorch", integrate(1, r=2.0), "snnTorch refuses an IF with an r that is not 1"),
    ("snntorch", lif(1, threshold=-1.0), "snnTorch refuses a negative threshold"),
    ("snntorch", cuba(1, dt=1e-4, tau_syn=2e-4, tau_mem=2e-4, r=1.0), "an r that is not tau_mem / dt"),
    ("spikingjelly", integrate(1), "SpikingJelly refuses an IF with an r that is not 1 / dt"),
    ("spikingjelly", lif(1, r=3.0), "SpikingJelly refuses an r that is neither 1 nor tau / dt"),
    ("spikingjelly", lif(1, tau=1e-4), "SpikingJelly refuses a tau that is not longer than dt"),
    ("spikingjelly", lif(1, v_leak=0.5), "SpikingJelly refuses a v_leak other than v_reset"),
    ("spikingjelly", cuba(1, dt=1e-4, tau_syn=2e-4, tau_mem=2e-4, w_in=1.0), "a w_in that is not"),
    ("norse", nir.Threshold(f32(1.0)), "norse has no Threshold; use IF, LIF, CubaLIF, or state"),
]


@pytest.mark.parametrize(("backend", "node", "message"), REFUSED_BY_BACKENDS)
def test_what_a_backend_refuses_is_refused(backend, node, message):
    with refused(message) as refusal:
        from_nir(chain(ALWAYS, node, shape=[1]), Reading.of(backend, steps=1))
    assert str(refusal.value).startswith("node 'n1': ")


def test_different_thresholds_in_a_layer():
    weights = nir.Linear(f32([1.0, 1.0]).reshape(2, 1))
    node = nir.IF(f32(1, 1), f32(1, 2))
    with pytest.raises(NetlistError, match="snnTorch refuses different thresholds in one layer"):
        from_nir(chain(weights, node, shape=[1]), Reading.of("snntorch", steps=1))
    assert agrees("norse", chain(weights, nir.IF(f32(1, 1), f32(0.5, 2)), shape=[1]), 1, 1) == [[0, 1]]


# --- rounding ------------------------------------------------------------------------------------


def test_a_sum_that_a_backend_rounds_is_refused():
    """Three steps of a decay of 24 bits: snnTorch's float32 falls short of what is exactly above 0.5."""
    for tau in np.linspace(2e-4, 9e-4, 400, dtype=np.float32):
        beta = np.float32(1) - np.float32(1e-4) / tau
        rounded = np.float32(beta * np.float32(-beta)) + np.float32(1.5)
        if Fraction(float(rounded)) < Fraction(3, 2) - Fraction(float(beta)) ** 2:
            break
    node = lif(1, tau=tau, r=float(tau / np.float32(1e-4)), threshold=float(rounded))
    graph = chain(nir.Linear(f32([-1.0, 1.5]).reshape(1, 2)), node, shape=[2])
    with pytest.raises(NetlistError, match="node 'n1': float32 may round sums of a neuron's drive"):
        from_nir(graph, Reading.of("snntorch", steps=3))
    exactly = from_nir(graph, Reading.of("snntorch", steps=3, arithmetic="exact"))
    inputs = {"input.0": np.array([1]), "input.1": np.array([0]), "input.2": np.array([2])}
    assert boolean.evaluate(exactly, inputs)["output.2"].tolist() == [1]
    bits = np.array([[[1, 0]], [[0, 0]], [[0, 1]]])
    assert run("snntorch", graph, bits) == [[0], [0], [0]]
    assert "arithmetic of real numbers" in exactly.notes[0]


def test_what_is_gone_counts_too():
    """Norse computes v + part (x - v), and of a part of 3/4 or 3 that is more than is left."""
    form = combined([(Form.of_signal(0), 5)])
    assert [leaked(form, 1 - Fraction(part), 0).reach for part in ("1/4", "3/4", 3)] == [15, 15, 15]
    assert leaked(form, Fraction(1, 4), Fraction(1, 2)).denominator == 4


@pytest.mark.parametrize(
    ("weights", "arithmetic", "message"),
    [
        ([2.0**24, 1.0, 1.0], "float32", "float32 may round sums of its weights"),
        ([2.0**24 - 1, 1.0], "float32", None),
        ([2.0**24, 1.0, 1.0], "float64", None),
        ([2.0**127, 2.0**127, 2.0**127], "float32", "may round"),  # infinite on the way
        ([2.0**-140, 2.0**-140], "float32", "may round"),  # 0 where subnormals are flushed
        ([0.1], "float32", "weight 0.1 is rounded in float32; store such weights"),
        ([0.1], "float64", None),
        ([0.0, 0.0], "float32", None),
    ],
)
def test_sums_that_may_be_rounded(weights, arithmetic, message):
    graph = chain(nir.Linear(np.array([weights])), nir.Threshold(f32(1.0)), shape=[len(weights)])
    reading = replace(PLAIN, arithmetic=arithmetic)
    if message is None:
        assert len(from_nir(graph, reading).notes) == 1
    else:
        with pytest.raises(NetlistError, match=message):
            from_nir(graph, reading)


# --- round trips ---------------------------------------------------------------------------------


def outputs_of(netlist: Netlist) -> dict[str, list[int]]:
    found = boolean.evaluate(netlist, every_input(netlist.inputs))
    return {name: values.tolist() for name, values in found.items()}


TRIPS = {
    "Threshold": [PLAIN, replace(PLAIN, strict=True, arithmetic="float32", order="fire leak add")],
    "IF": [PLAIN, Reading.of("spikingjelly", steps=1), Reading.of("norse", steps=1)],
    "LIF": [PLAIN, Reading.of("spikingjelly", steps=1), Reading.of("snntorch", steps=1)],
}


@pytest.mark.parametrize("neurons", TRIPS)
@given(netlist=netlists())
@settings(max_examples=40 if NIGHTLY else 15, deadline=None)
def test_what_is_written_is_read(neurons, netlist):
    graph = to_nir(netlist, neurons=neurons)
    assert graph.check_types()
    for reading in TRIPS[neurons]:
        again = from_nir(graph, reading)
        assert again.inputs == netlist.inputs
        assert outputs_of(again) == outputs_of(netlist)


@pytest.fixture(scope="module")
def a_file(tmp_path_factory):
    """One that is written again and again."""
    return tmp_path_factory.mktemp("nir") / "circuit.nir"


@given(netlist=netlists())
@settings(max_examples=20 if NIGHTLY else 5, deadline=None)  # a process reads each file
def test_files_hold_what_graphs_say(a_file, netlist):
    path = a_file
    write_circuit(netlist, path)
    again = read_nir(path, replace(PLAIN, arithmetic="float32"))
    assert outputs_of(again) == outputs_of(netlist)
    assert again.sha256 == from_nir(to_nir(netlist), PLAIN).sha256


def test_a_unit_is_exported(tmp_path, capsys):
    path = tmp_path / "unit.nir"
    assert spikeproof_here(capsys, "export", "fp6_e3m2.add.rne.saturate", path).returncode == 0
    assert outputs_of(read_nir(path, PLAIN)) == outputs_of(
        theorem("fp6_e3m2.add.rne.saturate").circuit()
    )


@pytest.mark.parametrize(
    ("backend", "neurons"), [("spikingjelly", "IF"), ("snntorch", "LIF"), ("norse", "IF")]
)
def test_a_backend_runs_what_is_written(backend, neurons):
    """An exclusive or of three and its carry, whose levels read past each other."""
    builder = NetlistBuilder()
    bus = builder.input("input", 3)
    carry = builder.neuron([(signal, 1) for signal in bus], 2)
    total = builder.neuron([*((signal, 1) for signal in bus), (carry, -2)], 1)
    netlist = builder.build({"output": (total, carry, bus[1])})
    wanted = outputs_of(netlist)["output"]
    assert run(backend, to_nir(netlist, neurons=neurons), driving(netlist, 1, 3)) == [wanted]


def test_what_cannot_be_written_is_said():
    builder = NetlistBuilder()
    a, b = builder.input("a", 1)[0], builder.input("b", 1)[0]
    fine = builder.neuron([(a, 2**53), (b, 1)], 2**53 + 1)
    with pytest.raises(NetlistError, match="weights are of more than 53 bits"):
        to_nir(builder.build({"out": (fine,)}))
    with pytest.raises(NetlistError, match="neurons is 'LI'; use one of Threshold, IF, LIF"):
        to_nir(builder.build({"out": (a,)}), neurons="LI")


# --- what is refused -----------------------------------------------------------------------------


def edited(edges=None, **nodes):
    graph = chain(nir.Affine(f32([1, 1]).reshape(1, 2), f32(0)), lif(1), shape=[2])
    graph.nodes |= nodes
    graph.edges = graph.edges + (edges or [])
    return graph


def nested(depth):
    graph = chain(shape=[1])
    for _ in range(depth):
        graph = nir.NIRGraph(
            {"i": nir.Input(np.array([1])), "g": graph, "o": nir.Output(np.array([1]))},
            [("i", "g"), ("g", "o")],
            type_check=False,
        )
    return graph


def convolved(shape, **changed):
    stated = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": f32(0)} | changed
    weight = stated.pop("weight", np.ones((1, 1, 2, 2), np.float32))
    return chain(nir.Conv2d(None, weight, **stated), nir.Threshold(f32(1)), shape=shape)


NONSENSE = [
    (lambda: edited([("n1", "n0")]), "depends on itself; only graphs without recurrence are read"),
    (lambda: edited([("n0", "nowhere")]), "the edge n0 -> nowhere has no node at an end; add it"),
    (lambda: edited([("n0", "n1")]), "an edge occurs twice; leave one"),
    (lambda: edited([("n0", "input")]), "node"),
    (
        lambda: edited(n1=nir.LI(f32(1), f32(1), f32(0))),
        "node 'n1' is a LI, which is not read; use Affine",
    ),
    (lambda: edited(n1=lif(2)), "tau of LIF has shape (2,) where its neurons have (1,); give one each"),
    (
        lambda: edited(n1=lif(1, threshold=np.nan)),
        "node 'n1': a v_threshold of LIF is nan; use a finite number",
    ),
    (lambda: edited(n1=lif(1, tau=0.0)), "a time constant is 0, shorter than dt = 1/10000"),
    (
        lambda: edited(n0=nir.Linear(f32([1, np.inf]).reshape(1, 2))),
        "a weight is inf; use a finite number",
    ),
    (lambda: edited(n0=nir.Linear(np.array([["1", "2"]]))), "weight holds <U1; use real numbers"),
    (
        lambda: edited(n0=nir.Linear(np.ones((1, 2), complex))),
        "weight holds complex128; use real numbers",
    ),
    (lambda: edited(n0=nir.Linear(np.ones((1, 3)))), "what drives it has (2,) where (3,) is needed"),
    (
        lambda: edited(n0=nir.Linear(np.ones((1, 1, 2)))),
        "weight has shape (1, 1, 2); use two dimensions",
    ),
    (lambda: edited(n0=nir.Affine(np.ones((1, 2)), np.ones(2))), "bias has (2,) where (1,) is needed"),
    (lambda: edited(n0=nir.Scale(np.ones(3))), "scale has (3,) where (2,) is needed"),
    (
        lambda: edited(n0=nir.Flatten(None, 0, 3)),
        "it flattens from 0 to 3, of 1 dimensions; correct them",
    ),
    (lambda: edited(n0=nir.Flatten(None, 0.5, 3)), "start_dim is 0.5; use a whole number"),
    (lambda: edited(lone=lif(1)), "node 'lone': nothing leads to it; add an edge"),
    (lambda: edited([("input", "n1")]), "what leads to it has shapes (1,) and (2,); make them one"),
    (
        lambda: edited([("n0", "more")], more=nir.Output(np.array([1]))),
        "output 'more' is a weighted sum, no spike",
    ),
    (
        lambda: edited([("n1", "a b")], **{"a b": nir.Output(np.array([1]))}),
        "'a b' is no name for a bus; name the outputs",
    ),
    (lambda: edited(input=nir.Input(np.array([0]))), "an Input has shape [0]; use whole numbers from 1"),
    # Found by the fuzz: to Python a truth is a whole number.
    (lambda: edited(input=nir.Input(np.array([True]))), "an Input has shape [True]; use whole numbers"),
    (lambda: edited(input=nir.Input(np.array([2**40]))), "an Input has shape [1099511627776]"),
    # Found by the fuzz: NumPy has no array of so many.
    (lambda: edited(input=nir.Input(np.array([1] * 65))), "an Input has 65 dimensions; use 32 at most"),
    (lambda: edited(input=nir.Input(np.array([2**19, 2**19]))), "use 1,000,000 elements at most"),
    (lambda: edited(input=nir.Input(None)), "an Input has shape [None]"),
    (
        lambda: nir.NIRGraph({"a": nir.Input(np.array([1]))}, [], type_check=False),
        "has no Input or no Output",
    ),
    (lambda: nested(40), "graphs are nested more than 32 deep; flatten them"),
    (
        lambda: edited(
            [("n1", "sub")], sub=nir.NIRGraph({"x": nir.Input(f32(1))}, [], type_check=False)
        ),
        "the graph 'sub' has 0 nodes of kind Output; give it one",
    ),
    (
        lambda: convolved((2, 3, 3)),
        "what drives it has (2, 3, 3) where 1 channels of 2 dimensions are needed",
    ),
    (lambda: convolved((1, 1, 3)), "its kernel is larger than its input, (1, 3); correct one"),
    (lambda: convolved((1, 3, 3), groups=2), "1 channels are no multiple of 2 groups; correct them"),
    (lambda: convolved((1, 3, 3), groups=0), "1 channels are no multiple of 0 groups; correct them"),
    (lambda: convolved((1, 3, 3), stride=0), "stride is [0, 0]; use numbers from 1"),
    (lambda: convolved((1, 3, 3), padding=(0.5, 0)), "padding is (0.5, 0); use 2 whole numbers"),
    (lambda: convolved((1, 3, 3), padding=(2000, 2000)), "it has more than 10,000,000 synapses"),
    (lambda: convolved((1, 3, 3), bias=f32(0, 0)), "bias has (2,) where (1,) is needed"),
]


@pytest.mark.parametrize(("build", "message"), NONSENSE, ids=[message for _, message in NONSENSE])
def test_nonsense_is_refused_in_one_line(build, message):
    with refused(re.escape(message)):
        from_nir(build(), PLAIN)


def crossed():
    """Two Inputs and two Outputs: x and not y, at once, and x or y through one level more."""
    one = nir.Threshold(threshold=f32(0.5))

    def weights(*values):
        return nir.Linear(weight=f32(values))

    nodes = {
        "y": nir.Input(np.array([1])),
        "x": nir.Input(np.array([1])),
        "x_or": weights(1),
        "y_or": weights(1),
        "either": one,
        "again": weights(1),
        "later": copy.deepcopy(one),
        "x_and": weights(1),
        "y_not": weights(-1),
        "sooner": copy.deepcopy(one),
        "or": nir.Output(np.array([1])),
        "andnot": nir.Output(np.array([1])),
    }
    edges = [("x", "x_or"), ("y", "y_or"), ("x_or", "either"), ("y_or", "either"), ("either", "again")]
    edges += [("again", "later"), ("later", "or"), ("x", "x_and"), ("y", "y_not")]
    edges += [("x_and", "sooner"), ("y_not", "sooner"), ("sooner", "andnot")]
    return nir.NIRGraph(nodes, edges, type_check=False)


X_OR_Y, X_NOT_Y = [0, 1, 1, 1], [0, 1, 0, 0]  # for x = 0, 1, 0, 1 and y = 0, 0, 1, 1


@pytest.mark.parametrize("inputs", [None, {"x": 1, "y": 1}, {"y": 1, "x": 1}])
@pytest.mark.parametrize("outputs", [None, {"or": 1, "andnot": 1}, {"andnot": 1, "or": 1}])
@pytest.mark.parametrize("steps", [1, 2])
def test_buses_with_the_names_of_nodes_are_these(inputs, outputs, steps):
    netlist = from_nir(crossed(), replace(PLAIN, steps=steps), inputs=inputs, outputs=outputs, held="xy")
    assert list(netlist.inputs) == list(inputs or "yx")
    found = boolean.evaluate(netlist, {"x": np.array([0, 1, 0, 1]), "y": np.array([0, 0, 1, 1])})
    at = "" if steps == 1 else ".1"
    assert found[f"or{at}"].tolist() == X_OR_Y
    assert found[f"andnot{at}"].tolist() == X_NOT_Y
    assert [name.partition(".")[0] for name in found][:2] == list(outputs or ("or", "andnot"))
    assert "in this order" not in netlist.notes[0]


def test_buses_of_other_names_are_the_nodes_in_their_order_and_notes_say_so():
    netlist = from_nir(crossed(), PLAIN, inputs={"b": 1, "a": 1}, outputs={"p": 1, "q": 1})
    found = boolean.evaluate(netlist, {"a": np.array([0, 1, 0, 1]), "b": np.array([0, 0, 1, 1])})
    assert (found["p"].tolist(), found["q"].tolist()) == (X_OR_Y, X_NOT_Y)
    assert "; inputs b, a are the elements of y, x, in this order" in netlist.notes[0]
    assert netlist.notes[0].endswith("; outputs p, q are the elements of or, andnot, in this order")


def test_widths_of_buses_with_the_names_of_nodes():
    graph = chain(nir.Threshold(f32(1, 1)), shape=[2])
    graph.nodes["more"] = nir.Input(np.array([1]))
    graph.nodes["t"] = nir.Threshold(f32(1))
    graph.nodes["out"] = nir.Output(np.array([1]))
    graph.edges += [("more", "t"), ("t", "out")]
    for what, widths in (("inputs", {"input": 1, "more": 2}), ("outputs", {"output": 1, "out": 2})):
        with pytest.raises(NetlistError, match=f"has 1 bits in {what}, in the graph 2; correct one"):
            from_nir(graph, PLAIN, **{what: widths})


def test_widths_that_do_not_fit():
    for what in ("inputs", "outputs"):
        with pytest.raises(NetlistError, match=f"width mismatch: the {what} have 9 bits, the graph"):
            from_nir(edited(), PLAIN, **{what: {"x": 9}})


def file_of(build):
    """A file that h5py writes."""
    import io

    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        build(file)
    return content.getvalue()


def circular(file):
    file["node/again"] = file.create_group("node")


def pointing(file):
    import h5py

    file["node"] = h5py.ExternalLink("elsewhere.h5", "/node")


def large(file):
    file.create_dataset("node/weight", shape=(2**20, 2**20), dtype="f4", chunks=(64, 64))


FILES = [
    (b"", "no graph of NIR: "),
    (b"hello", "no graph of NIR: "),
    (file_of(lambda file: None), "no graph of NIR: "),
    (file_of(circular), "it is nested more than 128 deep; flatten it"),
    (file_of(pointing), "'node' points to another place; write the graph whole"),
    (file_of(large), "it holds more than 10,000,000 numbers, the most that is read"),
    (file_of(lambda file: file.create_dataset("node/type", data="Mystery")), "no graph of NIR: "),
]


@pytest.mark.parametrize(("content", "message"), FILES, ids=range(len(FILES)))
def test_a_file_of_nonsense_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "wrong.nir"
    path.write_bytes(content)
    with refused(re.escape(f"{path}: {message}")):
        read_nir(path, PLAIN)


def test_a_lone_node_is_no_graph(tmp_path):
    nir.write(tmp_path / "lone.nir", lif(1))
    with pytest.raises(NetlistError, match="no graph of NIR: "):
        read_nir(tmp_path / "lone.nir", PLAIN)
    with pytest.raises(NetlistError, match="LIF is no NIRGraph; put it between Input and Output"):
        from_nir(lif(1), PLAIN)


@given(data=st.data())
@settings(max_examples=100 if NIGHTLY else 30, deadline=None)
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    """Octets changed, lost or doubled anywhere, or the end cut off: no other error."""
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 3))
        content[place : place + length] = data.draw(st.binary(max_size=3))
    damaged = bytes(
        content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    )
    path = tmp_path_factory.getbasetemp() / "damaged.nir"
    path.write_bytes(damaged)
    with suppress(NetlistError):
        assert isinstance(read_here(path), Netlist)


def read_here(path):
    """Without a process of its own, which takes its time."""
    from spikeproof.circuits.doors.nir import graph_of
    from spikeproof.circuits.doors.nir_files import decoded, parsed

    return from_nir(graph_of(decoded(parsed({"path": str(path)}))), PLAIN)


def test_a_file_that_crashes_what_parses_it_is_refused(tmp_path, monkeypatch):
    """Found in review: HDF5 was parsed in our own process, and a crash there was ours."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys, types\n"
        "sys.modules['h5py'] = types.SimpleNamespace(File=lambda *of: os.kill(os.getpid(), 11))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half.nir").write_bytes(WHOLE)
    with pytest.raises(
        NetlistError, match=r"half.nir: its process crashed \(SIGSEGV\) before it gave a"
    ):
        read_nir(tmp_path / "half.nir", PLAIN)


def whole():
    builder = NetlistBuilder()
    a, b = builder.input("x", 2)
    both = builder.neuron([(a, 1), (b, 1)], 2)
    return as_nir(builder.build({"sum": (builder.neuron([(a, 1), (b, 1), (both, -2)], 1), both)}))


WHOLE = whole()


def test_a_file_by_itself_says_too_little(tmp_path):
    (tmp_path / "half.nir").write_bytes(WHOLE)
    with pytest.raises(
        NetlistError, match="NIR states no time step, strictness or reset; state how"
    ) as refused:
        read_circuit(tmp_path / "half.nir")
    assert "'snntorch,steps=1'" in str(refused.value)


# --- readings ------------------------------------------------------------------------------------


def test_a_reading_is_text_too():
    assert Reading.parse("norse, steps=3, strict=no") == Reading.of("norse", steps=3, strict=False)
    full = "constants=equations,strict=no,reset=zero,start=zero,dt=1e-4,order=leak add fire,"
    assert Reading.parse(full + "arithmetic=exact,steps=1") == PLAIN
    assert replace(PLAIN, dt=1e-4) == PLAIN
    assert "fires at and above its threshold, then it is reset to zero" in str(PLAIN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("brian,steps=1", "'brian' is no known backend; use one of snntorch, spikingjelly, norse"),
        ("snntorch", "nothing is stated about steps; add steps=..."),
        ("strict=yes", "nothing is stated about arithmetic, constants, dt, order, reset, start, steps"),
        ("norse,steps=1,steps=2", "states something twice; leave one"),
        ("norse,steps=1,leak=2", "'leak' is nothing to state; use arithmetic"),
        ("norse,steps=0", "steps is 0; use 1 to 1000"),
        ("norse,steps=many", "steps is 'many'; use a whole number"),
        ("norse,steps=1,dt=soon", "dt is 'soon'; use a finite integer"),
        ("norse,steps=1,dt=0", "dt is 0; use a positive number"),
        ("norse,steps=1,strict=maybe", "strict is 'maybe'; use one of True, False"),
        ("norse,steps=1,reset=hard", "reset is 'hard'; use one of 'subtract', 'zero', 'v_reset'"),
        ("norse,steps=1,order=fire", "order is 'fire'; use one of 'leak add fire'"),
    ],
)
def test_readings_that_are_none(text, message):
    with pytest.raises(NetlistError, match=re.escape(message)):
        Reading.parse(text)


def test_the_door_opens_without_nir():
    """Of those who never use it nothing is asked; of others in one line."""
    program = (
        "import sys; sys.modules['nir'] = None\n"
        "from spikeproof.circuits.doors.nir import as_nir, NetlistError\n"
        "from spikeproof.circuits.netlist import Netlist\n"
        "try: as_nir(Netlist({'x': 1}, (), {'y': (0,)}))\n"
        "except NetlistError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "NIR needs the package nir; pip install 'spikeproof[nir]'\n"
