"""CaDiCaL, on our own encoding to clauses; with clausal proofs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import And

from spikeproof.prover.encoding.bitblast import Bits, Blaster, cnf_sha256, model_value
from spikeproof.prover.engines.child import Child
from spikeproof.prover.engines.clausal_proof import OPTIONS, Derivation, TracedSolver
from spikeproof.prover.engines.engine import Answer, Engine
from spikeproof.prover.engines.sweeping import CONFLICTS, swept
from spikeproof.prover.evidence.record import EngineUse, Status

EASY = 1000
"""Conflicts that CaDiCaL may have before the graph is swept: most lemmas need fewer."""


def _check(formulas: Sequence[FNode], timeout: float) -> Answer:
    """CaDiCaL on our clauses; on those that sweeping leaves, if it does not decide them at once."""
    started = time.perf_counter()
    blaster = Blaster()
    root = blaster.literal(And(formulas))
    clauses = blaster.graph.clauses(root)
    derivation = Derivation(clauses)
    answer = _solve(enumerate(clauses), derivation, blaster.symbols, EASY)
    if answer.status is Status.UNKNOWN:
        left = max(0.001, timeout - (time.perf_counter() - started))
        answer = Child(partial(_sweep_and_solve, blaster, root, derivation)).answer(left)
    return replace(answer, cnf_sha256=cnf_sha256(clauses))


def _sweep_and_solve(
    blaster: Blaster, root: int, derivation: Derivation, conflicts: int = CONFLICTS
) -> Answer:
    reduced = swept(blaster.graph, root, derivation, conflicts).clauses
    return _solve(((number, clause) for clause, number in reduced), derivation, blaster.symbols)


def _solve(
    clauses: Iterable[tuple[int, Sequence[int]]],
    derivation: Derivation,
    symbols: Mapping[str, Bits],
    conflicts: int | None = None,
) -> Answer:
    """Whether clauses, with their numbers, can be satisfied; unknown if that takes more conflicts."""
    with TracedSolver(derivation) as solver:
        for number, clause in clauses:
            solver.add(clause, number)
        satisfiable = solver.solve(conflicts=conflicts)
        # Symbols without which the formula can be decided are immaterial.
        true = solver.true_variables() if satisfiable else set()
        if satisfiable is False:
            solver.hand_over()
    if satisfiable is None:
        return Answer(Status.UNKNOWN, reason="CaDiCaL gave up")
    if not satisfiable:
        return Answer(Status.UNSATISFIABLE, proof=derivation.proof())
    return Answer(Status.SATISFIABLE, {name: model_value(bits, true) for name, bits in symbols.items()})


def engine(name: str) -> Engine:
    """CaDiCaL."""
    settings = " ".join(f"{name}={value}" for name, value in OPTIONS.items())
    options = f"lrat {settings}; after {EASY} conflicts swept, {CONFLICTS} a question"
    return Engine(EngineUse(name, "3.0.0", options), _check)
