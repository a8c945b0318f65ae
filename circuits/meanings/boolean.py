"""Executable meaning of a netlist: plain Boolean evaluation, a batch of inputs at a time, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Bus, Netlist, Neuron, scaled

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
    return _Drives(signals).reach(_Condition.of(neuron))


Synapses = tuple[tuple[int, int], ...]
"""Signals, each with an integer weight."""


class _Condition(NamedTuple):
    """When a neuron fires: if the weights of the signals that do add up to what is needed.

    Attributes:
        largest: no sum, of any of its synapses, is further from 0.
    """

    synapses: Synapses
    needed: int
    largest: int

    @classmethod
    def of(cls, neuron: Neuron) -> _Condition:
        scale = math.lcm(*(weight.denominator for _, weight in neuron.synapses))
        synapses = tuple((source, scaled(weight, scale)) for source, weight in neuron.synapses)
        needed = math.ceil((neuron.threshold - neuron.bias) * scale)
        return cls(synapses, needed, sum(abs(weight) for _, weight in synapses))


LARGE = 8
"""Sums of so many synapses are kept for a while."""

KEPT = 8
"""So many of them."""

COUNTED = np.iinfo(np.int8).max
"""So many firing signals of one weight are counted in an octet."""


class _Drives:
    """Weighted sums of signals, some of which are kept.

    Many neurons read one sum: with other thresholds, as in a thermometer, or together with what has been
    found of it, as the digits of a comparison sum do. A sum that was kept is where the next one starts
    whose synapses begin with all of its own, weights included.
    """

    def __init__(self, signals: Bits) -> None:
        self._signals, self._octets = signals, signals.view(np.int8)
        self._kept: list[tuple[Synapses, NDArray[Any]]] = []  # the last one used comes last

    def reach(self, condition: _Condition) -> NDArray[np.bool_]:
        """Whether a condition holds, for each column; the signals that it reads do not change after."""
        synapses, needed, largest = condition
        if not -largest < needed <= largest:
            return np.full(self._signals.shape[1], needed <= -largest)
        reached: NDArray[np.bool_] = self._sum(synapses, largest) >= needed
        return reached

    def _sum(self, synapses: Synapses, largest: int) -> NDArray[Any]:
        known, total = self._known(synapses)
        if len(known) == len(synapses):
            return total
        # The narrowest integers that hold every sum, which are the fastest; Python's where no others do.
        kind = np.min_scalar_type(-largest - 1)
        total = total.astype(kind)
        alike: dict[int, list[int]] = {}
        for source, weight in synapses[len(known) :]:
            alike.setdefault(weight, []).append(source)
        for weight, sources in alike.items():
            for first in range(0, len(sources), COUNTED):
                count = self._count(sources[first : first + COUNTED])
                total += np.multiply(count, weight, dtype=kind)
        if len(synapses) >= LARGE and not total.dtype.hasobject:
            self._kept = [*self._kept[1 - KEPT :], (synapses, total)]
        return total

    def _known(self, synapses: Synapses) -> tuple[Synapses, NDArray[Any]]:
        """The longest sum that was kept of the first of some synapses; of none of them, if none was."""
        known: Synapses = ()
        place = None
        for index, (kept, _) in enumerate(self._kept):
            if len(kept) > len(known) and synapses[: len(kept)] == kept:
                known, place = kept, index
        if place is None:
            return (), np.zeros(self._signals.shape[1], dtype=np.int8)
        self._kept.append(self._kept.pop(place))
        return self._kept[-1]

    def _count(self, sources: Sequence[int]) -> NDArray[np.int8]:
        """How many of up to ``COUNTED`` signals fire."""
        count: NDArray[np.int8] = self._octets[sources[0]]
        for source in sources[1:]:
            count = count + self._octets[source]
        return count


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
    require_inputs(netlist, inputs)
    return _signals(netlist, map(_Condition.of, netlist.neurons), inputs)


def _signals(netlist: Netlist, conditions: Iterable[_Condition], inputs: Mapping[str, Words]) -> Bits:
    given = [unpack_words(inputs[name], width) for name, width in netlist.inputs.items()]
    signals = np.zeros((netlist.signal_count, given[0].shape[1]), dtype=bool)
    signals[: netlist.input_count] = np.concatenate(given)
    drives = _Drives(signals)
    for index, condition in enumerate(conditions, start=netlist.input_count):
        signals[index] = drives.reach(condition)
    return signals


def bus_words(signals: Bits, bus: Bus) -> Words:
    """The values on a bus, from the values of all signals; unused positions read as 0."""
    constants = {UNUSED: False, ZERO: False, ONE: True}
    batch = signals.shape[1]
    rows = [np.full(batch, constants[s]) if s in constants else signals[s] for s in bus]
    return pack_words(np.array(rows))


MEMORY = 1 << 27
"""Octets for the values of all signals at one time."""

FEWEST = 1 << 12
"""So many inputs are evaluated together whatever they take."""


def evaluate(netlist: Netlist, inputs: Mapping[str, Words]) -> dict[str, Words]:
    """The output buses as unsigned integers, for a batch of inputs. As ``evaluate_signals``."""
    count = require_inputs(netlist, inputs)
    conditions = list(map(_Condition.of, netlist.neurons))
    size = max(FEWEST, MEMORY // netlist.signal_count)
    parts: dict[str, list[Words]] = {name: [] for name in netlist.outputs}
    for first in range(0, max(count, 1), size):
        some = {name: words[first : first + size] for name, words in inputs.items()}
        signals = _signals(netlist, conditions, some)
        for name, bus in netlist.outputs.items():
            parts[name].append(bus_words(signals, bus))
    return {name: np.concatenate(words) for name, words in parts.items()}
