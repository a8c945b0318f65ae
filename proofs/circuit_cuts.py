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

    Where several probes have a signal it is taken from the first that is free, as
    ``prover.kernel.composition`` has it.
    """

    def __init__(self, netlist: Netlist, inputs: Buses, probe: Probe, words: Container[str]) -> None:
        """Begin with nothing known.

        Args:
            probe: whom to tell all values, and who says what to take for them.
            words: probes of the spec's own from which neurons are computed.
        """
        self._netlist, self._inputs, self._probe, self._words = netlist, inputs, probe, words
        self._known: dict[int, FNode] = {ZERO: FALSE(), ONE: TRUE()}
        self._free: set[int] = set()

    def probe(self, name: str, value: FNode) -> FNode:
        """Probe a value of the spec's own."""
        taken = self._probe(name, value)
        if name in self._words:
            self._take(name, value, taken)
        return taken

    def compute(self, names: Sequence[str], *, last_first: bool = False) -> None:
        """Probe what the circuit computes; ``last_first`` as ``neuron_formula`` has it."""
        buses = {name: self._netlist.probes[name] for name in names}
        known, order = self._known, {"last_first": last_first}
        for name, value in bus_formulas(self._netlist, buses, self._inputs, known, **order).items():
            self._take(name, value, self._probe(name, value))

    def _take(self, name: str, value: FNode, taken: FNode) -> None:
        for k, signal in enumerate(self._netlist.probes[name]):
            if signal in self._free:
                continue
            if taken is not value:
                self._free.add(signal)
                self._known[signal] = bit(taken, k)
            else:
                self._known.setdefault(signal, bit(taken, k))
