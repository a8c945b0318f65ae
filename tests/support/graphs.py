"""Evaluate formulas of any width through the encoder's graph, 64 assignments a word."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode

from circuits.boolean import pack_words, unpack_words
from prover.bitblast import Blaster, Graph


class Encoded:
    """A formula as the graph that the encoder makes of it."""

    def __init__(self, formula: FNode) -> None:
        self._blaster = Blaster()
        self._output = self._blaster.bits(formula)

    def evaluate(self, inputs: Mapping[str, NDArray]) -> NDArray:
        """The value of the formula on a batch of inputs."""
        words = {}
        batch = len(next(iter(inputs.values())))
        for name, literals in self._blaster.symbols.items():
            rows = unpack_words(inputs[name], len(literals))
            words.update(zip(literals, map(_packed, rows), strict=True))
        values = simulate(self._blaster.graph, words)
        bits = [_unpacked(~values[p >> 1] if p & 1 else values[p >> 1], batch) for p in self._output]
        return pack_words(np.array(bits))


def simulate(graph: Graph, words: Mapping[int, NDArray]) -> list[NDArray]:
    """The value of every node, from those of the inputs' literals, one assignment in each bit."""
    values = [np.zeros_like(next(iter(words.values())))] * len(graph.conjunctions)
    for literal, value in words.items():
        values[literal >> 1] = value
    for node, pair in enumerate(graph.conjunctions):
        if pair:
            a, b = (~values[p >> 1] if p & 1 else values[p >> 1] for p in pair)
            values[node] = a & b
    return values


def _packed(row: NDArray) -> NDArray:
    padded = np.zeros(-(-len(row) // 64) * 64, dtype=bool)
    padded[: len(row)] = row
    return np.packbits(padded, bitorder="little").view(np.uint64)


def _unpacked(words: NDArray, batch: int) -> NDArray:
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:batch].astype(bool)
