"""From an obligation to a result: one at a time, or many in parallel."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import active_children
from typing import Any

from pysmt.environment import pop_env, push_env
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, Not

from circuits import boolean
from circuits.netlist import Netlist, NetlistError
from prover.catalogue import catalogue
from prover.cells import AlgebraError
from prover.composition import CompositionError, compose, split
from prover.counterexample import explain
from prover.drawing import violation
from prover.engine import Answer, Question, Status, answers, engine_named
from prover.minimisation import minimised
from prover.obligation import Claim, Obligation, Outcome

DEFAULT_TIMEOUT = 300.0
"""Seconds an engine may take for an obligation unless told otherwise."""


@dataclass(frozen=True)
class Result:
    """What became of an obligation.

    Attributes:
        engine: labels of the engines that took part.
        message: the counterexample for a person, or why there is no verdict.
        counterexample: the inputs that violate the claim, if refuted.
        lemmas: seconds that each lemma took, if the theorem was composed of lemmas.
        netlist_sha256, neurons: of the circuit the claim was about, if any.
    """

    theorem: str
    statement: str
    outcome: Outcome
    expected: Outcome
    engine: str
    seconds: float
    message: str = ""
    counterexample: Mapping[str, int] | None = None
    lemmas: Mapping[str, float] | None = None
    netlist_sha256: str | None = None
    neurons: int | None = None

    @property
    def green(self) -> bool:
        """Proved, or refuted where a refutation was promised."""
        return self.outcome is self.expected

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self) | {"outcome": self.outcome.value, "expected": self.expected.value}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Result:
        """The inverse of ``as_json``."""
        outcomes = {key: Outcome(record[key]) for key in ("outcome", "expected")}
        return cls(**{**record, **outcomes})


@dataclass(frozen=True)
class _Verdict:
    outcome: Outcome
    message: str = ""
    counterexample: Mapping[str, int] | None = None
    lemmas: Mapping[str, float] | None = None


def discharge(
    obligation: Obligation,
    timeout: float = DEFAULT_TIMEOUT,
    circuit: Netlist | None = None,
    jobs: int = 1,
) -> Result:
    """Try to prove one obligation.

    Args:
        timeout: seconds for the engines, greater than 0.
        jobs: processes for the theorem's lemmas.
        circuit: the netlist to prove it of, instead of the obligation's own; then the promise is
            that it is proved, even where the obligation's own circuit is to be refuted.

    Raises:
        NetlistError: if ``circuit`` has other buses than the obligation's own circuit.
        EngineError: if an engine of the obligation is not installed.
    """
    if circuit is not None:
        require_same_buses(obligation, circuit)
    engines = _engine_label(obligation)
    started = time.perf_counter()
    netlist = circuit
    push_env()  # formulas live and die with this call
    try:
        if netlist is None and obligation.circuit:
            netlist = obligation.circuit()
        verdict = _decide(obligation, netlist, circuit is None, time.perf_counter() + timeout, jobs)
    except Exception as error:
        verdict = _Verdict(Outcome.ERROR, f"{type(error).__name__}: {error}")
    finally:
        pop_env()
    instead = "of the circuit given instead: " if circuit else ""
    return Result(
        theorem=obligation.name,
        statement=instead + obligation.statement,
        outcome=verdict.outcome,
        expected=Outcome.PROVED if circuit else obligation.expected,
        engine=engines,
        seconds=time.perf_counter() - started,
        message=verdict.message,
        counterexample=verdict.counterexample,
        lemmas=verdict.lemmas,
        netlist_sha256=netlist.sha256 if netlist else None,
        neurons=netlist.statistics.neurons if netlist else None,
    )


def _engine_label(obligation: Obligation) -> str:
    return ", ".join(engine_named(name).label for name in obligation.engines)


def _decide(
    obligation: Obligation, netlist: Netlist | None, own: bool, deadline: float, jobs: int
) -> _Verdict:
    """By lemmas where there are any; put to the engines whole if those do not make up the claim.

    Args:
        own: whether the netlist is the obligation's own circuit.
    """
    claim = obligation.state(netlist)
    why = ""
    started = time.perf_counter()
    try:
        if lemmas := _lemmas(obligation, netlist, own, claim):
            composed = {"composition": time.perf_counter() - started}
            return _by_lemmas(obligation, lemmas, deadline, jobs, composed)
    except (CompositionError, AlgebraError, _LemmaError) as error:
        why = f"by lemmas: {error}; "
        refutation = _by_simulation(obligation, netlist, claim) or _by_case(obligation, claim, error)
        if refutation:
            return _presented(obligation, netlist, claim, refutation)
    verdict = _presented(obligation, netlist, claim, _whole(obligation, netlist, claim, deadline))
    if verdict.outcome in (Outcome.TIMEOUT, Outcome.UNKNOWN):
        return _Verdict(verdict.outcome, why + verdict.message)
    return verdict


def _lemmas(
    obligation: Obligation, netlist: Netlist | None, own: bool, claim: Claim
) -> dict[str, Claim]:
    """The lemmas by which a claim is to be proved; none if it is to be put to the engines whole."""
    if obligation.cases:
        return split(claim, obligation.cases(claim.inputs))
    decomposition = obligation.decomposition
    if not decomposition or not netlist:
        return {}
    if own and decomposition.circuit and decomposition.lacks_probes(netlist):
        netlist = decomposition.circuit()
    return compose(netlist, decomposition, claim)


def _by_simulation(obligation: Obligation, netlist: Netlist | None, claim: Claim) -> _Verdict | None:
    """A refutation that simulation finds and evaluation of the claim confirms; None if there is none."""
    inputs = violation(netlist, obligation.reading) if obligation.reading and netlist else None
    if inputs is None:
        return None
    verdict = _confirm("simulation", netlist, claim, inputs)
    return verdict if verdict.outcome is Outcome.REFUTED else None


def _by_case(obligation: Obligation, claim: Claim, error: Exception) -> _Verdict | None:
    """A refutation that a case makes of what violates a lemma, and evaluation of the claim confirms."""
    if not obligation.cases or not isinstance(error, _LemmaError):
        return None
    violating = {bus: error.model.get(bus, 0) for bus in claim.inputs}
    for name, case in obligation.cases(claim.inputs).items():
        put = {**claim.inputs, **case}
        inputs = {bus: value_of(put[bus], claim, violating).constant_value() for bus in put}
        verdict = _confirm(f"case {name}", None, claim, inputs)
        if verdict.outcome is Outcome.REFUTED:
            return verdict
    return None


# --- a claim put to the engines -----------------------------------------------------------------


def _whole(obligation: Obligation, netlist: Netlist | None, claim: Claim, deadline: float) -> _Verdict:
    """The verdict that all the obligation's engines share."""
    verdicts = {name: _ask(name, netlist, claim, deadline) for name in obligation.engines}
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    if {Outcome.PROVED, Outcome.REFUTED} <= outcomes:
        return _disagreement({name: verdict.outcome.value for name, verdict in verdicts.items()})
    worst_first = (Outcome.ERROR, Outcome.REFUTED, Outcome.UNKNOWN, Outcome.TIMEOUT, Outcome.PROVED)
    worst = next(outcome for outcome in worst_first if outcome in outcomes)
    return next(verdict for verdict in verdicts.values() if verdict.outcome is worst)


