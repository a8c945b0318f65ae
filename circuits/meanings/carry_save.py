"""Executable meaning of a netlist, a second time: 64 inputs in a machine word, sums by full adders.

It shares with ``circuits.meanings.boolean`` how buses are unpacked, and nothing of how neurons are
evaluated: no sum is used twice, and none is a number. A negative weight counts, as much, when its
signal is silent. The bits of all weights put their signals into columns, by place; full adders make
every column a single digit; and the digits are compared with what is needed, from the lowest up. So
there is no width that a sum could exceed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import bus_words, require_inputs, unpack_words
from spikeproof.circuits.netlist import Netlist, Neuron

Rows = NDArray[np.uint64]
"""A row for each signal, one input in each bit."""

Row = NDArray[np.uint64]

ALL = ~np.uint64(0)


def evaluate(netlist: Netlist, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``."""
    count = require_inputs(netlist, inputs)
    rows = np.zeros((netlist.signal_count, -(-count // 64)), dtype=np.uint64)
    given = [unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    bits = np.zeros((netlist.input_count, 64 * rows.shape[1]), dtype=bool)
    bits[:, :count] = np.concatenate(given)
    rows[: netlist.input_count] = np.packbits(bits, axis=1, bitorder="little").view(np.uint64)
    for index, neuron in enumerate(netlist.neurons):
        rows[netlist.input_count + index] = _fires(neuron, rows)
    outputs = sorted({signal for bus in netlist.outputs.values() for signal in bus})
    place = {signal: index for index, signal in enumerate(outputs)}
    octets = np.ascontiguousarray(rows[outputs]).view(np.uint8)
    signals = np.unpackbits(octets, axis=1, count=count, bitorder="little").view(np.bool_)
    return {
        name: bus_words(signals, tuple(place[signal] for signal in bus))
        for name, bus in netlist.outputs.items()
    }


def _fires(neuron: Neuron, rows: Rows) -> Row:
    """The row of a neuron."""
    threshold, bias, weights = neuron.in_integers
    needed = threshold - bias - sum(weight for weight in weights if weight < 0)
    most = sum(map(abs, weights))
    if not 0 < needed <= most:
        return np.full(rows.shape[1], ALL if needed <= 0 else 0, dtype=np.uint64)
    columns: list[list[Row]] = [[] for _ in range(most.bit_length())]
    for (source, _), weight in zip(neuron.synapses, weights, strict=True):
        row = rows[source] if weight > 0 else ~rows[source]
        for place in range(abs(weight).bit_length()):
            if abs(weight) >> place & 1:
                columns[place].append(row)
    reached = np.full(rows.shape[1], ALL)
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
