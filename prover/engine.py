"""z3 behind one function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import z3
from pysmt.environment import get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import And
from pysmt.solvers.z3 import Z3Converter

NAME = f"z3 {z3.get_version_string()}"

_TIMED_OUT = {"timeout", "canceled"}


class Status(Enum):
    """What the engine makes of a formula."""

    SATISFIABLE = "satisfiable"
    UNSATISFIABLE = "unsatisfiable"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """What the engine says of a conjunction.

    ``model`` gives each symbol's value if it is satisfiable; ``reason`` is the engine's own word if
    it is undecided.
    """

    status: Status
    model: dict[str, int]
    reason: str = ""


def check(formulas: Sequence[FNode], timeout: float) -> Answer:
    """Whether a conjunction of quantifier-free bit-vector formulas can be satisfied.

    Args:
        timeout: seconds, greater than 0.

    Raises:
        z3.Z3Exception: if the engine fails.
    """
    conjunction = And(formulas)
    solver = z3.SolverFor("QF_BV")
    solver.set("timeout", max(1, round(timeout * 1000)))
    solver.add(Z3Converter(get_env(), solver.ctx).convert(conjunction))
    status = solver.check()
    if status == z3.unsat:
        return Answer(Status.UNSATISFIABLE, {})
    if status == z3.sat:
        # Symbols on which nothing depends are absent from the model: any value will do for them.
        model = {symbol.symbol_name(): 0 for symbol in conjunction.get_free_variables()}
        given = solver.model()
        model.update({declared.name(): given[declared].as_long() for declared in given})
        return Answer(Status.SATISFIABLE, model)
    reason = solver.reason_unknown()
    return Answer(Status.TIMEOUT if reason in _TIMED_OUT else Status.UNKNOWN, {}, reason)
