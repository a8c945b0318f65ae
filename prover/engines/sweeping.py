"""Simulation-guided internal equivalences: an and-inverter graph with its equal nodes made one.

Nodes that agree on simulated inputs, perhaps up to negation, are put to an incremental solver in
topological order, under a budget of conflicts. Proved equal, they become one node; a refutation is an
input that tells them apart, and is simulated together with its neighbours; undecided, they are left
alone, and so are all others once that leads to nothing. This is SAT sweeping, also called fraiging.

Every step can be followed in clauses: nodes of the new graph go by the variables of nodes of the
old, and that a node equals the one that stands for it is derived from the old graph's definitions. A
question is a variable of its own; see ``prover.engines.clausal_proof``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikeproof.prover.encoding.bitblast import FALSE, Graph, dimacs
from spikeproof.prover.encoding.evaluation import GraphEvaluation, Words, spread
from spikeproof.prover.engines.clausal_proof import AXIOM, Clause, Derivation, TracedSolver
from spikeproof.prover.evidence.record import SEED

CONFLICTS = 2000
"""That the solver may have for each of its answers."""

PATIENCE = 64
"""A sweep is given up when so many more nodes were told apart than proved equal.

Simulation knows nothing of what is assumed. Where free values are bound to others by facts alone, nodes
look equal that are not, those that are look different, and clauses are decided sooner as they are.
"""

_MIX, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_MOST_REFUTATIONS = 50  # of one node; by then its signature should be its own


@dataclass(frozen=True)
class Swept:
    """A graph swept from another.

    Attributes:
        images: for each node of the cone that was swept, its literal in the new graph.
        clauses: that are satisfiable iff the old root can be true, over the variables of the old
            graph's nodes; each with its number in the derivation.
        merges: how many nodes were proved equal to an earlier one, and gave way to it.
        refutations: how often the solver told nodes apart that simulation had not.
        undecided: how often the budget did not suffice.
    """

    graph: Graph
    images: dict[int, int]
    clauses: list[tuple[Clause, int]]
    merges: int
    refutations: int
    undecided: int

    def image(self, literal: int) -> int:
        """What became of a literal."""
        return self.images[literal >> 1] ^ (literal & 1)


def swept(
    graph: Graph,
    root: int,
    derivation: Derivation,
    conflicts: int = CONFLICTS,
    rounds: int = 4,
    solver: Callable[[Derivation], TracedSolver] = TracedSolver,
) -> Swept:
    """The cone of a literal, its equal nodes made one as far as the budget allows; the same each time.

    Args:
        derivation: of ``graph.clauses(root)``; it is continued.
        conflicts: the solver's budget for each of its answers.
        rounds: simulate 256 times as many inputs to begin with.
        solver: makes the solver that is asked.
    """
    simulation = _Simulation(graph, graph.defined(root), rounds)
    with solver(derivation) as asked:
        return _Sweep(graph, root, simulation, conflicts, asked).run()


Equality = tuple[int, ...]
"""Numbers of the clauses that say that a node of the old graph is its image; none if it is by name."""


class _Sweep:
    def __init__(
        self, graph: Graph, root: int, simulation: _Simulation, conflicts: int, solver: TracedSolver
    ) -> None:
        self._graph = graph
        self._root = root
        self._simulation = simulation
        self._conflicts = conflicts
        self._solver = solver
        self._derivation = solver.derivation
        self._reduced = Graph()
        self._names: list[
            int
        ] = []  # the node of the old graph by whose variable each of the new one goes
        self._definitions: list[list[tuple[Clause, int]]] = []  # of each node of the new graph
        self._settled: list[tuple[int, Equality]] = []  # the literal that stands for each of these
        self._images: dict[int, int] = {}
        self._equalities: dict[int, Equality] = {}
        self._known: dict[int, int] = {}  # by signature; true on the first input
        self._differed: Counter[bool | None] = Counter()

    def run(self) -> Swept:
        given = 1  # after the clause of the root
        for node in self._graph.defined(self._root):
            clauses = self._graph.definition(node)
            self._take_over(node, {frozenset(clause): given + k for k, clause in enumerate(clauses)})
            given += len(clauses)
        self._solver.hand_over()
        told = self._differed
        return Swept(self._reduced, self._images, self._clauses(), told[False], told[True], told[None])

    def _take_over(self, node: int, given: dict[frozenset[int], int]) -> None:
        """Find the image of a node of the old graph, given the numbers of its defining clauses."""
        pair = self._graph.conjunctions[node] or ()
        if pair:
            literal = self._reduced.conjunction(*map(self._image, pair))
        else:
            literal = self._reduced.new_input() if node else FALSE
        reasons = [*given.values(), *(n for each in pair for n in self._equalities[each >> 1])]
        at = literal >> 1
        if at == len(self._names):
            self._names.append(node)
            self._define(at, given, reasons)
            self._settled.append(self._settle(node, literal))
            self._images[node], self._equalities[node] = self._settled[at]
            return
        image, equality = self._settled[at]
        self._images[node] = image ^ (literal & 1)
        reasons += [number for _, number in (*self._definitions[0], *self._definitions[at])]
        self._equalities[node] = tuple(
            self._derivation.add(clause, (*reasons, *equality))
            for clause in _equal(dimacs(2 * node), self._named(self._images[node]))
        )

    def _image(self, literal: int) -> int:
        return self._images[literal >> 1] ^ (literal & 1)

    def _named(self, literal: int) -> int:
        """A literal of the new graph, in clauses."""
        return dimacs(2 * self._names[literal >> 1] ^ (literal & 1))

    def _define(self, at: int, given: dict[frozenset[int], int], reasons: list[int]) -> None:
        """Derive what defines a node of the new graph from what defines the old one by its name."""
        clauses = [tuple(clause) for clause in self._reduced.definition(at, self._named)]
        derive = self._derivation.add
        numbers = [
            given[frozenset(clause)] if frozenset(clause) in given else derive(clause, reasons)
            for clause in clauses
        ]
        self._definitions.append(list(zip(clauses, numbers, strict=True)))
        for clause, number in self._definitions[at]:
            self._solver.add(clause, number)

    def _settle(self, node: int, literal: int) -> tuple[int, Equality]:
        """An earlier literal that is proved equal to that of a node, or else its own."""
        phase = self._simulation.phases[node]
        for _ in range(_MOST_REFUTATIONS):
            if self._differed[True] > self._differed[False] + PATIENCE:
                break
            known = self._known.setdefault(self._simulation.signatures[node], literal ^ phase) ^ phase
            if known == literal:
                break
            proof = self._proof_of_equality(literal, known)
            if isinstance(proof, tuple):
                self._differed[False] += 1
                for clause, number in zip(
                    _equal(self._named(literal), self._named(known)), proof, strict=True
                ):
                    self._solver.add(clause, number)
                return known, proof
            self._differed[proof] += 1
            if proof is None:
                break
            self._learn_from_model()
        return literal, ()

    def _proof_of_equality(self, a: int, b: int) -> Equality | bool | None:
        """Numbers of the clauses that say so; True if an input tells them apart, None if undecided."""
        numbers = []
        for clause in _equal(self._named(a), self._named(b)):
            question = self._derivation.question(clause)
            for literal in clause:
                self._solver.add((-question, -literal), AXIOM)
            satisfiable = self._solver.solve(question, self._conflicts)
            if satisfiable is not False:
                return satisfiable
            numbers.append(self._solver.refuted(question))
        return tuple(numbers)

    def _learn_from_model(self) -> None:
        true = self._solver.true_variables()
        inputs = (self._images.get(node, FALSE) for node in self._simulation.inputs)
        self._simulation.add([self._named(literal) in true for literal in inputs])
        self._known.clear()
        for node, image in self._images.items():
            signature, phase = self._simulation.signatures[node], self._simulation.phases[node]
            self._known.setdefault(signature, image ^ phase)

    def _clauses(self) -> list[tuple[Clause, int]]:
        """Those that are satisfiable iff the root can be true, with their numbers."""
        root = self._image(self._root)
        equality = self._equalities[self._root >> 1]
        constant = [number for _, number in self._definitions[0]]
        number = self._derivation.add((self._named(root),), (0, *equality, *constant))
        defined = (each for node in self._reduced.defined(root) for each in self._definitions[node])
        return [((self._named(root),), number), *defined]


def _equal(a: int, b: int) -> tuple[Clause, Clause]:
    """Clauses that say that two literals are equal."""
    return (-a, b), (a, -b)


class _Simulation:
    """The nodes' values on many inputs.

    Attributes:
        inputs: the nodes that are inputs.
        phases: each node's value on the first input.
        signatures: for each node a digest of its values; of their negations, if its phase is 1.
    """

    def __init__(self, graph: Graph, nodes: list[int], rounds: int) -> None:
        self._evaluation = GraphEvaluation(graph, nodes)
        self.inputs = self._evaluation.inputs
        self._rng = np.random.default_rng(SEED)
        self._digests = np.zeros(self._evaluation.size, dtype=np.uint64)
        values = self._evaluation.values(np.hstack([self._varied() for _ in range(rounds)]))
        self._phases = values[:, :1] & np.uint64(1)
        self.phases: list[int] = self._phases[:, 0].tolist()
        self._digest(values)

    def add(self, pattern: list[bool]) -> None:
        """Take in one more input, and 63 that differ from it in a few bits."""
        flips = self._sparse(5) & ~np.uint64(1)
        words = flips ^ spread(np.array(pattern, dtype=np.uint64)[:, None])
        self._digest(self._evaluation.values(words))

    def _varied(self) -> Words:
        """Inputs of four kinds: any, few ones, few zeros, and runs of equal bits."""
        runs = np.bitwise_xor.accumulate(self._sparse(3), axis=0)
        return np.hstack([self._sparse(1), self._sparse(3), ~self._sparse(3), runs])

    def _sparse(self, rarity: int) -> Words:
        """64 inputs, one bit in 2^rarity set."""
        shape = rarity, len(self.inputs), 1
        words: Words = np.bitwise_and.reduce(self._rng.integers(1 << 64, size=shape, dtype=np.uint64))
        return words

    def _digest(self, values: Words) -> None:
        for column in (values ^ spread(self._phases)).T:
            self._digests = (self._digests ^ column) * _MIX
            self._digests ^= self._digests >> _HALF
        self.signatures: list[int] = self._digests.tolist()
