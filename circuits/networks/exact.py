"""Many inputs through a network at once, exactly: potentials as integers over a common denominator.

Equal to the definition (``specs.networks.run``), input by input, and quicker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import AfterSpike, Layer, Network, NetworkError, Score, Spikes

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What a network does with each of many inputs.

    Attributes:
        spikes: of each layer that fires, of shape (inputs, steps, neurons).
        scores: after each step, times ``denominators`` of that step: (inputs, steps, classes), integers.
        decisions: the class of each input.
        decided_after: the step after which a latch closed, counted from 0; -1 where none did.
        tied: where some other class has the largest score too, and no latch closed.
    """

    spikes: tuple[Spikes, ...]
    scores: NDArray[Any]
    denominators: tuple[int, ...]
    decisions: Counts
    decided_after: Counts
    tied: NDArray[np.bool_]


@dataclass
class Membranes:
    """The neurons of a layer, for many inputs.

    Attributes:
        rounded: potentials are doubles, for whoever only searches; else integers over ``denominator``.
    """

    layer: Layer
    count: int
    rounded: bool = False
    denominator: int = 1
    potentials: NDArray[Any] = field(init=False)
    fired: Spikes = field(init=False)

    def __post_init__(self) -> None:
        kind: Any = np.float64 if self.rounded else object
        self.potentials = np.zeros((self.count, self.layer.neurons), kind)
        self.fired = np.zeros((self.count, self.layer.neurons), bool)

    def step(self, given: Spikes) -> Spikes:
        """Who fires in a step, given the spikes of the layer before."""
        layer, dynamics = self.layer, self.layer.dynamics
        added = _sums(given, layer.weights) + layer.bias
        if layer.recurrent is not None:
            added = added + _sums(self.fired, layer.recurrent)
        for event in dynamics.order:
            if event == "leak" and self.rounded:
                self.potentials = self.potentials * float(dynamics.leak)
            elif event == "leak":
                self.potentials = self.potentials * dynamics.leak.numerator
                self.denominator *= dynamics.leak.denominator
            elif event == "add":
                self.potentials = (
                    self.potentials + added.astype(self.potentials.dtype) * self.denominator
                )
            elif event == "fire":
                self.fired = self._firing()
            elif dynamics.reset is AfterSpike.SUBTRACT:
                self.potentials = self.potentials - self.fired * self._thresholds()
            elif dynamics.reset is AfterSpike.ZERO:
                self.potentials = np.where(self.fired, 0, self.potentials)
        return self.fired

    def of(self, places: NDArray[np.int64]) -> Membranes:
        """The same neurons as they are now, for the inputs at some places, one copy for each place."""
        found = Membranes(self.layer, len(places), self.rounded, self.denominator)
        found.potentials, found.fired = self.potentials[places], self.fired[places]
        return found

    def _thresholds(self) -> NDArray[Any]:
        thresholds = self.layer.thresholds
        if thresholds is None:
            return np.zeros(self.layer.neurons, self.potentials.dtype)
        return thresholds.astype(self.potentials.dtype) * self.denominator

    def _firing(self) -> Spikes:
        if self.layer.thresholds is None:
            return np.zeros_like(self.fired)
        above = self.potentials - self._thresholds()
        return np.asarray(above > 0 if self.layer.dynamics.strict else above >= 0, bool)


def run_all(network: Network, inputs: Spikes, rounded: bool = False) -> Outcomes:
    """What a network does with each of many inputs, of shape (inputs, steps, bits of a step).

    Args:
        rounded: potentials are doubles, for whoever only searches.

    Raises:
        NetworkError: if they are of another shape.
    """
    if inputs.dtype != np.bool_ or inputs.shape[1:] != (network.steps, network.inputs):
        raise NetworkError(
            f"a network of {network.steps} steps is given bits of shape (any, {network.steps}, "
            f"{network.inputs}), not {inputs.dtype} {inputs.shape}"
        )
    states = [Membranes(layer, len(inputs), rounded) for layer in network.layers]
    spikes: list[list[Spikes]] = [[] for _ in states]
    scores, denominators = [], []
    of_potential = network.readout.score is Score.POTENTIAL
    counts = np.zeros((len(inputs), network.classes), np.int64)
    for step in range(network.steps):
        signals = inputs[:, step]
        for state, kept in zip(states, spikes, strict=True):
            signals = state.step(signals)
            kept.append(signals)
        counts = counts + signals
        scores.append(states[-1].potentials if of_potential else counts)
        denominators.append(states[-1].denominator if of_potential else 1)
    fired = tuple(np.stack(kept, 1) for kept in spikes[: len(spikes) - of_potential])
    found = np.stack(scores, 1)
    return Outcomes(fired, found, tuple(denominators), *decided(network.readout.lead, found))


def decided(lead: int | None, scores: NDArray[Any]) -> tuple[Counts, Counts, NDArray[np.bool_]]:
    """From scores by step: classes, after which step a latch closed (-1: none), which are tied."""
    best = scores.argmax(2)
    largest = scores.max(2)
    decisions, decided_after = best[:, -1], np.full(len(scores), -1)
    tied = (scores[:, -1] == largest[:, -1:]).sum(1) > 1
    if lead is not None and scores.shape[2] > 1:
        second = np.sort(scores, 2)[:, :, -2]
        closed = np.asarray(largest - second >= lead, bool)
        ever, first = closed.any(1), closed.argmax(1)
        decisions = np.where(ever, best[np.arange(len(best)), first], decisions)
        decided_after = np.where(ever, first, -1)
        tied = tied & ~ever
    return decisions, decided_after, tied


def _sums(given: Spikes, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of weights over spikes: exact in doubles where they are small, else in integers."""
    if np.abs(weights).sum(1).max() < 2**53:
        return (given.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
    return given.astype(np.int64) @ weights.T
