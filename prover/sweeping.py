"""Simulation-guided internal equivalences: an and-inverter graph with its equal nodes made one.

Nodes that agree on simulated inputs, perhaps up to negation, are put to an incremental solver in
topological order, under a budget of conflicts. Proved equal, they become one node; a refutation is an
input that tells them apart, and is simulated together with its neighbours; undecided, they are left
alone. This is SAT sweeping, also called fraiging.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pysat.solvers import Cadical195

from prover.bitblast import FALSE, Graph, dimacs
from prover.evaluation import GraphEvaluation, Words, spread

_SEED = 20261122
_MIX, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_MOST_REFUTATIONS = 50  # of one node; by then its signature should be its own


@dataclass(frozen=True)
class Swept:
    """A graph swept from another.

    Attributes:
        images: for each node of the cone that was swept, its literal in the new graph.
        merges: how many nodes were proved equal to an earlier one, and gave way to it.
        refutations: how often the solver told nodes apart that simulation had not.
        undecided: how often the budget did not suffice.
    """

    graph: Graph
    images: dict[int, int]
    merges: int
    refutations: int
    undecided: int

    def image(self, literal: int) -> int:
        """What became of a literal."""
        return self.images[literal >> 1] ^ (literal & 1)


def swept(
    graph: Graph,
    root: int,
    conflicts: int = 2000,
    words: int = 16,
    solver: Callable[[], Any] = Cadical195,
) -> Swept:
    """The cone of a literal, its equal nodes made one as far as the budget allows; the same each time.

    Args:
        conflicts: the solver's budget for each of its answers.
        words: simulate 64 times as many random inputs to begin with.
        solver: an incremental solver of python-sat that can keep to a budget.
    """
    cone = [FALSE, *(node for node in graph.cone(root) if node)]
    with solver() as asked:
        return _Sweep(_Simulation(graph, cone, words), conflicts, asked).run(graph, cone)


class _Sweep:
    def __init__(self, simulation: _Simulation, conflicts: int, solver: Any) -> None:
        self._simulation = simulation
        self._conflicts = conflicts
        self._solver = solver
        self._reduced = Graph()
        self._images: dict[int, int] = {}
        self._settled: dict[int, int] = {}  # the literal that stands for each node of the new graph
        self._known: dict[int, int] = {}  # by signature; true on the first input
        self._differed: Counter[bool | None] = Counter()

    def run(self, graph: Graph, cone: list[int]) -> Swept:
        for node in cone:
            if pair := graph.conjunctions[node]:
                a, b = (self._images[p >> 1] ^ (p & 1) for p in pair)
                literal = self._reduced.conjunction(a, b)
            else:
                literal = self._reduced.new_input() if node else FALSE
            if literal >> 1 not in self._settled:
                for clause in self._reduced.definition(literal >> 1):
                    self._solver.add_clause(clause)
                self._settled[literal >> 1] = self._settle(node, literal)
            self._images[node] = self._settled[literal >> 1] ^ (literal & 1)
        count = self._differed
        return Swept(self._reduced, self._images, count[False], count[True], count[None])

    def _settle(self, node: int, literal: int) -> int:
        """An earlier literal that is proved equal to that of a node, or else its own."""
        phase = self._simulation.phases[node]
        for _ in range(_MOST_REFUTATIONS):
            known = self._known.setdefault(self._simulation.signatures[node], literal ^ phase) ^ phase
            if known == literal:
                break
            differ = self._differ(literal, known)
            self._differed[differ] += 1
            if differ is None:
                break
            if not differ:
                self._solver.add_clause([dimacs(literal), -dimacs(known)])
                self._solver.add_clause([-dimacs(literal), dimacs(known)])
                return known
            self._learn_from_model()
        return literal

    def _differ(self, a: int, b: int) -> bool | None:
        """Whether some input tells two literals apart; None if that is too hard to say."""
        for assumptions in ([dimacs(a), -dimacs(b)], [-dimacs(a), dimacs(b)]):
            self._solver.conf_budget(self._conflicts)
            satisfiable: bool | None = self._solver.solve_limited(assumptions=assumptions)
            if satisfiable is not False:
                return satisfiable
        return False

    def _learn_from_model(self) -> None:
        true = {variable for variable in self._solver.get_model() if variable > 0}
        inputs = (self._images.get(node, FALSE) for node in self._simulation.inputs)
        self._simulation.add([dimacs(literal) in true for literal in inputs])
        self._known.clear()
        for node, image in self._images.items():
            signature, phase = self._simulation.signatures[node], self._simulation.phases[node]
            self._known.setdefault(signature, image ^ phase)


class _Simulation:
    """The nodes' values on many inputs.

    Attributes:
        inputs: the nodes that are inputs.
        phases: each node's value on the first input.
        signatures: for each node a digest of its values; of their negations, if its phase is 1.
    """

    def __init__(self, graph: Graph, cone: list[int], words: int) -> None:
        self._evaluation = GraphEvaluation(graph, cone)
        self.inputs = self._evaluation.inputs
        self._rng = np.random.default_rng(_SEED)
        self._digests = np.zeros(self._evaluation.size, dtype=np.uint64)
        values = self._evaluation.values(self._random(words))
        self._phases = values[:, :1] & np.uint64(1)
        self.phases: list[int] = self._phases[:, 0].tolist()
        self._digest(values)

    def add(self, pattern: list[bool]) -> None:
        """Take in one more input, and 63 that differ from it in a few bits."""
        flips = np.bitwise_and.reduce([self._random(1) for _ in range(5)]) & ~np.uint64(1)
        words = flips ^ spread(np.array(pattern, dtype=np.uint64)[:, None])
        self._digest(self._evaluation.values(words))

    def _random(self, words: int) -> Words:
        return self._rng.integers(1 << 64, size=(len(self.inputs), words), dtype=np.uint64)

    def _digest(self, values: Words) -> None:
        for column in (values ^ spread(self._phases)).T:
            self._digests = (self._digests ^ column) * _MIX
            self._digests ^= self._digests >> _HALF
        self.signatures: list[int] = self._digests.tolist()
