"""How likely a network's class is right on devices whose numbers are off by chance: bounds that hold.

Each coupling, bias and threshold is its nominal value times 1 + d, the d normal, of mean 0 and deviation
sigma, independent of each other. A device is right if no hidden neuron does otherwise, and no rival then
gains on the class by as much as it is behind. So it is wrong with at most the sum of the probabilities
of these: normal tails of margin / (sigma root of the sum of squares of what is compared), rounded up.
Devices are right on an image far more often: of hidden neurons that do otherwise most do no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.margins.enclosure import tail
from spikeproof.specs.networks import MAX_SUM, Network, NetworkError
from spikeproof.specs.spreads import midway, require_two_layers

PLACES = 100
"""Of a deviation: distances are rounded down to so many parts of it."""

FARTHEST = 20
"""Deviations; what is farther is counted as if it were not."""

UNIT = 1 << 100
"""Probabilities are rounded up to multiples of 1 in so many."""


class Yield:
    """Bounds how likely devices of a network are right.

    Args:
        sigma: the deviation of each number, of its nominal value; above 0.

    Raises:
        NetworkError: if the network is not one of a hidden layer and outputs, in one step, or its
            weights are too large for their squares to be added up in 64 bits.
    """

    def __init__(self, network: Network, sigma: Fraction) -> None:
        self.hidden, self.outputs = require_two_layers(network)
        for layer in (self.hidden, self.outputs):
            for row, bias in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True):
                if sum(weight**2 for weight in row) + bias**2 >= MAX_SUM:
                    raise NetworkError("squares of a neuron's weights must sum to less than 2^62")
        self.middle = midway(self.hidden).tolist()
        self.sigma = sigma

    def least(self, given: NDArray[Any], label: int) -> Fraction:
        """A share of devices, of which no fewer give an image, of shape (inputs,), its class."""
        bits = np.asarray(given).reshape(-1).astype(np.int64)
        sums = (2 * (self.hidden.weights @ bits + self.hidden.bias)).tolist()
        squares = (self.hidden.weights**2 @ bits + self.hidden.bias**2).tolist()
        margins = [total - middle for total, middle in zip(sums, self.middle, strict=True)]
        distances = Counter(
            self._distance(margin, 4 * square + middle**2)
            for margin, square, middle in zip(margins, squares, self.middle, strict=True)
        )
        spikes = (np.array(margins) >= 0).astype(np.int64)
        for lead, square in self._leads(spikes, label):
            if lead <= 0:
                return Fraction(0)
            if square:
                distances[self._distance(lead, square)] += 1
        wrong = sum(count * _chance(distance) for distance, count in distances.items())
        return max(Fraction(0), 1 - Fraction(wrong, UNIT))

    def _leads(self, spikes: NDArray[np.int64], label: int) -> Iterator[tuple[int, int]]:
        """How far the class is ahead of each rival, and the sum of squares of what is compared."""
        weights, bias = self.outputs.weights, self.outputs.bias
        scores = (weights @ spikes + bias).tolist()
        squares = (weights**2 @ spikes + bias**2).tolist()
        for rival in range(len(scores)):
            if rival != label:
                yield scores[label] - scores[rival], squares[label] + squares[rival]

    def _distance(self, margin: int, square: int) -> int:
        """Of a margin: in parts of its deviation, rounded down."""
        over, under = (PLACES * margin * self.sigma.denominator) ** 2, square * self.sigma.numerator**2
        return min(isqrt(over // under), PLACES * FARTHEST)


@cache
def _chance(distance: int) -> int:
    """The normal tail at a distance, rounded up."""
    high = tail(Fraction(distance, PLACES)).high
    return -(-high.numerator * UNIT // high.denominator)
