"""One formula, or one graph, evaluated on many inputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode

from spikeproof.prover.encoding.bitblast import Graph
from spikeproof.prover.encoding.evaluation import Evaluation


class Encoded:
    """One formula, evaluated through the encoder's graph."""

    def __init__(self, formula: FNode) -> None:
        self._evaluation = Evaluation({"out": formula})

    def evaluate(self, inputs: Mapping[str, NDArray]) -> NDArray:
        """The value of the formula on a batch of inputs."""
        return self._evaluation.evaluate(inputs)["out"]


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
