"""Continuations that change a decision: how long a class that leads can still lose.

Nothing here is believed: ``checking.decisions`` says from when on a decision is final, and runs what is
found. Sought are continuations made of steps that were seen, so that they are no louder than these.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.networks.exact import Membranes, run_all
from spikeproof.specs.networks import Network, Spikes

RIVALS, FRAMES = 3, 400
"""So many other classes, those of the largest scores, are favoured; with so many steps to choose."""


class Search:
    """For continuations of one input.

    Args:
        pool: inputs that were seen, whose steps continuations are made of.
    """

    def __init__(self, network: Network, given: Spikes, pool: Spikes) -> None:
        self.network, self.given, self.pool = network, given, pool
        frames = np.unique(pool.reshape(-1, pool.shape[2]), axis=0)
        self.frames = frames[:: -(-len(frames) // FRAMES)]

    def after(self, steps: int, scores: NDArray[Any]) -> Spikes | None:
        """One after so many steps, with these scores, that makes another class of the one that leads."""
        order = np.argsort(-scores, kind="stable").tolist()
        found = self._changing(steps, order[0], self.pool[:, steps:])
        if found is None:
            tails = np.stack([self._greedy(steps, order[0], rival) for rival in order[1 : 1 + RIVALS]])
            found = self._changing(steps, order[0], tails)
        return found

    def _changing(self, steps: int, leader: int, tails: Spikes) -> Spikes | None:
        """The given input with one of some tails, if it is of another class than the leader."""
        begun = np.repeat(self.given[np.newaxis, :steps], len(tails), 0)
        candidates = np.concatenate([begun, tails], axis=1)
        for place in np.flatnonzero(_roughly(self.network, candidates) != leader)[:3]:
            whole: Spikes = candidates[place]
            if run_all(self.network, whole[np.newaxis]).decisions[0] != leader:
                return whole
        return None

    def _greedy(self, steps: int, leader: int, rival: int) -> Spikes:
        states = [Membranes(layer, 1, rounded=True) for layer in self.network.layers]
        for signals in self.given[:steps, np.newaxis]:
            for state in states:
                signals = state.step(signals)
        tail = []
        for _ in range(steps, self.network.steps):
            tried = [state.of(np.zeros(len(self.frames), np.int64)) for state in states]
            signals = self.frames
            for state in tried:
                signals = state.step(signals)
            potentials = tried[-1].potentials
            gain = 1e6 * (signals[:, rival].astype(float) - signals[:, leader])
            best = int((gain + potentials[:, rival] - potentials[:, leader]).argmax())
            tail.append(self.frames[best])
            states = [state.of(np.array([best])) for state in tried]
        return np.stack(tail)


def _roughly(network: Network, inputs: Spikes) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """What is decided about inputs, with potentials that are rounded."""
    states = [Membranes(layer, len(inputs), rounded=True) for layer in network.layers]
    counts = np.zeros((len(inputs), network.classes), np.int64)
    decided = np.full(len(inputs), -1)
    for step in range(network.steps):
        signals = inputs[:, step]
        for state in states:
            signals = state.step(signals)
        counts += signals
        if network.readout.lead is not None:
            first, second = np.sort(counts, 1)[:, :-3:-1].T
            closes = (decided < 0) & (first - second >= network.readout.lead)
            decided = np.where(closes, counts.argmax(1), decided)
    return np.where(decided < 0, counts.argmax(1), decided)
