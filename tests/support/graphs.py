"""Evaluate formulas of any width through the encoder's graph, 64 assignments a word."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode

from circuits.boolean import pack_words, unpack_words
from prover.bitblast import Blaster, Graph

MEMORY = 1 << 25
"""Words for the values of all nodes at one time."""


class EncodedBuses:
    """Formulas as the one graph that the encoder makes of them."""

    def __init__(self, formulas: Mapping[str, FNode]) -> None:
        self._blaster = Blaster()
        self._outputs = {name: self._blaster.bits(formula) for name, formula in formulas.items()}

    def evaluate(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """The values of the formulas on a batch of inputs; inputs that they do not read are ignored."""
        batch = len(next(iter(inputs.values())))
        size = 64 * max(1, MEMORY // len(self._blaster.graph.conjunctions))
        chunks = [self._chunk(inputs, slice(at, at + size)) for at in range(0, batch, size)]
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in self._outputs}

    def _chunk(self, inputs: Mapping[str, NDArray], part: slice) -> dict[str, NDArray]:
        words = {}
        for name, literals in self._blaster.symbols.items():
            rows = unpack_words(inputs[name][part], len(literals))
            words.update(zip(literals, map(_packed, rows), strict=True))
        values = simulate(self._blaster.graph, words)
        batch = len(next(iter(inputs.values()))[part])
        return {
            name: pack_words(
                np.array([_unpacked(~values[p >> 1] if p & 1 else values[p >> 1], batch) for p in bits])
            )
            for name, bits in self._outputs.items()
        }


class Encoded:
    """One formula, likewise."""

    def __init__(self, formula: FNode) -> None:
        self._buses = EncodedBuses({"out": formula})

    def evaluate(self, inputs: Mapping[str, NDArray]) -> NDArray:
        """The value of the formula on a batch of inputs."""
        return self._buses.evaluate(inputs)["out"]


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
