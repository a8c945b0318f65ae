"""CaDiCaL, on our own encoding to clauses; with clausal proofs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count

from pysmt.fnode import FNode
from pysmt.shortcuts import And

from spikeproof.prover.encoding.bitblast import Bits, Blaster, Graph, cnf_sha256, model_value
from spikeproof.prover.engines.child import Child
from spikeproof.prover.engines.clausal_proof import OPTIONS, Derivation, TracedSolver
from spikeproof.prover.engines.engine import Answer, Engine
from spikeproof.prover.engines.sweeping import CONFLICTS, swept
from spikeproof.prover.evidence.record import EngineUse, Status

EASY = 40_000
"""Conflicts that CaDiCaL may have before the graph is swept: most lemmas need fewer than 1,000, those
about rounding in 8 bits up to 32,200, which takes it half of the time that sweeping them takes.

Of larger graphs it may have two for each node: sweeping asks a question about most, which takes longer.
"""

TURN = 100_000
"""Conflicts that CaDiCaL may have on what sweeping leaves, and then on all clauses; twice as many the
next time, and so on. Where structures are alike sweeping leaves little; elsewhere that may be harder.
"""

Numbered = Iterable[tuple[int, Sequence[int]]]
"""Clauses, each with its number in a derivation."""


def _check(formulas: Sequence[FNode], timeout: float) -> Answer:
    """CaDiCaL on our clauses; on those that sweeping leaves too, if it does not decide them at once."""
    started = time.perf_counter()
    blaster = Blaster()
    root = blaster.literal(And(formulas))
    clauses = blaster.graph.clauses(root)
    derivation = Derivation(clauses)
    with _told(derivation, enumerate(clauses)) as solver:
        easy = max(EASY, 2 * len(blaster.graph.cone(root)))
        answer = _answer(solver, solver.solve(conflicts=easy), blaster.symbols)
    if answer.status is Status.UNKNOWN:
        left = max(0.001, timeout - (time.perf_counter() - started))
        answer = Child(partial(_sweep_and_solve, blaster, root, derivation)).answer(left)
    return replace(answer, cnf_sha256=cnf_sha256(clauses))


def _sweep_and_solve(
    blaster: Blaster, root: int, derivation: Derivation, conflicts: int = CONFLICTS
) -> Answer:
    return _by_turns(_ways(blaster.graph, root, derivation, conflicts), blaster.symbols)


def _ways(
    graph: Graph, root: int, derivation: Derivation, conflicts: int
) -> Iterator[tuple[Derivation, Numbered]]:
    """What sweeping leaves, which continues the derivation; and all clauses, if that is asked for."""
    reduced = swept(graph, root, derivation, conflicts).clauses
    yield derivation, ((number, clause) for clause, number in reduced)
    clauses = graph.clauses(root)
    yield Derivation(clauses), enumerate(clauses)


def _by_turns(ways: Iterable[tuple[Derivation, Numbered]], symbols: Mapping[str, Bits]) -> Answer:
    """What is found first of sets of clauses that can be satisfied alike, each in its derivation."""
    with ExitStack() as stack:
        turns = _turns(stack.enter_context(_told(*way)) for way in ways)
        answers = (_answer(solver, solver.solve(conflicts=most), symbols) for solver, most in turns)
        return next(answer for answer in answers if answer.decided)


def _turns(solvers: Iterable[TracedSolver]) -> Iterator[tuple[TracedSolver, int]]:
    """Which solver goes on, each made when it is its turn, and how many conflicts it may have."""
    made = []
    for solver in solvers:
        made.append(solver)
        yield solver, TURN
    for turn in count(1):
        yield from ((solver, TURN << turn) for solver in made)


def _told(derivation: Derivation, clauses: Numbered) -> TracedSolver:
    """A solver that knows these clauses."""
    solver = TracedSolver(derivation)
    for number, clause in clauses:
        solver.add(clause, number)
    return solver


def _answer(solver: TracedSolver, satisfiable: bool | None, symbols: Mapping[str, Bits]) -> Answer:
    """What a solver has found, with its proof or model."""
    if satisfiable is None:
        return Answer(Status.UNKNOWN, reason="CaDiCaL gave up")
    if not satisfiable:
        solver.hand_over()
        return Answer(Status.UNSATISFIABLE, proof=solver.derivation.proof())
    # Symbols without which the formula can be decided are immaterial.
    true = solver.true_variables()
    return Answer(Status.SATISFIABLE, {name: model_value(bits, true) for name, bits in symbols.items()})


def engine(name: str) -> Engine:
    """CaDiCaL."""
    settings = " ".join(f"{name}={value}" for name, value in OPTIONS.items())
    sweeping = f"after {EASY} conflicts, or two a node, swept, {CONFLICTS} a question"
    options = f"lrat {settings}; {sweeping}, by turns of {TURN}"
    return Engine(EngineUse(name, "3.0.0", options), _check)
