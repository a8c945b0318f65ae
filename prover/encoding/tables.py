"""Claims about tables, on arrays of inputs: what circuit and table give, and whether these differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.bounded import BoundedClaim
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.evaluation import Evaluation

Columns = Mapping[str, NDArray[Any]]

Evaluator = Callable[[Netlist, Columns], Columns]
"""From a circuit and inputs, its outputs."""


@dataclass(frozen=True)
class Compared:
    """What becomes of some inputs.

    Attributes:
        possible: which satisfy the assumptions.
        violated: which of these violate the claim.
        circuit, table: the outputs of either.
    """

    possible: NDArray[np.bool_]
    violated: NDArray[np.bool_]
    circuit: Columns
    table: Columns


def compared(claim: TabulatedClaim, inputs: Columns, evaluate: Evaluator = boolean.evaluate) -> Compared:
    """A circuit compared with its table.

    Args:
        inputs: for each bus an array of unsigned integers.
        evaluate: how the circuit is.
    """
    circuit, table = evaluate(claim.netlist, inputs), claim.table.at(inputs)
    differ = np.zeros(len(next(iter(inputs.values()))), dtype=bool)
    seen, wanted = (_seen(claim, inputs, outputs) for outputs in (circuit, table))
    for name in claim.table.outputs:
        differ |= seen[name] != wanted[name]
    if isinstance(claim, BoundedClaim):
        differ = claim.wrong(inputs, circuit, differ)
    possible = np.ones_like(differ)
    if claim.assumptions:
        found = Evaluation({"possible": And(claim.assumptions)}).evaluate(inputs)
        possible = found["possible"].astype(bool)
    return Compared(possible, differ & possible, circuit, table)


def _seen(claim: TabulatedClaim, inputs: Columns, outputs: Columns) -> Columns:
    """What counts of outputs."""
    if not claim.counting:
        return outputs
    observed = {f"observed.{name}": codes for name, codes in outputs.items()}
    return Evaluation(claim.counting).evaluate({**inputs, **observed})
