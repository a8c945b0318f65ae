"""Executable meaning of a netlist: its logic on PyTorch tensors, 64 inputs a word, for a GPU.

The same logic as ``circuits.bitsliced`` compiles, one operation after the other on all words at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from circuits.bitsliced import netlist_logic
from circuits.boolean import Words, pack_words, require_inputs, unpack_words
from circuits.logic import AND, Operation
from circuits.netlist import Netlist

WORD = 64
"""Inputs in a word."""


class TensorSimulator:
    """Evaluates a netlist on batches of inputs, as ``circuits.bitsliced.BitSlicedSimulator`` does.

    Args:
        netlist: what to simulate.
        device: of PyTorch, where to do it; None for a GPU of NVIDIA's if there is one, else the
            processor, on which the compiled simulator is faster.
    """

    def __init__(self, netlist: Netlist, device: str | None = None) -> None:
        self._netlist = netlist
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._logic, self._outputs = netlist_logic(netlist)
        self._live = self._logic.live(self._outputs)
        used = {literal >> 1: -1 for literal in self._outputs}  # never for the last time
        self._last: dict[int, list[int]] = {}  # by node, what is read there for the last time
        for node in reversed(self._live):
            for literal in self._operation(node)[1:]:
                if used.setdefault(literal >> 1, node) == node:
                    self._last.setdefault(node, []).append(literal >> 1)

    @property
    def operations(self) -> int:
        """How many operations on words an evaluation takes, negations aside."""
        return len(self._live)

    def evaluate(self, inputs: Mapping[str, Words]) -> dict[str, Words]:
        """The output buses as unsigned integers, for a batch: as ``circuits.boolean.evaluate``.

        Raises:
            ValueError: if a bus is missing or unknown, or a value does not fit its bus.
        """
        require_inputs(self._netlist, inputs)
        bits = np.concatenate([unpack_words(inputs[n], w) for n, w in self._netlist.inputs.items()])
        batch = bits.shape[1]
        padded = np.zeros((len(bits), -(-batch // WORD) * WORD), dtype=bool)
        padded[:, :batch] = bits
        words = np.packbits(padded, axis=1, bitorder="little").view(np.int64)
        found = self._run(torch.from_numpy(words).to(self._device)).cpu().numpy()
        rows = np.unpackbits(found.view(np.uint8), axis=1, count=batch, bitorder="little").astype(bool)
        buses = self._netlist.outputs
        split = np.split(rows, np.cumsum([len(bus) for bus in buses.values()])[:-1])
        return {name: pack_words(part) for name, part in zip(buses, split, strict=True)}

    def _run(self, words: Tensor) -> Tensor:
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
        return torch.stack([value(literal) for literal in self._outputs])

    def _operation(self, node: int) -> Operation:
        return self._logic.operations[node - 1 - self._logic.inputs]
