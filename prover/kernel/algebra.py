"""The kinds of algebra by which a step of a composed proof may be shown, in place of search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel import recurrence, telescoping
from spikeproof.specs import integers
from spikeproof.specs.integers import Meaning

Algebra = Callable[
    [Netlist, tuple[Bus, ...], tuple[Bus, ...], tuple[FNode, ...], tuple[FNode, ...]],
    Mapping[str, Claim],
]
"""From a netlist, operand buses, result buses, free symbols for the operands and facts about these, the
claims from which it follows that the results are the operands' function.

It raises ``AlgebraError`` if the circuit is not of the form that the algebra is about.
"""


@dataclass(frozen=True)
class AlgebraLog:
    """How an algebra writes down what it did, for others to do again.

    Attributes:
        make: from a netlist, operand buses and result buses, the log.
        check: raises ``AlgebraError`` if a log of these does not show what the algebra is to show.
    """

    make: Callable[[Netlist, tuple[Bus, ...], tuple[Bus, ...]], bytes]
    check: Callable[[Netlist, tuple[Bus, ...], tuple[Bus, ...], bytes], None]


LOGS = {"product": AlgebraLog(telescoping.write_log, telescoping.check_log)}
"""By name; methods without a log leave claims that say it all."""

METHODS: dict[str, tuple[Meaning, tuple[str, ...], Algebra]] = {
    "product": (integers.multiply, ("x", "y"), telescoping.product_claims),
    "quotient": (integers.divide, ("x", "y"), recurrence.quotient_claims),
    "root": (integers.square_root, ("x",), recurrence.root_claims),
}
"""By name: the function, the names of its operands, and how it is shown."""
