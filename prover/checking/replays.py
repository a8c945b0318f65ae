"""Whether inputs violate a claim: by evaluating its formulas, and by simulating the circuit."""

from __future__ import annotations

from collections.abc import Mapping

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And
from pysmt.simplifier import Simplifier

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Claim


def replays(netlist: Netlist | None, claim: Claim, inputs: Mapping[str, int]) -> bool:
    """Whether pySMT's evaluation and the simulated circuit both say that inputs violate a claim."""
    value = _Valuation(claim, inputs).simplify
    if not value(And(claim.negation)).is_true():
        return False
    if netlist is None or not claim.expected:
        return True
    simulated = boolean.evaluate(netlist, boolean.one_input(inputs))
    outputs = {n: BV(int(simulated[n][0]), len(netlist.outputs[n])) for n in claim.expected}
    shown, wanted = (claim.seen(buses) for buses in (outputs, claim.expected))
    return any(value(shown[bus]) != value(formula) for bus, formula in wanted.items())


def expected_outputs(claim: Claim, inputs: Mapping[str, int]) -> dict[str, int]:
    """What the output buses should be for these inputs, where the claim is about output buses."""
    value = _Valuation(claim, inputs).simplify
    return {bus: int(value(formula).constant_value()) for bus, formula in claim.expected.items()}


def value_of(formula: FNode, claim: Claim, inputs: Mapping[str, int]) -> FNode:
    """The constant that a formula over the claim's inputs becomes on the given values."""
    simplified: FNode = _Valuation(claim, inputs).simplify(formula)
    return simplified


class _Valuation(Simplifier):  # type: ignore[misc]
    """pySMT's simplifier with constants in place of the claim's inputs; it remembers what it met."""

    def __init__(self, claim: Claim, inputs: Mapping[str, int]) -> None:
        super().__init__()
        self._constants = {
            symbol: BV(inputs[name], symbol.bv_width()) for name, symbol in claim.inputs.items()
        }

    def walk_symbol(self, formula: FNode, args: object, **_: object) -> FNode:
        return self._constants.get(formula, formula)