def _disagreement(answers: Mapping[str, str]) -> _Verdict:
    said = ", ".join(f"{engine}: {answer}" for engine, answer in answers.items())
    return _Verdict(Outcome.ERROR, f"ENGINES DISAGREE, one of them is unsound: {said}")


def _ask(name: str, netlist: Netlist | None, claim: Claim, deadline: float) -> _Verdict:
    """One engine's verdict on a claim whose assumptions it first shows to be satisfiable."""
    if claim.assumptions:
        possible = _check(name, claim.assumptions, deadline)
        if possible.status is Status.UNSATISFIABLE:
            return _Verdict(
                Outcome.ERROR,
                "vacuous: no input satisfies the assumptions, so the claim says nothing",
            )
        if possible.status is not Status.SATISFIABLE:
            return _undecided(name, possible, "whether the assumptions can be satisfied")
    answer = _check(name, [*claim.assumptions, Not(claim.goal)], deadline)
    if answer.status is Status.UNSATISFIABLE:
        return _Verdict(Outcome.PROVED)
    if answer.status is Status.SATISFIABLE:
        return _confirm(name, netlist, claim, answer.model)
    return _undecided(name, answer, "the claim")


def _check(name: str, formulas: Sequence[FNode], deadline: float) -> Answer:
    return engine_named(name).check(formulas, max(0.001, deadline - time.perf_counter()))


