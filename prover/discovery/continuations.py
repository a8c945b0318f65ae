"""Continuations that change a decision: how long a class that leads can still lose.

Nothing here is believed: ``checking.decisions`` says from when on a decision is final, and runs what is
found. Sought are continuations made of steps that were seen, so that they are no louder than these; and
where none is found, of any spikes that a rival's weights ask for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.networks.exact import Membranes, run_all
from spikeproof.specs.networks import Network, Spikes

RIVALS, FRAMES = 3, 400
"""So many other classes, those of the largest scores, are favoured; with so many steps to choose."""

LOUD, CHANGES = 20, 25
"""Spikes that are made up for a step: so many sizes of them, then so often one input more is changed."""


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
        for make_up in (False, True):
            if found is None:
                tails = [self._greedy(begun, leader, rival, make_up) for rival in others[:RIVALS]]
                found = self._changing(begun, leader, np.stack(tails))
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

    def _greedy(self, begun: Spikes, leader: int, rival: int, make_up: bool) -> Spikes:
        """Step by step what does most for a rival: of the steps that were seen, or made up."""
        states = [Membranes(layer, 1, rounded=True) for layer in self.network.layers]
        for signals in begun[:, np.newaxis]:
            for state in states:
                signals = state.step(signals)
        frames = self._asked_for(leader, rival) if make_up else self.frames
        tail = []
        for _ in range(len(begun), self.network.steps):
            worth, frame, after = _best(states, frames, leader, rival)
            for _ in range(CHANGES if make_up else 0):
                others = frame ^ np.eye(len(frame), dtype=bool)
                more, other, then = _best(states, others, leader, rival)
                if more <= worth:
                    break
                worth, frame, after = more, other, then
            tail.append(frame)
            states = after
        return np.stack(tail)

    def _asked_for(self, leader: int, rival: int) -> Spikes:
        """Spikes of the inputs that do most for a rival, more and more of them; as weights go."""
        *before, last = (layer.weights.astype(float) for layer in self.network.layers)
        difference, made = last[rival] - last[leader], []
        for wanted in (difference, difference.clip(min=0), difference.clip(max=0)):
            for weights in reversed(before):
                wanted = wanted @ weights
            rank = np.argsort(np.argsort(-wanted, kind="stable"))
            sizes = np.linspace(0, len(rank), LOUD + 1).round()
            made.append(rank < sizes[:, np.newaxis])
        return np.concatenate(made)


def _best(
    states: list[Membranes], frames: Spikes, leader: int, rival: int
) -> tuple[float, Spikes, list[Membranes]]:
    """What does most for a rival in a step: how much, which spikes, and the states after it."""
    tried = [state.of(np.zeros(len(frames), np.int64)) for state in states]
    signals = frames
    for state in tried:
        signals = state.step(signals)
    potentials = tried[-1].potentials
    gain = 1e6 * (signals[:, rival].astype(float) - signals[:, leader])
    worth = gain + potentials[:, rival] - potentials[:, leader]
    best = int(worth.argmax())
    return float(worth[best]), frames[best], [state.of(np.array([best])) for state in tried]
