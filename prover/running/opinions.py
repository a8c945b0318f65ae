"""What engines of other makes say of theorems, put to them as ours are: lemma by lemma, or whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation, Outcome
from spikeproof.prover.engines.opinions import Opinion, remaining
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case


class Verdict(Enum):
    """What an engine's answers come to, beside what is promised."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"
    ERROR = "error"
    ABSENT = "absent"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Second:
    """A second opinion.

    Attributes:
        questions: how many were put.
        seconds: what they took together.
        note: of which question, and why, if it does not agree.
    """

    theorem: str
    engine: str
    verdict: Verdict
    questions: int = 0
    seconds: float = 0.0
    note: str = ""


def questions(obligation: Obligation, whole: bool) -> Mapping[str, Claim]:
    """What is put to an engine, by label: lemmas, or the claim; none if no engine is asked of it.

    A refutation that is promised is asked for whole.
    """
    if not obligation.engines:
        return {}
    case = Case.of(obligation)
    lemmas = {} if whole or obligation.expected is Outcome.REFUTED else case.lemmas()
    return lemmas or {"the theorem": case.claim}


def second_opinions(
    obligation: Obligation, engines: Mapping[str, Opinion | str], timeout: float, whole: bool
) -> Iterator[Second]:
    """What each engine says; one that is absent is given by the reason why.

    Args:
        timeout: seconds for all questions of one engine.
    """
    with passing_formulas():
        asked = questions(obligation, whole)
        for name, engine in engines.items():
            if isinstance(engine, str):
                yield Second(obligation.name, name, Verdict.ABSENT, note=engine)
            elif not asked:
                note = "it is decided by arithmetic or on every input, and no engine is asked"
                yield Second(obligation.name, name, Verdict.NOT_ASKED, note=note)
            else:
                yield _second(obligation, engine, asked, timeout)


def _second(
    obligation: Obligation, engine: Opinion, asked: Mapping[str, Claim], timeout: float
) -> Second:
    """All answers must be the promised one; the first that is none is told, worst first."""
    refuted = obligation.expected is Outcome.REFUTED
    promised = Status.SATISFIABLE if refuted else Status.UNSATISFIABLE
    started = time.perf_counter()
    found: dict[Verdict, str] = {}
    for label, claim in asked.items():
        try:
            answer = engine.ask(claim.negation, remaining(timeout, started))
        except (OSError, RuntimeError, ValueError) as error:
            found.setdefault(Verdict.ERROR, f"{label}: {error}")
            continue
        if answer.status is promised:
            continue
        verdict = Verdict.DISAGREES if answer.decided else Verdict.UNDECIDED
        found.setdefault(verdict, f"{label}: {answer.status.value}")
    worst = (Verdict.DISAGREES, Verdict.ERROR, Verdict.UNDECIDED)
    verdict = next((each for each in worst if each in found), Verdict.AGREES)
    seconds = time.perf_counter() - started
    return Second(obligation.name, engine.name, verdict, len(asked), seconds, found.get(verdict, ""))
