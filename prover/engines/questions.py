"""Questions put to engines, several at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import cast

from pysmt.fnode import FNode

from spikeproof.prover.engines.child import Child
from spikeproof.prover.engines.engine import Answer, engine_named
from spikeproof.prover.evidence.record import LemmaKind, Status

LEAST = 0.01
"""With fewer seconds left nothing is asked: z3 was seen not to end that was given a thousandth."""


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
                elif left() < LEAST:
                    yield question, Answer(Status.TIMEOUT, reason="timeout"), 0.0
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
