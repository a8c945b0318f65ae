"""The engines behind one function each: z3, and CaDiCaL on our own encoding to clauses."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing import get_context
from multiprocessing.connection import Connection

import z3
from pysat.solvers import Cadical195
from pysmt.environment import get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import And
from pysmt.solvers.z3 import Z3Converter

from prover.bitblast import Blaster, model_value

_TIMED_OUT = {"timeout", "canceled"}
_LONGEST_TIMEOUT = (1 << 32) - 1  # milliseconds; z3 takes more modulo 2^32


class Status(Enum):
    """What an engine makes of a formula."""

    SATISFIABLE = "satisfiable"
    UNSATISFIABLE = "unsatisfiable"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """What an engine says of a conjunction.

    ``model`` gives the symbols' values if it is satisfiable, all others being immaterial; ``reason``
    is the engine's own word if it is undecided.
    """

    status: Status
    model: dict[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Engine:
    """Decides conjunctions of quantifier-free bit-vector formulas.

    Attributes:
        label: name and version, as shown in results.
        check: from formulas and a positive number of seconds, the answer. Raises what the engine
            raises if it fails.
    """

    label: str
    check: Callable[[Sequence[FNode], float], Answer]


def _check_with_z3(formulas: Sequence[FNode], timeout: float) -> Answer:
    solver = z3.Then("simplify", "propagate-values", "bit-blast", "sat").solver()
    solver.set("timeout", max(1, min(round(timeout * 1000), _LONGEST_TIMEOUT)))
    solver.add(Z3Converter(get_env(), solver.ctx).convert(And(formulas)))
    status = solver.check()
    if status == z3.unsat:
        return Answer(Status.UNSATISFIABLE)
    if status == z3.sat:
        model = solver.model()
        return Answer(
            Status.SATISFIABLE,
            {declared.name(): model[declared].as_long() for declared in model},
        )
    reason = solver.reason_unknown()
    if reason == "interrupted from keyboard":
        raise KeyboardInterrupt
    return Answer(Status.TIMEOUT if reason in _TIMED_OUT else Status.UNKNOWN, reason=reason)


def _solve_clauses(clauses: list[list[int]], answer: Connection) -> None:
    _die_with_parent()
    with Cadical195(bootstrap_with=clauses) as solver:
        satisfiable = solver.solve()
        answer.send((satisfiable, solver.get_model()))


def _die_with_parent() -> None:
    """Have this process killed when its parent ends, however that ends; Linux only."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _check_with_cadical(formulas: Sequence[FNode], timeout: float) -> Answer:
    """CaDiCaL in a process of its own, since nothing else can stop it."""
    blaster = Blaster()
    clauses = blaster.graph.clauses(blaster.literal(And(formulas)))
    receiver, sender = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_solve_clauses, args=(clauses, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(timeout):
            return Answer(Status.TIMEOUT, reason="timeout")
        satisfiable, model = receiver.recv()
    except EOFError:
        raise RuntimeError("the CaDiCaL process died; it may have run out of memory") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if satisfiable is None:
        return Answer(Status.UNKNOWN, reason="CaDiCaL gave up")
    if not satisfiable:
        return Answer(Status.UNSATISFIABLE)
    true = {variable for variable in model if variable > 0}
    values = {name: model_value(bits, true) for name, bits in blaster.symbols.items()}
    return Answer(Status.SATISFIABLE, values)


ENGINES: dict[str, Engine] = {
    "z3": Engine(f"z3 {z3.get_version_string()}", _check_with_z3),
    "cadical": Engine("cadical 1.9.5", _check_with_cadical),
}
"""The engines by name."""
