"""The ledger: every theorem that this project promises, and what evidence of it a run must have.

It is a file of its own, so that no theorem vanishes, or is promised on less evidence, unless that file
changes too. ``differences`` compares it with the obligations as they are stated, ``unfulfilled`` with
the records of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from spikeproof.circuits.netlist import OneLineError
from spikeproof.prover.claims.obligation import CERTIFYING, Obligation, Outcome, Profile
from spikeproof.prover.evidence.record import Lemma, Record, Status

HEADER = ("theorem", "profile", "expected", "evidence", "statement")

WHOLE, LEMMAS, CASES = "whole", "lemmas", "cases"
"""How a theorem is put to the engines: as it is, by steps on its way, or by cases of its inputs."""

EVALUATED, CONGRUENCE, BOUND, BEARING = "every input", "congruence", "bound", "bearing"
"""Or that it is not, but evaluated on every input; or follows from theorems about a program's units, or
from a bound on a circuit's errors, or from what its neurons bear."""

ALONE = {
    EVALUATED: "evaluating every input",
    CONGRUENCE: "congruence",
    BOUND: "a bound",
    BEARING: "sums of neurons",
}
"""These ways, as they are called."""

CLAUSAL, MODEL, TELESCOPING = "drat", "model", "telescoping"


class LedgerError(OneLineError, ValueError):
    """There is no ledger, or it cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Evidence:
    """What a record must have, for a promise to be kept.

    Attributes:
        engines: each must answer every lemma that is not settled by algebra, and as is needed.
        way: ``whole``, ``lemmas`` or ``cases``, what was proved whole need not have been split; or
            ``every input``, without engines or certificates; or ``congruence``, ``bound`` or
            ``bearing``, without engines.
        certificate: the kind that every lemma which is a claim must have; empty for none.
    """

    engines: tuple[str, ...]
    way: str
    certificate: str

    @classmethod
    def of(cls, obligation: Obligation) -> Evidence:
        """What is to be had of an obligation."""
        if not obligation.engines:
            ways = {
                EVALUATED: obligation.evaluated,
                BOUND: obligation.bounded,
                BEARING: obligation.borne,
                CONGRUENCE: obligation.rests_on is not None,
            }
            return cls((), next(way for way, is_its in ways.items() if is_its), "")
        way = CASES if obligation.cases else LEMMAS if obligation.decomposition else WHOLE
        proof = CLAUSAL if CERTIFYING.intersection(obligation.engines) else ""
        certificate = proof if obligation.expected is Outcome.PROVED else MODEL
        return cls(tuple(sorted(obligation.engines)), way, certificate)

    def __str__(self) -> str:
        return ", ".join(filter(None, ("+".join(self.engines), self.way, self.certificate)))

    @classmethod
    def read(cls, text: str) -> Evidence:
        """The inverse of ``str``.

        Raises:
            ValueError: if the text is no such thing.
        """
        if text in ALONE:
            return cls((), text, "")
        engines, way, *certificate = text.split(", ")
        if way not in (WHOLE, LEMMAS, CASES) or len(certificate) > 1:
            raise ValueError(f"{text!r} is no evidence")
        return cls(tuple(engines.split("+")), way, "".join(certificate))


@dataclass(frozen=True)
class Promise:
    """One line of the ledger."""

    theorem: str
    profile: Profile
    expected: Outcome
    evidence: Evidence
    statement: str

    @classmethod
    def of(cls, obligation: Obligation) -> Promise:
        """What an obligation promises."""
        evidence = Evidence.of(obligation)
        return cls(
            obligation.name, obligation.profile, obligation.expected, evidence, obligation.statement
        )

    @classmethod
    def read(cls, line: str) -> Promise:
        """A promise from its line.

        Raises:
            ValueError: if the line is no promise.
        """
        theorem, profile, expected, evidence, statement = line.split("\t")
        if Outcome(expected) not in (Outcome.PROVED, Outcome.REFUTED):
            raise ValueError(f"{expected!r} is nothing to promise")
        return cls(theorem, Profile(profile), Outcome(expected), Evidence.read(evidence), statement)

    @property
    def fields(self) -> dict[str, str]:
        """What its line says, by the headings."""
        said = (
            self.theorem,
            self.profile.value,
            self.expected.value,
            str(self.evidence),
            self.statement,
        )
        return dict(zip(HEADER, said, strict=True))


Ledger = Mapping[str, Promise]
"""Promises by theorem, in the order of the catalogue."""


# --- the file -----------------------------------------------------------------------------------


def ledger_path() -> Path:
    """Where this project's ledger is: among its proofs, which nothing here may import."""
    return Path(str(files("spikeproof.proofs") / "ledger.tsv"))


