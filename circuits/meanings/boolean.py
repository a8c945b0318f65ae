"""Executable meaning of a netlist: plain Boolean evaluation, a batch of inputs at a time, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Bus, Netlist, Neuron

Bits = NDArray[np.bool_]
Words = NDArray[Any]


WORD = 64
"""Bits of a machine word; wider integers are Python's."""


def require_fit(words: Words, width: int) -> None:
    """Refuse integers that a bus of so many bits cannot hold.

    Raises:
        ValueError: if one is negative or does not fit.
    """
    if words.size and (words.min() < 0 or int(words.max()) >> width):
        raise ValueError(f"values must lie between 0 and {(1 << width) - 1} to fit {width} bits")


def unpack_words(words: Words, width: int) -> Bits:
    """The bits of unsigned integers: shape (width, batch), least significant bit first.

    Raises:
        ValueError: if a word is negative or does not fit.
    """
    integers = np.asarray(words)
    require_fit(integers, width)
    # Octets, the lowest first, on any machine: NumPy takes their bits apart faster than words'.
    if width <= WORD:
        octets = integers.astype("<u8").view(np.uint8).reshape(-1, 8)
    else:
        size = -(-width // 8)
        joined = b"".join(int(word).to_bytes(size, "little") for word in integers)
        octets = np.frombuffer(joined, dtype=np.uint8).reshape(-1, size)
    bits = np.unpackbits(octets, axis=1, count=width, bitorder="little")
    return np.ascontiguousarray(bits.T).view(np.bool_)


def pack_words(bits: Bits) -> Words:
    """The unsigned integers whose bits are given: the inverse of ``unpack_words``.

    ``uint64`` for up to 64 bits, Python integers in an object array above.
    """
    octets = np.packbits(bits, axis=0, bitorder="little")
    if len(bits) <= WORD:
        padded = np.zeros((bits.shape[1], 8), dtype=np.uint8)
        padded[:, : len(octets)] = octets.T
        return padded.view("<u8")[:, 0].astype(np.uint64)
    return np.array([int.from_bytes(column.tobytes(), "little") for column in octets.T], dtype=object)


def word_type(width: int) -> np.dtype[Any]:
    """Machine words where they are wide enough, else Python integers."""
    return np.dtype(np.uint64 if width <= WORD else object)


def fires(neuron: Neuron, signals: Bits) -> NDArray[np.bool_]:
    """Whether the neuron fires, for each column of ``signals``.

    Exact: weights are scaled to integers by their common denominator.
    """
    threshold, bias, weights = neuron.in_integers
    # The narrowest integers that hold every sum, which are the fastest; Python's where no others do.
    kind = np.min_scalar_type(-sum(map(abs, [threshold, bias, *weights])) - 1)
    total = np.full(signals.shape[1], bias, dtype=kind)
    for (source, _), weight in zip(neuron.synapses, weights, strict=True):
        total += np.multiply(signals[source], weight, dtype=kind)
    return total >= threshold


def one_input(values: Mapping[str, int]) -> dict[str, Words]:
    """A batch of one: the values of the input buses as ``evaluate`` takes them."""
    return {name: np.array([value], dtype=object) for name, value in values.items()}


def require_inputs(netlist: Netlist, inputs: Mapping[str, Words]) -> int:
    """Refuse inputs for other buses than the netlist's, or of different lengths.

    Returns:
        How many inputs they are.

    Raises:
        ValueError: if a bus is missing or unknown, or the arrays are not of one length.
    """
    if set(inputs) != set(netlist.inputs):
        raise ValueError(f"inputs are {sorted(inputs)}; the netlist has {sorted(netlist.inputs)}")
    lengths = {len(words) for words in inputs.values()}
    if len(lengths) > 1:
        raise ValueError(f"input arrays have lengths {sorted(lengths)}; give all the same")
    return lengths.pop()


def evaluate_signals(netlist: Netlist, inputs: Mapping[str, Words]) -> Bits:
    """The value of every signal: shape (signal_count, batch).

    Args:
        inputs: for each input bus an array of unsigned integers, all of one length.

    Raises:
        ValueError: as ``require_inputs``, or if a value does not fit its bus.
    """
    count = require_inputs(netlist, inputs)
    given = [unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    signals = np.zeros((netlist.signal_count, count), dtype=bool)
    signals[: netlist.input_count] = np.concatenate(given)
    for index, neuron in enumerate(netlist.neurons):
        signals[netlist.input_count + index] = fires(neuron, signals)
    return signals


def bus_words(signals: Bits, bus: Bus) -> Words:
    """The values on a bus, from the values of all signals; unused positions read as 0."""
    constants = {UNUSED: False, ZERO: False, ONE: True}
    batch = signals.shape[1]
    rows = [np.full(batch, constants[s]) if s in constants else signals[s] for s in bus]
    return pack_words(np.array(rows))


def evaluate(netlist: Netlist, inputs: Mapping[str, Words]) -> dict[str, Words]:
    """The output buses as unsigned integers, for a batch of inputs. As ``evaluate_signals``."""
    signals = evaluate_signals(netlist, inputs)
    return {name: bus_words(signals, bus) for name, bus in netlist.outputs.items()}
