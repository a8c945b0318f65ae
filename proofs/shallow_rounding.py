"""Where the proof of a shallow unit is cut before it rounds.

What is rounded is the significand as it is after shifting: ``kept``, the places that the format has;
``guard``, the place below; ``sticky``, whether there is anything further below. A shallow unit has no
word of these, but places that are sums of neurons. So, as in ``proofs.shallow_sums``, these are what is
taken as free, each as the circuit itself computes it; a fact says that they are what the spec has, as
its probe ``normalised``. The shift is then nothing that the lemma about the outputs has to find.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import FALSE, TRUE, And, BVExtract

from spikeproof.circuits.meanings.formula import bus_formulas
from spikeproof.circuits.netlist import ONE, ZERO, Netlist
from spikeproof.proofs.shallow_sums import is_word
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, bit, from_bool, nonzero

NORMALISED = ("kept", "guard", "sticky")


@dataclass(frozen=True)
class ShallowRounding:
    """The cut between what is shifted and what is rounded.

    Attributes:
        given: the probes from which it is shifted.
        circuit: the unit with all its cuts.
        whole: what its outputs should be, with those probes and ``normalised``.
    """

    fmt: Format
    given: tuple[str, ...]
    circuit: Callable[[], Netlist] = field(compare=False)
    whole: Callable[[Buses, Probe], Buses] = field(compare=False)

    @property
    def step(self) -> Step:
        """From the probes given to what is rounded."""
        return Step(NORMALISED, self.given, fact=partial(is_normalised, self.fmt))

    def last(self, whole: Step) -> Step:
        """The outputs, from there too."""
        return replace(whole, given=(*whole.given, *NORMALISED))

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for the cut."""
        circuit = self.circuit()
        free = {ZERO: FALSE(), ONE: TRUE()}

        def taken(name: str, value: FNode) -> FNode:
            found = probe(name, value)
            if name in self.given:
                free.update((signal, bit(found, k)) for k, signal in enumerate(circuit.probes[name]))
            return found

        outputs = self.whole(inputs, taken)
        buses = {name: circuit.probes[name] for name in NORMALISED}
        for name, value in bus_formulas(circuit, buses, inputs, free).items():
            probe(name, value)
        return outputs


def is_normalised(fmt: Format, values: Buses) -> FNode:
    """That what is rounded is what the spec has as ``normalised``."""
    word = values["normalised"]
    guard = word.bv_width() - fmt.precision - 1
    sticky = from_bool(nonzero(BVExtract(word, 0, guard - 1)), 1)
    return And(
        is_word(values["kept"], BVExtract(word, guard + 1)),
        is_word(values["guard"], BVExtract(word, guard, guard)),
        is_word(values["sticky"], sticky),
    )
