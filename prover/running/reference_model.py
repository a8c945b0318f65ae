"""What a theorem's spec gives on arrays of inputs: a reference model for other people's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.bitsliced import CIRCUIT, BitSlicedFunction
from spikeproof.circuits.meanings.boolean import require_inputs
from spikeproof.circuits.meanings.native import OPTIMISED, block_function
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.refutation.comparison import Comparison
from spikeproof.prover.refutation.exhaustion import spec_logic

POSSIBLE = "assumptions hold"
"""Evaluated beside the outputs; no bus has such a name."""

Array = NDArray[Any]


class ReferenceModel:
    """The spec of a theorem: called with arrays of inputs, it gives arrays of outputs.

    It is the formula that the theorem is about, compiled. Of the theorem's own circuit it has the buses,
    and nothing of what that gives.

    Args:
        obligation: the theorem; of a circuit.
        threads: how many to use; None for one on each core.

    Attributes:
        obligation: the same.
        inputs: width of each input bus, by name.
        outputs: width of each output bus, by name.
        comparison: tells which outputs of others are as good, where the theorem allows several.

    Raises:
        ValueError: if the theorem is not about a circuit's outputs, or its formula is of operators that
            only z3 knows.
    """

    def __init__(self, obligation: Obligation, threads: int | None = None) -> None:
        if obligation.circuit is None:
            raise ValueError(f"{obligation.name} is about formulas, not about outputs; name a unit")
        self.obligation = obligation
        self._netlist = obligation.circuit()
        self.inputs = dict(self._netlist.inputs)
        self.outputs = {name: len(bus) for name, bus in self._netlist.outputs.items()}
        with passing_formulas():
            claim = obligation.state(self._netlist)
            if not claim.expected:
                raise ValueError(f"{obligation.name} says not what outputs should be; name a unit")
            self.comparison = Comparison(claim, self.outputs)
            logic = spec_logic(replace(claim, counting={}), self._netlist)
            function = block_function(CIRCUIT, *logic, OPTIMISED)
        self._spec = BitSlicedFunction(function, self.inputs, {**self.outputs, POSSIBLE: 1}, threads)

    def __call__(self, inputs: Mapping[str, Array], *, sample: int = 0) -> dict[str, Array]:
        """The outputs by name, as unsigned integers.

        Args:
            inputs: for each input bus an array of codes, unsigned integers of at most 64 bits; all of
                one length.
            sample: of so many inputs, drawn at random, the outputs are compared with the spec of record.

        Raises:
            ValueError: if a bus is missing or unknown, the arrays are not of one length, a value does
                not fit its bus, or does not satisfy the theorem's assumptions; or if a sample is asked
                for and the theorem has no spec of record.
            RuntimeError: if the formula contradicts the spec of record.
        """
        count = require_inputs(self._netlist, inputs)
        given = {name: np.asarray(words) for name, words in inputs.items()}
        found = self._spec.evaluate(given, count)
        outside = np.flatnonzero(found.pop(POSSIBLE) == 0)
        if len(outside):
            shown = ", ".join(f"{name} = {int(words[outside[0]]):#x}" for name, words in given.items())
            raise ValueError(f"{self.obligation.name} says nothing of {shown}, which it excludes")
        for index in np.random.default_rng().choice(count, min(sample, count), replace=False):
            self._require_record(
                {name: int(words[index]) for name, words in given.items()}, found, index
            )
        return found

    def _require_record(self, codes: Mapping[str, int], found: Mapping[str, Array], index: int) -> None:
        """Compare outputs with the spec of record."""
        if self.obligation.reading is None:
            raise ValueError(f"{self.obligation.name} has no spec of record to sample")
        record = self.obligation.reading.trace(codes)
        for name in found.keys() & record.keys():
            if int(found[name][index]) != record[name]:
                shown = ", ".join(f"{bus} = {code:#x}" for bus, code in codes.items())
                raise RuntimeError(
                    f"for {shown} the formula of the spec gives {name} = {int(found[name][index]):#x}, "
                    f"the spec of record {record[name]:#x}; one of them is wrong"
                )
