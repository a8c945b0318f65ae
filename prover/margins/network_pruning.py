"""Which synapses of a network can go: on all inputs, on a domain, or on given images.

A synapse of a neuron that integers add up at *matters to its neuron* if on some input the neuron fires
with it and not without it, or the other way round. It *matters* on an image if the class is another
without it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import Layer, Network, NetworkError, Spikes
from spikeproof.specs.spreads import require_two_layers


def without(network: Network, removed: NDArray[np.bool_]) -> Network:
    """The network without some synapses of its hidden layer, of shape (neurons, inputs)."""
    hidden, *others = network.layers
    kept = np.where(removed, 0, hidden.weights)
    return replace(network, layers=(replace(hidden, weights=kept), *others))


def idle_synapses(layer: Layer, silent: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """The synapses that do not matter to their neurons, on any input at all.

    Args:
        silent: inputs that are always 0, of shape (inputs,): a domain.

    Raises:
        NetworkError: if weights are others than -1, 0 and 1: then sums have gaps.
    """
    if np.abs(layer.weights).max() > 1:
        raise NetworkError("synapses are told to be idle only where weights are -1, 0 and 1")
    assert layer.thresholds is not None
    heard = layer.weights if silent is None else np.where(silent, 0, layer.weights)
    low = np.where(heard < 0, heard, 0).sum(axis=1) + layer.bias
    high = np.where(heard > 0, heard, 0).sum(axis=1) + layer.bias
    least = layer.thresholds + int(layer.dynamics.strict)
    decided = (least <= low) | (least > high)
    idle = (heard == 0) | decided[:, np.newaxis]
    return np.asarray(idle & (layer.weights != 0))


def scores(network: Network, bits: Spikes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of images of shape (images, inputs): hidden sums, less the least that fires, and scores."""
    hidden, outputs = require_two_layers(network)
    assert hidden.thresholds is not None
    least = hidden.thresholds + int(hidden.dynamics.strict) - hidden.bias
    above = _product(bits, hidden.weights) - least
    return above, _product(above >= 0, outputs.weights) + outputs.bias


def decided(network: Network, bits: Spikes) -> NDArray[np.int64]:
    """The classes of images."""
    return np.asarray(scores(network, bits)[1].argmax(axis=1))


def witnesses(network: Network, bits: Spikes) -> NDArray[np.int64]:
    """For each hidden synapse the first image whose class is another without it, -1 where there is none.

    Returns:
        Of shape (neurons, inputs).
    """
    above, given = scores(network, bits)
    hidden, outputs = require_two_layers(network)
    classes = given.argmax(axis=1)
    found = np.full(hidden.weights.shape, -1, np.int64)
    for neuron, weights in enumerate(hidden.weights):
        fires = above[:, neuron] >= 0
        turned = given + np.where(fires, -1, 1)[:, np.newaxis] * outputs.weights[:, neuron]
        matters = turned.argmax(axis=1) != classes
        for weight in set(weights.tolist()) - {0}:
            near = np.flatnonzero(matters & (fires != (above[:, neuron] - weight >= 0)))
            if len(near):
                reached = bits[near]
                first = np.where(reached.any(axis=0), near[reached.argmax(axis=0)], -1)
                found[neuron] = np.where(weights == weight, first, found[neuron])
    return found


def nearby(network: Network, other: Network, bits: Spikes) -> NDArray[np.int64]:
    """For an image: the single pixels whose change makes two networks decide differently."""
    changes = np.where(bits, -1, 1)[:, np.newaxis]

    def classes(network: Network) -> NDArray[np.int64]:
        hidden, outputs = network.layers
        above, _ = scores(network, bits[np.newaxis])
        spikes = above + changes * hidden.weights.T >= 0
        return np.asarray((_product(spikes, outputs.weights) + outputs.bias).argmax(axis=1))

    return np.flatnonzero(classes(network) != classes(other))


def _product(bits: Spikes, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of the weights of spikes: exact, since those of a neuron add up to less than 2^53."""
    if np.abs(weights).sum(axis=1).max() >= 1 << 53:
        raise NetworkError("pruning is of networks whose sums are below 2^53")
    return np.rint(bits.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
