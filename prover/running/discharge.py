"""From an obligation to a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from spikeproof.circuits.meanings import matrices
from spikeproof.circuits.meanings.in_a_row import compiled
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.programs.units import every_module
from spikeproof.prover.checking.every_block import require_true_of_every_block
from spikeproof.prover.checking.every_input import ViolatedError, require_true_of_every_input
from spikeproof.prover.checking.replays import expected_outputs, replays, value_of
from spikeproof.prover.claims.blocked import BlockTable
from spikeproof.prover.claims.borne import BorneClaim
from spikeproof.prover.claims.bounded import BoundedClaim
from spikeproof.prover.claims.catalogue import require_fitting
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import (
    CERTIFYING,
    DEFAULT_TIMEOUT,
    Claim,
    Obligation,
    Outcome,
    StatementError,
)
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.discovery.finding import beside_our_unit, in_words, possible_annotations
from spikeproof.prover.encoding.smtlib import script_sha256, spec_sha256
from spikeproof.prover.engines.child import Child
from spikeproof.prover.engines.engine import Answer, engine_named
from spikeproof.prover.engines.memory import forget_peak_memory, peak_memory_mib
from spikeproof.prover.engines.questions import Question
from spikeproof.prover.evidence.files import StorageError
from spikeproof.prover.evidence.record import (
    Certificate,
    EngineUse,
    Lemma,
    LemmaKind,
    Record,
    Size,
    Status,
    Strategy,
    blank_record,
)
from spikeproof.prover.kernel.bearing import BearingError, bearing_certificate
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.cells import AlgebraError
from spikeproof.prover.kernel.composition import CompositionError
from spikeproof.prover.kernel.congruence import CongruenceError
from spikeproof.prover.kernel.programs import program_certificate
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.minimisation import minimised, violating
from spikeproof.prover.refutation.programs import differing, explained
from spikeproof.prover.running.inquiry import Inquiry, Keeping, Said
from spikeproof.prover.running.stages import Stages, silently
from spikeproof.prover.running.together import Decided

ENUMERATION_SECONDS = 60.0
"""Trying every input may take so long, or as long as the engines if they are allowed more."""

SMALL = 300
"""Circuits of so many neurons that evaluation on every input proved are put to engines all the same."""

SMALL_SECONDS = 2.0
"""Engines have so long for these, for the sake of certificates."""

CUT_SHARE = 0.75
"""Of the time that is left for the engines, what lemmas may take at cuts that were found."""

BESIDE_SHARE = 0.5
"""Of the time left, what a comparison with our own unit may take."""

RANDOM_SHARE, RANDOM_SECONDS = 0.1, 30.0
"""Of the time left, what inputs at random may take, machine code to be made for them among it; or so
many seconds."""

MOST_CUTS = 8
"""So many cuts are tried, each with what spoke against those before."""

SECOND_SECONDS = 10.0
"""What engines without certificates may take beside one that gives some, of a circuit that was given."""

NOTHING_KEPT = Keeping()

Settled = Callable[[Obligation], Record]
"""From a theorem to its record."""


@dataclass(frozen=True)
class _Verdict:
    outcome: Outcome
    message: str = ""
    counterexample: Mapping[str, int] | None = None
    lemmas: tuple[Lemma, ...] = ()
    annotations: Certificate | None = None


def discharge(
    obligation: Obligation,
    timeout: float = DEFAULT_TIMEOUT,
    circuit: Netlist | None = None,
    jobs: int = 1,
    keeping: Keeping = NOTHING_KEPT,
    enumerating: bool = True,
    enumeration: float | None = None,
    told: Callable[[str], None] = silently,
    settled: Settled | None = None,
    decided: Decided | None = None,
) -> Record:
    """Try to prove one obligation; the record is not sealed.

    Args:
        timeout: seconds for the engines, greater than 0. Where they do not answer, every input is tried,
            if there are up to 2^32: see ``ENUMERATION_SECONDS``.
        circuit: the netlist to prove it of, instead of the obligation's own; then the promise is
            that it is proved, even where the obligation's own circuit is to be refuted.
        jobs: processes for the theorem's lemmas.
        keeping: where certificates go, and answers come from that were given before.
        enumerating: whether every input is tried where engines do not answer.
        enumeration: seconds that trying every input may take, if not as long as the engines.
        told: each stage of the search for a verdict, as it begins.
        settled: where the records of theorems come from on which a program's rests; if not said, they
            are discharged too.
        decided: that it was proved beside others, on every input: of a claim in blocks.

    Raises:
        NetlistError: if ``circuit`` has other buses than the obligation's own circuit.
        EngineError: if an engine of the obligation is not installed.
        StorageError: if a certificate or an answer cannot be kept.
    """
    if circuit is not None:
        require_fitting(obligation, circuit)
    engines = tuple(engine_named(name).use for name in obligation.engines)
    blank = blank_record(obligation, timeout, circuit, engines)
    started = time.perf_counter()
    forget_peak_memory()
    case, stages = None, Stages(told)
    try:
        with passing_formulas():
            case = Case.of(obligation, circuit)
            spec = spec_sha256(case.claim)
            trying = enumeration or max(timeout, ENUMERATION_SECONDS)
            attempt = _Attempt(
                case, started + timeout, trying if enumerating else None, jobs, keeping, stages, decided
            )
            if isinstance(case.claim, ProgramClaim):
                verdict = attempt.composed(case.claim, settled or partial(discharge, timeout=timeout))
            else:
                verdict = attempt.evaluated() or attempt.verdict()
    except StorageError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, StatementError) else f"{type(error).__name__}: "
        spec, verdict = None, _Verdict(Outcome.ERROR, f"{kind}{error}")
    netlist = case.netlist if case else circuit
    return replace(
        blank,
        outcome=verdict.outcome,
        seconds=round(time.perf_counter() - started + (decided.seconds if decided else 0.0), 4),
        peak_memory_mib=peak_memory_mib(),
        message=verdict.message,
        counterexample=verdict.counterexample,
        netlist=Size.of(netlist) if netlist else None,
        spec_sha256=spec,
        lemmas=verdict.lemmas,
        engines=_answering(engines, verdict.lemmas),
        notes=netlist.notes if netlist else (),
        strategy=Strategy(tuple(stages.done), verdict.annotations) if circuit else None,
    )


def _answering(engines: tuple[EngineUse, ...], lemmas: tuple[Lemma, ...]) -> tuple[EngineUse, ...]:
    """Those that have answered whatever algebra has not."""
    asked = [{reply.engine for reply in each.replies} for each in lemmas if each.kind != "algebra"]
    return tuple(use for use in engines if all(use.label in replying for replying in asked))


@dataclass(frozen=True)
class _Attempt:
    """A case under proof.

    Attributes:
        deadline: of the engines, by ``time.perf_counter``.
        enumeration: seconds that trying every input may take, if they do not answer; None if it is not
            to be tried.
        decided: that it is proved on every input, if it is known.
        said: what engines have answered, for lemmas that come again with other cuts.
    """

    case: Case
    deadline: float
    enumeration: float | None
    jobs: int
    keeping: Keeping
    stages: Stages
    decided: Decided | None = None
    said: dict[str, Said] = field(default_factory=dict)

    def verdict(self) -> _Verdict:
        """By lemmas where there are any; put to the engines whole if those do not make up the claim.

        Where somebody else's circuit has no probes, or others, it is first looked where it can be cut.
        """
        if refutation := self._tried("simulation by class", _at_once):
            return _presented(self.case, refutation)
        why = ""
        try:
            if lemmas := self.case.lemmas():
                return self._by_lemmas(self.case, lemmas, self.deadline)
        except (CompositionError, AlgebraError, _LemmaError) as error:
            why = f"by lemmas: {error}; "
            if refutation := self._refuted_after(error):
                return _presented(self.case, refutation)
            if not self.case.own and (verdict := self._cut() or self._beside()):
                return _presented(self.case, verdict)
        with self.stages.stage("the claim as a whole, by search") as finding:
            verdict = self._whole()
            finding.words = verdict.outcome.value
        if verdict.outcome in (Outcome.TIMEOUT, Outcome.UNKNOWN):
            verdict = self._enumerated(replace(verdict, message=why + verdict.message))
            if not self.case.own and verdict.outcome is not Outcome.REFUTED:
                verdict = replace(verdict, message=f"{verdict.message}; {self.stages.in_words()}")
        return _presented(self.case, verdict)

    def composed(self, claim: ProgramClaim, settled: Settled) -> _Verdict:
        """Of a program: that it is its spec, given theorems about its units; or where it is not."""
        try:
            content = program_certificate(claim)
        except CongruenceError as error:
            inputs = differing(claim)
            if inputs is None:
                return _Verdict(Outcome.UNKNOWN, f"{error}; no input is known on which that matters")
            verdict = _confirm("simulation", self.case, inputs)
            return replace(verdict, message=verdict.message or f"{explained(claim, inputs)}\n{error}")
        if self.case.obligation.expected is Outcome.REFUTED:
            return _Verdict(Outcome.UNKNOWN, "it is its spec if its units are what their theorems say")
        for name, unit in claim.units.items():
            record = settled(unit.theorem)
            if record.outcome is not Outcome.PROVED or record.circuit_sha256:
                user = next(each.name for each in every_module(claim.circuit) if name in each.operations)
                words = f"{user} rests on {name}, which is {record.outcome.value}"
                return _Verdict(Outcome.UNKNOWN, words)
        kept = self.keeping.keep("program", content)
        lemma = Lemma(self.case.obligation.name, "congruence", None, None, (), (kept,))
        return _Verdict(Outcome.PROVED, lemmas=(lemma,))

    def evaluated(self) -> _Verdict | None:
        """The verdict by evaluation on every input: of a circuit that was given, or of any on a table.

        None if that gives none. What is proved so of a formula is put to engines too if the circuit is
        small, for the sake of certificates.
        """
        netlist, claim, tabulated = self.case.netlist, self.case.claim, self.case.tabulated
        if isinstance(claim, BoundedClaim):
            return self._by_bound(claim)
        if isinstance(claim, BorneClaim):
            return self._by_bearing(claim)
        if isinstance(claim, TabulatedClaim) and isinstance(claim.table, BlockTable):
            return self._by_blocks(claim, claim.table)
        given = not self.case.own and netlist and netlist.input_count <= TABLE_BITS
        if not netlist or not (tabulated or given):
            return None
        with self.stages.stage("every input, evaluated") as finding:
            try:
                require_true_of_every_input(claim, partial(matrices.evaluate, before=self._in_time))
            except TimeoutError:
                finding.words = "time was up"
                return _Verdict(Outcome.TIMEOUT, "time was up before every input was evaluated")
            except ViolatedError as error:
                finding.words = "a counterexample"
                return _presented(self.case, _confirm("evaluation", self.case, error.inputs))
            except ValueError as error:
                if tabulated:
                    raise
                finding.words = str(error)
                return None
            finding.words = "proved"
        small = not tabulated and len(netlist.neurons) <= SMALL
        if small and (certified := self._certified()):
            return certified
        return self._on_every_input(None if tabulated else script_sha256(claim.negation))

    def _in_time(self) -> None:
        if time.perf_counter() > self.deadline:
            raise TimeoutError

    def _by_bound(self, claim: BoundedClaim) -> _Verdict:
        """The verdict by arithmetic; where that shows nothing, inputs are drawn."""
        with self.stages.stage("a bound, by arithmetic") as finding:
            try:
                content = bound_certificate(claim)
            except (BoundError, ProgramError) as error:
                finding.words = why = str(error)
            else:
                finding.words = "proved"
                kept = self.keeping.keep("bound", content)
                lemma = Lemma(self.case.obligation.name, "bound", None, None, (), (kept,))
                return _Verdict(Outcome.PROVED, lemmas=(lemma,))
        if refutation := self._tried("simulation by class", _by_drawing):
            return _presented(self.case, refutation)
        return _Verdict(Outcome.UNKNOWN, f"{why}; of some inputs drawn by class none violates it")

    def _by_bearing(self, claim: BorneClaim) -> _Verdict:
        """The verdict by arithmetic on neurons' sums, which tells which of them errs where."""
        with self.stages.stage("what neurons bear, by arithmetic") as finding:
            try:
                content = bearing_certificate(claim)
            except BearingError as error:
                finding.words = str(error)
                if error.firing is None:
                    return _Verdict(Outcome.UNKNOWN, str(error))
                verdict = _confirm("arithmetic", self.case, claim.where(error.firing, not error.fires))
                return replace(verdict, message=verdict.message or str(error))
            finding.words = "proved"
        kept = self.keeping.keep("bearing", content)
        lemma = Lemma(self.case.obligation.name, "bearing", None, None, (), (kept,))
        return _Verdict(Outcome.PROVED, lemmas=(lemma,))

    def _by_blocks(self, claim: TabulatedClaim, table: BlockTable) -> _Verdict:
        """The verdict by evaluation on every input, block by block; first on some drawn by class."""
        if self.decided:
            return self._on_every_input(self.decided.digest)
        if refutation := self._tried("simulation by class", _at_once):
            return _presented(self.case, refutation)
        name = "every input, evaluated"

        def told(done: float) -> None:
            self.stages.told(f"{name}, {done:.1%}")

        with self.stages.stage(name) as finding:
            try:
                digest = require_true_of_every_block(
                    claim, table, compiled, self.jobs, self.deadline, told
                )
            except ViolatedError as error:
                finding.words = "a counterexample"
                return _presented(self.case, _confirm("evaluation", self.case, error.inputs))
            except TimeoutError as error:
                finding.words = f"none of {error} violates it"
                return _Verdict(Outcome.TIMEOUT, f"{finding.words}; time was up")
            finding.words = "proved"
        return self._on_every_input(digest)

    def _on_every_input(self, digest: str | None) -> _Verdict:
        """Proved by evaluation, of a formula or results of that SHA-256."""
        lemma = Lemma(self.case.obligation.name, "every input", digest, None, (), ())
        return _Verdict(Outcome.PROVED, lemmas=(lemma,))

    def _certified(self) -> _Verdict | None:
        """What engines say in a short time of a claim that holds; None if they do not know."""
        quick = replace(self, deadline=min(self.deadline, time.perf_counter() + SMALL_SECONDS))
        with self.stages.stage("engines, for certificates") as finding:
            verdict = quick._by_engines()
            finding.words = verdict.outcome.value
        if verdict.outcome is Outcome.REFUTED:
            return _disagreement({"evaluation": "proved", "engines": "refuted"})
        return verdict if verdict.outcome in (Outcome.PROVED, Outcome.ERROR) else None

    def _by_engines(self) -> _Verdict:
        """The verdict by lemmas at the circuit's own probes, or else on the claim as a whole."""
        with suppress(CompositionError, AlgebraError, _LemmaError):
            if lemmas := self.case.lemmas():
                return self._by_lemmas(self.case, lemmas, self.deadline)
        return self._whole()

    def _tried(self, name: str, search: Callable[[Case], _Verdict | None]) -> _Verdict | None:
        """A refutation that a search for one finds."""
        refutation = None
        with self.stages.stage(name) as finding, suppress(TimeoutError):
            finding.words = "no counterexample before time was up"
            refutation = search(self.case)
            finding.words = "a counterexample" if refutation else "no counterexample"
        return refutation

    def _refuted_after(self, error: Exception) -> _Verdict | None:
        """A refutation that is looked for when lemmas do not hold."""
        searches: dict[str, Callable[[Case], _Verdict | None]] = {}
        if isinstance(error, _LemmaError):
            searches["what violates a lemma"] = partial(_by_model, error=error)
        if self.case.own:
            searches["simulation by class"] = _by_drawing  # which any other had at once
        else:
            left = self.deadline - time.perf_counter()
            seconds = max(RANDOM_SHARE * left, RANDOM_SECONDS)
            searches["simulation at random"] = partial(_at_random, seconds=seconds)
        return next(filter(None, (self._tried(*search) for search in searches.items())), None)

    def _cut(self) -> _Verdict | None:
        """The verdict by lemmas at cuts that are found in the circuit; None if no cuts do."""
        tried: set[bytes] = set()
        telling: list[Mapping[str, int]] = []
        while len(tried) < MOST_CUTS:
            with self.stages.stage("cuts by signature") as finding:
                found = possible_annotations(self.case, telling)
                annotated = next((each for each in found if each.content not in tried), None)
                if annotated is None:
                    return None
                case = replace(self.case, annotations=annotated)
                finding.words = in_words(case)
            tried.add(annotated.content)
            try:
                with self.stages.stage("lemmas at these cuts") as finding:
                    left = CUT_SHARE * max(0.0, self.deadline - time.perf_counter())
                    verdict = self._by_lemmas(case, case.lemmas(), time.perf_counter() + left)
                    finding.words = verdict.outcome.value
            except _LemmaError as error:
                if refutation := _by_model(case, error):
                    return refutation
                if not error.model:
                    return None
                telling.append({bus: error.model.get(bus, 0) for bus in case.claim.inputs})
            else:
                kept = self.keeping.keep("annotations", annotated.content)
                return replace(verdict, annotations=kept)
        return None

    def _beside(self) -> _Verdict | None:
        """The verdict by a comparison with our unit of the operation; None if there is none."""
        assert self.case.netlist
        found = beside_our_unit(self.case.netlist)
        case = replace(self.case, annotations=found)
        with self.stages.stage("beside our own unit") as finding:
            try:
                lemmas = case.lemmas()
                left = BESIDE_SHARE * max(0.0, self.deadline - time.perf_counter())
                verdict = self._by_lemmas(case, lemmas, time.perf_counter() + left)
            except (AlgebraError, CompositionError) as error:
                finding.words = str(error)
                return None
            except _LemmaError as error:
                finding.words = "not proved"
                return _by_model(case, error)
            finding.words = verdict.outcome.value
            return replace(verdict, annotations=self.keeping.keep("annotations", found.content))

    def _enumerated(self, undecided: _Verdict) -> _Verdict:
        """What trying every input adds where there are few enough: a refutation, but never a proof."""
        from spikeproof.prover.refutation import exhaustion  # loads LLVM

        name, netlist, log = self.case.obligation.name, self.case.netlist, self.keeping.log
        if self.enumeration is None or not netlist:
            return undecided
        if not exhaustion.is_enumerable(self.case.claim, netlist):
            return undecided
        try:
            found = exhaustion.enumerate_all(
                self.case.obligation,
                netlist,
                (exhaustion.SPEC,),
                self.jobs,
                log.exhaustive(name, unfinished=True) if log else None,
                seconds=self.enumeration,
            )
        except exhaustion.OutOfTimeError as error:
            return replace(undecided, message=f"{undecided.message}; {error.message}")
        if log:
            exhaustion.write_exhausted(log, found)
        if found.failures:
            inputs = {bus: int(code, 16) for bus, code in found.compared[0].first[0].items()}
            return _confirm("enumeration", self.case, inputs)
        tested = (
            f"all {found.inputs:,} inputs were tried besides, in {found.seconds:.1f} s, and none fails: "
            "a test of every one, but no proof that others can check"
        )
        return replace(undecided, message=f"{undecided.message}; {tested}")

    @cached_property
    def _needed(self) -> frozenset[str]:
        """Engines that have to answer: of a circuit that was given, those with certificates, if any."""
        engines = frozenset(self.case.obligation.engines)
        return engines if self.case.own else engines & CERTIFYING or engines

    def _inquiry(self) -> Inquiry:
        return Inquiry(self.case.obligation.engines, self.keeping, self.said, self._needed)

    def _answers(
        self, inquiry: Inquiry, questions: Sequence[Question], deadline: float, jobs: int = 1
    ) -> Iterator[tuple[Question, Answer]]:
        """The answers as they come: first of the engines that have to, then what others know soon."""
        needed = [question for question in questions if question.engine in self._needed]
        yield from inquiry.answers(needed, deadline, jobs)
        others = [question for question in questions if question.engine not in self._needed]
        soon = min(deadline, time.perf_counter() + SECOND_SECONDS)
        for question, answer in inquiry.answers(others, soon, jobs):
            if answer.decided:
                yield question, answer

    def _whole(self) -> _Verdict:
        """The verdict that all the obligation's engines share on the claim as a whole."""
        inquiry = self._inquiry()
        answers: dict[str, dict[LemmaKind, Answer]] = {}
        asked = list(_questions(inquiry, self.case.obligation.name, self.case.claim))
        for question, answer in self._answers(inquiry, asked, self.deadline):
            answers.setdefault(question.engine, {})[question.kind] = answer
        verdicts = {
            name: _verdict(self.case, name, said) for name, said in answers.items() if "claim" in said
        }
        outcomes = {verdict.outcome for verdict in verdicts.values()}
        if {Outcome.PROVED, Outcome.REFUTED} <= outcomes:
            return _disagreement({name: verdict.outcome.value for name, verdict in verdicts.items()})
        worst_first = (Outcome.ERROR, Outcome.REFUTED, Outcome.UNKNOWN, Outcome.TIMEOUT, Outcome.PROVED)
        worst = next(outcome for outcome in worst_first if outcome in outcomes)
        verdict = next(verdict for verdict in verdicts.values() if verdict.outcome is worst)
        return replace(verdict, lemmas=inquiry.lemmas())

    def _by_lemmas(self, case: Case, lemmas: Mapping[str, Claim], deadline: float) -> _Verdict:
        """Proved, if every lemma is and its assumptions are possible; else an exception.

        But engines that disagree are an error.
        """
        inquiry = self._inquiry()
        for label, log in case.algebra().items():
            inquiry.settle(label, "telescoping", log)
        said: dict[str, dict[str, str]] = {}
        questions = [q for name, claim in lemmas.items() for q in _questions(inquiry, name, claim)]
        for question, answer in self._answers(inquiry, questions, deadline, self.jobs):
            name, engine = question.name, question.engine
            if question.kind == "assumptions":
                if answer.status is not Status.SATISFIABLE:
                    raise _LemmaError(
                        f"the assumptions of lemma {name!r} are not shown to be possible "
                        f"({engine}: {answer.status.value})"
                    )
                continue
            so_far = said.setdefault(name, {})
            so_far[engine] = answer.status.value
            if {Status.SATISFIABLE.value, Status.UNSATISFIABLE.value} <= set(so_far.values()):
                return _disagreement(so_far)
            settled = self._needed <= so_far.keys()
            if settled and set(so_far.values()) != {Status.UNSATISFIABLE.value}:
                each = ", ".join(f"{engine}: {status}" for engine, status in so_far.items())
                raise _LemmaError(f"lemma {name!r} is not proved ({each})", answer.model)
        if any(not self._needed <= said.get(name, {}).keys() for name in lemmas):
            raise _LemmaError("a lemma is without an answer")
        return _Verdict(Outcome.PROVED, lemmas=inquiry.lemmas())


