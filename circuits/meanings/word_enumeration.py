"""All inputs of a circuit, in order, and whether its outputs are those of a function told word by word.

As ``circuits.meanings.enumeration``, of circuits that words evaluate sooner than planes: programs of
digits and tables, whose neurons read hundreds of others.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.enumeration import Enumerated, block_count, counted_lanes
from spikeproof.circuits.meanings.in_a_row import Evaluator, compiled
from spikeproof.circuits.meanings.native import BLOCK, PLANE, Native, repeated, transposition
from spikeproof.circuits.netlist import Netlist

Results = Callable[[int, int], Mapping[str, Words]]
"""From the number of an input and how many follow from it on, what each output bus should be."""

WORDS = (16, 32, 64)
"""Bits of the words that become planes."""


class WordEnumeration:
    """A circuit beside one function, over all inputs.

    Args:
        results: of the circuit's inputs, the first bus varying fastest.
        evaluator: of circuits on inputs in a row.

    Raises:
        ProgramError: if words of 64 bits do not hold what the circuit adds up.
    """

    piece: ClassVar[int] = 1 << 20
    """Inputs whose outputs are best in memory at a time, for each thread."""

    def __init__(self, netlist: Netlist, results: Results, evaluator: Evaluator = compiled) -> None:
        self._bits, self._widths = netlist.input_count, netlist.output_widths
        self._evaluate, self._results = evaluator([netlist]), results
        planes = {width: _Planes(width) for width in set(self._widths.values())}
        self._planes = {name: planes[width] for name, width in self._widths.items()}

    @property
    def blocks(self) -> int:
        """How many blocks all inputs are; where they are fewer than a block has, they are repeated."""
        return block_count(self._bits)

    def run(self, start: int, blocks: int, into: Enumerated | None = None) -> Enumerated:
        """So many blocks, from the given one on. Threads may call this at the same time."""
        first, size = start * BLOCK, min(blocks * BLOCK, 1 << self._bits)
        (found,), expected = self._evaluate(first, size), self._results(first, size)
        differ = np.zeros(size, dtype=bool)
        for name, words in found.items():
            differ |= words != expected[name]
        failing = np.packbits(np.resize(differ, blocks * BLOCK), bitorder="little").view(np.uint64)
        outputs = [
            planes.of(np.resize(found[name], blocks * BLOCK)) for name, planes in self._planes.items()
        ]
        return Enumerated(
            np.concatenate(outputs, axis=1) if len(outputs) > 1 else outputs[0],
            failing.reshape(blocks, 1, 4) & counted_lanes(self._bits),
            np.array([np.count_nonzero(differ)]),
        )


class _Planes:
    """Makes planes of words of so many bits."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._bits = next(bits for bits in WORDS if width <= bits)
        here = f"%rows.here = getelementptr [{self._bits} x {PLANE}], ptr %rows, i64 %block"
        lines = repeated("block", "%blocks", [here, "call void @transpose(ptr %rows.here)"])
        loop = ["define void @planes(ptr %rows, i64 %blocks) {", *lines, "ret void", "}"]
        self._native = Native("\n".join((transposition(self._bits), *loop)))
        self._make = self._native.function("planes", None, ctypes.c_void_p, ctypes.c_int64)

    def of(self, words: Words) -> NDArray[np.uint64]:
        """The planes of the words of whole blocks; shape (blocks, width, 4)."""
        blocks, lanes = len(words) // BLOCK, BLOCK // self._bits
        rows = words.reshape(blocks, lanes, self._bits).transpose(0, 2, 1)
        planes = np.ascontiguousarray(rows, dtype=f"<u{self._bits // 8}").reshape(blocks, -1)
        self._make(planes.ctypes.data, blocks)
        return np.ascontiguousarray(
            planes.view(np.uint64).reshape(blocks, self._bits, 4)[:, : self._width]
        )
