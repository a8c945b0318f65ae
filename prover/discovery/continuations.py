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

KEPT = (1, 12)
"""Of what is begun so many are gone on with at once: first the best alone, which mostly does."""


class Search:
    """For continuations of inputs.

    Args:
        pool: inputs that were seen, whose steps continuations are made of.
    """

    def __init__(self, network: Network, pool: Spikes) -> None:
        self.network, self.pool = network, pool
        frames = np.unique(pool.reshape(-1, pool.shape[2]), axis=0)
        self.frames = frames[:: -(-len(frames) // FRAMES)]

    def after(self, begun: Spikes, scores: NDArray[Any]) -> Spikes | None:
        """One of these first steps, with these scores, by which another class than the leader wins."""
        leader, *others = np.argsort(-scores, kind="stable").tolist()
        found = self._changing(begun, leader, self.pool[:, len(begun) :])
        for kept in KEPT:
            if found is None:
                tails = [self._grown(begun, leader, rival, kept) for rival in others[:RIVALS]]
                found = self._changing(begun, leader, np.concatenate(tails))
        return found

    def _changing(self, begun: Spikes, leader: int, tails: Spikes) -> Spikes | None:
        """The first steps with one of some tails, if it is of another class than the leader."""
        candidates = np.concatenate([np.repeat(begun[np.newaxis], len(tails), 0), tails], axis=1)
        rough = run_all(self.network, candidates, rounded=True).decisions
        for place in np.flatnonzero(rough != leader)[:3]:
            whole: Spikes = candidates[place]
            if run_all(self.network, whole[np.newaxis]).decisions[0] != leader:
                return whole
        return None

    def _grown(self, begun: Spikes, leader: int, rival: int, kept: int) -> Spikes:
        """Tails that do most for a rival, step by step the best of all steps after each of so many."""
        states = [Membranes(layer, 1, rounded=True) for layer in self.network.layers]
        for signals in begun[:, np.newaxis]:
            for state in states:
                signals = state.step(signals)
        tails, gains = np.zeros((1, 0, begun.shape[1]), bool), np.zeros(1)
        for _ in range(len(begun), self.network.steps):
            after, frame = np.divmod(np.arange(len(tails) * len(self.frames)), len(self.frames))
            tried = [state.of(after) for state in states]
            signals = self.frames[frame]
            for state in tried:
                signals = state.step(signals)
            potentials = tried[-1].potentials
            gained = gains[after] + 1e6 * (signals[:, rival].astype(float) - signals[:, leader])
            promise = gained + potentials[:, rival] - potentials[:, leader]
            best = np.argsort(-promise, kind="stable")[:kept]
            tails = np.concatenate([tails[after[best]], self.frames[frame[best], np.newaxis]], axis=1)
            gains, states = gained[best], [state.of(best) for state in tried]
        return tails