def _questions(inquiry: Inquiry, name: str, claim: Claim) -> Iterator[Question]:
    """Whether the assumptions, if any, are possible; and whether the goal can fail."""
    if claim.assumptions:
        yield from inquiry.questions(name, "assumptions", claim.assumptions)
    yield from inquiry.questions(name, "claim", claim.negation)


class _LemmaError(Exception):
    """A lemma that is not proved, and what violates it, if known: the composition says nothing."""

    def __init__(self, message: str, model: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.model = model or {}


def _at_once(case: Case) -> _Verdict | None:
    """A refutation of a circuit that was given, before any engine is asked.

    The obligation's own circuit is not simulated: nothing would come of it but where it is promised to
    be refuted, and there engines have to do it.
    """
    return None if case.own else _by_drawing(case)


def _by_drawing(case: Case) -> _Verdict | None:
    """A refutation that simulation of inputs drawn by class comes upon; None if there is none."""
    return _simulated(case, violating(case.obligation, case.claim))


def _at_random(case: Case, seconds: float) -> _Verdict | None:
    """The same of a circuit that was given, on very many inputs drawn at random, in so many seconds.

    Raises:
        TimeoutError: if these do not suffice.
    """
    if case.own or not case.netlist:
        return None
    answer = Child(partial(_random_answer, case.claim, case.netlist)).answer(seconds)
    if answer.status is Status.TIMEOUT:
        raise TimeoutError
    return _simulated(case, answer.model if answer.status is Status.SATISFIABLE else None)


def _random_answer(claim: Claim, netlist: Netlist) -> Answer:
    from spikeproof.prover.refutation.exhaustion import violating_at_random  # loads LLVM

    inputs = violating_at_random(claim, netlist)
    return Answer(Status.UNKNOWN) if inputs is None else Answer(Status.SATISFIABLE, inputs)


def _simulated(case: Case, inputs: Mapping[str, int] | None) -> _Verdict | None:
    """The refutation that inputs are, if evaluation of the claim confirms it."""
    if inputs is None:
        return None
    verdict = _confirm("simulation", case, inputs)
    return verdict if verdict.outcome is Outcome.REFUTED else None


def _by_model(case: Case, error: Exception) -> _Verdict | None:
    """A refutation that what violates a lemma is, or that a case makes of it; the claim confirms it."""
    cases, claim = case.obligation.cases, case.claim
    if not isinstance(error, _LemmaError) or not error.model:
        return None
    violating = {bus: error.model.get(bus, 0) for bus in claim.inputs}
    for name, formulas in {"": {}, **(cases(claim.inputs) if cases else {})}.items():
        put = {**claim.inputs, **formulas}
        inputs = {bus: int(value_of(put[bus], claim, violating).constant_value()) for bus in put}
        verdict = _confirm(f"lemma {name}", case, inputs)
        if verdict.outcome is Outcome.REFUTED:
            return verdict
    return None


# --- verdicts -----------------------------------------------------------------------------------


def _disagreement(answers: Mapping[str, str]) -> _Verdict:
    said = ", ".join(f"{engine}: {answer}" for engine, answer in answers.items())
    return _Verdict(Outcome.ERROR, f"ENGINES DISAGREE, one of them is unsound: {said}")


def _verdict(case: Case, name: str, answers: Mapping[LemmaKind, Answer]) -> _Verdict:
    """What one engine says of a claim, whose assumptions it must have shown to be satisfiable."""
    if possible := answers.get("assumptions"):
        if possible.status is Status.UNSATISFIABLE:
            return _Verdict(
                Outcome.ERROR,
                "vacuous: no input satisfies the assumptions, so the claim says nothing",
            )
        if possible.status is not Status.SATISFIABLE:
            return _undecided(name, possible, "whether the assumptions can be satisfied")
    answer = answers["claim"]
    if answer.status is Status.UNSATISFIABLE:
        return _Verdict(Outcome.PROVED)
    if answer.status is Status.SATISFIABLE:
        return _confirm(name, case, answer.model)
    return _undecided(name, answer, "the claim")


def _undecided(name: str, answer: Answer, what: str) -> _Verdict:
    outcome = Outcome.TIMEOUT if answer.status is Status.TIMEOUT else Outcome.UNKNOWN
    advice = "raise --timeout" if outcome is Outcome.TIMEOUT else "the engine gave up"
    return _Verdict(outcome, f"{name} did not decide {what} ({answer.reason}); {advice}")


def _confirm(name: str, case: Case, model: Mapping[str, int]) -> _Verdict:
    """Believe a counterexample only if it replays."""
    inputs = {bus: model.get(bus, 0) for bus in case.claim.inputs}
    if not replays(case.netlist, case.claim, inputs):
        return _Verdict(Outcome.ERROR, f"{name} gave a counterexample that does not replay: {inputs}")
    return _Verdict(Outcome.REFUTED, counterexample=inputs)


def _presented(case: Case, verdict: _Verdict) -> _Verdict:
    """A verdict; if it is a refutation, with a simpler counterexample that replays too, and in words."""
    if verdict.counterexample is None:
        return verdict
    obligation, netlist, claim = case.obligation, case.netlist, case.claim
    simplest = minimised(obligation, claim, verdict.counterexample, netlist)
    as_found = simplest.inputs == verdict.counterexample  # which was replayed when it was found
    if not as_found and not replays(netlist, claim, simplest.inputs):
        problem = f"a simplified counterexample does not replay: {dict(simplest.inputs)}"
        return _Verdict(Outcome.ERROR, problem)
    shown = explain(obligation, netlist, simplest.inputs, expected_outputs(claim, simplest.inputs))
    message = "\n".join(filter(None, (shown, simplest.failures)))
    return replace(verdict, message=message, counterexample=simplest.inputs)