def _undecided(name: str, answer: Answer, what: str) -> _Verdict:
    outcome = Outcome.TIMEOUT if answer.status is Status.TIMEOUT else Outcome.UNKNOWN
    advice = "raise --timeout" if outcome is Outcome.TIMEOUT else "the engine gave up"
    return _Verdict(outcome, f"{name} did not decide {what} ({answer.reason}); {advice}")


def _confirm(name: str, netlist: Netlist | None, claim: Claim, model: Mapping[str, int]) -> _Verdict:
    """Believe a counterexample only if it replays."""
    inputs = {bus: model.get(bus, 0) for bus in claim.inputs}
    if not replays(netlist, claim, inputs):
        return _Verdict(Outcome.ERROR, f"{name} gave a counterexample that does not replay: {inputs}")
    return _Verdict(Outcome.REFUTED, counterexample=inputs)


def _presented(
    obligation: Obligation, netlist: Netlist | None, claim: Claim, verdict: _Verdict
) -> _Verdict:
    """A verdict; if it is a refutation, with a simpler counterexample that replays too, and in words."""
    if verdict.counterexample is None:
        return verdict
    simplest = minimised(obligation, claim, verdict.counterexample)
    if not replays(netlist, claim, simplest.inputs):
        problem = f"a simplified counterexample does not replay: {dict(simplest.inputs)}"
        return _Verdict(Outcome.ERROR, problem)
    shown = explain(obligation, netlist, simplest.inputs, expected_outputs(claim, simplest.inputs))
    message = "\n".join(filter(None, (shown, simplest.failures)))
    return _Verdict(Outcome.REFUTED, message, simplest.inputs)


def replays(netlist: Netlist | None, claim: Claim, inputs: Mapping[str, int]) -> bool:
    """Whether pySMT's evaluation and the simulated circuit both say that inputs violate a claim."""
    if not value_of(And(*claim.assumptions, Not(claim.goal)), claim, inputs).is_true():
        return False
    if netlist is None or not claim.expected:
        return True
    simulated = boolean.evaluate(netlist, boolean.one_input(inputs))
    expected = expected_outputs(claim, inputs)
    return any(int(simulated[bus][0]) != value for bus, value in expected.items())


def expected_outputs(claim: Claim, inputs: Mapping[str, int]) -> dict[str, int]:
    """What the output buses should be for these inputs, where the claim is about output buses."""
    return {
        bus: value_of(formula, claim, inputs).constant_value() for bus, formula in claim.expected.items()
    }


def value_of(formula: FNode, claim: Claim, inputs: Mapping[str, int]) -> FNode:
    """The constant that a formula over the claim's inputs becomes on the given values."""
    constants = {symbol: BV(inputs[name], symbol.bv_width()) for name, symbol in claim.inputs.items()}
    return formula.substitute(constants).simplify()


# --- a claim made up of lemmas ------------------------------------------------------------------


