"""Claims about formulas, split into cases by other formulas in the place of inputs.

A case k puts formulas f_k of the inputs in place of some inputs x; what f_k is when x is not of the case
is immaterial. Let g be the claim, that the goal holds if the assumptions do. The lemmas are

    case      for all x: g(f_k(x)), for every case k
    coverage  for all x: x = f_k(x) for one of the cases k

so that g(x), which is g(f_k(x)) for some k, holds for all x. Unlike an assumption, a formula in place of
an input tells an engine what is constant before it searches. This module is trusted; it uses no solver.

The argument is proved in Coq: ``proofs/mechanised/splitting.v``.
"""

from __future__ import annotations

from collections.abc import Mapping

from pysmt.shortcuts import And, Equals, Or

from spikeproof.prover.claims.obligation import Claim
from spikeproof.specs.integers import Buses


def split(claim: Claim, cases: Mapping[str, Buses]) -> dict[str, Claim]:
    """The lemmas, by name, from which a claim follows that is split into cases.

    Args:
        cases: by name, the formulas that each puts for inputs.
    """
    lemmas = {}
    for name, case in cases.items():
        put = {claim.inputs[bus]: value for bus, value in case.items()}
        assumptions = tuple(assumption.substitute(put) for assumption in claim.assumptions)
        lemmas[f"case {name}"] = Claim(claim.inputs, claim.goal.substitute(put), assumptions)
    of_a_case = (
        And(Equals(claim.inputs[bus], value) for bus, value in case.items()) for case in cases.values()
    )
    return {**lemmas, "coverage": Claim(claim.inputs, Or(of_a_case))}
