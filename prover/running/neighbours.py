"""Where a circuit is refuted: the mode, policy and convention under which it is nearest to right.

From the theorem one goes to that neighbour, different in a choice, under which the fewest inputs fail,
and on from there while that helps. Inputs are all, where they are few, else some drawn by class. If none
of them fails under the last neighbour, this is counted on all inputs where they have up to ``MOST_BITS``
and there is time, or else proved, or else told as what it is: a sample. An input that fails all the same
is one more to be tried, and the search begins again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.replays import expected_outputs
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.drawing import MOST_BITS, every_input_or_some
from spikeproof.prover.refutation.minimisation import minimised
from spikeproof.prover.running.discharge import discharge

SEARCH_SECONDS = 30.0
"""How long neighbours are tried."""

COUNTING_SECONDS = 60.0
"""How long inputs are counted, or a proof is looked for."""

POSSIBLE = "possible"


def with_nearest(record: Record, obligation: Obligation, circuit: Netlist | None = None) -> Record:
    """The record; of a circuit that is wrong, against what was promised, with what it comes nearest to.

    Args:
        circuit: that the record is about, if it is not the obligation's own.
    """
    own = obligation.circuit
    if not record.refutes or not own:
        return record
    found = nearest(obligation, circuit or own())
    if not found:
        return record
    return replace(record, message=f"{record.message}\n{found.words}", nearest=found.theorem)


@dataclass(frozen=True)
class Nearest:
    """The theorem that a circuit comes nearest to; whether it is right under it, in words."""

    theorem: str
    words: str


def nearest(obligation: Obligation, netlist: Netlist) -> Nearest | None:
    """What a refuted circuit comes nearest to, and what is left then; None if it is to nothing else."""
    if next(iter(obligation.neighbours()), None) is None:
        return None
    with passing_formulas():
        search = _Search.of(obligation, netlist)
    while True:
        with passing_formulas():
            found, failing = search.nearest(obligation)
        if found is obligation:
            return None
        if failing.any():
            return Nearest(found.name, _left(found, netlist, search.input(failing)))
        counterexample, words = _settled(found, netlist, search)
        if counterexample is None:
            return Nearest(found.name, words)
        search = search.with_input(counterexample)


@dataclass(frozen=True)
class _Search:
    """A circuit on some inputs.

    Attributes:
        every: whether they are all.
        outputs: codes of the circuit's outputs, by column.
    """

    netlist: Netlist
    inputs: Mapping[str, NDArray[Any]]
    every: bool
    outputs: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, obligation: Obligation, netlist: Netlist) -> _Search:
        formats = obligation.reading.formats if obligation.reading else {}
        inputs, every = every_input_or_some(netlist.inputs, formats)
        return cls(netlist, inputs, every, _outputs(netlist, inputs))

    def with_input(self, inputs: Mapping[str, int]) -> _Search:
        """The circuit on one more input."""
        one = {name: np.array([code], self.inputs[name].dtype) for name, code in inputs.items()}
        more = {name: np.concatenate([codes, one[name]]) for name, codes in self.inputs.items()}
        return _Search(self.netlist, more, self.every, _outputs(self.netlist, more))

    def nearest(self, obligation: Obligation) -> tuple[Obligation, NDArray[np.bool_]]:
        """The theorem from which no neighbour leads on, and which inputs fail there."""
        until = time.monotonic() + SEARCH_SECONDS
        best, failing = obligation, self.failing(obligation)
        while failing.any():
            previous = best
            for neighbour in previous.neighbours():
                if time.monotonic() > until:
                    return best, failing
                found = self.failing(neighbour)
                if found.sum() < failing.sum():
                    best, failing = neighbour, found
            if best is previous:
                break
        return best, failing

    def failing(self, obligation: Obligation) -> NDArray[np.bool_]:
        """Which of the inputs fail under a theorem."""
        widths = {name: len(bus) for name, bus in self.netlist.outputs.items()}
        # What is wanted does not depend on the circuit; of one without neurons it is stated at once.
        somewhere = {name: (0,) * width for name, width in widths.items()}
        claim = obligation.state(Netlist(self.netlist.inputs, (), somewhere))
        wanted = Evaluation({**claim.expected, POSSIBLE: And(claim.assumptions)}).evaluate(self.inputs)
        possible = wanted.pop(POSSIBLE).astype(bool)
        spec = {column(SIDES[1], name): codes for name, codes in wanted.items()}
        differ = Comparison(claim, widths).differ({**self.inputs, **self.outputs, **spec})
        return np.asarray(differ & possible, dtype=np.bool_)

    def input(self, failing: NDArray[np.bool_]) -> dict[str, int]:
        """The first input that fails."""
        index = int(np.flatnonzero(failing)[0])
        return {name: int(codes[index]) for name, codes in self.inputs.items()}


def _outputs(netlist: Netlist, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = boolean.evaluate(netlist, inputs)
    return {column(SIDES[0], name): codes for name, codes in found.items()}


def _left(nearest: Obligation, netlist: Netlist, inputs: Mapping[str, int]) -> str:
    """What is wrong with a circuit even under the theorem that it comes nearest to.

    Args:
        inputs: fail there.
    """
    with passing_formulas():
        claim = nearest.state(netlist)
        simplest = minimised(nearest, claim, inputs, netlist)
        shown = explain(nearest, netlist, simplest.inputs, expected_outputs(claim, simplest.inputs))
    return f"it comes nearest to {nearest.name}, under which\n{shown}\n{simplest.failures}"


Settled = tuple[Mapping[str, int] | None, str]
"""An input that fails; else what is known, in words."""


def _settled(nearest: Obligation, netlist: Netlist, search: _Search) -> Settled:
    """What is known of a theorem under which none of the inputs fails that were tried."""
    right = f"it is right by another convention, {nearest.name}:\n"
    tried = len(next(iter(search.inputs.values())))
    if search.every:
        return None, f"{right}none of all {tried:,} inputs fails"
    if netlist.input_count <= MOST_BITS:
        counterexample, settled = _counted(nearest, netlist)
    else:
        record = discharge(nearest, COUNTING_SECONDS, netlist)
        counterexample, settled = record.counterexample, "this is proved" if record.green else ""
    if settled or counterexample:
        return counterexample, right + settled
    sample = f"none of {tried:,} inputs drawn by class fails: a sample, no proof"
    return None, f"it may be right by another convention, {nearest.name}:\n{sample}"


def _counted(nearest: Obligation, netlist: Netlist) -> Settled:
    """The same by trying all inputs; no words if there was no time."""
    from spikeproof.circuits.meanings.bitsliced import cores  # loads LLVM
    from spikeproof.prover.refutation.exhaustion import SPEC, OutOfTimeError, enumerate_all

    try:
        found = enumerate_all(nearest, netlist, (SPEC,), cores(), seconds=COUNTING_SECONDS)
    except OutOfTimeError:
        return None, ""
    if found.failures:
        return {bus: int(code, 16) for bus, code in found.compared[0].first[0].items()}, ""
    return None, f"none of all {found.inputs:,} inputs fails"
