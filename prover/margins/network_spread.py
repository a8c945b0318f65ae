"""The largest spread of couplings and thresholds under which a network's class is right, exactly.

Hidden neurons share no coupling, so that each may fire or not by itself: below its own limit, |margin|
/ (sum of the magnitudes it compares), it does as without deviations, above that it can do either.
A rival's score comes nearest if each free neuron does what harms most, and each output is off by all of
the spread:

    worst(s) = sum over neurons that fire, and free ones where that is negative, of (a - s g)

with a the difference of the two outputs' weights and g the sum of their magnitudes. That falls as s
grows, linearly between the limits of neurons; so a search among these finds where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import Network, NetworkError, Spikes
from spikeproof.specs.spreads import midway, require_two_layers

MOST = 1 << 25
"""Of sums: fractions of smaller numbers are told apart in floating point."""

BEYOND = Fraction(1001, 1000)
"""Times the limit: where a device is shown that is wrong."""


@dataclass(frozen=True, eq=False)
class Limit:
    """What is found of an image.

    Attributes:
        spread: the class is right for all devices of smaller deviations; None if of any.
        rival: the class that is first to win.
        beyond: the spread of the witness: ``specs.spreads.pushed`` makes the device.
        spikes: what its hidden neurons do.
    """

    spread: Fraction | None
    rival: int | None = None
    beyond: Fraction | None = None
    spikes: Spikes | None = None


@dataclass(frozen=True, eq=False)
class _Pair:
    """A class and a rival: differences of their weights, and sums of their magnitudes."""

    earlier: bool
    differences: NDArray[np.int64]
    sizes: NDArray[np.int64]
    bias: int
    bias_size: int

    @cached_property
    def turns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The spreads at which a spike begins to do harm, as numerators and denominators."""
        helps = self.differences > 0
        return self.differences[helps], self.sizes[helps]


@dataclass(frozen=True, eq=False)
class _Shown:
    """An image: twice each hidden neuron's margin, and twice the sum of the magnitudes it compares."""

    margins: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def sure(self, spread: Fraction) -> tuple[Spikes, Spikes]:
        """Which neurons surely fire, and which may or may not, if all are off by less."""
        free = np.abs(self.margins) * spread.denominator < self.sizes * spread.numerator
        return (self.margins > 0) & ~free, free

    def holds(self, pair: _Pair, spread: Fraction) -> bool:
        """Whether the class beats the rival in all devices that are off by less."""
        fires, free = self.sure(spread)
        terms = pair.differences * spread.denominator - pair.sizes * spread.numerator
        worst = pair.bias * spread.denominator - pair.bias_size * spread.numerator
        worst += int(terms[fires].sum() + np.minimum(terms[free], 0).sum())
        never_reached = bool(pair.sizes[fires].any()) or pair.bias_size > 0
        return worst > 0 or (worst == 0 and (pair.earlier or never_reached))

    def limit(self, pair: _Pair) -> Fraction | None:
        """The largest spread at which it holds; None if there is none."""
        steps = _sorted(np.abs(self.margins), self.sizes, *pair.turns)
        low, high = 0, len(steps)  # it holds at steps[low], and not at steps[high]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.holds(pair, steps[middle]) else (low, middle)
        at = steps[low]
        above = steps[high] if high < len(steps) else at + 1
        fires, free = self.sure(above)
        harms = pair.differences * at.denominator <= pair.sizes * at.numerator
        counted = fires | (free & harms)
        total = pair.bias_size + int(pair.sizes[counted].sum())
        if not total:
            return at if high < len(steps) else None
        return max(at, Fraction(pair.bias + int(pair.differences[counted].sum()), total))


class Spreads:
    """Finds the limits of images.

    Args:
        network: of a hidden layer and outputs, in one step.

    Raises:
        NetworkError: if it is another, or its sums are too large.
    """

    def __init__(self, network: Network) -> None:
        self.hidden, self.outputs = require_two_layers(network)
        self.middle = midway(self.hidden)
        largest = [
            2 * int(np.abs(layer.weights).sum(axis=1).max() + np.abs(layer.bias).max())
            for layer in (self.hidden, self.outputs)
        ]
        if max(*largest, largest[0] + int(np.abs(self.middle).max())) >= MOST:
            raise NetworkError("the sums of its neurons must stay below 2^24")
        self._pairs: dict[tuple[int, int], _Pair] = {}

    def limit(self, given: NDArray[Any], label: int) -> Limit | None:
        """Of an image, of shape (inputs,), and its class; None if the network gives it another."""
        shown = self._shown(given)
        if any(not self._wins(shown, label, rival) for rival in self._rivals(label)):
            return None
        spread, first = None, None
        for rival in self._rivals(label):
            pair = self._pair(label, rival)
            if spread is None or not shown.holds(pair, spread):
                found = shown.limit(pair)
                if found is not None and (spread is None or found < spread):
                    spread, first = found, rival
        if spread is None or first is None:
            return Limit(None)
        beyond = spread * BEYOND or BEYOND - 1
        return Limit(spread, first, beyond, self._worst(shown, self._pair(label, first), beyond))

    def _rivals(self, label: int) -> Iterator[int]:
        return (each for each in range(self.outputs.neurons) if each != label)

    def _shown(self, given: NDArray[Any]) -> _Shown:
        inputs, hidden = np.asarray(given).reshape(-1).astype(np.int64), self.hidden
        sums = hidden.weights @ inputs + hidden.bias
        sizes = np.abs(hidden.weights) @ inputs + np.abs(hidden.bias)
        return _Shown(2 * sums - self.middle, 2 * sizes + np.abs(self.middle))

    def _pair(self, label: int, rival: int) -> _Pair:
        if (label, rival) not in self._pairs:
            own, other = self.outputs.weights[label], self.outputs.weights[rival]
            biases = int(self.outputs.bias[label]), int(self.outputs.bias[rival])
            self._pairs[label, rival] = _Pair(
                label < rival,
                own - other,
                np.abs(own) + np.abs(other),
                biases[0] - biases[1],
                abs(biases[0]) + abs(biases[1]),
            )
        return self._pairs[label, rival]

    def _wins(self, shown: _Shown, label: int, rival: int) -> bool:
        """Whether the class beats the rival without deviations."""
        pair = self._pair(label, rival)
        lead = pair.bias + int(pair.differences[shown.margins > 0].sum())
        return lead >= (0 if pair.earlier else 1)

    def _worst(self, shown: _Shown, pair: _Pair, spread: Fraction) -> Spikes:
        """What hidden neurons that are off by up to a spread do at worst."""
        whole, off = spread.denominator, spread.numerator
        may_fire = shown.margins * whole + shown.sizes * off >= 0
        may_not = shown.margins * whole - shown.sizes * off < 0
        harms = pair.differences * whole < pair.sizes * off
        return np.asarray(np.where(harms, may_fire, ~may_not))


def _sorted(*numbers: NDArray[np.int64]) -> list[Fraction]:
    """0 and the fractions of numerators and denominators, each once."""
    over, under = np.concatenate(numbers[::2]), np.concatenate(numbers[1::2])
    first = np.unique(over / under, return_index=True)[1]
    found = [Fraction(int(over[i]), int(under[i])) for i in first]
    return found if not found[0] else [Fraction(0), *found]
