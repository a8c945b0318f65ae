"""Every input on which a circuit fails, with both results, as a table in a file: CSV or NPZ.

A row is a failing input, in the order of enumeration; a column a bus: inputs by their names, outputs by
``circuit NAME`` and ``spec NAME``. Values are codes: unsigned integers, in CSV decimal.

Compiled circuit and spec find the inputs; both results are computed again without the compiler, by
simulation and from the spec's formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.exhaustion import every_failing

MOST = 1 << 24
"""How many failing inputs are written at most: all that a circuit of 24 input bits can have."""

NPZ_BITS = 64
"""Bits of the widest code that NPZ holds."""

BATCH = 1 << 14
"""How many inputs are simulated at a time."""

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Failures:
    """What is to be written of a circuit.

    Attributes:
        advanced: told how many more inputs were tried.
    """

    claim: Claim
    netlist: Netlist
    advanced: Callable[[int], None] = lambda tried: None

    @property
    def widths(self) -> dict[str, int]:
        """How many bits the codes of each column have."""
        outputs = {name: len(self.netlist.outputs[name]) for name in self.claim.expected}
        sides = {column(side, name): width for name, width in outputs.items() for side in SIDES}
        return {**self.netlist.inputs, **sides}

    def batches(self) -> Iterator[Columns]:
        """The first ``MOST`` rows, some at a time.

        Raises:
            RuntimeError: if simulation and the spec's formula contradict the compiled circuit and spec.
        """
        spec = Evaluation(dict(self.claim.expected))
        comparison = Comparison(
            self.claim, {n: len(self.netlist.outputs[n]) for n in self.claim.expected}
        )
        left = MOST
        for failing in every_failing(self.claim, self.netlist, self.advanced):
            for start in range(0, len(next(iter(failing.values()))), BATCH):
                inputs = {name: codes[start : start + BATCH][:left] for name, codes in failing.items()}
                columns = inputs | self._results(spec, inputs)
                if not comparison.differ(columns).all():
                    raise RuntimeError("the compiled circuit and its simulation contradict each other")
                yield columns
                left -= len(next(iter(inputs.values())))
                if not left:
                    return

    def _results(self, spec: Evaluation, inputs: Columns) -> Columns:
        """What both sides make of failing inputs."""
        results = (boolean.evaluate(self.netlist, inputs), spec.evaluate(inputs))
        return {
            column(side, name): values[name]
            for name in self.claim.expected
            for side, values in zip(SIDES, results, strict=True)
        }

    def write_csv(self, file: TextIO) -> int:
        """Write them as CSV, with a line of headings; how many there are."""
        file.write(",".join(self.widths) + "\n")
        rows = 0
        for columns in self.batches():
            texts = (map(str, columns[name].tolist()) for name in self.widths)
            lines = [",".join(row) for row in zip(*texts, strict=True)]
            file.write("\n".join(lines) + "\n")
            rows += len(lines)
        return rows

    def write_npz(self, path: Path) -> int:
        """Write them as arrays of the smallest unsigned types, by column; how many there are."""
        words = {name: np.min_scalar_type((1 << width) - 1) for name, width in self.widths.items()}
        kept = {name: [np.empty(0, word)] for name, word in words.items()}
        for columns in self.batches():
            for name, word in words.items():
                kept[name].append(columns[name].astype(word))
        arrays: dict[str, Any] = {name: np.concatenate(each) for name, each in kept.items()}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return len(next(iter(arrays.values())))
