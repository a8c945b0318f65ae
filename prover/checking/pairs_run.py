"""Two changed spikes where outputs fire: all pairs, of which the outputs alone are run.

For networks of two layers, neither of them recurrent, read by counts or by a latch. Nothing is bounded:
what an output makes of two changes says little about what it makes of either. But what it is *given* is
known without running the first layer again. Of two changes, of inputs a and b in steps s <= t,

    added = as it is + what a changes + what b changes + sum over neurons of weight x excess,

the excess of a neuron being by how much it fires otherwise than the sum of what either does to it: of
few neurons, and only of such as see both. Before t all is as if a had changed alone. So outputs are run
on from there, for many pairs at a time: arrays have a row for each a and a column for each b, and the
outputs come first.

Potentials are doubles, and whole numbers of a unit of 2^-N, below 2^53, so that sums and thresholds are
exact; leaks are rounded, towards not firing at a threshold that is reached. (A whole number below 2^53
over a denominator is never rounded up to the next one, which is farther away than the rounding.) Where
a potential is nearer to a threshold than it may be off, nothing is known of the pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import AfterSpike, Layer, Network, Score

Numbers = NDArray[Any]

LARGEST_DOUBLE = 1 << 53
"""Whole numbers up to this are doubles."""

LEAST_BITS = 16
"""1 is so many bits of units at least, where leaks are rounded."""

MOST_PAIRS = 1 << 28
"""So many pairs, in either order, are run."""

TOGETHER = 1 << 15
"""Numbers of which one array has about so many, since they are worked on several times."""


def runs_pairs(network: Network) -> bool:
    """Whether all pairs of changes of such a network are run."""
    if len(network.layers) != 2 or network.readout.score is not Score.COUNT:
        return False
    if any(layer.recurrent is not None for layer in network.layers):
        return False
    few = (network.steps * network.inputs) ** 2 <= MOST_PAIRS
    return few and _bits(network) >= LEAST_BITS * _rounds(network.layers[1])


def _rounds(outputs: Layer) -> bool:
    return 0 < outputs.dynamics.leak < 1


def _bits(network: Network) -> int:
    """As a power of two, the finest unit of which potentials, times a leak's numerator, are doubles."""
    outputs = network.layers[1]
    assert outputs.thresholds is not None
    columns = np.column_stack([outputs.weights, outputs.bias, outputs.thresholds]).tolist()
    largest = int(max(sum(map(abs, row)) for row in columns)) * (network.steps + 3)
    times = largest * max(1, outputs.dynamics.leak.numerator)
    return (LARGEST_DOUBLE // (times + 1)).bit_length() - 1


@dataclass
class States:
    """Of outputs, which come first, in many cases.

    Attributes:
        potentials, fired: of each.
        counts: how often it has fired.
        open: by case, whether no latch has closed.
        changed: whether one has closed for another class.
        doubtful: whether nothing is known.
    """

    potentials: Numbers
    fired: NDArray[np.bool_]
    counts: NDArray[np.int16]
    open: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]

    def rows(self, some: slice, columns: int) -> States:
        """Some of the cases, each of them so many times."""
        parts = (each[..., some, None] for each in vars(self).values())
        return States(*(np.repeat(each, columns, axis=-1) for each in parts))


