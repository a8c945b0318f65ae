"""Where a circuit is refuted: the mode, policy and convention under which it is nearest to right.

From the theorem one goes to that neighbour, different in a choice, under which the fewest inputs fail,
and on from there while that helps. Inputs are all, where they are few, else some drawn by class. If none
of them fails under the last neighbour, this is counted on all inputs where they have up to ``MOST_BITS``
and there is time, or else proved, or else told as what it is: a sample.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
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


def told_nearest(obligation: Obligation, netlist: Netlist) -> str:
    """What a refuted circuit comes nearest to, and what is left then; empty if it is to nothing else."""
    if next(iter(obligation.neighbours()), None) is None:
        return ""
    with passing_formulas():
        search = _Search.of(obligation, netlist)
        nearest, failing = search.nearest(obligation)
        if nearest is obligation:
            return ""
        if failing.any():
            return _left(nearest, netlist, search.input(failing))
    return f"it is right by another convention, {nearest.name}:\n{_settled(nearest, netlist, search)}"


@dataclass(frozen=True)
class _Search:
    """A circuit on some inputs.

    Attributes:
        every: whether they are all.
        columns: codes of inputs, and of the circuit's outputs.
    """

    netlist: Netlist
    inputs: Mapping[str, NDArray[Any]]
    every: bool
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, obligation: Obligation, netlist: Netlist) -> _Search:
        formats = obligation.reading.formats if obligation.reading else {}
        inputs, every = every_input_or_some(netlist.inputs, formats)
        found = boolean.evaluate(netlist, inputs)
        circuit = {column(SIDES[0], name): codes for name, codes in found.items()}
        return cls(netlist, inputs, every, {**inputs, **circuit})

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
        differ = Comparison(claim, widths).differ({**self.columns, **spec})
        return np.asarray(differ & possible, dtype=np.bool_)

    def input(self, failing: NDArray[np.bool_]) -> dict[str, int]:
        """The first input that fails."""
        index = int(np.flatnonzero(failing)[0])
        return {name: int(codes[index]) for name, codes in self.inputs.items()}


def _left(nearest: Obligation, netlist: Netlist, inputs: Mapping[str, int]) -> str:
    """What is wrong with a circuit even under the theorem that it comes nearest to."""
    claim = nearest.state(netlist)
    simplest = minimised(nearest, claim, inputs, netlist)
    shown = explain(nearest, netlist, simplest.inputs, expected_outputs(claim, simplest.inputs))
    return f"it comes nearest to {nearest.name}, under which\n{shown}\n{simplest.failures}"


def _settled(nearest: Obligation, netlist: Netlist, search: _Search) -> str:
    """What is known of a theorem under which none of the inputs fails that were tried."""
    tried = len(next(iter(search.inputs.values())))
    if search.every:
        return f"none of all {tried:,} inputs fails"
    if netlist.input_count <= MOST_BITS:
        from spikeproof.circuits.meanings.bitsliced import cores  # loads LLVM
        from spikeproof.prover.refutation.exhaustion import SPEC, OutOfTimeError, enumerate_all

        try:
            found = enumerate_all(nearest, netlist, (SPEC,), cores(), seconds=COUNTING_SECONDS)
        except OutOfTimeError:
            pass
        else:
            return f"{found.failures or 'none'} of all {found.inputs:,} inputs fails"
    elif discharge(nearest, COUNTING_SECONDS, netlist).green:
        return "this is proved"
    return f"none of {tried:,} inputs drawn by class fails: a sample, no proof"
