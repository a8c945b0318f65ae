"""Records checked again, by whoever trusts none of our solvers.

Netlist, spec, lemmas and clauses are derived from the source anew, and must be those that the record
names; then every clausal proof is put to an independent checker, every model evaluated, every log of
algebra added up, every counterexample replayed. No engine is asked, no seal or cache believed. Where a
circuit that was given is cut is in the log too, and is checked as if the circuit said so itself.

A refutation that nobody promised, of a circuit that was given or of somebody's own claim, is evidence
too: it is verified like one that was promised. What is undecided is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pysmt.fnode import FNode
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import carry_save
from spikeproof.circuits.meanings.in_a_row import interpreted
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.netlist import Netlist, NetlistError
from spikeproof.prover.checking.checkers import CHECKERS, CheckError
from spikeproof.prover.checking.every_block import require_true_of_every_block
from spikeproof.prover.checking.every_input import EveryInputError, require_true_of_every_input
from spikeproof.prover.checking.replays import replays, value_of
from spikeproof.prover.claims.announced import PROJECT
from spikeproof.prover.claims.blocked import BlockTable
from spikeproof.prover.claims.borne import BorneClaim
from spikeproof.prover.claims.bounded import BoundedClaim
from spikeproof.prover.claims.catalogue import stated
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import FAMILY, GivenClaim, given_claim
from spikeproof.prover.claims.obligation import Claim, Outcome, StatementError, require_same_buses
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.bitblast import Blaster, cnf_sha256
from spikeproof.prover.encoding.smtlib import script_sha256, spec_sha256
from spikeproof.prover.evidence.archive import Archive, CertificateError
from spikeproof.prover.evidence.record import (
    CertificateKind,
    Lemma,
    LemmaKind,
    Record,
    Size,
    Status,
    blank_record,
)
from spikeproof.prover.kernel.annotation import AnnotationError, Annotations
from spikeproof.prover.kernel.bearing import BearingError, bearing_certificate
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.cells import AlgebraError
from spikeproof.prover.kernel.composition import CompositionError
from spikeproof.prover.kernel.congruence import CongruenceError
from spikeproof.prover.kernel.programs import program_certificate

Proof = tuple[str, str]
"""The SHA-256 of clauses, and that of the proof that refutes them."""

AboutUnit = tuple[str, str]
"""A theorem, and the SHA-256 of the netlist of which it is proved."""


class RefusalError(Exception):
    """What a record says does not hold, or not of this source; the message says why."""


OF_USE: dict[LemmaKind, tuple[CertificateKind, ...]] = {
    "claim": ("drat", "smtlib"),
    "assumptions": ("model", "smtlib"),
    "algebra": ("telescoping",),
    "bearing": ("bearing",),
    "bound": ("bound",),
    "congruence": ("program",),
    "every input": (),
}
"""What speaks for each kind of lemma."""

REASONS = (
    RefusalError,
    EveryInputError,
    ProgramError,
    AlgebraError,
    AnnotationError,
    BearingError,
    BoundError,
    CertificateError,
    CheckError,
    CompositionError,
    CongruenceError,
    NetlistError,
    StatementError,
)
"""All that can speak against a record."""


@dataclass(frozen=True)
class Verification:
    """What became of checking a record.

    Attributes:
        refusal: why it is not believed; empty if it is.
        checked: proofs that were accepted.
        elsewhere: proofs that it rests on, and that were left to another process to check.
        proves: what it proves, of the theorem's own circuit; None if that is not so.
        rests_on: what other records have to prove for it.
    """

    theorem: str
    refusal: str = ""
    checked: frozenset[Proof] = frozenset()
    elsewhere: frozenset[Proof] = frozenset()
    proves: AboutUnit | None = None
    rests_on: frozenset[AboutUnit] = frozenset()


@dataclass(frozen=True)
class Verifier:
    """How records are checked.

    Attributes:
        archive: of their certificates.
        checkers: of clausal proofs, names in ``prover.checking.checkers.CHECKERS``; each must accept.
        circuit: that was given instead of the theorems' own, if any.
        claims: a directory in which processes say which proof they check, so that no two check one.
        given: the claim that was given with the circuit, if any.
    """

    archive: Archive
    checkers: tuple[str, ...] = ("dratify",)
    circuit: Netlist | None = None
    claims: Path | None = None
    given: GivenClaim | None = None

    def verify(self, record: Record) -> Verification:
        """Check a record."""
        check = _Check(self, record)
        try:
            with passing_formulas():
                check.run()
        except Exception as error:  # whatever a forged record makes fail is no reason to believe it
            reason = str(error) if isinstance(error, REASONS) else f"{type(error).__name__}: {error}"
            return Verification(record.theorem, reason, frozenset(check.checked))
        return Verification(
            record.theorem,
            "",
            frozenset(check.checked),
            frozenset(check.elsewhere),
            _proved_of_unit(record),
            frozenset(check.rests_on),
        )


def _proved_of_unit(record: Record) -> AboutUnit | None:
    if record.outcome is not Outcome.PROVED or record.circuit_sha256 or not record.netlist:
        return None
    return record.theorem, record.netlist.sha256


def conclusions(verifications: Iterable[Verification]) -> list[Verification]:
    """What becomes of each, when it is known of every proof, and of every theorem, whether it holds."""
    found = list(verifications)
    accepted = frozenset[Proof]().union(*(each.checked for each in found))
    found = [
        each
        if each.refusal or each.elsewhere <= accepted
        else replace(each, refusal="a clausal proof that it shares with other theorems is not accepted")
        for each in found
    ]
    proved = {each.proves for each in found if not each.refusal}
    return [_concluded(each, sorted(each.rests_on - proved)) for each in found]


def _concluded(verification: Verification, missing: Sequence[AboutUnit]) -> Verification:
    """What becomes of one of which some theorems that it rests on are not proved."""
    if verification.refusal or not missing:
        return verification
    theorem, netlist = missing[0]
    reason = f"it rests on {theorem}, of which no record here is proved of the netlist {netlist[:12]}"
    return replace(verification, refusal=reason)


@dataclass
class _Check:
    """One record under examination."""

    verifier: Verifier
    record: Record
    checked: set[Proof] = field(default_factory=set)
    elsewhere: set[Proof] = field(default_factory=set)
    rests_on: set[AboutUnit] = field(default_factory=set)

    def run(self) -> None:
        """Raise what speaks against the record, if anything does."""
        case = self._case()
        if not self.record.green and not self.record.refutes:
            promised = self.record.expected.value
            raise RefusalError(f"it is {self.record.outcome.value}, but {promised} was promised")
        if self.record.outcome is Outcome.PROVED:
            if self.record.counterexample is not None:
                raise RefusalError("it is proved, and has a counterexample")
            self._check_proved(case)
        else:
            self._check_refuted(case)

    def _case(self) -> Case:
        """The theorem as this source states it, which must be as the record says."""
        record, circuit = self.record, self.verifier.circuit
        obligation = given_claim(record.theorem, self.verifier.given) or stated(record.theorem)
        if obligation is None and record.parameters.get("family") == FAMILY:
            raise RefusalError("it is about a claim that was given: name that file with --claim")
        if obligation is None:
            raise RefusalError(f"no theorem of that name is stated here, by {record.package or PROJECT}")
        if record.circuit_sha256 and circuit is None:
            raise RefusalError("it is about a circuit that was given instead: name that with --circuit")
        if circuit is not None and record.circuit_sha256 is None:
            raise RefusalError("it is about the theorem's own circuit: leave out --circuit")
        if record.circuit_sha256 != (circuit.sha256 if circuit else None):
            raise RefusalError("it is about another circuit than that given with --circuit")
        if circuit is not None:
            require_same_buses(obligation, circuit)
        case = Case.of(obligation, circuit, self._annotations())
        blank = blank_record(obligation, record.timeout, circuit)
        for what, now, then in (
            ("package", blank.package, record.package),
            ("source", blank.source_sha256, record.source_sha256),
            ("statement", blank.statement, record.statement),
            ("seed", blank.seed, record.seed),
            ("promised outcome", blank.expected, record.expected),
            ("parameters", dict(blank.parameters), dict(record.parameters)),
            ("list of notes", case.netlist.notes if case.netlist else (), record.notes),
            ("netlist", Size.of(case.netlist) if case.netlist else None, record.netlist),
            ("spec", spec_sha256(case.claim), record.spec_sha256),
        ):
            if now != then:
                here, there = _shown(now), _shown(then)
                raise RefusalError(f"the {what} differs: here {here}, in the record {there}")
        return case

    def _annotations(self) -> Annotations | None:
        """What was found in the circuit; what is said there is checked as if the circuit said it."""
        kept = self.record.strategy.annotations if self.record.strategy else None
        if kept is None:
            return None
        if self.record.circuit_sha256 is None:
            raise RefusalError("it has annotations, which the theorem's own circuit does not need")
        if kept.kind != "annotations":
            raise RefusalError(f"its annotations are a {kept.kind} certificate")
        return Annotations.read(self.verifier.archive.content(kept))

    def _check_refuted(self, case: Case) -> None:
        inputs = self.record.counterexample
        if inputs is None or set(inputs) != set(case.claim.inputs):
            raise RefusalError("it has no counterexample, or one of other inputs")
        if not replays(case.netlist, case.claim, inputs):
            raise RefusalError("the counterexample does not replay")
        for certificate in self.record.certificates:  # it needs none, but what it names is to be there
            self.verifier.archive.content(certificate)

    def _check_proved(self, case: Case) -> None:
        """Every lemma that makes up the claim is there, and holds."""
        if isinstance(case.claim, ProgramClaim):
            self._check_program(case.claim)
            return
        if isinstance(case.claim, BoundedClaim):
            self._check_bound(case.claim)
            return
        if isinstance(case.claim, BorneClaim):
            self._check_bearing(case.claim)
            return
        lemmas = {(lemma.name, lemma.kind): lemma for lemma in self.record.lemmas}
        if case.tabulated or (self.record.theorem, "every input") in lemmas:
            self._check_every_input(case)
            return
        whole = {self.record.theorem: case.claim}
        claims = whole if (self.record.theorem, "claim") in lemmas else case.lemmas() or whole
        needed: dict[tuple[str, LemmaKind], Claim | None] = {}
        for name, claim in claims.items():
            if claim.assumptions:
                needed[name, "assumptions"] = claim
            needed[name, "claim"] = claim
        for label in () if claims is whole else case.steps_with_logs():
            needed[label, "algebra"] = None
        if missing := needed.keys() - lemmas.keys():
            raise RefusalError(f"a lemma is missing: {_named(missing)}")
        if len(needed) < len(self.record.lemmas):
            strange = _named(lemmas.keys() - needed.keys()) or "one is there twice"
            raise RefusalError(f"a lemma is none of the theorem's: {strange}")
        for key, subject in needed.items():
            try:
                self._check_scripts(lemmas[key])
                if subject is None:
                    _require_no_question(lemmas[key])
                    case.check_algebra(key[0], self._certificate(lemmas[key], "telescoping"))
                elif key[1] == "assumptions":
                    self._check_assumptions(lemmas[key], subject)
                else:
                    self._check_claim(lemmas[key], subject)
            except REASONS as error:
                raise RefusalError(f"{_named([key])}: {error}") from None

    def _check_program(self, claim: ProgramClaim) -> None:
        """It is the spec's, if its units are proved; that they are, other records have to say."""
        lemma = self._only_lemma("congruence")
        if self._certificate(lemma, "program") != program_certificate(claim):
            raise RefusalError("its certificate is of other programs, or other units, than are here")
        self.rests_on |= {(name, unit.netlist.sha256) for name, unit in claim.units.items()}

    def _check_bound(self, claim: BoundedClaim) -> None:
        """All of it is done again."""
        lemma = self._only_lemma("bound")
        if self._certificate(lemma, "bound") != bound_certificate(claim):
            raise RefusalError("its certificate is of another circuit, claim or error than are here")

    def _check_bearing(self, claim: BorneClaim) -> None:
        """All of it is done again."""
        lemma = self._only_lemma("bearing")
        if self._certificate(lemma, "bearing") != bearing_certificate(claim):
            raise RefusalError("its certificate is of other neurons, or another circuit, than are here")

    def _only_lemma(self, kind: LemmaKind) -> Lemma:
        """The lemma that a theorem is shown by alone, of which no engine was asked."""
        if [(each.name, each.kind) for each in self.record.lemmas] != [(self.record.theorem, kind)]:
            raise RefusalError(f"it is shown by {kind}, which is one lemma, alone")
        (lemma,) = self.record.lemmas
        self._check_scripts(lemma)
        _require_no_question(lemma)
        return lemma

    def _check_every_input(self, case: Case) -> None:
        """A claim about a table, or of a circuit that was given, evaluated again.

        The circuit that is compared with a table is evaluated by other means than when it was proved.
        """
        if case.own and not case.tabulated:
            raise RefusalError("only of a circuit that was given every input is evaluated, alone")
        if [(each.name, each.kind) for each in self.record.lemmas] != [
            (self.record.theorem, "every input")
        ]:
            raise RefusalError("it is shown by evaluating every input, which is one lemma, alone")
        lemma = self.record.lemmas[0]
        if lemma.certificates or lemma.replies or lemma.cnf_sha256:
            raise RefusalError("it says that an engine was asked, which evaluation does not need")
        if isinstance(case.claim, TabulatedClaim) and isinstance(case.claim.table, BlockTable):
            expected = require_true_of_every_block(case.claim, case.claim.table, interpreted)
            if lemma.formula_sha256 != expected:
                raise RefusalError("what is expected differs: this source has other results")
            return
        if lemma.formula_sha256 != (None if case.tabulated else script_sha256(case.claim.negation)):
            raise RefusalError("the formula differs: this source states another")
        require_true_of_every_input(case.claim, carry_save.evaluate)

    def _check_scripts(self, lemma: Lemma) -> None:
        """The scripts that solvers were given are there, and ask what the lemma says."""
        for certificate in lemma.certificates:
            if certificate.kind not in OF_USE[lemma.kind]:
                raise RefusalError(f"it has a {certificate.kind} certificate, which says nothing of it")
            if certificate.kind == "smtlib":
                self.verifier.archive.content(certificate)
                if certificate.sha256 != lemma.formula_sha256:
                    raise RefusalError("the script that an engine was given is of another formula")

    def _certificate(self, lemma: Lemma, kind: CertificateKind) -> bytes:
        for certificate in lemma.certificates:
            if certificate.kind == kind:
                return self.verifier.archive.content(certificate)
        raise RefusalError(f"it has no {kind} certificate, and without it only an engine could tell")

    def _check_assumptions(self, lemma: Lemma, claim: Claim) -> None:
        """Some values satisfy them."""
        _require_question(lemma, claim.assumptions, Status.SATISFIABLE)
        if lemma.cnf_sha256 not in (None, cnf_sha256(Blaster().clauses(claim.assumptions))):
            raise RefusalError("the clauses differ: the encoder gives others here")
        try:
            model = json.loads(self._certificate(lemma, "model"))
            inputs = {name: int(model.get(name, 0)) for name in claim.inputs}
            holds = value_of(And(*claim.assumptions), claim, inputs).is_true()
        except (ValueError, TypeError, AttributeError) as error:
            raise RefusalError(f"the model cannot be read: {error}") from None
        if not holds:
            raise RefusalError("the model does not satisfy them")

    def _check_claim(self, lemma: Lemma, claim: Claim) -> None:
        """Its negation is refuted, in clauses."""
        question = claim.negation
        _require_question(lemma, question, Status.UNSATISFIABLE)
        clauses = Blaster().clauses(question)
        if cnf_sha256(clauses) != lemma.cnf_sha256:
            raise RefusalError("the clauses differ: the encoder gives others here")
        proofs = [certificate for certificate in lemma.certificates if certificate.kind == "drat"]
        if len(proofs) != 1:
            raise RefusalError("it has no clausal proof, and without it only an engine could tell")
        proof = lemma.cnf_sha256, proofs[0].sha256
        if not self._claimed(proof):
            self.elsewhere.add(proof)
        elif proof not in self.checked:
            content = self.verifier.archive.content(proofs[0])
            for checker in self.verifier.checkers:
                CHECKERS[checker](clauses, content)
            self.checked.add(proof)

    def _claimed(self, proof: Proof) -> bool:
        """Whether this process is the first to say that it checks a proof."""
        if self.verifier.claims is None or proof in self.checked:
            return True
        try:
            name = hashlib.sha256(" ".join(proof).encode()).hexdigest()  # whatever the record names
            (self.verifier.claims / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _require_no_question(lemma: Lemma) -> None:
    """No engine was asked."""
    if (lemma.formula_sha256, lemma.cnf_sha256, lemma.replies) != (None, None, ()):
        raise RefusalError(f"it says that an engine was asked, which {lemma.kind} does not need")


def _require_question(lemma: Lemma, formulas: Sequence[FNode], status: Status) -> None:
    """The lemma was about these formulas, and every engine said what is needed."""
    if script_sha256(formulas) != lemma.formula_sha256:
        raise RefusalError("the formula differs: this source states another")
    said = sorted({reply.status for reply in lemma.replies})
    if said != [status.value]:
        raise RefusalError(f"the engines said {', '.join(said) or 'nothing'}, not {status.value}")


def _named(lemmas: Iterable[tuple[str, LemmaKind]]) -> str:
    return ", ".join(f"{kind} {name!r}" for name, kind in sorted(lemmas))


def _shown(value: object) -> str:
    if isinstance(value, Size):
        return f"{value.neurons} neurons, SHA-256 {value.sha256}"
    return repr(value)
