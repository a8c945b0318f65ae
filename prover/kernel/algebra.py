"""The kinds of algebra by which a step of a composed proof may be shown, in place of search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel import recurrence, telescoping
from spikeproof.prover.kernel.cells import Site
from spikeproof.specs import integers
from spikeproof.specs.integers import Meaning

Algebra = Callable[[Site], Mapping[str, Claim]]
"""From a site, the claims from which it follows that the results are the operands' function.

It raises ``AlgebraError`` if the circuit is not of the form that the algebra is about.
"""


@dataclass(frozen=True)
class AlgebraLog:
    """How an algebra writes down what it did, for others to do again.

    Attributes:
        make: from a site, the log.
        check: raises ``AlgebraError`` if a log does not show there what the algebra is to show.
    """

    make: Callable[[Site], bytes]
    check: Callable[[Site, bytes], None]


LOGS = {"product": AlgebraLog(telescoping.write_log, telescoping.check_log)}
"""By name; methods without a log leave claims that say it all."""

METHODS: dict[str, tuple[Meaning, tuple[str, ...], Algebra]] = {
    "product": (integers.multiply, ("x", "y"), telescoping.product_claims),
    "quotient": (integers.divide, ("x", "y"), recurrence.quotient_claims),
    "root": (integers.square_root, ("x",), recurrence.root_claims),
}
"""By name: the function, the names of its operands, and how it is shown."""
