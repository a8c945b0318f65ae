"""Decides theorems about one function in one enumeration, such as all of its modes:

    python -m benchmarks.functions_together fp32.log.rtz fp32.log.rtp fp32.log.rtn fp32.log.rto

What encloses values is made once, and so is whatever their programs share; each claim is
compared on every input, as `spikeproof prove` does it. The SHA-256 of what was expected is that of its
record.
"""

import sys
from time import process_time

from spikeproof.prover.checking.every_block import compiled, require_all_true_of_every_block
from spikeproof.prover.claims.blocked import BlockTable
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.tabulated import TabulatedClaim


def claim_of(name: str) -> tuple[TabulatedClaim, BlockTable]:
    """A theorem's claim, and its table."""
    obligation = theorem(name)
    assert obligation.circuit is not None
    claim = obligation.state(obligation.circuit())
    assert isinstance(claim, TabulatedClaim)
    assert isinstance(claim.table, BlockTable)
    return claim, claim.table


def main(names: list[str]) -> None:
    """Decides theorems; of the first that is wrong the counterexample is raised."""
    start = process_time()
    digests = require_all_true_of_every_block([claim_of(name) for name in names], compiled)
    for name, digest in zip(names, digests, strict=True):
        print(f"{name}: proved, {digest}")
    print(f"{process_time() - start:.0f} seconds of processor time")


if __name__ == "__main__":
    main(sys.argv[1:])
