"""Devices of a network: couplings, biases and thresholds that are off, each by a share of its own.

A nominal threshold lies midway between the sums that it separates. A device of spread s has each number
times 1 + d, with a d of its own between -s and s. The scores that are read off are compared exactly.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import MAX_SUM, Integers, Layer, Network, NetworkError, Score


def midway(layer: Layer) -> Integers:
    """Twice the thresholds of a layer of integer sums, midway between those that they separate."""
    assert layer.thresholds is not None
    return 2 * layer.thresholds + (1 if layer.dynamics.strict else -1)


def require_two_layers(network: Network) -> tuple[Layer, Layer]:
    """The hidden layer and the outputs of a network of one step that reads potentials.

    Raises:
        NetworkError: if it is another, or its numbers are too large.
    """
    if len(network.layers) != 2 or network.steps != 1 or network.readout.score is not Score.POTENTIAL:
        raise NetworkError(
            f"{len(network.layers)} layers, {network.steps:,} steps, read out by "
            f"{network.readout.score.value}; use a network of a hidden layer and outputs, in one step, "
            "read out by potential"
        )
    hidden, outputs = network.layers
    for layer in network.layers:
        leak, add, fire = map(layer.dynamics.order.index, ("leak", "add", "fire"))
        if not leak < add < fire:
            raise NetworkError("its neurons must leak, then add, then fire, in this order")
    _require_room(network, 1)
    return hidden, outputs


def require_squares(network: Network) -> None:
    """Refuse numbers whose squares, summed over what a neuron compares, twofold, would leave 64 bits.

    Raises:
        NetworkError: if there are any.
    """
    for layer in network.layers:
        if 8 * (_largest(layer) + 1) ** 2 * (layer.weights.shape[1] + 2) >= MAX_SUM:
            raise NetworkError("squares of a neuron's weights must sum to less than 2^59")


def _require_room(network: Network, scale: int) -> None:
    """Refuse numbers that, times a scale and four, would leave 64 bits."""
    for layer in network.layers:
        if 4 * scale * _largest(layer) * (layer.weights.shape[1] + 2) >= MAX_SUM:
            raise NetworkError("the numbers of the network, or of the spread, are too large")


def _largest(layer: Layer) -> int:
    """The largest magnitude of its numbers."""
    arrays = (layer.weights, layer.bias, () if layer.thresholds is None else layer.thresholds)
    ends = [int(end) for array in arrays if np.size(array) for end in (np.min(array), np.max(array))]
    return max(map(abs, ends))


def pushed(network: Network, spikes: NDArray[Any], label: int, rival: int, spread: Fraction) -> Network:
    """The device, off by just the spread everywhere, that is worst if hidden neurons do as told.

    Every number of a hidden neuron is off so that it fires if its spike is 1, or does not; those of the
    output ``label`` so that it is low, of ``rival`` so that it is high; others are not off.

    Returns:
        It in integers: all numbers of a layer are scaled alike, which changes no decision.

    Raises:
        NetworkError: if it is of another kind of network, or its numbers are too large.
    """
    hidden, outputs = require_two_layers(network)
    towards = np.where(np.asarray(spikes, bool), 1, -1)
    pull = np.zeros(outputs.neurons, np.int64)
    pull[label], pull[rival] = -1, 1
    off, whole = spread.numerator, spread.denominator
    _require_room(network, whole + abs(off))

    def moved(numbers: Integers, direction: Integers) -> Integers:
        """Numbers times 1 + d, with d as large as it may be, up or down; times ``whole``."""
        moves: Integers = off * np.abs(numbers) * direction
        return numbers * whole + moves

    fired = replace(
        hidden,
        weights=2 * moved(hidden.weights, towards[:, np.newaxis]),
        bias=2 * moved(hidden.bias, towards),
        thresholds=moved(midway(hidden), -towards),
        dynamics=replace(hidden.dynamics, strict=False),
    )
    read = replace(
        outputs,
        weights=moved(outputs.weights, pull[:, np.newaxis]),
        bias=moved(outputs.bias, pull),
    )
    return replace(network, layers=(fired, read))
