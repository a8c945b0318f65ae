"""The engines behind one function each: z3, Bitwuzla, and CaDiCaL on our own encoding to clauses."""

from __future__ import annotations

import gc
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import cast

import z3
from pysmt.environment import get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import And
from pysmt.solvers.z3 import Z3Converter

from spikeproof.prover.encoding.bitblast import Bits, Blaster, cnf_sha256, model_value
from spikeproof.prover.engines.clausal_proof import OPTIONS, Derivation, TracedSolver
from spikeproof.prover.engines.pool import die_with_parent
from spikeproof.prover.engines.sweeping import CONFLICTS, swept
from spikeproof.prover.evidence.record import EngineUse, LemmaKind

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
    is the engine's own word if it is undecided; ``proof``, if there is none, refutes the clauses of
    ``prover.encoding.bitblast`` for the conjunction, in binary DRAT; ``cnf_sha256`` is of these.
    """

    status: Status
    model: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    proof: bytes | None = None
    cnf_sha256: str | None = None

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""
        return self.status in (Status.SATISFIABLE, Status.UNSATISFIABLE)


@dataclass(frozen=True)
class Engine:
    """Decides conjunctions of quantifier-free bit-vector formulas.

    Attributes:
        use: its name and version, and how it is run.
        check: from formulas and a positive number of seconds, the answer. Raises what the engine
            raises if it fails.
    """

    use: EngineUse
    check: Callable[[Sequence[FNode], float], Answer]

    @property
    def label(self) -> str:
        """Name and version, as shown in results."""
        return self.use.label


def _check_with_z3(formulas: Sequence[FNode], timeout: float) -> Answer:
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


class Child:
    """A process of its own that decides something, since nothing else can stop an engine."""

    def __init__(self, decide: Callable[[], Answer]) -> None:
        self.receiver, sender = get_context("fork").Pipe(duplex=False)
        self._process = get_context("fork").Process(target=_send_answer, args=(decide, sender))
        self.started = time.perf_counter()
        self._process.start()
        sender.close()

    def answer(self, timeout: float = 0) -> Answer:
        """What it says within so many seconds; the process has ended then.

        Raises:
            RuntimeError: if the process died.
            Exception: what the engine raised.
        """
        try:
            if not self.receiver.poll(timeout):
                return Answer(Status.TIMEOUT, reason="timeout")
            answer: Answer | Exception = self.receiver.recv()
        except EOFError:
            raise RuntimeError("the engine's process died; it may have run out of memory") from None
        finally:
            self.end()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """Stop it, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.receiver.close()


def _send_answer(decide: Callable[[], Answer], sender: Connection) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which kills this
    gc.disable()  # this process does one thing, and ends
    try:
        sender.send(decide())
    except Exception as error:
        sender.send(error)


@dataclass(frozen=True)
class Question:
    """A conjunction put to an engine; which of a theorem's lemmas it is about, and what about it."""

    name: str
    kind: LemmaKind
    engine: str
    formulas: Sequence[FNode]


def answers(
    questions: Iterable[Question],
    deadline: float,
    jobs: int = 1,
    known: Callable[[Question], tuple[Answer, float] | None] = lambda question: None,
) -> Iterator[tuple[Question, Answer, float]]:
    """The answers as they come, and the seconds each took; up to ``jobs`` at a time.

    Args:
        deadline: by ``time.perf_counter``.
        known: the answer, and the seconds it once took, to what need not be asked again.
    """
    remaining = deque(questions)
    running: dict[Connection, tuple[Question, Child]] = {}

    def left() -> float:
        return max(0.001, deadline - time.perf_counter())

    try:
        while remaining or running:
            while remaining and len(running) < jobs:
                question, started = remaining.popleft(), time.perf_counter()
                check = engine_named(question.engine).check
                if found := known(question):
                    yield question, *found
                elif jobs == 1:
                    yield question, check(question.formulas, left()), time.perf_counter() - started
                else:
                    child = Child(partial(check, question.formulas, left()))
                    running[child.receiver] = question, child
            if not running:
                continue
            ready = wait(list(running), timeout=left() + 1)
            for receiver in ready or list(running):
                question, child = running.pop(cast(Connection, receiver))
                yield question, child.answer(), time.perf_counter() - child.started
    finally:
        for _, child in running.values():
            child.end()


EASY = 1000
"""Conflicts that CaDiCaL may have before the graph is swept: most lemmas need fewer."""


def _check_with_cadical(formulas: Sequence[FNode], timeout: float, conflicts: int) -> Answer:
    """CaDiCaL on our clauses; on those that sweeping leaves, if it does not decide them at once."""
    started = time.perf_counter()
    blaster = Blaster()
    root = blaster.literal(And(formulas))
    clauses = blaster.graph.clauses(root)
    derivation = Derivation(clauses)
    answer = _solve(enumerate(clauses), derivation, blaster.symbols, EASY)
    if answer.status is Status.UNKNOWN:
        left = max(0.001, timeout - (time.perf_counter() - started))
        answer = Child(partial(_sweep_and_solve, blaster, root, derivation, conflicts)).answer(left)
    return replace(answer, cnf_sha256=cnf_sha256(clauses))


def _sweep_and_solve(blaster: Blaster, root: int, derivation: Derivation, conflicts: int) -> Answer:
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


def _check_with_bitwuzla(formulas: Sequence[FNode], timeout: float) -> Answer:
    return Child(partial(_decide_with_bitwuzla, formulas)).answer(timeout)


def _decide_with_bitwuzla(formulas: Sequence[FNode]) -> Answer:
    from spikeproof.prover.engines import bitwuzla_terms  # an optional dependency

    satisfiable, values = bitwuzla_terms.solve(formulas)
    if satisfiable is None:
        return Answer(Status.UNKNOWN, reason="Bitwuzla gave up")
    return Answer(Status.SATISFIABLE if satisfiable else Status.UNSATISFIABLE, values)


def _cadical(name: str, conflicts: int) -> Engine:
    """CaDiCaL, with so many conflicts for each question of the sweep."""
    settings = " ".join(f"{name}={value}" for name, value in OPTIONS.items())
    options = f"lrat {settings}; after {EASY} conflicts swept, {conflicts} a question"
    return Engine(EngineUse(name, "3.0.0", options), partial(_check_with_cadical, conflicts=conflicts))


CERTIFYING = {"cadical", "cadical_patient"}
"""Names of engines that give a clausal proof with an answer."""

ENGINES: dict[str, Engine] = {
    "z3": Engine(EngineUse("z3", z3.get_version_string(), " ".join(_TACTICS)), _check_with_z3),
    "cadical": _cadical("cadical", CONFLICTS),
    "cadical_patient": _cadical("cadical_patient", 5 * CONFLICTS),
}
"""The engines by name; Bitwuzla among them if it is installed."""

OPTIONAL = {"bitwuzla"}
"""Names of engines that are also packages, and extras of ours, and need not be installed."""

if find_spec("bitwuzla"):
    ENGINES["bitwuzla"] = Engine(EngineUse("bitwuzla", version("bitwuzla"), ""), _check_with_bitwuzla)


class EngineError(LookupError):
    """There is no such engine; the message says why, and what to do."""


def engine_named(name: str) -> Engine:
    """The engine of a name.

    Raises:
        EngineError: if there is none, or it is not installed.
    """
    if name in ENGINES:
        return ENGINES[name]
    if name in OPTIONAL:
        raise EngineError(f"engine {name!r} is not installed: pip install 'spikeproof[{name}]'")
    raise EngineError(f"no engine is named {name!r}; there are {', '.join(sorted(ENGINES))}")
