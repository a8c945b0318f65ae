"""What a theorem's spec gives on arrays of inputs: a reference model for other people's units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import TRUE

from spikeproof.circuits.meanings.bitsliced import CIRCUIT, BitSlicedFunction
from spikeproof.circuits.meanings.boolean import require_inputs
from spikeproof.circuits.meanings.native import OPTIMISED, block_function
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation, counted_bits
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
        self.outputs = self._netlist.output_widths
        with passing_formulas():
            claim = obligation.state(self._netlist)
            if not claim.outputs:
                raise ValueError(f"{obligation.name} says not what outputs should be; name a unit")
            self.comparison = Comparison(claim, self.outputs)
            all_counts = Claim(claim.inputs, TRUE(), claim.assumptions, expected=claim.expected)
            logic = spec_logic(all_counts, self._netlist)
            function = block_function(CIRCUIT, *logic, OPTIMISED)
        self._spec = BitSlicedFunction(function, self.inputs, {**self.outputs, POSSIBLE: 1}, threads)

    def __repr__(self) -> str:
        """Its theorem, and what it is called with and gives."""
        buses = f"{_named(self.inputs)} -> {_named(self.outputs)}"
        return f"<reference model of {self.obligation.name}: {buses}>"

    def __call__(self, inputs: Mapping[str, Array], *, sample: int = 0) -> dict[str, Array]:
        """The outputs by name, as unsigned integers: of the smallest type that holds the bus.

        Args:
            inputs: for each input bus an array of codes, as integers; all of one length.
            sample: of so many inputs, drawn at random, the outputs are compared with the spec of record.

        Raises:
            ValueError: if inputs are not such arrays by name, a bus is missing or unknown, a value does
                not fit its bus, or does not satisfy the theorem's assumptions; or if a sample is asked
                for and the theorem has no spec of record.
            RuntimeError: if the formula contradicts the spec of record.
        """
        given = self._arrays(inputs)
        count = require_inputs(self._netlist, given)
        found = self._spec.evaluate(given, count)
        outside = np.flatnonzero(found.pop(POSSIBLE) == 0)
        if len(outside):
            shown = ", ".join(f"{name} = {int(words[outside[0]]):#x}" for name, words in given.items())
            raise ValueError(f"{self.obligation.name} says nothing of {shown}, which it excludes")
        for index in np.random.default_rng().choice(count, min(sample, count), replace=False):
            self._require_record(
                {name: int(words[index]) for name, words in given.items()}, found, index
            )
        return {name: codes.astype(_word(self.outputs[name])) for name, codes in found.items()}

    def _arrays(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The arrays by name, if they are of codes."""
        names = sorted(map(str, inputs)) if isinstance(inputs, Mapping) else [type(inputs).__name__]
        if names != sorted(self.inputs):
            wanted = f"one mapping from names to arrays: {_named(self.inputs)}"
            raise ValueError(f"inputs are {names}; {self.obligation.name} takes {wanted}")
        given = {name: np.asarray(words) for name, words in inputs.items()}
        for name, words in given.items():
            if words.ndim != 1:
                raise ValueError(
                    f"{name} has {words.ndim} dimensions; give np.ravel({name}), which has one"
                )
            if not _are_integers(words):
                width = self.inputs[name]
                view = f"{name}.view(np.{_word(width)})"
                raise ValueError(
                    f"{name} is of type {words.dtype}; inputs are codes (unsigned integers of "
                    f"{counted_bits(width)}): of floats in that format give {view}"
                )
        return given

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


def _are_integers(words: Array) -> bool:
    """Whether they are; wide ones are Python's."""
    if words.dtype == object:
        return all(isinstance(word, int) for word in words)
    return words.dtype.kind in "iu"


def _word(width: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds so many bits; above 64 Python's integers."""
    return np.min_scalar_type((1 << width) - 1)


def _named(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({counted_bits(width)})" for name, width in widths.items())
