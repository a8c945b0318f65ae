"""How likely a network's class is right on devices whose numbers are off by chance: bounds that hold.

Each coupling, bias and threshold is its nominal value times 1 + d, the d normal, of mean 0 and deviation
sigma, independent of each other. That a device is wrong is at most as likely as the sum of some normal
tails (``prover.checking.network_yields``, with the argument, which checks what is found): one for each
hidden neuron that might do otherwise, but for those that are left free, and one for each rival that
might gain what it is behind then. Sought is which neurons to leave free: those that are likely to do
otherwise, and would do little harm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import erfc, isqrt, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.margins.enclosure import tail
from spikeproof.specs.networks import Layer, Network, Spikes
from spikeproof.specs.spreads import midway, require_squares, require_two_layers

PLACES = 100
"""Of a deviation: distances are rounded down to so many parts of it."""

FARTHEST = 20
"""Deviations; what is farther is counted as if it were not."""

UNIT = 1 << 100
"""Probabilities are rounded up to multiples of 1 in so many."""


TRIED = 200
"""So many hidden neurons, the likeliest to do otherwise, may be left free."""


@dataclass(frozen=True)
class Bound:
    """What is found of an image: no smaller share of devices is right; which neurons are left free."""

    least: Fraction
    free: tuple[int, ...] = ()


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
        require_squares(network)
        self.middle = midway(self.hidden).tolist()
        self.sigma = sigma

    def bound(self, given: NDArray[Any], label: int) -> Bound:
        """How many devices at the least give an image, of shape (inputs,), its class."""
        bits = np.asarray(given).reshape(-1).astype(np.int64)
        sums = (2 * (self.hidden.weights @ bits + self.hidden.bias)).tolist()
        squares = (self.hidden.weights**2 @ bits + self.hidden.bias**2).tolist()
        margins = [total - middle for total, middle in zip(sums, self.middle, strict=True)]
        distances = [
            self._distance(margin, 4 * square + middle**2)
            for margin, square, middle in zip(margins, squares, self.middle, strict=True)
        ]
        rivals = _Rivals(self.outputs, np.array(margins) >= 0, label)
        if (rivals.leads <= 0).any():
            return Bound(Fraction(0))
        free = self._freed(distances, rivals)
        left = Counter(distances)
        left.subtract(distances[neuron] for neuron in free)
        for lead, square in zip(rivals.leads.tolist(), rivals.squares.tolist(), strict=True):
            if square:
                left[self._distance(lead, square)] += 1
        wrong = sum(count * _chance(distance) for distance, count in left.items())
        least = 1 - Fraction(wrong, UNIT)
        return Bound(least, tuple(free)) if least > 0 else Bound(Fraction(0))

    def _freed(self, distances: list[int], rivals: _Rivals) -> list[int]:
        """Which neurons to leave free, one after another, where that makes the sum of tails less."""
        free, sigma = [], float(self.sigma)
        gained = _tails(rivals.leads / (sigma * np.sqrt(np.maximum(rivals.squares, 1)))).sum()
        chances = _tails(np.array(distances) / PLACES)
        for neuron in np.argsort(distances, kind="stable")[:TRIED].tolist():
            leads, squares = rivals.with_free(neuron)
            if (leads > 0).all():
                then = _tails(leads / (sigma * np.sqrt(np.maximum(squares, 1)))).sum()
                if then < gained + chances[neuron]:
                    free.append(neuron)
                    rivals.leads, rivals.squares, gained = leads, squares, then
        return sorted(free)

    def _distance(self, margin: int, square: int) -> int:
        """Of a margin: in parts of its deviation, rounded down."""
        over, under = (PLACES * margin * self.sigma.denominator) ** 2, square * self.sigma.numerator**2
        return min(isqrt(over // under), PLACES * FARTHEST)


class _Rivals:
    """How far a class is ahead of each rival at the least, and sums of squares of what is compared."""

    def __init__(self, outputs: Layer, fires: Spikes, label: int) -> None:
        others = [rival for rival in range(outputs.neurons) if rival != label]
        self.fires = fires
        self.differences = outputs.weights[label] - outputs.weights[others]
        self.sizes = outputs.weights[label] ** 2 + outputs.weights[others] ** 2
        self.leads = self.differences @ fires + outputs.bias[label] - outputs.bias[others]
        self.squares = self.sizes @ fires + outputs.bias[label] ** 2 + outputs.bias[others] ** 2

    def with_free(self, neuron: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What both are if one more neuron may do what it likes."""
        difference = self.differences[:, neuron]
        if self.fires[neuron]:
            return self.leads - np.maximum(difference, 0), self.squares
        return self.leads + np.minimum(difference, 0), self.squares + self.sizes[:, neuron]


def _tails(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal tails, roughly."""
    return np.array([erfc(each / sqrt(2)) / 2 for each in distances.tolist()])


@cache
def _chance(distance: int) -> int:
    """The normal tail at a distance, rounded up."""
    high = tail(Fraction(distance, PLACES)).high
    return -(-high.numerator * UNIT // high.denominator)
