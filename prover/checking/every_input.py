"""Claims of few input bits, evaluated on every input: decided without engines, and checked likewise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.encoding.tables import Evaluator, compared


class EveryInputError(ValueError):
    """A claim that is not shown so; the message says why."""


class ViolatedError(EveryInputError):
    """A claim that an input violates.

    Attributes:
        inputs: that input.
    """

    def __init__(self, number: int, inputs: Mapping[str, int]) -> None:
        super().__init__(f"input {number} violates it")
        self.inputs = inputs


def require_true_of_every_input(claim: Claim, evaluate: Evaluator = boolean.evaluate) -> None:
    """Evaluate a claim on every input: its formulas; of a table, the circuit.

    Args:
        evaluate: how the circuit is, which is compared with a table.

    Raises:
        ViolatedError: if some input violates it.
        EveryInputError: if it has too many inputs or other symbols, or if no input satisfies its
            assumptions.
        ValueError: for operators that ``prover.encoding.bitblast`` does not know.
    """
    widths = {name: symbol.bv_width() for name, symbol in claim.inputs.items()}
    if sum(widths.values()) > TABLE_BITS:
        raise EveryInputError(f"it has more than {TABLE_BITS} input bits")
    number = np.arange(1 << sum(widths.values()), dtype=np.uint64)
    inputs, first = {}, 0
    for name, width in widths.items():
        inputs[name] = number >> np.uint64(first) & np.uint64((1 << width) - 1)
        first += width
    if isinstance(claim, TabulatedClaim):
        found = compared(claim, inputs, evaluate)
        possible, violated = found.possible, found.violated
    else:
        possible, violated = _by_formulas(claim, inputs)
    for violating in np.flatnonzero(violated)[:1].tolist():
        raise ViolatedError(violating, {name: int(values[violating]) for name, values in inputs.items()})
    if not possible.any():
        raise EveryInputError("no input satisfies its assumptions")


def _by_formulas(claim: Claim, inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which inputs satisfy the assumptions, and which violate the claim."""
    possible, violated = And(claim.assumptions), And(claim.negation)
    if not set(And(possible, violated).get_free_variables()) <= set(claim.inputs.values()):
        raise EveryInputError("it is about more than its inputs")
    found = Evaluation({"possible": possible, "violated": violated}).evaluate(inputs)
    return found["possible"], found["violated"]
