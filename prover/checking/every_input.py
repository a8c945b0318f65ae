"""Claims of few input bits, evaluated on every input: decided without engines, and checked likewise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pysmt.shortcuts import And

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.evaluation import Evaluation

MOST_BITS = 16
"""Claims of up to so many input bits together may be decided so."""


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


def require_true_of_every_input(claim: Claim) -> None:
    """Evaluate a claim's formulas on every input.

    Raises:
        ViolatedError: if some input violates it.
        EveryInputError: if it has too many inputs or other symbols, or if no input satisfies its
            assumptions.
        ValueError: for operators that ``prover.encoding.bitblast`` does not know.
    """
    widths = {name: symbol.bv_width() for name, symbol in claim.inputs.items()}
    if sum(widths.values()) > MOST_BITS:
        raise EveryInputError(f"it has more than {MOST_BITS} input bits")
    possible, violated = And(claim.assumptions), And(claim.negation)
    if not set(And(possible, violated).get_free_variables()) <= set(claim.inputs.values()):
        raise EveryInputError("it is about more than its inputs")
    number = np.arange(1 << sum(widths.values()), dtype=np.uint64)
    inputs, first = {}, 0
    for name, width in widths.items():
        inputs[name] = number >> np.uint64(first) & np.uint64((1 << width) - 1)
        first += width
    found = Evaluation({"possible": possible, "violated": violated}).evaluate(inputs)
    for violating in np.flatnonzero(found["violated"])[:1].tolist():
        raise ViolatedError(violating, {name: int(values[violating]) for name, values in inputs.items()})
    if not found["possible"].any():
        raise EveryInputError("no input satisfies its assumptions")
