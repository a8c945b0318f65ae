"""What pruning finds, against networks that are run without each synapse, on every input there is."""

from dataclasses import replace

import numpy as np
import pytest

from spikeproof.prover.margins.network_pruning import (
    decided,
    idle_synapses,
    nearby,
    without,
    witnesses,
)
from spikeproof.specs.networks import NetworkError, run
from tests.support.networks import drawn_network

INPUTS = 5
EVERY = np.array([[word >> k & 1 for k in range(INPUTS)] for word in range(1 << INPUTS)], bool)


def single(network, neuron, source):
    removed = np.zeros(network.layers[0].weights.shape, bool)
    removed[neuron, source] = True
    return without(network, removed)


def runs(network, images=EVERY):
    return [run(network, each[np.newaxis]) for each in images]


@pytest.mark.parametrize("seed", [4, 12, 22])
def test_every_synapse(seed):
    network = drawn_network(np.random.default_rng(seed), (INPUTS, 6, 3))
    base = runs(network)
    assert decided(network, EVERY).tolist() == [each.decision for each in base]
    found, idle = witnesses(network, EVERY), idle_synapses(network.layers[0])
    silent = np.arange(INPUTS) == 1
    idle_there, there = idle_synapses(network.layers[0], silent), ~EVERY[:, 1]
    assert (found >= 0).any()
    assert idle.any() or idle_there.any()
    for neuron, source in np.argwhere(network.layers[0].weights):
        after = runs(single(network, neuron, source))
        differ = [a.decision != b.decision for a, b in zip(base, after, strict=True)]
        assert found[neuron, source] == (differ.index(True) if any(differ) else -1)
        spikes = np.array(
            [a.spikes[0][0][neuron] != b.spikes[0][0][neuron] for a, b in zip(base, after, strict=True)]
        )
        assert idle[neuron, source] == (not spikes.any())
        assert idle_there[neuron, source] == (not spikes[there].any())


def test_pixels_nearby():
    network = drawn_network(np.random.default_rng(12), (INPUTS, 6, 3))
    other = without(network, np.arange(6)[:, np.newaxis] < [3] * INPUTS)
    met = 0
    for image in EVERY:
        expected = []
        for pixel in range(INPUTS):
            changed = image.copy()
            changed[pixel] ^= True
            a, b = (run(each, changed[np.newaxis]).decision for each in (network, other))
            expected += [pixel] * (a != b)
        assert nearby(network, other, image).tolist() == expected
        met += len(expected)
    assert met


def test_weights_with_gaps_are_refused():
    layer = drawn_network(np.random.default_rng(1), (3, 3, 2)).layers[0]
    with pytest.raises(NetworkError, match="-1, 0 and 1"):
        idle_synapses(replace(layer, weights=2 * layer.weights + 1))
