"""That no few changed spikes change a network's class, over any number of steps: all sets are tried.

Nothing is argued, since little holds: where a reset to zero is late, a neuron that is given more may
fire less, and no count is bounded by extreme inputs. Networks are run as ``specs.networks`` says,
whatever their dynamics, many inputs at a time. Of a potential its multiple by the denominators of all
leaks so far is kept, which is an integer: in 64 bits where none can be larger, else Python's own.

Spikes come and go, or they move: then each input spikes as often as before, and the distance is by how
many steps its first spike is earlier or later, its second, and so on, all summed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, islice
from typing import Any, ClassVar

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

    changes: ClassVar[str] = "changed spikes"

    def __init__(self, network: Network, most: int) -> None:
        self.network, self.most = network, most

    def check(self, image: NDArray[Any], record: Mapping[str, Any]) -> None:
        """That a record of an image holds: as ``robustness.Checker``, but nothing is in its tree.

        Raises:
            CertificateError: if it does not.
        """
        decision, radius, witness = record["class"], record["radius"], record["witness"]
        if record["tree"] or not 0 <= radius <= self.most:
            raise CertificateError(f"it may not be about {radius} {self.changes}, or have a tree")
        if self.decisions(image, np.zeros((1, 0), np.int64))[0] != decision:
            raise CertificateError(f"its class is not {decision}")
        if witness is not None:
            spikes = np.unique(places(witness, image.size))
            if len(spikes) != len(witness) or self.size(image, spikes) != radius + 1:
                raise CertificateError(f"a witness must be {radius + 1} {self.changes}, each once")
            if self.decisions(image, spikes[None])[0] == decision:
                raise CertificateError("the witness is of the same class")
        for size in range(1, radius + 1):
            if self.nearest(image, decision, size) is not None:
                raise CertificateError(f"{size} {self.changes} change the class")

    def size(self, image: NDArray[Any], spikes: NDArray[np.int64]) -> int | None:
        """How far an image goes if these spikes change; ``None`` if it may not."""
        return len(spikes)

    def sets(self, image: NDArray[Any], size: int, together: int) -> Iterator[NDArray[np.int64]]:
        """All sets of spikes that lead so far, some at a time, a row each; -1 is none."""
        return _sets(image.size, size, together)

    def nearest(
        self, image: NDArray[Any], decision: int, size: int, until: float = float("inf")
    ) -> list[int] | None:
        """Spikes, numbered step by step, whose change leads so far and changes the class, if there are.

        Raises:
            TimeoutError: if it is later than ``until``, in seconds of ``time.monotonic``.
        """
        each = max(
            1, TOGETHER // (self.network.steps * max(layer.neurons for layer in self.network.layers))
        )
        for sets in self.sets(image, size, each):
            if time.monotonic() > until:
                raise TimeoutError
            (changing,) = np.nonzero(self.decisions(image, sets) != decision)
            if len(changing):
                found: list[int] = [spike for spike in sets[changing[0]].tolist() if spike >= 0]
                return found
        return None

    def decisions(self, image: NDArray[Any], sets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of an image, of shape (steps, inputs), for each set of spikes that are changed, -1
        being none."""
        first = self.network.layers[0]
        given = np.asarray(image).astype(np.int64)
        signs = 1 - 2 * given
        currents = np.repeat((given @ first.weights.T + first.bias)[None], len(sets), axis=0)
        for spikes in sets.T:
            step, place = np.divmod(spikes, self.network.inputs)
            signed = np.where(spikes < 0, 0, signs[step, place])
            currents[np.arange(len(sets)), step] += signed[:, None] * first.weights.T[place]
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


class Shifts(Enumeration):
    """Of spikes that move by at most ``most`` steps, all together."""

    changes = "steps of moved spikes"

    def size(self, image: NDArray[Any], spikes: NDArray[np.int64]) -> int | None:
        """By how many steps spikes have moved, if these change; ``None`` if they have not just moved."""
        before = np.asarray(image).astype(np.int64)
        after = before.copy()
        after.flat[spikes] ^= 1
        ahead = np.cumsum(before - after, axis=0)
        return None if ahead[-1].any() else int(np.abs(ahead).sum())

    def sets(self, image: NDArray[Any], size: int, together: int) -> Iterator[NDArray[np.int64]]:
        """All sets of spikes that move by so much, some at a time, a row each; -1 is none."""
        given = np.asarray(image).astype(bool)
        moved = [_moved(tuple(train), size) for train in given.T.tolist()]
        inputs = self.network.inputs

        def from_input(start: int, left: int) -> Iterator[list[int]]:
            if not left:
                yield []
            for place in range(start, inputs if left else 0):
                for steps in range(1, left + 1):
                    for flipped in moved[place][steps]:
                        spikes = [step * inputs + place for step in flipped]
                        for others in from_input(place + 1, left - steps):
                            yield spikes + others

        rows = from_input(0, size)
        while part := list(islice(rows, together)):
            width = max(map(len, part))
            yield np.array([row + [-1] * (width - len(row)) for row in part], np.int64)


def _moved(train: tuple[bool, ...], most: int) -> list[list[list[int]]]:
    """Where a train of spikes changes, if they move by 0, 1, 2, ... steps in all: each way once.

    One step is that of a spike to a neighbouring step without one. No fewer lead to where spikes, in
    their order, are off by so many steps, and so many do.
    """
    trains, before, now = [[train]], set[tuple[bool, ...]](), {train}
    for _ in range(most):
        before, now = now, {after for each in now for after in _one_step(each)} - before
        trains.append(sorted(now))
    own = np.array(train)
    return [[np.flatnonzero(own ^ np.array(each)).tolist() for each in so_far] for so_far in trains]


def _one_step(train: tuple[bool, ...]) -> Iterable[tuple[bool, ...]]:
    """All that one spike makes of a train by moving one step."""
    for step in range(len(train) - 1):
        if train[step] != train[step + 1]:
            yield (*train[:step], train[step + 1], train[step], *train[step + 2 :])


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