class _LemmaError(Exception):
    """A lemma that is not proved, and what violates it, if known: the composition says nothing."""

    def __init__(self, message: str, model: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.model = model or {}


def _by_lemmas(
    obligation: Obligation,
    lemmas: Mapping[str, Claim],
    deadline: float,
    jobs: int,
    seconds: dict[str, float],
) -> _Verdict:
    """Proved, if every lemma is and its assumptions are possible; else an exception.

    But engines that disagree are an error.
    """
    said: dict[str, dict[str, str]] = {}
    questions = [
        Question(name, engine, formulas)
        for name, claim in lemmas.items()
        for engine in obligation.engines
        for formulas in _questions(claim)
    ]
    for question, answer, took in answers(questions, deadline, jobs):
        claim, name, engine = lemmas[question.name], question.name, question.engine
        label = f"{name} by {engine}"
        seconds[label] = seconds.get(label, 0.0) + took
        if question.formulas is claim.assumptions:
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
        settled = len(so_far) == len(obligation.engines)
        if settled and set(so_far.values()) != {Status.UNSATISFIABLE.value}:
            each = ", ".join(f"{engine}: {status}" for engine, status in so_far.items())
            raise _LemmaError(f"lemma {name!r} is not proved ({each})", answer.model)
    return _Verdict(Outcome.PROVED, lemmas=seconds)


def _questions(claim: Claim) -> Iterator[Sequence[FNode]]:
    """Whether the assumptions, if any, are possible; and whether the goal can fail."""
    if claim.assumptions:
        yield claim.assumptions
    yield (*claim.assumptions, Not(claim.goal))


# --- another circuit in place of the obligation's own -------------------------------------------


def require_same_buses(obligation: Obligation, circuit: Netlist) -> None:
    """Refuse a circuit that cannot stand in for the obligation's own.

    Raises:
        NetlistError: naming the buses that are missing, extra or of another width.
    """
    if obligation.circuit is None:
        raise NetlistError(f"{obligation.name} is about formulas, not about a circuit; choose a unit")
    own = obligation.circuit()
    for kind, wanted, given in (
        ("input", own.inputs, circuit.inputs),
        ("output", _output_widths(own), _output_widths(circuit)),
    ):
        if dict(wanted) != dict(given):
            problem = "width mismatch" if set(wanted) == set(given) else "bus mismatch"
            raise NetlistError(
                f"{problem}: {obligation.name} needs {kind} buses "
                f"{_in_words(wanted)}; the circuit has {_in_words(given)}"
            )


def _output_widths(netlist: Netlist) -> dict[str, int]:
    return {name: len(bus) for name, bus in netlist.outputs.items()}


def _in_words(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({width} bits)" for name, width in sorted(widths.items()))


# --- many ---------------------------------------------------------------------------------------


def _discharge_named(name: str, timeout: float, circuit: Netlist | None) -> Result:
    return discharge(catalogue()[name], timeout, circuit)


def discharge_all(
    names: Sequence[str],
    timeout: float = DEFAULT_TIMEOUT,
    jobs: int | None = None,
    circuit: Netlist | None = None,
) -> Iterator[Result]:
    """Discharge obligations of the catalogue, yielding each result as it comes.

    Args:
        jobs: processes to use, for the lemmas of a single theorem too; by default one for each core.
    """
    cores = jobs or os.cpu_count() or 1
    workers = min(cores, len(names))
    if workers <= 1:
        for name in names:
            yield discharge(catalogue()[name], timeout, circuit, jobs=cores)
        return
    with ProcessPoolExecutor(workers) as pool:
        pending = {pool.submit(_discharge_named, name, timeout, circuit): name for name in names}
        try:
            for future in as_completed(pending):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield _lost(pending[future])
        except BaseException:
            # Interrupted: nobody will read what the workers are still at.
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in active_children():
                worker.terminate()
            raise


def _lost(name: str) -> Result:
    obligation = catalogue()[name]
    return Result(
        name,
        obligation.statement,
        Outcome.ERROR,
        obligation.expected,
        _engine_label(obligation),
        0.0,
        "the process that worked on it died; it may have run out of memory: lower --jobs",
    )