def read(path: Path) -> dict[str, Promise]:
    """The ledger in a file.

    Raises:
        LedgerError: if there is none, or it cannot be read.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LedgerError(f"cannot read the ledger {path}: {error.strerror}; {_ADVICE}") from None
    except ValueError:
        raise LedgerError(f"{path} is no ledger; {_ADVICE}") from None
    if header.split("\t") != list(HEADER):
        raise LedgerError(f"{path} has other headings than {', '.join(HEADER)}; {_ADVICE}")
    ledger: dict[str, Promise] = {}
    for number, line in enumerate(lines, start=2):
        try:
            promise = Promise.read(line)
        except ValueError:
            raise LedgerError(f"{path}, line {number}: {line!r} is no promise; {_ADVICE}") from None
        if promise.theorem in ledger:
            raise LedgerError(f"{path}, line {number}: {promise.theorem} is there twice; {_ADVICE}")
        ledger[promise.theorem] = promise
    return ledger


def promises(obligations: Iterable[Obligation]) -> dict[str, Promise]:
    """What obligations promise, by theorem."""
    return {obligation.name: Promise.of(obligation) for obligation in obligations}


def written(obligations: Iterable[Obligation]) -> str:
    """The ledger of obligations, as the text of a file."""
    rows = (promise.fields.values() for promise in promises(obligations).values())
    return "".join("\t".join(row) + "\n" for row in (HEADER, *rows))


# --- against the obligations --------------------------------------------------------------------

_ADVICE = "if that is meant, run `spikeproof ledger --write`"


def differences(ledger: Ledger, obligations: Iterable[Obligation]) -> list[str]:
    """In what the ledger is not that of the obligations, a line each; empty if it is."""
    stated = promises(obligations)
    missing = [f"{theorem} is stated, but not promised" for theorem in stated if theorem not in ledger]
    lost = [f"{theorem} is promised, but not stated" for theorem in ledger if theorem not in stated]
    changed = [
        f"{theorem} is stated with {what} {now!r}, but promised with {before!r}"
        for theorem, promise in ledger.items()
        if theorem in stated
        for what, now, before in _changes(stated[theorem], promise)
    ]
    found = [*missing, *lost, *changed]
    if not found and list(ledger) != list(stated):
        found = ["the ledger is in another order than the theorems are stated"]
    return [f"{line}; {_ADVICE}" for line in found]


def _changes(stated: Promise, promised: Promise) -> Iterator[tuple[str, str, str]]:
    before = promised.fields
    for what, now in stated.fields.items():
        if now != before[what]:
            yield what, now, before[what]


# --- against the records of a run ---------------------------------------------------------------


def unfulfilled(ledger: Ledger, records: Iterable[Record], *, wide: bool, whole: bool) -> list[str]:
    """What of the ledger a run leaves open, and what it proved without a promise; a line each.

    Args:
        wide: whether the wide profile was run too.
        whole: whether all of the profile was run; if only a part was, nothing is missed.
    """
    found = list(records)
    recorded = {record.theorem for record in found}
    missing = [
        f"{theorem} is promised, but there is no record of it"
        for theorem, promise in ledger.items()
        if whole and (wide or promise.profile is Profile.DEFAULT) and theorem not in recorded
    ]
    broken = (line for record in found for line in _shortcomings(ledger, record))
    return [*missing, *broken]


def _shortcomings(ledger: Ledger, record: Record) -> Iterator[str]:
    """Why a record does not keep the promise of its theorem."""
    promise = ledger.get(record.theorem)
    if promise is None:
        yield f"{record.theorem} is not promised; {_ADVICE}"
        return
    for what, said, promised in (
        ("statement", record.statement, promise.statement),
        ("expected outcome", record.expected.value, promise.expected.value),
    ):
        if said != promised:
            yield f"{record.theorem} has the {what} {said!r}, but promised is {promised!r}"
    if record.outcome is not promise.expected:
        yield f"{record.theorem} is promised to be {promise.expected.value}: {record.outcome.value}"
        return
    for lack in _lacks(promise, record):
        yield f"{record.theorem} lacks evidence: {lack}"


def _lacks(promise: Promise, record: Record) -> Iterator[str]:
    """What evidence a record of the promised outcome does not have."""
    if promise.evidence.way in ALONE:
        kinds = [promise.evidence.way] if promise.expected is Outcome.PROVED else []
        if [lemma.kind for lemma in record.lemmas] != kinds:
            yield f"it was not decided by {ALONE[promise.evidence.way]}, which is promised"
        return
    if not any(lemma.kind == "claim" for lemma in record.lemmas):
        yield "no lemma was put to an engine"
    if promise.evidence.way == WHOLE and record.composed:
        yield "it was put to the engines by lemmas, but promised is whole"
    names = {engine.label: engine.name for engine in record.engines}
    for lemma in record.lemmas:
        for lack in _lacks_of_lemma(promise, lemma, names):
            yield f"lemma {lemma.name!r} {lack}"


def _lacks_of_lemma(promise: Promise, lemma: Lemma, names: Mapping[str, str]) -> Iterator[str]:
    """What a lemma lacks; ``names`` are those of engines by their labels."""
    needed, certificate = _needs(promise, lemma)
    if certificate and certificate not in {each.kind for each in lemma.certificates}:
        yield f"has no {certificate} certificate"
    if lemma.kind in ("algebra", "every input"):
        return
    said = [(names.get(reply.engine, reply.engine), reply.status) for reply in lemma.replies]
    silent = (engine for engine in promise.evidence.engines if engine not in dict(said))
    for engine, status in (*said, *((engine, "no answer") for engine in silent)):
        if status != needed.value:
            yield f"is to be {needed.value}; {engine}: {status}"


def _needs(promise: Promise, lemma: Lemma) -> tuple[Status, str]:
    """The answer that a lemma needs, and the kind of certificate."""
    if lemma.kind == "assumptions":
        return Status.SATISFIABLE, MODEL if promise.evidence.certificate else ""
    if lemma.kind == "algebra":
        return Status.UNSATISFIABLE, TELESCOPING
    if lemma.kind == "every input":  # of a circuit that was given: the ledger's own have certificates
        return Status.UNSATISFIABLE, promise.evidence.certificate
    proved = promise.expected is Outcome.PROVED
    return Status.UNSATISFIABLE if proved else Status.SATISFIABLE, promise.evidence.certificate
