"""Executable meaning of a netlist, for many inputs and few levels: each level is a product of matrices.

Where that would mostly multiply by 0, as of thousands of gates, neurons are evaluated one by one.

The neurons of a level read levels before alone, so the weighted sums of all of them, on all inputs, are
one product of a matrix of weights and one of signals. Signals that are the same on many inputs in turn,
as most comparisons are on neighbouring numbers, are added up once for these. Floats add up whole numbers
without error as long as no sum of magnitudes exceeds what their significands hold; that is made sure of.
(And as long as whoever multiplies matrices for NumPy does it in the precision that was asked for.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron

Matrix = NDArray[Any]

TOGETHER = 1 << 10
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
        needed: what the weighted sum must reach, for each.
    """

    neurons: list[int]
    sources: list[int]
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
    given = [boolean.unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    signals = np.zeros((netlist.signal_count, given[0].shape[1]), dtype=bool)
    signals[: netlist.input_count] = np.concatenate(given)
    for level in levels:
        read = signals[level.sources]
        always = read.all(axis=1)
        varies = read.any(axis=1) & ~always
        needed = level.needed - level.weights[:, always].sum(axis=1, keepdims=True)
        varying = read[varies].astype(level.weights.dtype)
        signals[level.neurons] = level.weights[:, varies] @ varying >= needed
    return signals


def _levels(netlist: Netlist) -> list[_Level] | None:
    """The neurons by depth; None if a sum may be too large, or matrices."""
    depth = [0] * netlist.signal_count
    by_depth: dict[int, list[int]] = {}
    for index, neuron in enumerate(netlist.neurons, start=netlist.input_count):
        depth[index] = 1 + max((depth[source] for source, _ in neuron.synapses), default=0)
        by_depth.setdefault(depth[index], []).append(index)
    levels = []
    entries = 0
    for _, indices in sorted(by_depth.items()):
        neurons = [netlist.neurons[index - netlist.input_count] for index in indices]
        sources = sorted({source for neuron in neurons for source, _ in neuron.synapses})
        entries += len(neurons) * len(sources)
        found = _level(indices, neurons, sources) if entries <= DENSEST else None
        if found is None:
            return None
        levels.append(found)
    return levels


def _level(indices: list[int], neurons: list[Neuron], sources: list[int]) -> _Level | None:
    place = {source: column for column, source in enumerate(sources)}
    integers = [neuron.in_integers for neuron in neurons]
    most = max(sum(map(abs, weights)) + abs(threshold - bias) for threshold, bias, weights in integers)
    kind = next((kind for kind, held in HELD.items() if most < held), None)
    if kind is None:
        return None
    weights = np.zeros((len(neurons), len(sources)), dtype=kind)
    for row, (neuron, (_, _, each)) in enumerate(zip(neurons, integers, strict=True)):
        weights[row, [place[source] for source, _ in neuron.synapses]] = each
    needed = np.array([[math.ceil(threshold - bias)] for threshold, bias, _ in integers], dtype=kind)
    return _Level(indices, sources, weights, needed)
