"""Executable meaning of a netlist, a second time: 64 inputs in a machine word, sums by full adders.

It shares with ``circuits.meanings.boolean`` how buses are unpacked, and nothing of how neurons are
evaluated: no sum is used twice, and none is a number. A negative weight counts, as much, when its
signal is silent. The bits of all weights put their signals into columns, by place; full adders make
every column a single digit; and the digits are compared with what is needed, from the lowest up. So
there is no width that a sum could exceed. Of a gate, for which every synapse counts or any does, that
is an AND or an OR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import bus_words, require_inputs, unpack_words
from spikeproof.circuits.netlist import Netlist, Neuron

Row = NDArray[np.uint64]
"""Of a signal, one input in each bit."""

Rows = Mapping[int, Row]
"""By signal, of those that are read still."""

ALL = ~np.uint64(0)


def evaluate(netlist: Netlist, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``."""
    count = require_inputs(netlist, inputs)
    given = [unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    bits = np.zeros((netlist.input_count, -(-count // 64) * 64), dtype=bool)
    bits[:, :count] = np.concatenate(given)
    outputs = sorted({signal for bus in netlist.outputs.values() for signal in bus})
    rows = dict(enumerate(np.packbits(bits, axis=1, bitorder="little").view(np.uint64)))
    forgotten = _forgotten(netlist, outputs)
    for index, neuron in enumerate(netlist.neurons, netlist.input_count):
        rows[index] = _fires(neuron, rows, bits.shape[1] // 64)
        for signal in forgotten[index]:
            del rows[signal]
    place = {signal: index for index, signal in enumerate(outputs)}
    octets = np.array([rows[signal] for signal in outputs]).view(np.uint8)
    signals = np.unpackbits(octets, axis=1, count=count, bitorder="little").view(np.bool_)
    return {
        name: bus_words(signals, tuple(place[signal] for signal in bus))
        for name, bus in netlist.outputs.items()
    }


def _forgotten(netlist: Netlist, kept: Iterable[int]) -> dict[int, list[int]]:
    """For each neuron the signals that none after it reads, but for those that are kept."""
    last = {signal: signal for signal in range(netlist.signal_count)}
    for index, neuron in enumerate(netlist.neurons, netlist.input_count):
        last.update((source, index) for source, _ in neuron.synapses)
    for signal in kept:
        last.pop(signal, None)
    found: dict[int, list[int]] = {signal: [] for signal in range(netlist.signal_count)}
    for signal, reader in last.items():
        found[reader].append(signal)
    return found


def _fires(neuron: Neuron, rows: Rows, words: int) -> Row:
    """The row of a neuron."""
    threshold, bias, weights = neuron.in_integers
    needed = threshold - bias - sum(weight for weight in weights if weight < 0)
    most = sum(map(abs, weights))
    if not 0 < needed <= most:
        return np.full(words, ALL if needed <= 0 else 0, dtype=np.uint64)
    signs = zip(neuron.synapses, weights, strict=True)
    counted = [rows[source] if weight > 0 else ~rows[source] for (source, _), weight in signs]
    least = min(map(abs, weights))
    if needed > most - least:
        return reduce(np.bitwise_and, counted)
    if needed <= least:
        return reduce(np.bitwise_or, counted)
    columns: list[list[Row]] = [[] for _ in range(most.bit_length())]
    for row, weight in zip(counted, weights, strict=True):
        for place in range(abs(weight).bit_length()):
            if abs(weight) >> place & 1:
                columns[place].append(row)
    reached = np.full(words, ALL)
    carried: list[Row] = []
    for place, column in enumerate(columns):
        digit, carried = _added([*column, *carried])
        if needed >> place & 1:
            reached = reached & digit if digit is not None else np.zeros_like(reached)
        elif digit is not None:
            reached = reached | digit
    return reached


def _added(column: list[Row]) -> tuple[Row | None, list[Row]]:
    """The digit that rows of one place add up to, None if there are none, and what they carry."""
    carries = []
    while len(column) > 1:
        a, b = column.pop(), column.pop()
        both, either = a & b, a ^ b
        if column:
            c = column.pop()
            both |= either & c
            either ^= c
        carries.append(both)
        column.append(either)
    return (column[0] if column else None), carries
