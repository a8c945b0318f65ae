"""Whether outputs differ from those that a claim calls for, in what counts to it; on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from pysmt.shortcuts import And, BVType, Equals, Not, Symbol

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.evaluation import Evaluation

SIDES = ("circuit", "spec")

Columns = Mapping[str, NDArray[Any]]


def column(side: str, output: str) -> str:
    """What the values of an output are called, beside those of the inputs; no bus has a space there."""
    return f"{side} {output}"


class Comparison:
    """Tells outputs that are as good as those expected from others.

    Args:
        outputs: their widths, by name.
    """

    def __init__(self, claim: Claim, outputs: Mapping[str, int]) -> None:
        circuit, spec = (
            claim.seen({name: Symbol(column(side, name), BVType(w)) for name, w in outputs.items()})
            for side in SIDES
        )
        same = And(Equals(circuit[name], spec[name]) for name in outputs)
        self._evaluation = Evaluation({"differ": Not(same)})

    def differ(self, columns: Columns) -> NDArray[Any]:
        """Where they differ.

        Args:
            columns: codes of the inputs, and of the outputs by ``column`` of both sides.
        """
        found: NDArray[Any] = self._evaluation.evaluate(columns)["differ"].astype(bool)
        return found
