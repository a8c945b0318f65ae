"""What lets somebody else check again that a program of units computes what its spec says.

The certificate is one line of JSON: which programs, which of their modules are equal, and on which
theorems about which netlists that rests.
"""

from __future__ import annotations

import json

from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.kernel.congruence import paired

SCHEMA = "spikeproof-program-1"


def program_certificate(claim: ProgramClaim) -> bytes:
    """The certificate of a claim about a program, if it follows from theorems about its units.

    Raises:
        CongruenceError: if it does not.
    """
    data = {
        "schema": SCHEMA,
        "spec": claim.spec.digest,
        "circuit": claim.circuit.digest,
        "equal": list(map(list, paired(claim.spec, claim.circuit, claim.operations).items())),
        "units": [
            [name, claim.operations[name], unit.netlist.sha256] for name, unit in claim.units.items()
        ],
    }
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"
