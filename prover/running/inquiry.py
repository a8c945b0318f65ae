"""What is asked about one theorem: questions to engines, and what these say, kept as evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from pysmt.fnode import FNode

from spikeproof.prover.encoding.smtlib import script
from spikeproof.prover.engines.engine import Answer, engine_named
from spikeproof.prover.engines.questions import Question, answers
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.log import Log
from spikeproof.prover.evidence.record import (
    Certificate,
    CertificateKind,
    Lemma,
    LemmaKind,
    Reply,
    Status,
)
from spikeproof.prover.evidence.source import engines_sha256


@dataclass(frozen=True)
class Keeping:
    """Where evidence is kept, and looked up.

    Attributes:
        archive: takes certificates; without one they only get their names.
        cache: of answers, if any.
        log: takes what enumerations come to, if any.
    """

    archive: Archive | None = None
    cache: Cache | None = None
    log: Log | None = None

    def keep(self, kind: CertificateKind, content: bytes) -> Certificate:
        """Keep a certificate.

        Raises:
            StorageError: if it cannot be written.
        """
        return self.archive.keep(kind, content) if self.archive else Certificate.of(kind, content)

    def adopt(self, certificate: Certificate) -> bool:
        """Keep a certificate that the cache has; False if it is not sound there."""
        if not self.cache or not self.cache.archive.holds(certificate):
            return False
        if self.archive and self.archive != self.cache.archive:
            self.archive.adopt(certificate, self.cache.archive)
        return True


@dataclass(frozen=True)
class Said:
    """What an engine said of a question, as it is filed and cached."""

    status: Status
    model: dict[str, int]
    seconds: float
    cnf_sha256: str | None
    certificates: tuple[Certificate, ...]


@dataclass
class _File:
    """One question, and the replies to it so far, by engine."""

    script: str
    replies: dict[str, Said] = field(default_factory=dict)


class Inquiry:
    """The questions about one theorem, and the evidence that comes of them."""

    def __init__(
        self,
        engines: Sequence[str],
        keeping: Keeping,
        said: dict[str, Said] | None = None,
        needed: Collection[str] | None = None,
    ) -> None:
        """Begin one.

        Args:
            said: what engines have answered other inquiries with this keeping; it is continued.
            needed: the engines of which it is filed too that they are undecided; all, unless told.
        """
        self._engines = engines
        self._needed = engines if needed is None else needed
        self._said = {} if said is None else said
        self._keeping = keeping
        self._files: dict[tuple[str, LemmaKind], _File] = {}
        self._algebra: list[Lemma] = []

    def questions(self, name: str, kind: LemmaKind, formulas: Sequence[FNode]) -> list[Question]:
        """The questions, one to each engine, whether formulas can be satisfied together."""
        self._files[name, kind] = _File(script(formulas))
        return [Question(name, kind, engine, formulas) for engine in self._engines]

    def settle(self, name: str, kind: CertificateKind, content: bytes) -> None:
        """File what is shown by algebra, with its certificate."""
        certificate = self._keeping.keep(kind, content)
        self._algebra.append(Lemma(name, "algebra", None, None, (), (certificate,)))

    def answers(
        self, questions: Iterable[Question], deadline: float, jobs: int = 1
    ) -> Iterator[tuple[Question, Answer]]:
        """The answers as they come; see ``prover.engines.engine.answers``."""
        for question, answer, seconds in answers(questions, deadline, jobs, self._known):
            file = self._files[question.name, question.kind]
            if question.engine not in file.replies and (
                answer.decided or question.engine in self._needed
            ):
                file.replies[question.engine] = reply = self._reply(question, answer, seconds)
                if answer.decided:
                    self._said[_key(question, file)] = reply
                if self._keeping.cache and answer.decided:
                    self._keeping.cache.keep_answer(_key(question, file), msgspec.json.encode(reply))
            yield question, answer

    def lemmas(self) -> tuple[Lemma, ...]:
        """All that was asked and settled."""
        return (*self._algebra, *(self._lemma(*key, file) for key, file in self._files.items()))

    def _known(self, question: Question) -> tuple[Answer, float] | None:
        """What was said before, or what the cache has, which is then filed."""
        cache, file = self._keeping.cache, self._files[question.name, question.kind]
        reply = self._said.get(_key(question, file))
        if reply is None:
            content = cache.answer(_key(question, file)) if cache else None
            if content is None:
                return None
            reply = msgspec.json.decode(content, type=Said)
            if not all(self._keeping.adopt(certificate) for certificate in reply.certificates):
                return None
        file.replies[question.engine] = reply
        return Answer(reply.status, reply.model), reply.seconds

    def _reply(self, question: Question, answer: Answer, seconds: float) -> Said:
        """An answer, its certificates kept."""
        certificates: list[tuple[CertificateKind, bytes]] = []
        if answer.proof is not None:
            certificates.append(("drat", answer.proof))
        else:
            certificates.append(("smtlib", self._files[question.name, question.kind].script.encode()))
        if answer.status is Status.SATISFIABLE:
            certificates.append(("model", json.dumps(answer.model, sort_keys=True).encode()))
        return Said(
            answer.status,
            answer.model,
            round(seconds, 4),
            answer.cnf_sha256,
            tuple(self._keeping.keep(kind, content) for kind, content in certificates),
        )

    def _lemma(self, name: str, kind: LemmaKind, file: _File) -> Lemma:
        replies = {each: file.replies[each] for each in self._engines if each in file.replies}
        certificates = (each for reply in replies.values() for each in reply.certificates)
        return Lemma(
            name=name,
            kind=kind,
            formula_sha256=hashlib.sha256(file.script.encode()).hexdigest(),
            cnf_sha256=next((r.cnf_sha256 for r in replies.values() if r.cnf_sha256), None),
            replies=tuple(
                Reply(engine_named(engine).label, reply.status.value, reply.seconds)
                for engine, reply in replies.items()
            ),
            certificates=tuple(dict.fromkeys(certificates)),
        )


def _key(question: Question, file: _File) -> str:
    """All that an answer depends on."""
    use = engine_named(question.engine).use
    parts = (engines_sha256(), use.name, use.version, use.options, question.kind, file.script)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