class Outputs:
    """The last layer of a network of two, and its read-out."""

    def __init__(self, network: Network, decision: int) -> None:
        layer = network.layers[1]
        assert layer.thresholds is not None
        self.dynamics, self.decision, self.lead = layer.dynamics, decision, network.readout.lead
        self.count, rounds = layer.neurons, _rounds(layer)
        self.unit = float(1 << _bits(network) * rounds)
        self.off = float(network.steps * rounds)
        self.levels = (layer.thresholds * self.unit)[:, None]

    def begun(self, cases: int) -> States:
        """Before the first step."""
        of_each, of_case = (self.count, cases), np.zeros((3, cases), bool)
        fired, counts = np.zeros(of_each, bool), np.zeros(of_each, np.int16)
        return States(np.zeros(of_each), fired, counts, ~of_case[0], *of_case[1:])

    def step(self, states: States, added: Numbers) -> None:
        """What becomes of them in a step in which so many units are added."""
        potentials, reset = states.potentials, self.dynamics.reset
        levels = self.levels.reshape(-1, *[1] * (potentials.ndim - 1))
        for event in self.dynamics.order:
            if event == "leak":
                self._leak(potentials)
            elif event == "add":
                potentials += added
            elif event == "fire":
                self._fire(states, levels)
            elif reset is AfterSpike.SUBTRACT:
                potentials -= states.fired * levels
            elif reset is AfterSpike.ZERO:
                potentials[states.fired] = 0
        states.counts += states.fired
        if self.lead is not None:
            self._latch(states, self.lead)

    def _leak(self, potentials: Numbers) -> None:
        leak: Fraction = self.dynamics.leak
        if leak == 1:
            return
        potentials *= leak.numerator
        potentials /= leak.denominator
        (np.ceil if self.dynamics.strict else np.floor)(potentials, out=potentials)

    def _fire(self, states: States, levels: Numbers) -> None:
        strict, potentials = self.dynamics.strict, states.potentials
        np.copyto(states.fired, potentials > levels if strict else potentials >= levels)
        if self.off:
            surely = potentials >= levels + self.off if strict else potentials > levels - self.off
            near = surely ^ states.fired
            if near.any():
                states.doubtful |= near.any(axis=0)

    def _latch(self, states: States, lead: int) -> None:
        """Close those of which one output leads all others by so much."""
        first, second = states.counts[0], np.full_like(states.counts[0], -1)
        for counts in states.counts[1:]:
            second = np.maximum(second, np.minimum(first, counts))
            first = np.maximum(first, counts)
        closes = states.open & (first - second >= lead)
        states.changed |= closes & (states.counts[self.decision] < first)
        states.open &= ~closes

    def changed(self, states: States) -> NDArray[np.bool_]:
        """After the last step, in which cases another class is decided."""
        own, counts = states.counts[self.decision], states.counts
        lower = counts[: self.decision].max(axis=0, initial=-1) >= own
        higher = counts[self.decision + 1 :].max(axis=0, initial=-1) > own
        found: NDArray[np.bool_] = states.changed | (states.open & (lower | higher))
        return found


@dataclass(frozen=True)
class Excess:
    """What is added in a step besides: to an output, if a change of an input and one of others meet.

    Attributes:
        row: the input whose change is the first.
        columns: those whose change is the second.
        added: to each output.
    """

    row: int
    columns: NDArray[np.int64]
    added: Numbers


def changing_pairs(
    outputs: Outputs,
    alone: States,
    first: Numbers,
    second: Numbers,
    excess: Sequence[Sequence[Excess]],
) -> Iterator[NDArray[np.int64]]:
    """Pairs of inputs, rows of the first and the second, of which the class is another or not known:
    some at a time, or none.

    Args:
        alone: before the step of the second change, if the first is made, by input.
        first: what is added in each step from then on if the first alone is made: in units, by step,
            output and input.
        second: and what more, if the second alone is made.
        excess: in each step, by rows.
    """
    inputs = first.shape[2]
    together = max(1, TOGETHER // (outputs.count * inputs))
    places = [0] * len(first)
    for start in range(0, inputs, together):
        end = min(start + together, inputs)
        states = alone.rows(slice(start, end), inputs)
        for step, besides in enumerate(excess):
            added = first[step, :, start:end, None] + second[step][:, None]
            while places[step] < len(besides) and besides[places[step]].row < end:
                more = besides[places[step]]
                added[:, more.row - start, more.columns] += more.added[:, None]
                places[step] += 1
            outputs.step(states, added)
        found = outputs.changed(states) | states.doubtful
        yield np.argwhere(found) + np.array([start, 0])
