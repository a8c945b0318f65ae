"""A circuit of a user's decided: by a theorem, by another circuit, or by a function of his."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

from spikeproof.circuits.doors.buses import Widths, fitted
from spikeproof.circuits.doors.sources import Interface
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import require_fitting
from spikeproof.prover.claims.given import FAMILY, GivenClaim
from spikeproof.prover.claims.obligation import (
    Obligation,
    Outcome,
    StatementError,
    require_about_circuits,
)
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.evidence.record import Record, Size, blank_record
from spikeproof.prover.running.functions import SpecFunction

Source = Callable[[Widths, Widths], tuple[Netlist, Interface]]
"""What reads a circuit that is to have some inputs and outputs, and says how its bits are to be read."""


@dataclass(frozen=True)
class Question:
    """What is to be decided.

    Attributes:
        circuit: with the buses of the spec.
        obligation: what it is to be.
        matched: which of its buses is which of the spec's, a line each where they are not the same.
        claim: what was given in place of a theorem, if that can be stated whole.
        function: what the circuit is tested by, if it cannot.
    """

    circuit: Netlist
    obligation: Obligation
    matched: tuple[str, ...] = ()
    claim: GivenClaim | None = None
    function: SpecFunction | None = None


def by_theorem(source: Source, theorem: Obligation) -> Question:
    """Whether a circuit is what a theorem says.

    Raises:
        NetlistError: if the theorem is about no circuit but its own, or the buses do not fit; one line.
    """
    require_about_circuits(theorem)
    own = theorem.circuit()  # type: ignore[misc]
    circuit, matched = _fitted(source, own.inputs, own.output_widths)
    require_fitting(theorem, circuit)
    return Question(circuit, theorem, matched)


def by_circuit(source: Source, other: Netlist, title: str) -> Question:
    """Whether a circuit computes what another does; what the other's notes say is noted of it too.

    Raises:
        NetlistError: if the buses do not fit; one line.
    """
    circuit, matched = _fitted(source, other.inputs, other.output_widths)
    of_other = (f"{title}, which it is compared with: {note}" for note in other.notes)
    circuit = replace(circuit, notes=(*circuit.notes, *of_other))
    claim = GivenClaim(title, other.inputs, other.output_widths, circuit=other)
    return Question(circuit, claim.obligation(), matched, claim)


def by_function(source: Source, function: SpecFunction, seconds: Callable[[], float]) -> Question:
    """Whether a circuit is what a function says.

    Args:
        seconds: what there is, once the circuit is read, for asking it about every input, where these
            are few.

    Raises:
        NetlistError: if the buses do not fit, or the function fails; one line.
    """
    circuit, matched = _fitted(source, function.inputs, function.outputs)
    if not function.provable:
        return Question(circuit, _tested_alone(function), matched, function=function)
    claim = function.claim(circuit, seconds())
    return Question(circuit, claim.obligation(), matched, claim)


def _fitted(source: Source, inputs: Widths, outputs: Widths) -> tuple[Netlist, tuple[str, ...]]:
    """The circuit with a spec's buses, in which it is noted which is which."""
    netlist, interface = source(inputs, outputs)
    circuit, matched = fitted(
        netlist,
        inputs,
        outputs,
        inputs=interface.inputs,
        outputs=interface.outputs,
        order=interface.order,
    )
    return replace(circuit, notes=(*circuit.notes, *matched)), matched


def _tested_alone(function: SpecFunction) -> Obligation:
    """What is said of a function that is no claim; it cannot be stated."""

    def state(netlist: Netlist | None) -> NoReturn:
        raise StatementError(
            f"{function.title} cannot be written out: it has {function.bits} input bits"
        )

    said = f"what {function.title} says"
    parameters = {"family": FAMILY}
    return Obligation(function.name, said, state, parameters=parameters, function=said)


@dataclass(frozen=True)
class Decision:
    """What came of a question.

    Attributes:
        obligation: that the record is about.
        claim: that it is of, if it is no theorem.
        note: what is known besides.
    """

    record: Record
    obligation: Obligation
    claim: GivenClaim | None = None
    note: str = ""


def decide(question: Question, discharging: Callable[[Obligation], Record], seconds: float) -> Decision:
    """What comes of a question.

    Args:
        discharging: how an obligation becomes a record, of the question's circuit.
        seconds: for asking a function that the circuit is tested by.

    Raises:
        NetlistError: if that function fails.
    """
    if not question.function:
        return Decision(discharging(question.obligation), question.obligation, question.claim)
    started, title = time.monotonic(), question.function.title
    tested = question.function.tested(question.circuit, seconds)
    which = f"all {tested.tried:,} inputs" if tested.every else f"{tested.tried:,} inputs drawn by class"
    if tested.refuting:
        counted = f"{tested.failures:,} of {which} fail, this one the simplest of them"
        obligation = tested.refuting.obligation()
        return Decision(discharging(obligation), obligation, tested.refuting, counted)
    blank = blank_record(question.obligation, seconds, question.circuit)
    record = replace(
        blank,
        outcome=Outcome.UNKNOWN,
        message=f"{title} was asked about {which}, and the circuit gives the same: a test, no proof; "
        f"with more than {TABLE_BITS} input bits only a formula can be proved",
        netlist=Size.of(question.circuit),
        seconds=round(time.monotonic() - started, 4),
    )
    return Decision(record, question.obligation)
