"""Logic on PyTorch tensors, 64 inputs a word, for a GPU: simulation of batches, and enumeration.

The same logic as ``circuits.meanings.bitsliced`` compiles, one operation after the other on all words
at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeproof.circuits.meanings.boolean import Words, pack_words, require_inputs, unpack_words
from spikeproof.circuits.meanings.enumeration import (
    LANE_BITS,
    Enumerated,
    block_count,
    counted_lanes,
    low_counters,
)
from spikeproof.circuits.meanings.logic import AND, Logic, Operation, netlist_logic
from spikeproof.circuits.meanings.native import BLOCK
from spikeproof.circuits.netlist import Netlist

WORD = 64
"""Inputs in a word."""


class TensorFunction:
    """Rows of output bits from rows of input bits, a word of each at a time.

    Args:
        outputs: literals of the logic, in order.
    """

    def __init__(self, logic: Logic, outputs: Sequence[int]) -> None:
        self.inputs = logic.inputs
        self._logic, self._literals = logic, tuple(outputs)
        self._live = logic.live(outputs)
        used = {literal >> 1: -1 for literal in outputs}  # never for the last time
        self._last: dict[int, list[int]] = {}  # by node, what is read there for the last time
        for node in reversed(self._live):
            for literal in self._operation(node)[1:]:
                if used.setdefault(literal >> 1, node) == node:
                    self._last.setdefault(node, []).append(literal >> 1)

    @property
    def operations(self) -> int:
        """How many operations on words an evaluation takes, negations aside."""
        return len(self._live)

    def __call__(self, words: Tensor) -> Tensor:
        """The output bits, a row each, from the input bits; what is read no more is let go."""
        values = dict(enumerate((torch.zeros_like(words[0]), *words)))

        def value(literal: int) -> Tensor:
            word: Tensor = values[literal >> 1]
            return word.bitwise_not() if literal & 1 else word

        for node in self._live:
            operation, a, b = self._operation(node)
            values[node] = value(a) & value(b) if operation == AND else value(a) ^ value(b)
            for dead in set(self._last.get(node, ())):
                del values[dead]
        return torch.stack([value(literal) for literal in self._literals])

    def _operation(self, node: int) -> Operation:
        return self._logic.operations[node - 1 - self._logic.inputs]


class TensorSimulator:
    """Evaluates a netlist on batches of inputs, as ``bitsliced.BitSlicedSimulator`` does.

    Args:
        netlist: what to simulate.
        device: of PyTorch, where to do it; None for a GPU of NVIDIA's if there is one, else the
            processor, on which the compiled simulator is faster.
    """

    def __init__(self, netlist: Netlist, device: str | None = None) -> None:
        self._netlist = netlist
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._function = TensorFunction(*netlist_logic(netlist))

    @property
    def operations(self) -> int:
        """How many operations on words an evaluation takes, negations aside."""
        return self._function.operations

    def evaluate(self, inputs: Mapping[str, Words]) -> dict[str, Words]:
        """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``."""
        batch = require_inputs(self._netlist, inputs)
        bits = np.concatenate([unpack_words(inputs[n], w) for n, w in self._netlist.inputs.items()])
        padded = np.zeros((len(bits), -(-batch // WORD) * WORD), dtype=bool)
        padded[:, :batch] = bits
        words = np.packbits(padded, axis=1, bitorder="little").view(np.int64)
        found = self._function(torch.from_numpy(words).to(self._device)).cpu().numpy()
        rows = np.unpackbits(found.view(np.uint8), axis=1, count=batch, bitorder="little").astype(bool)
        buses = self._netlist.outputs
        split = np.split(rows, np.cumsum([len(bus) for bus in buses.values()])[:-1])
        return {name: pack_words(part) for name, part in zip(buses, split, strict=True)}


class TensorEnumeration:
    """A circuit beside references, over all inputs, as ``enumeration.Enumeration`` has them.

    Args:
        circuit: what is enumerated.
        references: functions of the same inputs. Their outputs are those that the circuit should have,
            and one more: whether the input is to be compared at all.
        device: of PyTorch, where to do it.
    """

    piece: ClassVar[int] = 1 << 22
    """Inputs whose outputs are best in memory at a time, for each thread."""

    def __init__(
        self, circuit: TensorFunction, references: Sequence[TensorFunction], device: str
    ) -> None:
        self._circuit = circuit
        self._references = tuple(references)
        self._low, self._counted = (
            torch.from_numpy(planes.view(np.int64)).to(device)
            for planes in (low_counters(circuit.inputs), counted_lanes(circuit.inputs))
        )

    @property
    def blocks(self) -> int:
        """How many blocks all inputs are; where they are fewer than a block has, they are repeated."""
        return block_count(self._circuit.inputs)

    def run(self, start: int, blocks: int, into: Enumerated | None = None) -> Enumerated:
        """So many blocks, from the given one on; ``into`` is of no use here."""
        numbers = torch.arange(start, start + blocks, device=self._low.device)
        high = [
            -(numbers >> place & 1).repeat_interleave(BLOCK // WORD)
            for place in range(self._circuit.inputs - LANE_BITS)
        ]
        words = torch.stack([*self._low.repeat(1, blocks), *high])
        found = self._circuit(words)
        counted = self._counted.repeat(blocks)
        failing = [_differing(found, reference(words)) & counted for reference in self._references]
        planes = _planes(torch.stack(failing) if failing else found[:0], blocks)
        failures = np.unpackbits(planes.view(np.uint8), axis=2).sum(axis=(0, 2), dtype=np.int64)
        return Enumerated(_planes(found, blocks), planes, failures)


def _differing(found: Tensor, expected: Tensor) -> Tensor:
    """Where any output is not that which a reference has, if it is to be compared."""
    differing: Tensor = reduce(torch.bitwise_or, found ^ expected[:-1])
    return differing & expected[-1]


def _planes(rows: Tensor, blocks: int) -> NDArray[np.uint64]:
    """Rows of words as planes, block by block."""
    planes = rows.view(len(rows), blocks, BLOCK // WORD).transpose(0, 1).contiguous()
    found: NDArray[np.uint64] = planes.cpu().numpy().view(np.uint64)
    return found
