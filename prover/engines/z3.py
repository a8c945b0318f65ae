"""z3, by a pipeline of tactics for bit-vectors."""

from __future__ import annotations

from collections.abc import Sequence

import z3
from pysmt.environment import get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import And
from pysmt.solvers.z3 import Z3Converter

from spikeproof.prover.engines.engine import Answer, Engine
from spikeproof.prover.evidence.record import EngineUse, Status

_TACTICS = (
    "simplify",
    "propagate-values",
    "solve-eqs",
    "elim-uncnstr",
    "simplify",
    "bit-blast",
    "aig",
    "sat",
)
_TIMED_OUT = {"timeout", "canceled"}
_LONGEST_TIMEOUT = (1 << 32) - 1  # milliseconds; z3 takes more modulo 2^32


def _check(formulas: Sequence[FNode], timeout: float) -> Answer:
    solver = z3.Then(*_TACTICS).solver()
    solver.set("timeout", max(1, min(round(timeout * 1000), _LONGEST_TIMEOUT)))
    solver.add(Z3Converter(get_env(), solver.ctx).convert(And(formulas)))
    status = solver.check()
    if status == z3.unsat:
        return Answer(Status.UNSATISFIABLE)
    if status == z3.sat:
        model = solver.model()
        return Answer(
            Status.SATISFIABLE,
            {declared.name(): _number(model[declared]) for declared in model},
        )
    reason = solver.reason_unknown()
    if reason == "interrupted from keyboard":
        raise KeyboardInterrupt
    return Answer(Status.TIMEOUT if reason in _TIMED_OUT else Status.UNKNOWN, reason=reason)


def _number(value: z3.ExprRef) -> int:
    return int(z3.is_true(value)) if z3.is_bool(value) else value.as_long()


def engine(name: str) -> Engine:
    """The engine."""
    return Engine(EngineUse(name, z3.get_version_string(), " ".join(_TACTICS)), _check)
