"""Graphs of NIR as networks: against netlists of the same readings, which are made in another way."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeproof.circuits.doors.networks import read_network
from spikeproof.circuits.doors.nir import from_nir
from spikeproof.circuits.doors.nir_networks import network_of_nir
from spikeproof.circuits.doors.nir_reading import ORDERS, Reading
from spikeproof.circuits.meanings import boolean
from spikeproof.specs.networks import AfterSpike, NetworkError, Readout, Score, run

nir = pytest.importorskip("nir", reason="needs nir: pip install '.[nir]'")

COUNT, POTENTIAL = Readout(Score.COUNT), Readout(Score.POTENTIAL)
PLAIN = Reading(
    constants="equations",
    strict=False,
    reset="zero",
    start="zero",
    dt="1/8",
    order="leak add fire",
    arithmetic="exact",
    steps=3,
)


def chain(*nodes, shape=(3,)):
    """A graph of nodes in a row."""
    named = {"input": nir.Input(np.array(shape))}
    named |= {f"n{place}": node for place, node in enumerate(nodes)}
    named["output"] = nir.Output(np.array([1]))
    return nir.NIRGraph(named, list(itertools.pairwise(named)), type_check=False)


def filled(kind, count, **values):
    return getattr(nir, kind)(**{name: np.full(count, value) for name, value in values.items()})


def drawn(random, *shape):
    return random.integers(-8, 13, shape) / 4


def neurons(random, kind, count):
    threshold = random.integers(1, 5, count) / 4
    if kind == "Threshold":
        return nir.Threshold(threshold)
    rest = {"r": random.integers(1, 4, count) * 4.0, "v_threshold": threshold}
    if kind == "IF":
        return nir.IF(v_reset=np.zeros(count), **rest)
    leaking = {**rest, "v_leak": np.full(count, 0.25), "v_reset": np.full(count, -0.5)}
    if kind == "LIF":
        return nir.LIF(tau=np.full(count, 0.5), **leaking)
    constants = {"tau_mem": np.full(count, 0.5), "tau_syn": np.full(count, 0.125)}
    return nir.CubaLIF(**constants, w_in=np.full(count, 2.0), **leaking)


def agree(graph, reading):
    """That the last neurons spike alike, step by step, on all inputs of some; how often they do."""
    network, netlist = network_of_nir(graph, reading, COUNT), from_nir(graph, reading)
    width, spikes = network.inputs, 0
    random = np.random.default_rng(7)
    total = width * reading.steps
    words = range(1 << total) if total <= 6 else random.integers(0, 1 << total, 60).tolist()
    bits = np.array([[word >> place & 1 for place in range(total)] for word in words])
    bits = bits.reshape(len(bits), reading.steps, width)
    given = dict(zip(netlist.inputs, (bits << np.arange(width)).sum(2).T, strict=True))
    expected = boolean.evaluate(netlist, given)
    for place, image in enumerate(bits):
        fired = run(network, image).spikes[-1]
        found = [sum(int(bit) << place for place, bit in enumerate(row)) for row in fired]
        assert found == [expected[name][place] for name in netlist.outputs]
        spikes += int(fired.sum())
    return spikes


@pytest.mark.parametrize("kinds", [("LIF", "IF"), ("CubaLIF", "Threshold"), ("Threshold", "LIF")])
@pytest.mark.parametrize("strict", [False, True])
def test_networks_do_what_netlists_of_the_same_reading_do(kinds, strict):
    random, spikes = np.random.default_rng(strict), 0
    for order in ORDERS:
        for reset, start in (("zero", "zero"), ("subtract", "zero"), ("v_reset", "v_reset")):
            graph = chain(
                nir.Affine(drawn(random, 4, 3), drawn(random, 4)),
                neurons(random, kinds[0], 4),
                nir.Linear(drawn(random, 2, 4)),
                neurons(random, kinds[1], 2),
            )
            reading = replace(PLAIN, order=order, reset=reset, start=start, strict=strict)
            moved = "LIF" in "".join(kinds) and "leak add" not in order
            if moved:
                with pytest.raises(NetworkError, match="not just before adding"):
                    network_of_nir(graph, reading, COUNT)
            else:
                spikes += agree(graph, reading)
    assert spikes > 100


@pytest.mark.parametrize("backend", ["snntorch", "spikingjelly", "norse"])
def test_constants_of_backends(backend):
    random = np.random.default_rng(3)
    lif = {
        "snntorch": {"tau": 2e-4, "r": 2.0},
        "spikingjelly": {"tau": 2e-4, "r": 1.0},
        "norse": {"tau": 3e-3, "r": 1.0},
    }[backend]
    made = [filled("LIF", n, v_leak=0.0, v_reset=0.0, v_threshold=0.25, **lif) for n in (4, 2)]
    graph = chain(nir.Linear(drawn(random, 4, 3)), made[0], nir.Linear(drawn(random, 2, 4)), made[1])
    assert agree(graph, Reading.of(backend, steps=4, arithmetic="exact")) > 10


def test_what_is_linear_is_joined():
    """A convolution, pooling, a scale, and two edges that add up."""
    random = np.random.default_rng(5)
    nodes = {
        "in": nir.Input(np.array([1, 4, 4])),
        "conv": nir.Conv2d(None, drawn(random, 2, 1, 3, 3), 1, 1, 1, 1, drawn(random, 2)),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([2, 2, 2])}, 0, -1),
        "scale": nir.Scale(drawn(random, 8)),
        "hidden": neurons(random, "IF", 8),
        "one": nir.Linear(drawn(random, 3, 8)),
        "two": nir.Linear(drawn(random, 3, 8)),
        "last": neurons(random, "IF", 3),
        "out": nir.Output(np.array([3])),
    }
    edges = [*itertools.pairwise(["in", "conv", "pool", "flat", "scale", "hidden"])]
    edges += [("hidden", "one"), ("hidden", "two"), ("one", "last"), ("two", "last"), ("last", "out")]
    assert agree(nir.NIRGraph(nodes, edges, type_check=False), replace(PLAIN, steps=2)) > 10


def test_potentials_are_added_up():
    random = np.random.default_rng(5)
    weights, bias = drawn(random, 2, 4), drawn(random, 2)
    graph = chain(nir.Linear(drawn(random, 4, 3)), neurons(random, "IF", 4), nir.Affine(weights, bias))
    network = network_of_nir(graph, PLAIN, POTENTIAL)
    given = random.integers(0, 2, (3, 3))
    made = run(network, given)
    unit = Fraction(network.layers[-1].weights[0, 0]) / Fraction(weights[0, 0])
    potentials = made.spikes[0].astype(int).sum(0) @ weights.T + 3 * bias
    assert made.spikes[0].any()
    assert [score / unit for score in made.scores[-1]] == potentials.tolist()


def test_numbers_are_exact_or_rounded_as_stated():
    third = chain(nir.Linear(np.array([[0.1, 1.0, 1.0]])), filled("Threshold", 1, threshold=0.7))
    exact = network_of_nir(third, PLAIN, COUNT).layers[0]
    assert Fraction(int(exact.weights[0, 0]), int(exact.weights[0, 1])) == Fraction(0.1)
    assert Fraction(int(exact.thresholds[0]), int(exact.weights[0, 1])) == Fraction(0.7)
    rounded = network_of_nir(third, PLAIN, COUNT, bits=2).layers[0]
    assert rounded.weights.tolist() == [[0, 4, 4]]
    assert rounded.thresholds.tolist() == [3]
    assert rounded.dynamics.reset is AfterSpike.NOTHING
    tiny = chain(nir.Linear(np.array([[1e-30, 1.0, 1.0]])), filled("Threshold", 1, threshold=0.7))
    with pytest.raises(NetworkError, match="62 bits"):
        network_of_nir(tiny, PLAIN, COUNT)


def lif(count=2, **changed):
    values = {"tau": 0.5, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return filled("LIF", count, **{**values, **changed})


LINEAR = nir.Linear(np.ones((2, 3)))
ENDED = chain(LINEAR, lif())


@pytest.mark.parametrize(
    ("graph", "changed", "readout", "said"),
    [
        (ENDED, {"arithmetic": "float32"}, COUNT, "state arithmetic=exact"),
        (ENDED, {"start": "v_leak"}, COUNT, ""),
        (chain(LINEAR, lif(v_leak=0.5)), {"start": "v_leak"}, COUNT, "starts at 1/2"),
        (chain(LINEAR, lif(v_leak=0.5)), {"order": "add leak fire"}, COUNT, "not just before adding"),
        (chain(LINEAR, lif(tau=0.01)), {}, COUNT, "shorter than dt"),
        (chain(LINEAR, lif(v_reset=-1.0)), {"reset": "v_reset"}, COUNT, "a spike puts it at -1"),
        (chain(LINEAR), {}, COUNT, "not of the last neurons"),
        (chain(LINEAR, lif(), nir.Linear(np.ones((1, 2)))), {}, COUNT, "not of the last neurons"),
        (chain(LINEAR, nir.Delay(np.ones(2)), lif()), {}, COUNT, "node 'n1': a Delay is not read"),
        (chain(LINEAR, nir.LIF(*np.ones((2, 2)), *np.zeros((3, 2)))), {"dt": "2"}, COUNT, "shorter"),
    ],
)
def test_what_is_no_network_is_refused_in_a_line(graph, changed, readout, said):
    reading = replace(PLAIN, **changed)
    if not said:
        network_of_nir(graph, reading, readout)
        return
    with pytest.raises(NetworkError, match=said) as caught:
        network_of_nir(graph, reading, readout)
    assert "\n" not in str(caught.value)


def test_synapses_that_keep_current_and_decays_that_differ_are_refused():
    values = {"tau_mem": 0.5, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, "w_in": 1.0}
    slow = chain(LINEAR, filled("CubaLIF", 2, tau_syn=0.25, **values))
    with pytest.raises(NetworkError, match="keep current from step to step"):
        network_of_nir(slow, PLAIN, COUNT)
    node = lif()
    node.tau = np.array([0.5, 0.25])
    with pytest.raises(NetworkError, match="one decay"):
        network_of_nir(chain(LINEAR, node), PLAIN, COUNT)


def test_connections_past_a_layer_are_refused():
    nodes = {
        "in": nir.Input(np.array([3])),
        "to": nir.Linear(np.ones((3, 3))),
        "hidden": lif(3),
        "past": nir.Linear(np.ones((2, 3))),
        "from": nir.Linear(np.ones((2, 3))),
        "last": lif(),
        "out": nir.Output(np.array([2])),
    }
    edges = [*itertools.pairwise(["in", "to", "hidden", "from", "last", "out"])]
    edges += [("in", "past"), ("past", "last")]
    with pytest.raises(
        NetworkError, match="node 'last': it reads neurons that are not those just before"
    ):
        network_of_nir(nir.NIRGraph(nodes, edges, type_check=False), PLAIN, COUNT)


def test_files(tmp_path):
    file = tmp_path / "graph.nir"
    nir.write(file, ENDED)
    text = "constants=equations,strict=no,reset=zero,start=zero,dt=1/8,order=leak add fire,"
    network = read_network(file, text + "arithmetic=exact,steps=3", COUNT)
    assert (network.steps, network.inputs, network.classes) == (3, 3, 2)
    for arguments, said in [
        ((), "NIR states no time step, strictness, reset or read-out; state how"),
        (("snntorch,steps=2,arithmetic=exact", None), "NIR states no read-out; state what is read out"),
        (("snntorch,steps=2", COUNT), "state arithmetic=exact"),
        (("brian,steps=2", COUNT), "no known backend"),
    ]:
        with pytest.raises(NetworkError, match=said) as caught:
            read_network(file, *arguments)
        assert str(caught.value).startswith(f"{file}: ")
    (tmp_path / "text.nir").write_text("no graph")
    for name in ("text.nir", "none.nir"):
        with pytest.raises(NetworkError) as caught:
            read_network(tmp_path / name, text + "arithmetic=exact,steps=3", COUNT)
        assert str(caught.value).count(str(tmp_path / name)) == 1
    with pytest.raises(NetworkError, match="only a graph of NIR needs"):
        read_network(tmp_path / "model.npz", "snntorch,steps=2", COUNT)
