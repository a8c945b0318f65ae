"""Cuts at a circuit's own neurons, where the spec has no words for what they tell.

They are probes that the spec computes just as the circuit does, from what is taken as free before; that
circuit and spec agree on them is true by their making, and all that they mean is said by facts.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from pysmt.fnode import FNode
from pysmt.shortcuts import FALSE, TRUE

from spikeproof.circuits.meanings.formula import bus_formulas
from spikeproof.circuits.netlist import ONE, ZERO, Netlist
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, bit


class CircuitCuts:
    """What a circuit's signals are, as far as the probes of a spec have told.

    Of several probes that have a signal the last decides. ``prover.kernel.composition`` takes it from
    the first that a step gives: steps that give the last probe first are about the same formulas.
    """

    def __init__(self, netlist: Netlist, inputs: Buses, probe: Probe, words: Container[str]) -> None:
        """Begin with nothing known.

        Args:
            probe: whom to tell all values, and who says what to take for them.
            words: probes of the spec's own from which neurons are computed.
        """
        self._netlist, self._inputs, self._probe, self._words = netlist, inputs, probe, words
        self._known: dict[int, FNode] = {ZERO: FALSE(), ONE: TRUE()}

    def probe(self, name: str, value: FNode) -> FNode:
        """Probe a value of the spec's own."""
        taken = self._probe(name, value)
        if name in self._words:
            self._take(name, taken)
        return taken

    def compute(self, names: Sequence[str], *, last_first: bool = False) -> None:
        """Probe what the circuit computes; ``last_first`` as ``neuron_formula`` has it."""
        buses = {name: self._netlist.probes[name] for name in names}
        known, order = self._known, {"last_first": last_first}
        for name, value in bus_formulas(self._netlist, buses, self._inputs, known, **order).items():
            self._take(name, self._probe(name, value))

    def _take(self, name: str, taken: FNode) -> None:
        self._known.update(
            (signal, bit(taken, k)) for k, signal in enumerate(self._netlist.probes[name])
        )
