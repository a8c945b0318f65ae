"""That no few changed spikes change a network's class, over any number of steps: all sets are tried.

Nothing is argued, since little holds: where a reset to zero is late, a neuron that is given more may
fire less, and no count is bounded by extreme inputs. Networks are run as ``specs.networks`` says,
whatever their dynamics, many inputs at a time. Of a potential its multiple by the denominators of all
leaks so far is kept, which is an integer: in 64 bits where none can be larger, else Python's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.checking.robustness import CertificateError, places
from spikeproof.specs.networks import AfterSpike, Layer, Network, Score

Numbers = NDArray[Any]

LARGEST_INT64 = 1 << 62
LARGEST_FLOAT = 1 << 53

TOGETHER = 1 << 20
"""So many numbers of a layer are worked on at once."""


class Enumeration:
    """Of changes of at most ``most`` spikes of a network's input."""

    def __init__(self, network: Network, most: int) -> None:
        self.network, self.most = network, most

    def check(self, image: NDArray[Any], record: Mapping[str, Any]) -> None:
        """That a record of an image holds: as ``robustness.Checker``, but nothing is in its tree.

        Raises:
            CertificateError: if it does not.
        """
        decision, radius, witness = record["class"], record["radius"], record["witness"]
        if record["tree"] or not 0 <= radius <= self.most:
            raise CertificateError(f"it may not be about {radius} spikes, or have a tree")
        if self.decisions(image, np.zeros((1, 0), np.int64))[0] != decision:
            raise CertificateError(f"its class is not {decision}")
        if witness is not None:
            spikes = np.unique(places(witness, image.size))
            if not len(spikes) == len(witness) == radius + 1:
                raise CertificateError(f"a witness must be {radius + 1} spikes, each once")
            if self.decisions(image, spikes[None])[0] == decision:
                raise CertificateError("the witness is of the same class")
        for size in range(1, radius + 1):
            if self.nearest(image, decision, size) is not None:
                raise CertificateError(f"{size} changed spikes change the class")

    def nearest(
        self, image: NDArray[Any], decision: int, size: int, until: float = float("inf")
    ) -> list[int] | None:
        """So many spikes whose change changes the class, if there are; they are numbered step by step.

        Raises:
            TimeoutError: if it is later than ``until``, in seconds of ``time.monotonic``.
        """
        each = max(
            1, TOGETHER // (self.network.steps * max(layer.neurons for layer in self.network.layers))
        )
        for sets in _sets(image.size, size, each):
            if time.monotonic() > until:
                raise TimeoutError
            (changing,) = np.nonzero(self.decisions(image, sets) != decision)
            if len(changing):
                found: list[int] = sets[changing[0]].tolist()
                return found
        return None

    def decisions(self, image: NDArray[Any], sets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of an image, of shape (steps, inputs), for each set of spikes that are changed."""
        first = self.network.layers[0]
        given = np.asarray(image).astype(np.int64)
        signs = 1 - 2 * given
        currents = np.repeat((given @ first.weights.T + first.bias)[None], len(sets), axis=0)
        for spikes in sets.T:
            step, place = np.divmod(spikes, self.network.inputs)
            currents[np.arange(len(sets)), step] += signs[step, place, None] * first.weights.T[place]
        return self.continued(0, currents)

    def continued(self, place: int, currents: Numbers) -> NDArray[np.int64]:
        """The class, of so much as is added to the layer of a place, of shape (sets, steps, neurons)."""
        layer, *others = self.network.layers[place:]
        outcome = self._run(layer, currents)
        for layer in others:
            outcome = self._run(layer, times(outcome, layer.weights) + layer.bias)
        return self._decided(outcome)

    def _run(self, layer: Layer, currents: Numbers) -> Numbers:
        """Spikes of each step, of shape (sets, steps, neurons), or, of neurons that do not fire, last
        potentials, as the dynamics say."""
        dynamics, count = layer.dynamics, len(currents)
        kind = np.int64 if self._largest(layer) < LARGEST_INT64 else object
        potentials = np.zeros((count, layer.neurons), kind)
        thresholds = None if layer.thresholds is None else layer.thresholds.astype(kind)
        fired = np.zeros((count, layer.neurons), bool)
        spikes, scale = [], 1
        for step in range(self.network.steps):
            added = currents[:, step]
            if layer.recurrent is not None:
                added = added + times(fired, layer.recurrent)
            for event in dynamics.order:
                if event == "leak":
                    potentials = potentials * dynamics.leak.numerator
                    scale *= dynamics.leak.denominator
                elif event == "add":
                    potentials = potentials + added.astype(kind) * scale
                elif thresholds is None:
                    continue
                elif event == "fire":
                    level = thresholds * scale
                    fired = potentials > level if dynamics.strict else potentials >= level
                elif dynamics.reset is AfterSpike.SUBTRACT:
                    potentials = potentials - fired * (thresholds * scale)
                elif dynamics.reset is AfterSpike.ZERO:
                    potentials = np.where(fired, 0, potentials)
            spikes.append(fired)
        return potentials if thresholds is None else np.stack(spikes, axis=1)

    def _largest(self, layer: Layer) -> int:
        """No potential, times its scale, is larger in magnitude, nor what is added to it."""
        arrays = (layer.weights, layer.bias, layer.thresholds, layer.recurrent)
        rows = [each.reshape(layer.neurons, -1) for each in arrays if each is not None]
        total = max(sum(map(abs, row)) for row in np.concatenate(rows, axis=1).tolist())
        steps = self.network.steps
        return int(total * (steps + 1) * layer.dynamics.leak.denominator**steps)

    def _decided(self, outcome: Numbers) -> NDArray[np.int64]:
        """The class of each: the first of the largest score, or that for which a latch closed."""
        if self.network.readout.score is Score.POTENTIAL:
            return np.asarray(np.argmax(outcome, axis=1))
        counts = np.cumsum(outcome, axis=1)
        decided = np.argmax(counts[:, -1], axis=1)
        lead = self.network.readout.lead
        for step in reversed(range(self.network.steps if lead else 0)):
            now = counts[:, step]
            best = np.argmax(now, axis=1)
            others = now.copy()
            others[np.arange(len(now)), best] = -self.network.steps - int(lead or 0)
            closed = now.max(axis=1) - others.max(axis=1) >= lead
            decided = np.where(closed, best, decided)
        return np.asarray(decided)


def times(spikes: Numbers, weights: Numbers) -> Numbers:
    """What spikes add by weights: in floating-point numbers where none is rounded."""
    if np.abs(weights).sum(axis=1, dtype=float).max() < LARGEST_FLOAT / 2:
        return np.asarray(spikes.astype(float) @ weights.T.astype(float)).astype(np.int64)
    return np.asarray(spikes.astype(np.int64) @ weights.T)


def _sets(count: int, size: int, together: int) -> Iterator[NDArray[np.int64]]:
    """All sets of that size of so many spikes, at most so many at a time, a row each."""
    for first in combinations(range(count), size - 1):
        last = np.arange(first[-1] + 1 if first else 0, count)
        for start in range(0, len(last), together):
            part = last[start : start + together]
            yield np.column_stack([*(np.full(len(part), each) for each in first), part])
