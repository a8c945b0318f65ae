"""What was found of one circuit that was given, as a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice

import numpy as np
from markupsafe import Markup

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.replays import expected_outputs
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import FAMILY
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.evidence.record import SEED, Record
from spikeproof.prover.margins.failure import least_distance
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.prover.refutation.minimisation import simplest_by_class
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.report.counterexamples import counterexample, fields_shown
from spikeproof.prover.report.summary import seconds_text
from spikeproof.prover.report.tables import outcome_text
from spikeproof.prover.report.templating import environment
from spikeproof.prover.report.verdict import deciding

SHOWN_CLASSES = 6
"""Of how many classes of inputs an example is shown."""

EVALUATIONS = 1024
"""Inputs drawn by class on which spikes are counted."""

FIRST_LINES = ("it is right by another convention", "it may be right by another convention")


def audit_page(
    record: Record, obligation: Obligation, circuit: Netlist, source: str, verifying: str = ""
) -> str:
    """The page of a circuit that was to be what a theorem says, another circuit, or somebody's function.

    Args:
        record: what came of it.
        circuit: which it is.
        source: what it is called: a file, say.
        verifying: the command that checks the evidence again, if some was kept.
    """
    templates, given = environment(), _is_given(record)
    certificates = [
        (f"{lemma.name}, {each.kind}", each.sha256)
        for lemma in record.lemmas
        for each in lemma.certificates
    ]
    return templates.get_template("audit.html").render(
        record=record,
        source=source,
        verifying=verifying,
        statement="" if given else record.statement,
        asked=f"to be {obligation.function}" if given else f"audited as {record.theorem}",
        beside="the other circuit" if given else "our own unit of the same operation",
        other="the other" if given else record.theorem,
        style=Markup(templates.get_template("page.css").render()),
        verdict=verdict(record),
        by_class=_by_class(record, obligation, circuit),
        sizes=list(_sizes(obligation, circuit)),
        engines=deciding(record) if record.outcome is Outcome.PROVED else "",  # else one input decides
        certificates=certificates,
        clausal=sum(each.kind == "drat" for lemma in record.lemmas for each in lemma.certificates),
        counterexample=counterexample,
        fields=fields_shown,
        outcome=outcome_text,
        seconds=seconds_text,
    )


def _is_given(record: Record) -> bool:
    """Whether it is about no theorem, but about what was given with the circuit."""
    return record.theorem.startswith(f"{FAMILY}.")


def verdict(record: Record) -> str:
    """What came of it, in a sentence."""
    if record.outcome is Outcome.PROVED:
        about = "" if _is_given(record) else " that the theorem is about"
        return f"Right on every input{about}: proved."
    if record.outcome is not Outcome.REFUTED:
        return f"Not decided: {outcome_text(record)}."
    lines = record.message.splitlines()
    if first := next((line for line in lines if line.startswith(FIRST_LINES)), None):
        return f"Wrong by this theorem; {first.rstrip(':')}."
    if region := next((line for line in lines if line.startswith("it is right except")), None):
        return f"Wrong; {region.removeprefix('it is ')}."
    return "Wrong."


def _by_class(record: Record, obligation: Obligation, circuit: Netlist) -> Mapping[str, str]:
    """For each class of operands the simplest input that fails, with what becomes of it."""
    if record.outcome is not Outcome.REFUTED or record.counterexample is None:
        return {}
    with passing_formulas():
        claim = obligation.state(circuit)
        found = simplest_by_class(obligation, claim, record.counterexample, circuit)
        return {
            words or "inputs": explain(obligation, circuit, inputs, expected_outputs(claim, inputs))
            for words, inputs in islice(found.items(), SHOWN_CLASSES)
        }


def _sizes(obligation: Obligation, circuit: Netlist) -> Iterator[tuple[str, str, str]]:
    """Name, and the value for both circuits, of each measure; nothing for the other if there is none."""
    other = obligation.circuit() if obligation.circuit else None
    # What stands in for a function's circuit has no neurons.
    theirs = dict(_measures(obligation, other)) if other and other.neurons else {}
    for name, value in _measures(obligation, circuit):
        yield name, value, theirs.get(name, "")


def _measures(obligation: Obligation, netlist: Netlist) -> Iterator[tuple[str, str]]:
    size = netlist.statistics
    sums = [sum(abs(Fraction(w)) for _, w in neuron.synapses) for neuron in netlist.neurons]
    weights = [abs(Fraction(w)) for neuron in netlist.neurons for _, w in neuron.synapses]
    distances = [least_distance(neuron) for neuron in netlist.neurons]
    relative = [d / total for d, total in zip(distances, sums, strict=True) if total]
    yield "neurons", f"{size.neurons:,}"
    yield "synapses", f"{size.synapses:,}"
    yield "depth, in neurons", f"{size.depth:,}"
    yield "largest fan-in", f"{size.largest_fan_in:,}"
    yield "largest weight", str(max(weights, default=0))
    yield "largest sum of a neuron's weights", str(max(sums, default=0))
    yield "noise that every neuron bears, either way", _below(min(distances, default=0))
    yield "relative error of weights that every neuron bears", _below(min(relative, default=0))
    formats = obligation.reading.formats if obligation.reading else {}
    with passing_formulas():
        claim = obligation.state(netlist)
        drawn = inputs_by_class(free_widths(claim), formats, EVALUATIONS, SEED)
        inputs = completed(claim, drawn)
    fired = boolean.evaluate_signals(netlist, inputs)
    spikes = sum(int(np.count_nonzero(row)) for row in fired[netlist.input_count :])
    yield (
        f"spikes an evaluation, mean of {EVALUATIONS:,} drawn by class",
        f"{spikes / EVALUATIONS:.1f}",
    )


def _below(limit: Fraction | int) -> str:
    return f"less than {limit}" if limit else "none"
