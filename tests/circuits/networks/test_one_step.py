"""Netlists of networks, against what the networks decide by definition."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.networks.one_step import one_step_netlist
from spikeproof.specs.networks import (
    MEMORYLESS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)

INPUTS = 5
EVERY = np.array([[word >> place & 1 for place in range(INPUTS)] for word in range(1 << INPUTS)])


def drawn(seed: int, classes: int = 3, most: int = 1, firing: bool = False) -> Network:
    random = np.random.default_rng(seed)

    def integers(size, *shape):
        return random.integers(-size, size + 1, shape)

    hidden = Layer(integers(most, 6, INPUTS), integers(1, 6), integers(2, 6), MEMORYLESS)
    outputs = Layer(
        integers(most, classes, 6),
        integers(1, classes),
        integers(1, classes) if firing else None,
        MEMORYLESS,
    )
    return Network((hidden, outputs), 1, Readout(Score.COUNT if firing else Score.POTENTIAL))


def agrees(network: Network, library: str) -> None:
    netlist = one_step_netlist(network, library)
    found = evaluate(netlist, {"x": np.arange(1 << INPUTS, dtype=np.uint64)})["class"]
    assert found.tolist() == [run(network, each[np.newaxis]).decision for each in EVERY]


@pytest.mark.parametrize("library", ["ternary", "threshold"])
@pytest.mark.parametrize("classes", [1, 2, 3, 5])
@pytest.mark.parametrize("firing", [False, True])
def test_the_netlist_decides_what_the_network_does(library, classes, firing):
    for seed in range(4):
        agrees(drawn(seed, classes, most=1 + seed % 3, firing=firing), library)


def test_ties_are_met_and_go_to_the_lowest():
    networks = [drawn(seed, 4) for seed in range(4)]
    assert any(run(network, each[np.newaxis]).tied for network in networks for each in EVERY)


def test_synapses_are_ternary():
    netlist = one_step_netlist(drawn(3, most=3))
    assert {weight for neuron in netlist.neurons for _, weight in neuron.synapses} == {-1, 1}
    assert netlist.statistics.depth == 4  # a level of neurons, and three that find the largest


def test_a_strict_threshold():
    network = drawn(1)
    strict = replace(network.layers[0], dynamics=replace(MEMORYLESS, strict=True))
    agrees(replace(network, layers=(strict, network.layers[1])), "ternary")


def test_what_is_no_netlist_of_one_step():
    network = drawn(1)
    with pytest.raises(NetworkError, match="one step"):
        one_step_netlist(replace(network, steps=2))
    late = Dynamics(Fraction(0), AfterSpike.NOTHING, ("add", "leak", "fire", "reset"), False)
    with pytest.raises(NetworkError, match="layer 0"):
        one_step_netlist(
            replace(network, layers=(replace(network.layers[0], dynamics=late), network.layers[1]))
        )
