"""Bounds of the yield, against devices that are drawn."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeproof.prover.margins.network_yield import Yield
from spikeproof.specs.networks import (
    MEMORYLESS,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)
from spikeproof.specs.spreads import midway
from tests.support.networks import drawn_network

DEVICES = 20_000


def share_right(network, image, label, sigma, random):
    """Of devices that are drawn, in floating point."""
    hidden, outputs = network.layers

    def drawn(values):
        return values * (1 + sigma * random.standard_normal((DEVICES, *values.shape)))

    margins = drawn(2 * hidden.weights) @ image + drawn(2 * hidden.bias) - drawn(midway(hidden))
    spikes = (margins >= 0).astype(float)
    scores = np.einsum("dch,dh->dc", drawn(outputs.weights), spikes) + drawn(outputs.bias)
    return (scores.argmax(axis=1) == label).mean()


@pytest.mark.parametrize("percent", [2, 5, 10])
def test_no_more_devices_are_wrong(percent):
    random, close = np.random.default_rng(percent), 0
    for seed in range(8):
        network = drawn_network(np.random.default_rng(seed), (8, 6, 3))
        image = random.integers(0, 2, 8)
        label = run(network, image[np.newaxis]).decision
        least = float(Yield(network, Fraction(percent, 100)).bound(image, label).least)
        found = share_right(network, image, label, percent / 100, random)
        assert least <= found + 4 * np.sqrt((1 - found) * found / DEVICES) + 1e-3
        close += least > 0 and found - least < 0.2
    assert close


def test_a_wrong_class_has_no_yield():
    network = drawn_network(np.random.default_rng(4), (8, 6, 3))
    image = np.ones(8, int)
    label = run(network, image[np.newaxis]).decision
    assert Yield(network, Fraction(1, 100)).bound(image, (label + 1) % 3).least == 0


def test_squares_that_do_not_fit_are_refused():
    """They wrapped to 0, and a rival with them (found in review)."""
    network = drawn_network(np.random.default_rng(4), (8, 6, 3))
    hidden, outputs = network.layers
    large = replace(network, layers=(hidden, replace(outputs, weights=outputs.weights << 32)))
    with pytest.raises(NetworkError, match="squares"):
        Yield(large, Fraction(1, 10))


def test_a_single_comparison_is_as_likely_as_the_normal_law_says():
    """Both outputs deviate: 10 against 9, while the hidden neuron is far from its threshold."""
    hidden = Layer(np.array([[1]]), np.array([0]), np.array([1]), MEMORYLESS)
    outputs = Layer(np.array([[10], [9]]), np.array([0, 0]), None, MEMORYLESS)
    network = Network((hidden, outputs), 1, Readout(Score.POTENTIAL))
    sigma = Fraction(1, 20)
    likely = 1 - math.erfc(1 / (sigma * math.sqrt(10**2 + 9**2)) / math.sqrt(2)) / 2
    least = float(Yield(network, sigma).bound(np.ones(1, int), 0).least)
    assert likely - 5e-3 < least <= likely
