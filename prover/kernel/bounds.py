"""What lets somebody else check again that a circuit's results are within a bound.

The certificate is one line of JSON: of which netlist and claim it is, and how large errors are at most.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from math import ceil

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.bounded import BoundedClaim
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.cosine import cosine_error
from spikeproof.prover.kernel.exponential import exponential_error
from spikeproof.prover.kernel.logarithm import logarithm_error
from spikeproof.prover.kernel.radians import radians_error
from spikeproof.prover.kernel.sine import sine_error
from spikeproof.specs.formats import Format

SCHEMA = "spikeproof-error-1"

PARTS = 10**6
"""Errors are told in millionths of a unit in the last place."""

ERRORS: Mapping[str, Callable[[Netlist, Format], Fraction]] = {
    "exp": exponential_error,
    "log": logarithm_error,
    "log2": partial(logarithm_error, function="log2"),
    "cos_pi": cosine_error,
    "sin_pi": sine_error,
    "sin": partial(radians_error, function="sin"),
    "cos": partial(radians_error, function="cos"),
}
"""By function: a t such that each result is what a number within t times the function's value of that
value rounds to, or the nearest; of subnormal results, within t times twice the least normal number."""


def bound_certificate(claim: BoundedClaim) -> bytes:
    """The certificate of a claim, if arithmetic on the circuit's program shows that it holds.

    Raises:
        ProgramError, BoundError: if not.
    """
    bound = claim.table
    if claim.assumptions or bound.function not in ERRORS:
        raise BoundError(f"{bound.function} has no bound on all inputs here")
    # A unit in the last place is more than 2^-(bits + 1) of a number.
    units = ERRORS[bound.function](claim.netlist, bound.fmt) * (2 << bound.fmt.fraction_bits)
    if units > Fraction(1, 1 << bound.places):
        raise BoundError(
            f"before rounding errors may be {float(units):.6f} units in the last place, more than "
            f"2^-{bound.places}"
        )
    data = {
        "schema": SCHEMA,
        "claim": hashlib.sha256(bound.content).hexdigest(),
        "netlist": claim.netlist.sha256,
        "millionths": ceil(units * PARTS),
    }
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"
