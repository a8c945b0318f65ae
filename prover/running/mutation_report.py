"""How many faults a theorem notices: each mutant refuted, or proved and so no fault at all.

A mutant that is proved is *benign*: the fault changes nothing that the theorem is about. That is the
same prover's word, so simulation is asked too: on all inputs where they can be enumerated, else on
a sample. What is undecided never counts as noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import theorem as theorem_named
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.engines.pool import LOST, results
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.drawing import every_input_or_some
from spikeproof.prover.refutation.mutation import FAULTS, Mutant
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.running.discharge import discharge


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    Attributes:
        kind: of the fault, a key of ``prover.refutation.mutation.FAULTS``.
        fault: in words.
        outcome: refuted; proved, that is benign; or undecided or an error.
        message, counterexample: as in ``prover.evidence.record.Record``.
    """

    kind: str
    fault: str
    outcome: Outcome
    seconds: float
    message: str = ""
    counterexample: Mapping[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {**vars(self), "outcome": self.outcome.value}


@dataclass(frozen=True)
class Report:
    """What became of a theorem's mutants.

    Attributes:
        original: the theorem of the circuit without a fault.
    """

    original: Record
    verdicts: Sequence[Verdict]

    def count(self, *outcomes: Outcome, kind: str | None = None) -> int:
        """How many mutants came to one of these outcomes; of one kind, if that is given."""
        return sum(v.outcome in outcomes and kind in (None, v.kind) for v in self.verdicts)

    def faulty(self, kind: str | None = None) -> int:
        """How many mutants are not benign."""
        return self.count(*(o for o in Outcome if o is not Outcome.PROVED), kind=kind)

    @property
    def score(self) -> float | None:
        """The share of mutants refuted of those that are not benign; None if all are benign."""
        return self.count(Outcome.REFUTED) / self.faulty() if self.faulty() else None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "theorem": self.original.theorem,
            "netlist_sha256": self.original.netlist and self.original.netlist.sha256,
            "original": self.original.outcome.value,
            "refuted": self.count(Outcome.REFUTED),
            "benign": self.count(Outcome.PROVED),
            "undecided": self.count(Outcome.TIMEOUT, Outcome.UNKNOWN),
            "errors": self.count(Outcome.ERROR),
            "score": self.score,
            "kinds": {kind: Counter(v.kind for v in self.verdicts)[kind] for kind in FAULTS},
            "mutants": [verdict.as_json() for verdict in self.verdicts],
        }


def judge(obligation: Obligation, kind: str, mutant: Mutant, timeout: float) -> Verdict:
    """What becomes of one mutant; an error if simulation contradicts a proof."""
    result = discharge(obligation, timeout, circuit=mutant.netlist)
    verdict = Verdict(
        kind, mutant.fault, result.outcome, result.seconds, result.message, result.counterexample
    )
    if result.outcome is not Outcome.PROVED:
        return verdict
    assert obligation.circuit is not None
    differing = first_difference(obligation, obligation.circuit(), mutant.netlist)
    if differing is None:
        return verdict
    problem = f"PROVED, BUT SIMULATION TELLS IT FROM THE ORIGINAL for {differing}: the prover is unsound"
    return replace(verdict, outcome=Outcome.ERROR, message=problem, counterexample=differing)


def first_difference(obligation: Obligation, one: Netlist, other: Netlist) -> dict[str, int] | None:
    """Inputs within the theorem's assumptions for which two circuits differ in what counts, if any do.

    All inputs are tried, or some drawn by class: see ``prover.refutation.drawing.every_input_or_some``.
    """
    formats = obligation.reading.formats if obligation.reading else {}
    with passing_formulas():
        claim = obligation.state(one)
        tried, _ = every_input_or_some(free_widths(claim), formats)
        cases = completed(claim, tried)
        columns = dict(cases)
        for side, netlist in zip(SIDES, (one, other), strict=True):
            found = boolean.evaluate(netlist, cases).items()
            columns |= {column(side, name): codes for name, codes in found}
        widths = one.output_widths
        differs = Comparison(claim, widths).differ(columns)
        if claim.assumptions:
            possible = Evaluation({"possible": And(*claim.assumptions)}).evaluate(cases)["possible"]
            differs &= possible.astype(bool)
    for index in np.flatnonzero(differs)[:1]:
        return {name: int(values[index]) for name, values in cases.items()}
    return None


def judge_all(
    theorem: str, mutants: Sequence[tuple[str, Mutant]], timeout: float, jobs: int
) -> Iterator[Verdict]:
    """What becomes of each mutant of a theorem, as it comes."""
    tasks = {(kind, mutant.fault): (theorem, kind, mutant, timeout) for kind, mutant in mutants}
    yield from results(_judge_named, tasks, jobs, lambda key: Verdict(*key, Outcome.ERROR, 0.0, LOST))


def _judge_named(theorem: str, kind: str, mutant: Mutant, timeout: float) -> Verdict:
    return judge(theorem_named(theorem), kind, mutant, timeout)
