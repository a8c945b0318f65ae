"""Definitions of layers by users: whether they compute what a theorem's spec says."""

from __future__ import annotations

from spikeproof.circuits.doors.apart import Limits
from spikeproof.circuits.doors.programs import read_program
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import FAMILY
from spikeproof.prover.claims.obligation import Obligation, StatementError
from spikeproof.prover.claims.programs import ProgramClaim, composed
from spikeproof.specs.programs import Module


def by_definition(source: str, theorem: Obligation, limits: Limits) -> Obligation:
    """That a definition, in units, computes what a theorem about a program says.

    Args:
        source: ``file.py:function``, or ``package.module:function``, of a value for each input.

    Raises:
        NetlistError: if there is none, or it fails; one line.
        StatementError: if an operation is no theorem's, or the results are others than the theorem's.
    """
    with passing_formulas():
        claim = theorem.state(None)
        assert isinstance(claim, ProgramClaim)
        spec, program = claim.spec, read_program(source, claim.spec, limits)
        if program.results != spec.results:
            raise StatementError(f"{source} gives {_listed(program)}, not {_listed(spec)}")
        ProgramClaim(spec, program)  # which refuses what has no theorem
    said = f"{source} computes what {theorem.name} says"
    about = {"family": FAMILY}
    return composed(f"{FAMILY}.program", said, lambda: spec, lambda: program, parameters=about)


def _listed(program: Module) -> str:
    return ", ".join(f"{name} ({array})" for name, array in program.results.items())
