"""Executable meaning of a netlist, for many inputs and few levels: each level is a product of matrices.

Where that would mostly multiply by 0, as of thousands of gates, neurons are evaluated one by one.

The neurons of a level read levels before alone, so the weighted sums of all of them, on all inputs, are
one product of a matrix of weights and one of signals. Signals that are the same on many inputs in turn,
as most comparisons are on neighbouring numbers, are added up once for these; and neurons for which the
others do not matter, whatever they are, are known without a product. Floats add up whole numbers
without error as long as no sum of magnitudes exceeds what their significands hold; that is made sure of.
(And as long as whoever multiplies matrices for NumPy does it in the precision that was asked for.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron

Matrix = NDArray[Any]

TOGETHER = 1 << 11
"""Inputs at a time, if their signals are not more than ``MOST_SIGNALS``."""

MOST_SIGNALS = 1 << 24
"""Values of signals at a time."""

DENSEST = 1 << 21
"""Entries that matrices of a circuit may have altogether."""

ONE_BY_ONE = 1 << 27
"""Bits of signals at a time, where neurons are evaluated one by one."""

HELD = {np.float32: 1 << 24, np.float64: 1 << 53}
"""Up to what numbers of a type hold every whole number."""


class _Level(NamedTuple):
    """Neurons of one depth.

    Attributes:
        neurons: their signals.
        sources: the signals that any of them reads.
        weights: of each source, then of each neuron.
        needed: what the weighted sum must reach, for each neuron.
    """

    neurons: Matrix
    sources: Matrix
    weights: Matrix
    needed: Matrix


def evaluate(
    netlist: Netlist, inputs: Mapping[str, NDArray[Any]], before: Callable[[], None] = lambda: None
) -> dict[str, NDArray[Any]]:
    """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``.

    Args:
        before: called before every some inputs, to stop it by an exception.
    """
    count, levels = boolean.require_inputs(netlist, inputs), _levels(netlist)
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in netlist.outputs}
    size = min(TOGETHER, 1 + MOST_SIGNALS // netlist.signal_count)
    if not levels:
        size = 1 + ONE_BY_ONE // netlist.signal_count
    for first in range(0, max(count, 1), size):
        before()
        some = {name: words[first : first + size] for name, words in inputs.items()}
        signals = _signals(netlist, levels, some) if levels else boolean.evaluate_signals(netlist, some)
        for name, bus in netlist.outputs.items():
            parts[name].append(boolean.bus_words(signals, bus))
    return {name: np.concatenate(words) for name, words in parts.items()}


def _signals(netlist: Netlist, levels: list[_Level], inputs: Mapping[str, NDArray[Any]]) -> boolean.Bits:
    """A row for every signal; of those that are no outputs, filled where it is no constant here."""
    given = np.concatenate(
        [boolean.unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    )
    rows = np.empty((netlist.signal_count, given.shape[1]), dtype=bool)
    fires, varies = np.zeros((2, netlist.signal_count), dtype=bool)  # always, and on some inputs alone

    def take(signals: Matrix, found: boolean.Bits) -> None:
        rows[signals], fires[signals] = found, found.all(axis=1)
        varies[signals] = found.any(axis=1) & ~fires[signals]

    take(np.arange(netlist.input_count), given)
    for level in levels:
        sure = fires[level.sources].astype(level.weights.dtype) @ level.weights
        moving = varies[level.sources]
        weights, needed = level.weights[moving], level.needed - sure
        fires[level.neurons] = np.minimum(weights, 0).sum(axis=0) >= needed
        open_ = np.flatnonzero(~fires[level.neurons] & (np.maximum(weights, 0).sum(axis=0) >= needed))
        read = rows[level.sources[moving]].astype(weights.dtype)
        take(level.neurons[open_], weights[:, open_].T @ read >= needed[open_, None])
    constant = [s for bus in netlist.outputs.values() for s in bus if not varies[s]]
    rows[constant] = fires[constant, None]
    return rows


def _levels(netlist: Netlist) -> list[_Level] | None:
    """The neurons by depth; None if a sum may be too large, or matrices."""
    by_depth: dict[int, list[int]] = {}
    for index, depth in enumerate(netlist.levels[netlist.input_count :]):
        by_depth.setdefault(depth, []).append(index)
    levels = []
    entries = 0
    for _, indices in sorted(by_depth.items()):
        neurons = [netlist.neurons[index] for index in indices]
        read = [source for neuron in neurons for source, _ in neuron.synapses]
        sources = np.unique(np.array(read, dtype=np.int64))
        entries += len(neurons) * len(sources)
        found = _level(neurons, sources, np.searchsorted(sources, read)) if entries <= DENSEST else None
        if found is None:
            return None
        weights, needed = found
        levels.append(_Level(np.array(indices) + netlist.input_count, sources, weights, needed))
    return levels


def _level(neurons: list[Neuron], sources: Matrix, places: Matrix) -> tuple[Matrix, Matrix] | None:
    """Weights and what is needed, of neurons whose synapses are at these places of the sources."""
    integers = [neuron.in_integers for neuron in neurons]
    most = max(sum(map(abs, weights)) + abs(threshold - bias) for threshold, bias, weights in integers)
    kind = next((kind for kind, held in HELD.items() if most < held), None)
    if kind is None:
        return None
    matrix = np.zeros((len(sources), len(neurons)), dtype=kind)
    columns = np.repeat(np.arange(len(neurons)), [len(weights) for _, _, weights in integers])
    matrix[places, columns] = list(chain.from_iterable(weights for _, _, weights in integers))
    needed = [math.ceil(threshold - bias) for threshold, bias, _ in integers]
    return matrix, np.array(needed, dtype=kind)
