"""Graphs and formulas evaluated on many inputs at a time, 64 of them in a machine word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode

from spikeproof.circuits.meanings.boolean import Bits, pack_words, unpack_words
from spikeproof.prover.encoding.bitblast import Blaster, Graph

Words = NDArray[np.uint64]

MEMORY = 1 << 22
"""Words for the values of all nodes at one time."""


class GraphEvaluation:
    """Nodes of an and-inverter graph, evaluated layer by layer.

    Args:
        nodes: those to evaluate, in topological order; with a node come all that it depends on.

    Attributes:
        inputs: the nodes among them that are inputs.
    """

    def __init__(self, graph: Graph, nodes: Sequence[int]) -> None:
        self.inputs = [node for node in nodes if node and not graph.conjunctions[node]]
        self.size = len(graph.conjunctions)
        depth = [0] * self.size
        layers = defaultdict(list)
        for node in nodes:
            if pair := graph.conjunctions[node]:
                depth[node] = 1 + max(depth[p >> 1] for p in pair)
                layers[depth[node]].append((node, *pair))
        columns = (np.array(layer).T for _, layer in sorted(layers.items()))
        self._layers = [(nodes, _Operand.of(a), _Operand.of(b)) for nodes, a, b in columns]

    def values(self, words: Words) -> Words:
        """A row for each node of the graph; those not evaluated are 0.

        Args:
            words: a row for each of ``inputs``, one assignment in each bit.
        """
        values = np.zeros((self.size, words.shape[1]), dtype=np.uint64)
        values[self.inputs] = words
        for nodes, a, b in self._layers:
            values[nodes] = a.among(values) & b.among(values)
        return values


class _Operand(NamedTuple):
    """Literals, as their nodes, and a word of ones for each that is negated."""

    nodes: NDArray[np.int64]
    negated: Words

    @classmethod
    def of(cls, literals: NDArray[np.int64]) -> _Operand:
        return cls(literals >> 1, spread((literals & 1).astype(np.uint64)[:, None]))

    def among(self, values: Words) -> Words:
        """Their values, a row each, from those of nodes."""
        chosen: Words = values[self.nodes] ^ self.negated
        return chosen


def spread(bits: Words) -> Words:
    """A word of ones for each 1, of zeros for each 0."""
    return np.uint64(0) - bits


class Evaluation:
    """Formulas by name, to be evaluated on batches of values of their symbols.

    Raises:
        ValueError: for operators that ``prover.encoding.bitblast`` does not know.
    """

    def __init__(self, formulas: Mapping[str, FNode]) -> None:
        blaster = Blaster()
        self._outputs = {name: _Operand.of(np.array(blaster.bits(f))) for name, f in formulas.items()}
        self._graph = GraphEvaluation(blaster.graph, range(len(blaster.graph.conjunctions)))
        row = {node: index for index, node in enumerate(self._graph.inputs)}
        self._rows = {
            name: [row[literal >> 1] for literal in bits] for name, bits in blaster.symbols.items()
        }

    def evaluate(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The formulas' values, as unsigned integers: 0 or 1 for Boolean ones.

        Args:
            inputs: an array of unsigned integers for each symbol; others are ignored.
        """
        batch = len(next(iter(inputs.values())))
        size = 64 * max(1, MEMORY // self._graph.size)
        chunks = [self._chunk(inputs, slice(at, at + size)) for at in range(0, batch, size)]
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in self._outputs}

    def _chunk(self, inputs: Mapping[str, NDArray[Any]], part: slice) -> dict[str, NDArray[Any]]:
        batch = len(next(iter(inputs.values()))[part])
        words = np.zeros((len(self._graph.inputs), -(-batch // 64)), dtype=np.uint64)
        for name, rows in self._rows.items():
            words[rows] = _packed(unpack_words(inputs[name][part], len(rows)))
        values = self._graph.values(words)
        return {
            name: pack_words(_unpacked(wanted.among(values), batch))
            for name, wanted in self._outputs.items()
        }


def _packed(rows: Bits) -> Words:
    count, batch = rows.shape
    padded = np.zeros((count, -(-batch // 64) * 64), dtype=bool)
    padded[:, :batch] = rows
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _unpacked(words: Words, batch: int) -> Bits:
    octets = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=batch, bitorder="little").astype(bool)
