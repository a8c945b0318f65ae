"""When a circuit has the outputs of a theorem's own unit, so that what is proved of that holds of it.

Let s be the outputs of a circuit, u those of the unit, t those that the claim calls for. That s = u, in
all that counts to the claim, is one lemma; that u = t is the theorem of the unit, by its own lemmas.
What is checked here: that both claims are of the same inputs, call for the same outputs, count the same
of them and assume the same. This module is trusted; it uses no solver.

The argument is proved in Coq: ``proofs/mechanised/composition.v``.
"""

from __future__ import annotations

from collections.abc import Mapping

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.composition import CompositionError, require_outputs, seen_alike

SAME_OUTPUTS = "the outputs are those of our unit"


def compose_beside(
    netlist: Netlist, claim: Claim, unit: Claim, lemmas: Mapping[str, Claim]
) -> dict[str, Claim]:
    """The lemmas, by name, from which a claim about a circuit follows.

    Args:
        claim: that the circuit's outputs are those expected.
        unit: the same claim about the unit.
        lemmas: from which that follows.

    Raises:
        CompositionError: if the claims are not the same but for the circuits.
    """
    require_outputs(netlist, claim)
    for what, of_circuit, of_unit in (
        ("inputs", claim.inputs, unit.inputs),
        ("outputs", claim.expected, unit.expected),
        ("parts of outputs", claim.counting, unit.counting),
        ("assumptions", claim.assumptions, unit.assumptions),
    ):
        if of_circuit != of_unit:
            raise CompositionError(f"circuit and unit have other {what}")
    if unit.goal != seen_alike(unit, unit.actual, unit.expected):
        raise CompositionError("the unit's claim is not that outputs equal their spec")
    if not lemmas or SAME_OUTPUTS in lemmas:
        raise CompositionError(f"the unit has no lemmas, or one named {SAME_OUTPUTS!r}")
    same = seen_alike(claim, claim.actual, unit.actual)
    first = Claim(claim.inputs, same, claim.assumptions, claim.actual, unit.actual, claim.counting)
    return {SAME_OUTPUTS: first, **lemmas}
